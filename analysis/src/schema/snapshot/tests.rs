//! Round trips: what is written reads back equal.

mod capitals;
mod classes;
mod followed;
mod untold;

use super::{read, write};
use crate::schema::model::Name;
use crate::schema::replay::Replay;
use crate::sql::Dialect;

#[track_caller]
fn has_parts(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[track_caller]
fn round_trip(dialect: Dialect, sql: &str) -> String {
    let mut replay = Replay::new(dialect);
    replay.apply(sql, "test.sql");
    assert_eq!(replay.problems, []);
    let text = write(&replay.schema, Some("00"));
    let snapshot = read(&text, "schema.sql", None);
    assert_eq!(snapshot.problems, [], "{text}");
    assert_eq!(snapshot.digest.as_deref(), Some("00"));
    assert_eq!(write(&snapshot.schema, Some("00")), text);
    text
}

#[test]
fn copies_keep_what_their_constraints_say() {
    let text = round_trip(
        Dialect::Postgres,
        "CREATE TABLE t (id serial PRIMARY KEY, r int4range, k int UNIQUE DEFERRABLE, EXCLUDE USING gist (r WITH &&));
         CREATE TABLE a_copy (LIKE t INCLUDING ALL);
         CREATE TABLE p (id int, d int) PARTITION BY RANGE (d);
         CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (2); CREATE INDEX p_d ON ONLY p (d);",
    );
    assert_eq!(text.matches("EXCLUDE USING gist (r WITH &&)").count(), 2, "{text}");
    assert_eq!(text.matches("DEFERRABLE").count(), 2, "{text}");
    assert!(text.contains("CREATE SEQUENCE t_id_seq;"), "the copy takes numbers from it too: {text}");
    assert!(text.contains("CREATE INDEX p_d ON ONLY p (d);"), "{text}");
}

#[test]
fn names_of_a_search_path() {
    let text = round_trip(
        Dialect::Postgres,
        "CREATE SCHEMA one; CREATE SCHEMA two; SET search_path TO one, public;
         CREATE TABLE t (id int, n int); CREATE VIEW v AS SELECT n FROM t;
         CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1'; CREATE INDEX t_f ON t (f(n));
         SET search_path = two; CREATE TABLE t (id int, m int); CREATE VIEW v AS SELECT m FROM t; RESET search_path;
         CREATE SCHEMA three CREATE TABLE x (n int) CREATE VIEW y AS SELECT n FROM x;",
    );
    for path in ["one, public", "two", "three"] {
        assert!(text.contains(&format!("SET search_path = {path};")), "{text}");
    }
}

#[test]
fn what_servers_of_mysql_keep_beside_a_table() {
    let text = round_trip(
        Dialect::MySql,
        "CREATE TABLE t (id int PRIMARY KEY, a int, UNIQUE KEY ua (a) INVISIBLE, KEY ka (a, id) IGNORED);
         CREATE TABLE v (id int PRIMARY KEY, s timestamp(6) GENERATED ALWAYS AS ROW START,
             e timestamp(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING;
         CREATE TABLE w (id int); ALTER TABLE w ADD SYSTEM VERSIONING;
         CREATE TABLE x (id int) WITH SYSTEM VERSIONING; ALTER TABLE x DROP SYSTEM VERSIONING;",
    );
    assert_eq!(text.matches("IGNORED").count(), 2, "{text}");
    assert!(text.contains("PERIOD FOR SYSTEM_TIME (`s`, `e`)"), "{text}");
    assert_eq!(text.matches("WITH SYSTEM VERSIONING").count(), 2, "{text}");
}

#[test]
fn a_small_postgres_schema() {
    let text = round_trip(
        Dialect::Postgres,
        "CREATE TYPE mood AS ENUM ('good', 'it''s bad');
         CREATE TABLE users (id BIGSERIAL PRIMARY KEY, \"Name\" VARCHAR(20) NOT NULL, mood mood DEFAULT 'good');
         CREATE UNIQUE INDEX ON users (lower(\"Name\") DESC) WHERE mood IS NOT NULL;
         CREATE TABLE posts (id INT GENERATED ALWAYS AS IDENTITY, author BIGINT REFERENCES users ON DELETE CASCADE);
         CREATE VIEW authors AS SELECT author FROM posts;",
    );
    assert!(text.contains("\nCREATE UNIQUE INDEX users_lower_idx ON users ((lower(\"Name\")) DESC) WHERE mood IS NOT NULL;\n"), "{text}");
    assert!(text.contains("\n    id bigserial NOT NULL,\n"), "{text}");
    assert!(
        text.contains(
            "ADD CONSTRAINT posts_author_fkey FOREIGN KEY (author) REFERENCES users (id) ON DELETE CASCADE;"
        ),
        "{text}"
    );
}

#[test]
fn a_small_sqlite_schema() {
    let text = round_trip(
        Dialect::Sqlite,
        "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, b TEXT DEFAULT (datetime('now')) UNIQUE);
         CREATE TABLE b (x, y TEXT, PRIMARY KEY (x, y)) WITHOUT ROWID;
         CREATE INDEX i ON a (b COLLATE NOCASE DESC) WHERE b IS NOT NULL;",
    );
    assert!(text.contains("id INTEGER PRIMARY KEY AUTOINCREMENT"), "{text}");
    assert!(text.contains("b TEXT DEFAULT (datetime('now'))"), "{text}");
}

#[test]
fn a_dump_holds_virtual_tables_and_those_of_their_data() {
    let text = round_trip(
        Dialect::Sqlite,
        "PRAGMA writable_schema=ON;
         INSERT INTO sqlite_master(type,name,tbl_name,rootpage,sql)VALUES('table','ft','ft',0,'CREATE VIRTUAL TABLE ft USING fts5(title, tokenize=''porter'')');
         CREATE TABLE 'ft_config'(k PRIMARY KEY, v) WITHOUT ROWID; CREATE TABLE 'ft_data'(id INTEGER PRIMARY KEY, block BLOB);
         CREATE TABLE ft_other (id INTEGER PRIMARY KEY); PRAGMA writable_schema=OFF;",
    );
    assert!(text.contains("CREATE VIRTUAL TABLE ft USING fts5(title, tokenize='porter');"), "{text}");
    assert!(text.contains("CREATE TABLE IF NOT EXISTS ft_data ("), "{text}");
    assert!(text.contains("CREATE TABLE ft_other ("), "{text}");
}

#[test]
fn a_small_mysql_schema() {
    let text = round_trip(
        Dialect::MySql,
        "CREATE TABLE `a` (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, b VARCHAR(300), KEY (b(10)), FULLTEXT KEY f (b));
         CREATE TABLE c (a_id BIGINT UNSIGNED, FOREIGN KEY (a_id) REFERENCES a (id));",
    );
    assert!(text.contains("KEY `b` (`b`(10))"), "{text}");
    assert!(text.contains("ADD CONSTRAINT `c_ibfk_1` FOREIGN KEY (`a_id`) REFERENCES `a` (`id`);"), "{text}");
}

#[test]
fn a_snapshot_cut_anywhere_is_noticed() {
    let text =
        round_trip(Dialect::Postgres, "CREATE TABLE a (b int); CREATE TABLE c (d text DEFAULT 'x y');");
    for end in super::HEAD.len()..text.len() - 1 {
        let cut = text.get(..end).expect("the text is ASCII");
        let snapshot = read(cut, "schema.sql", None);
        assert!(snapshot.broken.is_some(), "{cut}");
    }
}

#[test]
fn rows_gaps_and_unknown_tables_are_kept() {
    let mut replay = Replay::new(Dialect::Postgres);
    replay.apply(
        "CREATE TABLE s.a (b int); DO $$ BEGIN EXECUTE x; END $$; CREATE TABLE c AS SELECT 1;",
        "test.sql",
    );
    for table in replay.schema.tables.values_mut() {
        table.rows = Some(12);
    }
    let read = read(&write(&replay.schema, None), "schema.sql", None);
    assert_eq!(read.problems, []);
    assert_eq!(read.schema, replay.schema);
    assert_eq!(read.schema.gaps.len(), 1);
}

/// A name may contain anything, and no part of it becomes a statement of the snapshot.
#[test]
fn a_name_in_a_comment_stays_in_it() {
    let mut replay = Replay::new(Dialect::Postgres);
    replay.apply(
        "CREATE TABLE t (\"x y\" \"no\nsuch\"); SET search_path TO \"p, q\nDROP TABLE t;\", public;
         ALTER DATABASE d SET search_path TO \"p, q\nDROP TABLE t;\", public;",
        "test.sql",
    );
    replay.schema.tables.values_mut().for_each(|table| table.columns.iter_mut().for_each(|it| it.ty.clear()));
    let odd = Name::new("a\nCREATE TABLE evil (id int);\n--: b.c");
    replay.schema.opaque.insert(odd, "it is not known".to_owned());
    let text = write(&replay.schema, None);
    assert!(!text.contains("\nCREATE TABLE evil") && !text.contains("\nDROP"), "{text}");
    let read = read(&text, "schema.sql", None);
    assert_eq!(read.problems, []);
    assert_eq!(read.schema, replay.schema, "{text}");
}

/// An unclosed quote would swallow what follows: no database accepts it, and the snapshot leaves it out.
#[test]
fn a_statement_that_is_not_closed_is_not_understood() {
    for sql in [
        "CREATE DOMAIN email AS text CHECK (VALUE LIKE '%",
        "CREATE VIEW v AS SELECT (1",
        "CREATE VIEW v AS SELECT 1)",
        "CREATE INDEX i ON t ((lower(a)))}",
        "ALTER TABLE t ADD CHECK (a > $a$ b)",
        "DELIMITER //\nCREATE VIEW v AS SELECT 1; CREATE TABLE evil (a int) //",
    ] {
        let dialect = if sql.starts_with("DELIMITER") { Dialect::MySql } else { Dialect::Postgres };
        let mut replay = Replay::new(dialect);
        replay.apply("CREATE TABLE t (a text);", "test.sql");
        replay.apply(sql, "test.sql");
        assert_eq!(replay.problems.len(), 1, "{sql}");
        let text = write(&replay.schema, None);
        assert!(read(&text, "schema.sql", None).broken.is_none(), "{text}");
    }
}

#[test]
fn what_is_stored_with_a_definition() {
    let text = round_trip(
        Dialect::Postgres,
        "CREATE DOMAIN code AS text COLLATE \"C\" NOT NULL CHECK (VALUE <> '');
         CREATE TABLE t (id int GENERATED BY DEFAULT AS IDENTITY (START WITH 100 INCREMENT BY 5) PRIMARY KEY, c code);
         ALTER TABLE t SET (fillfactor = 90, autovacuum_enabled = false); ALTER TABLE t RESET (autovacuum_enabled);
         CREATE UNLOGGED TABLE u (t_id int, n int, m int) WITH (fillfactor = 70);
         ALTER TABLE u ADD CONSTRAINT u_t FOREIGN KEY (t_id) REFERENCES t DEFERRABLE NOT VALID;
         ALTER TABLE u ADD CONSTRAINT u_n CHECK (n > 0) NOT VALID; ALTER TABLE u ADD CONSTRAINT u_m CHECK (m > 0) NOT VALID;
         ALTER TABLE u VALIDATE CONSTRAINT u_m; CREATE TABLE l (id int); ALTER TABLE l SET UNLOGGED; ALTER TABLE l SET LOGGED;",
    );
    let parts = [
        "AS text COLLATE \"C\" NOT NULL",
        "AS IDENTITY (START WITH 100 INCREMENT BY 5)",
        ") WITH (fillfactor = 90);",
        "CREATE UNLOGGED TABLE u (",
        "REFERENCES t (id) DEFERRABLE NOT VALID;",
        "ALTER TABLE u ADD CONSTRAINT u_n CHECK (n > 0) NOT VALID;",
        "    CONSTRAINT u_m CHECK (m > 0)\n",
        "CREATE TABLE l (",
    ];
    has_parts(&text, &parts);
}

#[test]
fn parameters_are_stored_as_they_are_read() {
    let text = round_trip(
        Dialect::Postgres,
        "CREATE TABLE m (ts int, dev text, v int) WITH (FillFactor = 70 -- low
            , autovacuum_enabled = FALSE, toast.autovacuum_enabled, log_autovacuum_min_duration = -1);
         ALTER TABLE m SET (timescaledb.compress, timescaledb.compress_segmentby = 'dev',
             timescaledb.compress_orderby = 'ts DESC, v');
         CREATE TABLE n (id int) WITH (tsdb.chunk = 'A, B', fillfactor = 80 /* high */, o = 'A, \"b\"');",
    );
    let parts = [
        "WITH (autovacuum_enabled = false, fillfactor = 70, log_autovacuum_min_duration = -1, toast.autovacuum_enabled = true);",
        "WITH (fillfactor = 80, o = 'A, \"b\"');",
    ];
    has_parts(&text, &parts);
}

#[test]
fn options_of_an_identity_have_no_comments() {
    let text = round_trip(
        Dialect::Postgres,
        "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY (START WITH 100 -- first
             INCREMENT BY -5 /* down */));
         CREATE TABLE u (id int NOT NULL);
         ALTER TABLE u ALTER id ADD GENERATED ALWAYS AS IDENTITY ( -- here
             SEQUENCE NAME public.s);",
    );
    has_parts(
        &text,
        &["AS IDENTITY (START WITH 100 INCREMENT BY -5)", "AS IDENTITY (SEQUENCE NAME public.s)"],
    );
}

#[test]
fn constraints_that_are_not_valid_may_be_deferred() {
    let text = round_trip(
        Dialect::Postgres,
        "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (a int, b int, c int);
         ALTER TABLE u ADD CONSTRAINT u_a FOREIGN KEY (a) REFERENCES t NOT VALID DEFERRABLE INITIALLY DEFERRED;
         ALTER TABLE u ADD CONSTRAINT u_b FOREIGN KEY (b) REFERENCES t NOT VALID DEFERRABLE;
         ALTER TABLE u ADD CONSTRAINT u_c FOREIGN KEY (c) REFERENCES t NOT VALID NOT DEFERRABLE;",
    );
    let parts = [
        "REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED NOT VALID;",
        "REFERENCES t (id) DEFERRABLE NOT VALID;",
        "REFERENCES t (id) NOT VALID;",
    ];
    has_parts(&text, &parts);
}

#[test]
fn character_sets_are_those_of_the_table_unless_said_otherwise() {
    let text = round_trip(
        Dialect::MySql,
        "CREATE SEQUENCE s START WITH 100 INCREMENT BY 5;
         CREATE TABLE t (id int DEFAULT nextval(s), a varchar(5), b varchar(5) CHARACTER SET latin1, c text COLLATE utf8mb4_bin,
             h int INVISIBLE) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
         ALTER TABLE t ADD d char(3);
         CREATE TABLE u (a varchar(5), b varchar(5) CHARACTER SET latin1); ALTER TABLE u CONVERT TO CHARACTER SET utf8mb4;",
    );
    let parts = [
        "CREATE SEQUENCE `s` START WITH 100 INCREMENT BY 5;\n",
        "`a` varchar(5),\n    `b` varchar(5) CHARACTER SET latin1,\n    `c` text COLLATE utf8mb4_bin,\n    `h` int INVISIBLE,\n    `d` char(3)\n) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;",
        "CREATE TABLE `u` (\n    `a` varchar(5),\n    `b` varchar(5)\n) CHARACTER SET utf8mb4;",
    ];
    has_parts(&text, &parts);
}

#[test]
fn a_collation_brings_its_character_set() {
    let text = round_trip(
        Dialect::MySql,
        "CREATE TABLE t (id int PRIMARY KEY, a varchar(20)) DEFAULT CHARSET=utf8mb4; ALTER TABLE t COLLATE latin1_bin;
         CREATE TABLE u (a varchar(20)) DEFAULT CHARSET=utf8mb4; ALTER TABLE u COLLATE uca1400_ai_ci;
         CREATE TABLE w (a varchar(20)); ALTER TABLE w CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
         ALTER TABLE w MODIFY a varchar(30); ALTER TABLE w COLLATE latin1_general_ci;
         CREATE TABLE x LIKE w; CREATE TABLE y (LIKE t);",
    );
    let parts = [
        "`a` varchar(20) CHARACTER SET utf8mb4,\n    PRIMARY KEY (`id`)\n) CHARACTER SET latin1 COLLATE latin1_bin;",
        ") CHARACTER SET utf8mb4 COLLATE uca1400_ai_ci;",
        "TABLE `w` (\n    `a` varchar(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin\n) CHARACTER SET latin1 COLLATE latin1_general_ci;",
        "TABLE `x` (\n    `a` varchar(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin\n) CHARACTER SET latin1 COLLATE latin1_general_ci;",
    ];
    has_parts(&text, &parts);
    assert_eq!(text.matches("PRIMARY KEY (`id`)").count(), 2, "a copy has the keys, too: {text}");
}

#[test]
fn constraints_keep_how_they_match_and_whom_they_bind() {
    let text = round_trip(
        Dialect::Postgres,
        "CREATE TABLE p (a int, b int, PRIMARY KEY (a, b)); CREATE TABLE q (x int PRIMARY KEY);
         CREATE TABLE c (a int, b int, x int REFERENCES q MATCH FULL ON DELETE CASCADE, z int CHECK (z > 1) NO INHERIT,
             FOREIGN KEY (a, b) REFERENCES p MATCH FULL, CONSTRAINT s FOREIGN KEY (a, b) REFERENCES p ON DELETE SET NULL (b));
         ALTER TABLE c ADD CONSTRAINT k CHECK (a > 0) NO INHERIT NOT VALID; CREATE TABLE d (y int) INHERITS (c);",
    );
    let parts = [
        "REFERENCES q (x) MATCH FULL ON DELETE CASCADE;",
        "REFERENCES p (a, b) MATCH FULL;",
        "REFERENCES p (a, b) ON DELETE SET NULL (b);",
        "CONSTRAINT c_z_check CHECK (z > 1) NO INHERIT\n",
        "CHECK (a > 0) NO INHERIT NOT VALID;",
    ];
    has_parts(&text, &parts);
    assert_eq!(text.matches("CHECK").count(), 2, "they do not bind tables that inherit: {text}");
}

#[test]
fn sequences_of_identities_change() {
    let text = round_trip(
        Dialect::Postgres,
        "CREATE TABLE a (id int GENERATED BY DEFAULT AS IDENTITY (START WITH 10 INCREMENT BY 5), n int);
         ALTER TABLE a ALTER id SET GENERATED ALWAYS SET START WITH 100 RESTART, ALTER n SET STATISTICS 100;
         CREATE SEQUENCE s START 5 INCREMENT 2; ALTER SEQUENCE s RESTART WITH 9 START 7; ALTER SEQUENCE s RESTART;
         ALTER SEQUENCE s AS bigint NO MAXVALUE CACHE 3 OWNED BY a.n;",
    );
    has_parts(
        &text,
        &[
            "GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 5)",
            "CREATE SEQUENCE s AS bigint START WITH 7 INCREMENT BY 2 CACHE 3;",
        ],
    );
}

#[test]
fn tables_from_queries_have_the_types_that_both_sides_have() {
    let text = round_trip(
        Dialect::Postgres,
        "CREATE TABLE t (id int, v varchar(9), n numeric, r int4range, d daterange, s smallint);
         CREATE TABLE u AS SELECT id AS a, 'x' AS b, NULL AS c, 1 AS e FROM t UNION ALL SELECT n, v, id, 2 FROM t;
         CREATE TABLE w AS SELECT lower(r) AS a, upper(d) AS b, lower(v) AS c, avg(s) AS d, coalesce(id, n) AS e,
             coalesce(NULL, id) AS f FROM t GROUP BY r, d, v, id, n;",
    );
    has_parts(
        &text,
        &[
            "TABLE u (\n    a numeric,\n    b character varying,\n    c integer,\n    e integer\n)",
            "TABLE w (\n    a integer,\n    b date,\n    c text,\n    d numeric,\n    e numeric,\n    f integer\n)",
        ],
    );
    let text = round_trip(
        Dialect::MySql,
        "CREATE TABLE t (x varchar(9), y varchar(3) COLLATE utf8mb4_bin, z nvarchar(5)) CHARACTER SET latin1;
         CREATE TABLE u AS SELECT x, y FROM t;",
    );
    has_parts(
        &text,
        &[
            "TABLE `u` (\n    `x` varchar(9) CHARACTER SET latin1,\n    `y` varchar(3) COLLATE utf8mb4_bin\n)",
            "`z` varchar(5) CHARACTER SET utf8mb3",
        ],
    );
}

#[test]
fn bits_keep_their_length_and_domains_come_after_their_sequences() {
    let text = round_trip(
        Dialect::Postgres,
        "CREATE SEQUENCE s; CREATE DOMAIN d AS int DEFAULT nextval('s');
         CREATE TABLE t (a bit(8) DEFAULT '00000001', b bit(8) DEFAULT B'00000010', c varbit DEFAULT '101', d d);",
    );
    has_parts(
        &text,
        &[
            "CREATE SEQUENCE s;\nCREATE DOMAIN d",
            "a bit(8) DEFAULT '00000001'::\"bit\"",
            "b bit(8) DEFAULT '00000010'::\"bit\"",
            "c bit varying DEFAULT '101'::bit varying",
        ],
    );
}

#[test]
fn names_of_checks_of_domains_and_defaults_and_triggers_of_views_are_kept() {
    let text = round_trip(
        Dialect::Postgres,
        "CREATE DOMAIN a AS int CONSTRAINT pos CHECK (VALUE > 0) CONSTRAINT small CHECK (VALUE < 10);
         ALTER DOMAIN a DROP CONSTRAINT pos; ALTER DOMAIN a RENAME CONSTRAINT small TO tiny;
         CREATE DOMAIN b AS int CHECK (VALUE > 0) CHECK (VALUE < 10); ALTER DOMAIN b ADD CONSTRAINT x CHECK (VALUE <> 5);
         ALTER DOMAIN b ADD CHECK (VALUE <> 6); ALTER DOMAIN b DROP CONSTRAINT b_check;
         CREATE TABLE t (id int NOT NULL, n int); CREATE VIEW v AS SELECT id, n FROM t;
         ALTER VIEW v ALTER COLUMN id SET DEFAULT 7; ALTER TABLE v ALTER n SET DEFAULT 1; ALTER VIEW v ALTER n DROP DEFAULT;
         CREATE OR REPLACE VIEW v AS SELECT id, n FROM t WHERE n > 0;",
    );
    let parts = [
        "DOMAIN a AS integer CONSTRAINT tiny CHECK (value < 10);",
        "AS integer CONSTRAINT b_check1 CHECK (value < 10) CONSTRAINT x CHECK (value <> 5) CONSTRAINT b_check2 CHECK (value <> 6);",
        "\nALTER VIEW v ALTER COLUMN id SET DEFAULT 7;\n",
    ];
    has_parts(&text, &parts);
    assert!(!text.contains("ALTER COLUMN n"), "{text}");
    let text = round_trip(
        Dialect::Sqlite,
        "CREATE TABLE t (id int); CREATE VIEW v AS SELECT id FROM t;
         CREATE TRIGGER g INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (new.id); END;",
    );
    has_parts(&text, &["v: CREATE TRIGGER g INSTEAD OF INSERT ON v"]);
}

#[test]
fn a_table_may_inherit_from_several() {
    let text = round_trip(
        Dialect::Postgres,
        "CREATE TABLE z (y int PRIMARY KEY); CREATE TABLE p (x int); CREATE TABLE o (n int); CREATE TABLE b () INHERITS (p, z);
         CREATE TABLE c (n int); ALTER TABLE c INHERIT o; CREATE TABLE a (m int) INHERITS (b, o); ALTER TABLE a NO INHERIT o;
         CREATE TABLE d () INHERITS (z, p); ALTER TABLE z RENAME TO zz;",
    );
    has_parts(&text, &["INHERITS (p, zz)", "INHERITS (zz, p)", "INHERITS (o)", "INHERITS (b)"]);
    let mut replay = Replay::new(Dialect::Postgres);
    replay.apply(&text, "schema.sql");
    let heirs = |name: &str| replay.schema.children_of(&Name::new(name)).map(|table| table.name.name.clone());
    assert_eq!(heirs("zz").collect::<Vec<_>>(), ["b", "d"]);
    assert_eq!(heirs("o").collect::<Vec<_>>(), ["c"]);
}
