//! What one object has of another changes with it: sequences in defaults, types of tables, when keys are checked.

use super::{has_parts, round_trip};
use crate::sql::Dialect;

#[test]
fn a_default_names_the_sequence_and_not_its_name() {
    let text = round_trip(
        Dialect::Postgres,
        "CREATE SEQUENCE s; CREATE SEQUENCE \"Q\"; CREATE SCHEMA app;
         CREATE TABLE t (a bigint DEFAULT nextval('s'), b text DEFAULT 'x' || nextval('PUBLIC.s'::regclass),
             c bigint DEFAULT nextval('\"Q\"'), d bigint DEFAULT nextval('s'::text));
         ALTER SEQUENCE s RENAME TO r; ALTER SEQUENCE \"Q\" SET SCHEMA app;",
    );
    let parts = [
        "a bigint DEFAULT nextval('r')",
        "b text DEFAULT ('x' || nextval('r'::regclass))",
        "c bigint DEFAULT nextval('app.\"Q\"')",
        "d bigint DEFAULT nextval('s'::text)",
    ];
    has_parts(&text, &parts);
}

#[test]
fn a_table_of_a_type_changes_with_it() {
    let text = round_trip(
        Dialect::Postgres,
        "CREATE TYPE ad AS (street text, city text); CREATE TABLE houses OF ad;
         ALTER TYPE ad ADD ATTRIBUTE zip text CASCADE; ALTER TYPE ad RENAME ATTRIBUTE city TO town CASCADE;
         ALTER TYPE ad RENAME TO place; ALTER TYPE place ALTER ATTRIBUTE zip TYPE varchar(10) CASCADE;
         ALTER TYPE place DROP ATTRIBUTE street CASCADE;",
    );
    has_parts(&text, &["TYPE place AS (town text, zip character varying(10))"]);
    has_parts(&text, &["TABLE houses (\n    town text,\n    zip character varying(10)\n)"]);
}

#[test]
fn a_key_is_checked_when_it_was_last_said() {
    let text = round_trip(
        Dialect::Postgres,
        "CREATE TABLE p (id int PRIMARY KEY);
         CREATE TABLE c (a int CONSTRAINT ca REFERENCES p, b int CONSTRAINT cb REFERENCES p DEFERRABLE INITIALLY DEFERRED, u int);
         ALTER TABLE c ALTER CONSTRAINT ca DEFERRABLE INITIALLY DEFERRED; ALTER TABLE c ALTER CONSTRAINT cb NOT DEFERRABLE;
         ALTER TABLE c ADD CONSTRAINT cu FOREIGN KEY (u) REFERENCES p NOT VALID; ALTER TABLE c ALTER CONSTRAINT cu DEFERRABLE;
         CREATE UNIQUE INDEX i ON c (u); ALTER TABLE c ADD CONSTRAINT k UNIQUE USING INDEX i DEFERRABLE;
         CREATE INDEX e ON c (lower(u::text)); ALTER INDEX e ALTER COLUMN 1 SET STATISTICS 500;",
    );
    let parts = [
        "ca FOREIGN KEY (a) REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED;",
        "cb FOREIGN KEY (b) REFERENCES p (id);",
        "cu FOREIGN KEY (u) REFERENCES p (id) DEFERRABLE NOT VALID;",
        "CONSTRAINT k UNIQUE (u) DEFERRABLE",
    ];
    has_parts(&text, &parts);
}

#[test]
fn columns_that_a_parent_got_later_come_last() {
    let text = round_trip(
        Dialect::Postgres,
        "CREATE TABLE p (id int, CHECK (id > 0)); CREATE TABLE c (own text) INHERITS (p); CREATE TABLE d (own text) INHERITS (p);
         ALTER TABLE p ADD COLUMN late int; CREATE TABLE e (own text) INHERITS (p);",
    );
    has_parts(&text, &["ALTER TABLE c INHERIT p;", "ALTER TABLE d INHERIT p;"]);
    has_parts(&text, &["TABLE c (\n    id integer,\n    own text,\n    late integer,"]);
    assert_eq!(text.matches(") INHERITS (p)").count(), 1, "{text}");
}

#[test]
fn a_foreign_table_stays_one() {
    let text = round_trip(
        Dialect::Postgres,
        "CREATE FOREIGN TABLE remote (id int NOT NULL, server text) SERVER \"S 1\" OPTIONS (table_name 'r');
         CREATE TABLE p (id int, at date) PARTITION BY RANGE (at);
         CREATE FOREIGN TABLE q PARTITION OF p FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') SERVER s;
         CREATE TABLE own (server int);",
    );
    has_parts(&text, &["-- foreign: s q\n", "remote\n", "FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');"]);
    assert_eq!(text.matches("-- foreign: ").count(), 2, "{text}");
}
