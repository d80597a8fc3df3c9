//! Which tables of a database get rows while the workspace runs, as far as its queries and migrations tell.

use std::collections::{HashMap, HashSet};

use super::ddl::MadeByCode;
use crate::schema::Name;

/// The words between INSERT or REPLACE and the name of the table.
const MODIFIERS: &[&str] = &[
    "abort",
    "delayed",
    "fail",
    "high_priority",
    "ignore",
    "into",
    "low_priority",
    "or",
    "overwrite",
    "replace",
    "rollback",
];

/// The tables that get rows, by name without a schema, in lower case.
#[derive(Debug, Default)]
pub struct Growth {
    /// Those that some query of the workspace inserts into.
    pub grown: HashSet<String>,
    /// Those that migrations fill with rows of their own.
    pub filled: HashSet<String>,
    /// The number of literal rows that migrations insert into each table.
    pub seeded: HashMap<String, usize>,
    /// Whether the text of every query is known that may insert rows.
    pub is_whole: bool,
    /// The tables that its statements create in addition to the schema.
    pub made: MadeByCode,
}

impl Growth {
    /// Adds the tables that a statement inserts into.
    pub fn add(&mut self, text: &str) {
        // What follows an unknown beginning, or is in an unknown part of WITH, may insert as well.
        let first = text.split_whitespace().next().unwrap_or_default();
        self.is_whole &=
            !(first.starts_with('…') || first.eq_ignore_ascii_case("with") && text.contains('…'));
        for name in inserted(text) {
            // The name may be a part that is known at run time alone.
            self.is_whole &= !name.contains(['…', '{', '%', '$']);
            self.grown.insert(folded(name));
        }
    }

    /// Adds the tables into which the statements of a migration insert literal rows.
    pub fn add_migration(&mut self, text: &str) {
        for statement in text.split(';') {
            let lower = statement.to_ascii_lowercase();
            let mut words =
                lower.split(|c: char| c.is_whitespace() || c == '(').filter(|word| !word.is_empty());
            let has = |sought: &str| lower.split_whitespace().any(|word| word.trim_matches('(') == sought);
            if has("insert") && lower.contains("values") && !has("select") {
                let name = words.by_ref().skip_while(|word| *word != "into").nth(1).map(folded);
                let rows = lower.split_once("values").map_or(0, |(_, rows)| rows_of(rows));
                if let Some(name) = name {
                    *self.seeded.entry(name.clone()).or_default() += rows;
                    self.filled.insert(name);
                }
            }
        }
    }

    /// Whether migrations fill a table with so many rows that it seems to be kept by hand.
    pub(crate) fn is_seeded(&self, table: &Name) -> bool {
        self.seeded.get(&table.name.to_ascii_lowercase()).is_some_and(|rows| *rows >= CATALOGUE)
    }

    /// Whether no query is seen to insert into a table.
    pub(crate) fn is_never_grown(&self, table: &Name) -> bool {
        !self.grown.contains(&table.name.to_ascii_lowercase())
    }

    /// Whether a table does not grow: migrations fill it, and no query does. What nothing is seen to fill is filled by
    /// something else, and what that adds is unknown.
    pub(crate) fn stays(&self, table: &Name) -> bool {
        self.is_whole && self.is_never_grown(table) && self.filled.contains(&table.name.to_ascii_lowercase())
    }
}

/// The names after INSERT, REPLACE, INTO and COPY .. FROM, as a text has them; it may be a part of a statement, or a function.
fn inserted(text: &str) -> Vec<&str> {
    let mut words = text.split(|c: char| c.is_whitespace() || c == '(').filter(|word| !word.is_empty());
    let (mut found, mut is_first) = (Vec::new(), true);
    while let Some(word) = words.next() {
        let is = |sought: &str| word.eq_ignore_ascii_case(sought);
        let name = match is_first && (is("insert") || is("replace")) {
            // MySQL does without INTO: `INSERT IGNORE notes`, `REPLACE notes`.
            true => words.by_ref().find(|word| !MODIFIERS.contains(&word.to_ascii_lowercase().as_str())),
            false if is("into") => words.next(),
            false if is("copy") => words.next().filter(|_| is_read_into(words.clone())),
            false => None,
        };
        is_first = word.ends_with(';');
        found.extend(name);
    }
    found
}

/// Whether COPY reads rows into a table, by what follows the name of the table.
fn is_read_into<'w>(mut rest: impl Iterator<Item = &'w str>) -> bool {
    rest.find(|word| word.eq_ignore_ascii_case("from") || word.eq_ignore_ascii_case("to"))
        .is_some_and(|word| word.eq_ignore_ascii_case("from"))
}

/// Whether a text that begins as a statement inserts into a table, by its words: the rest may not be known.
pub(in crate::lints) fn begins_insert(text: &str, table: &Name) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    ["insert", "replace", "copy"].iter().any(|word| first.eq_ignore_ascii_case(word))
        && inserted(text).first().is_some_and(|name| folded(name) == table.name.to_ascii_lowercase())
}

/// From so many literal rows on a table is a catalogue, rather than one with a first user.
const CATALOGUE: usize = 5;

/// The number of rows in the text after VALUES.
fn rows_of(text: &str) -> usize {
    let (mut depth, mut rows, mut is_quoted) = (0_usize, 0, false);
    for c in text.chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            '(' if !is_quoted => {
                rows += usize::from(depth == 0);
                depth += 1;
            }
            ')' if !is_quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    rows
}

pub(super) fn folded(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    last.trim_matches(['"', '`', '[', ']']).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inserted_into_is_known_by_its_words() {
        let mut growth = Growth { is_whole: true, ..Growth::default() };
        for text in [
            "INSERT INTO a(id) VALUES (1)",
            "insert or ignore into `b` (id) VALUES (1)",
            "WITH x AS (INSERT INTO app.\"C\" VALUES (1)) SELECT 1",
            "COPY d (a) FROM STDIN",
            "INSERT IGNORE f (id) VALUES (1)",
            "REPLACE g SET id = 1",
            "COPY h (a) TO STDOUT",
            "COPY i TO STDOUT",
            "SELECT replace(name, 'a', 'b') FROM e",
            "SELECT * FROM e",
        ] {
            growth.add(text);
        }
        let mut found: Vec<_> = growth.grown.iter().map(String::as_str).collect();
        found.sort_unstable();
        assert_eq!(found, ["a", "b", "c", "d", "f", "g"]);
        assert!(growth.is_whole);
        growth.add("INSERT INTO … (id) VALUES ($1)");
        assert!(!growth.is_whole);
    }

    #[test]
    fn a_beginning_tells_what_is_inserted_into() {
        let table = Name { schema: None, name: "logs".to_owned() };
        for (text, expected) in [
            ("INSERT INTO app.\"Logs\" (id) …", true),
            ("insert ignore logs(id) VALUES …", true),
            ("COPY logs (id) FROM STDIN", true),
            ("COPY logs TO STDOUT", false),
            ("INSERT INTO events SELECT id INTO logs", false),
            ("SELECT id INTO logs FROM events", false),
        ] {
            assert_eq!(begins_insert(text, &table), expected, "{text}");
        }
    }

    #[test]
    fn a_table_that_migrations_fill_with_several_rows_is_kept_by_hand() {
        let mut growth = Growth::default();
        growth.add_migration("INSERT INTO kinds VALUES (1, 'a (b'), (2, f(3)), (3, ''), (4, 'it''s')");
        let is_seeded = |growth: &Growth| growth.is_seeded(&Name { schema: None, name: "kinds".to_owned() });
        assert!(!is_seeded(&growth));
        growth.add_migration("INSERT INTO kinds VALUES (5, 'e')");
        assert!(is_seeded(&growth));
    }

    #[test]
    fn a_table_that_migrations_alone_fill_stays_as_it_is() {
        let mut growth = Growth { is_whole: true, ..Growth::default() };
        growth.add_migration("CREATE TABLE kinds (id int); INSERT INTO kinds (id) VALUES (1), (2);");
        growth.add_migration("INSERT INTO moved SELECT * FROM old; INSERT INTO users (id) VALUES (1)");
        growth.add("INSERT INTO users (id) VALUES ($1)");
        let stays = |name: &str| growth.stays(&Name { schema: None, name: name.to_owned() });
        assert_eq!(
            [stays("kinds"), stays("moved"), stays("users"), stays("other")],
            [true, false, false, false]
        );
        // A text that is not known may insert into any table.
        growth.add("INSERT INTO … (id) VALUES ($1)");
        assert!(Growth::default().is_never_grown(&Name { schema: None, name: "kinds".to_owned() }));
        let stays = |name: &str| growth.stays(&Name { schema: None, name: name.to_owned() });
        assert_eq!([stays("kinds"), stays("other")], [false, false]);
    }
}
