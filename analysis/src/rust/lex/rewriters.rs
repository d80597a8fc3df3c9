//! Functions of the project that write the placeholders of a text in another way, `?` as `$1`, and change nothing else: the text that
//! they are given is that of the query.

use super::tokens::{Token, TokenKind, tokens};

/// Methods and functions of the standard library by which a text is read and written again.
const READS: &[&str] = &[
    "Borrowed",
    "Owned",
    "Some",
    "any",
    "as_bytes",
    "as_str",
    "bytes",
    "char_indices",
    "chars",
    "contains",
    "enumerate",
    "find",
    "format",
    "from",
    "into",
    "into_owned",
    "is_empty",
    "is_some",
    "len",
    "next",
    "new",
    "peek",
    "peekable",
    "push",
    "push_str",
    "replace",
    "replacen",
    "split",
    "to_owned",
    "to_string",
    "with_capacity",
    "write",
];

/// The functions of these texts that only rewrite placeholders, by name. A name that another function has as well is none.
pub(super) fn rewriters<'t>(texts: &[&'t str]) -> Vec<&'t str> {
    let mut found: Vec<&str> =
        texts.iter().filter(|text| may_have_one(text)).flat_map(|text| of_text(text)).collect();
    let is_alone = |name: &&str| {
        let head = format!("fn {name}");
        let declared = texts.iter().flat_map(|text| text.match_indices(&head).map(move |(at, _)| (text, at)));
        let declared = declared.filter(|(text, at)| {
            let next = text.get(at + head.len()..).and_then(|rest| rest.chars().next());
            !next.is_some_and(|c| c.is_alphanumeric() || c == '_')
        });
        declared.count() == 1
    };
    found.retain(is_alone);
    found
}

/// A search that finds most texts to have none without reading their tokens.
fn may_have_one(text: &str) -> bool {
    text.contains('$') && ["'?'", "\"?\""].iter().any(|mark| text.contains(mark))
}

fn of_text(text: &str) -> Vec<&str> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    for (at, _) in tokens.iter().enumerate().filter(|(_, token)| token.is("fn")) {
        if let Some(name) = tokens.get(at + 1).filter(|name| name.kind == TokenKind::Word)
            && let Some(body) = body_of(&tokens, at + 2)
            && only_rewrites(body)
        {
            found.push(name.text);
        }
    }
    found
}

/// The body of a function that takes a text alone and gives one: `(sql: &str) -> String { .. }`.
fn body_of<'b, 't>(tokens: &'b [Token<'t>], from: usize) -> Option<&'b [Token<'t>]> {
    let is_sign = |at: usize, sign: u8| tokens.get(at).is_some_and(|it| it.kind == TokenKind::Sign(sign));
    let mut at = from;
    // `<'a>`
    if is_sign(at, b'<') {
        at = (at..tokens.len()).find(|at| is_sign(*at, b'>'))? + 1;
    }
    let head_end = (at..tokens.len()).find(|at| is_sign(*at, b'{') || is_sign(*at, b';'))?;
    let head = tokens.get(at..head_end)?;
    let names: Vec<&str> = head.iter().filter(|it| it.kind == TokenKind::Word).map(|it| it.text).collect();
    let is_one_text = matches!(names.as_slice(), [_, "str", "String"] | [_, "str", "Cow", "str"]);
    if !is_one_text || !is_sign(head_end, b'{') {
        return None;
    }
    let mut depth = 0usize;
    let end = (head_end..tokens.len()).find(|at| {
        depth += usize::from(is_sign(*at, b'{'));
        depth -= usize::from(is_sign(*at, b'}'));
        depth == 0
    })?;
    tokens.get(head_end + 1..end)
}

/// Whether code writes `?` as `$1` or the other way around: nothing else is a literal of it, and it calls nothing but what reads and
/// writes texts, or what tells which database is used, without arguments.
fn only_rewrites(body: &[Token<'_>]) -> bool {
    let is_sign = |at: usize, sign: u8| body.get(at).is_some_and(|it| it.kind == TokenKind::Sign(sign));
    let (mut marks, mut numbers) = (false, false);
    for (at, token) in body.iter().enumerate() {
        match token.kind {
            TokenKind::Text | TokenKind::Literal => {
                let is_number = token.text.starts_with(|c: char| c.is_ascii_digit());
                let Some(inner) = (if is_number { Some("") } else { placeholder(token.text) }) else {
                    return false;
                };
                marks |= inner.contains('?');
                numbers |= inner.contains('$');
            }
            TokenKind::Word if token.text == "await" || token.text == "unsafe" => return false,
            TokenKind::Word => {
                let is_macro = is_sign(at + 1, b'!') && !is_sign(at + 2, b'=');
                let is_call = is_sign(at + 1, b'(') || is_macro;
                let is_word = matches!(token.text, "if" | "in" | "match" | "return" | "while" | "for");
                let asks = is_sign(at + 1, b'(') && is_sign(at + 2, b')');
                if is_call && !is_word && !asks && !READS.contains(&token.text) {
                    return false;
                }
            }
            TokenKind::RawWord | TokenKind::Lifetime | TokenKind::Sign(_) => {}
        }
    }
    marks && numbers
}

/// The text of a literal that is a placeholder, or what stands around one: `'?'`, `"${}"`, `'\''`; `None` for any other.
fn placeholder(literal: &str) -> Option<&str> {
    let inner = literal.trim_start_matches('b');
    let quote = inner.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let inner = inner.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut in_braces = false;
    let is_part = |c: char| {
        match c {
            '{' => in_braces = true,
            '}' => in_braces = false,
            _ => {}
        }
        in_braces || matches!(c, '?' | '$' | '}' | '\'' | '"' | '\\' | ':' | '@' | '`')
    };
    inner.chars().all(is_part).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOP: &str = "pub fn q(sql: &str) -> String {
        if !is_pg() { return sql.to_string(); }
        let mut out = String::with_capacity(sql.len() + 16);
        let mut n = 0u32;
        for c in sql.chars() { if c == '?' { n += 1; out.push('$'); out.push_str(&n.to_string()); } else { out.push(c); } }
        out
    }";

    #[test]
    fn a_function_that_numbers_placeholders_is_known() {
        assert_eq!(rewriters(&[LOOP]), ["q"]);
        for body in [
            "let mut s = sql.to_owned(); let mut n = 0; while s.contains('?') { n += 1; s = s.replacen(\"?\", &format!(\"${n}\"), 1); } s",
            "let mut n = 0; let mut out = String::new(); for part in sql.split('?') { n += 1; out.push_str(part); write!(out, \"${}\", n); } out",
        ] {
            let text = format!("fn numbered(sql: &str) -> String {{ {body} }}");
            assert_eq!(rewriters(&[&text]), ["numbered"], "{body}");
        }
    }

    #[test]
    fn what_does_more_or_may_be_another_is_not() {
        for body in [
            "format!(\"{sql} LIMIT ?\").replace(\"?\", \"$1\")",
            "sql.replace(\"?\", \"$1\").replace(\"users\", \"accounts\")",
            "with_table(sql).replace(\"?\", \"$1\")",
            "sql.replace(\"?\", \"x\")",
        ] {
            let text = format!("fn q(sql: &str) -> String {{ {body} }}");
            assert_eq!(rewriters(&[&text]), [""; 0], "{body}");
        }
        let other = "fn q(sql: &str, table: &str) -> String { sql.replace(\"?\", \"$1\") }";
        assert_eq!(rewriters(&[other]), [""; 0]);
        // Which of two functions is meant is not known.
        assert_eq!(rewriters(&[LOOP, "mod a { fn q(x: u8) {} }"]), [""; 0]);
        assert_eq!(rewriters(&[LOOP, "fn query(x: u8) {}"]), ["q"]);
    }
}
