//! SQL without the values in it, for text that is put together at run time.

/// The statement on one line, each string and number in it replaced by `?`.
///
/// This is for people and for telling statements apart, not for a database: what is not understood as a literal stays
/// only when it cannot hold one.
pub(crate) fn without_literals(sql: &str) -> String {
    let mut blotted = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if first.is_whitespace() => {
                if !blotted.ends_with(' ') && !blotted.is_empty() {
                    blotted.push(' ');
                }
                rest = rest.trim_start();
                continue;
            }
            '\'' => quoted(rest, '\''),
            // Names, on PostgreSQL and SQLite; on MySQL these may be strings.
            '"' => quoted(rest, '"'),
            '$' => dollar_quoted(rest),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            _ if first.is_ascii_digit() => number(rest),
            _ if part_of_word(first) => word(rest),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at_checked(length.max(1)).unwrap_or((rest, ""));
        rest = after;
        let is_comment = token.starts_with("--") || token.starts_with("/*");
        let is_literal = token.starts_with(|c: char| c == '\'' || c == '"' || c.is_ascii_digit())
            || (token.starts_with('$') && token.len() > 1 && !is_placeholder(token));
        match () {
            () if is_comment => {}
            () if is_literal => blotted.push('?'),
            () => blotted.push_str(token),
        }
    }
    blotted.truncate(blotted.trim_end().len());
    blotted
}

fn part_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn word(text: &str) -> usize {
    text.find(|c: char| !part_of_word(c) && c != '$').unwrap_or(text.len())
}

fn number(text: &str) -> usize {
    text.find(|c: char| !part_of_word(c) && c != '.').unwrap_or(text.len())
}

/// The length of a quoted text: to the quote that is neither doubled nor behind a backslash, or to the end.
fn quoted(text: &str, quote: char) -> usize {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => drop(characters.next()),
            _ if c == quote => match characters.peek() {
                Some((_, next)) if *next == quote => drop(characters.next()),
                _ => return at + c.len_utf8(),
            },
            _ => {}
        }
    }
    text.len()
}

/// The length of `$tag$ .. $tag$`, or of a placeholder.
fn dollar_quoted(text: &str) -> usize {
    let tag_end = text.char_indices().skip(1).find(|(_, c)| !part_of_word(*c));
    let Some((end, '$')) = tag_end else {
        return tag_end.map_or(text.len(), |(end, _)| end);
    };
    let (tag, body) = text.split_at(end + 1);
    body.find(tag).map_or(text.len(), |close| tag.len() + close + tag.len())
}

fn is_placeholder(token: &str) -> bool {
    token.bytes().skip(1).all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_and_names_stay() {
        for (sql, expected) in [
            ("SELECT a1 FROM t\n  WHERE b = 'x''y' AND c = 12.5e3", "SELECT a1 FROM t WHERE b = ? AND c = ?"),
            ("SELECT $1, $2::int4, $$a secret$$, $t$one $x$ more$t$", "SELECT $1, $2::int4, ?, ?"),
            ("UPDATE t SET a = 'it\\'s', b = x'ff' -- mine", "UPDATE t SET a = ?, b = x?"),
            ("SELECT /* secret */ 0xff, -1, ?1, :name", "SELECT ?, -?, ??, :name"),
            ("INSERT INTO t VALUES ('open", "INSERT INTO t VALUES (?"),
            ("SELECT 'é' || 'ü', tablé.ünd", "SELECT ? || ?, tablé.ünd"),
            ("$", "$"),
            ("", ""),
        ] {
            assert_eq!(without_literals(sql), expected, "{sql}");
        }
    }
}
