//! Lists of values, whose length is irrelevant to the identity of a statement: those after `IN`, and the rows
//! of `VALUES`.

/// The statement with its lists of values shortened; `None` if it has none. Placeholders after a list lose
/// their numbers, which depend on its length.
pub(super) fn collapsed(text: &str) -> Option<String> {
    let mut shorter = String::new();
    let mut done = 0;
    for (at, word) in words(text) {
        if at < done {
            continue;
        }
        let behind = at + word.len();
        let list = text.get(behind..).unwrap_or_default();
        let (kept, end) = if word.eq_ignore_ascii_case("IN") {
            match list_of_values(list) {
                Some(end) => (" (…)", end),
                None => continue,
            }
        } else if word.eq_ignore_ascii_case("VALUES") {
            match rows(list) {
                Some((first, all)) if all > first => (list.get(..first).unwrap_or_default(), all),
                _ => continue,
            }
        } else {
            continue;
        };
        push(&mut shorter, text.get(done..behind).unwrap_or_default(), done > 0);
        push(&mut shorter, kept, done > 0);
        if kept != " (…)" {
            shorter.push_str(", …");
        }
        done = behind + end;
    }
    (done > 0).then(|| {
        push(&mut shorter, text.get(done..).unwrap_or_default(), true);
        shorter
    })
}

/// Appends a part of the statement; numbered placeholders lose their numbers if they follow a list.
fn push(shorter: &mut String, part: &str, follows_list: bool) {
    let mut is_numbered = false;
    for c in part.chars() {
        if is_numbered && c.is_ascii_digit() {
            continue;
        }
        is_numbered = follows_list && matches!(c, '$' | '?');
        shorter.push(if is_numbered { '?' } else { c });
    }
}

/// The words of a text, with their positions.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '"' | '`' | '.');
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        let start = at + rest.find(is_part)?;
        let rest = text.get(start..)?;
        let word = rest.get(..rest.find(|c| !is_part(c)).unwrap_or(rest.len()))?;
        at = start + word.len();
        Some((start, word))
    })
}

/// The end of a list that only contains values, and rows of them, after its closing parenthesis.
fn list_of_values(text: &str) -> Option<usize> {
    let start = text.len() - text.trim_start().len();
    let open = text.get(start..)?.strip_prefix('(')?;
    let mut at = 0;
    loop {
        let rest = open.get(at..)?;
        let item = rest.len() - rest.trim_start().len() + at;
        at = match list_of_values(open.get(item..)?) {
            Some(row) if is_shallow(open.get(item..item + row)?) => item + row,
            Some(_) => return None,
            None => item + value(open.get(item..)?)?,
        };
        let rest = open.get(at..)?;
        at += rest.len() - rest.trim_start().len();
        match open.get(at..)?.chars().next()? {
            ',' => at += 1,
            ')' => return Some(start + 1 + at + 1),
            _ => return None,
        }
    }
}

/// Whether a row contains no other row: lists are no deeper than rows in a list.
fn is_shallow(row: &str) -> bool {
    row.matches('(').count() - row.matches("()").count() == 1
}

/// The length of a value: a placeholder, a number or a word that is one, with its cast; or a call without arguments.
fn value(text: &str) -> Option<usize> {
    let end = text.find([',', '(', ')', ' ']).unwrap_or(text.len());
    let item = text.get(..end)?;
    if text.get(end..)?.starts_with("()") {
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
        return (!item.is_empty() && item.chars().all(is_name)).then_some(end + 2);
    }
    let is_value = item.starts_with(['?', '$', ':', '@', '-'])
        || ["NULL", "DEFAULT", "TRUE", "FALSE"].iter().any(|word| item.eq_ignore_ascii_case(word));
    is_value.then_some(end)
}

/// The end of the first row of values, and of the last one that follows it.
fn rows(text: &str) -> Option<(usize, usize)> {
    let first = list_of_values(text)?;
    let mut end = first;
    while let Some(next) = text.get(end..).and_then(|rest| rest.trim_start().strip_prefix(',')) {
        let start = text.len() - next.len();
        match list_of_values(next) {
            Some(length) => end = start + length,
            None => break,
        }
    }
    Some((first, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_any_length_are_one_statement() {
        for (text, expected) in [
            ("SELECT a FROM t WHERE id IN (?, ?, ?)", Some("SELECT a FROM t WHERE id IN (…)")),
            ("SELECT a FROM t WHERE id IN ($1)", Some("SELECT a FROM t WHERE id IN (…)")),
            ("a IN ($1, $2) AND b = $3 LIMIT $4", Some("a IN (…) AND b = ? LIMIT ?")),
            (
                "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4)",
                Some("INSERT INTO t (a, b) VALUES ($1, $2), …"),
            ),
            (
                "INSERT INTO t VALUES (?, ?), (?, ?) RETURNING a",
                Some("INSERT INTO t VALUES (?, ?), … RETURNING a"),
            ),
            ("(a, b) IN (($1, $2), ($3, $4)) AND c = $5", Some("(a, b) IN (…) AND c = ?")),
            ("(a, b) IN ((?, ?))", Some("(a, b) IN (…)")),
            ("INSERT INTO t VALUES ($1, now()), ($2, now())", Some("INSERT INTO t VALUES ($1, now()), …")),
            ("a IN (?::int, ?::int)", Some("a IN (…)")),
            ("a IN (((?)))", None),
            ("a IN ()", None),
            ("a IN (?, f(b))", None),
            ("a IN (?, b + 1)", None),
            ("INSERT INTO t VALUES (?, ?)", None),
            ("a IN (SELECT b FROM c)", None),
            ("a IN (b, c)", None),
            ("min (?, ?)", None),
            ("IN", None),
            ("IN (", None),
        ] {
            assert_eq!(collapsed(text).as_deref(), expected, "{text}");
        }
    }
}
