//! The names that the database generates for unnamed indexes and constraints.

use super::Replay;
use crate::schema::ddl::expression;
use crate::schema::model::{Index, IndexKey, KeyPart, Name, Table};
use crate::sql::Dialect;
use crate::sql::lex::{Lexer, TokenKind, text_at, unquote};

/// The maximum length of a PostgreSQL name, in bytes.
const MAX_NAME_BYTES: usize = 63;

impl Replay {
    /// PostgreSQL: `table_columns_label`, shortened and numbered so that the name is free.
    pub(super) fn choose_name(&self, table: &Name, columns: &str, label: &str) -> String {
        let mut name = join_names(&table.name, columns, label);
        let mut pass = 1u32;
        while self.is_taken(table.schema.as_deref(), &name) {
            name = join_names(&table.name, columns, &format!("{label}{pass}"));
            pass += 1;
        }
        name
    }

    /// Whether a relation or constraint of a schema has this name.
    fn is_taken(&self, schema: Option<&str>, name: &str) -> bool {
        let all = &self.schema;
        let may_be_kept = self.may_have(name);
        let whole = Name { schema: schema.map(str::to_owned), name: name.to_owned() };
        let is_here = |owner: &Name| owner.schema.as_deref() == schema;
        let is_of = |indexes: &[Index]| indexes.iter().any(|index| index.name == name);
        let is_constraint = |table: &Table| {
            table.foreign_keys.iter().any(|key| key.name.as_deref() == Some(name))
                || table.checks.iter().any(|check| check.name.as_deref() == Some(name))
        };
        all.tables.contains_key(&whole)
            || all.views.contains_key(&whole)
            || all.sequences.contains_key(&whole)
            || self.temporary.contains(&whole)
            || may_be_kept
                && (all
                    .tables
                    .values()
                    .any(|table| (is_of(&table.indexes) || is_constraint(table)) && is_here(&table.name))
                    || all.views.values().any(|view| is_of(&view.indexes) && is_here(&view.name)))
    }

    /// PostgreSQL: the name of an index on these keys.
    pub(super) fn choose_index_name(
        &self,
        table: &Name,
        keys: &[IndexKey],
        include: &[String],
        label: &str,
    ) -> String {
        self.choose_name(table, &key_names(keys, include), label)
    }

    /// MySQL: the name of an index on these keys: its first column, numbered if in use.
    pub(super) fn mysql_index_name(&self, table: &Name, keys: &[IndexKey]) -> String {
        let first = keys.first().and_then(IndexKey::as_column).unwrap_or("functional_index");
        let taken = |name: &str| {
            let indexes = self.schema.tables.get(table).map(|table| table.indexes.as_slice());
            indexes.unwrap_or_default().iter().any(|index| index.name == name)
        };
        if !taken(first) && first != "primary" {
            return first.to_owned();
        }
        let mut number = 2u32;
        loop {
            let name = format!("{first}_{number}");
            if !taken(&name) {
                return name;
            }
            number += 1;
        }
    }

    /// SQLite: the name of the next implicit index of a constraint.
    pub(super) fn sqlite_index_name(&self, table: &Name) -> String {
        let indexes = self.schema.tables.get(table).map_or(0, |table| table.indexes.len());
        format!("sqlite_autoindex_{}_{}", table.name, indexes + 1)
    }
}

/// The names of an index's keys, joined; duplicates are numbered.
fn key_names(keys: &[IndexKey], include: &[String]) -> String {
    let mut names: Vec<String> = Vec::new();
    let parts = keys.iter().map(|key| match &key.part {
        KeyPart::Column(name) => name.clone(),
        KeyPart::Expression(text) => expression_name(text),
    });
    for name in parts.chain(include.iter().cloned()) {
        let mut unique = name.clone();
        let mut number = 1u32;
        while names.contains(&unique) {
            unique = format!("{name}{number}");
            number += 1;
        }
        names.push(unique);
    }
    let mut joined = names.join("_");
    truncate(&mut joined, MAX_NAME_BYTES);
    joined
}

/// The name that PostgreSQL gives to a result column of this expression: the function's name, or `expr`.
fn expression_name(text: &str) -> String {
    let tokens: Vec<_> = Lexer::new(text, Dialect::Postgres).collect();
    let word = |at: usize| text_at(text, &tokens, at);
    let mut depth = 0usize;
    let mut operator = false;
    let mut cast = None;
    let mut calls = 0usize;
    for (at, token) in tokens.iter().enumerate() {
        match word(at) {
            "(" | "[" => depth += 1,
            symbol @ (")" | "]") => {
                depth = depth.saturating_sub(1);
                calls += usize::from(depth == 0 && symbol == ")");
            }
            "::" if depth == 0 => cast = Some(word(at + 1).to_owned()),
            "." => {}
            _ if depth == 0 && token.kind == TokenKind::Symbol => operator = true,
            other if depth == 0 && at > 0 && token.kind == TokenKind::Word => {
                let qualified = matches!(word(at - 1), "." | "::");
                let of_type = cast.is_some();
                operator |= !qualified && !of_type && !other.eq_ignore_ascii_case("collate");
            }
            _ => {}
        }
    }
    let first = word(0);
    let is_word = tokens.first().is_some_and(|token| token.kind == TokenKind::Word);
    if ["case", "array"].iter().any(|word| first.eq_ignore_ascii_case(word)) {
        return first.to_ascii_lowercase();
    }
    // `(composite).field` is named after the field.
    let last = tokens.len().saturating_sub(1);
    if !operator && last > 1 && word(last - 1) == "." && cast.is_none() {
        return match tokens.last().map(|token| token.kind) {
            Some(TokenKind::Name) => unquote(word(last), Dialect::Postgres),
            _ => Dialect::Postgres.fold(word(last)),
        };
    }
    if operator || !is_word {
        return match cast {
            Some(ty) if !operator => expression::normalize(&ty, Dialect::Postgres),
            _ => "expr".to_owned(),
        };
    }
    if calls == 0 {
        // A lone column with a cast keeps its own name.
        return first.to_owned();
    }
    // `schema.function(…)`: use the function's own name.
    let name = (0..tokens.len()).take_while(|at| word(*at) != "(").last().map_or(first, word);
    name.to_ascii_lowercase()
}

/// Joins a table, columns and a label with underscores; the longer of the first two is truncated if
/// necessary.
pub(super) fn join_names(table: &str, columns: &str, label: &str) -> String {
    let overhead = usize::from(!columns.is_empty()) + 1 + label.len();
    let available = MAX_NAME_BYTES.saturating_sub(overhead);
    let (mut first, mut second) = (table.len(), columns.len());
    while first + second > available {
        if first > second {
            first -= 1;
        } else if second > 0 {
            second -= 1;
        } else {
            break;
        }
    }
    let (mut table, mut columns) = (table.to_owned(), columns.to_owned());
    truncate(&mut table, first);
    truncate(&mut columns, second);
    if columns.is_empty() { format!("{table}_{label}") } else { format!("{table}_{columns}_{label}") }
}

/// Truncates a name to a number of bytes, at a character boundary.
pub(super) fn truncate(name: &mut String, bytes: usize) {
    let mut end = bytes.min(name.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
}

/// A name truncated to PostgreSQL's maximum length.
pub(super) fn clipped(mut name: String, dialect: Dialect) -> String {
    if dialect == Dialect::Postgres {
        truncate(&mut name, MAX_NAME_BYTES);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_from_the_longer_part() {
        let table = "a_table_with_a_name_that_is_long_enough_by_itself";
        // As named by PostgreSQL 15.
        let name = join_names(table, "some_column_and_another_column", "idx");
        assert_eq!(name, "a_table_with_a_name_that_is_l_some_column_and_another_colum_idx");
        assert_eq!(join_names("t", "", "pkey"), "t_pkey");
    }

    #[test]
    fn expressions_are_called_by_their_function() {
        assert_eq!(expression_name("lower(a)"), "lower");
        assert_eq!(expression_name("s.f(a)"), "f");
        assert_eq!(expression_name("a || b"), "expr");
        assert_eq!(expression_name("data ->> 'a'"), "expr");
        assert_eq!(expression_name("coalesce(a, b)"), "coalesce");
        assert_eq!(expression_name("a IS NULL"), "expr");
        assert_eq!(expression_name("a[1]"), "a");
        assert_eq!(expression_name("ARRAY[1, a]"), "array");
        assert_eq!(expression_name("a[1][length(b)]"), "a");
        assert_eq!(expression_name("(a).zip"), "zip");
        assert_eq!(expression_name("(a).\"Zip\""), "Zip");
        assert_eq!(expression_name("a::date"), "a");
        let keys = vec![IndexKey { part: KeyPart::Expression("lower(a)".into()), ..IndexKey::column("") }; 2];
        assert_eq!(key_names(&keys, &["b".to_owned()]), "lower_lower1_b");
    }
}
