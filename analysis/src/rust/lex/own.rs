//! Methods of the project that share a name with one of the standard library or of another well-known crate, so that their
//! name alone does not say what they do: `get`, `find`, `for_each`.

use std::collections::{HashMap, HashSet};

use super::rewriters::rewriters;
use super::tokens::{Token, TokenKind, tokens};
use super::unwritten::unwritten;

/// How many elements a method returns, as far as its return type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rust) enum Gives {
    /// An option or a result.
    One,
    /// A collection, an iterator or a stream.
    Many,
    Other,
}

/// What some files have themselves.
#[derive(Debug, Default)]
pub(in crate::rust) struct Own {
    /// Their methods, by name.
    methods: HashMap<String, Methods>,
    /// Their functions that only rewrite the placeholders of a text.
    rewriters: HashSet<String>,
    /// Their methods that run without their name being written: `add`, `drop`, `next` of an iterator.
    unwritten: HashSet<&'static str>,
}

/// The methods of one name: the types and traits that have one, and what they give.
#[derive(Debug, Default)]
pub(in crate::rust) struct Methods {
    of: HashSet<String>,
    /// Without duplicates.
    gives: Vec<Gives>,
}

impl Methods {
    /// Whether a type or trait of this name has one itself.
    pub(in crate::rust) fn has(&self, name: &str) -> bool {
        self.of.contains(name)
    }

    /// Whether a type or trait of this name has one, itself or as any other.
    pub(in crate::rust) fn are_of(&self, name: &str) -> bool {
        self.has(name) || self.has(ANY)
    }

    /// Whether each of them returns this.
    pub(in crate::rust) fn all_give(&self, gives: Gives) -> bool {
        self.gives == [gives]
    }
}

impl Own {
    /// Those of some texts.
    pub(in crate::rust) fn of<'t>(texts: impl Iterator<Item = &'t str>) -> Own {
        let mut own = Own::default();
        let texts: Vec<&str> = texts.collect();
        own.rewriters = rewriters(&texts).into_iter().map(str::to_owned).collect();
        own.unwritten = texts.iter().flat_map(|text| unwritten(text)).collect();
        // Most files have none, which a search finds without reading their tokens.
        texts.iter().filter(|text| has_one(text)).for_each(|text| Reader::new(text).read(&mut own));
        own
    }

    /// Whether the function of this name only rewrites the placeholders of a text.
    pub(in crate::rust) fn rewrites(&self, function: &str) -> bool {
        self.rewriters.contains(function)
    }

    /// Whether one of their types has this method, which an operator or a loop runs.
    pub(in crate::rust) fn runs_unwritten(&self, method: &str) -> bool {
        self.unwritten.contains(method)
    }

    /// The methods of this name; `None` if there is none.
    pub(in crate::rust) fn named(&self, method: &str) -> Option<&Methods> {
        self.methods.get(method)
    }

    fn add(&mut self, method: &str, of: &str, gives: Gives) {
        let known = self.methods.entry(method.to_owned()).or_default();
        if !known.of.contains(of) {
            known.of.insert(of.to_owned());
        }
        if !known.gives.contains(&gives) {
            known.gives.push(gives);
        }
    }
}

/// The name under which an `impl` for every type with some traits is recorded.
pub(in crate::rust) const ANY: &str = "";

fn has_one(text: &str) -> bool {
    text.match_indices("fn ").any(|(at, found)| {
        let rest = text.get(at + found.len()..).unwrap_or_default();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        rest.get(..end).is_some_and(is_ubiquitous)
    })
}

struct Reader<'t> {
    tokens: Vec<Token<'t>>,
    /// The type or trait whose methods come next.
    of: &'t str,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Reader<'t> {
        Reader { tokens: tokens(text), of: ANY }
    }

    fn read(mut self, own: &mut Own) {
        for at in 0..self.tokens.len() {
            let Some(token) = self.tokens.get(at).filter(|token| token.kind == TokenKind::Word) else {
                continue;
            };
            match token.text {
                "impl" if self.begins_item(at) => self.of = self.implemented(at),
                "trait" => self.of = self.tokens.get(at + 1).map_or(ANY, |name| name.text),
                "fn" => {
                    let name = self.tokens.get(at + 1).map_or("", |name| name.text);
                    if is_ubiquitous(name)
                        && let Some(end) = self.method(at + 2)
                    {
                        own.add(name, self.of, self.gives(end));
                    }
                }
                _ => {}
            }
        }
    }

    fn sign(&self, at: usize) -> Option<u8> {
        match self.tokens.get(at)?.kind {
            TokenKind::Sign(sign) => Some(sign),
            _ => None,
        }
    }

    /// Whether an item begins here, rather than a type: `impl Store for Pg`, not `f(x: impl Store)`.
    fn begins_item(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else { return true };
        matches!(self.sign(before), Some(b'}' | b'{' | b';' | b']'))
            || self.tokens.get(before).is_some_and(|token| token.is("unsafe") || token.is("default"))
    }

    /// The position after a list between `<` and `>` that begins here.
    fn behind_generics(&self, from: usize) -> usize {
        let mut depth = 0usize;
        let mut at = from;
        while let Some(token) = self.tokens.get(at) {
            match token.kind {
                TokenKind::Sign(b'<') => depth += 1,
                // The arrow of `Fn() -> T` closes nothing.
                TokenKind::Sign(b'>') if self.sign(at.saturating_sub(1)) != Some(b'-') => {
                    depth = depth.saturating_sub(1);
                }
                TokenKind::Sign(b'{' | b';') => return at,
                _ => {}
            }
            if depth == 0 {
                return if at == from { at } else { at + 1 };
            }
            at += 1;
        }
        at
    }

    /// The name of the type that an `impl` is for; `ANY` if that is a type parameter.
    fn implemented(&self, start: usize) -> &'t str {
        let from = self.behind_generics(start + 1);
        let (mut at, mut name) = (from, ANY);
        while let Some(token) = self.tokens.get(at) {
            match token.kind {
                TokenKind::Sign(b'{' | b';') => break,
                TokenKind::Sign(b'<') => {
                    at = self.behind_generics(at);
                    continue;
                }
                TokenKind::Word if token.text == "where" => break,
                TokenKind::Word if matches!(token.text, "dyn" | "mut" | "const" | "for") => {}
                TokenKind::Word | TokenKind::RawWord => name = token.text,
                _ => {}
            }
            at += 1;
        }
        let parameters = self.tokens.get(start + 1..from).unwrap_or_default();
        if parameters.iter().any(|token| token.text == name) { ANY } else { name }
    }

    /// The position after the parameters of a function, if the first of them is `self`.
    fn method(&self, from: usize) -> Option<usize> {
        let open = self.behind_generics(from);
        let (mut depth, mut at, mut is_method, mut is_first) = (0usize, open, false, true);
        loop {
            let token = self.tokens.get(at)?;
            match token.kind {
                TokenKind::Sign(b'(' | b'[') => depth += 1,
                TokenKind::Sign(b')' | b']') => depth = depth.checked_sub(1)?,
                TokenKind::Sign(b',') => is_first = false,
                TokenKind::Word => is_method |= is_first && depth == 1 && token.text == "self",
                _ => {}
            }
            at += 1;
            if depth == 0 {
                return is_method.then_some(at);
            }
        }
    }

    /// What a function returns whose parameters end here.
    fn gives(&self, from: usize) -> Gives {
        if (self.sign(from), self.sign(from + 1)) != (Some(b'-'), Some(b'>')) {
            return Gives::Other;
        }
        let rest = self.tokens.iter().skip(from + 2);
        let words = rest
            .take_while(|token| !matches!(token.kind, TokenKind::Sign(b'{' | b';')) && !token.is("where"))
            .filter(|token| !matches!(token.kind, TokenKind::Lifetime | TokenKind::Sign(b'&' | b':')));
        let mut outer = None;
        for token in words {
            match token.kind {
                TokenKind::Sign(b'[') => return Gives::Many,
                TokenKind::Sign(_) => break,
                TokenKind::Word if matches!(token.text, "impl" | "dyn" | "mut" | "for") => {}
                _ => outer = Some(token.text),
            }
        }
        match outer {
            Some("Box" | "Pin") => Gives::Other,
            Some(name) if name == "Option" || name.ends_with("Result") => Gives::One,
            Some(name) if name.ends_with("Iterator") || name.ends_with("Stream") || is_collection(name) => {
                Gives::Many
            }
            _ => Gives::Other,
        }
    }
}

/// Whether a type is a collection of the standard library, or of a well-known one like it.
pub(in crate::rust) fn is_collection(name: &str) -> bool {
    matches!(
        name,
        "Vec"
            | "VecDeque"
            | "HashMap"
            | "HashSet"
            | "BTreeMap"
            | "BTreeSet"
            | "IndexMap"
            | "IndexSet"
            | "SmallVec"
    )
}

/// Whether methods of this name are everywhere: those of collections, iterators, streams, options and caches.
pub(in crate::rust) fn is_ubiquitous(name: &str) -> bool {
    super::super::walk::is_everyday(name)
        || super::super::walk::is_of_cache(name)
        || matches!(
            name,
            "all"
                | "and_then"
                | "any"
                | "array_chunks"
                | "buffer_unordered"
                | "buffered"
                | "bytes"
                | "chars"
                | "chunk_by"
                | "chunks"
                | "chunks_exact"
                | "chunks_timeout"
                | "collect_vec"
                | "difference"
                | "drain"
                | "err"
                | "eventsource"
                | "filter"
                | "filter_map"
                | "find"
                | "find_map"
                | "flat_map"
                | "flat_map_unordered"
                | "fold"
                | "for_each"
                | "for_each_concurrent"
                | "for_each_init"
                | "group_by"
                | "inspect"
                | "inspect_ok"
                | "intersection"
                | "into_future"
                | "into_keys"
                | "into_par_iter"
                | "into_values"
                | "is_ok_and"
                | "is_some_and"
                | "lines"
                | "map"
                | "map_ok"
                | "map_or"
                | "map_or_else"
                | "map_while"
                | "max_by_key"
                | "messages"
                | "min_by_key"
                | "ok_or_else"
                | "or_else"
                | "par_iter"
                | "partition"
                | "pop"
                | "position"
                | "range"
                | "recv"
                | "rchunks"
                | "retain"
                | "scan"
                | "skip_while"
                | "sort_by_cached_key"
                | "sort_by_key"
                | "sorted"
                | "sorted_by_key"
                | "split_whitespace"
                | "step_by"
                | "stream"
                | "subscribe"
                | "symmetric_difference"
                | "take_while"
                | "then"
                | "then_some"
                | "try_filter"
                | "try_filter_map"
                | "try_fold"
                | "try_for_each"
                | "try_for_each_concurrent"
                | "try_iter"
                | "tuple_windows"
                | "union"
                | "unique"
                | "unwrap_or_else"
                | "values_mut"
                | "windows"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, method: &str, expected: &[(&str, Gives)]) {
        let own = Own::of(std::iter::once(text));
        let found = own.named(method).into_iter();
        let found: Vec<(&str, Gives)> = found
            .flat_map(|found| found.of.iter().map(String::as_str).zip(found.gives.iter().copied()))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn methods_are_found_with_their_types() {
        check(
            "impl Repo { pub async fn get(&self, id: i64) -> sqlx::Result<String> {} }",
            "get",
            &[("Repo", Gives::One)],
        );
        check(
            "impl<'a, T: Load<Row>> Store<T> for crate::db::Pg<'a, T> where T: X { fn find<Q: Into<String>>(self, q: Q) -> Vec<i64> {} }",
            "find",
            &[("Pg", Gives::Many)],
        );
        check("impl<T: Store + ?Sized> Ext for T { fn map(&self) {} }", "map", &[(ANY, Gives::Other)]);
        check("pub trait Store: Send { fn last(&self) -> Option<&str>; }", "last", &[("Store", Gives::One)]);
        check(
            "impl A { fn first(&self) -> impl Iterator<Item = i64> + '_ {} }",
            "first",
            &[("A", Gives::Many)],
        );
        check("impl A { fn first(&self) -> &[i64] {} }", "first", &[("A", Gives::Many)]);
        check(
            "impl A { fn f() -> impl Fn(i64) -> i64 { x } fn get(&mut self) {} }",
            "get",
            &[("A", Gives::Other)],
        );
    }

    #[test]
    fn functions_and_other_names_are_left_out() {
        check("fn get(id: i64) -> i64 {} impl A { fn get(a: &A, b: self::B) {} }", "get", &[]);
        check("impl A { fn load(&self) {} }", "load", &[]);
        check("impl A { fn get(", "get", &[]);
        check("fn get", "get", &[]);
    }
}
