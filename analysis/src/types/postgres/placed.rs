//! Aggregates and window functions where the server refuses them, and other functions called as if they were some.

use super::session::Session;
use crate::sql::expr::{Call, ColumnRef, Expr};
use crate::sql::query::BlockId;
use crate::types::TypeError;

impl Session<'_> {
    /// Reports an aggregate of this block, or a call over a window, in a clause of single rows; an aggregate that can
    /// belong to a query around this one is not reported.
    pub(super) fn check_rows(&mut self, expr: &Expr, block: BlockId, clause: &str) {
        let found = self.find(&[expr], |session, call| !call.window && session.is_aggregate_of(call, block));
        if let Some(call) = found {
            let test = clause == "WHERE";
            let does = if test { "tests" } else { "is about" };
            let help = if test {
                "move the condition to HAVING, or compute the aggregate in a subquery"
            } else {
                "compute the aggregate in a subquery"
            };
            let message = format!("`{}` is an aggregate, and {clause} {does} single rows", call.name);
            self.misplaced(call, message, help);
        }
        self.check_windows(expr, clause);
    }

    /// Reports a call over a window in a clause that the server evaluates before there are windows.
    pub(super) fn check_windows(&mut self, expr: &Expr, clause: &str) {
        if let Some(call) = self.find(&[expr], |_, call| call.window) {
            let message = format!("`{}` is called over a window, and {clause} has none", call.name);
            self.misplaced(call, message, "call it in the SELECT list of a subquery");
        }
    }

    /// Reports an aggregate or a call over a window inside of one, and a function that is called as another kind.
    pub(super) fn check_call(&mut self, call: &Call) {
        let Some(&block) = self.path.last() else { return };
        let kind = self.kind(call);
        let is_aggregate = !call.window && kind == Some(b'a');
        if is_aggregate || call.window {
            let parts: Vec<&Expr> = call.args.iter().chain(&call.modifiers).collect();
            let inner = self.find(&parts, |session, inner| {
                inner.window || is_aggregate && session.is_aggregate_of(inner, block)
            });
            if let Some(inner) = inner {
                let message =
                    format!("`{}` is inside of `{}`, which takes values of rows", inner.name, call.name);
                self.misplaced(inner, message, "compute the inner one in a subquery");
            }
        }
        let wrong = if kind == Some(b'w') && !call.window {
            Some(("is a window function, and has no OVER", "write `OVER (..)` after it"))
        } else if kind == Some(b'f') && (call.window || call.distinct || call.filter.is_some()) {
            Some(("is not an aggregate, and has OVER, DISTINCT or FILTER", "leave that out"))
        } else {
            None
        };
        if let Some((what, help)) = wrong {
            self.misplaced(call, format!("`{}` {what}", call.name), help);
        }
    }

    /// Reports an aggregate of this block among expressions.
    pub(super) fn check_rows_of(&mut self, exprs: &[&Expr], block: BlockId, clause: &str) {
        let found = self.find(exprs, |session, call| !call.window && session.is_aggregate_of(call, block));
        if let Some(call) = found {
            let message = format!("`{}` is an aggregate, and {clause} has none", call.name);
            self.misplaced(call, message, "compute it in the query that reads the recursive one");
        }
    }

    /// Reports an aggregate with DISTINCT whose ORDER BY begins with, or has, a column that it is not given.
    pub(super) fn check_distinct_order(&mut self, call: &Call) {
        if !call.distinct || call.window || self.kind(call) != Some(b'a') {
            return;
        }
        let keys = call.modifiers.iter().enumerate().filter(|(at, _)| Some(*at) != call.filter);
        let names: Vec<&str> = call.args.iter().filter_map(bare_column).collect();
        for (_, key) in keys {
            // A column under another name may be the same one: two of a join, or one in a query.
            let Expr::Column(column) = key else { continue };
            if !names.contains(&column.name.as_str()) {
                let name = &column.name;
                return self.refusal(TypeError {
                    message: format!(
                        "`{}` has DISTINCT, and is ordered by `{name}`, which it is not given",
                        call.name
                    ),
                    span: column.span,
                    label: "not one of its arguments",
                    help: "order by an argument, or leave out DISTINCT".to_owned(),
                });
            }
        }
    }

    /// Reports a function that returns several rows in a clause that takes one value for each row.
    pub(super) fn check_sets(&mut self, expr: &Expr, clause: &str) {
        let found = self.find(&[expr], |session, call| session.is_set_returning(call));
        if let Some(call) = found {
            let message = format!("`{}` returns several rows, and {clause} takes one value", call.name);
            self.misplaced(call, message, "call it in FROM");
        }
    }

    /// Whether all functions with the name of a call are built in and return sets.
    fn is_set_returning(&self, call: &Call) -> bool {
        let lines = self.types.catalog.lines('f', &call.name);
        let is_set =
            |line: &&str| line.split(' ').nth(2).is_some_and(|flags| flags.as_bytes().get(1) == Some(&b'r'));
        !lines.is_empty() && lines.iter().all(is_set) && self.kind(call).is_some()
    }

    /// The first call of some kind among expressions of the user's own text, not inside of a subquery.
    fn find<'e>(&self, exprs: &[&'e Expr], is_wanted: impl Fn(&Self, &Call) -> bool) -> Option<&'e Call> {
        if self.in_view > 0 {
            return None;
        }
        exprs.iter().find_map(|expr| expr.first_call(|call| is_wanted(self, call)))
    }

    fn misplaced(&mut self, call: &Call, message: String, help: &str) {
        self.refusal(TypeError {
            message,
            span: call.span,
            label: "not allowed here",
            help: help.to_owned(),
        });
    }

    /// Whether a call is of a built-in aggregate over rows of this block.
    fn is_aggregate_of(&self, call: &Call, block: BlockId) -> bool {
        let given = || call.args.iter().chain(&call.modifiers);
        let columns = given().flat_map(Expr::columns).collect::<Vec<_>>();
        let is_here =
            |column: &&ColumnRef| column.relation.is_some_and(|id| self.query.relation(id).block == block);
        (given().next().is_none() || columns.iter().any(is_here)) && self.kind(call) == Some(b'a')
    }

    /// The kind of all functions with the name of a call, as the catalog's letter, if they are built in and of one kind.
    pub(super) fn kind(&self, call: &Call) -> Option<u8> {
        let lines = self.types.catalog.lines('f', &call.name);
        let mut kinds = lines.iter().map(|line| line.bytes().next());
        let first = kinds.next().flatten()?;
        let is_one = kinds.all(|kind| kind == Some(first));
        (call.may_be_built_in() && is_one && self.schema.functions_named(&call.name).next().is_none())
            .then_some(first)
    }
}

/// The name of a column, without casts and collations.
fn bare_column(expr: &Expr) -> Option<&str> {
    let mut expr = expr;
    loop {
        expr = match expr {
            Expr::Column(column) => return Some(&column.name),
            Expr::Cast { expr, .. } | Expr::Collate { expr, .. } => expr,
            _ => return None,
        };
    }
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};
    use crate::types::describe;

    /// As PostgreSQL 15 takes and refuses them.
    #[test]
    fn aggregates_and_windows_have_their_places() {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(
            "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL, ok bool); CREATE TABLE s (t_id int, x int);
             CREATE FUNCTION row_number(int) RETURNS int LANGUAGE sql AS 'SELECT 1';",
            "",
        );
        let parts = |sql: &str, errors: bool| {
            let query = resolve(sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
            let found = describe(&query, &replay.schema, Dialect::Postgres).errors;
            assert_eq!(!found.is_empty(), errors, "{sql}: {found:?}");
        };
        for refused in [
            "SELECT count(*) FILTER (WHERE n) FROM t",
            "SELECT sum(n) FILTER (WHERE 1) OVER () FROM t",
            "SELECT id FROM t WHERE sum(n) > 1",
            "SELECT id FROM t WHERE rank() OVER (ORDER BY n) = 1",
            "SELECT n FROM t GROUP BY n HAVING lag(n) OVER () = 1",
            "SELECT 1 FROM t GROUP BY rank() OVER (ORDER BY n)",
            "SELECT sum(count(*)) FROM t",
            "SELECT max(n + sum(id)) FROM t GROUP BY n",
            "SELECT array_agg(n ORDER BY max(id)) FROM t",
            "SELECT count(*) FILTER (WHERE max(n) > 1) FROM t",
            "SELECT sum(rank() OVER (ORDER BY n)) FROM t",
            "SELECT rank() OVER (ORDER BY lag(n) OVER ()) FROM t",
            "SELECT lag(n) FROM t",
            "SELECT abs(DISTINCT n) FROM t",
            "SELECT abs(n) FILTER (WHERE ok) FROM t",
            "SELECT abs(n) OVER () FROM t",
            "UPDATE t SET n = max(id)",
            "UPDATE t SET n = rank() OVER ()",
            "UPDATE t SET n = 1 RETURNING count(*)",
            "DELETE FROM t WHERE count(*) > 1",
            "SELECT array_agg(DISTINCT n ORDER BY id) FROM t",
            "SELECT string_agg(DISTINCT n::text, ',' ORDER BY id) FROM t",
            "SELECT array_agg(DISTINCT abs(n) ORDER BY n) FROM t",
            "SELECT array_agg(DISTINCT n ORDER BY n, id) FILTER (WHERE ok) FROM t",
            "SELECT id FROM t WHERE generate_series(1, 3) = n",
            "DELETE FROM t WHERE n = unnest('{1}'::int[])",
            "SELECT n FROM t GROUP BY n HAVING generate_series(1, 3) = n",
            "SELECT t.id FROM t JOIN s ON generate_series(1, 3) = s.x",
            "SELECT ARRAY[]",
            "SELECT id FROM t WHERE '{1}'::int[] = ARRAY[]",
            "SELECT coalesce()",
            "SELECT greatest() FROM t",
            "SELECT nullif(1)",
        ] {
            parts(refused, true);
        }
        for taken in [
            "SELECT count(*) FILTER (WHERE ok AND n > $1) FROM t",
            "SELECT count(*) FILTER (WHERE $1) FROM t",
            "SELECT sum(sum(n)) OVER () FROM t GROUP BY id",
            "SELECT rank() OVER (ORDER BY sum(n)) FROM t GROUP BY id",
            "SELECT n FROM t GROUP BY n HAVING sum(id) > 1 ORDER BY rank() OVER (ORDER BY n)",
            "SELECT id FROM t WHERE n = (SELECT max(n) FROM t)",
            "SELECT max((SELECT max(x) FROM s WHERE t_id = t.id)) FROM t",
            "SELECT n FROM t GROUP BY n HAVING EXISTS (SELECT 1 FROM s WHERE x = sum(t.id))",
            "SELECT n FROM t GROUP BY n HAVING EXISTS (SELECT sum(x + max(t.id)) FROM s)",
            "SELECT n FROM t GROUP BY n HAVING EXISTS (SELECT 1 FROM s WHERE x = mode() WITHIN GROUP (ORDER BY t.id))",
            "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY n), rank(1) WITHIN GROUP (ORDER BY n) FROM t",
            "SELECT count(DISTINCT n), string_agg(DISTINCT n::text, ',') FILTER (WHERE ok) FROM t",
            "SELECT row_number(n) FROM t",
            "SELECT array_agg(DISTINCT n ORDER BY n DESC) FILTER (WHERE id > 1) FROM t",
            "SELECT string_agg(DISTINCT n::text, ',' ORDER BY n::text) FROM t",
            "SELECT array_agg(DISTINCT n::int ORDER BY n) FROM t",
            "SELECT array_agg(DISTINCT abs(n) ORDER BY abs(n)) FROM t",
            "SELECT array_agg(n ORDER BY id) FROM t",
            "SELECT id FROM t WHERE n IN (SELECT generate_series(1, 3))",
            "SELECT generate_series(1, n) FROM t WHERE id = 1",
            "SELECT ARRAY[]::int[], (ARRAY[])::text[], ARRAY[ARRAY[]]::int[]",
            "UPDATE t SET n = (SELECT max(x) FROM s) RETURNING (SELECT count(*) FROM s)",
        ] {
            parts(taken, false);
        }
    }
}
