//! Tables and columns that the code of the workspace makes while it runs, judging by keywords.

use std::collections::HashMap;
use std::iter::Peekable;

use super::growth::folded;
use crate::lints::QueryContext;
use crate::rust::{Form, Site, SiteSql};

/// Words between CREATE and the kind of object.
const KINDS: &[&str] = &[
    "external",
    "foreign",
    "global",
    "local",
    "materialized",
    "or",
    "recursive",
    "replace",
    "temp",
    "temporary",
    "unlogged",
    "virtual",
];

/// The tables and columns that statements make, by name without a schema, in lower case; each with whether code outside of
/// tests does. A name that is known only when the statement runs may be any.
#[derive(Debug, Default)]
pub struct MadeByCode {
    tables: HashMap<String, bool>,
    columns: HashMap<String, bool>,
}

impl MadeByCode {
    /// Adds what a statement makes: `CREATE TABLE IF NOT EXISTS t`, `ALTER TABLE t ADD COLUMN c`, `.. RENAME TO u`.
    pub fn add(&mut self, text: &str, in_test: bool) {
        let lower = text.to_ascii_lowercase();
        let mut words =
            lower.split(|c: char| c.is_whitespace() || c == '(').filter(|word| !word.is_empty()).peekable();
        let mut alters = false;
        while let Some(word) = words.next() {
            let is_column = match word {
                "create" => {
                    while words.next_if(|word| KINDS.contains(word)).is_some() {}
                    if words.next_if(|word| matches!(*word, "table" | "view")).is_none() {
                        continue;
                    }
                    false
                }
                "alter" => {
                    alters = words.peek() == Some(&"table");
                    continue;
                }
                "add" if alters => {
                    words.next_if_eq(&"column");
                    true
                }
                // `RENAME TO u`, `RENAME COLUMN a TO b`, `RENAME a TO b`.
                "rename" if alters => {
                    let before = words.by_ref().take(4).take_while(|word| *word != "to").count();
                    before > 0
                }
                _ => continue,
            };
            if_not_exists(&mut words);
            let Some(name) = words.next() else { return };
            let made = if is_column { &mut self.columns } else { &mut self.tables };
            let name = if name.contains(['…', '{', '%', '$']) { "…".to_owned() } else { folded(name) };
            *made.entry(name).or_default() |= !in_test;
        }
    }
}

fn if_not_exists<'w>(words: &mut Peekable<impl Iterator<Item = &'w str>>) {
    while words.next_if(|word| matches!(*word, "if" | "not" | "exists")).is_some() {}
}

fn has(made: &HashMap<String, bool>, name: &str, in_test: bool) -> bool {
    let is_made = |name: &str| made.get(name).is_some_and(|outside| *outside || in_test);
    is_made(&folded(name)) || is_made("…")
}

impl QueryContext<'_> {
    /// Whether code of the workspace makes a table with this name while it runs, or the same text does, or a query of the
    /// same file makes a temporary one.
    pub(in crate::lints) fn is_made_by_code(&self, name: &str) -> bool {
        self.is_made_beside(name)
            || self.made_by_code().is_some_and(|(made, in_test)| has(&made.tables, name, in_test))
    }

    /// Whether code of the workspace adds a column with this name to some table while it runs.
    pub(in crate::lints) fn is_added_by_code(&self, column: &str) -> bool {
        self.made_by_code().is_some_and(|(made, in_test)| has(&made.columns, column, in_test))
    }

    /// The objects that code creates, and whether the query is in test code; `None` if it has to be right on
    /// the known schema.
    fn made_by_code(&self) -> Option<(&MadeByCode, bool)> {
        let site = self.site;
        let growth = self.growth.filter(|_| site.is_none_or(|site| site.form != Form::Checked))?;
        Some((&growth.made, site.is_some_and(|site| site.in_test)))
    }

    fn is_made_beside(&self, name: &str) -> bool {
        let last = name.rsplit('.').next().unwrap_or(name);
        let is_here = |site: &Site| self.site.is_some_and(|here| here.place == site.place);
        self.sites.iter().any(|site| {
            let SiteSql::Literal(literal) = &site.sql else { return false };
            let text = literal.text.to_ascii_lowercase();
            let words =
                text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
            let words: Vec<&str> = words.collect();
            words.iter().enumerate().filter(|(_, word)| **word == "create").any(|(at, _)| {
                let mut rest = words.iter().skip(at + 1).peekable();
                let is_temporary = rest.next_if(|word| matches!(**word, "temp" | "temporary")).is_some();
                let is_table = rest.next_if(|word| **word == "table").is_some();
                let made = rest.find(|word| !matches!(**word, "if" | "not" | "exists"));
                is_table
                    && (is_temporary || is_here(site))
                    && made.is_some_and(|made| made.eq_ignore_ascii_case(last))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_statements_make_is_known_by_its_words() {
        let mut made = MadeByCode::default();
        for text in [
            "CREATE TABLE IF NOT EXISTS app.\"Tokens\" (id int)",
            "create virtual table notes using fts5(a)",
            "CREATE OR REPLACE VIEW v AS SELECT 1",
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS c int, ADD d int",
            "ALTER TABLE t RENAME TO u",
            "ALTER TABLE t RENAME COLUMN a TO b",
            "CREATE INDEX i ON w (x)",
            "SELECT add, rename FROM z",
        ] {
            made.add(text, false);
        }
        made.add("CREATE TABLE fixture (id int)", true);
        let tables = ["tokens", "notes", "v", "u", "fixture"];
        assert_eq!(tables.map(|name| has(&made.tables, name, false)), [true, true, true, true, false]);
        assert!(has(&made.tables, "Fixture", true) && made.tables.len() == 5, "{made:?}");
        assert_eq!(
            ["c", "d", "b", "a", "x"].map(|name| has(&made.columns, name, false)),
            [true, true, true, false, false]
        );
        made.add("CREATE TABLE … (id int)", false);
        assert!(has(&made.tables, "any", false));
    }
}
