//! Calls over windows: functions that have to have one or can have none, and windows that are not defined.

use sqlparser::ast;

use super::Resolver;
use crate::sql::dialect::Dialect;
use crate::sql::expr::Expr;

impl Resolver<'_> {
    /// Records a call that the database refuses for its window, or for its `*`.
    pub(super) fn check_call(&mut self, function: &ast::Function, name: &str, args: &[Expr]) {
        if self.views > 0 {
            return;
        }
        let span = self.span_of(&function.name);
        if is_distinct_star(&function.args) {
            let message = format!("`{name}` of DISTINCT `*`");
            return self.clause(message, "of no column", "name the columns, or leave DISTINCT out", span);
        }
        let named = match &function.over {
            Some(ast::WindowType::NamedWindow(named)) => Some(named),
            Some(ast::WindowType::WindowSpec(window)) => window.window_name.as_ref(),
            None => None,
        };
        if let Some(named) = named {
            self.check_named_window(named);
        }
        let is_built_in = function.name.0.len() == 1 && !self.has_function(name);
        // In SQLite the program may define functions of any name.
        if !is_built_in || self.dialect == Dialect::Sqlite {
            return;
        }
        // PostgreSQL takes `rank(t)` for a column of a row, too.
        let is_of_row = args.iter().any(|arg| matches!(arg, Expr::WholeRow(_)));
        match &function.over {
            None if needs_window(name) && function.within_group.is_empty() && !is_of_row => {
                let message = format!("`{name}` without OVER");
                self.clause(message, "of no window", "write its window: `OVER (ORDER BY ..)`", span);
            }
            Some(_) if is_of_values(name) => {
                let message = format!("`{name}` is called over a window, and is about single values");
                self.clause(message, "not allowed here", "leave OVER out", span);
            }
            _ => {}
        }
    }

    /// Makes the names of a SELECT's windows known to its calls.
    pub(super) fn define_windows(&mut self, select: &ast::Select) {
        let windows = select.named_window.iter().map(|window| self.fold(&window.0)).collect();
        if let Some(scope) = self.scopes.last_mut() {
            scope.windows = Some(windows);
        }
    }

    /// Resolves the keys by which the windows of a SELECT divide its rows.
    pub(super) fn define_partitions(&mut self, select: &ast::Select) {
        for ast::NamedWindowDefinition(name, window) in &select.named_window {
            let ast::NamedWindowExpr::WindowSpec(window) = window else { continue };
            // One may build on another that was defined before.
            let mut keys = window.window_name.as_ref().map_or_else(Vec::new, |of| self.partitions_of(of));
            keys.extend(window.partition_by.iter().map(|key| self.window_key(key)));
            let name = self.fold(name);
            if let Some(scope) = self.scopes.last_mut() {
                scope.partitions.push((name, keys));
            }
        }
    }

    /// The keys by which a window of this SELECT divides the rows.
    pub(super) fn partitions_of(&self, named: &ast::Ident) -> Vec<Expr> {
        let name = self.fold(named);
        let known = self.scopes.last().into_iter().flat_map(|scope| &scope.partitions);
        known.filter(|(window, _)| *window == name).flat_map(|(_, keys)| keys.clone()).collect()
    }

    fn check_named_window(&mut self, named: &ast::Ident) {
        let name = self.fold(named);
        let Some(windows) = self.scopes.last().and_then(|scope| scope.windows.as_ref()) else { return };
        if !windows.contains(&name) {
            let span = self.bytes(named.span);
            let message = format!("no window is named `{name}`");
            self.clause(message, "unknown", "define it: `WINDOW w AS (..)` after WHERE and GROUP BY", span);
        }
    }
}

fn is_distinct_star(args: &ast::FunctionArguments) -> bool {
    let ast::FunctionArguments::List(list) = args else { return false };
    let is_star =
        |arg: &ast::FunctionArg| matches!(arg, ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Wildcard));
    matches!(list.duplicate_treatment, Some(ast::DuplicateTreatment::Distinct))
        && list.args.iter().any(is_star)
}

/// Whether a built-in function is only called over a window.
fn needs_window(name: &str) -> bool {
    matches!(
        name,
        "row_number"
            | "rank"
            | "dense_rank"
            | "percent_rank"
            | "cume_dist"
            | "ntile"
            | "lag"
            | "lead"
            | "first_value"
            | "last_value"
            | "nth_value"
    )
}

/// Whether a built-in function is never called over a window.
fn is_of_values(name: &str) -> bool {
    matches!(
        name,
        "upper"
            | "lower"
            | "length"
            | "char_length"
            | "substring"
            | "replace"
            | "trim"
            | "ltrim"
            | "rtrim"
            | "concat"
            | "abs"
            | "round"
            | "floor"
            | "now"
            | "coalesce"
            | "nullif"
            | "greatest"
            | "least"
    )
}

#[cfg(test)]
mod tests {
    use crate::sql::{Dialect, resolve};

    #[test]
    fn windows_that_a_call_needs() {
        let count = |sql: &str, dialect: Dialect| resolve(sql, dialect, None).expect(sql).problems.len();
        for dialect in [Dialect::Postgres, Dialect::MySql] {
            for sql in [
                "SELECT RANK() FROM t",
                "SELECT LAG(a) FROM t",
                "SELECT SUM(a) OVER w FROM t",
                "SELECT SUM(a) OVER (w ORDER BY b) FROM t",
                "SELECT UPPER(a) OVER () FROM t",
                "SELECT COUNT(DISTINCT *) FROM t",
            ] {
                assert_eq!(count(sql, dialect), 1, "{dialect}: {sql}");
            }
            for sql in [
                "SELECT RANK() OVER w FROM t WINDOW W AS (ORDER BY a)",
                "SELECT a FROM t WINDOW w AS (PARTITION BY a) ORDER BY SUM(b) OVER w",
                "SELECT (SELECT SUM(b) OVER v FROM u WINDOW v AS ()) FROM t",
                "SELECT COUNT(DISTINCT a), COUNT(*) FROM t",
            ] {
                assert_eq!(count(sql, dialect), 0, "{dialect}: {sql}");
            }
        }
        assert_eq!(count("SELECT rank(1) WITHIN GROUP (ORDER BY a) FROM t", Dialect::Postgres), 0);
        assert_eq!(count("SELECT rank(t) FROM t", Dialect::Postgres), 0);
        assert_eq!(count("SELECT rank(matchinfo(t)) FROM t", Dialect::Sqlite), 0);
    }
}
