//! Types that the heads of functions mention.

use super::Replay;
use crate::schema::ddl::expression::edited;
use crate::schema::ddl::{Written, arguments, print_user_type};
use crate::schema::model::Name;
use crate::sql::lex::{Lexer, Token, TokenKind, text_at, unquote};
use crate::sql::{Dialect, Span};

impl Replay {
    /// Gives all functions of a name another one.
    pub(super) fn rename_function(&mut self, from: &Name, to: &Name) {
        let Some(overloads) = self.schema.functions.remove(from) else { return };
        let new = print_user_type(to, "", self.schema.dialect);
        let named = overloads.into_iter().map(|text| with_name(&text, &new).unwrap_or(text));
        self.schema.functions.insert(to.clone(), named.collect());
        self.schema.functions_by_name.forget();
        if let Some(body) = self.bodies.remove(from) {
            self.bodies.insert(to.clone(), body);
        }
    }

    /// Gives a function another name or schema.
    pub(super) fn alter_function(&mut self, from: &Written, listed: Option<&str>, to: &Written) {
        let Some(from) = self.find(from, |name| self.schema.functions.contains_key(name)) else { return };
        let to = Name::qualified(to.schema.as_deref().or(from.schema.as_deref()), to.name.clone());
        let overloads = self.schema.functions.get(&from).cloned().unwrap_or_default();
        if overloads.len() == 1 && !self.schema.functions.contains_key(&to) {
            return self.rename_function(&from, &to);
        }
        // One of several: that with the types that are listed, or any of them.
        let is_meant = |text: &&String| listed.is_some_and(|listed| has_types(text, listed));
        let mut meant: Vec<String> = overloads.iter().filter(is_meant).cloned().collect();
        if meant.len() == 1 {
            self.schema
                .functions
                .insert(from, overloads.into_iter().filter(|text| !meant.contains(text)).collect());
        } else {
            meant = overloads;
        }
        let new = print_user_type(&to, "", self.schema.dialect);
        let meant = meant.into_iter().map(|text| with_name(&text, &new).unwrap_or(text));
        self.schema.functions.entry(to).or_default().extend(meant);
        self.schema.functions_by_name.forget();
    }

    /// Notes in the text of a function that it returns the same for the same arguments.
    pub(super) fn steady_function(&mut self, name: &Written) {
        let Some(name) = self.find(name, |name| self.schema.functions.contains_key(name)) else { return };
        for text in self.schema.functions.get_mut(&name).into_iter().flatten() {
            // Nothing may follow a body that is no string.
            if !text.to_ascii_lowercase().contains("begin atomic") {
                *text = format!("{} STABLE", text.trim_end().trim_end_matches(';').trim_end());
            }
        }
    }

    /// Lets the arguments and results of functions follow a type, or the rows of a table, that is renamed. Bodies that are
    /// strings keep the old name, as in the database.
    pub(super) fn rename_type_in_functions(&mut self, from: &Name, to: &Name) {
        let new = print_user_type(to, "", self.schema.dialect);
        for text in self.schema.functions.values_mut().flatten() {
            if let Some(renamed) = renamed(text, from, &new) {
                *text = renamed;
            }
        }
    }
}

/// The statement that creates a function, with another name for it.
fn with_name(text: &str, new: &str) -> Option<String> {
    let tokens: Vec<Token> = Lexer::new(text, Dialect::Postgres).collect();
    let word = |at: usize| text_at(text, &tokens, at);
    let is_kind = |at: &usize| {
        ["function", "procedure", "aggregate"].iter().any(|kind| word(*at).eq_ignore_ascii_case(kind))
    };
    let first = (0..tokens.len()).find(is_kind)? + 1;
    let last = if word(first + 1) == "." { first + 2 } else { first };
    let span = Span::new(tokens.get(first)?.span.start, tokens.get(last)?.span.end);
    Some(edited(text, [(span, new.to_owned())]))
}

/// Whether the statement that creates a function gives it arguments of these types, which ALTER FUNCTION lists.
fn has_types(text: &str, listed: &str) -> bool {
    let arguments = arguments(text).unwrap_or_default();
    let own: Vec<&str> =
        arguments.split(',').filter_map(|argument| argument.split(" default ").next()).collect();
    let listed: Vec<&str> = listed.split(',').collect();
    own.len() == listed.len()
        && own.iter().zip(listed).all(|(own, listed)| {
            let before = own.trim().strip_suffix(listed.trim());
            before.is_some_and(|before| before.is_empty() || before.ends_with(' '))
        })
}

/// The statement that creates a function with another name for a type; `None` if its head does not mention it.
fn renamed(text: &str, from: &Name, new: &str) -> Option<String> {
    if !text.contains(&from.name) {
        return None;
    }
    let tokens: Vec<Token> = Lexer::new(text, Dialect::Postgres).collect();
    let word = |at: Option<usize>| {
        let token = at.and_then(|at| tokens.get(at));
        token.and_then(|token| text.get(token.span.range())).unwrap_or("").to_ascii_lowercase()
    };
    let name = |at: Option<usize>| match at.and_then(|at| tokens.get(at)).map(|token| token.kind) {
        Some(TokenKind::Name) => {
            let token = at.and_then(|at| tokens.get(at));
            unquote(token.and_then(|token| text.get(token.span.range())).unwrap_or(""), Dialect::Postgres)
        }
        Some(TokenKind::Word) => word(at),
        _ => String::new(),
    };
    let (mut open, mut edits) = (0_usize, Vec::new());
    for at in 0..tokens.len() {
        match word(Some(at)).as_str() {
            "(" => open += 1,
            ")" => open = open.saturating_sub(1),
            // The body begins.
            "as" | "begin" | "return" if open == 0 => break,
            _ => {}
        }
        if name(Some(at)) != from.name {
            continue;
        }
        let is_qualified = word(at.checked_sub(1)) == ".";
        let schema = is_qualified.then(|| name(at.checked_sub(2)));
        let is_meant = match &from.schema {
            Some(_) => schema == from.schema,
            None => schema.as_deref().is_none_or(|schema| schema == "public"),
        };
        let start = if is_qualified { at - 2 } else { at };
        let before = word(start.checked_sub(1));
        let after = word(Some(at + 1));
        // The name of an argument is followed by its type.
        let is_type = matches!(before.as_str(), "returns" | "setof")
            || open > 0 && matches!(after.as_str(), "," | ")" | "[" | "[]" | "=" | ":=" | "default");
        let is_function = matches!(before.as_str(), "function" | "procedure" | "aggregate");
        if is_meant && is_type && !is_function {
            let span = Span::new(tokens.get(start)?.span.start, tokens.get(at)?.span.end);
            edits.push((span, new.to_owned()));
        }
    }
    (!edits.is_empty()).then(|| edited(text, edits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_renamed_and_moved() {
        let mut replay = Replay::new(Dialect::Postgres);
        let body = "RETURNS int LANGUAGE sql AS 'SELECT 1'";
        replay.apply(
            &format!(
                "CREATE SCHEMA app; CREATE FUNCTION f(int) {body}; ALTER FUNCTION f(int) RENAME TO g;
                 ALTER FUNCTION g SET SCHEMA app; CREATE FUNCTION h(a int) {body}; CREATE FUNCTION h(b text) {body};
                 ALTER ROUTINE h(text) RENAME TO i; ALTER FUNCTION h(int) STABLE"
            ),
            "",
        );
        let names = replay.schema.functions.iter().map(|(name, all)| format!("{name} {}", all.len()));
        assert_eq!(names.collect::<Vec<_>>(), ["h 1", "i 1", "app.g 1"]);
        assert!(replay.schema.functions[&Name::new("i")][0].starts_with("CREATE FUNCTION i(b text)"));
    }

    #[test]
    fn heads_follow_types_and_bodies_do_not() {
        let body = "LANGUAGE sql AS $$ SELECT * FROM a $$";
        for (head, expect) in [
            ("f(u a) RETURNS text", "f(u b) RETURNS text"),
            ("f(a, x int) RETURNS SETOF a", "f(b, x int) RETURNS SETOF b"),
            ("f(l a[] DEFAULT NULL) RETURNS a", "f(l b[] DEFAULT NULL) RETURNS b"),
            ("f(a text) RETURNS public.a", "f(a text) RETURNS b"),
            ("a(x int) RETURNS int", "a(x int) RETURNS int"),
            ("f(x app.a) RETURNS TABLE (y a, z int)", "f(x app.a) RETURNS TABLE (y b, z int)"),
        ] {
            let text = |head: &str| format!("CREATE FUNCTION {head} {body}");
            let renamed = renamed(&text(head), &Name::new("a"), "b").unwrap_or(text(head));
            assert_eq!(renamed, text(expect));
        }
    }
}
