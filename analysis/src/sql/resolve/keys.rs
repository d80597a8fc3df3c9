//! Keys of ORDER BY, GROUP BY and DISTINCT ON: outputs by name or number, or expressions over the input.

use sqlparser::ast;

use super::Resolver;
use super::scope::Scope;
use crate::sql::dialect::Dialect;
use crate::sql::expr::Expr;
use crate::sql::query::{BlockId, Body, Output, Problem, ProblemKind};

impl Resolver<'_> {
    /// A key of ORDER BY: an output column by name or number, or an expression over the input.
    pub(super) fn order_expr(&mut self, expr: &ast::Expr, clause: &'static str) -> Expr {
        let mut bare = expr;
        while let ast::Expr::Nested(inner) = bare {
            bare = inner;
        }
        self.check_constant(bare, clause);
        if let Some(output) = self.output_reference(bare, true) {
            self.check_output_name(bare, clause);
            return output;
        }
        // PostgreSQL recognises an output only by its bare name, not inside an expression.
        let hides = |scope: &&mut Scope| !scope.outputs_only;
        let last = self.scopes.last_mut().filter(|_| self.dialect == Dialect::Postgres).filter(hides);
        let hidden = last.map(|scope| std::mem::take(&mut scope.outputs));
        let found = self.key_expr(expr);
        if let (Some(hidden), Some(scope)) = (hidden, self.scopes.last_mut()) {
            scope.outputs = hidden;
        }
        found
    }

    /// A key of GROUP BY: an input column, an output column by name or number, or an expression over the input.
    pub(super) fn group_expr(&mut self, key: &ast::Expr) -> Expr {
        self.check_constant(key, "GROUP BY");
        match self.output_reference(key, false) {
            Some(output) => {
                self.check_output_name(key, "GROUP BY");
                output
            }
            None => self.key_expr(key),
        }
    }

    /// An expression over the input. MySQL takes it for the output that is written alike but for qualifiers: in the order of
    /// `SELECT abs(a.v)`, `abs(v)` is about `a.v`, although other tables have a `v`.
    fn key_expr(&mut self, expr: &ast::Expr) -> Expr {
        let before = self.problems.len();
        let found = self.expr(expr);
        let is_ambiguous = |problem: &Problem| matches!(problem.kind, ProblemKind::AmbiguousColumn { .. });
        let of_key = self.problems.get(before..).unwrap_or_default();
        if self.dialect != Dialect::MySql || of_key.is_empty() || !of_key.iter().all(is_ambiguous) {
            return found;
        }
        let mut outputs = self.scopes.last().into_iter().flat_map(|scope| &scope.outputs);
        match outputs.find(|output| is_alike(&found, &output.expr)).map(|output| output.expr.clone()) {
            Some(output) => {
                self.problems.truncate(before);
                output
            }
            None => found,
        }
    }

    /// The expression behind an output name or number, if this is one. ORDER BY prefers outputs, GROUP BY
    /// inputs.
    pub(super) fn output_reference(&self, expr: &ast::Expr, prefer_output: bool) -> Option<Expr> {
        let scope = self.scopes.last()?;
        match expr {
            ast::Expr::Value(value) => match &value.value {
                ast::Value::Number(number, _) => {
                    let number: usize = number.parse().ok()?;
                    scope.outputs.get(number.checked_sub(1)?).map(|output| output.expr.clone())
                }
                _ => None,
            },
            ast::Expr::Identifier(ident) => {
                let name = self.fold(ident);
                let inputs =
                    scope.relations.iter().filter(|&&id| self.has_column(id, &name) == Some(true)).count();
                // MySQL prefers the output if several tables have the name.
                let is_clear = inputs == 1 || (inputs > 1 && self.dialect != Dialect::MySql);
                if is_clear && !prefer_output {
                    return None;
                }
                let same = |output: &&Output| self.is_named(output, &name);
                let position = scope.outputs.iter().position(|output| same(&output)).or_else(|| {
                    let is_set = self.dialect == Dialect::Sqlite && scope.outputs_only;
                    is_set.then(|| self.position_in_arm(scope.block, &same)).flatten()
                });
                scope.outputs.get(position?).map(|output| output.expr.clone())
            }
            _ => None,
        }
    }

    /// SQLite: the position of a column that a later arm of a set operation names.
    fn position_in_arm(&self, block: BlockId, same: &impl Fn(&&Output) -> bool) -> Option<usize> {
        let (mut found, mut next) = (None, block);
        while let Body::Set { left, right, .. } = &self.blocks[next.0 as usize].body {
            let outputs = self.blocks[right.0 as usize].outputs.as_ref();
            found = outputs.and_then(|outputs| outputs.iter().position(|output| same(&output))).or(found);
            next = *left;
        }
        found
    }

    /// Records a number that is the position of no output, and in PostgreSQL any other constant.
    fn check_constant(&mut self, key: &ast::Expr, clause: &'static str) {
        let Some((sign, value)) = self.signed(key) else { return };
        let outputs = self.scopes.last().map_or(0, |scope| scope.outputs.len());
        let has_star = self.scopes.last().is_some_and(|scope| scope.has_star);
        // Without outputs, they are not known, or the statement has none.
        if outputs == 0 || has_star && self.may_lack_columns() {
            return;
        }
        let is_integer = |number: &str| number.bytes().all(|byte| byte.is_ascii_digit());
        let (message, help) = match value {
            ast::Value::Number(number, _) if is_integer(number) => {
                let is_position = number.parse().is_ok_and(|number: usize| (1..=outputs).contains(&number));
                if is_position && sign.is_empty() {
                    return;
                }
                let columns = if outputs == 1 { "column" } else { "columns" };
                let message = format!(
                    "{clause} {sign}{number} is a position, and the query returns {outputs} {columns}"
                );
                (message, "write the column's name")
            }
            ast::Value::Placeholder(_) => return,
            _ if self.dialect == Dialect::Postgres => {
                (format!("{clause} has a constant"), "write the column's name without quotes")
            }
            _ => return,
        };
        let span = self.span_of(key);
        self.clause(message, "no column", help, span);
    }

    /// A constant, and its sign: PostgreSQL and SQLite take `-1` for a number, and MySQL for an expression.
    fn signed<'e>(&self, key: &'e ast::Expr) -> Option<(&'static str, &'e ast::Value)> {
        use ast::UnaryOperator::{Minus, Plus};
        let (mut negative, mut is_signed, mut key) = (false, false, key);
        loop {
            key = match key {
                ast::Expr::Nested(inner) => inner,
                ast::Expr::UnaryOp { op: Minus, expr } if self.dialect != Dialect::MySql => {
                    (negative, is_signed) = (!negative, true);
                    expr
                }
                ast::Expr::UnaryOp { op: Plus, expr } if self.dialect == Dialect::Sqlite => {
                    is_signed = true;
                    expr
                }
                ast::Expr::Value(value) => {
                    let is_constant = !is_signed || matches!(value.value, ast::Value::Number(..));
                    return is_constant.then_some((if negative { "-" } else { "" }, &value.value));
                }
                _ => return None,
            };
        }
    }
}

/// Whether two expressions are the same if the columns without a table in one are those of the other.
fn is_alike(key: &Expr, output: &Expr) -> bool {
    fn take_tables(key: &mut Expr, output: &Expr) {
        if let (Expr::Column(column), Expr::Column(of)) = (&mut *key, output) {
            if column.relation.is_none() && column.name == of.name {
                column.relation = of.relation;
            }
            return;
        }
        for (part, of) in key.children_mut().into_iter().zip(output.children()) {
            take_tables(part, of);
        }
    }
    let mut key = key.clone();
    take_tables(&mut key, output);
    key == *output
}
