//! What other files can use of a file, read from its tokens: the names that it imports, and its macros.

use super::tokens::{Token, TokenKind, tokens};
use crate::rust::query_names::makes_query;
use crate::rust::source::ModuleItems;

/// A macro by its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rust) struct Defined<'t> {
    pub(in crate::rust) name: &'t str,
    /// The tokens in its braces.
    pub(in crate::rust) rules: &'t str,
    /// Whether other crates see it: `#[macro_export]`.
    pub(in crate::rust) is_exported: bool,
}

/// The macros that a file defines by rules.
pub(in crate::rust) fn macros(text: &str) -> Vec<Defined<'_>> {
    if !text.contains("macro_rules") {
        return Vec::new();
    }
    let tokens = tokens(text);
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.is("macro_rules")) {
        let (Some(name), Some(open)) = (tokens.get(at + 2), tokens.get(at + 3)) else { continue };
        let Some(close) = closing(&tokens, at + 3).and_then(|close| tokens.get(close)) else { continue };
        let before = tokens.get(..at).unwrap_or_default().iter().rev();
        let is_exported = before
            .take_while(|token| !matches!(token.kind, TokenKind::Sign(b';' | b'}')))
            .any(|token| token.is("macro_export"));
        if let Some(rules) = text.get(open.start + 1..close.start)
            && token.kind == TokenKind::Word
        {
            found.push(Defined { name: name.text, rules, is_exported });
        }
    }
    let renamed = renamed(&tokens, &found);
    found.extend(renamed);
    found
}

/// The macros of a file by the names under which it re-exports them: `pub(crate) use exec as run_sql;`.
fn renamed<'t>(tokens: &[Token<'t>], defined: &[Defined<'t>]) -> Vec<Defined<'t>> {
    let mut is_re_export = false;
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Sign(b';') => is_re_export = false,
            TokenKind::Word if token.text == "use" => {
                is_re_export = tokens.get(..at).is_some_and(is_public);
            }
            TokenKind::Word if is_re_export && token.text == "as" => {
                let name = at.checked_sub(1).and_then(|before| tokens.get(before));
                let of = name.and_then(|name| defined.iter().find(|it| it.name == name.text));
                let pair = of.zip(tokens.get(at + 1));
                found.extend(pair.map(|(of, new)| Defined { name: new.text, ..of.clone() }));
            }
            _ => {}
        }
    }
    found
}

/// The bracket that closes the one at a token.
fn closing(tokens: &[Token<'_>], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    (open..tokens.len()).find(|at| {
        match tokens.get(*at).map(|token| token.kind) {
            Some(TokenKind::Sign(b'(' | b'[' | b'{')) => depth += 1,
            Some(TokenKind::Sign(b')' | b']' | b'}')) => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    })
}

/// What the imports of a file mean for those of others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::rust) struct Handing {
    /// It imports what makes queries so that others may have it from there: under another name, or for all to see.
    pub(in crate::rust) hands_on: bool,
    /// It imports what makes queries, which the modules inside of it may have from there.
    pub(in crate::rust) imports: bool,
    /// It may have what makes queries from a module around it: `super::query`, or the file that it is included in.
    pub(in crate::rust) asks: bool,
}

/// How a file hands on what makes queries.
pub(in crate::rust) fn handing(text: &str) -> Handing {
    let mut found = Handing { asks: text.contains("include!("), ..Handing::default() };
    let is_of_queries = text.contains("sqlx") || text.contains("query_budget");
    let may_ask = ["super::", "crate::", "self::"].iter().any(|word| text.contains(word))
        && ["query", "sql", "QueryBuilder"].iter().any(|name| text.contains(name));
    if !is_of_queries && !may_ask {
        return found;
    }
    let tokens = tokens(text);
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        let is_extern = token.is("crate")
            && at.checked_sub(2).and_then(|before| tokens.get(before)).is_some_and(|it| it.is("extern"));
        if !(token.is("use") || is_extern) {
            found.asks |= is_own(token) && is_query_of_path(&tokens, at);
            continue;
        }
        let length =
            tokens.iter().skip(at).position(|token| token.kind == TokenKind::Sign(b';')).unwrap_or(0);
        let named = tokens.get(at..at + length).unwrap_or_default();
        let is_seen = tokens.get(..at - 1).is_some_and(is_public);
        let of_queries =
            named.iter().any(|name| makes_query(name.text) || name.is("sqlx") || name.is("query_budget"));
        found.hands_on |= of_queries && (is_seen || named.iter().any(|name| name.is("as")));
        let is_of_parent = named.first().is_some_and(is_own);
        found.asks |= is_of_parent && of_queries;
        found.imports |= !is_of_parent && of_queries;
        at += length;
    }
    found
}

/// Whether a name begins a path inside of the crate.
fn is_own(name: &Token<'_>) -> bool {
    matches!(name.text, "crate" | "self" | "super") && name.kind == TokenKind::Word
}

/// Whether the rest of a path ends in what makes queries: `::query` after `super`.
fn is_query_of_path(tokens: &[Token<'_>], from: usize) -> bool {
    let is_colon = |at: usize| tokens.get(at).is_some_and(|it| it.kind == TokenKind::Sign(b':'));
    let mut at = from;
    while is_colon(at) && is_colon(at + 1) {
        if tokens.get(at + 2).is_some_and(|name| makes_query(name.text)) {
            return true;
        }
        at += 3;
    }
    false
}

/// Whether the next item is visible elsewhere: after `pub` or `pub(crate)`.
fn is_public(before: &[Token<'_>]) -> bool {
    match before.last() {
        Some(token) if token.is("pub") => true,
        Some(token) if token.kind == TokenKind::Sign(b')') => {
            before.iter().rev().take(6).any(|token| token.is("pub"))
        }
        _ => false,
    }
}

/// The path of a module of a file, and a path that code in it may call.
type CalledPath<'t> = (Vec<String>, Vec<&'t str>);

/// The imports of a file, by module, and the paths that it may call, which end in one of `names` or name something in it.
pub(in crate::rust) fn imports<'t>(
    text: &'t str,
    names: &dyn Fn(&str) -> bool,
) -> (Vec<ModuleItems>, Vec<CalledPath<'t>>) {
    let tokens = tokens(text);
    let mut reader = Reader { tokens: &tokens, at: 0 };
    let (mut modules, mut called) = (vec![ModuleItems::default()], Vec::new());
    // The modules around, each with the depth of its brace.
    let mut around: Vec<(String, usize)> = Vec::new();
    let mut depth = 0usize;
    while let Some(token) = reader.next() {
        match token.kind {
            TokenKind::Sign(b'{') => depth += 1,
            TokenKind::Sign(b'}') => {
                depth = depth.saturating_sub(1);
                if around.last().is_some_and(|(_, of)| *of == depth) {
                    around.pop();
                }
            }
            TokenKind::Word if token.text == "mod" => {
                if let (Some(name), Some(TokenKind::Sign(b'{'))) =
                    (reader.peek(0), reader.peek(1).map(|it| it.kind))
                {
                    around.push((name.text.to_owned(), depth));
                    // Paths of a module without imports lead somewhere as well.
                    items_of(&around, &mut modules);
                }
            }
            // Not one of an `impl` or inside of another.
            TokenKind::Word if token.text == "fn" && depth == around.last().map_or(0, |(_, of)| of + 1) => {
                if let Some(name) = reader.peek(0).filter(|name| makes_query(name.text))
                    && let Some(items) = items_of(&around, &mut modules)
                {
                    items.functions.push(name.text.to_owned());
                }
            }
            // Not the `use<'a>` of a type.
            TokenKind::Word
                if token.text == "use" && !reader.is_sign(0, b'<')
                    || token.text == "crate" && reader.is_behind("extern") =>
            {
                if let Some(items) = items_of(&around, &mut modules) {
                    reader.tree(items, &mut Vec::new(), 0);
                }
            }
            TokenKind::Word => {
                if let Some(path) = reader.path(token, names) {
                    called.push((around.iter().map(|(name, _)| name.clone()).collect(), path));
                }
            }
            _ => {}
        }
    }
    (modules, called)
}

/// The items of the module that these modules around are.
fn items_of<'m>(
    around: &[(String, usize)],
    modules: &'m mut Vec<ModuleItems>,
) -> Option<&'m mut ModuleItems> {
    let module: Vec<String> = around.iter().map(|(name, _)| name.clone()).collect();
    let at = modules.iter().position(|items| items.module == module).unwrap_or_else(|| {
        modules.push(ModuleItems { module, ..ModuleItems::default() });
        modules.len() - 1
    });
    modules.get_mut(at)
}

/// The crates that a file renames, by their new name: `extern crate sqlx as pg;`. In the root of a crate, it is one
/// for all of the crate's files.
pub(in crate::rust) fn renamed_crates(text: &str) -> Vec<(String, String)> {
    if !text.contains("extern crate") {
        return Vec::new();
    }
    let (modules, _) = imports(text, &|_| false);
    let root = modules.into_iter().find(|items| items.module.is_empty());
    let uses = root.map(|items| items.uses).unwrap_or_default().into_iter();
    uses.filter_map(|(local, path)| match path.as_slice() {
        [name] if *name != local && text.contains(&format!("extern crate {name} as {local}")) => {
            Some((local, name.clone()))
        }
        _ => None,
    })
    .collect()
}

struct Reader<'a, 't> {
    tokens: &'a [Token<'t>],
    at: usize,
}

impl<'t> Reader<'_, 't> {
    fn peek(&self, ahead: usize) -> Option<Token<'t>> {
        self.tokens.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<Token<'t>> {
        let next = self.peek(0)?;
        self.at += 1;
        Some(next)
    }

    /// Whether the current token follows this word.
    fn is_behind(&self, word: &str) -> bool {
        self.at.checked_sub(2).and_then(|before| self.tokens.get(before)).is_some_and(|it| it.is(word))
    }

    fn is_sign(&self, ahead: usize, sign: u8) -> bool {
        self.peek(ahead).is_some_and(|token| token.kind == TokenKind::Sign(sign))
    }

    /// A path whose first name is read, if it has one of `names`.
    fn path(&mut self, first: Token<'t>, names: &dyn Fn(&str) -> bool) -> Option<Vec<&'t str>> {
        let mut is_one = names(first.text);
        let start = self.at;
        while self.is_sign(0, b':')
            && self.is_sign(1, b':')
            && let Some(name) = self.peek(2).filter(|name| name.kind == TokenKind::Word)
        {
            is_one = is_one || names(name.text);
            self.at += 3;
        }
        let rest = self.tokens.get(start..self.at).unwrap_or_default();
        let rest = rest.iter().skip(2).step_by(3).map(|name| name.text);
        is_one.then(|| std::iter::once(first.text).chain(rest).collect())
    }

    /// A tree of imports, to its comma, bracket or semicolon.
    fn tree(&mut self, items: &mut ModuleItems, prefix: &mut Vec<String>, depth: usize) {
        const MAX_IMPORT_DEPTH: usize = 32;
        let before = prefix.len();
        while let Some(token) = self.next().filter(|_| depth < MAX_IMPORT_DEPTH) {
            match token.kind {
                TokenKind::Sign(b':') => {}
                TokenKind::Sign(b'*') => items.globs.push(prefix.clone()),
                TokenKind::Sign(b'{') => {
                    while !self.is_sign(0, b'}') && self.peek(0).is_some() && !self.is_sign(0, b';') {
                        self.tree(items, prefix, depth + 1);
                        if self.is_sign(0, b',') {
                            self.at += 1;
                        }
                    }
                    if self.is_sign(0, b'}') {
                        self.at += 1;
                    }
                }
                TokenKind::Word | TokenKind::RawWord if token.text != "as" => {
                    if token.text != "self" || prefix.is_empty() {
                        prefix.push(token.text.to_owned());
                    }
                    if !self.is_sign(0, b':') {
                        let renamed = self.peek(0).is_some_and(|token| token.is("as"));
                        let local = if renamed {
                            self.peek(1).map(|it| it.text.to_owned())
                        } else {
                            prefix.last().cloned()
                        };
                        items.uses.extend(local.map(|local| (local, prefix.clone())));
                        self.at += if renamed { 2 } else { 0 };
                    }
                }
                _ => {}
            }
            if self.is_sign(0, b',') || self.is_sign(0, b'}') || self.is_sign(0, b';') {
                break;
            }
        }
        prefix.truncate(before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_are_read_with_their_rules() {
        let text = "#[macro_export] macro_rules! a { () => { \"}\" } } fn f() {} macro_rules! b (($x:expr) => {1};);";
        let found = macros(text);
        let of: Vec<_> = found.iter().map(|it| (it.name, it.rules.trim(), it.is_exported)).collect();
        assert_eq!(of, [("a", "() => { \"}\" }", true), ("b", "($x:expr) => {1};", false)]);
        for text in ["macro_rules", "macro_rules!", "macro_rules! a", "macro_rules! a {"] {
            assert_eq!(macros(text), []);
        }
    }

    #[test]
    fn macros_are_known_by_the_names_of_their_re_exports() {
        let text = "macro_rules! a { () => { 1 } } pub(crate) use a as b; pub use {a as c}; use a as d;";
        let names: Vec<&str> = macros(text).iter().map(|it| it.name).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }

    #[test]
    fn what_is_handed_on_is_what_others_can_have() {
        for (text, expected) in [
            ("pub use sqlx::query;", true),
            ("pub(crate) use sqlx::{query_as, Row};", true),
            ("use sqlx::query as q;", true),
            ("pub use sqlx as db;", true),
            ("pub use sqlx::*;", true),
            ("use sqlx::query;", false),
            ("use a::b as c; pub use d::e;", false),
            ("use", false),
        ] {
            assert_eq!(handing(text).hands_on, expected, "{text}");
        }
    }

    #[test]
    fn what_a_module_may_have_from_those_around_it_is_known() {
        for (text, imports, asks) in [
            ("use sqlx::query;", true, false),
            ("use sqlx::{query, PgPool};", true, false),
            ("use super::query;", false, true),
            ("use crate::{query_as, Row};", false, true),
            ("fn f() { super::super::query(1) }", false, true),
            ("fn f() { self::query_as::<_, A>(1) }", false, true),
            ("mod a { use super::query; } use sqlx::query;", true, true),
            ("use sqlx::query; include!(\"a.inc\");", true, true),
            ("use super::Query; fn f(self) { self.query(1); super::load(query) }", false, false),
            ("fn f() { super::", false, false),
        ] {
            let found = handing(text);
            assert_eq!((found.imports, found.asks), (imports, asks), "{text}");
        }
    }

    #[track_caller]
    fn check(text: &str, uses: &[(&str, &str)], globs: &[&str], called: &[&str]) {
        let (modules, found) = imports(text, &|name| name == "q");
        let items = modules.last().expect("there is a module");
        let found_uses: Vec<(String, String)> =
            items.uses.iter().map(|(name, path)| (name.clone(), path.join("::"))).collect();
        let owned: Vec<(String, String)> =
            uses.iter().map(|(name, path)| ((*name).to_owned(), (*path).to_owned())).collect();
        assert_eq!(found_uses, owned, "{text}");
        assert_eq!(items.globs.iter().map(|it| it.join("::")).collect::<Vec<_>>(), globs, "{text}");
        assert_eq!(found.iter().map(|(_, path)| path.join("::")).collect::<Vec<_>>(), called, "{text}");
    }

    #[test]
    fn imports_are_read() {
        check("use a::b;", &[("b", "a::b")], &[], &[]);
        check(
            "pub use a::{self, b as c, d::{e, *}};",
            &[("a", "a"), ("c", "a::b"), ("e", "a::d::e")],
            &["a::d"],
            &[],
        );
        check(
            "use sqlx; fn f() { db::q(1); q::new(); r(); }",
            &[("sqlx", "sqlx")],
            &[],
            &["db::q", "q::new"],
        );
        check("mod a { use super::q; } fn f() { q!(1) }", &[("q", "super::q")], &[], &["q"]);
    }

    #[test]
    fn what_is_no_rust_ends() {
        for text in [
            "use",
            "use {",
            "use a::{b",
            "use a::{{{{",
            "use ::a as",
            "mod",
            "mod a {",
            "use a::{,,}",
            "use a b c",
        ] {
            imports(text, &|_| true);
        }
    }
}
