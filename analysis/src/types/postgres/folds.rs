//! What the planner evaluates before it plans: expressions of constants, among which are the NULLs that sqlx explains
//! a statement with.
//!
//! A strict function is NULL as soon as one argument is, whatever the others are and however volatile it is: the server
//! never calls it. Any other function that is immutable is called if all of its arguments are constants; what it
//! returns is not known here.

use std::cell::Cell;

use super::catalog::Catalog;
use super::own;
use super::plan::is_flat;
use crate::schema::Schema;
use crate::sql::Query;
use crate::sql::expr::{Call, Expr, LikeKind, Literal, Op, Test};
use crate::types::Planned;

/// The maximum nesting of expressions that are evaluated.
const MAX_FOLD_DEPTH: usize = 200;

/// A query whose constants are evaluated.
#[derive(Debug)]
pub(super) struct Folds<'q> {
    pub(super) query: &'q Query,
    schema: &'q Schema,
    catalog: &'q Catalog,
    planned: Planned,
    /// Whether it is not known what became of an expression.
    is_doubted: Cell<bool>,
}

/// What a call is with NULL for an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Called {
    Null,
    /// It stays a call.
    Kept,
    Unknown,
}

/// The functions that a call may mean.
struct Meant {
    /// Whether the schema has some.
    has_own: bool,
    are_own_strict: bool,
    /// For each of the server and of extensions: `s` if it is strict, else `i` if it is immutable, else `-`.
    flags: Vec<char>,
    /// Whether all are the server's own.
    is_of_base: bool,
}

impl Meant {
    fn are_strict(&self) -> bool {
        let is_known = self.has_own || !self.flags.is_empty();
        is_known && self.are_own_strict && self.flags.iter().all(|flag| *flag == 's')
    }

    /// Whether none is strict, as far as the server's own say.
    fn are_lenient(&self) -> bool {
        self.is_of_base && !self.flags.is_empty() && !self.flags.contains(&'s')
    }
}

/// The text of a pattern as the planner estimates it: stable functions count as well.
#[derive(Debug, PartialEq)]
pub(super) enum Text {
    Is(String),
    /// It is no constant.
    IsOpen,
    IsUnknown,
}

impl<'q> Folds<'q> {
    pub(super) fn new(
        query: &'q Query,
        schema: &'q Schema,
        catalog: &'q Catalog,
        planned: Planned,
    ) -> Folds<'q> {
        Folds { query, schema, catalog, planned, is_doubted: Cell::new(false) }
    }

    /// Whether the value of an expression that was asked for is not known.
    pub(super) fn is_doubted(&self) -> bool {
        self.is_doubted.get()
    }

    /// Whether an expression is NULL, with NULL for its parameters or with any values.
    pub(super) fn is_null(&self, expr: &Expr) -> bool {
        self.is_null_at(expr, 0)
    }

    fn is_null_at(&self, expr: &Expr, depth: usize) -> bool {
        let is_null = |expr: &Expr| depth < MAX_FOLD_DEPTH && self.is_null_at(expr, depth + 1);
        match expr {
            Expr::Parameter(_) => self.planned == Planned::ForNulls,
            Expr::Literal(Literal::Null) => true,
            Expr::Cast { expr, .. }
            | Expr::Collate { expr, .. }
            | Expr::Not(expr)
            | Expr::Unary { expr, .. } => is_null(expr),
            Expr::Binary { op: Op::Same | Op::NotSame, .. } => false,
            Expr::Binary { op, left, right } => match (is_null(left), is_null(right)) {
                // NULL is appended to an array, and is a NULL in a text.
                (one, other) if one != other && *op == Op::Concat && self.is_of_arrays(left, right) => {
                    self.is_doubted.set(true);
                    false
                }
                (one, other) => one || other,
            },
            Expr::Like { expr, pattern, kind, .. } => {
                *kind != LikeKind::Glob && (is_null(expr) || is_null(pattern))
            }
            Expr::Any { left, right, .. } => is_null(left) && is_null(right),
            Expr::Call(call) => self.is_null_call(call, is_null),
            Expr::Other { what, parts } if what == "at time zone" || what.starts_with("extract") => {
                parts.iter().any(is_null)
            }
            Expr::Access { expr, field: None, subscripts } => {
                let all = || subscripts.iter().chain([&**expr]);
                all().any(is_null) && all().all(|part| is_null(part) || is_constant(part))
            }
            Expr::Case { operand, arms, otherwise } if depth < MAX_FOLD_DEPTH => {
                match self.left_of_case(operand.as_deref(), arms, otherwise.as_deref(), depth) {
                    Some(Some(left)) => is_null(left),
                    left => left.is_some(),
                }
            }
            _ => false,
        }
    }

    fn is_null_call(&self, call: &Call, is_null: impl Fn(&Expr) -> bool) -> bool {
        if call.window || !call.modifiers.is_empty() {
            return false;
        }
        match call.name.as_str() {
            "coalesce" | "greatest" | "least" => !call.args.is_empty() && call.args.iter().all(is_null),
            "nullif" => call.args.first().is_some_and(is_null),
            _ if !call.args.iter().any(is_null) => false,
            _ => {
                let called = self.called(call);
                if called == Called::Unknown {
                    self.is_doubted.set(true);
                }
                called == Called::Null
            }
        }
    }

    /// What a call is with NULL for an argument, by the functions that it may mean.
    fn called(&self, call: &Call) -> Called {
        let meant = self.meant(call);
        let is_open = call.args.iter().any(|arg| self.is_open(arg));
        if meant.are_strict() {
            Called::Null
        } else if meant.are_lenient() && meant.flags.iter().all(|flag| *flag == '-' || is_open) {
            Called::Kept
        } else {
            Called::Unknown
        }
    }

    /// Whether the planner takes a call to be NULL wherever one of its arguments is; `None` if that depends on which function it
    /// means, or on what is known of its text alone.
    pub(super) fn is_strict(&self, call: &Call) -> Option<bool> {
        if call.window || matches!(call.name.as_str(), "coalesce" | "nullif" | "greatest" | "least") {
            return Some(false);
        }
        let meant = self.meant(call);
        if meant.are_strict() { Some(true) } else { meant.are_lenient().then_some(false) }
    }

    /// The functions that a call may mean, by their name and the number of arguments.
    fn meant(&self, call: &Call) -> Meant {
        let mut own = self.schema.functions_named(&call.name).flat_map(|(_, texts)| texts).peekable();
        let has_own = own.peek().is_some();
        let are_own_strict = own.all(|text| own::is_strict(text));
        let name = if call.name == "trim" { "btrim" } else { call.name.as_str() };
        let lines = if call.may_be_built_in() { self.catalog.lines('f', name) } else { Vec::new() };
        let flags = lines.iter().filter_map(|line| flags_for(line, call.args.len()));
        let flags: Vec<char> = flags.filter_map(|flags| flags.chars().next()).collect();
        let is_of_base = !has_own && self.catalog.lines_of_extensions('f', name).is_empty();
        Meant { has_own, are_own_strict, flags, is_of_base }
    }

    /// What a CASE is without the arms whose conditions do not hold, if nothing else has to be tested: a result, or
    /// NULL without one.
    pub(super) fn case<'e>(&self, case: &'e Expr) -> Option<Option<&'e Expr>> {
        let Expr::Case { operand, arms, otherwise } = case else { return None };
        self.left_of_case(operand.as_deref(), arms, otherwise.as_deref(), 0)
    }

    fn left_of_case<'e>(
        &self,
        operand: Option<&Expr>,
        arms: &'e [(Expr, Expr)],
        otherwise: Option<&'e Expr>,
        depth: usize,
    ) -> Option<Option<&'e Expr>> {
        for (when, then) in arms {
            let is_dead = match operand {
                Some(operand) => self.is_null_at(operand, depth + 1) || self.is_null_at(when, depth + 1),
                None => self.is_never_true(when, depth + 1),
            };
            if is_dead {
                continue;
            }
            let is_sure = operand.is_none() && self.is_always_true(when, depth + 1);
            return is_sure.then_some(Some(then));
        }
        Some(otherwise)
    }

    /// Whether one of two values that are put together is an array.
    fn is_of_arrays(&self, one: &Expr, other: &Expr) -> bool {
        let is_array = |expr: &Expr| match expr {
            Expr::Array(_) | Expr::ArrayQuery(_) => true,
            Expr::Cast { ty, .. } => ty.ends_with(']'),
            Expr::Column(column) => column.relation.is_none_or(|of| {
                let columns = self.query.relation(of).columns.as_deref().unwrap_or_default();
                let found = columns.iter().find(|known| known.name == column.name);
                found.is_none_or(|known| known.ty.is_empty() || known.ty.ends_with(']'))
            }),
            Expr::Call(call) => call.name.contains("array"),
            _ => false,
        };
        is_array(one) || is_array(other)
    }

    /// Whether a condition is false or NULL, as the planner knows in advance, so that it removes the rows.
    pub(super) fn is_never_true(&self, condition: &Expr, depth: usize) -> bool {
        if depth >= MAX_FOLD_DEPTH {
            return false;
        }
        let never = |expr: &Expr| self.is_never_true(expr, depth + 1);
        let is_null = |expr: &Expr| self.is_null_at(expr, depth + 1);
        match condition {
            Expr::And(parts) => parts.iter().any(never),
            Expr::Or(parts) => parts.iter().all(never),
            Expr::Not(inner) => self.is_always_true(inner, depth + 1) || is_null(inner),
            Expr::Between { expr, low, high, negated: true } => {
                is_null(expr) || is_null(low) && is_null(high)
            }
            Expr::Between { expr, low, high, .. } => is_null(expr) || is_null(low) || is_null(high),
            Expr::Is { expr, test: Test::Null, negated: true } => is_null(expr),
            Expr::Is { expr, test: Test::Null, negated: false } => is_value(expr),
            Expr::Is { expr, test: Test::True, negated: false } => never(expr),
            Expr::InList { expr, list, .. } => {
                is_null(expr) || matches!(list.as_slice(), [only] if is_null(only))
            }
            Expr::InQuery { query, negated: false, .. } | Expr::Exists { query, negated: false } => {
                let block = self.query.block(*query);
                is_flat(block) && block.filters().iter().any(never)
            }
            Expr::Any { left, right, all: false, .. } => {
                is_null(left) && (is_null(right) || is_constant(right))
            }
            Expr::Binary { op: Op::NotSame, left, right } => is_null(left) && is_null(right),
            Expr::Binary { op, left, right } if compared(op, left, right) == Some(false) => true,
            Expr::Literal(Literal::Bool(false)) => true,
            Expr::Call(call) if call.name == "coalesce" => {
                call.args.iter().find(|arg| !is_null(arg)).is_none_or(never)
            }
            Expr::Case { operand, arms, otherwise } => {
                match self.left_of_case(operand.as_deref(), arms, otherwise.as_deref(), depth + 1) {
                    Some(left) => left.is_none_or(never),
                    None => false,
                }
            }
            other => is_null(other),
        }
    }

    /// Whether a condition holds, as the planner knows in advance, so that it drops it.
    pub(super) fn is_always_true(&self, condition: &Expr, depth: usize) -> bool {
        if depth >= MAX_FOLD_DEPTH {
            return false;
        }
        let always = |expr: &Expr| self.is_always_true(expr, depth + 1);
        let is_null = |expr: &Expr| self.is_null_at(expr, depth + 1);
        match condition {
            Expr::Literal(Literal::Bool(true)) => true,
            Expr::Is { expr, test: Test::Null, negated: false } => is_null(expr),
            Expr::Is { expr, test: Test::Null, negated: true } => is_value(expr),
            Expr::Binary { op: Op::Same, left, right } if is_null(left) && is_null(right) => true,
            Expr::Binary { op, left, right } => compared(op, left, right) == Some(true),
            Expr::Not(inner) => match &**inner {
                Expr::Literal(Literal::Bool(false)) => true,
                Expr::Is { expr, test: Test::Null, negated: true } => is_null(expr),
                Expr::Is { expr, test: Test::Null, negated: false } => is_value(expr),
                _ => false,
            },
            Expr::Or(parts) => parts.iter().any(always),
            Expr::And(parts) => parts.iter().all(always),
            Expr::Call(call) if call.name == "coalesce" => {
                call.args.iter().find(|arg| !is_null(arg)).is_some_and(always)
            }
            Expr::Case { operand, arms, otherwise } => {
                let left = self.left_of_case(operand.as_deref(), arms, otherwise.as_deref(), depth + 1);
                left.flatten().is_some_and(always)
            }
            _ => false,
        }
    }

    /// The text of a pattern.
    pub(super) fn text(&self, pattern: &Expr) -> Text {
        match pattern {
            Expr::Literal(Literal::Text(text)) => Text::Is(text.clone()),
            Expr::Cast { expr, ty } if matches!(ty.as_str(), "text" | "varchar" | "character varying") => {
                self.text(expr)
            }
            _ if self.is_open(pattern) => Text::IsOpen,
            Expr::Binary { op: Op::Concat, left, right } => joined([self.text(left), self.text(right)]),
            Expr::Call(call) if call.name == "concat" && self.called(call) == Called::Kept => {
                let text = |arg: &Expr| match arg {
                    Expr::Literal(Literal::Number(digits))
                        if digits.bytes().all(|it| it.is_ascii_digit()) =>
                    {
                        Text::Is(digits.clone())
                    }
                    arg if self.is_null(arg) => Text::Is(String::new()),
                    arg => self.text(arg),
                };
                joined(call.args.iter().map(text))
            }
            _ => Text::IsUnknown,
        }
    }

    /// Whether an expression reads what is not known before the statement runs.
    fn is_open(&self, expr: &Expr) -> bool {
        expr.any(|part| match part {
            Expr::Parameter(_) => self.planned == Planned::ForAny,
            Expr::Column(_) | Expr::WholeRow(_) | Expr::Subquery(_) => true,
            other => other.own_subquery().is_some(),
        })
    }
}

fn joined(texts: impl IntoIterator<Item = Text>) -> Text {
    let mut all = String::new();
    for text in texts {
        match text {
            Text::Is(text) => all.push_str(&text),
            other => return other,
        }
    }
    Text::Is(all)
}

/// The flags of a function that accepts this many arguments: `kind result flags defaults ordered arguments ..`.
fn flags_for(line: &'static str, count: usize) -> Option<&'static str> {
    let mut fields = line.split(' ');
    let (kind, _, flags, defaults) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let args = match fields.nth(1)? {
        "-" => 0,
        args => args.split(',').count(),
    };
    let least = args.saturating_sub(defaults.parse().ok()?);
    let is_open = flags.ends_with('v') && count + 1 >= args;
    (kind == "f" && (is_open || (least..=args).contains(&count))).then_some(flags)
}

/// Whether an expression is a constant as it is written, if none of its parts is NULL.
fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(_) => true,
        Expr::Cast { expr, .. } => is_constant(expr),
        Expr::Array(items) => items.iter().all(is_constant),
        _ => false,
    }
}

/// Whether it is a constant other than NULL.
fn is_value(expr: &Expr) -> bool {
    matches!(expr.without_casts(), Expr::Literal(literal) if *literal != Literal::Null)
}

/// What the comparison of two constants gives, if that does not depend on their types.
fn compared(op: &Op, left: &Expr, right: &Expr) -> Option<bool> {
    let order = match (left, right) {
        (Expr::Literal(Literal::Number(one)), Expr::Literal(Literal::Number(other))) => {
            one.parse::<i64>().ok()?.cmp(&other.parse::<i64>().ok()?)
        }
        (Expr::Literal(Literal::Text(one)), Expr::Literal(Literal::Text(other)))
            if one == other && matches!(op, Op::Eq | Op::NotEq) =>
        {
            std::cmp::Ordering::Equal
        }
        _ => return None,
    };
    Some(match op {
        Op::Eq | Op::Same => order.is_eq(),
        Op::NotEq | Op::NotSame => order.is_ne(),
        Op::Lt => order.is_lt(),
        Op::LtEq => order.is_le(),
        Op::Gt => order.is_gt(),
        Op::GtEq => order.is_ge(),
        _ => return None,
    })
}
