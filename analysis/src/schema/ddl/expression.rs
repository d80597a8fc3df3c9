//! Expressions as text: normalises them, finds the names in them, and renames those.
//!
//! Defaults, conditions of CHECK and partial indexes, and expression keys are stored as SQL. Two spellings of
//! an expression normalise to the same text if they only differ in white space, case, redundant quotes or
//! outer parentheses.

use super::cursor::{Cursor, span_of};
use super::types::print_user_type;
use crate::schema::model::Name;
use crate::sql::lex::{Lexer, Token, TokenKind, text_at, unquote};
use crate::sql::quote::{is_expression_keyword, is_function_keyword, is_reserved, quote_if_needed};
use crate::sql::{Dialect, Span, type_names};

/// The normalised text of an expression.
pub fn normalize(text: &str, dialect: Dialect) -> String {
    let tokens: Vec<Token> = Lexer::new(text, dialect).collect();
    render(text, &tokens, dialect)
}

/// The normalised text of an expression, given its tokens.
pub(crate) fn render(text: &str, tokens: &[Token], dialect: Dialect) -> String {
    write(text, strip_parentheses(text, tokens), dialect, |_, name| name)
}

/// Renames a column, or the table that qualifies it, in an expression on one table.
///
/// `None` if the expression does not mention it. A name before `(` is a function, and one after `::` a type.
pub fn rename(expression: &str, from: &str, to: &str, dialect: Dialect) -> Option<String> {
    let tokens: Vec<Token> = Lexer::new(expression, dialect).collect();
    let mut found = false;
    let renamed = write(expression, &tokens, dialect, |role, name| {
        if role == Role::Column && name == from {
            found = true;
            to.to_owned()
        } else {
            name
        }
    });
    found.then_some(renamed)
}

/// Renames all occurrences of a name in a statement; `None` if there are none.
pub fn rename_in_code(code: &str, from: &str, to: &str, dialect: Dialect) -> Option<String> {
    let mut out = String::with_capacity(code.len());
    let mut copied = 0;
    for token in Lexer::new(code, dialect) {
        let text = code.get(token.span.range()).unwrap_or("");
        let is_it = match token.kind {
            TokenKind::Word => dialect.fold(text) == from,
            TokenKind::Name => unquote(text, dialect) == from,
            _ => false,
        };
        if is_it {
            out.push_str(code.get(copied..token.span.start).unwrap_or(""));
            out.push_str(&quote_if_needed(to, dialect));
            copied = token.span.end;
        }
    }
    out.push_str(code.get(copied..).unwrap_or(""));
    (copied > 0).then_some(out)
}

/// Renames a type in an expression's casts; `None` if the expression does not mention it.
pub fn rename_type(expression: &str, from: &Name, to: &Name, dialect: Dialect) -> Option<String> {
    let (old, new) = (print_user_type(from, "", dialect), print_user_type(to, "", dialect));
    let mut out = String::new();
    let mut copied = 0;
    for token in Lexer::new(expression, dialect) {
        let end = token.span.end;
        let Some(rest) = expression.get(end..).filter(|_| expression.get(token.span.range()) == Some("::"))
        else {
            continue;
        };
        let whole =
            |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || matches!(next, '_' | '.'));
        if rest.strip_prefix(&old).is_some_and(whole) {
            out.push_str(expression.get(copied..end).unwrap_or(""));
            out.push_str(&new);
            copied = end + old.len();
        }
    }
    out.push_str(expression.get(copied..).unwrap_or(""));
    (copied > 0).then_some(out)
}

/// Renames a sequence in calls such as `nextval('s')`; `None` if the expression calls none of it. PostgreSQL stores the
/// sequence and not its name, unless the name is cast to text.
pub fn rename_sequence(expression: &str, from: &Name, to: &Name, dialect: Dialect) -> Option<String> {
    let tokens: Vec<Token> = Lexer::new(expression, dialect).collect();
    let text = |at: usize| text_at(expression, &tokens, at);
    let mut edits = Vec::new();
    for (at, token) in tokens.iter().enumerate().skip(2).filter(|(_, token)| token.kind == TokenKind::Text) {
        let function = text(at - 2).to_ascii_lowercase();
        let is_call = matches!(function.as_str(), "nextval" | "currval" | "setval") && text(at - 1) == "(";
        let is_text = text(at + 1) == "::" && !text(at + 2).eq_ignore_ascii_case("regclass");
        let named = unquote(expression.get(token.span.range()).unwrap_or(""), dialect);
        let mut cursor = Cursor::new(&named, dialect);
        if is_call && !is_text && cursor.written().is_ok_and(|written| written.to_name() == *from) {
            let printed = print_user_type(to, "", dialect).replace('\'', "''");
            edits.push((token.span, format!("'{printed}'")));
        }
    }
    (!edits.is_empty()).then(|| edited(expression, edits))
}

/// A text with some ranges, in order, replaced.
pub(crate) fn edited(text: &str, edits: impl IntoIterator<Item = (Span, String)>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for (part, replacement) in edits {
        out.push_str(text.get(copied..part.start).unwrap_or(""));
        out.push_str(&replacement);
        copied = part.end;
    }
    out.push_str(text.get(copied..).unwrap_or(""));
    out
}

/// Whether a token after a relation or column of a query gives it an alias.
pub(crate) fn gives_name(query: &str, token: &Token) -> bool {
    let text = query.get(token.span.range()).unwrap_or("");
    match token.kind {
        TokenKind::Name => true,
        TokenKind::Word => text.eq_ignore_ascii_case("as") || !ends_relation(text),
        _ => false,
    }
}

/// Whether a word after a relation's name is the query's next clause rather than an alias.
fn ends_relation(word: &str) -> bool {
    is_expression_keyword(word) && !word.eq_ignore_ascii_case("as")
        || is_reserved(&word.to_ascii_lowercase(), Dialect::Postgres) && !word.eq_ignore_ascii_case("as")
}

/// The names in an expression other than functions and types, folded, in order, without duplicates.
pub fn mentions(expression: &str, dialect: Dialect) -> Vec<String> {
    let tokens: Vec<Token> = Lexer::new(expression, dialect).collect();
    let mut names: Vec<String> = Vec::new();
    write(expression, &tokens, dialect, |role, name| {
        if role == Role::Column && !names.contains(&name) {
            names.push(name.clone());
        }
        name
    });
    names
}

/// The functions that an expression calls, folded.
pub fn calls(expression: &str, dialect: Dialect) -> Vec<String> {
    let tokens: Vec<Token> = Lexer::new(expression, dialect).collect();
    let mut names = Vec::new();
    write(expression, &tokens, dialect, |role, name| {
        if role == Role::Function {
            names.push(name.clone());
        }
        name
    });
    names
}

/// The role of a name, judging by the adjacent tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Column,
    Function,
    Type,
}

/// Strips parentheses around the entire expression.
fn strip_parentheses<'a>(text: &str, tokens: &'a [Token]) -> &'a [Token] {
    let symbol = |token: &Token| text.get(token.span.range()).unwrap_or("");
    let leading = tokens.iter().take_while(|token| symbol(token) == "(").count();
    let trailing = tokens.iter().rev().take_while(|token| symbol(token) == ")").count();
    // The number of enclosing pairs is the minimum depth between the two ends.
    let inner = tokens.get(leading..tokens.len().saturating_sub(trailing)).unwrap_or(&[]);
    let mut depth = leading;
    let mut fewest = depth.min(trailing);
    for token in inner {
        match symbol(token) {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        fewest = fewest.min(depth);
    }
    if inner.is_empty() {
        return tokens;
    }
    tokens.get(fewest..tokens.len() - fewest).unwrap_or(tokens)
}

/// PostgreSQL prints a negative constant as a cast string, `'-1'::integer`: this is the number itself.
fn negative_constant<'t>(text: &'t str, tokens: &[Token]) -> Option<&'t str> {
    let source = |at: usize| tokens.get(at).and_then(|token| text.get(token.span.range()));
    let number = source(0)?.strip_prefix("'-")?.strip_suffix('\'')?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let cast = source(1) == Some("::") && source(2)?.eq_ignore_ascii_case("integer");
    let whole = digits && cast && tokens.first()?.kind == TokenKind::Text;
    whole.then(|| source(0)?.get(1..number.len() + 2)).flatten()
}

/// Writes tokens with normalised spacing; `name` may replace each folded name according to its role.
fn write(
    text: &str,
    tokens: &[Token],
    dialect: Dialect,
    mut name: impl FnMut(Role, String) -> String,
) -> String {
    let mut out = String::with_capacity(span_of(tokens).range().len());
    let mut previous = Previous::Start;
    let mut after_cast = false;
    let mut is_call = false;
    let mut tokens_left = tokens.iter().enumerate();
    while let Some((at, token)) = tokens_left.next() {
        if dialect == Dialect::Postgres
            && let Some(constant) = negative_constant(text, tokens.get(at..).unwrap_or_default())
        {
            if spaced(previous, Previous::Sign) {
                out.push(' ');
            }
            out.push_str(constant);
            previous = Previous::Value;
            tokens_left.nth(1);
            continue;
        }
        let source = text.get(token.span.range()).unwrap_or("");
        let next = text_at(text, tokens, at + 1);
        let is_name = token.kind == TokenKind::Name
            || (token.kind == TokenKind::Word
                && !is_expression_keyword(source)
                && !is_keyword_literal(source));
        let word = if is_name {
            written_name(token.kind, source, (next == "(", after_cast), dialect, &mut name)
        } else if token.kind == TokenKind::Word && is_expression_keyword(source) {
            // `with time zone` is part of a type, and types are printed in lower case.
            let of_type =
                next.eq_ignore_ascii_case("time") && source.to_ascii_lowercase().starts_with("with");
            if of_type { source.to_ascii_lowercase() } else { source.to_ascii_uppercase() }
        } else if token.kind == TokenKind::Word {
            source.to_ascii_lowercase()
        } else {
            source.to_owned()
        };
        let now = Previous::of(token.kind, source, is_name, previous);
        // MySQL: a blank before the parenthesis makes it a stored function, or an error.
        if spaced(previous, now) && !(is_call && now == Previous::Open) {
            out.push(' ');
        }
        is_call = dialect == Dialect::MySql && now == Previous::Keyword && is_function_keyword(source);
        out.push_str(&word);
        // The type after a cast may be qualified, or consist of several words.
        after_cast = match (token.kind, source) {
            (TokenKind::Symbol, "::") => true,
            (TokenKind::Symbol, ".") => after_cast,
            (TokenKind::Word | TokenKind::Name, _) => after_cast && next == ".",
            _ => false,
        };
        previous = now;
    }
    out
}

/// A name as it is written: the one that replaces it, in quotes if it needs them.
fn written_name(
    kind: TokenKind,
    source: &str,
    (is_called, after_cast): (bool, bool),
    dialect: Dialect,
    name: &mut impl FnMut(Role, String) -> String,
) -> String {
    let folded = match (kind, dialect) {
        (TokenKind::Name, Dialect::Postgres) => unquote(source, dialect),
        (TokenKind::Name, _) => dialect.fold(&unquote(source, dialect)),
        _ => dialect.fold(source),
    };
    let role = match after_cast {
        false if is_called => Role::Function,
        true => Role::Type,
        false => Role::Column,
    };
    let written = kind == TokenKind::Word;
    let named = name(role, folded.clone());
    if written && role == Role::Type && dialect == Dialect::Postgres && type_names::long(&named) != named {
        type_names::long(&named).to_owned()
    } else if written && named == folded {
        named
    } else {
        quote_if_needed(&named, dialect)
    }
}

/// Keywords that are values, printed in lower case.
fn is_keyword_literal(word: &str) -> bool {
    word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("false")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Previous {
    Start,
    Name,
    Keyword,
    Value,
    Open,
    Close,
    Comma,
    /// `.`, `::` and the like, without spaces on either side.
    Tight,
    Operator,
    /// A sign before a value.
    Sign,
    Bracket,
}

impl Previous {
    fn of(kind: TokenKind, source: &str, is_name: bool, previous: Previous) -> Previous {
        match (kind, source) {
            (TokenKind::Symbol, "(") => Previous::Open,
            (TokenKind::Symbol, "[") => Previous::Bracket,
            (TokenKind::Symbol, ")" | "]") => Previous::Close,
            (TokenKind::Symbol, ",") => Previous::Comma,
            (TokenKind::Symbol, "." | "::" | ":") => Previous::Tight,
            (TokenKind::Symbol, "-" | "+" | "~" | "@" | "!") if previous.expects_value() => Previous::Sign,
            (TokenKind::Symbol, _) => Previous::Operator,
            (TokenKind::Word, _) if !is_name && is_expression_keyword(source) => Previous::Keyword,
            (TokenKind::Word | TokenKind::Name, _) => Previous::Name,
            _ => Previous::Value,
        }
    }

    fn expects_value(self) -> bool {
        !matches!(self, Previous::Name | Previous::Value | Previous::Close)
    }
}

fn spaced(previous: Previous, now: Previous) -> bool {
    use Previous::*;
    !matches!(
        (previous, now),
        (Start | Open | Bracket | Tight | Sign, _)
            | (_, Close | Comma | Tight)
            | (Name | Close | Keyword | Value, Bracket)
            | (Name, Open)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let written = normalize(text, Dialect::Postgres);
        assert_eq!(written, expect);
        assert_eq!(normalize(&written, Dialect::Postgres), expect, "not stable");
    }

    #[test]
    fn one_way_of_writing() {
        check("(( Status='a'  and \"n\" is not null ))", "status = 'a' AND n IS NOT NULL");
        check("(a) or (b)", "(a) OR (b)");
        check("(((a) or (b)))", "(a) OR (b)");
        check("((a))", "a");
        check("f(())", "f(())");
        check("lower ( Name :: TEXT )", "lower(name::text)");
        check("a in ('x','y')", "a IN ('x', 'y')");
        check("a = any(array['x'::s.kind])", "a = ANY (ARRAY['x'::s.kind])");
        check("- 1", "-1");
        check("coalesce(a, '-1'::integer)", "coalesce(a, -1)");
        check("a - '-1'::integer", "a - -1");
        check("'-1'::text", "'-1'::text");
        check("'epoch'::timestamptz", "'epoch'::timestamp with time zone");
        check("a - -1", "a - -1");
        check("x ->> 'a'", "x ->> 'a'");
        check("\"User\" = \"user\"", "\"User\" = \"user\"");
        check("TRUE", "true");
        check("NOT deleted", "NOT deleted");
    }

    #[test]
    fn renaming_leaves_functions_and_types() {
        let rename = |text, from, to| rename(text, from, to, Dialect::Postgres);
        assert_eq!(
            rename("date(date::date) > 'date'", "date", "day").as_deref(),
            Some("date(day::date) > 'date'")
        );
        assert_eq!(rename("a > 1", "b", "c"), None);
        assert_eq!(rename("a > 1", "a", "user").as_deref(), Some("\"user\" > 1"));
        let (old, new) = (Name::qualified(Some("s"), "old"), Name::new("new"));
        let types =
            rename_type("s = ANY (ARRAY['x::s.old'::s.old, 'y'::s.older])", &old, &new, Dialect::Postgres);
        assert_eq!(types.as_deref(), Some("s = ANY (ARRAY['x::s.old'::new, 'y'::s.older])"));
    }

    #[test]
    fn mentions_are_columns() {
        assert_eq!(mentions("lower(a) = b::text AND a IS NULL", Dialect::Postgres), ["a", "b"]);
        assert_eq!(calls("lower(a) = f(b)", Dialect::Postgres), ["lower", "f"]);
    }
}
