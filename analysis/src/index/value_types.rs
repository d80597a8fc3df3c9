//! How the type of the other side affects a column in a comparison: PostgreSQL casts the column if the value
//! has the wider type, and an index on the column does not store the cast values.

use crate::sql::expr::{ColumnRef, Expr, Literal, Op};
use crate::sql::query::{BlockId, Body, Query, Source};
use crate::sql::type_names;

/// The maximum depth to which a value is analysed.
pub(super) const MAX_VALUE_DEPTH: usize = 16;

/// The type classes that decide which side of a comparison is cast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// `smallint`, `integer`, `bigint`.
    Integer,
    /// `numeric`.
    Decimal,
    /// `real`, `double precision`.
    Float,
    /// `text`, `varchar`.
    Text,
}

/// The class of a type in any spelling; `None` for all others, including arrays.
pub(super) fn class_of(ty: &str) -> Option<Class> {
    if ty.ends_with(']') {
        return None;
    }
    let canonical = type_names::canonical(base(ty));
    match canonical.as_str() {
        "smallint" | "integer" | "bigint" => Some(Class::Integer),
        "numeric" => Some(Class::Decimal),
        "real" | "double precision" => Some(Class::Float),
        "text" | "character varying" => Some(Class::Text),
        _ => None,
    }
}

fn base(ty: &str) -> &str {
    ty.split('(').next().unwrap_or(ty).trim()
}

/// The types of a query's values, where they are evident.
pub(super) struct Values<'q> {
    pub(super) query: &'q Query,
}

impl Values<'_> {
    /// The class of a value; for an array compared with its elements, the class of the elements.
    pub(super) fn class(&self, value: &Expr) -> Option<Class> {
        self.look(value, MAX_VALUE_DEPTH)
    }

    fn look(&self, value: &Expr, depth: usize) -> Option<Class> {
        let depth = depth.checked_sub(1)?;
        match value {
            Expr::Literal(Literal::Number(digits)) => {
                let is_integer = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
                Some(if is_integer && digits.len() < 19 { Class::Integer } else { Class::Decimal })
            }
            Expr::Cast { ty, .. } => class_of(ty.trim_end_matches("[]")),
            Expr::Column(column) => self.column(column, depth),
            Expr::Unary { expr, .. } | Expr::Collate { expr, .. } => self.look(expr, depth),
            Expr::Binary { op: Op::Arithmetic(_), left, right } => {
                let (left, right) = (self.look(left, depth), self.look(right, depth));
                // A parameter in arithmetic with a number is a number as well.
                [left, right].into_iter().flatten().filter(|class| *class != Class::Text).max()
            }
            Expr::Binary { op: Op::Concat, .. } => Some(Class::Text),
            // A power of whole numbers is none.
            Expr::Binary { op: Op::Other(op), left, right } if op == "^" => {
                let is_decimal = |side: &Expr| self.look(side, depth) == Some(Class::Decimal);
                Some(if is_decimal(left) || is_decimal(right) { Class::Decimal } else { Class::Float })
            }
            Expr::Binary { op: Op::Other(op), .. } if matches!(op.as_str(), "->>" | "#>>") => {
                Some(Class::Text)
            }
            Expr::Call(call) if call.name == "sum" => match call.args.first()? {
                // sum() of a type narrower than `bigint` is a `bigint`.
                Expr::Column(column) if self.type_of(column).is_some_and(|ty| ty == "bigint") => {
                    Some(Class::Decimal)
                }
                arg => self.look(arg, depth),
            },
            Expr::Call(call) => match class_of_call(&call.name) {
                Some(class) => Some(class),
                // For a parameter of unknown type PostgreSQL picks the preferred numeric type.
                None if call.name == "abs" && matches!(call.args.as_slice(), [Expr::Parameter(_)]) => {
                    Some(Class::Float)
                }
                None if passes_on(&call.name) => {
                    call.args.iter().filter_map(|arg| self.look(arg, depth)).max()
                }
                None => None,
            },
            Expr::Other { what, .. } if what.starts_with("extract") => Some(Class::Decimal),
            Expr::Case { arms, otherwise, .. } => {
                let values = arms.iter().map(|(_, value)| value).chain(otherwise.as_deref());
                values.filter_map(|value| self.look(value, depth)).max()
            }
            Expr::Array(items) => items.iter().filter_map(|item| self.look(item, depth)).max(),
            Expr::Subquery(block) => self.output(*block, depth),
            _ => None,
        }
    }

    fn output(&self, block: BlockId, depth: usize) -> Option<Class> {
        match &self.query.block(block).body {
            Body::Select(select) => self.look(select.projection.first()?, depth),
            _ => None,
        }
    }

    /// Whether a subquery returns a number.
    pub(super) fn is_number(&self, block: BlockId) -> bool {
        matches!(self.output(block, MAX_VALUE_DEPTH), Some(Class::Integer | Class::Decimal | Class::Float))
    }

    pub(super) fn type_of(&self, column: &ColumnRef) -> Option<&str> {
        let columns = self.query.relation(column.relation?).columns.as_ref()?;
        columns.iter().find(|known| known.name == column.name).map(|known| known.ty.as_str())
    }

    fn column(&self, column: &ColumnRef, depth: usize) -> Option<Class> {
        class_of(self.type_of(column)?).or_else(|| self.made(column, depth))
    }

    /// The class of a column whose values the query computes: of a derived table, VALUES or `unnest`.
    fn made(&self, column: &ColumnRef, depth: usize) -> Option<Class> {
        let relation = self.query.relation(column.relation?);
        let at = relation.columns.as_ref()?.iter().position(|known| known.name == column.name)?;
        match &relation.source {
            Source::Function(name, args) if name == "unnest" => self.look(args.get(at)?, depth),
            Source::Derived(block) | Source::Cte(block) | Source::View(_, block) => {
                match &self.query.block(*block).body {
                    Body::Select(select) => self.look(select.projection.get(at)?, depth),
                    Body::Values(rows) => rows.iter().filter_map(|row| self.look(row.get(at)?, depth)).max(),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The class of a parameter by its first use in the conditions of the query, which fixes its type for all
    /// other uses.
    pub(super) fn parameter(&self, number: usize) -> Option<Class> {
        let mut first: Option<Option<Class>> = None;
        for block in &self.query.blocks {
            for condition in block.filters() {
                condition.walk(&mut |part| {
                    let Expr::Binary { op, left, right } = part else { return };
                    let is_it = |side: &Expr| matches!(side, Expr::Parameter(known) if *known == number);
                    let other = match (is_it(left), is_it(right)) {
                        (true, false) => right,
                        (false, true) => left,
                        _ => return,
                    };
                    if first.is_none() && op.is_comparison() {
                        first = Some(self.class(other));
                    }
                });
            }
        }
        first.flatten()
    }
}

/// The class of the result of a built-in function, if it does not depend on its arguments.
fn class_of_call(name: &str) -> Option<Class> {
    Some(match name {
        "date_part" | "sqrt" | "cbrt" | "exp" | "ln" | "log" | "log10" | "power" | "pow" | "pi"
        | "random" | "degrees" | "radians" | "sin" | "cos" | "tan" | "atan2" => Class::Float,
        // They return `numeric` for an integer, and otherwise the type of the argument.
        "round" | "floor" | "ceil" | "ceiling" | "trunc" | "avg" | "stddev" | "variance" | "to_number" => {
            Class::Decimal
        }
        "count" | "length" | "char_length" | "array_length" | "cardinality" | "row_number" => Class::Integer,
        "lower" | "upper" | "trim" | "btrim" | "ltrim" | "rtrim" | "substr" | "substring" | "left"
        | "right" | "replace" | "concat" | "concat_ws" | "format" | "md5" | "initcap" | "translate"
        | "to_char" | "split_part" | "regexp_replace" | "overlay" | "repeat" | "reverse" | "lpad"
        | "rpad" => Class::Text,
        _ => return None,
    })
}

/// Whether a function returns one of its arguments, or a value of their type.
fn passes_on(name: &str) -> bool {
    matches!(name, "abs" | "mod" | "greatest" | "least" | "coalesce" | "nullif" | "min" | "max")
}
