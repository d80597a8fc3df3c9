//! Locates where in the migrations, or in a snapshot, something is created.

mod statement;

use std::collections::HashMap;

use query_budget_analysis::Place;
use query_budget_analysis::lints::Made;
use query_budget_analysis::sql::{Dialect, split};

use statement::{Reference, Rename, Statement, cut};

/// The places where the statements of some files create things; each file is read once. Literals and comments
/// are ignored.
pub(super) struct Places<'f> {
    files: &'f [(String, String)],
    /// The last statement that creates something with a name, else the last that alters it, with the quality
    /// of the match.
    named: HashMap<String, (u8, At)>,
    /// The indexes and constraints in the lists of tables, unless several have the name.
    in_lists: HashMap<String, Option<At>>,
    /// Renames, in order.
    renames: Vec<Rename>,
    /// Foreign keys by the name of the table: the first column, the referenced table.
    keys: HashMap<String, HashMap<(String, String), At>>,
}

/// The position of a file, and a line.
type At = (usize, u32);

impl<'f> Places<'f> {
    /// Reads the statements of files, each with its displayed path.
    pub(super) fn new(files: &'f [(String, String)], dialect: Dialect) -> Places<'f> {
        let mut places = Places {
            files,
            named: HashMap::new(),
            in_lists: HashMap::new(),
            renames: Vec::new(),
            keys: HashMap::new(),
        };
        for (file, (_, text)) in files.iter().enumerate() {
            for piece in split::statements(text, dialect) {
                places.add_statement(piece.text, (file, piece.line), dialect);
            }
        }
        places
    }

    /// Adds a statement that begins at a line of a file, or those of the block that it is.
    fn add_statement(&mut self, text: &str, (file, line): At, dialect: Dialect) {
        let statement = Statement::new(text, dialect);
        let mut lines = Lines::new(text, line);
        let Some(body) = statement.block() else {
            return self.add(&statement, |byte| (file, lines.of(byte)));
        };
        let (body, first) = (text.get(body.clone()).unwrap_or_default(), lines.of(body.start));
        for piece in split::statements(body, dialect) {
            let Some(start) = Statement::new(piece.text, dialect).begin_in_block() else { continue };
            let mut lines = Lines::new(piece.text, first + piece.line - 1);
            let line = lines.of(start);
            self.add_statement(piece.text.get(start..).unwrap_or_default(), (file, line), dialect);
        }
    }

    fn add(&mut self, statement: &Statement<'_>, mut at: impl FnMut(usize) -> At) {
        if let Some(rename) = statement.renames() {
            if rename.column.is_none() {
                self.rename(&rename.table, &rename.to);
            }
            self.renames.push(rename);
        }
        if statement.is(0, "drop") && statement.is(1, "table") {
            statement.head().iter().for_each(|name| self.forget(name));
        }
        let rank = match (statement.is(0, "create"), statement.is(0, "alter")) {
            (true, _) => 2,
            (_, true) => 1,
            _ => return,
        };
        let Some(start) = statement.tokens.first().map(|token| token.span.start) else { return };
        let names = statement.head();
        // What is there already is not made again.
        let stands = |name: String| matches!(self.named.get(&name), Some((2, _)));
        if statement.made_if_missing().is_some_and(stands) {
            return;
        }
        let first = at(start);
        for name in &names {
            let best = self.named.entry(name.clone()).or_insert((rank, first));
            if rank >= best.0 {
                *best = (rank, first);
            }
        }
        for (name, start) in statement.indexes_of_list() {
            let place = at(start);
            let known = self.in_lists.entry(name).or_insert(Some(place));
            // Two tables of MySQL may have indexes of one name.
            *known = known.filter(|known| *known == place);
        }
        for Reference { columns, tables, start } in statement.references() {
            let place = at(start);
            for name in &names {
                let keys = self.keys.entry(name.clone()).or_default();
                for column in &columns {
                    keys.extend(tables.iter().map(|table| ((column.clone(), table.clone()), place)));
                }
            }
        }
    }

    /// A table takes another name: what was made under that name before is another table, as in a rebuild on SQLite.
    fn rename(&mut self, from: &str, to: &str) {
        if let Some(keys) = self.keys.get(from).cloned() {
            self.keys.insert(to.to_owned(), keys);
        }
        if let Some(made) = self.named.get(from).copied() {
            self.named.insert(to.to_owned(), made);
        }
    }

    /// A table is dropped.
    fn forget(&mut self, name: &str) {
        self.keys.remove(name);
        self.named.remove(name);
    }

    /// Where something is created: the last statement that creates it, else the last that names it in its
    /// head; for a foreign key, the list element or clause with its column and REFERENCES.
    pub(super) fn of(&self, made: &Made<'_>) -> Place {
        let names = self.earlier_names(made);
        let key = names.made.iter().find_map(|name| self.key(name, &names));
        let named = || names.made.iter().filter_map(|name| self.named.get(name)).max().map(|(_, at)| at);
        let file = |at: usize| self.files.get(at).map_or("", |(file, _)| file).into();
        let in_list = || names.made.iter().find_map(|name| self.in_lists.get(name)?.as_ref());
        match key.or_else(named).or_else(in_list) {
            Some((at, line)) => Place { file: file(*at), line: *line, column: 1 },
            None => Place { file: file(0), ..Place::default() },
        }
    }

    fn key(&self, name: &str, names: &Names) -> Option<&At> {
        let keys = self.keys.get(name)?;
        let columns = names.column.iter();
        let mut pairs = columns.flat_map(|column| names.referred.iter().map(move |table| (column, table)));
        pairs.find_map(|(column, table)| keys.get(&(column.clone(), table.clone())))
    }

    /// Follows renames back: `ALTER TABLE a RENAME TO b`, `ALTER TABLE b RENAME COLUMN x TO y`.
    fn earlier_names(&self, made: &Made<'_>) -> Names {
        let first = |name: &str| vec![cut(&name.to_ascii_lowercase()).to_owned()];
        let mut names = Names {
            made: first(made.name),
            referred: made.key.map(|key| first(&key.table.name)).unwrap_or_default(),
            column: made.key.and_then(|key| key.columns.first()).map(|name| first(name)).unwrap_or_default(),
        };
        for Rename { table, column, to } in self.renames.iter().rev() {
            match column {
                Some(from) if names.made.contains(table) && names.column.contains(to) => {
                    names.column.push(from.clone());
                }
                Some(_) => {}
                None => {
                    for known in [&mut names.made, &mut names.referred] {
                        if known.contains(to) {
                            known.push(table.clone());
                        }
                    }
                }
            }
        }
        names
    }
}

/// The current and earlier names of a table, the table it refers to and its column.
struct Names {
    made: Vec<String>,
    referred: Vec<String>,
    column: Vec<String>,
}

/// Finds the lines of bytes, fast if they are given in ascending order.
struct Lines<'t> {
    text: &'t str,
    first: u32,
    at: usize,
    line: u32,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str, first: u32) -> Lines<'t> {
        Lines { text, first, at: 0, line: first }
    }

    fn of(&mut self, byte: usize) -> u32 {
        if byte < self.at {
            (self.at, self.line) = (0, self.first);
        }
        if let Some(between) = self.text.get(self.at..byte) {
            self.line += u32::try_from(between.matches('\n').count()).unwrap_or(0);
            self.at = byte;
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use query_budget_analysis::schema::{Replay, Schema};

    fn schema(sql: &str) -> Schema {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(sql, "a.sql");
        replay.schema
    }

    #[track_caller]
    fn check(sql: &str, table: &str, line: u32) {
        let schema = schema(sql);
        let key = &schema.table(None, table).expect("the table").foreign_keys[0];
        let files = [("a.sql".to_owned(), sql.to_owned())];
        let place = Places::new(&files, Dialect::Postgres).of(&Made { name: table, key: Some(key) });
        assert_eq!(place.line, line, "{sql}");
    }

    #[test]
    fn a_key_stands_on_its_own_line() {
        let p = "CREATE TABLE p (id bigint PRIMARY KEY);\n";
        check(&format!("{p}CREATE TABLE c (\n  id bigint,\n  p_id bigint REFERENCES p\n);"), "c", 4);
        check(
            &format!(
                "{p}CREATE TABLE c (\n  p_id bigint,\n  n int,\n  FOREIGN KEY (p_id) REFERENCES p (id)\n);"
            ),
            "c",
            5,
        );
        let named =
            "CONSTRAINT x FOREIGN KEY (p_id) REFERENCES p,\n  CONSTRAINT y FOREIGN KEY (n) REFERENCES p";
        check(&format!("{p}CREATE TABLE c (\n  p_id bigint,\n  n bigint,\n  {named}\n);"), "c", 5);
        check(
            &format!(
                "{p}CREATE TABLE c (\n  p_id bigint\n);\nALTER TABLE c\n  ADD FOREIGN KEY (p_id) REFERENCES p;"
            ),
            "c",
            6,
        );
    }

    #[test]
    fn what_is_renamed_later_stands_where_it_was_made() {
        let p = "CREATE TABLE p (id bigint PRIMARY KEY);\n";
        let made = format!("{p}CREATE TABLE c (\n  p_id bigint REFERENCES p\n);\n");
        check(&format!("{made}ALTER TABLE c RENAME TO d;"), "d", 3);
        check(
            &format!("{made}ALTER TABLE c RENAME COLUMN p_id TO parent;\nALTER TABLE c RENAME TO d;"),
            "d",
            3,
        );
        check(&format!("{made}ALTER TABLE p RENAME TO q;"), "c", 3);
        check(&format!("{made}ALTER TABLE c RENAME p_id TO parent;"), "c", 3);
        check(&format!("{made}ALTER TABLE c RENAME TO d;\nALTER TABLE d RENAME TO e;"), "e", 3);
    }

    #[test]
    fn a_table_that_is_made_anew_stands_where_it_was_made_last() {
        let p = "CREATE TABLE p (id bigint PRIMARY KEY);\nCREATE TABLE c (p_id bigint REFERENCES p);\n";
        let anew = "CREATE TABLE c_new (n int, p_id bigint REFERENCES p);\nDROP TABLE c;\nALTER TABLE c_new RENAME TO c;";
        check(&format!("{p}{anew}"), "c", 3);
        check(
            &format!("{p}DROP TABLE IF EXISTS c CASCADE;\nCREATE TABLE c (p_id bigint REFERENCES p);"),
            "c",
            4,
        );
        check(&format!("{p}CREATE TABLE IF NOT EXISTS c (p_id bigint REFERENCES p);"), "c", 2);
        check(
            "CREATE TABLE p (id bigint PRIMARY KEY);\nCREATE TABLE IF NOT EXISTS c (p_id bigint REFERENCES p);",
            "c",
            2,
        );
    }

    #[test]
    fn an_index_that_is_made_if_missing_stands_on_its_own_line() {
        let sql = "CREATE TABLE t (a int, b int);\nCREATE INDEX IF NOT EXISTS i ON t (a);\n\
            CREATE INDEX IF NOT EXISTS i ON t (b);\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS public.j ON public.t (b);";
        let files = [("a.sql".to_owned(), sql.to_owned())];
        let places = Places::new(&files, Dialect::Postgres);
        let line = |name| places.of(&Made { name, key: None }).line;
        assert_eq!([line("i"), line("j")], [2, 4]);
    }

    #[test]
    fn what_a_block_makes_stands_on_its_own_line() {
        let sql = "CREATE TABLE p (id bigint PRIMARY KEY);\nDO $x$\nDECLARE n int;\nBEGIN\n  IF (SELECT count(*) FROM q) = 0 THEN\n\
                   \x20   CREATE TABLE c (\n      p_id bigint REFERENCES p);\n    CREATE INDEX i ON c (p_id);\n  ELSE\n    CREATE INDEX j ON p (id);\n  END IF;\nEND $x$;\n\
                   CREATE INDEX k ON p (id);";
        let files = [("a.sql".to_owned(), sql.to_owned())];
        let places = Places::new(&files, Dialect::Postgres);
        let line = |name| places.of(&Made { name, key: None }).line;
        assert_eq!([line("i"), line("j"), line("k")], [8, 10, 13]);
        let schema =
            schema("CREATE TABLE p (id bigint PRIMARY KEY); CREATE TABLE c (p_id bigint REFERENCES p);");
        let key = &schema.table(None, "c").expect("the table").foreign_keys[0];
        assert_eq!(places.of(&Made { name: "c", key: Some(key) }).line, 7);
    }

    #[test]
    fn an_index_in_the_list_of_a_table_stands_there_unless_two_tables_have_one_of_its_name() {
        let sql = "CREATE TABLE IF NOT EXISTS t (\n  a int,\n  INDEX i (a),\n  UNIQUE KEY `u` (a),\n  INDEX same (a)\n);\n\
                   CREATE TABLE v (b int,\n  INDEX same (b)\n);";
        let files = [("a.sql".to_owned(), sql.to_owned())];
        let places = Places::new(&files, Dialect::MySql);
        let line = |name| places.of(&Made { name, key: None }).line;
        assert_eq!([line("i"), line("u"), line("same")], [3, 4, 0]);
    }

    #[test]
    fn a_literal_and_a_later_index_name_no_table() {
        let p = "CREATE TABLE p (id bigint PRIMARY KEY);\n";
        check(
            &format!(
                "{p}CREATE TABLE c (\n  p_id bigint REFERENCES p\n);\nCREATE INDEX i ON c (p_id);\nINSERT INTO w VALUES ('c');"
            ),
            "c",
            3,
        );
    }
}
