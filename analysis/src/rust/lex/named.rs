//! The functions of a file, and where each name occurs in it: what nothing names does not run.

mod admin;
mod functions;
mod requests;

use std::collections::HashSet;

use super::tokens::{Token, TokenKind, tokens};
pub(in crate::rust) use admin::is_admin;
use admin::{administered, is_admin_type, is_demand};
pub(in crate::rust) use functions::names_of_functions;
use requests::is_route;

/// The names of a file.
#[derive(Debug, Default)]
pub(in crate::rust) struct Named<'t> {
    /// The functions that it declares, in order.
    pub(in crate::rust) functions: Vec<Declared<'t>>,
    /// The names of functions in it outside of test code and imports, each with the position of the function that contains it.
    pub(in crate::rust) mentions: Vec<(&'t str, Option<usize>)>,
    /// The names of functions in its test code.
    pub(in crate::rust) tested: Vec<&'t str>,
    /// Its imports under another name, each with the new name first: `pub use sync::sync_blocks as sync_execution`.
    pub(in crate::rust) renamed: Vec<(&'t str, &'t str)>,
    /// The modules of a change that is made once that functions outside of test code name, each with the position of the function.
    pub(in crate::rust) one_off: Vec<(&'t str, usize)>,
    /// Its structs.
    pub(in crate::rust) structs: Vec<&'t str>,
    /// Its traits.
    pub(in crate::rust) traits: Vec<&'t str>,
    /// Whether it makes names of parts: `paste! { [<get_ $name>] }`.
    pub(in crate::rust) is_pasted: bool,
}

/// A function with a body.
#[derive(Debug)]
pub(in crate::rust) struct Declared<'t> {
    pub(in crate::rust) name: &'t str,
    /// The line of its name.
    pub(in crate::rust) line: u32,
    /// Whether something other than its name may run it: an attribute of its own or of the `impl` around it, or the rules
    /// of a macro that contains it.
    pub(in crate::rust) is_marked: bool,
    /// The trait of the `impl` around it.
    pub(in crate::rust) implements: Option<&'t str>,
    /// Whether it is test code.
    pub(in crate::rust) in_test: bool,
    /// Whether it answers requests.
    pub(in crate::rust) answers: bool,
    /// Whether only administrators get past it: it checks for one, and returns or fails otherwise.
    pub(in crate::rust) asks_for_admin: bool,
    /// What it asks for an administrator of, by the name of a type: `Campaign` of a parameter `CampaignAdmin`.
    pub(in crate::rust) admin_of: Option<&'t str>,
}

/// Attributes that do not run the item below them.
const HARMLESS: &[&str] = &[
    "allow",
    "async_recursion",
    "async_trait",
    "cfg",
    "cold",
    "deny",
    "deprecated",
    "doc",
    "expect",
    "inline",
    "instrument",
    "must_use",
    "query_budget",
    "track_caller",
    "warn",
];

/// What a brace belongs to.
#[derive(Debug, Clone, Copy)]
enum Around<'t> {
    Function(usize),
    Impl {
        implements: Option<&'t str>,
        is_marked: bool,
    },
    /// The rules of a macro.
    Rules,
    Other,
}

/// The attributes above an item.
#[derive(Debug, Clone, Copy, Default)]
struct Attributes {
    is_marked: bool,
    is_test: bool,
    is_route: bool,
}

struct Reader<'t, 'd> {
    text: &'t str,
    /// The names that are noted: most words of a file are of no function.
    declared: &'d HashSet<&'d str>,
    tokens: Vec<Token<'t>>,
    at: usize,
    /// The braces around, each with whether it is in test code.
    around: Vec<(Around<'t>, bool)>,
    attributes: Attributes,
    counted: (usize, u32),
    named: Named<'t>,
}

/// Reads the names of a file, as far as they are among those of functions: `declared`.
pub(in crate::rust) fn named<'t>(text: &'t str, in_test: bool, declared: &HashSet<&str>) -> Named<'t> {
    let mut reader = Reader {
        text,
        declared,
        tokens: tokens(text),
        at: 0,
        around: vec![(Around::Other, in_test)],
        attributes: Attributes::default(),
        counted: (0, 1),
        named: Named::default(),
    };
    reader.read();
    reader.named
}

impl<'t> Reader<'t, '_> {
    fn token(&self, at: usize) -> Option<Token<'t>> {
        self.tokens.get(at).copied()
    }

    fn sign(&self, at: usize) -> Option<u8> {
        match self.token(at)?.kind {
            TokenKind::Sign(sign) => Some(sign),
            _ => None,
        }
    }

    fn word(&self, at: usize) -> Option<&'t str> {
        self.token(at).filter(|token| token.kind == TokenKind::Word).map(|token| token.text)
    }

    fn in_test(&self) -> bool {
        self.around.last().is_some_and(|(_, in_test)| *in_test)
    }

    fn function(&self) -> Option<usize> {
        self.around.iter().rev().find_map(|(around, _)| match around {
            Around::Function(at) => Some(*at),
            _ => None,
        })
    }

    fn read(&mut self) {
        while let Some(token) = self.token(self.at) {
            match token.kind {
                TokenKind::Sign(b'#') => self.attribute(),
                TokenKind::Sign(b'{') => {
                    self.open(Around::Other);
                    self.at += 1;
                }
                TokenKind::Sign(b'}') => {
                    if self.around.len() > 1 {
                        self.around.pop();
                    }
                    self.attributes = Attributes::default();
                    self.at += 1;
                }
                TokenKind::Sign(b';') => {
                    self.attributes = Attributes::default();
                    self.at += 1;
                }
                TokenKind::Word => self.named_word(token),
                TokenKind::RawWord => {
                    self.mention(token.text.trim_start_matches("r#"));
                    self.at += 1;
                }
                TokenKind::Text => {
                    self.text(token.text, false);
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
    }

    fn named_word(&mut self, token: Token<'t>) {
        match token.text {
            "fn" if self.word(self.at + 1).is_some() => self.declared(),
            "impl" if self.begins_item() => self.implemented(),
            "struct" => {
                self.named.structs.extend(self.word(self.at + 1));
                self.at += 1;
            }
            "trait" => {
                self.named.traits.extend(self.word(self.at + 1));
                self.at += 2;
            }
            "use" if self.begins_item() => {
                while self.token(self.at).is_some() && self.sign(self.at) != Some(b';') {
                    if self.word(self.at) == Some("as")
                        && let Some(before) = self.at.checked_sub(1).and_then(|at| self.word(at))
                        && let Some(new) = self.word(self.at + 1)
                    {
                        self.named.renamed.push((new, before));
                    }
                    self.at += 1;
                }
            }
            // The name of a module may be that of a function too.
            "mod" if self.word(self.at + 1).is_some() => self.at += 2,
            name if self.is_qualifier() => {
                if let Some(function) = self.function().filter(|_| is_one_off(name) && !self.in_test()) {
                    self.named.one_off.push((name, function));
                }
                self.at += 1;
            }
            "macro_rules" if self.sign(self.at + 1) == Some(b'!') => {
                self.at += 3;
                // Rules in parentheses are read like code.
                if self.sign(self.at) == Some(b'{') {
                    self.open(Around::Rules);
                    self.at += 1;
                }
            }
            "if" if self.asks_for_admin() => {
                if let Some(function) = self.function().and_then(|at| self.named.functions.get_mut(at)) {
                    function.asks_for_admin = true;
                }
                self.at += 1;
            }
            name => {
                self.named.is_pasted |=
                    matches!(name, "paste" | "concat_idents") && self.sign(self.at + 1) == Some(b'!');
                if is_demand(name) && self.sign(self.at + 1) == Some(b'(') {
                    let function = self.function().and_then(|at| self.named.functions.get_mut(at));
                    function.into_iter().for_each(|it| it.asks_for_admin = true);
                }
                self.mention(name);
                self.at += 1;
            }
        }
    }

    /// Whether the name here is that of a module or type, whose item follows: `orders::load`, but not `load::<i64>(id)`.
    fn is_qualifier(&self) -> bool {
        let next = [1, 2].map(|ahead| self.sign(self.at + ahead));
        next == [Some(b':'); 2] && self.sign(self.at + 3) != Some(b'<')
    }

    /// Whether an item begins here, rather than a type (`x: impl Store`) or a bound (`+ use<'a>`).
    fn begins_item(&self) -> bool {
        let Some(before) = self.at.checked_sub(1).and_then(|at| self.token(at)) else { return true };
        match before.kind {
            TokenKind::Sign(sign) => matches!(sign, b';' | b'{' | b'}' | b']' | b')') && self.around_item(),
            TokenKind::Word => matches!(before.text, "pub" | "unsafe" | "default"),
            _ => false,
        }
    }

    /// A parenthesis before an item is that of `pub(crate)`.
    fn around_item(&self) -> bool {
        if self.at.checked_sub(1).and_then(|at| self.sign(at)) != Some(b')') {
            return true;
        }
        self.at.checked_sub(4).and_then(|at| self.word(at)) == Some("pub")
    }

    fn mention(&mut self, name: &'t str) {
        if !self.declared.contains(name) {
            return;
        }
        if !self.in_test() {
            let within_rules = self.around.iter().any(|(around, _)| matches!(around, Around::Rules));
            let function = self.function().filter(|_| !within_rules);
            self.named.mentions.push((name, function));
        } else {
            self.named.tested.push(name);
        }
    }

    /// A text may name a function by its path: `#[serde(default = "limit")]`. In an attribute, any word of it may.
    fn text(&mut self, text: &'t str, is_of_attribute: bool) {
        let inner = text.trim_matches('"');
        let is_path = inner.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '.'));
        if is_path || is_of_attribute {
            inner
                .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                .filter(|word| !word.is_empty())
                .for_each(|word| self.mention(word));
        }
    }

    /// Reads `#[..]`.
    fn attribute(&mut self) {
        let is_inner = self.sign(self.at + 1) == Some(b'!');
        self.at += 1 + usize::from(is_inner);
        if self.sign(self.at) != Some(b'[') {
            return;
        }
        let mut name = "";
        let (mut depth, mut is_test, mut is_not) = (0usize, false, false);
        while let Some(token) = self.token(self.at) {
            match token.kind {
                TokenKind::Sign(b'[' | b'(' | b'{') => depth += 1,
                TokenKind::Sign(b']' | b')' | b'}') => depth -= 1,
                TokenKind::Word => {
                    // The last part of the path before its arguments: `tracing::instrument`.
                    if depth == 1 && self.sign(self.at - 1) != Some(b'=') {
                        name = token.text;
                    }
                    is_not |= token.text == "not";
                    is_test |= matches!(token.text, "test" | "rstest" | "bench" | "test_case");
                    if depth > 1 || self.sign(self.at - 1) == Some(b'=') {
                        self.mention(token.text);
                    }
                }
                TokenKind::Text => self.text(token.text, true),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                break;
            }
        }
        if !is_inner {
            self.attributes.is_marked |= !HARMLESS.contains(&name);
            self.attributes.is_route |= is_route(name);
            self.attributes.is_test |= is_test && !(is_not && name == "cfg");
        }
    }

    fn open(&mut self, around: Around<'t>) {
        let in_test = self.in_test() || std::mem::take(&mut self.attributes).is_test;
        self.attributes = Attributes::default();
        self.around.push((around, in_test));
    }

    /// Reads the head of a function.
    fn declared(&mut self) {
        let Some(name) = self.token(self.at + 1) else { return };
        let attributes = std::mem::take(&mut self.attributes);
        let mut is_marked = attributes.is_marked;
        let mut implements = None;
        for (around, _) in self.around.iter().rev() {
            match around {
                Around::Impl { implements: of, is_marked: marked } => {
                    is_marked |= *marked;
                    implements = *of;
                    break;
                }
                Around::Function(_) => break,
                Around::Rules => is_marked = true,
                Around::Other => {}
            }
        }
        let is_root = matches!(name.text, "main" | "rocket");
        let position = self.named.functions.len();
        let mentioned = self.named.mentions.len();
        let line = self.line(name.start);
        let in_test = self.in_test() || attributes.is_test;
        self.named.functions.push(Declared {
            name: name.text,
            line,
            is_marked: is_marked || is_root,
            implements,
            in_test,
            answers: attributes.is_route,
            asks_for_admin: false,
            admin_of: None,
        });
        self.at += 2;
        // The names in its head are used where it runs.
        self.around.push((Around::Function(position), in_test));
        let mut depth = 0usize;
        while let Some(token) = self.token(self.at) {
            match token.kind {
                TokenKind::Sign(b'(' | b'[') => depth += 1,
                TokenKind::Sign(b')' | b']') => depth = depth.saturating_sub(1),
                TokenKind::Sign(b'{') if depth == 0 => {
                    self.at += 1;
                    return;
                }
                TokenKind::Sign(b';') if depth == 0 => break,
                TokenKind::Word => {
                    let answers = self.is_of_request(token.text);
                    if let Some(function) = self.named.functions.get_mut(position) {
                        function.answers |= answers;
                        match administered(token.text) {
                            _ if !is_admin_type(token.text) => {}
                            Some(of) => function.admin_of = Some(of),
                            None => function.asks_for_admin = true,
                        }
                    }
                    self.mention(token.text);
                }
                _ => {}
            }
            self.at += 1;
        }
        // Without a body, it is a declaration.
        self.around.pop();
        if position + 1 == self.named.functions.len() {
            self.named.functions.pop();
            let of_head = self.named.mentions.split_off(mentioned);
            self.named.mentions.extend(of_head.into_iter().filter(|(_, of)| *of != Some(position)));
        }
    }

    /// Reads the head of an `impl`.
    fn implemented(&mut self) {
        let attributes = self.attributes;
        self.at += 1;
        let (mut last, mut implements, mut depth) = (None, None, 0usize);
        while let Some(token) = self.token(self.at) {
            match token.kind {
                TokenKind::Sign(b'{') => break,
                TokenKind::Sign(b'<') => depth += 1,
                TokenKind::Sign(b'>') if self.sign(self.at - 1) != Some(b'-') => {
                    depth = depth.saturating_sub(1)
                }
                TokenKind::Word if token.text == "for" && depth == 0 => implements = last,
                TokenKind::Word => {
                    if depth == 0 {
                        last = Some(token.text);
                    }
                    self.mention(token.text);
                }
                _ => {}
            }
            self.at += 1;
        }
        self.open(Around::Impl { implements, is_marked: attributes.is_marked });
        self.at += 1;
    }

    /// The line of a byte; bytes are asked for in order.
    fn line(&mut self, byte: usize) -> u32 {
        let (from, line) = self.counted;
        let between = self.text.get(from..byte).unwrap_or_default();
        let more = u32::try_from(between.matches('\n').count()).unwrap_or(0);
        self.counted = (byte, line + more);
        line + more
    }
}

/// Whether a module of this name makes a change of the data that is made once.
pub(in crate::rust) fn is_one_off(module: &str) -> bool {
    matches!(module, "backfill" | "migrate")
}
