//! Values that are others each time that they are computed: `Uuid::new_v4()`, `ids.next()`.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Expr;

/// Types that are empty when they are made.
const EMPTY_AT_FIRST: [&str; 5] = ["String", "Vec", "HashMap", "BTreeMap", "HashSet"];

/// Whether a value with these mentions is another one each time that it is computed. The time does not count: that of one moment serves
/// all elements.
pub(super) fn yields_new(value: &Expr, mentions: &[String]) -> bool {
    let mut calls = Calls::default();
    calls.read(value.to_token_stream());
    if calls.all.iter().any(|call| gives_new(&call.name)) {
        return true;
    }
    // The name of a function is no variable.
    let is_called = |name: &String| calls.all.iter().any(|call| call.name == *name);
    let is_time = |call: &Called| matches!(&*call.name, "now" | "now_utc" | "now_local" | "today");
    mentions.iter().all(is_called)
        && !calls.makes_empty
        && !calls.all.iter().any(is_time)
        && calls.all.iter().any(Called::makes_something)
}

/// Whether a function or method of this name gives another value each time.
pub(in crate::rust) fn gives_new(name: &str) -> bool {
    matches!(
        name,
        "next"
            | "next_id"
            | "new_id"
            | "gen"
            | "gen_range"
            | "random"
            | "random_range"
            | "sample"
            | "fetch_add"
            | "nanoid"
            | "cuid"
            | "cuid2"
            | "ulid"
            | "now_v6"
            | "now_v7"
    ) || name.starts_with("new_v")
        || name.starts_with("generate")
}

/// A function, method or macro that is called.
struct Called {
    name: String,
    /// Whether it has no arguments.
    is_bare: bool,
}

impl Called {
    /// Whether it may make a value of nothing: not one of a constant, and not the same of the same value.
    fn makes_something(&self) -> bool {
        let name = &*self.name;
        let is_same = matches!(name, "default" | "nil" | "max" | "empty");
        let keeps = name.starts_with("to_")
            || name.starts_with("as_")
            || matches!(name, "clone" | "into" | "unwrap" | "len" | "trim");
        self.is_bare && name.starts_with(char::is_lowercase) && !is_same && !keeps
    }
}

/// The calls of an expression, including those among the tokens of macros.
#[derive(Default)]
struct Calls {
    all: Vec<Called>,
    /// Whether a function of a type that is empty at first is named.
    makes_empty: bool,
}

impl Calls {
    fn read(&mut self, tokens: TokenStream) {
        // The name that a group would call, how many `<` of its generics are open, and whether `:` is right before.
        let (mut name, mut depth, mut is_after_colon) = (None, 0_usize, false);
        for token in tokens {
            let is_colon = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ':');
            match token {
                TokenTree::Ident(ident) if depth == 0 => name = Some(ident.to_string()),
                TokenTree::Punct(punct) => match punct.as_char() {
                    '<' if depth > 0 || is_after_colon => depth += 1,
                    '>' if depth > 0 => depth -= 1,
                    '!' => {}
                    ':' => {
                        let is_empty = |name: &String| EMPTY_AT_FIRST.contains(&name.as_str());
                        self.makes_empty |= depth == 0 && name.as_ref().is_some_and(is_empty);
                    }
                    _ if depth == 0 => name = None,
                    _ => {}
                },
                TokenTree::Group(group) => {
                    let called = name.take().filter(|_| group.delimiter() == Delimiter::Parenthesis);
                    if let Some(name) = called {
                        self.all.push(Called { name, is_bare: group.stream().is_empty() });
                    }
                    self.read(group.stream());
                }
                TokenTree::Ident(_) => {}
                TokenTree::Literal(_) => name = None,
            }
            is_after_colon = is_colon;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rust::walk::variables;

    #[test]
    fn calls_that_give_another_value_each_time_are_told_from_others() {
        for (value, is_new) in [
            ("Uuid::new_v4()", true),
            ("Uuid::new_v4().to_string()", true),
            ("rand::random::<i64>()", true),
            ("rng.random::<Vec<u8>>()", true),
            ("nanoid!()", true),
            ("json!({ \"id\": Uuid::new_v4() })", true),
            ("fresh()", true),
            ("fresh::<i64>().to_string()", true),
            ("\"next() is in a text\"", false),
            ("format!(\"new_v4() of {name}\")", false),
            ("a < b && c > now()", false),
            ("a < b && new_v4() > c", true),
            ("name.next_of", false),
            ("String::new()", false),
            ("Vec::<u8>::new()", false),
            ("MyString::made()", true),
            ("i64::default()", false),
            ("Utc::now()", false),
            ("user.name()", false),
        ] {
            let parsed: Expr = syn::parse_str(value).expect("it parses");
            assert_eq!(yields_new(&parsed, &variables::mentions(&parsed)), is_new, "{value}");
        }
    }
}
