//! Tables and views that the queries of views name.

use super::expression::{edited, gives_name};
use super::print_user_type;
use crate::schema::model::Name;
use crate::sql::lex::{Lexer, Token, TokenKind, text_at, unquote};
use crate::sql::quote::quote_if_needed;
use crate::sql::{Dialect, Span};

/// Renames a relation in a view's query, in FROM and as a qualifier of columns.
///
/// If the query uses the old name for something else, the relation keeps it as an alias. `None` if the query
/// does not mention it.
pub(crate) fn rename_relation(query: &str, from: &Name, to: &Name, dialect: Dialect) -> Option<String> {
    let tokens: Vec<Token> = Lexer::new(query, dialect).collect();
    let text = |at: usize| text_at(query, &tokens, at);
    let named = |at: usize, name: &str| match tokens.get(at).map(|token| token.kind) {
        Some(TokenKind::Word) => dialect.fold(text(at)) == name,
        Some(TokenKind::Name) => unquote(text(at), dialect) == name,
        _ => false,
    };
    let introduces =
        |at: usize| ["from", "join", "only"].iter().any(|word| text(at).eq_ignore_ascii_case(word));
    let has_alias = |at: usize| tokens.get(at + 1).is_some_and(|next| gives_name(query, next));
    // For each mention of the relation in a FROM: its range from schema to name, and whether an alias
    // follows.
    let mut mentions: Vec<(usize, usize, bool)> = Vec::new();
    let mut qualifiers = Vec::new();
    let mut other_alias = false;
    for at in (0..tokens.len()).filter(|at| named(*at, &from.name)) {
        let schema =
            at >= 2 && text(at - 1) == "." && named(at - 2, from.schema.as_deref().unwrap_or("public"));
        let first = if schema { at - 2 } else { at };
        // A join may be in parentheses.
        let open = (0..first).rev().take_while(|&at| text(at) == "(").count();
        let before = (first - open).checked_sub(1);
        let listed =
            before.is_some_and(|before| text(before) == ",") && in_from_clause(&tokens, query, first - open);
        if text(at + 1) == "." {
            qualifiers.push((first, at));
        } else if (listed || before.is_some_and(introduces)) && text(at + 1) != "(" {
            mentions.push((first, at, has_alias(at)));
        } else if before.is_some_and(|before| text(before).eq_ignore_ascii_case("as")) {
            other_alias = true;
        }
    }
    if mentions.is_empty() {
        return None;
    }
    let plain = mentions.iter().any(|(_, _, alias)| !alias);
    let new = print_user_type(to, "", dialect);
    let mut edits: Vec<(Span, String)> = Vec::new();
    let mut edit = |first: usize, last: usize, replacement: String| {
        if let (Some(first), Some(last)) = (tokens.get(first), tokens.get(last)) {
            edits.push((Span::new(first.span.start, last.span.end), replacement));
        }
    };
    for (first, last, alias) in mentions {
        let keep = other_alias && !alias && from.name != to.name;
        let alias =
            if keep { format!(" AS {}", quote_if_needed(&from.name, dialect)) } else { String::new() };
        edit(first, last, format!("{new}{alias}"));
    }
    if plain && !other_alias {
        for (first, at) in qualifiers {
            let is_full = first < at;
            edit(first, at, if is_full { new.clone() } else { quote_if_needed(&to.name, dialect) });
        }
    }
    edits.sort();
    Some(edited(query, edits))
}

/// Whether the innermost clause at a token is `FROM`.
fn in_from_clause(tokens: &[Token], text: &str, at: usize) -> bool {
    let clauses = ["select", "from", "where", "group", "order", "having", "on", "limit", "returning"];
    let word = |token: &Token| text.get(token.span.range()).unwrap_or("");
    let before = tokens.iter().take(at).rev();
    let last = before.map(word).find(|word| clauses.iter().any(|clause| word.eq_ignore_ascii_case(clause)));
    last.is_some_and(|word| word.eq_ignore_ascii_case("from"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renaming_a_relation_in_a_view() {
        let rename = |query| rename_relation(query, &Name::new("a"), &Name::new("b"), Dialect::Postgres);
        assert_eq!(
            rename("SELECT a.a FROM a WHERE a.x > 0").as_deref(),
            Some("SELECT b.a FROM b WHERE b.x > 0")
        );
        assert_eq!(rename("SELECT t.a FROM public.a t").as_deref(), Some("SELECT t.a FROM b t"));
        assert_eq!(rename("SELECT c, a FROM c, a").as_deref(), Some("SELECT c, a FROM c, b"));
        assert_eq!(rename("SELECT 1 AS a FROM a").as_deref(), Some("SELECT 1 AS a FROM b AS a"));
        assert_eq!(rename("SELECT a FROM c"), None);
        assert_eq!(
            rename("SELECT a.x FROM ((a JOIN c ON true) LEFT JOIN d ON true)").as_deref(),
            Some("SELECT b.x FROM ((b JOIN c ON true) LEFT JOIN d ON true)")
        );
        let moved = |query| {
            rename_relation(
                query,
                &Name::qualified(Some("s"), "a"),
                &Name::qualified(Some("r"), "a"),
                Dialect::Postgres,
            )
        };
        assert_eq!(
            moved("SELECT s.a.x FROM (s.a JOIN c ON true)").as_deref(),
            Some("SELECT r.a.x FROM (r.a JOIN c ON true)")
        );
    }
}
