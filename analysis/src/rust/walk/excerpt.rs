//! Prints tokens as a person would write them, on one line and shortened, for messages.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

/// The maximum length of the text.
pub(super) const MAX_EXCERPT_LENGTH: usize = 60;

/// The maximum number of links shown of a chain.
const LONGEST_CHAIN: usize = 12;

/// An expression, pattern or path as written, shortened to one line.
pub(in crate::rust) fn written(node: &impl ToTokens) -> String {
    let mut out = Writer { text: String::new(), glue: true, parameters: false };
    out.stream(node.to_token_stream());
    if out.text.chars().count() > MAX_EXCERPT_LENGTH {
        let mut short: String = out.text.chars().take(MAX_EXCERPT_LENGTH - 1).collect();
        short.push('…');
        return short;
    }
    out.text
}

/// The receiver of a method; of a long chain, only its start.
pub(in crate::rust) fn written_receiver(receiver: &syn::Expr) -> String {
    let mut first = receiver;
    let mut links = 0;
    while let syn::Expr::MethodCall(call) = first {
        first = &call.receiver;
        links += 1;
    }
    if links > LONGEST_CHAIN { format!("{}.…", written(first)) } else { written(receiver) }
}

/// Whether a value is a chain of more methods than are read again for each of them: that of a builder.
pub(super) fn is_long_chain(value: &syn::Expr) -> bool {
    std::iter::successors(Some(value), |link| before(link)).nth(MAX_EXCERPT_LENGTH).is_some()
}

/// What a method is called on.
fn before(link: &syn::Expr) -> Option<&syn::Expr> {
    match link {
        syn::Expr::MethodCall(call) => Some(&call.receiver),
        syn::Expr::Await(waits) => Some(&waits.base),
        syn::Expr::Try(tried) => Some(&tried.expr),
        _ => None,
    }
}

struct Writer {
    text: String,
    /// Whether the next token follows without a space.
    glue: bool,
    /// Whether we are inside a closure's parameters.
    parameters: bool,
}

impl Writer {
    fn stream(&mut self, tokens: TokenStream) {
        for token in tokens {
            // The rest is cut off anyway.
            if self.text.len() > 8 * MAX_EXCERPT_LENGTH {
                return;
            }
            match token {
                TokenTree::Group(group) => self.group(group.delimiter(), group.stream()),
                TokenTree::Ident(ident) => self.word(&ident.to_string()),
                TokenTree::Literal(literal) => self.word(&literal.to_string()),
                TokenTree::Punct(punct) => self.punct(punct.as_char(), punct.spacing()),
            }
        }
    }

    fn word(&mut self, word: &str) {
        if !self.glue && !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.extend(word.chars().map(|c| if c == '\n' { ' ' } else { c }));
        self.glue = false;
    }

    fn group(&mut self, delimiter: Delimiter, inside: TokenStream) {
        let (open, close, airy) = match delimiter {
            Delimiter::Parenthesis => ("(", ")", false),
            Delimiter::Bracket => ("[", "]", false),
            Delimiter::Brace => ("{", "}", true),
            Delimiter::None => ("", "", false),
        };
        let empty = inside.is_empty();
        if airy && !self.text.is_empty() {
            self.text.push(' ');
        }
        let after_word = self.text.chars().next_back().is_some_and(|c| c == ',' || c == '=');
        if !airy && !self.glue && after_word {
            self.text.push(' ');
        }
        self.text.push_str(open);
        self.glue = !airy || empty;
        self.stream(inside);
        if airy && !empty {
            self.text.push(' ');
        }
        self.text.push_str(close);
        self.glue = false;
    }

    /// Handles the bars around a closure's parameters; returns whether `c` was one.
    fn bar(&mut self, c: char, spacing: Spacing) -> bool {
        let opens = self.glue || self.text.ends_with([',', '=']);
        if c != '|' || spacing == Spacing::Joint || !(self.parameters || opens) {
            return false;
        }
        if !self.parameters && !self.glue {
            self.text.push(' ');
        }
        self.text.push('|');
        self.parameters = !self.parameters;
        self.glue = self.parameters;
        true
    }

    fn punct(&mut self, c: char, spacing: Spacing) {
        if self.bar(c, spacing) {
            return;
        }
        let tight = matches!(c, '.' | ',' | ';' | '?' | ':' | '!' | '&' | '*' | '#' | '\'' | '<' | '>');
        let leads = matches!(c, '&' | '*' | '!' | '#' | '\'');
        // `name!` is a macro, `a != b` is not.
        let names_macro = c == '!' && spacing == Spacing::Alone && self.text.ends_with(char::is_alphanumeric);
        if leads && !names_macro && !self.glue && !self.text.ends_with(['&', '!', '=']) {
            self.text.push(' ');
        }
        if !tight && !self.glue && !self.text.ends_with(['=', '-', '|', '.']) {
            self.text.push(' ');
        }
        self.text.push(c);
        let joint = spacing == Spacing::Joint;
        self.glue = joint || matches!(c, '.' | '&' | '*' | '!' | '#' | '\'' | '<' | '?');
        self.glue |= self.text.ends_with("..=");
        if c == ':' {
            self.glue = joint || self.text.ends_with("::");
        }
        if c == '>' && self.text.ends_with("::>") {
            self.glue = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str) {
        let tokens: TokenStream = source.parse().expect("the test's source has tokens");
        assert_eq!(written(&tokens), source);
    }

    #[test]
    fn common_expressions_read_as_written() {
        check("&events");
        check("self.items.iter()");
        check("0..3");
        check("event.id");
        check("*id");
        check("a + b");
        check("!done");
        check("crate::db::load(&mut tx, [1, 2])");
        check("x as i64");
        check("a != b");
        check("0..=self.last");
        check("include_str!(\"a.sql\").split(\";\")");
        check("xs.iter().filter(|x| !seen.contains(x))");
        check("names.get(\"a\")?.len()");
    }

    #[test]
    fn long_text_is_cut() {
        let long: TokenStream = "a + ".repeat(100).parse().expect("the test's source has tokens");
        assert_eq!(written(&long).chars().count(), MAX_EXCERPT_LENGTH);
    }
}
