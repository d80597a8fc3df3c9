//! The columns of the rows that a function in FROM is known to return.

use super::Resolver;
use super::rows::Element;
use crate::sql::dialect::Dialect;
use crate::sql::expr::Expr;
use crate::sql::functions;

impl Resolver<'_> {
    /// The columns of a function in FROM that goes by `alias`; `None` if they are unknown.
    pub(super) fn known_columns(&self, function: &str, args: &[Expr], alias: &str) -> Option<Vec<String>> {
        let built_in = functions::table_columns(function, args.len(), self.dialect, alias);
        if self.has_function(function) {
            // The call may be of the built-in function of this name.
            return self.declared(function, alias).filter(|_| built_in.is_none());
        }
        if self.dialect != Dialect::Postgres {
            return built_in;
        }
        match function {
            "unnest" => self.unnested(args, alias),
            "rows_from" => self.columns_of_several(args),
            _ if self.takes_type_of_first(function) => match self.row(args.first()?, 0) {
                Element::Row(names) => Some(names),
                Element::Scalar | Element::Unknown => None,
            },
            _ => built_in,
        }
    }

    /// The columns of `ROWS FROM (..)`: those of each function, where the only column of a function is named after it.
    fn columns_of_several(&self, calls: &[Expr]) -> Option<Vec<String>> {
        let mut all = Vec::new();
        for call in calls {
            let Expr::Call(call) = call else { return None };
            all.extend(self.known_columns(&call.name, &call.args, &call.name)?);
        }
        Some(all)
    }

    /// Whether a function of PostgreSQL returns rows of the type of its first argument.
    pub(super) fn takes_type_of_first(&self, function: &str) -> bool {
        self.dialect == Dialect::Postgres
            && !self.has_function(function)
            && matches!(
                function,
                "json_populate_record"
                    | "json_populate_recordset"
                    | "jsonb_populate_record"
                    | "jsonb_populate_recordset"
                    | "populate_record"
            )
    }
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};

    /// How many names of a query PostgreSQL does not find.
    fn unknown(sql: &str) -> usize {
        let mut replay = Replay::new(Dialect::Postgres);
        let ddl = "CREATE TABLE t (id int, name text); CREATE TYPE pair AS (a int, b text);
            CREATE FUNCTION pairs(int) RETURNS SETOF pair LANGUAGE sql AS 'SELECT $1, null::text';";
        replay.apply(ddl, "a.sql");
        resolve(sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses").problems.len()
    }

    #[test]
    fn rows_have_the_type_of_the_first_argument() {
        for from in ["jsonb_populate_recordset(NULL::t, $1)", "json_populate_record(null::public.t, $1)"] {
            assert_eq!(unknown(&format!("SELECT id, r.name FROM {from} r")), 0, "{from}");
            assert_eq!(unknown(&format!("SELECT r.a, b FROM {from} AS r (a, b)")), 0, "{from}");
            assert_eq!(unknown(&format!("SELECT nope FROM {from} r")), 1, "{from}");
            assert_eq!(unknown(&format!("SELECT r.id FROM {from} AS r (a, b)")), 1, "{from}");
        }
        assert_eq!(unknown("SELECT r.x FROM jsonb_populate_recordset(NULL::elsewhere.t, $1) r"), 0);
        assert_eq!(unknown("SELECT (jsonb_populate_record(NULL::pair, $1)).a"), 0);
        assert_eq!(unknown("SELECT (jsonb_populate_record(NULL::pair, $1)).c"), 1);
        assert_eq!(unknown("SELECT r.name FROM t, jsonb_populate_record(t, $1) r"), 0);
    }

    #[test]
    fn several_functions_side_by_side() {
        let from = "ROWS FROM (generate_series(1, 2), pairs(1), unnest($1::text[])) WITH ORDINALITY";
        assert_eq!(unknown(&format!("SELECT generate_series, a, b, unnest, ordinality FROM {from} r")), 0);
        assert_eq!(unknown(&format!("SELECT r.x, r.b, r.n FROM {from} AS r (x, y, b, z, n)")), 0);
        assert_eq!(unknown(&format!("SELECT r.c FROM {from} r")), 1);
        assert_eq!(unknown(&format!("SELECT a FROM {from} AS r (x, y)")), 1);
        let open = "ROWS FROM (json_to_recordset($1) AS (q int), generate_series(1, 2))";
        assert_eq!(unknown(&format!("SELECT q, g FROM {open} AS r (q, g)")), 0);
        assert_eq!(unknown("SELECT w.tokid, w.token FROM ts_parse('default', $1) w"), 0);
        assert_eq!(unknown("SELECT w.word FROM ts_parse('default', $1) w"), 1);
    }
}
