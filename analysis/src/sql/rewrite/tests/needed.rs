//! Each rewrite is still needed: without it the parser rejects or misreads its example. When an upgraded
//! parser learns a construct, these tests fail, and the rewrite can be removed.

use sqlparser::parser::Parser;

use super::super::query as rewritten;
use crate::sql::dialect::Dialect::{self, MySql, Postgres, Sqlite};
use crate::sql::text::LineIndex;
use crate::sql::tokenize::tokenize;
use crate::sql::{grammar, parameters};

/// Each rewrite with an example that the bare parser rejects or misreads.
const EXAMPLES: &[(&str, Dialect, &str)] = &[
    // Several dialects.
    ("row_lock", Postgres, "SELECT a FROM t FOR NO KEY UPDATE"),
    ("after_bare_select", Postgres, "INSERT INTO t (a) SELECT $1 ON CONFLICT DO NOTHING"),
    ("conflict_target", Postgres, "INSERT INTO t (a) VALUES (1) ON CONFLICT (lower(a)) DO NOTHING"),
    ("compound_subquery", Postgres, "SELECT a FROM t WHERE a IN ((SELECT 1) UNION SELECT 2)"),
    ("frame_exclusion", Postgres, "SELECT sum(a) OVER (ORDER BY a ROWS 1 PRECEDING EXCLUDE TIES) FROM t"),
    ("table_command", Postgres, "WITH r AS (TABLE t) SELECT a FROM r"),
    ("parts_of_columns", Postgres, "UPDATE t SET a[1].b = 1"),
    ("null_test", Postgres, "SELECT a FROM t WHERE a ISNULL"),
    ("is_of_other_databases", Postgres, "SELECT top.a FROM t top"),
    ("list_of_queries", Postgres, "SELECT a FROM t WHERE a IN ((SELECT 1), (SELECT 2))"),
    ("is_without_meaning", Sqlite, "SELECT lateral.a FROM t lateral"),
    ("is_target", MySql, "INSERT INTO local (a) VALUES (1)"),
    ("is_alias", Postgres, "SELECT a view FROM t"),
    ("joining_comma", MySql, "UPDATE t, u SET t.a = u.a"),
    ("opens_tables", MySql, "SELECT a FROM t JOIN (u, v) ON u.a = t.a"),
    ("opens_tables", Sqlite, "SELECT a FROM ((SELECT 1 AS a) s, u)"),
    ("continues_from", MySql, "SELECT a FROM t, (u, v) WHERE u.a = t.a"),
    // PostgreSQL.
    ("star", Postgres, "SELECT t.*::text FROM t"),
    ("star", Postgres, "SELECT t.* IS NULL FROM t"),
    ("typed_literal", Postgres, "SELECT nchar(3) 'abc' AS a"),
    ("only", Postgres, "SELECT a FROM ONLY t"),
    ("insert_columns", Postgres, "INSERT INTO t (a[1]) VALUES (1)"),
    ("overriding", Postgres, "INSERT INTO t (a) OVERRIDING SYSTEM VALUE VALUES (1)"),
    ("cursor_row", Postgres, "DELETE FROM t WHERE CURRENT OF c"),
    ("group_distinct", Postgres, "SELECT a FROM t GROUP BY DISTINCT a, ROLLUP (a)"),
    ("nested_sets", Postgres, "SELECT a FROM t GROUP BY GROUPING SETS (a, GROUPING SETS (b, ()))"),
    ("empty_list", Postgres, "SELECT a FROM t WHERE EXISTS (SELECT)"),
    ("descendants", Postgres, "SELECT a FROM u, t *"),
    ("rows_from", Postgres, "SELECT a FROM ROWS FROM (f(1), g(2)) AS t(a, b)"),
    (
        "recursion_order",
        Postgres,
        "WITH RECURSIVE t AS (SELECT 1 AS a) SEARCH DEPTH FIRST BY a SET b SELECT a FROM t",
    ),
    ("column_definitions", Postgres, "SELECT a FROM f(1) AS (a int, b text)"),
    ("join_alias", Postgres, "SELECT x.a FROM t JOIN u USING (a) AS x"),
    (
        "joined_source",
        Postgres,
        "MERGE INTO t USING u JOIN v ON v.a = u.a ON t.a = u.a WHEN MATCHED THEN DELETE",
    ),
    ("renamed", Postgres, "SELECT x.a FROM t JOIN u USING (a) AS x"),
    ("returned_rows", Postgres, "DELETE FROM t RETURNING WITH (OLD AS o) o.a"),
    (
        "default_row",
        Postgres,
        "MERGE INTO t USING u ON t.a = u.a WHEN NOT MATCHED THEN INSERT DEFAULT VALUES",
    ),
    ("symmetric", Postgres, "SELECT a FROM t WHERE a BETWEEN SYMMETRIC 2 AND 1"),
    ("variadic", Postgres, "SELECT f(VARIADIC a) FROM t"),
    ("substring_similar", Postgres, "SELECT substring(a SIMILAR 'b' ESCAPE '#') FROM t"),
    ("xml_name", Postgres, "SELECT xmlelement(NAME a, b) FROM t"),
    ("content", Postgres, "SELECT xmlserialize(CONTENT a AS text) FROM t"),
    ("whitespace", Postgres, "SELECT xmlparse(CONTENT a PRESERVE WHITESPACE) FROM t"),
    ("indented", Postgres, "SELECT xmlserialize(CONTENT a AS text INDENT) FROM t"),
    ("root_option", Postgres, "SELECT xmlroot(a, VERSION '1.0', STANDALONE YES) FROM t"),
    ("passed", Postgres, "SELECT xmlexists('//a' PASSING a) FROM t"),
    ("passed_by", Postgres, "SELECT xmlexists('//a' PASSING a BY REF) FROM t"),
    ("is_document", Postgres, "SELECT a IS NOT DOCUMENT FROM t"),
    ("trimmed_characters", Postgres, "SELECT trim(BOTH FROM a, 'x') FROM t"),
    ("substring_turned", Postgres, "SELECT substring(a FOR 2 FROM 1) FROM t"),
    ("prefix_operator", Postgres, "SELECT OPERATOR(pg_catalog.-) a FROM t"),
    ("named_before_any", Postgres, "SELECT a FROM t WHERE a OPERATOR(pg_catalog.=) ANY (b)"),
    ("any_of_values", Postgres, "SELECT a FROM t WHERE a = ANY (VALUES (1))"),
    ("any_of_operator", Postgres, "SELECT a FROM t WHERE a @> ANY (b)"),
    ("collated_cast", Postgres, "SELECT a FROM t ORDER BY a::text COLLATE \"C\""),
    ("collation_for", Postgres, "SELECT COLLATION FOR (a) FROM t"),
    ("frame_bound", Postgres, "SELECT sum(a) OVER (ORDER BY a RANGE '1 day'::interval PRECEDING) FROM t"),
    ("own_prefix", Postgres, "SELECT %% a FROM t"),
    ("bit_varying", Postgres, "SELECT $1::bit varying(3)"),
    ("trimmed_blanks", Postgres, "SELECT trim(LEADING FROM a) FROM t"),
    ("counted_rows", Postgres, "SELECT a FROM t FETCH FIRST (1 + 1) ROWS ONLY"),
    ("locked_rows", Postgres, "SELECT a FROM t FOR UPDATE FETCH FIRST 2 ROWS ONLY"),
    ("unicode_name", Postgres, "SELECT U&\"\\0061\" FROM t"),
    ("unicode_escape", Postgres, "SELECT U&'!0061' UESCAPE '!'"),
    ("normal_form", Postgres, "SELECT normalize(a, NFC) FROM t"),
    ("at_local", Postgres, "SELECT a AT LOCAL FROM t"),
    ("named_argument", Postgres, "SELECT f(a := 1)"),
    ("typed_literal", Postgres, "SELECT inet '10.0.0.1'"),
    // JSON.
    ("option", Postgres, "SELECT JSON_ARRAY(a FORMAT JSON) FROM t"),
    ("array_of_query", Postgres, "SELECT JSON_ARRAY(SELECT a FROM t)"),
    ("table", Postgres, "SELECT a FROM JSON_TABLE(b, '$' PASSING 1 AS x COLUMNS (a int)) t"),
    // MySQL.
    ("share_mode", MySql, "SELECT a FROM t LOCK IN SHARE MODE"),
    ("modulo", MySql, "SELECT a MOD 2 FROM t"),
    ("binary", MySql, "SELECT a FROM t WHERE BINARY a = ? AND b = ?"),
    ("match_columns", MySql, "SELECT a FROM t WHERE MATCH a, b AGAINST ('x')"),
    ("against", MySql, "SELECT a FROM t WHERE MATCH (a) AGAINST (CONCAT(?, 'x'))"),
    ("update", MySql, "UPDATE IGNORE t SET a = 1"),
    ("delete", MySql, "DELETE t.* FROM t JOIN u ON u.a = t.a"),
    ("deleted_rows", MySql, "DELETE FROM t ORDER BY a LIMIT 1 RETURNING a"),
    ("character_set", MySql, "SELECT CAST(a AS CHAR(3) CHARACTER SET utf8mb4) FROM t"),
    ("converted", MySql, "SELECT CHAR(65 USING utf8mb4)"),
    ("group_direction", MySql, "SELECT a FROM t GROUP BY a DESC"),
    ("interval_function", MySql, "SELECT INTERVAL(1, 2, 3)"),
    ("difference_unit", MySql, "SELECT TIMESTAMPDIFF(MINUTE, a, b) FROM t"),
    ("compound_unit", MySql, "SELECT EXTRACT(YEAR_MONTH FROM a) FROM t"),
    ("system_time", MySql, "SELECT a FROM t FOR SYSTEM_TIME ALL"),
    ("history", MySql, "DELETE HISTORY FROM t BEFORE SYSTEM_TIME '2020-01-01'"),
    ("into_client", MySql, "SELECT a FROM t INTO OUTFILE 'x'"),
    ("trimmed", MySql, "SELECT TRIM(BOTH FROM a) FROM t"),
    ("middle", MySql, "SELECT MID(a FROM 2) FROM t"),
    ("cached", MySql, "SELECT SQL_CACHE DISTINCT a FROM t"),
    ("dynamic", MySql, "SELECT COLUMN_GET(a, 'b' AS INT) FROM t"),
    ("portion", MySql, "DELETE FROM t FOR PORTION OF p FROM '2024-01-01' TO '2024-02-01'"),
    ("affinity", Sqlite, "SELECT CAST(a AS big odd int) FROM t"),
    ("json_value", MySql, "SELECT JSON_VALUE(a, '$' RETURNING UNSIGNED DEFAULT 0 ON EMPTY) FROM t"),
    ("sequence_value", MySql, "SELECT NEXT VALUE FOR s"),
    ("sequence_call", MySql, "SELECT NEXTVAL(s)"),
    ("target_partitions", MySql, "INSERT INTO t PARTITION (p) (a) VALUES (1)"),
    ("concatenated", MySql, "SELECT GROUP_CONCAT(a SEPARATOR ',' LIMIT 1, 2) FROM t"),
    ("cycle", MySql, "WITH RECURSIVE r AS (SELECT 1 AS a) CYCLE a RESTRICT SELECT a FROM r"),
    ("weighed", MySql, "SELECT WEIGHT_STRING(a AS CHAR(3)) FROM t"),
    ("from_end", MySql, "SELECT NTH_VALUE(a, 2) FROM FIRST OVER (ORDER BY a) FROM t"),
    ("escape_sequence", MySql, "SELECT a FROM { OJ t LEFT JOIN u ON u.a = t.a }"),
    ("all_rows", MySql, "SELECT a FROM t LIMIT ALL"),
    ("cast_from_zone", MySql, "SELECT CAST(a AT TIME ZONE '+00:00' AS DATETIME) FROM t"),
    ("assigned", MySql, "UPDATE t SET a := 1"),
    // SQLite.
    ("index_hint", Sqlite, "SELECT a FROM t NOT INDEXED WHERE a = 1"),
    ("on_conflict", Sqlite, "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO NOTHING ON CONFLICT DO NOTHING"),
    ("negated_glob", Sqlite, "SELECT a FROM t WHERE a NOT GLOB 'x'"),
    ("is_value", Sqlite, "SELECT a FROM t WHERE a IS 1"),
    ("collated_list", Sqlite, "SELECT a FROM t WHERE a IN ('x') COLLATE NOCASE"),
    ("in_table", Sqlite, "SELECT a FROM t WHERE a IN u"),
    ("materialized", Sqlite, "WITH r AS NOT MATERIALIZED (SELECT 1 AS a) SELECT a FROM r"),
];

/// The result of parsing a text, with or without rewrites.
fn parsed(sql: &str, dialect: Dialect, rewrites: bool) -> Option<String> {
    let mut tokens = tokenize(sql, dialect, &LineIndex::new(sql)).ok()?;
    parameters::number(&mut tokens, dialect);
    let tokens = if rewrites { rewritten(tokens, dialect).tokens } else { tokens };
    let statements =
        Parser::new(grammar::of(dialect)).with_tokens_with_locations(tokens).parse_statements().ok()?;
    Some(statements.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

#[test]
fn the_bare_parser_does_not_do() {
    for (rewrite, dialect, sql) in EXAMPLES {
        let with = parsed(sql, *dialect, true);
        assert!(with.is_some(), "{rewrite}: its example does not parse: {sql}");
        assert_ne!(parsed(sql, *dialect, false), with, "{rewrite} is not needed any more: {sql}");
    }
}

#[test]
fn every_rewrite_has_an_example() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sql/rewrite");
    let files = std::fs::read_dir(folder).expect("the folder").map(|file| file.expect("a file").path());
    let files: Vec<String> = files.filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    let made = files.iter().flat_map(|file| file.lines()).filter_map(|line| {
        let name = line.strip_prefix("pub(super) ").unwrap_or(line).strip_prefix("fn ")?.split('(').next()?;
        (line.contains("(r: &mut Rewriter") && line.ends_with("-> bool {")).then_some(name)
    });
    let missing: Vec<&str> =
        made.filter(|made| *made != "word" && !EXAMPLES.iter().any(|(name, ..)| name == made)).collect();
    assert_eq!(missing, [""; 0], "these rewrites have no example: add one to `EXAMPLES`");
}
