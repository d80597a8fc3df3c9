//! Tests of what MySQL and MariaDB alone say in DDL.

use super::*;
use crate::schema::Column;

/// Checks the tables, each with its columns, its primary key, and its other indexes with their methods.
#[track_caller]
fn check(sql: &str, expected: &[&str]) {
    let mut replay = Replay::new(Dialect::MySql);
    replay.apply(sql, "a.sql");
    assert_eq!(replay.problems, [], "{sql}");
    let tables = replay.schema.tables.values().map(|table| {
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let others = table.indexes.iter().filter(|index| !index.primary);
        let others: Vec<String> = others
            .map(|index| {
                let keys: Vec<&str> = index.keys.iter().filter_map(|key| key.as_column()).collect();
                let unique = if index.unique { " unique" } else { "" };
                let hidden = if index.hidden { " hidden" } else { "" };
                format!("{} {} ({}){unique}{hidden}", index.name, index.method, keys.join(", "))
            })
            .collect();
        let key = table.primary_key.join(", ");
        format!("{}: {}; {key}; {}", table.name, columns.join(", "), others.join(", "))
    });
    assert_eq!(tables.collect::<Vec<_>>(), expected, "{sql}");
}

const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY, a int, b int);";

#[test]
fn an_index_may_take_the_place_of_another() {
    let index = "CREATE INDEX ix ON t (a); CREATE OR REPLACE";
    check(&format!("{TABLE} {index} INDEX ix ON t (b);"), &["t: id, a, b; id; ix btree (b)"]);
    check(&format!("{TABLE} {index} UNIQUE INDEX ix ON t (b);"), &["t: id, a, b; id; ix btree (b) unique"]);
    check(&format!("{TABLE} {index} INDEX i2 ON t (b);"), &["t: id, a, b; id; ix btree (a), i2 btree (b)"]);
}

#[test]
fn the_primary_key_is_dropped_by_its_name() {
    for drop in [
        "ALTER TABLE t DROP CONSTRAINT `PRIMARY`",
        "ALTER TABLE t DROP INDEX `PRIMARY`",
        "ALTER TABLE t DROP KEY `primary`",
        "DROP INDEX `PRIMARY` ON t",
    ] {
        check(&format!("{TABLE} {drop};"), &["t: id, a, b; ; "]);
    }
}

#[test]
fn hash_indexes_are_those_of_tables_in_memory() {
    check("CREATE TABLE t (a int, KEY ta (a) USING HASH)", &["t: a; ; ta btree (a)"]);
    check("CREATE TABLE t (a int, KEY ta USING HASH (a)) ENGINE=MEMORY", &["t: a; ; ta hash (a)"]);
    check(&format!("{TABLE} CREATE INDEX ta USING HASH ON t (a);"), &["t: id, a, b; id; ta btree (a)"]);
    check(&format!("{TABLE} CREATE INDEX ta ON t (a) USING HASH;"), &["t: id, a, b; id; ta btree (a)"]);
}

#[test]
fn a_temporary_table_is_dropped_alone() {
    let kept = ["t: id, a, b; id; "];
    check(&format!("{TABLE} DROP TEMPORARY TABLE IF EXISTS t;"), &kept);
    check(&format!("{TABLE} CREATE TEMPORARY TABLE x (id int); DROP TEMPORARY TABLE IF EXISTS x, t;"), &kept);
    check(&format!("{TABLE} DROP TABLE t;"), &[]);
}

#[test]
fn a_statement_is_run_with_settings() {
    check("SET STATEMENT max_statement_time=100 FOR CREATE TABLE t (a int)", &["t: a; ; "]);
    check(
        &format!("{TABLE} SET STATEMENT a = 5, b = (1 + 2) FOR ALTER TABLE t ADD KEY ka (a);"),
        &["t: id, a, b; id; ka btree (a)"],
    );
    check(&format!("{TABLE} SET STATEMENT a = 5 FOR SELECT 1;"), &["t: id, a, b; id; "]);
}

#[test]
fn an_index_is_ignored_until_it_is_not() {
    let index = "CREATE INDEX ta ON t (a) IGNORED;";
    check(&format!("{TABLE} {index}"), &["t: id, a, b; id; ta btree (a) hidden"]);
    for alter in ["ALTER KEY IF EXISTS ta NOT IGNORED", "ALTER INDEX ta NOT IGNORED"] {
        check(&format!("{TABLE} {index} ALTER TABLE t {alter};"), &["t: id, a, b; id; ta btree (a)"]);
    }
}

#[test]
fn procedures_are_called_and_compound_statements_run_alone() {
    let procedure =
        "DELIMITER //\nCREATE PROCEDURE x()\nBEGIN\n ALTER TABLE t ADD KEY ka (a);\nEND//\nDELIMITER ;\n";
    let made = ["t: id, a, b; id; ka btree (a)"];
    check(&format!("{TABLE}\n{procedure}CALL x;"), &made);
    check(&format!("{TABLE}\n{procedure}CALL x();"), &made);
    let alone = "DELIMITER $$\nIF 1 = 1 THEN CREATE INDEX ka ON t (a); END IF$$\nDELIMITER ;\n";
    check(&format!("{TABLE}\n{alone}"), &made);
    let handled = "DELIMITER //\nCREATE PROCEDURE x()\nBEGIN\n DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN END;\n \
        ALTER TABLE t ADD KEY ka (a);\n ALTER TABLE nope ADD z int;\n ALTER TABLE t DROP KEY ka;\nEND//\nDELIMITER ;\n";
    let mut replay = Replay::new(Dialect::MySql);
    replay.apply(&format!("{TABLE}\n{handled}CALL x();"), "a.sql");
    assert!(replay.schema.tables[&Name::new("t")].indexes.iter().any(|index| index.name == "ka"));
    assert_eq!(replay.schema.gaps.len(), 2);
}

/// A unique index goes by its own name where the constraint has another.
#[test]
fn an_index_of_a_named_constraint_has_its_own_name() {
    let named = "CREATE TABLE t (a int, b int, CONSTRAINT c UNIQUE KEY k (a, b))";
    check(named, &["t: a, b; ; k btree (a, b) unique"]);
    check("CREATE TABLE t (a int, CONSTRAINT c UNIQUE (a))", &["t: a; ; c btree (a) unique"]);
}

/// As MariaDB stores them; MySQL does as far as both describe expressions alike.
#[test]
fn a_table_made_from_a_query_has_the_types_of_its_values() {
    let mut replay = Replay::new(Dialect::MySql);
    let table = "CREATE TABLE t (id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, name varchar(40) NOT NULL DEFAULT 'x',
            amount decimal(10,2), at datetime(3), big bigint NOT NULL);";
    let query = "CREATE TABLE u AS SELECT t.id, t.name, count(*) AS n, sum(t.amount) AS total, max(t.at) AS last, o.name AS other,
            CAST(t.name AS SIGNED) AS s, CAST(t.name AS CHAR(10)) AS c, 1.5 AS d, NULL AS nothing, t.id > 5 AS e, now() AS now,
            -t.big AS minus FROM t LEFT JOIN t o ON o.id = t.id GROUP BY t.id;
        CREATE TABLE v AS SELECT id FROM t UNION SELECT big FROM t;";
    replay.apply(&format!("{table} {query}"), "a.sql");
    assert_eq!(replay.problems, []);
    let of = |name: &str| {
        let table = replay.schema.table(None, name).expect("the table");
        let column = |column: &Column| {
            let not_null = if column.not_null { " not null" } else { "" };
            let default = column.default.as_ref().map(|default| format!(" = {default}"));
            format!("{} {}{not_null}{}", column.name, column.ty, default.unwrap_or_default())
        };
        table.columns.iter().map(column).collect::<Vec<_>>()
    };
    assert_eq!(
        of("u"),
        [
            "id int unsigned not null = 0",
            "name varchar(40) not null = 'x'",
            "n bigint not null",
            "total decimal(32,2)",
            "last datetime(3)",
            "other varchar(40) = 'x'",
            "s bigint not null",
            "c varchar(10)",
            "d decimal(2,1) not null",
            "nothing binary(0)",
            "e bigint not null",
            "now datetime not null",
            "minus bigint not null"
        ]
    );
    assert_eq!(of("v"), ["id decimal(19,0) not null"]);
}
