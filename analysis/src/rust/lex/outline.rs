//! What a file's tokens reveal without parsing: the location of function bodies, and the names in them.
//!
//! Tokenizing is much faster than parsing, which makes it possible to look at every file of a workspace and
//! to parse only what can matter.

mod code;
mod macros;
mod values;

use std::collections::HashSet;
use std::ops::Range;

use super::aliases::{code_types, is_of_code, renamed, renames};
use super::tokens::{Token, TokenKind, tokens};
use super::unwritten::unwritten;
use crate::rust::{drivers, query_names};
use code::Bound;
use values::is_constant;

/// What a function calls that has a loop over an iterator, which may be one of the project's.
pub(in crate::rust) const ITERATES: &str = "for";

/// A file, by its names.
#[derive(Debug, Default)]
pub struct Outline<'t> {
    /// Its functions; nested functions belong to the enclosing body.
    pub(in crate::rust) functions: Vec<Outlined<'t>>,
    /// Imports under a new name, as pairs: `use store::fetch as load`.
    pub(in crate::rust) renames: Vec<(&'t str, &'t str)>,
    /// Its types and traits that may be code, each with the types that it names: `type Callback = Box<dyn Fn(i64)>`.
    pub(in crate::rust) code_types: Vec<(&'t str, Vec<&'t str>)>,
    /// The macros that it defines by rules, each as a function of what these name.
    pub(in crate::rust) macros: Vec<Outlined<'t>>,
    /// What may be made by macros that are used outside of functions: each word that one is given, as a function that
    /// calls the macro.
    pub(in crate::rust) made: Vec<Outlined<'t>>,
    /// The methods of its types that run without their name being written.
    pub(in crate::rust) unwritten: Vec<&'static str>,
}

/// A function, by its names.
#[derive(Debug)]
pub(in crate::rust) struct Outlined<'t> {
    pub(in crate::rust) name: &'t str,
    /// The bytes of the whole function with its comments and attributes, up to its last brace.
    pub(in crate::rust) whole: Range<usize>,
    /// The bytes of its body, without the braces.
    pub(in crate::rust) body: Range<usize>,
    /// How it can wait for a query.
    pub(in crate::rust) waits: Waits,
    /// Whether something in it looks like a query.
    pub(in crate::rust) queries: bool,
    /// Whether something in it looks like a query of a driver other than sqlx that blocks.
    pub(in crate::rust) blocks: bool,
    /// Whether it has a budget, or another attribute of this project.
    pub(in crate::rust) budgeted: bool,
    /// Whether it may give the text of a query: it is one expression with a text that starts like a statement.
    pub(in crate::rust) gives_text: bool,
    /// Whether it takes functions to call, or lists values.
    pub(in crate::rust) takes_functions: bool,
    /// Whether it calls code that a value is: in a field, an element or a variable, or what another call gives.
    pub(in crate::rust) calls_code: bool,
    /// The types in its signature, one of which may be an alias of a function's.
    pub(in crate::rust) types: Vec<&'t str>,
    /// The names that it may call, each once. A set of them would take three times the memory.
    pub(in crate::rust) calls: Vec<&'t str>,
}

impl<'t> Outlined<'t> {
    /// A name that is called like a function, and has no body of its own.
    fn of_name(name: &'t str) -> Outlined<'t> {
        Outlined {
            name,
            whole: 0..0,
            body: 0..0,
            waits: Waits::Itself,
            queries: false,
            blocks: false,
            budgeted: false,
            gives_text: false,
            takes_functions: false,
            calls_code: false,
            types: Vec::new(),
            calls: Vec::new(),
        }
    }
}

/// How a function can wait for a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rust) enum Waits {
    /// It cannot: nothing in it is async.
    Never,
    /// Its caller has to await its result.
    Awaited,
    /// It blocks, or spawns something that runs concurrently.
    Itself,
}

/// Reads the names of a file.
pub fn outline(text: &str) -> Outline<'_> {
    read(text, true).0
}

/// Like [`outline`], without the names that functions may call, if only the queries in them matter; and the tokens.
pub(in crate::rust) fn outline_of_queries(text: &str) -> (Outline<'_>, Vec<Token<'_>>) {
    read(text, false)
}

fn read(text: &str, with_calls: bool) -> (Outline<'_>, Vec<Token<'_>>) {
    let tokens = tokens(text);
    let renamed = renamed(&tokens);
    let renames = if with_calls { renames(&tokens) } else { Vec::new() };
    let code_types = if with_calls { code_types(&tokens) } else { Vec::new() };
    let mut reader = Reader { tokens, renamed, with_calls, length: text.len(), ..Reader::default() };
    reader.items();
    let unwritten = if with_calls { unwritten(text) } else { Vec::new() };
    (Outline { renames, code_types, unwritten, ..reader.outline }, reader.tokens)
}

#[derive(Default)]
struct Reader<'t> {
    tokens: Vec<Token<'t>>,
    at: usize,
    /// The aliases that the file gives to functions and macros that make queries: `use sqlx::query as q`, and macros that expand to
    /// one.
    renamed: HashSet<&'t str>,
    /// Whether to read the names that functions may call.
    with_calls: bool,
    /// The length of the text, in bytes.
    length: usize,
    /// The rules before this token are noted, and so are the uses of macros.
    noted: [usize; 2],
    /// The constants before this token are noted.
    constants: usize,
    /// Whether a literal of the current function starts like a statement.
    says_sql: bool,
    outline: Outline<'t>,
}

impl<'t> Reader<'t> {
    fn peek(&self, ahead: usize) -> Option<Token<'t>> {
        self.tokens.get(self.at + ahead).copied()
    }

    fn kind(&self, at: Option<usize>) -> Option<TokenKind> {
        self.tokens.get(at?).map(|token| token.kind)
    }

    /// Reads the file to its end, body by body.
    fn items(&mut self) {
        while self.at < self.tokens.len() {
            let text = self.tokens[self.at].text;
            if text.len() == 2 && self.tokens[self.at].is("fn") && self.is_function() {
                self.function();
            } else {
                if self.with_calls && self.is_macro(self.tokens[self.at]) {
                    self.note_macro(self.tokens[self.at]);
                }
                if self.with_calls && (text == "const" || text == "static") {
                    self.note_constant();
                }
                self.at += 1;
            }
        }
    }

    /// Whether a name follows `fn`; otherwise it is a function pointer type.
    fn is_function(&self) -> bool {
        self.peek(1).is_some_and(|token| matches!(token.kind, TokenKind::Word | TokenKind::RawWord))
    }

    /// Whether the token at `at` is called: `name(`, `name!`, `name::<T>(`.
    fn is_called(&self, at: usize) -> bool {
        matches!(self.kind(Some(at + 1)), Some(TokenKind::Sign(b'(' | b'!' | b':')))
    }

    /// Whether a sign follows the current token by which a name may make a query.
    fn precedes_sign(&self) -> bool {
        let next = self.at + 1;
        next < self.tokens.len()
            && matches!(
                self.tokens[next].kind,
                TokenKind::Sign(b'!' | b'(' | b':' | b')' | b',' | b';' | b']')
            )
    }

    /// Whether the current name makes or runs a query, or is a macro that may.
    fn is_query(&self, name: Token<'t>) -> bool {
        // Most names are neither called nor passed on, as the next token shows at once.
        let Some(TokenKind::Sign(next)) = self.kind(Some(self.at + 1)) else { return false };
        match next {
            b'!' if name.text.contains("query") || name.text.contains("sql") => true,
            b'!' | b'(' | b':' | b')' | b',' | b';' | b']' => {
                self.is_named(self.at)
                    && (query_names::makes_query(name.text)
                        || query_names::is_executor(name.text)
                        || self.renamed.contains(name.text))
            }
            _ => false,
        }
    }

    /// Whether the current name passes SQL to a driver other than sqlx: a function, or a method whose first
    /// argument starts like a statement, is a constant, or is built.
    fn is_of_driver(&self, name: Token<'t>) -> bool {
        if name.text == "Statement" && self.kind(Some(self.at + 1)) == Some(TokenKind::Sign(b'{')) {
            return true;
        }
        // Most names are not called, and comparing them with all of these takes long.
        if !self.is_called(self.at) {
            return false;
        }
        if drivers::makes_query(name.text) {
            return true;
        }
        if name.text == "Statement" {
            return self.peek(1).is_some_and(|token| token.kind == TokenKind::Sign(b':'))
                && self.peek(3).is_some_and(|token| token.text == "from_string");
        }
        if !self.is_at_sign(self.at.checked_sub(1), b'.') || !drivers::takes_text(name.text) {
            return false;
        }
        let mut ahead = 2;
        while self.peek(ahead).is_some_and(|token| token.kind == TokenKind::Sign(b'&')) {
            ahead += 1;
        }
        let Some(first) =
            self.peek(ahead).filter(|_| self.kind(Some(self.at + 1)) == Some(TokenKind::Sign(b'(')))
        else {
            return false;
        };
        match first.kind {
            TokenKind::Text | TokenKind::Literal => starts_like_statement(first.text),
            // A variable of the function may have the text.
            TokenKind::Word => {
                let is_macro = matches!(first.text, "concat" | "format" | "include_str" | "indoc");
                is_macro || is_constant(first.text) || self.says_sql
            }
            _ => false,
        }
    }

    fn is_at_sign(&self, at: Option<usize>, sign: u8) -> bool {
        self.kind(at) == Some(TokenKind::Sign(sign))
    }

    /// The start of the function at the current `fn`: after the token before its attributes and qualifiers.
    fn beginning(&self) -> usize {
        let mut at = self.at;
        loop {
            let Some(before) = at.checked_sub(1) else { return 0 };
            let Some(token) = self.tokens.get(before) else { return 0 };
            at = match token.kind {
                TokenKind::Word
                    if matches!(
                        token.text,
                        "async" | "const" | "default" | "extern" | "pub" | "safe" | "unsafe"
                    ) =>
                {
                    before
                }
                // The ABI after `extern`.
                TokenKind::Literal | TokenKind::Text if self.is_at(before.checked_sub(1), "extern") => before,
                TokenKind::Sign(b')') => match self.opening(before).and_then(|open| open.checked_sub(1)) {
                    Some(owner) if self.is_at(Some(owner), "pub") => owner,
                    _ => return token.start + token.text.len(),
                },
                TokenKind::Sign(b']') => match self.opening(before).and_then(|open| open.checked_sub(1)) {
                    Some(hash) if self.kind(Some(hash)) == Some(TokenKind::Sign(b'#')) => hash,
                    _ => return token.start + token.text.len(),
                },
                _ => return token.start + token.text.len(),
            };
        }
    }

    fn is_at(&self, at: Option<usize>, word: &str) -> bool {
        at.and_then(|at| self.tokens.get(at)).is_some_and(|token| token.is(word))
    }

    /// The bracket that the one at `close` closes.
    fn opening(&self, close: usize) -> Option<usize> {
        let mut depth = 0usize;
        (0..=close).rev().find(|at| {
            match self.kind(Some(*at)) {
                Some(TokenKind::Sign(b')' | b']' | b'}')) => depth += 1,
                Some(TokenKind::Sign(b'(' | b'[' | b'{')) => depth -= 1,
                _ => {}
            }
            depth == 0
        })
    }

    /// Reads a function from its `fn` to the end of its body.
    fn function(&mut self) {
        let beginning = self.beginning();
        let before = [1, 2, 3].map(|back| self.at.checked_sub(back).and_then(|at| self.tokens.get(at)));
        let above = self.tokens.get(..self.at).unwrap_or_default().iter().rev();
        let budgeted = above.take_while(|token| token.start >= beginning).any(|it| it.text == "query_budget");
        let is_async = before.iter().flatten().any(|token| token.text == "async");
        let name = self.peek(1).map(|token| token.name()).unwrap_or_default();
        self.at += 2;
        let (mut takes_functions, mut types) = (false, Vec::new());
        let mut waits = if is_async { Waits::Awaited } else { Waits::Never };
        let mut depth = 0usize;
        let open = loop {
            let Some(token) = self.peek(0) else { return };
            match token.kind {
                TokenKind::Sign(b'(' | b'[') => depth += 1,
                TokenKind::Sign(b')' | b']') => depth = depth.saturating_sub(1),
                TokenKind::Sign(b'{') if depth == 0 => break token,
                // A declaration without a body.
                TokenKind::Sign(b';') if depth == 0 => return,
                TokenKind::Word if is_of_code(token.text) => takes_functions = true,
                TokenKind::Word if token.text.contains("Future") || token.text.contains("Stream") => {
                    waits = Waits::Awaited;
                }
                TokenKind::Word
                    if self.with_calls && token.text.starts_with(|c: char| c.is_ascii_uppercase()) =>
                {
                    types.push(token.text);
                }
                _ => {}
            }
            self.at += 1;
        };
        // What it lists determines how often its elements are gone through.
        takes_functions |= self.with_calls && self.is_at(Some(self.at + 1), "vec");
        let mut function = Outlined {
            name,
            whole: beginning..self.length,
            body: open.start + 1..self.length,
            waits,
            queries: false,
            blocks: false,
            budgeted,
            gives_text: false,
            takes_functions,
            calls_code: false,
            types,
            calls: Vec::new(),
        };
        self.says_sql = false;
        let mut calls = HashSet::new();
        self.body(&mut function, &mut calls);
        function.calls = calls.into_iter().collect();
        self.outline.functions.push(function);
    }

    /// Reads a body from its opening brace, and adds the names that it may call to `calls`.
    fn body(&mut self, function: &mut Outlined<'t>, calls: &mut HashSet<&'t str>) {
        let (mut depth, mut is_expression, mut bound) = (0usize, true, Bound::default());
        while self.at < self.tokens.len() {
            if self.with_calls {
                bound.read(self, depth);
            }
            match self.tokens[self.at].kind {
                TokenKind::Sign(b'{') => depth += 1,
                TokenKind::Sign(b';') => is_expression = false,
                TokenKind::Text | TokenKind::Literal if self.with_calls && !self.says_sql => {
                    self.says_sql = starts_like_statement(self.tokens[self.at].text);
                }
                TokenKind::Sign(b'}') => {
                    depth -= 1;
                    if depth == 0 {
                        function.gives_text = self.says_sql && is_expression;
                        let end = self.tokens[self.at].start;
                        function.body.end = end;
                        function.whole.end = end + 1;
                        self.at += 1;
                        return;
                    }
                }
                TokenKind::Sign(b'(') if self.with_calls && self.is_call_of_code(&bound) => {
                    function.calls_code = true;
                }
                TokenKind::Word | TokenKind::RawWord if !self.with_calls => {
                    // One of these signs follows the name of every query, and of fewer others.
                    let token = self.tokens[self.at];
                    let is_one =
                        || self.precedes_sign() && (self.is_query(token) || self.is_of_driver(token));
                    function.queries = function.queries || is_one();
                }
                TokenKind::Word | TokenKind::RawWord => {
                    let token = self.tokens[self.at];
                    match token.text {
                        "block_on" | "block_in_place" | "spawn" | "spawn_blocking" | "spawn_local"
                            if function.waits == Waits::Never =>
                        {
                            function.waits = Waits::Itself;
                        }
                        "async" if function.waits == Waits::Never => function.waits = Waits::Awaited,
                        // Where a type says how it is awaited.
                        "await" => drop(calls.insert("into_future")),
                        "for" => drop(calls.insert(ITERATES)),
                        _ => {}
                    }
                    function.queries |= self.is_query(token);
                    if self.is_of_driver(token) {
                        function.queries = true;
                        // Most of these wait for the result right away.
                        if function.waits == Waits::Never {
                            function.waits = Waits::Itself;
                            // Keys are bound to commands as well.
                            function.blocks = token.text != "bind";
                        }
                    }
                    if self.is_named(self.at) || self.is_chosen(self.at) || is_constant(token.text) {
                        calls.insert(token.name());
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Whether the name at `at` is called, passed on or stored to be called: `load(x)`, `.map(Self::load)`,
    /// `let f = load;`.
    fn is_named(&self, at: usize) -> bool {
        // `load.retry(policy)` calls it until that succeeds.
        let tries = self.is_at_sign(Some(at + 1), b'.')
            && self.tokens.get(at + 2).is_some_and(|method| method.text.starts_with("retry"));
        self.is_called(at) || self.is_given(at) || tries
    }
}

/// Whether a literal, with its quotes, starts like a statement.
fn starts_like_statement(literal: &str) -> bool {
    query_names::looks_like_sql(literal.trim_start_matches(['r', '#', '"', '\\', '\n', ' ']))
}
