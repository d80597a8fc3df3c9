//! Edits that add words to a query: ALL to UNION, an order before LIMIT, LIMIT at the end, the names of columns for `*`. If the
//! place cannot be found, there is no edit.
//!
//! Each replaces a token by that token with more words, so that it is found again in an escaped or divided text.

use std::ops::Range;

use super::clause::Text;
use crate::finding::{Applicability, Finding};
use crate::lints::QueryContext;

/// The tokens `UNION` of a query that are followed by no ALL.
pub(in crate::lints) fn unions(context: &QueryContext<'_>) -> Vec<Range<usize>> {
    let text = Text::new(context.sql, context.dialect);
    let is_plain = |at: &usize| text.is(*at, "union") && !text.is(at + 1, "all");
    let tokens = (0..text.tokens.len()).filter(is_plain);
    // `UNION DISTINCT` is the same, in more words.
    let last = |at: usize| if text.is(at + 1, "distinct") { at + 1 } else { at };
    tokens.filter_map(|at| text.span(at, last(at))).collect()
}

/// Adds edits that make each of these a `UNION ALL`, in its own case.
pub(in crate::lints) fn keep_duplicates(
    finding: Finding,
    context: &QueryContext<'_>,
    unions: Vec<Range<usize>>,
) -> Finding {
    unions.into_iter().fold(finding, |finding, span| {
        let written = context.sql.get(span.clone()).unwrap_or_default();
        let is_lower = written.starts_with('u');
        finding.edit(span, if is_lower { "union all" } else { "UNION ALL" }, Applicability::Machine)
    })
}

/// Adds an edit that orders the rows by `keys` before the LIMIT whose number is at a byte.
pub(in crate::lints) fn order(
    finding: Finding,
    context: &QueryContext<'_>,
    number: usize,
    keys: &str,
) -> Finding {
    let text = Text::new(context.sql, context.dialect);
    let limit = text.token_at(number).and_then(|at| at.checked_sub(1)).filter(|at| text.is(*at, "limit"));
    let Some(span) = limit.and_then(|at| text.span(at, at)) else { return finding };
    let written = text.slice(span.clone());
    let order = if written.starts_with('l') { "order by" } else { "ORDER BY" };
    // Which rows are meant is for the author to say.
    finding.edit(span, format!("{order} {keys} {written}"), Applicability::Maybe)
}

/// Adds an edit that ends the query in `LIMIT 1`.
pub(in crate::lints) fn only_first(finding: Finding, context: &QueryContext<'_>) -> Finding {
    let text = Text::new(context.sql, context.dialect);
    let last = (0..text.tokens.len()).rev().find(|at| !text.is(*at, ";"));
    let Some(span) = last.and_then(|at| text.span(at, at)) else { return finding };
    let written = text.slice(span.clone());
    finding.edit(span, format!("{written} LIMIT 1"), Applicability::Machine)
}

/// Adds an edit that names the columns in the place of the `*` at a byte, if it is the whole SELECT list.
pub(in crate::lints) fn names(
    finding: Finding,
    context: &QueryContext<'_>,
    star: usize,
    columns: &str,
) -> Finding {
    let text = Text::new(context.sql, context.dialect);
    let Some(at) = text.token_at(star) else { return finding };
    let is_alone =
        at.checked_sub(1).is_some_and(|before| text.is(before, "select")) && text.is(at + 1, "from");
    match text.span(at, at).filter(|_| is_alone) {
        // Those that nobody reads are among them.
        Some(span) => finding.edit(span, columns, Applicability::Maybe),
        None => finding,
    }
}
