//! Whether conditions imply the predicate of a partial index.

use std::borrow::Cow;

use super::{are_spelled_alike, bare, elements, same};
use crate::sql::Dialect;
use crate::sql::expr::{Expr, Literal, Op, Test};
use crate::sql::query::RelationId;

/// Whether rows that satisfy all of `conditions` satisfy `predicate`, the predicate of an index on
/// `relation`'s table.
pub(crate) fn implied(predicate: &Expr, conditions: &[&Expr], relation: RelationId) -> bool {
    match bare(predicate) {
        Expr::And(all) => all.iter().all(|part| implied(part, conditions, relation)),
        Expr::Between { expr, low, high, negated } => {
            let (below, above) = bounds(expr, low, high, *negated);
            let both = [&below, &above].map(|part| implied(part, conditions, relation));
            let whole = if *negated { both.contains(&true) } else { both == [true, true] };
            whole || conditions.iter().any(|condition| implies(condition, predicate, relation))
        }
        Expr::Or(any) => {
            any.iter().any(|part| implied(part, conditions, relation))
                || conditions.iter().any(|condition| implies(condition, predicate, relation))
        }
        predicate => {
            conditions.iter().any(|condition| implies(condition, predicate, relation))
                || excluded(predicate).is_some_and(|(own, values)| {
                    values
                        .iter()
                        .all(|value| implied(&compared(own, Op::NotEq, value.clone()), conditions, relation))
                })
        }
    }
}

/// The two comparisons of BETWEEN, of which both hold, or of NOT BETWEEN, of which one does.
fn bounds(expr: &Expr, low: &Expr, high: &Expr, negated: bool) -> (Expr, Expr) {
    let (first, last) = if negated { (Op::Lt, Op::Gt) } else { (Op::GtEq, Op::LtEq) };
    (compared(expr, first, low.clone()), compared(expr, last, high.clone()))
}

fn compared(expr: &Expr, op: Op, value: Expr) -> Expr {
    Expr::Binary { op, left: Box::new(expr.clone()), right: Box::new(value) }
}

/// The expression and the values that it differs from, for `x NOT IN (1, 2)` and `x <> ALL ('{1,2}')`.
fn excluded(condition: &Expr) -> Option<(&Expr, Cow<'_, [Expr]>)> {
    match condition {
        Expr::InList { expr, list, negated: true } => Some((expr, list.into())),
        Expr::Any { left, op: Op::NotEq, right, all: true } => Some((left, elements(right)?)),
        _ => None,
    }
}

/// SQLite's version of [`implied`]: each part of the predicate has to be one of the conditions, or an IS NOT
/// NULL on a column that a condition compares.
pub(crate) fn implied_as_written(predicate: &Expr, conditions: &[&Expr], relation: RelationId) -> bool {
    let is_it = |part: &Expr, condition: &Expr| {
        same(part, condition, relation) && are_spelled_alike(part, condition, Dialect::Sqlite)
    };
    // It reads `x = 1 OR x = 2` as `x IN (1, 2)`.
    let is_list = |part: &Expr, condition: &Expr| match (part, condition) {
        (Expr::InList { negated: false, .. }, Expr::Or(arms)) => {
            one_of(arms).is_some_and(|list| is_it(part, &list))
        }
        _ => false,
    };
    let written =
        |part: &Expr| conditions.iter().any(|condition| is_it(part, condition) || is_list(part, condition));
    match predicate {
        Expr::And(all) => all.iter().all(|part| implied_as_written(part, conditions, relation)),
        Expr::Or(any) => {
            written(predicate) || any.iter().any(|part| implied_as_written(part, conditions, relation))
        }
        Expr::Is { expr, test: Test::Null, negated: true } => {
            written(predicate) || conditions.iter().any(|condition| is_strict_in(condition, expr, relation))
        }
        other => written(other),
    }
}

/// Whether a condition implies a predicate of an index.
fn implies(condition: &Expr, predicate: &Expr, relation: RelationId) -> bool {
    let predicate = bare(predicate);
    if same(predicate, condition, relation) {
        return true;
    }
    match condition {
        // Every arm has to imply the predicate.
        Expr::Or(arms) => {
            return arms
                .iter()
                .all(|arm| implied(predicate, &arm.conjuncts().iter().collect::<Vec<_>>(), relation));
        }
        Expr::And(all) => return all.iter().any(|part| implies(part, predicate, relation)),
        Expr::Between { expr, low, high, negated } => {
            let (below, above) = bounds(expr, low, high, *negated);
            let both = [below, above];
            let mut each = both.iter().map(|part| implies(part, predicate, relation));
            return match (negated, predicate) {
                // Each bound implies one of those of the other.
                (false, Expr::Between { .. }) => implied(predicate, &both.each_ref(), relation),
                (false, _) => each.any(|it| it),
                (true, _) => each.all(|it| it),
            };
        }
        _ => {}
    }
    if let Some((own, values)) = excluded(condition)
        && values.iter().any(|value| implies(&compared(own, Op::NotEq, value.clone()), predicate, relation))
    {
        return true;
    }
    match predicate {
        Expr::Between { expr, low, high, negated } => {
            let (below, above) = bounds(expr, low, high, *negated);
            let both = [below, above].map(|part| implies(condition, &part, relation));
            if *negated { both.contains(&true) } else { both == [true, true] }
        }
        Expr::Is { expr, test: Test::Null, negated: true } => is_strict_in(condition, expr, relation),
        Expr::Is { expr, test: Test::Null, negated: false } => {
            matches!(condition, Expr::Is { expr: e, test: Test::Null, negated: false } if same(expr, e, relation))
        }
        Expr::Column(_) => truth_of(condition, predicate, relation, as_boolean) == Some(true),
        Expr::Not(inner) => truth_of(condition, inner, relation, as_boolean) == Some(false),
        Expr::Or(any) => {
            any.iter().any(|part| implies(condition, part, relation))
                || one_of(any).is_some_and(|list| implies(condition, &list, relation))
        }
        Expr::InList { .. } | Expr::Any { .. } | Expr::Binary { .. } => {
            let (Some((pe, pvalues)), Some((ce, cvalues))) = (value_set(predicate), value_set(condition))
            else {
                return ranges_imply(condition, predicate, relation)
                    || excludes(condition, predicate, relation)
                    || is_weaker(predicate, condition, relation)
                    || each_implies(condition, predicate, relation)
                    || matches!(predicate, Expr::Binary { op: Op::Eq, left, right }
                        if is_truth(condition, left, right, relation));
            };
            same(pe, ce, relation) && cvalues.iter().all(|c| pvalues.iter().any(|p| same(p, c, relation)))
        }
        _ => false,
    }
}

/// `x = 1 OR x = 2` as `x IN (1, 2)`.
fn one_of(arms: &[Expr]) -> Option<Expr> {
    let mut list = Vec::new();
    let mut own: Option<&Expr> = None;
    for arm in arms {
        let (expr, values) = value_set(arm)?;
        if own.is_some_and(|own| own != expr) {
            return None;
        }
        own = Some(expr);
        list.extend(values.iter().cloned());
    }
    Some(Expr::InList { expr: Box::new(own?.clone()), list, negated: false })
}

/// The constants that a condition restricts an expression to.
fn value_set(condition: &Expr) -> Option<(&Expr, Cow<'_, [Expr]>)> {
    let constant = |expr: &Expr| matches!(bare(expr), Expr::Literal(literal) if *literal != Literal::Null);
    let (expr, values): (&Expr, Cow<'_, [Expr]>) = match condition {
        Expr::Binary { op: Op::Eq, left, right } if constant(right) => {
            (left, std::slice::from_ref(right.as_ref()).into())
        }
        Expr::Binary { op: Op::Eq, left, right } if constant(left) => {
            (right, std::slice::from_ref(left.as_ref()).into())
        }
        Expr::InList { expr, list, negated: false } => (expr, list.into()),
        Expr::Any { left, op: Op::Eq, right, all: false } => (left, elements(right)?),
        _ => return None,
    };
    values.iter().all(constant).then_some((expr, values))
}

/// `x IN (5, 6)` implies `x > 3`: each of its values does.
fn each_implies(condition: &Expr, predicate: &Expr, relation: RelationId) -> bool {
    let is_list = matches!(condition, Expr::InList { .. } | Expr::Any { .. });
    value_set(condition).filter(|_| is_list).is_some_and(|(own, values)| {
        let mut equal = values.iter().map(|value| compared(own, Op::Eq, value.clone()));
        equal.all(|equal| ranges_imply(&equal, predicate, relation))
    })
}

/// `x = 'a'` and `x IN ('a', 'b')` imply `x <> 'c'`.
fn excludes(condition: &Expr, predicate: &Expr, relation: RelationId) -> bool {
    let Expr::Binary { op: Op::NotEq, left, right } = predicate else { return false };
    let (own, excluded) = match (text(left), text(right)) {
        (None, Some(excluded)) => (left, excluded),
        (Some(excluded), None) => (right, excluded),
        _ => return false,
    };
    value_set(condition).is_some_and(|(expr, values)| {
        same(own, expr, relation)
            && values.iter().all(|value| text(value).is_some_and(|value| value != excluded))
    })
}

/// Whether the same two sides are compared less strictly: `x < y` implies `x <= y` and `x <> y`, of whatever type they are.
fn is_weaker(predicate: &Expr, condition: &Expr, relation: RelationId) -> bool {
    let (Expr::Binary { op, left, right }, Expr::Binary { op: other, left: first, right: second }) =
        (predicate, condition)
    else {
        return false;
    };
    let other = if same(left, first, relation) && same(right, second, relation) {
        other.clone()
    } else if same(left, second, relation) && same(right, first, relation) {
        other.flipped()
    } else {
        return false;
    };
    matches!(
        (other, op),
        (Op::Lt, Op::LtEq | Op::NotEq) | (Op::Gt, Op::GtEq | Op::NotEq) | (Op::Eq, Op::LtEq | Op::GtEq)
    )
}

fn text(expr: &Expr) -> Option<&str> {
    match bare(expr) {
        Expr::Literal(Literal::Text(text)) => Some(text),
        _ => None,
    }
}

/// `x > 5` implies `x > 3`; numbers only.
fn ranges_imply(condition: &Expr, predicate: &Expr, relation: RelationId) -> bool {
    let (Some((p, p_op, p_value)), Some((c, c_op, c_value))) = (range(predicate), range(condition)) else {
        return false;
    };
    same(p, c, relation)
        && match (&p_op, &c_op) {
            (Op::Gt, Op::Gt | Op::GtEq | Op::Eq) if c_op != Op::Gt => c_value > p_value,
            (Op::Gt | Op::GtEq, Op::Gt | Op::GtEq | Op::Eq) => c_value >= p_value,
            (Op::Lt, Op::Lt | Op::LtEq | Op::Eq) if c_op != Op::Lt => c_value < p_value,
            (Op::Lt | Op::LtEq, Op::Lt | Op::LtEq | Op::Eq) => c_value <= p_value,
            (Op::NotEq, Op::Eq) => c_value != p_value,
            (Op::NotEq, Op::Gt) => c_value >= p_value,
            (Op::NotEq, Op::GtEq) => c_value > p_value,
            (Op::NotEq, Op::Lt) => c_value <= p_value,
            (Op::NotEq, Op::LtEq) => c_value < p_value,
            _ => false,
        }
}

/// An expression compared with a number: the expression, the operator and the number.
fn range(condition: &Expr) -> Option<(&Expr, Op, f64)> {
    let Expr::Binary { op, left, right } = condition else { return None };
    match (number(left), number(right)) {
        (None, Some(n)) => Some((left, op.clone(), n)),
        (Some(n), None) => Some((right, op.flipped(), n)),
        _ => None,
    }
}

fn number(expr: &Expr) -> Option<f64> {
    match bare(expr) {
        Expr::Literal(Literal::Number(text)) => text.parse().ok(),
        Expr::Literal(Literal::Text(text)) => text.parse().ok().or_else(|| moment(text)),
        Expr::Unary { op, expr } if op == "-" => number(expr).map(|n| -n),
        _ => None,
    }
}

/// A date, or a date and a time without a zone, as a number of the same order.
fn moment(text: &str) -> Option<f64> {
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00:00"));
    let has_form = |text: &str, form: &str| {
        text.len() == form.len()
            && text
                .bytes()
                .zip(form.bytes())
                .all(|(a, b)| if b == b'0' { a.is_ascii_digit() } else { a == b })
    };
    let is_moment = has_form(date, "0000-00-00") && has_form(time, "00:00:00");
    let digits: String = date.chars().chain(time.chars()).filter(char::is_ascii_digit).collect();
    is_moment.then(|| digits.parse().ok())?
}

fn boolean_of(expr: &Expr) -> Option<bool> {
    match bare(expr) {
        Expr::Literal(Literal::Bool(value)) => Some(*value),
        Expr::Literal(Literal::Number(text)) if text == "1" => Some(true),
        Expr::Literal(Literal::Number(text)) if text == "0" => Some(false),
        _ => None,
    }
}

/// The boolean that a constant is where it is compared with one: `'t'` as well.
fn as_boolean(expr: &Expr) -> Option<bool> {
    boolean_of(expr).or_else(|| match text(expr)?.trim().to_ascii_lowercase().as_str() {
        "t" | "true" | "y" | "yes" | "on" | "1" => Some(true),
        "f" | "false" | "n" | "no" | "off" | "0" => Some(false),
        _ => None,
    })
}

/// Whether a condition says that a boolean has the value of a constant. `'t'` may be a text, unless the condition
/// takes the other side for a boolean.
fn is_truth(condition: &Expr, own: &Expr, value: &Expr, relation: RelationId) -> bool {
    let (truth, read): (_, fn(&Expr) -> Option<bool>) = match boolean_of(value) {
        Some(truth) => (Some(truth), as_boolean),
        None => (as_boolean(value), boolean_of),
    };
    truth.is_some() && truth_of(condition, own, relation, read) == truth
}

/// The value of a boolean index expression that follows from a condition, whose constants `read` reads. PostgreSQL infers
/// nothing from `IS TRUE`.
fn truth_of(
    condition: &Expr,
    own: &Expr,
    relation: RelationId,
    read: fn(&Expr) -> Option<bool>,
) -> Option<bool> {
    match condition {
        Expr::Not(inner) if same(own, inner, relation) => Some(false),
        Expr::Binary { op: Op::Eq, left, right } if same(own, left, relation) => read(right),
        Expr::Binary { op: Op::Eq, left, right } if same(own, right, relation) => read(left),
        Expr::Binary { op: Op::NotEq, left, right } if same(own, left, relation) => read(right).map(|b| !b),
        // A list of one is a comparison.
        Expr::InList { expr, list, negated: false } if same(own, expr, relation) => match list.as_slice() {
            [only] => read(only),
            _ => None,
        },
        other if same(own, other, relation) => Some(true),
        _ => None,
    }
}

/// Whether a condition implies that `own` is not NULL: it applies a strict operator to it.
fn is_strict_in(condition: &Expr, own: &Expr, relation: RelationId) -> bool {
    let here = |expr: &Expr| strict_value(expr, own, relation);
    match condition {
        Expr::Binary { op, left, right } => {
            !matches!(op, Op::Same | Op::NotSame) && (here(left) || here(right))
        }
        Expr::InList { expr, negated: false, .. } | Expr::InQuery { expr, negated: false, .. } => here(expr),
        Expr::Any { left, right, all: false, .. } => here(left) || here(right),
        Expr::Between { expr, low, high, negated: false } => here(expr) || here(low) || here(high),
        Expr::Like { expr, .. } => here(expr),
        Expr::Is { expr, test: Test::Null, negated: true } => here(expr),
        Expr::Is { expr, test: Test::True | Test::False, negated: false } => here(expr),
        Expr::Not(inner) => here(inner) || is_strict_in(inner, own, relation),
        other => same(own, other, relation),
    }
}

/// Whether an expression is NULL whenever `own` is.
fn strict_value(expr: &Expr, own: &Expr, relation: RelationId) -> bool {
    if same(own, expr, relation) {
        return true;
    }
    match expr {
        Expr::Cast { expr, .. } | Expr::Collate { expr, .. } | Expr::Unary { expr, .. } => {
            strict_value(expr, own, relation)
        }
        Expr::Binary { op, left, right } if !matches!(op, Op::Same | Op::NotSame) => {
            strict_value(left, own, relation) || strict_value(right, own, relation)
        }
        Expr::Call(call)
            if matches!(
                call.name.as_str(),
                "lower" | "upper" | "length" | "abs" | "date" | "trim" | "btrim"
            ) =>
        {
            call.args.iter().any(|arg| strict_value(arg, own, relation))
        }
        _ => false,
    }
}
