//! The fixed text at the start of a pattern, by which an index in byte order is searched.

use crate::sql::Dialect;
use crate::sql::expr::{Expr, LikeKind, Literal, Op};

/// What is known of a pattern when the query is planned.
enum Pattern {
    /// The text, or its start.
    Text(String),
    /// A value that is known by then, whatever it is.
    Given,
    /// PostgreSQL: begun by a parameter. Plans made for its value know it, and the server keeps to these where the plan for
    /// any value is far dearer.
    Parameter,
    /// PostgreSQL: begun by a text, with a parameter behind it.
    Begun(String),
    Unknown,
}

/// Whether a pattern starts with fixed text, so that it defines a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Fixed,
    /// That depends on the value of a parameter.
    Parameter,
    None,
}

/// How a pattern starts.
pub(super) fn start(pattern: &Expr, kind: LikeKind, dialect: Dialect) -> Start {
    let is_fixed = match read(pattern, dialect) {
        Pattern::Text(text) => starts_fixed(&text, kind),
        Pattern::Given => kind == LikeKind::Like,
        // What ignores case is rarely searched for digits.
        Pattern::Parameter if !matches!(kind, LikeKind::ILike | LikeKind::IRegex) => return Start::Parameter,
        Pattern::Begun(text) if starts_fixed(&text, kind) => return Start::Parameter,
        Pattern::Begun(_) | Pattern::Parameter | Pattern::Unknown => false,
    };
    if is_fixed { Start::Fixed } else { Start::None }
}

/// Whether a parameter begins a text that PostgreSQL computes before it makes a plan for its value.
pub(super) fn is_given(text: &Expr) -> bool {
    matches!(begun(text), Pattern::Parameter)
}

/// Whether a pattern is known to start with fixed text.
pub(super) fn has_fixed_start(pattern: &Expr, kind: LikeKind, dialect: Dialect) -> bool {
    start(pattern, kind, dialect) == Start::Fixed
}

fn read(pattern: &Expr, dialect: Dialect) -> Pattern {
    let mysql = dialect == Dialect::MySql;
    match pattern.without_casts() {
        Expr::Collate { expr, .. } if mysql => read(expr, dialect),
        Expr::Literal(Literal::Text(text)) => Pattern::Text(text.clone()),
        // MySQL knows the values of parameters when it plans.
        Expr::Parameter(_) | Expr::Literal(Literal::Number(_)) if mysql => Pattern::Given,
        Expr::Call(call) if mysql && call.name == "concat" => {
            let mut parts = call.args.iter().map(|part| read(part, dialect));
            let is_fixed = |part: &Pattern| !matches!(part, Pattern::Text(text) if text.is_empty());
            parts.find(is_fixed).unwrap_or(Pattern::Unknown)
        }
        // SQLite looks at the expression as it is written.
        whole if dialect == Dialect::Postgres => match folded(whole) {
            Some(text) => Pattern::Text(text),
            None => begun(whole),
        },
        _ => Pattern::Unknown,
    }
}

/// The start of a text that PostgreSQL computes of parameters before it makes a plan for their values.
fn begun(expr: &Expr) -> Pattern {
    fn first(expr: &Expr) -> Pattern {
        match expr.without_casts() {
            Expr::Literal(Literal::Text(text)) if !text.is_empty() => Pattern::Begun(text.clone()),
            Expr::Parameter(_) => Pattern::Parameter,
            Expr::Binary { op: Op::Concat, left, .. } => first(left),
            Expr::Call(call) => match call.args.first().map(first) {
                Some(Pattern::Parameter) => Pattern::Parameter,
                _ => Pattern::Unknown,
            },
            _ => Pattern::Unknown,
        }
    }
    let is_later = |part: &Expr| match part {
        Expr::Literal(_) | Expr::Parameter(_) | Expr::Cast { .. } | Expr::Binary { op: Op::Concat, .. } => {
            false
        }
        Expr::Call(call) => !IMMUTABLE.contains(&call.name.as_str()) || !call.may_be_built_in(),
        _ => true,
    };
    if expr.any(is_later) { Pattern::Unknown } else { first(expr) }
}

/// Functions of texts that are evaluated before planning; `concat` and `format` are not, as they may depend on settings.
const IMMUTABLE: &[&str] =
    &["btrim", "coalesce", "left", "lower", "ltrim", "regexp_replace", "replace", "rtrim", "trim", "upper"];

/// The text that PostgreSQL makes of constants before it plans.
fn folded(expr: &Expr) -> Option<String> {
    match expr.without_casts() {
        Expr::Literal(Literal::Text(text)) => Some(text.clone()),
        Expr::Binary { op: Op::Concat, left, right } => Some(folded(left)? + &folded(right)?),
        _ => None,
    }
}

fn starts_fixed(text: &str, kind: LikeKind) -> bool {
    let mut characters = text.chars();
    // What ignores case ends at the first letter.
    let is_fixed =
        |c: char, any_case: bool| c == '_' || if any_case { c.is_numeric() } else { c.is_alphanumeric() };
    match kind {
        LikeKind::Regex | LikeKind::IRegex => {
            characters.next() == Some('^')
                && characters.next().is_some_and(|c| is_fixed(c, kind == LikeKind::IRegex))
                && !characters.next().is_some_and(|c| matches!(c, '*' | '?' | '{'))
                && !text.contains('|')
        }
        LikeKind::Similar => {
            characters.next().is_some_and(|c| c.is_alphanumeric() || c == '-')
                && !characters.next().is_some_and(|c| matches!(c, '*' | '?' | '{'))
                && !text.contains('|')
        }
        LikeKind::Glob => characters.next().is_some_and(|c| !matches!(c, '*' | '?' | '[')),
        LikeKind::Like => characters.next().is_some_and(|c| !matches!(c, '%' | '_')),
        LikeKind::ILike => {
            characters.next().is_some_and(|c| !matches!(c, '%' | '_' | '\\') && !c.is_alphabetic())
        }
    }
}

/// SQLite: whether the text before the first wildcard, or the text that follows it in order, is a number. LIKE and
/// GLOB have different wildcards.
pub(super) fn starts_like_a_number(pattern: &Expr, kind: LikeKind) -> bool {
    let Expr::Literal(Literal::Text(text)) = pattern else { return false };
    let wildcards: &[char] = if kind == LikeKind::Glob { &['*', '?', '['] } else { &['%', '_'] };
    let start = text.split(wildcards).next().unwrap_or_default();
    let is_number = |text: &str| text.trim().parse::<f64>().is_ok_and(f64::is_finite);
    let mut next = start.to_owned();
    let last = next.pop().and_then(|last| char::from_u32(last as u32 + 1));
    next.extend(last);
    is_number(start) || start == "-" || is_number(&next)
}

/// Whether a constant pattern only matches its own text.
pub(super) fn is_whole(pattern: &Expr, kind: LikeKind) -> bool {
    let Some(text) = folded(pattern) else { return false };
    match kind {
        LikeKind::Like => !text.contains(['%', '_', '\\']),
        LikeKind::ILike => !text.contains(['%', '_', '\\']) && !text.contains(char::is_alphabetic),
        LikeKind::Regex => text
            .strip_prefix('^')
            .and_then(|text| text.strip_suffix('$'))
            .is_some_and(|text| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')),
        LikeKind::Similar => {
            !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | ' '))
        }
        LikeKind::IRegex | LikeKind::Glob => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_a_pattern_starts_with() {
        use LikeKind::{Glob, Like};
        // As SQLite 3.40 searches an index of a column without a type.
        for (text, kind, expect) in [
            ("5%", Like, true),
            ("5_a", Like, true),
            ("5*%", Like, false),
            ("5[%", Like, false),
            ("5?a%", Like, false),
            ("-%", Like, true),
            ("-*", Like, false),
            ("5*", Glob, true),
            ("5[ab]", Glob, true),
            ("5%*", Glob, false),
            ("5_*", Glob, false),
            ("/*", Glob, true),
        ] {
            let pattern = Expr::Literal(Literal::Text(text.to_owned()));
            assert_eq!(starts_like_a_number(&pattern, kind), expect, "{text}");
        }
    }

    #[test]
    fn texts_that_a_pattern_starts_with() {
        use LikeKind::{ILike, IRegex, Like, Regex, Similar};
        // As PostgreSQL 15 searches an index of `text_pattern_ops`.
        for (text, kind, fixed) in [
            ("a%", Like, true),
            ("%a", Like, false),
            ("_a", Like, false),
            ("a%", ILike, false),
            ("12a%", ILike, true),
            ("^ab", Regex, true),
            ("ab", Regex, false),
            ("^a*b", Regex, false),
            ("^ab*", Regex, true),
            ("^a|b", Regex, false),
            ("^ab", IRegex, false),
            ("^12", IRegex, true),
            ("a%", Similar, true),
            ("a|b", Similar, false),
        ] {
            assert_eq!(starts_fixed(text, kind), fixed, "{text}");
        }
        let text = |text: &str| Expr::Literal(Literal::Text(text.to_owned()));
        assert!(
            is_whole(&text("abc"), Like) && !is_whole(&text("a_c"), Like) && !is_whole(&text("abc"), ILike)
        );
        assert!(is_whole(&text("^abc$"), Regex) && !is_whole(&text("^abc"), Regex));
        assert!(is_whole(&text("c50"), Similar) && !is_whole(&text("c5_"), Similar));
    }
}
