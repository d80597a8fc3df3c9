//! What a loop goes through: `FOREACH x IN ARRAY ..`, `FOR x IN 1..3`, `FOR x IN SELECT unnest(..)`.

use super::cursor::Cursor;
use crate::sql::Dialect;

/// Before an array whose elements are meant.
pub(crate) const SPREAD: &str = "VARIADIC ";

/// The variable of a loop, and its values.
pub(super) struct Over {
    pub(super) variable: String,
    /// The values as expressions; `VARIADIC x` stands for the elements of `x`, which may be unknown.
    pub(super) items: Vec<String>,
    /// The columns of rows of several values.
    pub(super) columns: Vec<String>,
}

/// The variable of `FOR` and `FOREACH`, and its values as expressions.
pub(super) fn elements(head: &str, dialect: Dialect) -> Option<Over> {
    let mut cursor = Cursor::new(head, dialect);
    cursor.take_any(&["foreach", "for"])?;
    let variable = cursor.name().ok()?;
    let known = numbers(head).map(|items| (items, Vec::new())).or_else(|| listed(cursor));
    // Values that are not known.
    let (items, columns) = known.unwrap_or_else(|| (vec![SPREAD.to_owned()], Vec::new()));
    Some(Over { variable, items, columns })
}

/// Whether the body of a loop, from `start` up to the current token, ends an iteration or the loop early: how often its
/// statements run is not known then.
pub(super) fn is_left(cursor: &Cursor<'_>, start: usize) -> bool {
    const LEAVES: [&str; 5] = ["exit", "continue", "leave", "iterate", "return"];
    const BEFORE: [&str; 8] = [";", ">>", "then", "else", "loop", "do", "repeat", "begin"];
    let mut body = cursor.clone();
    (start..cursor.at).any(|at| {
        body.at = at;
        LEAVES.iter().any(|word| body.is(word)) && {
            body.at = at.saturating_sub(1);
            BEFORE.iter().any(|word| body.now().eq_ignore_ascii_case(word))
        }
    })
}

/// The most iterations of a loop that are run one by one.
pub(crate) const MOST_TURNS: usize = 64;

/// The values of `FOR x IN 1..3`, and of `FOR x IN REVERSE 3..1`, which counts downwards from the first number.
fn numbers(head: &str) -> Option<Vec<String>> {
    let (first, last) = head.split_once("..")?;
    let mut words = first.split_whitespace().rev();
    let first: i64 = words.next()?.parse().ok()?;
    let before = words.next()?;
    let last: i64 = last.trim().parse().ok()?;
    if before.eq_ignore_ascii_case("reverse") {
        Some(series(last, first)?.into_iter().rev().collect())
    } else if before.eq_ignore_ascii_case("in") {
        series(first, last)
    } else {
        None
    }
}

/// The numbers from one to another, if there are few.
fn series(first: i64, last: i64) -> Option<Vec<String>> {
    let turns: Vec<String> = (first..=last).take(MOST_TURNS + 1).map(|turn| turn.to_string()).collect();
    (turns.len() <= MOST_TURNS).then_some(turns)
}

/// Reads what follows the variable: an array, or a query whose rows are written in it, and nothing else.
fn listed(mut cursor: Cursor<'_>) -> Option<(Vec<String>, Vec<String>)> {
    if cursor.take("in array") {
        let start = cursor.at;
        cursor.skip_all();
        return Some((vec![format!("{SPREAD}{}", cursor.source(start, cursor.at))], Vec::new()));
    }
    cursor.take("in").then_some(())?;
    let inner = in_parentheses(&mut cursor);
    let mut cursor = inner.filter(|_| cursor.done()).unwrap_or(cursor);
    let cursor = &mut cursor;
    let rows = if cursor.is("values") {
        (values(cursor)?, Vec::new())
    } else {
        cursor.take("select").then_some(())?;
        let items = match called(cursor) {
            Some(items) => (items, Vec::new()),
            None => selected(cursor)?,
        };
        alias(cursor);
        items
    };
    cursor.done().then_some(rows)
}

/// The content of parentheses, consumed.
fn in_parentheses<'t>(cursor: &mut Cursor<'t>) -> Option<Cursor<'t>> {
    if !cursor.is_symbol("(") {
        return None;
    }
    let start = cursor.at + 1;
    cursor.skip();
    Some(Cursor::new(cursor.source(start, cursor.at.saturating_sub(1)), cursor.dialect))
}

/// Reads `VALUES (..), (..)`: each row as it is written.
fn values(cursor: &mut Cursor<'_>) -> Option<Vec<String>> {
    cursor.take("values").then_some(())?;
    let mut items = Vec::new();
    while cursor.is_symbol("(") {
        let start = cursor.at + 1;
        cursor.skip();
        items.push(cursor.source(start, cursor.at - 1).to_owned());
        cursor.take_symbol(",");
    }
    (!items.is_empty()).then_some(items)
}

/// Reads `unnest(array)` or `generate_series(1, 3)`.
fn called(cursor: &mut Cursor<'_>) -> Option<Vec<String>> {
    let is_series = cursor.is("generate_series");
    if !is_series && !cursor.is("unnest") || cursor.text_ahead(1) != "(" {
        return None;
    }
    cursor.at += 1;
    let start = cursor.at + 1;
    cursor.skip();
    let inside = cursor.source(start, cursor.at.saturating_sub(1));
    if is_series {
        let (first, last) = inside.split_once(',')?;
        return series(first.trim().parse().ok()?, last.trim().parse().ok()?);
    }
    let mut one = Cursor::new(inside, cursor.dialect);
    while !one.done() && !one.is_symbol(",") {
        one.skip();
    }
    one.done().then(|| vec![format!("{SPREAD}{inside}")])
}

/// Reads columns by their names and the FROM that gives them: a function, or VALUES with names for its columns.
fn selected(cursor: &mut Cursor<'_>) -> Option<(Vec<String>, Vec<String>)> {
    let mut chosen = 0;
    let mut is_all = false;
    loop {
        if cursor.take_symbol("*") {
            is_all = true;
        } else {
            cursor.written().ok()?;
            if cursor.take("as") {
                cursor.name().ok()?;
            }
        }
        chosen += 1;
        if !cursor.take_symbol(",") {
            break;
        }
    }
    cursor.take("from").then_some(())?;
    if let Some(items) = called(cursor) {
        return (chosen == 1).then_some((items, Vec::new()));
    }
    let items = values(&mut in_parentheses(cursor)?)?;
    let _ = cursor.take("as");
    cursor.name().ok()?;
    let columns = if cursor.is_symbol("(") { cursor.names().ok()? } else { Vec::new() };
    // Other names than those of the columns are not followed.
    (is_all || chosen == columns.len()).then_some((items, columns))
}

/// Skips `AS x (n)`.
fn alias(cursor: &mut Cursor<'_>) {
    let _ = cursor.take("as");
    if super::column::at_name(cursor)
        && !["where", "order", "limit", "join"].iter().any(|word| cursor.is(word))
    {
        cursor.skip();
        if cursor.is_symbol("(") {
            cursor.skip();
        }
    }
}
