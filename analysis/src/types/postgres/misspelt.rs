//! Misspelt names of functions.
//!
//! Extensions may be installed by hand rather than by a migration, so an unknown name is not necessarily wrong. It is
//! considered misspelt if it is close to the name of an existing function.

use super::arena::Ty;
use super::catalog::Catalog;
use super::functions::Called;
use super::session::Session;
use crate::types::TypeError;

/// Shorter names are too similar to each other.
const SHORTEST: usize = 4;

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
    /// Reports a call of an unknown function whose name must be misspelt.
    pub(super) fn misspelt(&mut self, call: &Called<'_>, args: &[Ty]) {
        let Some(similar) = self.similar_function(call, args) else { return };
        let name = call.name;
        self.refusal(TypeError {
            message: format!("no function `{name}` exists"),
            span: call.span,
            label: "no such function",
            help: format!("write `{similar}`, which exists"),
        });
    }

    /// The function that was probably meant.
    fn similar_function(&mut self, call: &Called<'_>, args: &[Ty]) -> Option<String> {
        let name = call.name;
        let catalog = &self.types.catalog;
        let is_unknown = !call.bare
            || !self.schema.gaps.is_empty()
            || catalog.unknown_extension
            || name.starts_with("pg_")
            || NEWER.contains(&name)
            || Catalog::is_of_any_extension(name)
            || self.schema.types.keys().any(|ty| ty.name == name)
            || self.schema.tables.keys().any(|table| table.name == name);
        // `field(row)` accesses a field, and `type(value)` is a cast.
        if is_unknown
            || self.types.builtin(name).is_some()
            || matches!(args, [only] if *only == Ty::OPAQUE || !self.types.info(*only).fields.is_empty())
        {
            return None;
        }
        let own = self.schema.functions.keys().map(|function| function.name.as_str());
        let all = self.types.catalog.callable().into_iter().chain(own);
        all.filter(|candidate| is_slip(name, candidate)).min().map(str::to_owned)
    }
}

/// Whether a name is another one with one letter missing, one too many, or two swapped. Other letters make other names:
/// `array_avg` is not a misspelt `array_agg`, nor `uuid_generate_v7` a misspelt `uuid_generate_v4`.
fn is_slip(name: &str, meant: &str) -> bool {
    let sorted = |name: &str| {
        let mut letters: Vec<char> = name.chars().collect();
        letters.sort_unstable();
        letters
    };
    let digits = |name: &str| name.chars().filter(char::is_ascii_digit).collect::<String>();
    name.len() >= SHORTEST
        && name.chars().next() == meant.chars().next()
        && strsim::osa_distance(name, meant) == 1
        && digits(name) == digits(meant)
        && (name.len() != meant.len() || sorted(name) == sorted(meant))
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};
    use crate::types::describe;

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
            (uuids, "uuid_generate_v7()", None),
            (uuids, "uuid_generatev4()", Some("uuid_generate_v4")),
            ("CREATE EXTENSION timescaledb;", "lowr('a')", None),
            ("DO $$ BEGIN EXECUTE 'CREATE FUNCTION ' || 'lowr()'; END $$;", "lowr('a')", None),
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
