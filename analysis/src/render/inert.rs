//! Makes untrusted text (identifiers, paths, reasons, server messages) harmless to display.

use std::borrow::Cow;

/// The text with everything neutralised that a terminal, a log or a JSON reader would act on. Control
/// characters and bidirectional overrides become `\u001b` escapes, which JSON reads as the same character.
/// Line breaks and tabs stay, as do colour sequences if `color` is set. What the runner of a CI would take for a
/// command loses its first character to an escape: `::` behind nothing but spaces, and `##[`, `##vso[` and the
/// like anywhere. Three colons, which mark another place of a finding, begin no command.
pub fn inert(text: &str, color: bool) -> Cow<'_, str> {
    if !text.contains(is_obeyed) && !text.contains("::") && !text.contains("##") {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            safe.push('\n');
        }
        // Windows line endings.
        let line = line.strip_suffix('\r').unwrap_or(line);
        // The runner of GitHub Actions looks behind spaces.
        let spaces = line.len() - line.trim_start().len();
        match line.split_at(spaces) {
            (spaces, command) if command.starts_with("::") && !command.starts_with(":::") => {
                push_line(&mut safe, spaces, color);
                safe.push_str(&escape(':'));
                push_line(&mut safe, command.get(1..).unwrap_or_default(), color);
            }
            _ => push_line(&mut safe, line, color),
        }
    }
    Cow::Owned(safe)
}

/// The text with what [`inert`] neutralises written out, and everything else as it is, line breaks and their kinds included:
/// for a document, which no terminal and no log reads line by line.
pub fn written_out(text: &str) -> Cow<'_, str> {
    let is_obeyed = |c: char| c != '\r' && is_obeyed(c);
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_obeyed(c) { safe.push_str(&escape(c)) } else { safe.push(c) }
    }
    Cow::Owned(safe)
}

/// The character as JSON writes it.
fn escape(c: char) -> String {
    c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

fn push_line(safe: &mut String, line: &str, color: bool) {
    let mut rest = line;
    while let Some(at) = rest.find(|c| c == '#' || is_obeyed(c)) {
        let (before, from) = rest.split_at(at);
        safe.push_str(before);
        if from.starts_with('#') && !begins_command(from) {
            safe.push('#');
            rest = from.get(1..).unwrap_or_default();
            continue;
        }
        let length = if color { colour(from) } else { 0 };
        if length > 0 {
            safe.push_str(from.get(..length).unwrap_or_default());
            rest = from.get(length..).unwrap_or_default();
            continue;
        }
        let mut characters = from.chars();
        if let Some(obeyed) = characters.next() {
            safe.push_str(&escape(obeyed));
        }
        rest = characters.as_str();
    }
    safe.push_str(rest);
}

/// Whether a text begins as a command within a line does: `##[error]`, `##vso[task.setvariable]`.
fn begins_command(text: &str) -> bool {
    let name = text.strip_prefix("##").map(|name| name.trim_start_matches(|c: char| c.is_ascii_alphabetic()));
    name.is_some_and(|rest| rest.starts_with('['))
}

/// The length of the colour sequence that the text starts with; 0 if there is none.
fn colour(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\u{1b}[") else { return 0 };
    let digits = parameters.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(parameters.len());
    if parameters.get(digits..).is_some_and(|rest| rest.starts_with('m')) {
        "\u{1b}[".len() + digits + 1
    } else {
        0
    }
}

fn is_obeyed(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        // Bidirectional marks, embeddings, overrides and isolates; line and paragraph separators; what is not seen: spaces
        // without a width, invisible operators, formats that are no longer used, and tags.
        '\u{ad}'
        | '\u{34f}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{2060}'..='\u{2064}'
        | '\u{206a}'..='\u{206f}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}'
        | '\u{61c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_obeyed_is_written_out() {
        for (text, shown) in [
            ("plain `é` text\n\tin lines", "plain `é` text\n\tin lines"),
            ("a\u{1b}]0;title\u{7}b", "a\\u001b]0;title\\u0007b"),
            ("a\rb\r\nc\0", "a\\u000db\nc\\u0000"),
            ("abc\u{202e}dcba\u{2066}", "abc\\u202edcba\\u2066"),
            ("c1 \u{9b}31m", "c1 \\u009b31m"),
            ("us\u{200b}ers", "us\\u200bers"),
            ("us\u{ad}\u{feff}\u{2062}\u{e0041}ers", "us\\u00ad\\ufeff\\u2062\\udb40\\udc41ers"),
            ("a\n::error file=x::b\n##[group]", "a\n\\u003a:error file=x::b\n\\u0023#[group]"),
            ("\t  ::error::b\n\u{a0}::b", "\t  \\u003a:error::b\n\u{a0}\\u003a:b"),
            ("a ##[error]b ###[c] ##vso[d]", "a \\u0023#[error]b #\\u0023#[c] \\u0023#vso[d]"),
            ("id::text", "id::text"),
            ("  ::: src/lib.rs:3:1 a::b", "  ::: src/lib.rs:3:1 a::b"),
            ("# a ## b ##c #[d]", "# a ## b ##c #[d]"),
            ("\u{1b}[31mred\u{1b}[0m", "\\u001b[31mred\\u001b[0m"),
        ] {
            assert_eq!(inert(text, false), shown, "{text:?}");
        }
    }

    #[test]
    fn colours_stay_and_nothing_else() {
        assert_eq!(inert("\u{1b}[1;31mred\u{1b}[0m", true), "\u{1b}[1;31mred\u{1b}[0m");
        assert_eq!(inert("\u{1b}[2J\u{1b}[31", true), "\\u001b[2J\\u001b[31");
    }

    #[test]
    fn a_document_keeps_its_lines() {
        assert_eq!(written_out("a\n::x\r\n\tb"), "a\n::x\r\n\tb");
        assert_eq!(written_out("<b>\u{202e}\u{1b}[31m\u{1}</b>"), "<b>\\u202e\\u001b[31m\\u0001</b>");
    }

    #[test]
    fn json_reads_the_same_text() {
        let text = serde_json::json!({ "a": "x\u{202e}y\u{9b}" });
        let safe = inert(&text.to_string(), false).into_owned();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).ok(), Some(text));
    }
}
