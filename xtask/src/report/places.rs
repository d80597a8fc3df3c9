//! Where in the migrations, or in a snapshot, something is made.

use query_budget_analysis::Place;
use query_budget_analysis::lints::Made;
use query_budget_analysis::schema::ForeignKey;
use query_budget_analysis::sql::lex::{Kind, Lexer, Token, unquote};
use query_budget_analysis::sql::{Dialect, split};

/// Where something is made: the last statement that creates it, else the last that names it in its head. What stands in a
/// literal or a comment names nothing.
pub(super) fn place_of(files: &[(String, String)], made: &Made<'_>, dialect: Dialect) -> Place {
    let mut place = Place { file: files.first().map_or("", |(file, _)| file).into(), ..Place::default() };
    let mut best = 0;
    for (file, text) in files {
        for piece in split::statements(text, dialect) {
            let statement = Statement::new(piece.text, dialect);
            let Some((rank, at)) = statement.makes(made) else { continue };
            if rank >= best {
                best = rank;
                let before = piece.text.get(..at).unwrap_or_default();
                let line = piece.line + u32::try_from(before.matches('\n').count()).unwrap_or(0);
                place = Place { file: file.as_str().into(), line, column: 1 };
            }
        }
    }
    place
}

struct Statement<'t> {
    sql: &'t str,
    tokens: Vec<Token>,
    dialect: Dialect,
}

impl<'t> Statement<'t> {
    fn new(sql: &'t str, dialect: Dialect) -> Statement<'t> {
        Statement { sql, tokens: Lexer::new(sql, dialect).collect(), dialect }
    }

    fn text(&self, at: usize) -> &'t str {
        self.tokens.get(at).and_then(|token| self.sql.get(token.span.range())).unwrap_or_default()
    }

    fn is(&self, at: usize, word: &str) -> bool {
        self.text(at).eq_ignore_ascii_case(word)
    }

    fn names(&self, at: usize, name: &str) -> bool {
        let is_name = self.tokens.get(at).is_some_and(|token| matches!(token.kind, Kind::Word | Kind::Name));
        is_name && unquote(self.text(at), self.dialect).eq_ignore_ascii_case(name)
    }

    /// How well the statement fits what is looked for, and the byte at which that stands.
    fn makes(&self, made: &Made<'_>) -> Option<(u8, usize)> {
        let head = (0..self.tokens.len()).take_while(|at| !self.is(*at, "(") && !self.is(*at, "as"));
        let is_named = head.into_iter().any(|at| self.names(at, made.name));
        let creates = self.is(0, "create");
        let rank = match (is_named, creates, self.is(0, "alter")) {
            (false, ..) => return None,
            (_, true, _) => 2,
            (_, _, true) => 1,
            _ => return None,
        };
        let start = self.tokens.first()?.span.start;
        match made.key {
            None => Some((rank, start)),
            Some(key) => Some(self.key(key).map_or((rank, start), |at| (3, at))),
        }
    }

    /// Where a foreign key stands: the element of the list, or the clause, that has its column and REFERENCES.
    fn key(&self, key: &ForeignKey) -> Option<usize> {
        let first = key.columns.first()?;
        let mut begin = 0;
        let mut depth = 0_usize;
        let mut found = None;
        for at in 0..self.tokens.len() {
            match self.text(at) {
                "(" => {
                    depth += 1;
                    if depth == 1 {
                        begin = at + 1;
                    }
                }
                ")" => depth = depth.saturating_sub(1),
                "," if depth <= 1 => begin = at + 1,
                word if word.eq_ignore_ascii_case("references") => {
                    let refers = (at + 1..at + 5).any(|at| self.names(at, &key.table.name));
                    if refers && (begin..at).any(|at| self.names(at, first)) {
                        found = self.tokens.get(begin).map(|token| token.span.start);
                    }
                }
                _ => {}
            }
        }
        found
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
        let place = place_of(&files, &Made { name: table, key: Some(key) }, Dialect::Postgres);
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
        check(
            &format!(
                "{p}CREATE TABLE c (\n  p_id bigint\n);\nALTER TABLE c\n  ADD FOREIGN KEY (p_id) REFERENCES p;"
            ),
            "c",
            6,
        );
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
