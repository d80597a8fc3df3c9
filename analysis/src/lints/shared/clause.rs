//! Edits of one clause of a query: a name, a condition of WHERE, a subquery. If the clause cannot be
//! delimited, there is no edit.

use std::ops::Range;

use crate::finding::{Applicability, Finding};
use crate::lints::QueryContext;
use crate::sql::Dialect;
use crate::sql::expr::Expr;
use crate::sql::lex::{Lexer, Token, TokenKind, text_at, unquote};
use crate::sql::query::Query;
use crate::sql::quote::quote_if_needed;
use crate::types;

/// Words that end a condition of WHERE.
const ENDS: [&str; 16] = [
    "and",
    "or",
    "group",
    "having",
    "window",
    "order",
    "limit",
    "offset",
    "fetch",
    "for",
    "returning",
    "union",
    "intersect",
    "except",
    "on",
    "lock",
];

/// Whether a word or sign is between the sides of a comparison.
fn is_comparison(word: &str) -> bool {
    matches!(word, "=" | "<" | ">" | "<=" | ">=" | "<>" | "!=" | "==")
        || ["between", "in", "is", "like", "ilike", "not"].iter().any(|it| word.eq_ignore_ascii_case(it))
}

/// Adds an edit that replaces `name`, if the excerpt ends in it.
pub(in crate::lints) fn rename(
    finding: Finding,
    context: &QueryContext<'_>,
    name: &str,
    other: &str,
) -> Finding {
    let last = name.rsplit('.').next().unwrap_or(name);
    let Some(span) = finding.excerpt.as_ref().map(|excerpt| excerpt.span.clone()) else { return finding };
    let text = Text::new(context.sql, context.dialect);
    let named = text.tokens.iter().rfind(|token| {
        let range = token.span.range();
        let is_name = matches!(token.kind, TokenKind::Word | TokenKind::Name);
        let written = context.sql.get(range.clone()).unwrap_or_default();
        is_name
            && span.start <= range.start
            && range.end <= span.end
            && unquote(written, context.dialect).eq_ignore_ascii_case(last)
    });
    let Some(range) = named.map(|token| token.span.range()) else { return finding };
    finding.edit(range, quote_if_needed(other, context.dialect), Applicability::Maybe)
}

/// Adds an edit that replaces a condition of a WHERE, one of its conjuncts, by `rewrite`. `anchor` is a byte
/// inside the condition.
pub(in crate::lints) fn replace_condition(
    finding: Finding,
    context: &QueryContext<'_>,
    query: &Query,
    (condition, anchor): (&Expr, usize),
    rewrite: &str,
    applicability: Applicability,
) -> Finding {
    let text = Text::new(context.sql, context.dialect);
    let Some(span) = text.condition_at(anchor) else { return finding };
    let mut edited = context.sql.to_owned();
    edited.replace_range(span.clone(), rewrite);
    let Ok(after) = crate::sql::resolve(&edited, context.dialect, context.schema) else { return finding };
    if !keeps_the_others(query, &after, condition) {
        return finding;
    }
    match keeps_the_types(context, query, &after) {
        Some(true) => finding.edit(span, rewrite, applicability),
        // A macro would ask for arguments of other types.
        Some(false) => finding.edit(span, rewrite, applicability.max(Applicability::Maybe)),
        None => finding,
    }
}

/// Whether a query with one condition rewritten has the same types of parameters; `None` if the database would refuse
/// it, or if a parameter would have to be passed twice.
fn keeps_the_types(context: &QueryContext<'_>, before: &Query, after: &Query) -> Option<bool> {
    if after.parameters != before.parameters || after.problems.len() > before.problems.len() {
        return None;
    }
    let Some(schema) = context.schema else { return Some(true) };
    let was = context.types(before, schema);
    let is = types::describe_planned(after, schema, context.dialect, types::Planned::Never);
    if is.errors.len() > was.errors.len() {
        return None;
    }
    let of = |described: &types::Described| {
        described.parameters.iter().map(|it| it.ty.known().cloned()).collect::<Vec<_>>()
    };
    Some(of(was) == of(&is))
}

/// Whether all other conditions of the clause are unchanged after `condition` is rewritten.
fn keeps_the_others(query: &Query, after: &Query, condition: &Expr) -> bool {
    if after.blocks.len() != query.blocks.len() {
        return false;
    }
    query.written_blocks().any(|(id, block)| {
        let before = block.filters();
        let Some(at) = before.iter().position(|filter| std::ptr::eq(filter, condition)) else { return false };
        let after = after.block(id).filters();
        let behind = before.len() - at - 1;
        after.len() >= before.len()
            && after.get(..at) == before.get(..at)
            && after.get(after.len() - behind..) == before.get(at + 1..)
    })
}

/// The tokens of a query.
pub(in crate::lints) struct Text<'t> {
    sql: &'t str,
    pub(in crate::lints) tokens: Vec<Token>,
}

impl<'t> Text<'t> {
    pub(in crate::lints) fn new(sql: &'t str, dialect: Dialect) -> Text<'t> {
        Text { sql, tokens: Lexer::new(sql, dialect).collect() }
    }

    /// The text in a range of bytes.
    pub(in crate::lints) fn slice(&self, range: Range<usize>) -> &'t str {
        self.sql.get(range).unwrap_or_default()
    }

    /// The text of a token; empty if there is none.
    pub(in crate::lints) fn at(&self, at: usize) -> &'t str {
        text_at(self.sql, &self.tokens, at)
    }

    /// Whether a token is this keyword or symbol, in any case.
    pub(in crate::lints) fn is(&self, at: usize, word: &str) -> bool {
        self.at(at).eq_ignore_ascii_case(word)
    }

    /// The token that contains a byte.
    pub(in crate::lints) fn token_at(&self, byte: usize) -> Option<usize> {
        let after = self.tokens.partition_point(|token| token.span.range().start <= byte);
        let at = after.checked_sub(1)?;
        (byte < self.tokens.get(at)?.span.range().end).then_some(at)
    }

    /// The bytes from one token to another, unless a comment is among them.
    pub(in crate::lints) fn span(&self, first: usize, last: usize) -> Option<Range<usize>> {
        let span = self.tokens.get(first)?.span.range().start..self.tokens.get(last)?.span.range().end;
        let has_comment = ["--", "/*", "#"].iter().any(|sign| self.slice(span.clone()).contains(sign));
        (!has_comment).then_some(span)
    }

    /// The last token before a byte that is this word, outside of brackets that close before the byte.
    pub(in crate::lints) fn word_before(&self, byte: usize, word: &str) -> Option<usize> {
        let mut depth = 0_usize;
        let end = self.tokens.partition_point(|token| token.span.range().start < byte);
        (0..end).rev().find(|at| {
            match self.at(*at) {
                ")" => depth += 1,
                "(" => depth = depth.saturating_sub(1),
                _ => return depth == 0 && self.is(*at, word),
            }
            false
        })
    }

    /// The parenthesis that closes the one at a token.
    pub(in crate::lints) fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        (open..self.tokens.len()).find(|at| {
            match self.at(*at) {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        })
    }

    /// The side of a comparison that contains a byte, with all of its brackets and casts.
    pub(in crate::lints) fn side_at(&self, byte: usize) -> Option<Range<usize>> {
        let anchor = self.token_at(byte)?;
        let condition = self.condition_at(byte)?;
        let (mut first, mut last) =
            (self.token_at(condition.start)?, self.token_at(condition.end.checked_sub(1)?)?);
        // Brackets around the condition are none of its sides'.
        while self.is(first, "(") && self.closing(first) == Some(last) && first < anchor && anchor < last {
            (first, last) = (first + 1, last - 1);
        }
        let mut depth = 0_usize;
        let (mut start, mut end) = (first, last);
        for at in first..=last {
            match self.at(at) {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                word if depth == 0 && is_comparison(word) => {
                    if at > anchor {
                        end = at.checked_sub(1)?;
                        break;
                    }
                    start = at + 1;
                }
                _ => {}
            }
        }
        (start <= anchor && anchor <= end).then(|| self.span(start, end)).flatten()
    }

    /// The side of a comparison that does not contain a byte; `None` unless the condition is one comparison
    /// of two values.
    pub(in crate::lints) fn other_side_at(&self, byte: usize) -> Option<Range<usize>> {
        let own = self.side_at(byte)?;
        let condition = self.condition_at(byte)?;
        let mut depth = 0_usize;
        let is_outside = |at: &usize| {
            match self.at(*at) {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                word => return depth == 0 && is_comparison(word),
            }
            false
        };
        let tokens = self.token_at(condition.start)?..=self.token_at(condition.end.checked_sub(1)?)?;
        let signs: Vec<usize> = tokens.clone().filter(is_outside).collect();
        let [sign] = signs.as_slice() else { return None };
        if self.at(*sign).starts_with(char::is_alphabetic) {
            return None;
        }
        let is_left = own.end <= self.tokens.get(*sign)?.span.range().start;
        if is_left {
            self.span(sign + 1, *tokens.end())
        } else {
            self.span(*tokens.start(), sign.checked_sub(1)?)
        }
    }

    /// The condition around a byte: from the WHERE or AND before it to the next word that ends it.
    pub(in crate::lints) fn condition_at(&self, byte: usize) -> Option<Range<usize>> {
        let anchor = self.token_at(byte)?;
        // Parentheses that open before the anchor and close after it.
        let (mut open, mut depth) = (0_usize, 0_usize);
        let mut first = anchor;
        while !(depth == 0 && ["where", "and"].iter().any(|word| self.is(first.wrapping_sub(1), word))) {
            first = first.checked_sub(1)?;
            match self.at(first) {
                ")" | "]" => depth += 1,
                "(" | "[" if depth > 0 => depth -= 1,
                "(" | "[" => open += 1,
                _ => {}
            }
        }
        let mut last = anchor;
        let mut is_between = false;
        while last + 1 < self.tokens.len() {
            let next = last + 1;
            match self.at(next) {
                "(" | "[" => depth += 1,
                ")" | "]" if depth > 0 => depth -= 1,
                ")" | "]" if open > 0 => open -= 1,
                ")" | "]" | ";" => break,
                word if depth == 0 && open == 0 => {
                    let lower = word.to_ascii_lowercase();
                    match lower.as_str() {
                        "between" => is_between = true,
                        "and" if is_between => is_between = false,
                        _ if ENDS.contains(&lower.as_str()) => break,
                        _ => {}
                    }
                }
                _ => {}
            }
            last = next;
        }
        if open == 0 { self.span(first, last) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks that what is found around `|` is the text between `[` and `]`.
    #[track_caller]
    fn check(marked: &str, find: impl Fn(&Text<'_>, usize) -> Option<Range<usize>>) {
        let plain = |text: &str| text.replace(['[', ']', '|'], "");
        let sql = plain(marked);
        let at = |mark| plain(marked.split(mark).next().unwrap_or_default()).len();
        let found = find(&Text::new(&sql, Dialect::Postgres), at('|'));
        assert_eq!(found, Some(at('[')..at(']')), "{marked}");
    }

    #[track_caller]
    fn check_condition(marked: &str) {
        check(marked, |text, at| text.condition_at(at));
    }

    #[track_caller]
    fn check_side(marked: &str) {
        check(marked, |text, at| text.side_at(at));
    }

    #[test]
    fn a_condition_is_told_from_those_beside_it() {
        check_condition("SELECT 1 FROM t WHERE [date(|a) = $1]");
        check_condition("SELECT 1 FROM t WHERE b = 1 AND [date(t.|a) = (1 + 2)] AND c = 1 ORDER BY a");
        check_condition("SELECT 1 FROM t WHERE (b = 1 AND [date(|a) BETWEEN $1 AND $2]) AND c = 1");
        check_condition("SELECT 1 FROM t WHERE x IN (SELECT 1 WHERE [|a::date = $1]) LIMIT 1");
        check_condition("DELETE FROM t WHERE [$1 = date(|a)] RETURNING a;");
        check_condition("SELECT 1 FROM t WHERE b BETWEEN 1 AND 2 AND [|a + 1 = $1] FOR UPDATE");
    }

    #[test]
    fn a_side_has_all_of_its_brackets() {
        check_side("SELECT 1 FROM t WHERE [date(|a)] = $1");
        check_side("SELECT 1 FROM t WHERE b = 1 AND $1 <= [lower(trim(|a))] AND c = 1");
        check_side("SELECT 1 FROM t WHERE ([substr(|a, 1, (2))] = $1)");
        check_side("SELECT 1 FROM t WHERE [CAST(|a AS date)] BETWEEN $1 AND $2");
        check_side("SELECT 1 FROM t WHERE [|a::date] IN ($1) ORDER BY a");
        check_side("SELECT 1 FROM t WHERE [extract(year FROM |a)] = $1 OR b");
        check_side("SELECT 1 FROM t WHERE [(|a + 1)] > $1 LIMIT 1");
    }

    #[test]
    fn the_other_side_is_what_a_column_is_compared_with() {
        let check_other = |marked: &str| check(marked, |text, at| text.other_side_at(at));
        check_other("SELECT 1 FROM t WHERE date(|a) = [$1::date] AND b = 2");
        check_other("SELECT 1 FROM t WHERE [now() - interval '1 day'] >= date(|a)");
        check_other("SELECT 1 FROM t WHERE |a::date < [(o.b = 1)::int] LIMIT 1");
        let text = Text::new("SELECT 1 FROM t WHERE date(a) BETWEEN 1 AND 2", Dialect::Postgres);
        assert_eq!(text.other_side_at(27), None);
    }

    #[test]
    fn a_comment_is_not_lost() {
        let sql = "SELECT 1 FROM t WHERE date(a) /* the day */ = $1";
        assert_eq!(Text::new(sql, Dialect::Postgres).condition_at(27), None);
    }
}
