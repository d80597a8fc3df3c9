//! A filter for names in use: every word of the statements so far, and every generated name. A name outside
//! it is certainly unused, which avoids looking at every table; a name in it is looked up.

use std::collections::HashSet;
use std::sync::OnceLock;

use super::Replay;
use crate::schema::model::{Name, Schema};
use crate::sql::Dialect;
use crate::sql::lex::{Lexer, TokenKind, unquote};

/// The names, collected from the first request on; before that, the schema itself is the source.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard {
    /// In lower case, truncated as by PostgreSQL.
    names: OnceLock<HashSet<String>>,
    /// The tables that others may inherit from.
    parents: OnceLock<HashSet<Name>>,
}

impl Replay {
    /// Whether an index or constraint may have this name.
    pub(super) fn may_have(&self, name: &str) -> bool {
        // The database generates these from the name of the table.
        name.starts_with("sqlite_autoindex_")
            || self.heard.names.get_or_init(|| names(&self.schema)).contains(&form(name))
    }

    /// Adds the name of a new object.
    pub(super) fn hear(&mut self, name: &str) {
        if let Some(names) = self.heard.names.get_mut() {
            names.insert(form(name));
        }
    }

    /// Adds every word of a statement.
    pub(super) fn hear_all(&mut self, sql: &str) {
        let dialect = self.schema.dialect;
        let Some(names) = self.heard.names.get_mut() else { return };
        for token in Lexer::new(sql, dialect) {
            let Some(text) = sql.get(token.span.range()) else { continue };
            match token.kind {
                TokenKind::Word if text.is_ascii() => insert(names, text),
                TokenKind::Word | TokenKind::Name => insert(names, &unquote(text, dialect)),
                TokenKind::Text
                | TokenKind::Number
                | TokenKind::Parameter
                | TokenKind::Symbol
                | TokenKind::Open => {}
            }
        }
    }

    /// Whether other tables may inherit from a table.
    pub(super) fn may_have_children(&self, table: &Name) -> bool {
        let of_schema = || {
            let tables = self.schema.tables.values();
            tables.flat_map(|table| table.parents().cloned()).collect()
        };
        self.heard.parents.get_or_init(of_schema).contains(table)
    }

    /// Records that a table now has children.
    pub(super) fn hear_parent(&mut self, table: &Name) {
        if let Some(parents) = self.heard.parents.get_mut() {
            parents.insert(table.clone());
        }
    }
}

/// The names of all indexes and constraints.
fn names(schema: &Schema) -> HashSet<String> {
    let mut names = HashSet::new();
    for table in schema.tables.values() {
        let keys = table.foreign_keys.iter().filter_map(|key| key.name.as_ref());
        let checks = table.checks.iter().filter_map(|check| check.name.as_ref());
        let indexes = table.indexes.iter().map(|index| &index.name);
        names.extend(keys.chain(checks).chain(indexes).map(|name| form(name)));
    }
    let indexes = schema.views.values().flat_map(|view| &view.indexes);
    names.extend(indexes.map(|index| form(&index.name)));
    names
}

fn insert(names: &mut HashSet<String>, name: &str) {
    let form = form(name);
    if !names.contains(&form) {
        names.insert(form);
    }
}

/// A canonical form for all spellings of a name.
fn form(name: &str) -> String {
    let mut form = super::names::clipped(name.to_owned(), Dialect::Postgres).to_lowercase();
    form.shrink_to_fit();
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, indexes: &[&str]) {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(sql, "a.sql");
        let made = replay.schema.tables.values().flat_map(|table| &table.indexes);
        assert_eq!(made.map(|index| index.name.as_str()).collect::<Vec<_>>(), indexes, "{sql}");
    }

    #[test]
    fn a_name_in_use_is_not_made_up_again() {
        // As named by PostgreSQL 15.
        check(
            "CREATE TABLE t (a int); CREATE INDEX ON t (a); CREATE INDEX ON t (a);",
            &["t_a_idx", "t_a_idx1"],
        );
        check(
            "CREATE TABLE t (a int); CREATE INDEX t_a_idx ON t (a); CREATE INDEX ON t (a);",
            &["t_a_idx", "t_a_idx1"],
        );
        check(
            "CREATE TABLE t (a int); CREATE INDEX \"T_a\" ON t (a); CREATE INDEX x ON t (a); ALTER INDEX x RENAME TO t_a_idx; CREATE INDEX ON t (a);",
            &["T_a", "t_a_idx", "t_a_idx1"],
        );
        check(
            "DO $$ BEGIN EXECUTE 'CREATE TABLE t (a int)'; EXECUTE 'CREATE INDEX t_a_idx ON t (a)'; END $$; CREATE INDEX ON t (a);",
            &["t_a_idx", "t_a_idx1"],
        );
    }

    #[test]
    fn a_table_cannot_have_the_name_of_an_index() {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply("CREATE TABLE t (a int); CREATE INDEX i ON t (a); CREATE TABLE i (a int);", "a.sql");
        assert_eq!(replay.problems.len(), 1, "{:?}", replay.problems);
    }

    #[test]
    fn children_are_known_however_they_came() {
        for made in [
            "CREATE TABLE c () INHERITS (p);",
            "CREATE TABLE c (a int); ALTER TABLE c INHERIT p;",
            "CREATE TABLE c () INHERITS (p); ALTER TABLE p RENAME TO q; ALTER TABLE q RENAME TO p;",
        ] {
            let mut replay = Replay::new(Dialect::Postgres);
            replay.apply(&format!("CREATE TABLE p (a int); ALTER TABLE p ADD COLUMN n int; {made} ALTER TABLE p ADD COLUMN b int;"), "a.sql");
            let child = replay.schema.table(None, "c").expect("it is made");
            assert!(child.column("b").is_some(), "{made}");
        }
    }

    #[test]
    fn changes_reach_the_children_of_children() {
        for made in [
            "CREATE TABLE p (a int, n int) PARTITION BY LIST (a);
             CREATE TABLE c PARTITION OF p FOR VALUES IN (1) PARTITION BY LIST (a);
             CREATE TABLE d PARTITION OF c FOR VALUES IN (1);",
            "CREATE TABLE p (a int, n int); CREATE TABLE c () INHERITS (p); CREATE TABLE d () INHERITS (c);",
        ] {
            let mut replay = Replay::new(Dialect::Postgres);
            let change = "ALTER TABLE p ADD COLUMN later text; ALTER TABLE p RENAME COLUMN n TO m;
                 ALTER TABLE p ALTER COLUMN m TYPE bigint; ALTER TABLE p ALTER COLUMN m SET NOT NULL;
                 ALTER TABLE p ADD CONSTRAINT some CHECK (m > 0); ALTER TABLE p ADD COLUMN gone int;
                 ALTER TABLE p DROP COLUMN gone;";
            replay.apply(&format!("{made} {change}"), "a.sql");
            assert_eq!(replay.problems, []);
            let child = replay.schema.table(None, "d").expect("it is made");
            let columns: Vec<&str> = child.columns.iter().map(|column| column.name.as_str()).collect();
            assert_eq!(columns, ["a", "m", "later"]);
            let changed = child.column("m").expect("it is renamed");
            assert_eq!((changed.ty.as_str(), changed.not_null), ("bigint", true));
            assert_eq!(child.checks.len(), 1);
        }
    }
}
