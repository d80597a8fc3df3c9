//! The schema that statements in code make: of programs that create their tables themselves.
//!
//! Code does not tell in which order it runs them, nor whether it runs them all. So tables come first, and what is in
//! doubt makes its table unknown: a text that is built or depends on a condition, two definitions of one table, a table
//! that is renamed or dropped as well.

use std::collections::{BTreeMap, BTreeSet};

use super::ddl::{self, Action, Change, Dropped, Written};
use super::{Name, Replay, Schema};
use crate::sql::Dialect;
use crate::sql::lex::{Lexer, TokenKind, unquote};
use crate::sql::split::{Piece, statements};

/// A text in code that changes the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coded {
    /// The file that it stands in, as shown.
    pub file: String,
    /// The line of its first character.
    pub line: u32,
    /// The text.
    pub sql: String,
    /// Whether it is run as it stands.
    pub is_certain: bool,
    /// The database that its file names, if that is one alone.
    pub dialect: Option<Dialect>,
}

impl Coded {
    /// The text on the lines on which it stands.
    pub fn on_its_lines(&self) -> String {
        let above = usize::try_from(self.line.saturating_sub(1)).unwrap_or(0);
        format!("{}{}", "\n".repeat(above), self.sql)
    }
}

/// The schema that code makes.
#[derive(Debug)]
pub struct MadeByCode {
    /// The schema; tables in doubt are unknown in it.
    pub schema: Schema,
    /// The statements that make it, by their file.
    pub by_file: BTreeMap<String, usize>,
    /// How many statements could not be read.
    pub unread: usize,
    /// The tables that each text creates, changes or has an index for, in the order of the texts.
    pub named: Vec<BTreeSet<Name>>,
}

/// Replays texts of code, given in the order in which they stand.
pub fn made_by_code(texts: &[Coded], dialect: Dialect) -> MadeByCode {
    let mut reader = Reader::new(dialect);
    let scripts: Vec<String> = texts.iter().map(Coded::on_its_lines).collect();
    let pieces = |at: usize| statements(scripts.get(at).map_or("", String::as_str), dialect);
    let pieces: Vec<Vec<Piece<'_>>> = (0..texts.len()).map(pieces).collect();
    for (coded, pieces) in texts.iter().zip(&pieces) {
        reader.named.push(BTreeSet::new());
        pieces.iter().for_each(|piece| reader.read(coded, piece));
    }
    let mut replay = Replay::new(dialect);
    let mut by_file: BTreeMap<String, usize> = BTreeMap::new();
    for Replayed { file, piece, tables, .. } in reader.in_order() {
        let problems = replay.problems.len();
        replay.apply_piece(piece, file);
        let failed = replay.problems.get(problems..).unwrap_or_default();
        // What is there already was made by a statement that stands elsewhere.
        if failed.iter().any(|problem| !problem.message.ends_with("already")) {
            reader.doubted.extend(tables.iter().cloned());
        } else {
            *by_file.entry(file.to_owned()).or_default() += 1;
        }
    }
    replay.finish();
    let mut schema = replay.schema;
    reader.forget_doubted(&mut schema);
    schema.gaps.push("code creates the tables, which may create others as well".to_owned());
    MadeByCode { schema, by_file, unread: reader.unread, named: reader.named }
}

/// A statement without differences that do not matter.
fn definition(sql: &str) -> String {
    let words: Vec<&str> = sql.split_whitespace().collect();
    words.join(" ").to_lowercase().replacen("if not exists ", "", 1)
}

/// A statement to replay.
struct Replayed<'t> {
    /// 0 for what creates tables, which comes first.
    rank: u8,
    file: &'t str,
    piece: &'t Piece<'t>,
    tables: Vec<Name>,
}

struct Reader<'t> {
    dialect: Dialect,
    replayed: Vec<Replayed<'t>>,
    named: Vec<BTreeSet<Name>>,
    /// The definition of each table, without white space.
    definitions: BTreeMap<Name, String>,
    doubted: BTreeSet<Name>,
    dropped_indexes: BTreeSet<String>,
    /// Whether any table may have more indexes than are known.
    all_in_doubt: bool,
    /// Whether any table may have more columns than are known.
    any_column: bool,
    unread: usize,
}

impl<'t> Reader<'t> {
    fn new(dialect: Dialect) -> Reader<'t> {
        Reader {
            dialect,
            replayed: Vec::new(),
            named: Vec::new(),
            definitions: BTreeMap::new(),
            doubted: BTreeSet::new(),
            dropped_indexes: BTreeSet::new(),
            all_in_doubt: false,
            any_column: false,
            unread: 0,
        }
    }

    fn in_order(&mut self) -> Vec<Replayed<'t>> {
        let mut replayed = std::mem::take(&mut self.replayed);
        replayed.sort_by_key(|it| it.rank);
        replayed
    }

    fn read(&mut self, coded: &'t Coded, piece: &'t Piece<'t>) {
        let Ok(change) = ddl::parse(piece.text, self.dialect) else {
            self.unread += 1;
            return self.doubt(piece.text);
        };
        let (rank, tables) = match &change {
            Change::CreateTable(table) if table.temporary => return self.doubt_all(&[&table.name]),
            Change::CreateTable(table) => {
                let name = table.name.to_name();
                let text = definition(piece.text);
                let known = self.definitions.entry(name.clone()).or_insert_with(|| text.clone());
                if *known != text {
                    self.doubted.insert(name.clone());
                }
                (0, vec![name])
            }
            Change::CreateType { .. } | Change::CreateExtension { .. } => (0, Vec::new()),
            Change::Alter { name, actions, .. } => {
                for action in actions {
                    if let Action::Rename { to, .. } = action {
                        self.doubt_all(&[name, to]);
                    }
                }
                (1, vec![name.to_name()])
            }
            Change::CreateIndex(index) => (2, vec![index.table.to_name()]),
            Change::CreateView(view) => (2, vec![view.name.to_name()]),
            Change::Hook(table, _) => (2, vec![table.to_name()]),
            Change::RenameTables(pairs) => {
                pairs.iter().for_each(|(from, to, _)| self.doubt_all(&[from, to]));
                return;
            }
            Change::Drop(drop) => return self.dropped(drop),
            // What a block does depends on conditions.
            Change::Do(_) => {
                self.all_in_doubt = true;
                return;
            }
            _ => return,
        };
        if let Some(named) = self.named.last_mut() {
            named.extend(tables.iter().cloned());
        }
        if coded.is_certain {
            self.replayed.push(Replayed { rank, file: &coded.file, piece, tables });
        } else {
            self.doubted.extend(tables);
        }
    }

    fn doubt_all(&mut self, names: &[&Written]) {
        self.doubted.extend(names.iter().map(|name| name.to_name()));
    }

    /// What is dropped before it is created is only made anew.
    fn dropped(&mut self, drop: &ddl::Drop) {
        match drop.what {
            Dropped::Table | Dropped::View | Dropped::MaterializedView => {
                let names = drop.names.iter().map(Written::to_name);
                let made = names.filter(|name| self.replayed.iter().any(|it| it.tables.contains(name)));
                let made: Vec<Name> = made.collect();
                self.doubted.extend(made);
            }
            Dropped::Index => self.dropped_indexes.extend(drop.names.iter().map(|name| name.name.clone())),
            _ => {}
        }
    }

    /// Doubts the table of a statement that cannot be read, which its beginning or the word ON may name.
    fn doubt(&mut self, sql: &str) {
        if let Some(table) = ddl::table_of(sql, self.dialect) {
            return self.doubt_all(&[&table]);
        }
        let words: Vec<(TokenKind, &str)> = Lexer::new(sql, self.dialect)
            .filter_map(|token| Some((token.kind, sql.get(token.span.range())?)))
            .collect();
        let is = |at: usize, word: &str| {
            words
                .get(at)
                .is_some_and(|(kind, text)| *kind == TokenKind::Word && text.eq_ignore_ascii_case(word))
        };
        let indexes = is(0, "create") && (1..4).any(|at| is(at, "index"));
        if indexes {
            let on = (0..words.len()).find(|at| is(*at, "on")).and_then(|on| words.get(on + 1));
            match on.filter(|(kind, _)| matches!(kind, TokenKind::Word | TokenKind::Name)) {
                Some((_, name)) => {
                    self.doubted.insert(Name::new(unquote(name, self.dialect).to_lowercase()));
                }
                None => self.all_in_doubt = true,
            }
        } else if is(0, "alter") && is(1, "table") {
            let adds_column = (2..words.len()).any(|at| {
                let others = ["index", "unique", "constraint", "primary", "key", "foreign"];
                is(at, "add") && !others.iter().any(|word| is(at + 1, word))
            });
            self.any_column |= adds_column;
            self.all_in_doubt |= !adds_column;
        }
    }

    /// Makes the tables in doubt unknown.
    fn forget_doubted(&self, schema: &mut Schema) {
        if self.any_column {
            schema.loose_columns.insert(String::new(), String::new());
        }
        let in_doubt = |name: &Name, table: &super::Table| {
            let is_dropped = |index: &super::Index| self.dropped_indexes.contains(&index.name);
            self.all_in_doubt || self.doubted.contains(name) || table.indexes.iter().any(is_dropped)
        };
        let tables = schema.tables.iter().filter(|(name, table)| in_doubt(name, table));
        let doubted: BTreeSet<Name> = tables.map(|(name, _)| name.clone()).collect();
        for name in doubted.iter().chain(&self.doubted) {
            schema.tables.remove(name);
            schema.views.remove(name);
            let reason = "the code that creates or changes it is not known in full";
            schema.opaque.insert(name.clone(), reason.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tables that texts make, each with its columns and indexes; the unknown ones behind a `?`.
    #[track_caller]
    fn check(texts: &[&str], expected: &[&str]) {
        let coded = |sql: &&str| Coded {
            file: "src/lib.rs".to_owned(),
            line: 3,
            sql: sql.trim_start_matches('?').to_owned(),
            is_certain: !sql.starts_with('?'),
            dialect: None,
        };
        let texts: Vec<Coded> = texts.iter().map(coded).collect();
        let made = made_by_code(&texts, Dialect::Sqlite);
        let tables = made.schema.tables.values().map(|table| {
            let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
            let indexes: Vec<&str> = table.indexes.iter().map(|index| index.name.as_str()).collect();
            format!("{} {columns:?} {indexes:?}", table.name).replace('"', "")
        });
        let unknown = made.schema.opaque.keys().map(|name| format!("?{name}"));
        let views = made.schema.views.keys().map(|name| format!("view {name}"));
        assert_eq!(tables.chain(views).chain(unknown).collect::<Vec<_>>(), expected, "{texts:?}");
        assert!(!made.schema.gaps.is_empty());
    }

    const T: &str = "CREATE TABLE IF NOT EXISTS t (a INT, b INT)";

    #[test]
    fn tables_come_before_what_changes_them() {
        check(&["CREATE INDEX i ON t (c)", "ALTER TABLE t ADD COLUMN c INT", T], &["t [a, b, c] [i]"]);
        check(&[&format!("PRAGMA foreign_keys = ON; {T}; CREATE INDEX i ON t (a);")], &["t [a, b] [i]"]);
        check(&[T, "CREATE VIEW v AS SELECT a FROM t"], &["t [a, b] []", "view v"]);
        check(&["DROP TABLE IF EXISTS t", T], &["t [a, b] []"]);
        // The column is there since the table is: the statement serves older files.
        check(&[T, "ALTER TABLE t ADD COLUMN b INT"], &["t [a, b] []"]);
        check(&[T, "CREATE TABLE  t (a INT,\n b INT)"], &["t [a, b] []"]);
    }

    #[test]
    fn what_is_in_doubt_makes_its_table_unknown() {
        let u = "CREATE TABLE u (a INT)";
        for doubt in [
            "CREATE TABLE t (a INT)",
            "CREATE TABLE t (a",
            "?CREATE INDEX i ON t (a)",
            "?ALTER TABLE t ADD COLUMN c INT",
            "CREATE INDEX {} ON t (a)",
            "ALTER TABLE t RENAME TO u2",
            "DROP TABLE t",
            "CREATE INDEX i ON t (a); DROP INDEX i",
            "ALTER TABLE t DROP COLUMN gone",
        ] {
            let coded = Coded {
                file: String::new(),
                line: 1,
                sql: doubt.trim_start_matches('?').to_owned(),
                is_certain: !doubt.starts_with('?'),
                dialect: None,
            };
            let sure = |sql: &str| Coded { sql: sql.to_owned(), is_certain: true, ..coded.clone() };
            let schema = made_by_code(&[sure(u), sure(T), coded.clone()], Dialect::Sqlite).schema;
            assert_eq!(schema.tables.len(), 1, "{doubt}");
            assert!(schema.opaque.contains_key(&Name::new("t")), "{doubt}");
        }
        check(&[T, "?CREATE INDEX {} ON {} (a)"], &["?t"]);
        check(&["CREATE TEMP TABLE t (a INT)"], &["?t"]);
    }

    #[test]
    fn a_block_may_change_any_table() {
        let coded = |sql: &str| Coded {
            file: String::new(),
            line: 1,
            sql: sql.to_owned(),
            is_certain: true,
            dialect: None,
        };
        let block = "DO $$ BEGIN CREATE INDEX i ON t (a); END $$";
        let made = made_by_code(&[coded(T), coded(block)], Dialect::Postgres);
        assert!(made.schema.tables.is_empty() && made.schema.opaque.contains_key(&Name::new("t")));
    }

    #[test]
    fn columns_may_be_added_to_any_table() {
        let coded = |sql: &str, is_certain| Coded {
            file: String::new(),
            line: 1,
            sql: sql.to_owned(),
            is_certain,
            dialect: None,
        };
        let made =
            made_by_code(&[coded(T, true), coded("ALTER TABLE {} ADD COLUMN {}", false)], Dialect::Sqlite);
        assert!(made.schema.may_be_added("c") && made.schema.tables.len() == 1);
    }
}
