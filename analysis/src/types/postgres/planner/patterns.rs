//! How many rows the planner expects a constant pattern to match: it goes by the characters.

use super::super::folds::Text;
use super::estimate::{Leaf, OF_PATTERN};
use crate::sql::expr::{Expr, LikeKind};

const OF_CHARACTER: f64 = 0.2;
const OF_ANY_CHARACTER: f64 = 0.9;
const OF_ANY_TEXT: f64 = 5.0;
const LEAST: f64 = 0.0001;

/// The part of the rows that a pattern matches.
#[derive(Debug, PartialEq)]
pub(super) enum Part {
    /// Those with that text: it has no wildcard.
    Exact,
    Of(f64),
}

impl Leaf<'_> {
    /// The part of the rows that match a pattern; `None` if that is not known.
    pub(super) fn of_pattern(&self, expr: &Expr, pattern: &Expr, kind: LikeKind) -> Option<f64> {
        match self.folds.text(pattern) {
            Text::Is(text) => match of(&text, kind)? {
                Part::Exact => self.equal(expr, pattern),
                Part::Of(part) => Some(part),
            },
            Text::IsOpen => Some(OF_PATTERN),
            Text::IsUnknown => None,
        }
    }
}

/// What a pattern matches; `None` if that is not known.
pub(super) fn of(pattern: &str, kind: LikeKind) -> Option<Part> {
    let is_insensitive = match kind {
        LikeKind::Like => false,
        LikeKind::ILike => true,
        LikeKind::Glob | LikeKind::Regex | LikeKind::IRegex | LikeKind::Similar => return None,
    };
    let bytes = pattern.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let (byte, length) = match byte {
            b'%' | b'_' => break,
            b'\\' => (*bytes.get(at + 1)?, 2),
            byte => (*byte, 1),
        };
        // A letter of either case begins no range.
        if is_insensitive && (byte.is_ascii_alphabetic() || !byte.is_ascii()) {
            break;
        }
        at += length;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.is_empty() {
        return (!is_insensitive).then_some(Part::Exact);
    }
    let of_prefix = if at == 0 { 1.0 } else { OF_PATTERN };
    Some(Part::Of((of_prefix * of_rest(rest)).clamp(LEAST, 1.0 - LEAST)))
}

/// What the characters behind a prefix match. Those of several bytes count for several.
fn of_rest(pattern: &[u8]) -> f64 {
    let mut bytes = pattern.iter().skip_while(|byte| matches!(byte, b'%' | b'_'));
    let mut part = 1.0;
    while let Some(byte) = bytes.next() {
        part *= match byte {
            b'%' => OF_ANY_TEXT,
            b'_' => OF_ANY_CHARACTER,
            b'\\' if bytes.next().is_none() => break,
            _ => OF_CHARACTER,
        };
    }
    f64::min(part, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, kind: LikeKind, expected: Option<f64>) {
        let found = match of(pattern, kind) {
            Some(Part::Of(part)) => Some((part * 1e6).round() / 1e6),
            Some(Part::Exact) | None => None,
        };
        assert_eq!(found, expected, "{pattern}");
    }

    #[test]
    fn a_pattern_is_estimated_by_its_characters() {
        check("%x%", LikeKind::Like, Some(0.9999));
        check("%xyz%", LikeKind::Like, Some(0.04));
        check("%xyz", LikeKind::Like, Some(0.008));
        check("x%", LikeKind::Like, Some(0.005));
        check("x%y", LikeKind::Like, Some(0.001));
        check("x%", LikeKind::ILike, Some(0.9999));
        check("1%", LikeKind::ILike, Some(0.005));
        check("_\\%%", LikeKind::Like, Some(0.9999));
        check("x", LikeKind::Regex, None);
        assert_eq!(of("a\\_b", LikeKind::Like), Some(Part::Exact));
    }
}
