//! The condition of `IF` in a body: a query on the catalog, or an expression.

use super::Written;
use super::cursor::Cursor;
use crate::sql::Dialect;
use crate::sql::lex::TokenKind;

/// The condition of `IF`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Whether the test is negated.
    pub negated: bool,
    /// What is tested.
    pub test: Test,
}

/// The test in a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// A relation exists: `to_regclass('x') IS NOT NULL`.
    Relation(Written),
    /// A catalog contains a row with these values.
    Catalog {
        /// The table of the catalog or information schema.
        catalog: String,
        /// Columns, and the strings that they equal.
        equals: Vec<(String, String)>,
    },
    /// Anything else, as written.
    Value(String),
    /// Undetermined, as written.
    Unknown(String),
}

impl Condition {
    /// Whether it looks at a catalog; `None` if it says nothing of where its values are from. A statement on such a
    /// condition makes the schema what it is after it.
    pub(crate) fn reads_catalog(&self) -> Option<bool> {
        let text = match &self.test {
            Test::Relation(_) | Test::Catalog { .. } => return Some(true),
            Test::Value(text) | Test::Unknown(text) => text,
        };
        match names_catalog(text) {
            true => Some(true),
            false => names(text, "select").then_some(false),
        }
    }
}

/// Whether a text names a catalog.
pub(crate) fn names_catalog(text: &str) -> bool {
    ["pg_", "information_schema", "to_reg", "sqlite_"].iter().any(|name| names(text, name))
}

fn names(text: &str, part: &str) -> bool {
    text.to_ascii_lowercase().contains(part)
}

/// Reads a condition on the catalog.
pub(crate) fn condition(text: &str, dialect: Dialect) -> Condition {
    let mut cursor = Cursor::new(text, dialect);
    let unknown = Condition { negated: false, test: Test::Unknown(text.to_owned()) };
    let mut negated = false;
    while cursor.is("not")
        || (cursor.is_symbol("(")
            && matches!(cursor.text_ahead(1).to_ascii_lowercase().as_str(), "not" | "exists" | "("))
    {
        negated ^= cursor.take("not");
        let _ = cursor.take_symbol("(");
    }
    if cursor.take("to_regclass") || cursor.take("to_regtype") {
        let name = cursor.take_symbol("(").then(|| cursor.string().ok()).flatten();
        while !cursor.done() && !cursor.is("is") {
            cursor.at += 1;
        }
        let exists = cursor.take("is not null");
        let Some(name) = name.filter(|_| exists || cursor.take("is null")) else { return unknown };
        let mut inner = Cursor::new(&name, dialect);
        return match inner.written() {
            Ok(written) if cursor.done() => {
                Condition { negated: negated == exists, test: Test::Relation(written) }
            }
            _ => unknown,
        };
    }
    if !cursor.take("exists") || !cursor.is_symbol("(") {
        return Condition { negated: false, test: Test::Value(text.to_owned()) };
    }
    let start = cursor.at;
    cursor.skip();
    let inside = cursor.source(start, cursor.at);
    while cursor.take_symbol(")") {}
    if !cursor.done() {
        return unknown;
    }
    match catalog_test(inside, dialect) {
        Some(test) => Condition { negated, test },
        None => unknown,
    }
}

/// Reads `(SELECT … FROM catalog … WHERE column = 'value' AND …)`.
pub(crate) fn catalog_test(text: &str, dialect: Dialect) -> Option<Test> {
    let mut cursor = Cursor::new(text, dialect);
    skip_word(&mut cursor, "from");
    let catalog = cursor.written().ok()?.name;
    let mut equals = Vec::new();
    while !cursor.done() {
        // Only conjunctions are understood.
        if cursor.is("or") {
            return None;
        }
        let value = cursor.ahead(2).filter(|token| token.kind == TokenKind::Text).is_some();
        if cursor.text_ahead(1) == "=" && value {
            let Ok(column) = cursor.name() else { return None };
            cursor.at += 1;
            equals.push((column, cursor.string().ok()?));
        } else {
            cursor.at += 1;
        }
    }
    Some(Test::Catalog { catalog, equals })
}

fn skip_word(cursor: &mut Cursor<'_>, word: &str) {
    while !cursor.done() && !cursor.take(word) {
        cursor.at += 1;
    }
}
