//! The statements in source that change a schema: many programs create their tables themselves.

use super::literal::text_of;
use super::tokens::{Token, TokenKind, tokens};
use crate::sql::Dialect;
use crate::sql::split::statements;

/// A text in source that changes the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DdlText {
    /// The line of its first character.
    pub line: u32,
    /// The text, or where it is.
    pub source: DdlSource,
    /// Whether it is run as it stands: nothing is added to it, and it does not depend on a condition.
    pub is_certain: bool,
}

/// Where a text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DdlSource {
    /// Here.
    Sql(String),
    /// In the file with this path, as written.
    File(String),
}

/// What a file contains that has such a text; a space follows, as code has many names like `create_user`.
const LIKELY: &[&str] =
    &["CREATE", "Create ", "create ", "ALTER", "Alter ", "alter ", "DROP", "Drop ", "drop ", ".sql\""];

/// The texts in a file's source that change a schema, outside of test code, in order.
pub fn ddl_texts(source: &str) -> Vec<DdlText> {
    // Most files have none, and tokenizing takes time.
    let is_likely = LIKELY.iter().any(|part| source.contains(part));
    if !is_likely {
        return Vec::new();
    }
    let mut reader = Reader { source, tokens: tokens(source), ..Reader::default() };
    reader.read();
    reader.found
}

/// Whether a statement changes the schema, judging by its first words.
fn changes_schema(statement: &str) -> bool {
    let mut words = words(statement);
    let first = words.next().unwrap_or_default();
    let second = words.next().unwrap_or_default();
    match first.as_str() {
        "create" => MADE.contains(&second.as_str()),
        "alter" | "drop" => CHANGED.contains(&second.as_str()),
        "rename" => second == "table",
        // A block of PostgreSQL.
        "do" => words.any(|word| matches!(word.as_str(), "alter" | "create")),
        _ => false,
    }
}

/// What may follow CREATE.
const MADE: &[&str] = &[
    "index",
    "materialized",
    "or",
    "table",
    "temp",
    "temporary",
    "trigger",
    "type",
    "unique",
    "unlogged",
    "view",
    "virtual",
];

/// What may follow ALTER and DROP.
const CHANGED: &[&str] = &["index", "materialized", "table", "type", "view"];

/// The words of a statement in lower case, without comments before it.
fn words(statement: &str) -> impl Iterator<Item = String> {
    let lines = statement.lines().skip_while(|line| {
        let line = line.trim_start();
        line.is_empty() || line.starts_with("--")
    });
    let words = lines.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'));
    words.filter(|word| !word.is_empty()).map(str::to_ascii_lowercase)
}

/// What is known of a place in the source.
#[derive(Debug, Clone, Copy, Default)]
struct Region {
    /// Whether it is test code, or takes changes back.
    is_left_out: bool,
    /// Whether it depends on a condition, or is part of a text that is built.
    in_doubt: bool,
}

#[derive(Default)]
struct Reader<'t> {
    source: &'t str,
    tokens: Vec<Token<'t>>,
    at: usize,
    /// The brackets that are open here.
    open: Vec<Region>,
    /// What attributes and keywords say of the block that follows.
    next: Region,
    /// The line of `counted` bytes.
    line: u32,
    counted: usize,
    found: Vec<DdlText>,
}

impl<'t> Reader<'t> {
    fn read(&mut self) {
        while let Some(token) = self.tokens.get(self.at).copied() {
            match token.kind {
                TokenKind::Sign(b'#') if self.is_sign(1, b'[') => self.attribute(1),
                TokenKind::Sign(b'#') if self.is_sign(1, b'!') && self.is_sign(2, b'[') => self.attribute(2),
                TokenKind::Sign(b'{') => {
                    let region = self.region();
                    self.open.push(region);
                    self.next = Region::default();
                }
                TokenKind::Sign(b'(' | b'[') => {
                    let here = self.here();
                    let in_doubt = here.in_doubt || self.is_of_building_macro();
                    let is_undoing = self.at.checked_sub(1).is_some_and(|name| self.is_undoing(name));
                    self.open.push(Region { in_doubt, is_left_out: here.is_left_out || is_undoing });
                }
                TokenKind::Sign(b'}') => {
                    self.open.pop();
                    self.next = Region::default();
                }
                TokenKind::Sign(b')' | b']') => {
                    self.open.pop();
                }
                TokenKind::Sign(b';') => self.next = Region::default(),
                TokenKind::Word
                    if matches!(token.text, "if" | "else" | "match" | "while" | "macro_rules") =>
                {
                    self.next.in_doubt = true;
                }
                TokenKind::Word if token.text == "fn" && self.is_undoing(self.at + 1) => {
                    self.next.is_left_out = true;
                }
                TokenKind::Text | TokenKind::Literal => self.literal(token),
                _ => {}
            }
            self.at += 1;
        }
    }

    fn here(&self) -> Region {
        self.open.last().copied().unwrap_or_default()
    }

    /// The block that begins here.
    fn region(&self) -> Region {
        let here = self.here();
        Region {
            is_left_out: here.is_left_out || self.next.is_left_out,
            in_doubt: here.in_doubt || self.next.in_doubt,
        }
    }

    /// Whether a name is one of what takes a migration back.
    fn is_undoing(&self, at: usize) -> bool {
        let name = self.tokens.get(at).filter(|name| name.kind == TokenKind::Word);
        name.is_some_and(|name| matches!(name.text, "down" | "revert" | "rollback"))
    }

    fn sign(&self, at: usize) -> Option<u8> {
        match self.tokens.get(at)?.kind {
            TokenKind::Sign(sign) => Some(sign),
            _ => None,
        }
    }

    fn is_sign(&self, ahead: usize, sign: u8) -> bool {
        self.sign(self.at + ahead) == Some(sign)
    }

    /// Skips an attribute, and notes what it says of the item that follows.
    fn attribute(&mut self, bracket: usize) {
        let mut depth = 0_usize;
        let mut words = Vec::new();
        self.at += bracket;
        while let Some(token) = self.tokens.get(self.at) {
            match token.kind {
                TokenKind::Sign(b'[' | b'(' | b'{') => depth += 1,
                TokenKind::Sign(b']' | b')' | b'}') => depth = depth.saturating_sub(1),
                TokenKind::Word => words.push(token.text),
                _ => {}
            }
            if depth == 0 {
                break;
            }
            self.at += 1;
        }
        let has = |word: &str| words.contains(&word);
        self.next.is_left_out |= has("test") && !has("not");
        self.next.in_doubt |= has("cfg") || has("cfg_attr");
    }

    /// Whether the bracket here is that of a macro that may do something else with a text than run it.
    fn is_of_building_macro(&self) -> bool {
        let name = self.macro_name(self.at);
        name.is_some_and(|name| !name.starts_with("query") && !TAKERS.contains(&name))
    }

    /// The macro whose bracket is at a token.
    fn macro_name(&self, bracket: usize) -> Option<&'t str> {
        let at = bracket.checked_sub(2)?;
        let is_macro = self.sign(at + 1) == Some(b'!');
        self.tokens.get(at).filter(|name| is_macro && name.kind == TokenKind::Word).map(|name| name.text)
    }

    /// Whether more is added to the text that ends at a token, or another text is made of it.
    fn is_changed_after(&self, last: usize) -> bool {
        let changes = |name: &Token<'_>| matches!(name.text, "replace" | "replacen" | "split_at");
        self.sign(last + 1) == Some(b'+')
            || self.sign(last + 1) == Some(b'.') && self.tokens.get(last + 2).is_some_and(changes)
    }

    fn literal(&mut self, token: Token<'t>) {
        let here = self.here();
        if here.is_left_out || self.next.is_left_out {
            return;
        }
        // A condition's own literals are run in any case: `if query("..").execute()?.. {`.
        let hangs = here.in_doubt || self.next.in_doubt && self.open.is_empty();
        let by_macro = self.at.checked_sub(1).and_then(|bracket| self.macro_name(bracket));
        let is_file = by_macro.is_some_and(|name| name == "include_str" || name.starts_with("query_file"));
        let last = if is_file { self.at + 1 } else { self.at };
        let before = self.at.checked_sub(1).map(|at| (self.sign(at), at.checked_sub(1)));
        let is_pushed = before.is_some_and(|(sign, name)| {
            let name = name.and_then(|at| self.tokens.get(at)).map_or("", |name| name.text);
            sign == Some(b'+') || sign == Some(b'(') && matches!(name, "push_str" | "push" | "push_sql")
        });
        let is_certain = !hangs && !is_pushed && !self.is_changed_after(last);
        let likely = token.text.to_ascii_lowercase();
        if !is_file && !["create", "alter", "drop", "rename"].iter().any(|word| likely.contains(word)) {
            return;
        }
        let Some(text) = token.text.parse().ok().and_then(|literal| text_of(&literal)) else { return };
        let source = match is_file {
            true if text.ends_with(".sql") => DdlSource::File(text),
            true => return,
            false if statements(&text, Dialect::Sqlite).iter().any(|it| changes_schema(it.text)) => {
                DdlSource::Sql(text)
            }
            false => return,
        };
        let line = self.line_of(token.start);
        self.found.push(DdlText { line, source, is_certain });
    }

    fn line_of(&mut self, byte: usize) -> u32 {
        let between = self.source.get(self.counted..byte).unwrap_or_default();
        self.line += u32::try_from(between.matches('\n').count()).unwrap_or(0);
        self.counted = byte;
        self.line + 1
    }
}

/// The macros in round and square brackets that take a text as it is, besides those of sqlx.
const TAKERS: &[&str] = &["include_str", "indoc", "params", "sql", "vec"];

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts in source, each with its line; those in doubt behind a `?`.
    #[track_caller]
    fn check(source: &str, expected: &[&str]) {
        let shown = |it: &DdlText| {
            let (DdlSource::Sql(text) | DdlSource::File(text)) = &it.source;
            format!("{}:{}{text}", it.line, if it.is_certain { "" } else { "?" })
        };
        let found: Vec<String> = ddl_texts(source).iter().map(shown).collect();
        assert_eq!(found, expected, "{source}");
    }

    #[test]
    fn a_text_that_is_run_as_it_stands_is_certain() {
        check("fn f() {\n  query(\"CREATE TABLE t (a)\").execute(db); }", &["2:CREATE TABLE t (a)"]);
        check("const SCHEMA: &[&str] = &[\"CREATE TABLE t (a)\"];", &["1:CREATE TABLE t (a)"]);
        check("vec![M::up(r#\"ALTER TABLE t ADD b\"#)]", &["1:ALTER TABLE t ADD b"]);
        check("sqlx::query!(\"PRAGMA a; CREATE TABLE t (a)\")", &["1:PRAGMA a; CREATE TABLE t (a)"]);
        check(
            "if query(\"DROP TABLE t\").is_ok() { a() }\nb(\"CREATE VIEW v AS SELECT 1\")",
            &["1:DROP TABLE t", "2:CREATE VIEW v AS SELECT 1"],
        );
        check(
            "a(\"DO $$ BEGIN CREATE INDEX i ON t (a); END $$\")",
            &["1:DO $$ BEGIN CREATE INDEX i ON t (a); END $$"],
        );
        check("raw_sql(include_str!(\"schema.sql\"))", &["1:schema.sql"]);
        check("for sql in [\"CREATE TABLE t (a)\"] { query(sql); }", &["1:CREATE TABLE t (a)"]);
    }

    #[test]
    fn a_text_that_is_built_or_conditional_is_in_doubt() {
        for source in [
            "if fresh { query(\"CREATE TABLE t (a)\") }",
            "match kind { A => \"CREATE TABLE t (a)\", _ => other }",
            "format!(\"CREATE TABLE t (a)\")",
            "let a = \"CREATE TABLE t (a)\" + rest;",
            "sql.push_str(\"CREATE TABLE t (a)\")",
            "query(\"CREATE TABLE t (a)\".replace(\"t\", name))",
            "#[cfg(feature = \"a\")]\nfn f() { query(\"CREATE TABLE t (a)\") }",
        ] {
            let found = ddl_texts(source);
            assert_eq!(found.iter().map(|it| it.is_certain).collect::<Vec<_>>(), [false], "{source}");
        }
    }

    #[test]
    fn tests_comments_and_other_words_are_left_out() {
        check("#[cfg(test)]\nmod tests { fn f() { query(\"CREATE TABLE t (a)\") } }", &[]);
        check("#[tokio::test]\nasync fn f() { query(\"CREATE TABLE t (a)\") }\nfn g() {}", &[]);
        check("// query(\"CREATE TABLE t (a)\")\n#[doc = \"CREATE TABLE t (a)\"]\nfn f() {}", &[]);
        check("M::up(\"CREATE TABLE t (a)\").down(\"DROP TABLE t\")", &["1:CREATE TABLE t (a)"]);
        check("async fn down(&self) { query(\"DROP TABLE t\") }", &[]);
        check("log(\"create a table\"); query(\"SELECT created FROM t\"); include_str!(\"a.html\");", &[]);
    }
}
