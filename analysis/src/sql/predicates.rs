//! Comparison of conditions: which are equal, and which imply which.

mod implication;
mod intervals;
mod promoted;

use std::borrow::Cow;

pub(crate) use self::implication::{implied, implied_as_written};
pub(crate) use self::promoted::with_casts;
use super::expr::{Call, ColumnRef, Expr, Literal, Op, Test};
use super::query::RelationId;
use super::{Dialect, type_names};

/// Whether an expression is volatile: its value changes between rows or calls, so that no index can be
/// searched for it.
pub(crate) fn is_volatile(expr: &Expr) -> bool {
    expr.any(|e| {
        matches!(e, Expr::Call(call) if matches!(
            call.name.as_str(),
            "random" | "rand" | "nextval" | "gen_random_uuid" | "uuid" | "uuid_generate_v4" | "clock_timestamp"
                | "timeofday" | "setval" | "randomblob" | "random_normal" | "gen_random_bytes" | "uuidv4" | "uuidv7"
                | "uuid_generate_v1" | "uuid_generate_v1mc" | "uuid_generate_v7" | "uuid_short" | "uuid_v7"
        ))
    })
}

/// Whether an expression has the same value in all rows that satisfy `conditions`: each of its columns equals
/// a constant.
pub(crate) fn is_fixed(expr: &Expr, conditions: &[Expr]) -> bool {
    // Several values may be equal under a collation.
    let one_value =
        |e: &Expr| e.is_constant() && !is_volatile(e) && !e.any(|part| matches!(part, Expr::Collate { .. }));
    let fixes = |column: &ColumnRef, condition: &Expr| match condition {
        Expr::Binary { op: Op::Eq, left, right } => {
            (left.as_column() == Some(column) && one_value(right))
                || (right.as_column() == Some(column) && one_value(left))
        }
        Expr::InList { expr, list, negated: false } => {
            expr.as_column() == Some(column) && list.len() == 1 && list.iter().all(one_value)
        }
        Expr::Column(fixed) => fixed == column,
        Expr::Not(inner) => inner.as_column() == Some(column),
        Expr::Is { expr, test: Test::Null | Test::True | Test::False, negated: false } => {
            expr.as_column() == Some(column)
        }
        _ => false,
    };
    let varies = |e: &Expr| match e {
        Expr::Column(column) => !conditions.iter().any(|condition| fixes(column, condition)),
        Expr::WholeRow(_) => true,
        Expr::Call(call) => call.window,
        other => other.own_subquery().is_some(),
    };
    !is_volatile(expr) && !expr.any(varies)
}

/// Whether `own`, an index expression over its table, says what `other` says, an expression over `relation`: the sides of
/// comparisons and the parts of AND and OR may be in another order.
///
/// Ignores casts that do not affect the comparison: databases add them when they print an expression.
pub(crate) fn same(own: &Expr, other: &Expr, relation: RelationId) -> bool {
    if equal(own, other, relation) {
        return true;
    }
    match (bare(own), without_literal_casts(other)) {
        (Expr::Binary { op: a, left: al, right: ar }, Expr::Binary { op: b, left: bl, right: br }) => {
            a.is_comparison() && a.flipped() == *b && equal(al, br, relation) && equal(ar, bl, relation)
        }
        (Expr::And(a), Expr::And(b)) | (Expr::Or(a), Expr::Or(b)) => {
            a.len() == b.len() && a.iter().all(|x| b.iter().any(|y| same(x, y, relation)))
        }
        (Expr::Not(a), Expr::Not(b)) => same(a, b, relation),
        _ => false,
    }
}

/// Whether `own`, an index expression over its table, is written as `other`, an expression over `relation`.
fn equal(own: &Expr, other: &Expr, relation: RelationId) -> bool {
    if let (Some(own), Some(other)) = (intervals::interval(own), intervals::interval(other)) {
        return own == other;
    }
    if let (Expr::Cast { expr: a, ty: at }, Expr::Cast { expr: b, ty: bt }) = (own, other)
        && type_names::are_one(at, bt)
    {
        return equal(a, b, relation);
    }
    let (own, other) = (bare(own), without_literal_casts(other));
    match (own, other) {
        (Expr::Column(a), Expr::Column(b)) => a.name == b.name && b.relation == Some(relation),
        (Expr::Literal(a), Expr::Literal(b)) => same_literal(a, b),
        (Expr::Call(a), Expr::Call(b)) => {
            let are_same = if takes_text(&a.name) { all_same_texts } else { all_same };
            a.name == b.name && a.window == b.window && are_same(&a.args, &b.args, relation)
        }
        (Expr::Binary { op: a, left: al, right: ar }, Expr::Binary { op: b, left: bl, right: br }) => {
            // Behind these is an array, which may be written with blanks.
            let is_path = matches!(a, Op::Other(op) if matches!(op.as_str(), "#>" | "#>>"));
            let are_one_path = || {
                let (one, other) = elements(ar).zip(elements(br))?;
                Some(all_same(&one, &other, relation))
            };
            a == b
                && equal(al, bl, relation)
                && (equal(ar, br, relation) || is_path && are_one_path() == Some(true))
        }
        (
            Expr::Like { expr: ae, pattern: ap, kind: ak, negated: an },
            Expr::Like { expr: be, pattern: bp, kind: bk, negated: bn },
        ) => ak == bk && an == bn && equal(ae, be, relation) && equal(ap, bp, relation),
        (Expr::Is { expr: a, test: at, negated: an }, Expr::Is { expr: b, test: bt, negated: bn }) => {
            at == bt && an == bn && equal(a, b, relation)
        }
        (Expr::Call(call), Expr::Cast { expr, ty }) | (Expr::Cast { expr, ty }, Expr::Call(call)) => {
            let is_own = matches!(own, Expr::Call(_));
            casts_to(call).is_some_and(|to| type_names::are_one(to, ty))
                && !call.window
                && matches!(call.args.as_slice(), [argument]
                    if if is_own { equal(argument, expr, relation) } else { equal(expr, argument, relation) })
        }
        // MySQL: `j -> '$.a'` is short for the call.
        (Expr::Call(call), Expr::Binary { op: Op::Other(op), left, right })
            if op == "->" && call.name == "json_extract" =>
        {
            matches!(call.args.as_slice(), [document, path]
                if equal(document, left, relation) && equal(path, right, relation))
        }
        (Expr::Binary { op: Op::Other(op), left, right }, Expr::Call(call))
            if op == "->" && call.name == "json_extract" =>
        {
            matches!(call.args.as_slice(), [document, path]
                if equal(left, document, relation) && equal(right, path, relation))
        }
        (Expr::And(a), Expr::And(b)) | (Expr::Or(a), Expr::Or(b)) => all_same(a, b, relation),
        (Expr::Not(a), Expr::Not(b)) => equal(a, b, relation),
        (Expr::Row(a), Expr::Row(b)) | (Expr::Array(a), Expr::Array(b)) => all_same(a, b, relation),
        (Expr::Array(list), Expr::Literal(_)) => {
            elements(other).is_some_and(|other| all_same(list, &other, relation))
        }
        (Expr::Literal(_), Expr::Array(list)) => {
            elements(own).is_some_and(|own| all_same(&own, list, relation))
        }
        (Expr::Unary { op: a, expr: ae }, Expr::Unary { op: b, expr: be }) => {
            a == b && equal(ae, be, relation)
        }
        (Expr::Cast { expr: a, ty: at }, Expr::Cast { expr: b, ty: bt }) => {
            type_names::are_one(at, bt) && equal(a, b, relation)
        }
        (
            Expr::Access { expr: a, field: af, subscripts: asub },
            Expr::Access { expr: b, field: bf, subscripts: bsub },
        ) => af == bf && equal(a, b, relation) && all_same(asub, bsub, relation),
        (Expr::Other { what: a, parts: ap }, Expr::Other { what: b, parts: bp }) => {
            a == b && all_same(ap, bp, relation)
        }
        (
            Expr::InList { expr: a, list: al, negated: an },
            Expr::InList { expr: b, list: bl, negated: bn },
        ) => an == bn && equal(a, b, relation) && all_same(al, bl, relation),
        (
            Expr::Between { expr: a, low: al, high: ah, negated: an },
            Expr::Between { expr: b, low: bl, high: bh, negated: bn },
        ) => an == bn && equal(a, b, relation) && equal(al, bl, relation) && equal(ah, bh, relation),
        (
            Expr::Any { left: a, op: ao, right: ar, all: aa },
            Expr::Any { left: b, op: bo, right: br, all: ba },
        ) => ao == bo && aa == ba && equal(a, b, relation) && equal(ar, br, relation),
        (
            Expr::Case { operand: a, arms: aa, otherwise: ao },
            Expr::Case { operand: b, arms: ba, otherwise: bo },
        ) => {
            same_option(a.as_deref(), b.as_deref(), relation)
                && same_option(ao.as_deref(), bo.as_deref(), relation)
                && aa.len() == ba.len()
                && aa.iter().zip(ba).all(|(x, y)| equal(&x.0, &y.0, relation) && equal(&x.1, &y.1, relation))
        }
        _ => false,
    }
}

/// Whether an index that stores `own` is searched for `other`. SQLite and MySQL compare the expressions as they are
/// written, so that a cast of a column to text tells them apart even where it changes nothing.
pub(crate) fn is_stored(own: &Expr, other: &Expr, relation: RelationId, dialect: Dialect) -> bool {
    equal(own, other, relation) && are_spelled_alike(own, other, dialect)
}

/// Whether two expressions that say the same are one to a database which compares them as they are written.
fn are_spelled_alike(own: &Expr, other: &Expr, dialect: Dialect) -> bool {
    dialect == Dialect::Postgres
        || text_casts(own) == text_casts(other)
            && words(own, dialect) == words(other, dialect)
            && (dialect != Dialect::Sqlite || cast_types(own) == cast_types(other))
}

/// The types in the casts of an expression as they are written: SQLite tells `INT` from `INTEGER`.
fn cast_types(expr: &Expr) -> Vec<&str> {
    let mut types = Vec::new();
    expr.walk(&mut |part| {
        if let Expr::Cast { ty, .. } = part {
            types.push(ty.as_str());
        }
    });
    types
}

/// The number of its constants that are the words TRUE and FALSE, and of its calls that may be casts or operators: SQLite
/// tells them from numbers, from `CAST` and from `->`.
fn words(expr: &Expr, dialect: Dialect) -> (usize, usize) {
    let is_told =
        |call: &Call| casts_to(call).is_some() || dialect == Dialect::Sqlite && call.name == "json_extract";
    let (mut truths, mut calls) = (0, 0);
    expr.walk(&mut |part| {
        truths += usize::from(matches!(part, Expr::Literal(Literal::Bool(_))));
        calls += usize::from(matches!(part, Expr::Call(call) if is_told(call)));
    });
    (truths, calls)
}

/// PostgreSQL: the type that a function casts its argument to, as `::type` does: `date(x)`. `app.date(x)` is
/// a function of the schema `app`, whatever its name.
fn casts_to(call: &Call) -> Option<&str> {
    let is_type = matches!(
        call.name.as_str(),
        "date"
            | "int2"
            | "int4"
            | "int8"
            | "float4"
            | "float8"
            | "numeric"
            | "text"
            | "timestamptz"
            | "timetz"
    );
    (call.may_be_built_in() && is_type).then_some(call.name.as_str())
}

/// How many columns an expression casts to text.
fn text_casts(expr: &Expr) -> usize {
    let mut count = 0;
    expr.walk(&mut |part| count += usize::from(!std::ptr::eq(as_text(part), part)));
    count
}

fn same_option(a: Option<&Expr>, b: Option<&Expr>, relation: RelationId) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => equal(a, b, relation),
        // Servers print an implicit ELSE NULL.
        (Some(only), None) | (None, Some(only)) => {
            matches!(only.without_casts(), Expr::Literal(Literal::Null))
        }
    }
}

fn all_same(a: &[Expr], b: &[Expr], relation: RelationId) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| equal(x, y, relation))
}

/// Like `all_same`, for arguments that are texts: a cast of a column to text is made anyway.
fn all_same_texts(a: &[Expr], b: &[Expr], relation: RelationId) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| equal(as_text(x), as_text(y), relation))
}

fn as_text(argument: &Expr) -> &Expr {
    match argument {
        Expr::Cast { expr, ty } if expr.as_column().is_some() && type_names::is_unlimited_text(ty) => expr,
        other => other,
    }
}

/// Whether a function has one form only, whose first argument is a text.
fn takes_text(function: &str) -> bool {
    matches!(
        function,
        "lower" | "upper" | "initcap" | "btrim" | "ltrim" | "rtrim" | "reverse" | "left" | "right"
    )
}

fn same_literal(a: &Literal, b: &Literal) -> bool {
    match (a, b) {
        (Literal::Number(a) | Literal::Text(a), Literal::Number(b) | Literal::Text(b)) => a == b,
        (Literal::Bool(a), Literal::Text(b) | Literal::Number(b))
        | (Literal::Text(b) | Literal::Number(b), Literal::Bool(a)) => {
            matches!(
                (a, b.to_lowercase().as_str()),
                (true, "t" | "true" | "1") | (false, "f" | "false" | "0")
            )
        }
        (a, b) => a == b,
    }
}

/// Removes casts to text from texts, and from columns for which `keeps_texts` says that the cast to a type has no effect.
pub(crate) fn drop_text_casts(expr: &mut Expr, keeps_texts: &dyn Fn(&ColumnRef, &str) -> bool) {
    if let Expr::Cast { expr: inner, ty } = expr
        && (inner.as_column().is_some_and(|column| keeps_texts(column, ty))
            || type_names::is_unlimited_text(ty) && gives_text(inner, &|column| keeps_texts(column, "text")))
    {
        *expr = std::mem::replace(inner.as_mut(), Expr::Row(Vec::new()));
        return;
    }
    let has_type_of_parts = takes_the_type_of_its_parts(expr);
    for child in expr.children_mut() {
        // There the cast decides the type of the whole.
        let is_kept =
            has_type_of_parts && matches!(child, Expr::Cast { expr, .. } if expr.as_column().is_some());
        if !is_kept {
            drop_text_casts(child, keeps_texts);
        }
    }
}

/// Whether the type of an expression is the one that its parts have in common.
fn takes_the_type_of_its_parts(expr: &Expr) -> bool {
    match expr {
        Expr::Call(call) => matches!(call.name.as_str(), "coalesce" | "greatest" | "least"),
        Expr::Case { .. } | Expr::Array(_) => true,
        _ => false,
    }
}

/// Removes casts of columns to the types that they have, which have no effect: `n::int` of an `integer` column. One to a
/// type without its length has none either.
pub(crate) fn drop_casts_to_own_type<'t>(expr: &mut Expr, type_of: &dyn Fn(&ColumnRef) -> Option<&'t str>) {
    if let Expr::Cast { expr: inner, ty } = expr
        && let Some(own) = inner.as_column().and_then(type_of)
        && (type_names::are_one(own, ty) || type_names::is_without_length(own, ty))
    {
        *expr = std::mem::replace(inner.as_mut(), Expr::Row(Vec::new()));
        return;
    }
    for child in expr.children_mut() {
        drop_casts_to_own_type(child, type_of);
    }
}

/// Whether an expression is of a type for which a cast to text has no effect.
fn gives_text(expr: &Expr, is_text: &dyn Fn(&ColumnRef) -> bool) -> bool {
    match expr {
        Expr::Call(call) if takes_the_type_of_its_parts(expr) => {
            call.args.iter().any(|argument| argument.as_column().is_some_and(is_text))
        }
        Expr::Binary { op: Op::Other(op), .. } => op == "->>" || op == "#>>",
        Expr::Call(call) => !call.window && (takes_text(&call.name) || call.name == "md5"),
        _ => false,
    }
}

/// Removes the casts that a database adds when it prints an expression: those of literals, and those between
/// text types. Whether a cast of a column matters depends on its type, which is known where an index is
/// prepared.
fn bare(expr: &Expr) -> &Expr {
    let mut expr = without_literal_casts(expr);
    while let Expr::Cast { expr: inner, ty } = expr {
        if !is_implicit(ty) || inner.as_column().is_some() {
            break;
        }
        expr = without_literal_casts(inner);
    }
    expr
}

/// The expression without casts of literals.
fn without_literal_casts(expr: &Expr) -> &Expr {
    match expr.without_casts() {
        inner @ (Expr::Literal(_) | Expr::Array(_) | Expr::Unary { .. }) => inner,
        _ => expr,
    }
}

/// Whether a text, or an array of texts, may be cast to a type where it is not written: one that shortens no text.
fn is_implicit(ty: &str) -> bool {
    let element = ty.trim_end_matches("[]");
    element == "bpchar" || type_names::is_unlimited_text(element)
}

/// The elements of a constant array: `ARRAY[1, 2]`, or `'{1,2}'` without quoting.
fn elements(array: &Expr) -> Option<Cow<'_, [Expr]>> {
    match bare(array) {
        Expr::Array(list) => Some(list.into()),
        Expr::Literal(Literal::Text(text)) => {
            let inner = text.strip_prefix('{')?.strip_suffix('}')?;
            let is_plain = !inner.contains(['"', '\\', '{', '}']);
            let element = |text: &str| Expr::Literal(Literal::Text(text.trim().to_owned()));
            is_plain.then(|| inner.split(',').map(element).collect::<Vec<Expr>>().into())
        }
        _ => None,
    }
}
