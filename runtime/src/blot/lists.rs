//! Lists of values, whose length is irrelevant to the identity of a statement: those after `IN` and `ARRAY`, and the rows
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
        } else if word.eq_ignore_ascii_case("ARRAY") {
            match values_in(list, ['[', ']']) {
                Some(end) => ("[…]", end),
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
        if !matches!(kept, " (…)" | "[…]") {
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
pub(super) fn push(shorter: &mut String, part: &str, follows_list: bool) {
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
pub(super) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
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
    values_in(text, ['(', ')'])
}

/// The same between brackets of any kind.
fn values_in(text: &str, [opens, closes]: [char; 2]) -> Option<usize> {
    let start = text.len() - text.trim_start().len();
    let open = text.get(start..)?.strip_prefix(opens)?;
    let mut at = 0;
    loop {
        let rest = open.get(at..)?;
        let item = rest.len() - rest.trim_start().len() + at;
        at = match list_of_values(open.get(item..)?) {
            Some(row) if is_shallow(open.get(item..item + row)?) => item + row,
            Some(_) => return None,
            None => item + value(open.get(item..)?, DEEPEST)?,
        };
        let rest = open.get(at..)?;
        at += rest.len() - rest.trim_start().len();
        match open.get(at..)?.chars().next()? {
            ',' => at += 1,
            c if c == closes => return Some(start + 1 + at + 1),
            _ => return None,
        }
    }
}

/// Whether a row contains no other row: lists are no deeper than rows in a list.
fn is_shallow(row: &str) -> bool {
    row.matches('(').count() - row.matches("()").count() == 1
}

/// How deep calls in a value may be nested.
const DEEPEST: usize = 8;

/// Words that are values.
const CONSTANTS: [&str; 9] = [
    "NULL",
    "DEFAULT",
    "TRUE",
    "FALSE",
    "CURRENT_TIMESTAMP",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "LOCALTIMESTAMP",
    "LOCALTIME",
];

/// The length of a value, which depends on no row: a placeholder, a literal or a word that is one, with its cast; a call with
/// values; and what operators make of such.
fn value(text: &str, deepest: usize) -> Option<usize> {
    let mut end = operand(text, deepest)?;
    loop {
        let rest = text.get(end..)?.trim_start();
        let Some(operator) = ["||", "+", "-", "*", "/", "%"].iter().find(|sign| rest.starts_with(**sign))
        else {
            return Some(end);
        };
        let behind = rest.get(operator.len()..)?.trim_start();
        end = text.len() - behind.len() + operand(behind, deepest)?;
    }
}

fn operand(text: &str, deepest: usize) -> Option<usize> {
    let is_of_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    if let Some(negated) = text.strip_prefix(['-', '+']) {
        return Some(1 + operand(negated, deepest)?);
    }
    if text.starts_with(['?', '$', ':', '@']) {
        let end = text.find([',', '(', ')', '[', ']', ' ']).unwrap_or(text.len());
        // The length of a type that it is cast to.
        let of_type = text
            .get(end..)?
            .strip_prefix('(')
            .filter(|_| text.get(..end).is_some_and(|it| it.contains("::")));
        return Some(end + of_type.and_then(|inside| inside.find(')')).map_or(0, |close| close + 2));
    }
    let end = text.find(|c| !is_of_word(c)).filter(|end| *end > 0)?;
    let (word, rest) = (text.get(..end)?, text.get(end..)?);
    match rest.chars().next()? {
        // `x'ff'`, `E'..'`
        '?' => Some(end + operand(rest, deepest)?),
        '(' => Some(end + arguments(rest, deepest.checked_sub(1)?)?),
        ' ' if !CONSTANTS.iter().any(|constant| word.eq_ignore_ascii_case(constant)) => typed(text),
        _ => CONSTANTS.iter().any(|constant| word.eq_ignore_ascii_case(constant)).then_some(end),
    }
}

/// The length of a literal behind the words of its type: `DATE '..'`, `INTERVAL 1 DAY`.
fn typed(text: &str) -> Option<usize> {
    let (words, literal) = (text.get(..text.find('?')?)?, text.find('?')?);
    let is_type = words.split_ascii_whitespace().count() <= 4
        && words.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '_'))
        && words.ends_with(' ');
    let is_interval = words.trim_end().eq_ignore_ascii_case("INTERVAL");
    let behind = text.get(literal + 1..)?;
    let unit = match behind.strip_prefix(' ').filter(|_| is_interval) {
        Some(unit) => 1 + unit.find(|c: char| !c.is_alphabetic() && c != '_').unwrap_or(unit.len()),
        None => 0,
    };
    is_type.then_some(literal + 1 + if unit > 1 { unit } else { 0 })
}

/// The end of the arguments of a call that are all values, after its parenthesis; the type of a cast is one of them.
fn arguments(text: &str, deepest: usize) -> Option<usize> {
    if text.starts_with("()") {
        return Some(2);
    }
    let mut at = 1;
    loop {
        at += value(text.get(at..)?, deepest)?;
        let rest = text.get(at..)?;
        if let Some(of_type) =
            rest.get(..4).filter(|word| word.eq_ignore_ascii_case(" AS ")).and(rest.get(4..))
        {
            let end = of_type.find([')', '('])?;
            let length = of_type.get(end..)?.strip_prefix('(').and_then(|inside| inside.find(')'));
            at += 4 + end + length.map_or(0, |close| close + 2);
        }
        match text.get(at..)?.chars().next()? {
            ',' => at += 1 + text.get(at + 1..)?.len() - text.get(at + 1..)?.trim_start().len(),
            ')' => return Some(at + 1),
            _ => return None,
        }
    }
}

/// The end of the first row of values, and of the last one that follows it.
fn rows(text: &str) -> Option<(usize, usize)> {
    let first = row(text)?;
    let mut end = first;
    while let Some(next) = text.get(end..).and_then(|rest| rest.trim_start().strip_prefix(',')) {
        let start = text.len() - next.len();
        match row(next) {
            Some(length) => end = start + length,
            None => break,
        }
    }
    Some((first, end))
}

/// The end of one row; on MySQL it may begin with `ROW`.
fn row(text: &str) -> Option<usize> {
    let rest = text.trim_start();
    let has_word = rest.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("ROW("));
    let start = text.len() - rest.len() + if has_word { 3 } else { 0 };
    Some(start + list_of_values(text.get(start..)?)?)
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
            ("a IN (CAST(? AS DECIMAL(9, 2)), CAST(? AS INT))", Some("a IN (…)")),
            ("a IN ($1::numeric(9, 2), $2::numeric(9, 2))", Some("a IN (…)")),
            ("a IN (lower(?), lower(trim(?, -?)))", Some("a IN (…)")),
            ("a IN (DATE ?, TIMESTAMP WITH TIME ZONE ?, x?, E?)", Some("a IN (…)")),
            ("a IN (CURRENT_DATE - INTERVAL ? DAY, now() + interval ?)", Some("a IN (…)")),
            ("a = ANY(ARRAY[$1, $2]::int[]) AND b = $3", Some("a = ANY(ARRAY[…]::int[]) AND b = ?")),
            ("a = ANY(ARRAY[b, c])", None),
            ("a && ARRAY[]", None),
            ("VALUES ROW(?, ?), ROW(?, ?)", Some("VALUES ROW(?, ?), …")),
            (
                "INSERT INTO t VALUES (?, lower(?)), (?, lower(?))",
                Some("INSERT INTO t VALUES (?, lower(?)), …"),
            ),
            ("a IN (b ? ?, c)", None),
            ("a IN (b + ?)", None),
            ("a IN (lower(b))", None),
            ("a IN (CAST(b AS INT))", None),
            ("a IN (f(f(f(f(f(f(f(f(f(?))))))))))", None),
            ("a IN (?,", None),
            ("a IN (f(?", None),
            ("a IN (? +", None),
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
