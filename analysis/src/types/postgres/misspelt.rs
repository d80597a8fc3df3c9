//! Misspelt names of functions.
//!
//! Extensions may be installed by hand rather than by a migration, so an unknown name is not necessarily wrong. It is
//! considered misspelt if it is close to the name of an existing function.

use super::arena::Ty;
use super::catalog::Catalog;
use super::functions::Called;
use super::session::Session;
use crate::types::TypeError;
use crate::types::slip::is_slip;

/// Functions of servers newer than the catalog, and functions that exist as syntax only.
const NEWER: [&str; 40] = [
    "any_value",
    "array_reverse",
    "array_sample",
    "array_shuffle",
    "array_sort",
    "casefold",
    "crc32",
    "crc32c",
    "date_add",
    "date_subtract",
    "erf",
    "erfc",
    "gamma",
    "icu_unicode_version",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "lgamma",
    "merge_action",
    "random_normal",
    "to_bin",
    "to_oct",
    "to_regtypemod",
    "unicode_assigned",
    "unicode_version",
    "uuid_extract_timestamp",
    "uuid_extract_version",
    "uuidv4",
    "uuidv7",
    "xmlconcat",
    "xmlelement",
    "xmlforest",
    "xmltext",
];

impl Session<'_> {
    /// Reports a call of an unknown function whose name must be misspelt, or is that of another database.
    pub(super) fn misspelt(&mut self, call: &Called<'_>, args: &[Ty]) {
        if self.may_exist(call, args) {
            return;
        }
        let name = call.name;
        let help = match instead_of(name) {
            Some(instead) => format!("write {instead} in PostgreSQL"),
            None => match self.similar_function(name) {
                Some(similar) => format!("write `{similar}`, which exists"),
                None => return,
            },
        };
        let message = format!("no function `{name}` exists");
        self.refusal(TypeError { message, span: call.span, label: "no such function", help });
    }

    /// Whether an unknown function may exist.
    fn may_exist(&mut self, call: &Called<'_>, args: &[Ty]) -> bool {
        let name = call.name;
        let catalog = &self.types.catalog;
        // `field(row)` is a field of the row.
        let mut columns = self.query.relations.iter().filter_map(|relation| relation.columns.as_ref());
        let is_of_row = matches!(args, [only] if *only != Ty::UNKNOWN);
        let is_unknown = is_of_row && columns.any(|columns| columns.iter().any(|column| column.name == name))
            || !call.bare
            || !self.schema.gaps.is_empty()
            || catalog.unknown_extension
            || name.starts_with("pg_")
            || NEWER.contains(&name)
            || Catalog::is_of_any_extension(name)
            || self.schema.types.keys().any(|ty| ty.name == name)
            || self.schema.tables.keys().any(|table| table.name == name);
        // `field(row)` accesses a field, and `type(value)` is a cast.
        is_unknown
            || self.types.builtin(name).is_some()
            || matches!(args, [only] if *only == Ty::OPAQUE || !self.types.info(*only).fields.is_empty())
    }

    /// The function that was probably meant.
    fn similar_function(&mut self, name: &str) -> Option<String> {
        let own = self.schema.functions.keys().map(|function| function.name.as_str());
        let all = self.types.catalog.callable().into_iter().chain(own);
        all.filter(|candidate| is_slip(name, candidate)).min().map(str::to_owned)
    }
}

/// What PostgreSQL has instead of a function of MySQL, SQLite, SQL Server or Oracle.
fn instead_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "ifnull" | "nvl" => "`coalesce(a, b)`",
        "isnull" => "`a IS NULL`, or `coalesce(a, b)`",
        "if" | "iif" => "`CASE WHEN a THEN b ELSE c END`",
        "group_concat" => "`string_agg(a, ',')`",
        "len" => "`length(a)`",
        "getdate" | "sysdate" => "`now()`",
        "curdate" => "`current_date`",
        "curtime" => "`current_time`",
        "unix_timestamp" => "`extract(epoch FROM a)`",
        "from_unixtime" => "`to_timestamp(a)`",
        "date_format" | "strftime" => "`to_char(a, 'YYYY-MM-DD')`",
        "datediff" => "`a - b`",
        "date_sub" => "`a - interval '1 day'`",
        "year" | "month" | "hour" | "minute" => "`extract(year FROM a)` and the like",
        "julianday" => "`to_char(a, 'J')`",
        "json_extract" => "`a -> 'key'`, or `a #> '{key}'`",
        "json_unquote" => "`a ->> 'key'`",
        "last_insert_id" | "last_insert_rowid" => "`INSERT .. RETURNING id`",
        "rand" => "`random()`",
        "instr" | "charindex" | "locate" => "`strpos(a, b)`",
        "substring_index" => "`split_part(a, b, 1)`",
        "newid" => "`gen_random_uuid()`",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};
    use crate::types::describe;

    /// As PostgreSQL answers.
    #[test]
    fn functions_of_other_databases_and_wrong_numbers_of_arguments() {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(
            "CREATE TABLE t (id int, s text);
             CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1';
             CREATE FUNCTION g(a int, b int DEFAULT 2) RETURNS int LANGUAGE sql AS 'SELECT 1';
             CREATE FUNCTION h(a int, b text DEFAULT 'x,y') RETURNS int LANGUAGE sql AS 'SELECT 1';
             CREATE FUNCTION v(VARIADIC a int[]) RETURNS int LANGUAGE sql AS 'SELECT 1';",
            "",
        );
        for (call, refused) in [
            ("ifnull(s, 'x')", true),
            ("group_concat(s)", true),
            ("date_format(now(), 'x')", true),
            ("f(1, 2)", true),
            ("f()", true),
            ("g()", true),
            ("f(1)", false),
            ("g(1)", false),
            ("g(1, 3)", false),
            ("g(a => 1, b => 4)", false),
            ("h(1)", false),
            ("v(1, 2, 3)", false),
            ("f($1)", false),
        ] {
            let sql = format!("SELECT {call} FROM t");
            let query = resolve(&sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
            let errors = describe(&query, &replay.schema, Dialect::Postgres).errors;
            assert_eq!(!errors.is_empty(), refused, "{sql}: {errors:?}");
        }
    }

    #[test]
    fn a_slip_in_the_name_of_a_function_is_told() {
        let base = "CREATE TABLE t (id bigint, lowr text);
            CREATE FUNCTION total_of(a bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1';";
        let uuids = "CREATE EXTENSION \"uuid-ossp\";";
        for (more, call, similar) in [
            ("", "lowr('a')", Some("lower")),
            ("", "lowr($1, id)", Some("lower")),
            ("", "upperr(lowr)", Some("upper")),
            ("", "colaesce_all(id)", None),
            ("", "jsonb_aggg(id)", Some("jsonb_agg")),
            ("", "date_trnc('day', now())", Some("date_trunc")),
            ("", "json_set(lowr, '{}', 'a')", Some("jsonb_set")),
            ("", "cuont(id)", Some("count")),
            ("", "totl_of(id)", Some("total_of")),
            ("", "total_off(id)", Some("total_of")),
            // In a schema, of a newer server, a field of a row, of an extension that may be installed.
            ("", "app.lowr('a')", None),
            ("", "json_objectagg(id)", None),
            ("", "lowr(t)", None),
            ("", "uuid_generate_v4()", None),
            ("", "similarit('a', 'b')", None),
            ("", "time_bucket('1 day', now())", None),
            // Functions that somebody may have created by hand.
            ("", "array_avg(id)", None),
            ("", "array_min(id)", None),
            ("", "rate(id)", None),
            ("", "pop(id)", None),
            (
                "CREATE FUNCTION ifnull(a bigint, b bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1';",
                "ifnull(id, 0)",
                None,
            ),
            (uuids, "uuid_generate_v7()", None),
            (uuids, "uuid_generatev4()", Some("uuid_generate_v4")),
            ("CREATE EXTENSION timescaledb;", "lowr('a')", None),
            ("DO $$ BEGIN EXECUTE 'CREATE FUNCTION ' || current_setting('a.b'); END $$;", "lowr('a')", None),
            ("CREATE DOMAIN lowe AS text;", "lowe('a')", None),
        ] {
            let mut replay = Replay::new(Dialect::Postgres);
            replay.apply(&format!("{base}{more}"), "");
            let sql = format!("SELECT {call} FROM t");
            let query = resolve(&sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
            let errors = describe(&query, &replay.schema, Dialect::Postgres).errors;
            let help = similar.map(|similar| format!("write `{similar}`, which exists"));
            assert_eq!(errors.first().map(|error| error.help.clone()), help, "{sql}: {errors:?}");
        }
    }
}
