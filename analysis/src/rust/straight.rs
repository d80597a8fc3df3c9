//! The queries of functions that run straight from their first line to their last, read from tokens.
//!
//! A build asks for the place of every query, and parsing the functions around them, unoptimised, cost a quarter of
//! the instructions of the macros. Most queries are neither after a loop nor in a closure or another macro, and run
//! where they are made, so that nothing around them matters. What is not certain is left to the parser, and a test
//! holds the sites equal to those of a walk.

mod around;

use std::sync::Arc;

use self::around::{Around, is_commented};
use super::drivers;
use super::lex::literal;
use super::lex::outline::Outlined;
use super::lex::tokens::{Token, TokenKind};
use super::query_names::{is_executor, makes_query};
use super::site::{Argument, Call, Form, Site, SiteSql};
use super::walk::gives_new;
use super::walk::variables::keeps_value;
use crate::finding::Place;

/// More characters than this of a value are cut off for messages.
const MAX_VALUE_LENGTH: usize = 60;

/// What is known of the queries of a file.
pub(super) struct Straight {
    /// The sites of each function; `None` for one that is not straight. The dialect of their connections is not
    /// determined.
    pub(super) sites: Vec<Option<Vec<Site>>>,
    /// Whether these are all: macros outside of functions may make others.
    pub(super) is_whole: bool,
}

/// Reads the queries of a file's functions, which come with its tokens.
pub(super) fn read(
    file: &Arc<str>,
    text: &str,
    tokens: &[Token<'_>],
    functions: &[Outlined<'_>],
    in_test: bool,
) -> Straight {
    let mut reader = Reader { file, text, tokens, in_test, at: 0, line: 1, line_start: 0, has_macros: false };
    let imported = if is_commented(text) { None } else { reader.imported() };
    let Some(imported) = imported else {
        return Straight { sites: functions.iter().map(|_| None).collect(), is_whole: false };
    };
    let mut around = Around::default();
    let read = |function: &Outlined<'_>| {
        reader.items(function.body.start, &mut around);
        let path = reader.path(function, &around);
        let body = reader.body(function);
        let path = path.filter(|_| function.queries)?;
        reader.calls(body, &imported, &path)
    };
    let sites: Vec<Option<Vec<Site>>> = functions.iter().map(read).collect();
    reader.items(text.len() + 1, &mut around);
    let are_known =
        functions.iter().zip(&sites).all(|(function, sites)| !function.queries || sites.is_some());
    Straight { sites, is_whole: are_known && !reader.has_macros }
}

struct Reader<'a, 't> {
    file: &'a Arc<str>,
    text: &'a str,
    tokens: &'a [Token<'t>],
    in_test: bool,
    at: usize,
    /// A line, counted from 1, and the byte where it starts: places are asked for in order.
    line: u32,
    line_start: usize,
    /// Whether a macro is used outside of the functions so far.
    has_macros: bool,
}

impl<'a, 't> Reader<'a, 't> {
    fn kind(&self, at: usize) -> Option<TokenKind> {
        if at < self.tokens.len() { Some(self.tokens[at].kind) } else { None }
    }

    fn word(&self, at: usize) -> Option<&'t str> {
        match self.tokens.get(at) {
            Some(Token { kind: TokenKind::Word, text, .. }) => Some(text),
            _ => None,
        }
    }

    fn is_sign(&self, at: usize, sign: u8) -> bool {
        self.kind(at) == Some(TokenKind::Sign(sign))
    }

    fn is_path(&self, at: usize) -> bool {
        self.is_sign(at, b':') && self.is_sign(at + 1, b':')
    }

    /// The queries of a body; `None` if it has anything that may matter to them.
    fn calls(
        &mut self,
        body: std::ops::Range<usize>,
        imported: &[&str],
        path: &Arc<str>,
    ) -> Option<Vec<Site>> {
        let mut sites: Vec<Site> = Vec::new();
        let (mut repeats, mut asks) = (false, false);
        // The brackets around what is read, and around the closure that it may be in.
        let (mut depth, mut closure) = (0usize, None);
        let mut at = body.start;
        while at < body.end {
            let token = self.tokens[at];
            match token.kind {
                TokenKind::Sign(b'(' | b'[' | b'{') => depth += 1,
                TokenKind::Sign(b')' | b']' | b'}') => {
                    depth = depth.checked_sub(1)?;
                    closure = closure.filter(|of| *of <= depth);
                }
                TokenKind::Sign(b';') => closure = closure.filter(|of| *of < depth),
                TokenKind::Sign(b'|') => closure = closure.or(Some(depth)),
                TokenKind::Sign(b'!')
                    if at > body.start && self.word(at - 1).is_some() && self.opens(at + 1) =>
                {
                    at = self.other_macro(at + 1, body.end)?;
                    continue;
                }
                TokenKind::Sign(b'#') | TokenKind::RawWord => return None,
                TokenKind::Word => {
                    if let Some(name) = self.named(at, imported) {
                        if repeats || closure.is_some() {
                            return None;
                        }
                        let (site, end) = self.site(at, name, path)?;
                        sites.push(site);
                        at = end;
                        continue;
                    }
                    match token.text {
                        "for" | "while" | "loop" => repeats = true,
                        "if" | "else" | "match" | "is_some" | "is_none" => asks = true,
                        word if matters(word) => return None,
                        _ => {}
                    }
                }
                _ => {}
            }
            at += 1;
        }
        // A result may be used only to test whether there is a row.
        let is_optional =
            |site: &Site| site.call.as_ref().is_some_and(|call| call.method == "fetch_optional");
        (!asks || !sites.iter().any(is_optional)).then_some(sites)
    }

    fn opens(&self, at: usize) -> bool {
        matches!(self.kind(at), Some(TokenKind::Sign(b'(' | b'[' | b'{')))
    }

    /// The end of another macro, if no query is in it.
    fn other_macro(&self, mut at: usize, end: usize) -> Option<usize> {
        let mut depth = 0usize;
        while at < end {
            match self.tokens[at].kind {
                TokenKind::Sign(b'(' | b'[' | b'{') => depth += 1,
                TokenKind::Sign(b')' | b']' | b'}') => depth -= 1,
                TokenKind::Word if matters(self.tokens[at].text) => return None,
                TokenKind::RawWord => return None,
                _ => {}
            }
            at += 1;
            if depth == 0 {
                return Some(at);
            }
        }
        None
    }

    /// The name of our macro whose path starts at a token.
    fn named(&self, at: usize, imported: &[&str]) -> Option<usize> {
        let name = match self.tokens[at].text {
            "query_budget" if self.is_path(at + 1) => at + 3,
            name if imported.contains(&name) => at,
            _ => return None,
        };
        let follows = at > 0 && matches!(self.kind(at - 1), Some(TokenKind::Sign(b':' | b'.')));
        (!follows && self.is_sign(name + 1, b'!')).then_some(name)
    }

    /// The query of a macro whose path starts at a token, and the token after the call that runs it.
    fn site(&mut self, start: usize, name: usize, path: &Arc<str>) -> Option<(Site, usize)> {
        let macro_name = self.word(name)?;
        let is_typed = query_of(macro_name)?;
        if !self.is_sign(name + 2, b'(') {
            return None;
        }
        let mut at = name + 3;
        let mut row = String::new();
        if is_typed {
            row = self.word(at)?.to_owned();
            while self.is_path(at + 1) {
                at += 3;
                row = format!("{row}::{}", self.word(at)?);
            }
            if !self.is_sign(at + 1, b',') || row.len() >= MAX_VALUE_LENGTH {
                return None;
            }
            at += 2;
        }
        let text = *self.tokens.get(at)?;
        let place = self.place(self.tokens[start].start);
        let sql = literal::read_at(text.text, self.place(text.start))?;
        at += 1;
        let mut arguments = Vec::new();
        while self.is_sign(at, b',') && !self.is_sign(at + 1, b')') {
            let (argument, end) = self.argument(at + 1)?;
            arguments.push(argument);
            at = end;
        }
        at += usize::from(self.is_sign(at, b','));
        let method = self.word(at + 2)?;
        if !(self.is_sign(at, b')')
            && self.is_sign(at + 1, b'.')
            && is_executor(method)
            && self.is_sign(at + 3, b'('))
        {
            return None;
        }
        let (on, end) = self.connection(at + 4)?;
        // What is not awaited at once may be run elsewhere.
        if !(self.is_sign(end, b')') && self.is_sign(end + 1, b'.') && self.word(end + 2) == Some("await")) {
            return None;
        }
        let called = self.place(self.tokens[at + 2].start);
        let call = Call {
            method: method.to_owned(),
            place: called,
            on: vec![on.of.to_owned()],
            field: on.field.map(str::to_owned),
            ..Call::default()
        };
        let crate_name = if name > start { "query_budget::" } else { "" };
        let written = format!("{crate_name}{macro_name}!");
        let sql = SiteSql::Literal(sql);
        let site = Site::new(place, Form::Checked, written, sql, (arguments, true), Arc::clone(path));
        Some((Site { call: Some(call), in_test: self.in_test, row, ..site }, end + 3))
    }

    /// The value of a query's parameter: a number, or a variable or what methods without arguments give of it, by
    /// reference or not, and cast or not. It ends before a comma or bracket.
    fn argument(&self, mut at: usize) -> Option<(Argument, usize)> {
        let ends = |at: usize| self.is_sign(at, b',') || self.is_sign(at, b')');
        if let Some(Token { kind: TokenKind::Literal, text, .. }) = self.tokens.get(at)
            && text.as_bytes().iter().all(u8::is_ascii_digit)
        {
            let number = Argument {
                written: (*text).to_owned(),
                mentions: Vec::new(),
                is_constant: true,
                is_new: false,
                is_none: false,
                is_infix: false,
            };
            return (ends(at + 1) && text.len() < MAX_VALUE_LENGTH).then_some((number, at + 1));
        }
        let mut written = String::new();
        while self.is_sign(at, b'&') || self.is_sign(at, b'*') {
            written.push_str(self.tokens[at].text);
            at += 1;
        }
        let (value, mut end) = self.variable(at)?;
        written.push_str(&value.written);
        if self.word(end) == Some("as") {
            written.push_str(" as ");
            written.push_str(self.word(end + 1)?);
            end += 2;
        }
        let mentions = vec![value.of.to_owned()];
        let Value { is_constant, is_new, .. } = value;
        let argument = Argument { mentions, is_constant, is_new, is_none: false, is_infix: false, written };
        (ends(end) && argument.written.len() < MAX_VALUE_LENGTH).then_some((argument, end))
    }

    /// What runs a query: `db`, `&self.pool`, `&mut *tx`, `state.db()`.
    fn connection(&self, mut at: usize) -> Option<(Value<'t>, usize)> {
        if self.is_sign(at, b'&') {
            at += if self.word(at + 1) == Some("mut") { 2 } else { 1 };
            while self.is_sign(at, b'*') {
                at += 1;
            }
        }
        self.variable(at)
    }

    /// A variable, with the fields and methods without arguments after it.
    fn variable(&self, mut at: usize) -> Option<(Value<'t>, usize)> {
        let is_name = |name: &&str| {
            !matters(name)
                && !matches!(
                    *name,
                    "None" | "Self" | "false" | "mut" | "if" | "match" | "move" | "return" | "true"
                )
        };
        let of = self.word(at).filter(is_name)?;
        let mut value = Value { of, written: of.to_owned(), field: None, is_constant: true, is_new: false };
        at += 1;
        while self.is_sign(at, b'.') {
            let name =
                self.word(at + 1).filter(|name| !matters(name) && !matches!(*name, "await" | "match"))?;
            value.written.push('.');
            value.written.push_str(name);
            value.field = Some(name);
            at += 2;
            if self.is_sign(at, b'(') && self.is_sign(at + 1, b')') {
                value.written.push_str("()");
                value.field = None;
                value.is_constant &= keeps_value(name);
                value.is_new |= gives_new(name);
                at += 2;
            }
        }
        Some((value, at))
    }

    /// The place of a byte, which is not before the last one asked for.
    fn place(&mut self, at: usize) -> Place {
        let before = self.text.get(self.line_start..at).unwrap_or_default();
        for (found, _) in before.match_indices('\n') {
            self.line += 1;
            self.line_start = at - before.len() + found + 1;
        }
        let before = self.text.get(self.line_start..at).unwrap_or_default();
        let characters = if before.is_ascii() { before.len() } else { before.chars().count() };
        Place {
            file: Arc::clone(self.file),
            line: self.line,
            column: u32::try_from(characters).unwrap_or(0) + 1,
        }
    }
}

/// A variable or a field of one.
struct Value<'t> {
    /// The variable.
    of: &'t str,
    written: String,
    /// The last field, unless a method follows.
    field: Option<&'t str>,
    /// Whether it is the same as long as the variable is.
    is_constant: bool,
    /// Whether it is another one each time that it is computed.
    is_new: bool,
}

/// Whether a macro of this crate makes one query from a text; and then, whether the type of its rows comes first.
fn query_of(name: &str) -> Option<bool> {
    match name {
        "sql" | "sql_scalar" | "sql_unchecked" | "sql_scalar_unchecked" => Some(false),
        "sql_as" | "sql_as_unchecked" => Some(true),
        _ => None,
    }
}

/// Whether a word in a function may matter to its queries: it makes other queries, or items, or is about caches.
fn matters(word: &str) -> bool {
    // Most words are names.
    let by_letter = match word.as_bytes() {
        [b'c', ..] => matches!(word, "const" | "connection" | "connection_writing"),
        [b'e', ..] => matches!(word, "enum" | "extern"),
        [b'f', ..] => word == "fn",
        [b'i', ..] => matches!(word, "impl" | "invalidate" | "invalidate_all" | "invalidates"),
        [b'm', ..] => word == "mod",
        [b's', ..] => matches!(word, "static" | "struct"),
        [b't', ..] => matches!(word, "trait" | "try" | "type"),
        [b'u', ..] => matches!(word, "union" | "unsafe" | "use"),
        [b'y', ..] => word == "yield",
        _ => false,
    };
    by_letter
        || makes_query(word)
        || is_executor(word)
        || drivers::makes_query(word)
        || drivers::method(word).is_some()
}
