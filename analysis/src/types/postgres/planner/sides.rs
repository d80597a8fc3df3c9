//! The two sides of an equality: columns, and expressions of whose values the planner knows nothing.

use super::super::plan::Reading;
use super::operators::operators;
use super::tree::{Clause, Guess, Set, Tree};
use crate::schema::KeyPart;
use crate::sql::expr::{Expr, Op};

/// Stands in place of a column for an expression: no index has it, and nothing refers to it.
pub(super) const COMPUTED: &str = "";

impl<'q> Tree<'q> {
    /// A condition on several relations.
    pub(super) fn clause(
        &mut self,
        reading: &Reading<'q>,
        condition: &Expr,
        of: Set,
        guess: Guess,
    ) -> Clause {
        let mut count = operators(condition, reading.folds);
        let equal = match condition {
            Expr::Binary { op: Op::Eq, left, right } => {
                let mut sides = self.side(reading, left).zip(self.side(reading, right));
                sides = sides.filter(|(left, right)| left.0 != right.0);
                for side in [left, right] {
                    let is_free =
                        matches!(&**side, Expr::Cast { .. }) && self.relabelled(reading, side).is_some();
                    count -= if is_free { operators(side, reading.folds) } else { 0.0 };
                }
                if let Some((left, right)) = &mut sides {
                    count += self.convert(left, right);
                }
                sides
            }
            _ => None,
        };
        let of_one = self.only(of).and_then(|at| self.leaves.get(at)?.selectivity(condition, 0));
        let keeps = match condition {
            _ if let Some(part) = of_one => part,
            Expr::Binary { op, .. } if op.is_range() => 1.0 / 3.0,
            Expr::Binary { op: Op::Eq, .. } => 0.005,
            _ => guess.keeps,
        };
        let equal = equal.map(|(left, right)| [left, right]);
        Clause { of, needs: of, equal, operators: count, keeps, is_delayed: false }
    }

    /// What is compared on one side: a column, or an expression of one relation.
    fn side(&mut self, reading: &Reading<'q>, expr: &Expr) -> Option<(usize, String)> {
        if let Some(column) = self.relabelled(reading, expr) {
            return Some(column);
        }
        let at = self.only(self.of(reading, expr))?;
        let indexes = self.leaves.get(at)?.table.map_or(&[][..], |table| &table.indexes);
        // Such an index may serve the expression, or prove that its values are unique.
        let is_expression = |part: &KeyPart| !matches!(part, KeyPart::Column(_));
        self.is_vague |= indexes.iter().any(|index| index.keys.iter().any(|key| is_expression(&key.part)));
        Some((at, COMPUTED.to_owned()))
    }

    /// A column, possibly under a cast that changes nothing but the name of its type.
    pub(super) fn relabelled(&self, reading: &Reading<'q>, expr: &Expr) -> Option<(usize, String)> {
        let (expr, to) = match expr {
            Expr::Cast { expr, ty } => (&**expr, Some(ty)),
            expr => (expr, None),
        };
        let (id, name) = reading.leaf(expr, 0)?;
        let at = self.only(self.bit(id))?;
        let is_same = to.is_none_or(|to| self.type_of(at, &name).is_some_and(|ty| plain(ty) == plain(to)));
        is_same.then_some((at, name))
    }

    fn type_of(&self, at: usize, column: &str) -> Option<&str> {
        Some(self.leaves.get(at)?.table?.column(column)?.ty.as_str())
    }

    /// Two columns of different types: the server converts one of them for each comparison, and knows no more about it
    /// than about another expression. The number of functions that it calls for that.
    fn convert(&mut self, left: &mut (usize, String), right: &mut (usize, String)) -> f64 {
        let of = |side: &(usize, String)| self.type_of(side.0, &side.1).map(plain);
        let (Some(one), Some(other)) = (of(&*left), of(&*right)) else { return 0.0 };
        if one == other {
            return 0.0;
        }
        if [one, other].contains(&"citext") {
            // Its index serves comparisons of its own only.
            self.is_vague = true;
            return 0.0;
        }
        let (one, other) = (rank(one), rank(other));
        if one == other {
            return 0.0;
        }
        match (one, other) {
            (Some((kind, _)), Some((of, _))) if kind != of => return 0.0,
            // Such values can be merged, but not hashed.
            (Some(("time", _)), Some(_)) => self.is_vague = true,
            (Some((_, one)), Some((_, other))) => {
                let converted = if one < other { left } else { right };
                COMPUTED.clone_into(&mut converted.1);
                return 1.0;
            }
            _ => {}
        }
        0.0
    }
}

/// A type without its modifier, by one of its names.
fn plain(ty: &str) -> &str {
    let array = ty.ends_with(']');
    match ty.split('(').next().unwrap_or(ty).trim() {
        _ if array => ty,
        "varchar" | "character varying" | "text" => "text",
        "int" | "int4" | "integer" | "serial" => "integer",
        "int8" | "bigint" | "bigserial" => "bigint",
        "int2" | "smallint" => "smallint",
        "decimal" | "numeric" => "numeric",
        "timestamptz" => "timestamp with time zone",
        "timestamp" if !ty.ends_with("zone") => "timestamp without time zone",
        "timestamp" => ty,
        "char" | "character" | "bpchar" => "character",
        name => name,
    }
}

/// The types that the server compares with each other, in the order in which it converts them.
fn rank(ty: &str) -> Option<(&'static str, u8)> {
    Some(match ty {
        "smallint" | "integer" | "bigint" => ("number", 0),
        "numeric" => ("number", 1),
        "real" | "float4" | "double precision" | "float8" => ("number", 2),
        "character" => ("text", 0),
        "text" => ("text", 1),
        "date" => ("time", 0),
        "timestamp without time zone" => ("time", 1),
        "timestamp with time zone" => ("time", 2),
        _ if ty.starts_with("timestamp") => ("time", if ty.ends_with("with time zone") { 2 } else { 1 }),
        _ => return None,
    })
}
