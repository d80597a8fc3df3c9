//! The queries of functions that run straight from their first line to their last, read from tokens.
//!
//! A build asks for the place of every query, and parsing the functions around them, unoptimised, cost a quarter of
//! the instructions of the macros. Most functions with a query have neither a loop nor a branch, a closure or another
//! macro, so that nothing around the query matters. What is not certain is left to the parser, and a test holds the
//! sites equal to those of a walk.

use std::sync::Arc;

use super::drivers;
use super::lex::literal;
use super::lex::outline::Outlined;
use super::lex::tokens::{Kind, Token};
use super::query_names::{is_executor, makes_query};
use super::site::{Argument, Call, Form, Site, SiteSql};
use crate::allow;
use crate::finding::Place;

/// More characters than this of a value are cut off for messages.
const LONGEST: usize = 60;

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

/// What a function is in.
#[derive(Default)]
struct Around<'t> {
    /// The type of the `impl` that the first brace opens.
    owner: Option<&'t str>,
    braces: usize,
    /// Other brackets: those of a macro, of an attribute.
    brackets: usize,
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
    fn kind(&self, at: usize) -> Option<Kind> {
        if at < self.tokens.len() { Some(self.tokens[at].kind) } else { None }
    }

    fn word(&self, at: usize) -> Option<&'t str> {
        match self.tokens.get(at) {
            Some(Token { kind: Kind::Word, text, .. }) => Some(text),
            _ => None,
        }
    }

    fn is_sign(&self, at: usize, sign: u8) -> bool {
        self.kind(at) == Some(Kind::Sign(sign))
    }

    fn is_path(&self, at: usize) -> bool {
        self.is_sign(at, b':') && self.is_sign(at + 1, b':')
    }

    /// The names that the file imports from this crate: `use query_budget::{sql, sql_as};`. `None` if it may give
    /// one of our names to something else.
    fn imported(&self) -> Option<Vec<&'t str>> {
        let mut names = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            at += 1;
            // Most tokens are neither, which their lengths tell at once.
            let text = self.tokens[at - 1].text;
            if text.len() == MACRO_RULES.len() && text == MACRO_RULES {
                return None;
            }
            if text.len() != 3 || self.tokens[at - 1].kind != Kind::Word || text != "use" {
                continue;
            }
            let is_ours = self.word(at) == Some("query_budget") && self.is_path(at + 1);
            at += if is_ours { 3 } else { 0 };
            while at < self.tokens.len() && !self.is_sign(at, b';') {
                let name = self.tokens[at].text;
                match is_ours {
                    true if name == "as" || self.is_path(at) => return None,
                    true => names.push(name),
                    false if name == "query_budget" || query_of(name).is_some() => return None,
                    false => {}
                }
                at += 1;
            }
        }
        Some(names)
    }

    /// Reads what is before the body that starts at a byte.
    fn items(&mut self, body: usize, around: &mut Around<'t>) {
        let mut owner = None;
        while self.at < self.tokens.len() && self.tokens[self.at].start + 1 < body {
            match self.tokens[self.at].kind {
                Kind::Sign(b'{') => {
                    if around.braces == 0 {
                        around.owner = owner.take();
                    }
                    around.braces += 1;
                }
                Kind::Sign(b'}') => around.braces = around.braces.saturating_sub(1),
                Kind::Sign(b'(' | b'[') => around.brackets += 1,
                Kind::Sign(b')' | b']') => around.brackets = around.brackets.saturating_sub(1),
                Kind::Sign(b'!') => self.has_macros |= self.at > 0 && self.word(self.at - 1).is_some(),
                Kind::Word if around.braces == 0 && self.tokens[self.at].text == "impl" => {
                    owner = self.owner()
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    /// The type of an `impl` without attributes and type parameters.
    fn owner(&self) -> Option<&'t str> {
        let before = self.at.checked_sub(1).and_then(|before| self.kind(before));
        if !matches!(before, None | Some(Kind::Sign(b';' | b'}'))) {
            return None;
        }
        let mut at = self.at + 1;
        while self.word(at).is_some() || self.is_sign(at, b':') {
            at += 1;
        }
        if self.is_sign(at, b'{') { self.word(at - 1) } else { None }
    }

    /// The path of a function without attributes.
    fn path(&self, function: &Outlined<'_>, around: &Around<'_>) -> Option<Arc<str>> {
        let mut before = self.at;
        while before > 0 && self.tokens[before - 1].start >= function.whole.start {
            before -= 1;
            if self.is_sign(before, b'#') {
                return None;
            }
        }
        match (around.brackets, around.braces, around.owner) {
            _ if function.name.contains('#') => None,
            (0, 0, _) => Some(function.name.into()),
            (0, 1, Some(owner)) => Some(format!("{owner}::{}", function.name).into()),
            _ => None,
        }
    }

    /// Reads to the end of a body; returns the positions of the tokens in it.
    fn body(&mut self, function: &Outlined<'_>) -> std::ops::Range<usize> {
        let start = self.at + 1;
        while self.at < self.tokens.len() && self.tokens[self.at].start < function.body.end {
            self.at += 1;
        }
        let end = self.at;
        self.at += 1;
        start..end
    }

    /// The queries of a body; `None` if it has anything that may matter to them.
    fn calls(
        &mut self,
        body: std::ops::Range<usize>,
        imported: &[&str],
        path: &Arc<str>,
    ) -> Option<Vec<Site>> {
        let mut sites = Vec::new();
        let mut at = body.start;
        while at < body.end {
            let token = self.tokens[at];
            match token.kind {
                Kind::Sign(b'|' | b'#' | b'!') | Kind::RawWord => return None,
                Kind::Word => {
                    let follows =
                        at > body.start && matches!(self.kind(at - 1), Some(Kind::Sign(b':' | b'.')));
                    let name = match token.text {
                        "query_budget" if self.is_path(at + 1) => Some(at + 3),
                        name if imported.contains(&name) => Some(at),
                        _ => None,
                    };
                    let name = name.filter(|name| !follows && self.is_sign(*name + 1, b'!'));
                    if let Some(name) = name {
                        let (site, end) = self.site(at, name, path)?;
                        sites.push(site);
                        at = end;
                        continue;
                    }
                    if matters(token.text) {
                        return None;
                    }
                }
                _ => {}
            }
            at += 1;
        }
        Some(sites)
    }

    /// The query of a macro whose path starts at a token, and the token behind the call that runs it.
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
            if !self.is_sign(at + 1, b',') {
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
            let (value, end) = self.value(at + 1)?;
            arguments.push(Argument {
                mentions: vec![value.of.to_owned()],
                is_constant: true,
                is_none: false,
                written: value.written,
            });
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
            dialect: None,
            asks_whether: false,
        };
        let crate_name = if name > start { "query_budget::" } else { "" };
        let site = Site {
            place,
            form: Form::Checked,
            written: format!("{crate_name}{macro_name}!"),
            sql: SiteSql::Literal(sql),
            built: None,
            arguments,
            arguments_complete: true,
            function: Arc::clone(path),
            call: Some(call),
            loops: Vec::new(),
            allows: Vec::new(),
            in_test: self.in_test,
            row,
            unit: 0,
            aside: None,
            cached: false,
            told: false,
        };
        Some((site, end + 3))
    }

    /// The value of a query's parameter: a variable or field, by reference or not. It ends before a comma or bracket.
    fn value(&self, at: usize) -> Option<(Value<'t>, usize)> {
        let is_reference = self.is_sign(at, b'&');
        let (mut value, end) = self.variable(at + usize::from(is_reference))?;
        if is_reference {
            value.written.insert(0, '&');
        }
        let ends = self.is_sign(end, b',') || self.is_sign(end, b')');
        (ends && value.written.len() < LONGEST).then_some((value, end))
    }

    /// What runs a query: `db`, `&self.pool`, `&mut *tx`.
    fn connection(&self, mut at: usize) -> Option<(Value<'t>, usize)> {
        if self.is_sign(at, b'&') {
            at += if self.word(at + 1) == Some("mut") { 2 } else { 1 };
            while self.is_sign(at, b'*') {
                at += 1;
            }
        }
        self.variable(at)
    }

    fn variable(&self, mut at: usize) -> Option<(Value<'t>, usize)> {
        let of = self.word(at).filter(|name| !matters(name) && !matches!(*name, "None" | "Self" | "mut"))?;
        let mut value = Value { of, written: of.to_owned(), field: None };
        at += 1;
        while self.is_sign(at, b'.') {
            let field = self.word(at + 1).filter(|field| !matches!(*field, "await" | "match"))?;
            value.written.push('.');
            value.written.push_str(field);
            value.field = Some(field);
            at += 2;
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

/// A macro of the file may have one of our names.
const MACRO_RULES: &str = "macro_rules";

/// Whether a text may have directives, or begins with a byte order mark.
fn is_commented(text: &str) -> bool {
    // The first letter is rare.
    let mut begins = text.match_indices('q').map(|(at, _)| text.get(at..).unwrap_or_default());
    text.starts_with('\u{feff}') || begins.any(|rest| rest.starts_with(allow::MARK))
}

/// A variable or a field of one.
struct Value<'t> {
    /// The variable.
    of: &'t str,
    written: String,
    /// The last field.
    field: Option<&'t str>,
}

/// Whether a macro of this crate makes one query from a text; and then, whether the type of its rows comes first.
fn query_of(name: &str) -> Option<bool> {
    match name {
        "sql" | "sql_scalar" | "sql_unchecked" | "sql_scalar_unchecked" => Some(false),
        "sql_as" | "sql_as_unchecked" => Some(true),
        _ => None,
    }
}

/// Whether a word in a function may matter to its queries: it repeats, branches or delays what runs, makes other
/// queries, or asks of a result whether there is one.
fn matters(word: &str) -> bool {
    // Most words are names.
    let by_letter = match word.as_bytes() {
        [b'a', ..] => word == "async",
        [b'b', ..] => word == "break",
        [b'c', ..] => matches!(word, "const" | "continue" | "connection" | "connection_writing"),
        [b'e', ..] => matches!(word, "else" | "enum" | "extern"),
        [b'f', ..] => matches!(word, "fn" | "for"),
        [b'i', ..] => {
            matches!(
                word,
                "if" | "impl"
                    | "in"
                    | "invalidate"
                    | "invalidate_all"
                    | "invalidates"
                    | "is_none"
                    | "is_some"
            )
        }
        [b'l', ..] => word == "loop",
        [b'm', ..] => matches!(word, "match" | "mod" | "move"),
        [b's', ..] => matches!(word, "static" | "struct"),
        [b't', ..] => matches!(word, "trait" | "try" | "type"),
        [b'u', ..] => matches!(word, "union" | "unsafe" | "use"),
        [b'w', ..] => matches!(word, "where" | "while"),
        [b'y', ..] => word == "yield",
        _ => false,
    };
    by_letter
        || makes_query(word)
        || is_executor(word)
        || drivers::makes_query(word)
        || drivers::method(word).is_some()
}
