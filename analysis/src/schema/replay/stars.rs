//! `*` in the queries of views.

use super::Replay;
use crate::schema::ddl::expression::edited;
use crate::schema::model::{Name, View};
use crate::sql::expr::{ColumnRef, Expr};
use crate::sql::lex::{Lexer, Token, text_at};
use crate::sql::query::{BlockId, Body, Query, RelationId};
use crate::sql::quote::quote_if_needed;
use crate::sql::{Dialect, Span, resolve};

/// The maximum nesting of views whose columns are read anew.
const MOST_NESTED_VIEWS: usize = 8;

/// The maximum nesting of UNION.
const MAX_UNION_DEPTH: usize = 64;

impl Replay {
    /// Writes out what `*` stands for in views, before a table gets another column: a view keeps the columns that it had
    /// when it was made. SQLite reads `*` anew each time.
    pub(super) fn settle_stars(&mut self, table: &Name) {
        let dialect = self.schema.dialect;
        if dialect == Dialect::Sqlite {
            return;
        }
        let name = table.name.to_lowercase();
        let is_settled = |view: &View| self.settled_views.get(&view.name) == Some(&view.query);
        let may_name = |view: &&View| {
            view.query.contains('*') && !is_settled(view) && view.query.to_lowercase().contains(&name)
        };
        let views = self.schema.views.values().filter(may_name);
        let naming: Vec<(Name, String)> = views.map(|view| (view.name.clone(), view.query.clone())).collect();
        for (view, text) in naming {
            let Ok(query) = resolve(&text, dialect, Some(&self.schema)) else { continue };
            let mut edits = Vec::new();
            if let Some(root) = query.root {
                stars(&query, root, &text, dialect, 0, &mut edits);
            }
            if let Some(view) = self.schema.views.get_mut(&view) {
                view.query = if edits.is_empty() { text } else { edited(&text, edits) };
                self.settled_views.insert(view.name.clone(), view.query.clone());
            }
        }
    }
}

impl Replay {
    /// SQLite: gives views with `*` the columns that their tables have by now.
    pub(super) fn read_stars_anew(&mut self) {
        if self.schema.dialect != Dialect::Sqlite {
            return;
        }
        let has_star = |view: &View| view.query.contains('*') && !self.named_views.contains(&view.name);
        let views = self.schema.views.values().filter(|view| has_star(view));
        let views: Vec<(Name, String)> = views.map(|view| (view.name.clone(), view.query.clone())).collect();
        // One view may read another.
        for _ in 0..MOST_NESTED_VIEWS.min(views.len()) {
            let mut changes = false;
            for (name, query) in &views {
                let columns = self.columns_of_query(query, &[]);
                let Some(view) = self.schema.views.get_mut(name) else { continue };
                if columns.is_some() && view.columns != columns {
                    view.columns = columns;
                    changes = true;
                }
            }
            if !changes {
                return;
            }
        }
    }
}

/// The edits that write out `*` in a SELECT list, and in those of both sides of UNION.
fn stars(
    query: &Query,
    id: BlockId,
    text: &str,
    dialect: Dialect,
    depth: usize,
    edits: &mut Vec<(Span, String)>,
) {
    match &query.block(id).body {
        Body::Set { left, right, .. } if depth < MAX_UNION_DEPTH => {
            stars(query, *left, text, dialect, depth + 1, edits);
            stars(query, *right, text, dialect, depth + 1, edits);
        }
        Body::Select(select) => {
            let settled = select.star.and_then(|first| settled(query, id, first, text, dialect));
            edits.extend(settled.into_iter().flatten());
        }
        _ => {}
    }
}

/// The edits for one SELECT list whose first `*` is at a position; `None` if it is not certain which columns it stands for.
fn settled(
    query: &Query,
    id: BlockId,
    first: Span,
    text: &str,
    dialect: Dialect,
) -> Option<Vec<(Span, String)>> {
    // What is written has a position.
    let mut columns: Vec<(RelationId, &str)> = Vec::new();
    for output in query.block(id).outputs.as_ref()? {
        if let Expr::Column(ColumnRef { relation: Some(relation), name, span: None }) = &output.expr {
            columns.push((*relation, name));
        }
    }
    let mut left = columns.as_slice();
    let tokens: Vec<Token> = Lexer::new(text, dialect).collect();
    let word = |at: usize| text_at(text, &tokens, at);
    let start = tokens.iter().position(|token| token.span.start == first.start)?;
    let (mut open, mut edits) = (0_usize, Vec::new());
    for (at, star) in tokens.iter().enumerate().skip(start) {
        match word(at) {
            "(" | "[" => open += 1,
            ")" | "]" if open == 0 => break,
            ")" | "]" => open -= 1,
            "*" if open == 0 && at >= 2 && word(at - 1) == "." => {
                let of = left.first()?.0;
                let count = left.iter().take_while(|(relation, _)| *relation == of).count();
                let (own, rest) = left.split_at(count);
                left = rest;
                let mut name = at - 2;
                while name >= 2 && word(name - 1) == "." {
                    name -= 2;
                }
                let prefix = text.get(tokens.get(name)?.span.start..star.span.start)?;
                let written: Vec<String> = own
                    .iter()
                    .map(|(_, name)| format!("{prefix}{}", quote_if_needed(name, dialect)))
                    .collect();
                edits.push((Span::new(tokens.get(name)?.span.start, star.span.end), written.join(", ")));
            }
            "*" if open == 0 && (at == start || word(at - 1) == ",") => {
                let mut written = Vec::new();
                for (relation, name) in std::mem::take(&mut left) {
                    let is_alone = columns.iter().filter(|(_, other)| other == name).count() == 1;
                    let quoted = quote_if_needed(name, dialect);
                    let alias = &query.relation(*relation).alias;
                    match (is_alone, alias.is_empty()) {
                        (true, _) => written.push(quoted),
                        (false, false) => {
                            written.push(format!("{}.{quoted}", quote_if_needed(alias, dialect)));
                        }
                        (false, true) => return None,
                    }
                }
                if written.is_empty() {
                    return None;
                }
                edits.push((star.span, written.join(", ")));
            }
            word if open == 0 && word.eq_ignore_ascii_case("from") => break,
            _ => {}
        }
    }
    left.is_empty().then_some(edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(dialect: Dialect, view: &str, expect: &str) {
        let mut replay = Replay::new(dialect);
        let tables = "CREATE TABLE t (id int, name text); CREATE TABLE u (id int, n int);";
        replay.apply(
            &format!("{tables} CREATE VIEW v AS {view}; ALTER TABLE t ADD COLUMN later int;"),
            "a.sql",
        );
        assert_eq!(replay.problems, []);
        let view = replay.schema.view(None, "v").expect("the view");
        assert_eq!(view.query, expect);
    }

    #[test]
    fn sqlite_reads_what_a_star_stands_for_anew() {
        let mut replay = Replay::new(Dialect::Sqlite);
        replay.apply(
            "CREATE TABLE t (id int, a int); CREATE VIEW a AS SELECT * FROM b; CREATE VIEW b AS SELECT * FROM t;
             CREATE VIEW c (x, y) AS SELECT * FROM t; ALTER TABLE t ADD z int; ALTER TABLE t RENAME a TO k;",
            "a.sql",
        );
        let columns = |view: &str| {
            let columns = replay.schema.view(None, view).and_then(|view| view.columns.as_ref());
            columns.into_iter().flatten().map(|column| column.name.as_str()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!([columns("a"), columns("b"), columns("c")], ["id k z", "id k z", "x y"]);
    }

    #[test]
    fn a_view_keeps_the_columns_that_it_was_made_with() {
        let postgres = Dialect::Postgres;
        check(postgres, "SELECT * FROM t", "SELECT id, name FROM t");
        check(postgres, "SELECT x.*, u.n FROM t x, u", "SELECT x.id, x.name, u.n FROM t x, u");
        check(postgres, "SELECT n, t.*, u.id AS k FROM t, u", "SELECT n, t.id, t.name, u.id AS k FROM t, u");
        check(postgres, "SELECT * FROM t JOIN u USING (id)", "SELECT id, name, n FROM t JOIN u USING (id)");
        check(
            postgres,
            "SELECT count(*) AS c, 2 * max(id) AS m FROM t",
            "SELECT count(*) AS c, 2 * max(id) AS m FROM t",
        );
        check(
            postgres,
            "SELECT * FROM t UNION ALL SELECT id, 'x' FROM u",
            "SELECT id, name FROM t UNION ALL SELECT id, 'x' FROM u",
        );
        check(Dialect::MySql, "SELECT t.*, 1 AS one FROM t", "SELECT t.id, t.name, 1 AS one FROM t");
        check(Dialect::Sqlite, "SELECT * FROM t", "SELECT * FROM t");
    }
}
