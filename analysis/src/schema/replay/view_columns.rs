//! Columns of tables, as mentioned in the queries of views.

use std::collections::BTreeSet;

use super::Replay;
use crate::schema::ddl::expression::{edited, gives_name};
use crate::schema::model::{Column, Name, View};
use crate::sql::expr::{ColumnRef, Expr};
use crate::sql::lex::Lexer;
use crate::sql::query::{Block, Query, Source};
use crate::sql::quote::quote_if_needed;
use crate::sql::{Dialect, Span, resolve};

impl Replay {
    /// Lets views follow a column that is about to be renamed. In PostgreSQL the output columns of a view
    /// keep their names; in SQLite they change as well, and in MySQL the view breaks.
    pub(super) fn rename_column_in_views(
        &mut self,
        table: &Name,
        from: &str,
        to: &str,
        spelling: Option<&String>,
    ) {
        let dialect = self.schema.dialect;
        if dialect == Dialect::MySql {
            return;
        }
        let naming = self.schema.views.values().filter(|view| view.query.to_lowercase().contains(from));
        let found: Vec<(Name, Query, BTreeSet<Span>)> = naming
            .filter_map(|view| {
                let query = resolve(&view.query, dialect, Some(&self.schema)).ok()?;
                let mentions = mentions(&query, table, from);
                (!mentions.is_empty()).then(|| (view.name.clone(), query, mentions))
            })
            .collect();
        for (view, query, mentions) in found {
            let Some(view) = self.schema.views.get_mut(&view) else { continue };
            let selected = selected(&query, &mentions, from);
            if dialect == Dialect::Sqlite && !self.named_views.contains(&view.name) {
                let outputs = query.root.and_then(|root| query.block(root).outputs.as_ref());
                let columns = view.columns.iter_mut().flatten().zip(outputs.into_iter().flatten());
                for (column, output) in columns {
                    let place = span(&output.expr).filter(|place| selected.contains(place));
                    let is_plain = place.is_some_and(|place| !is_named(&view.query, place, dialect));
                    if is_plain && column.name == from {
                        to.clone_into(&mut column.name);
                        column.spelling = spelling.cloned();
                    }
                }
            }
            view.query = renamed(
                &view.query,
                &mentions,
                &selected,
                from,
                spelling.map_or(to, String::as_str),
                dialect,
            );
        }
    }
}

impl Replay {
    /// MySQL and MariaDB name the columns of a view as its query writes them, even those of another view.
    pub(super) fn name_as_written(&self, query: &str, columns: &mut [Column]) {
        let dialect = self.schema.dialect;
        if dialect != Dialect::MySql {
            return;
        }
        let resolved = resolve(query, dialect, Some(&self.schema)).ok();
        let outputs = resolved.as_ref().and_then(|query| query.block(query.root?).outputs.as_ref());
        for (column, output) in columns.iter_mut().zip(outputs.into_iter().flatten()) {
            let place = span(&output.expr).filter(|&place| !is_named(query, place, dialect));
            let written = place.and_then(|place| query.get(place.range())).unwrap_or_default();
            let written = written.rsplit('.').next().unwrap_or_default().trim().trim_matches('`');
            if written.eq_ignore_ascii_case(&column.name) {
                column.spelling = (written != column.name).then(|| written.to_owned());
            }
        }
    }

    /// Whether a view reads a table or another view; `None` if its query cannot be followed.
    pub(super) fn reads_relation(&self, view: &View, name: &Name) -> Option<bool> {
        let query = resolve(&view.query, self.schema.dialect, Some(&self.schema)).ok()?;
        if !query.problems.is_empty() || query.unchecked.is_some() {
            return None;
        }
        let is_it = |source: &Source| matches!(source, Source::Table(of) | Source::View(of, _) if of == name);
        Some(query.relations.iter().any(|relation| is_it(&relation.source)))
    }

    /// Whether a view reads a column of a table, also by `*`; `None` if the columns of something that it reads are unknown.
    pub(super) fn reads_column(&self, view: &View, table: &Name, column: &str) -> Option<bool> {
        let query = resolve(&view.query, self.schema.dialect, Some(&self.schema)).ok()?;
        if query.blocks.iter().any(|block| block.outputs.is_none()) || !query.problems.is_empty() {
            return None;
        }
        let is_it = |part: &Expr| match part {
            Expr::Column(ColumnRef { relation: Some(id), name, .. }) => {
                name == column && matches!(&query.relation(*id).source, Source::Table(of) if of == table)
            }
            _ => false,
        };
        let arguments = query.relations.iter().flat_map(|relation| match &relation.source {
            Source::Function(_, arguments) => arguments.as_slice(),
            _ => &[],
        });
        let mut all = query.blocks.iter().flat_map(Block::expressions).chain(arguments);
        Some(all.any(|expr| expr.any(is_it)))
    }
}

/// The positions where the query mentions a column of a table.
fn mentions(query: &Query, table: &Name, column: &str) -> BTreeSet<Span> {
    let mut found = BTreeSet::new();
    let mut look = |expr: &Expr| {
        expr.walk(&mut |part| {
            if let Expr::Column(ColumnRef { relation: Some(id), name, span: Some(span) }) = part
                && name == column
                && matches!(&query.relation(*id).source, Source::Table(of) | Source::View(of, _) if of == table)
            {
                found.insert(*span);
            }
        });
    };
    for block in &query.blocks {
        block.expressions().into_iter().for_each(&mut look);
    }
    for relation in &query.relations {
        if let Source::Function(_, arguments) = &relation.source {
            arguments.iter().for_each(&mut look);
        }
    }
    found
}

/// Those of `mentions` that are output columns on their own, under the column's name.
fn selected(query: &Query, mentions: &BTreeSet<Span>, name: &str) -> BTreeSet<Span> {
    let outputs = query.blocks.iter().flat_map(|block| block.outputs.iter().flatten());
    let own = outputs
        .filter(|output| output.name.eq_ignore_ascii_case(name))
        .filter_map(|output| span(&output.expr));
    own.filter(|span| mentions.contains(span)).collect()
}

/// The position of a column.
fn span(expr: &Expr) -> Option<Span> {
    expr.as_column().and_then(|column| column.span)
}

/// Whether the item at a position has an alias.
fn is_named(query: &str, place: Span, dialect: Dialect) -> bool {
    let mut behind = Lexer::new(query, dialect);
    behind.seek(place.end);
    behind.next().is_some_and(|token| gives_name(query, &token))
}

fn renamed(
    query: &str,
    mentions: &BTreeSet<Span>,
    selected: &BTreeSet<Span>,
    from: &str,
    to: &str,
    dialect: Dialect,
) -> String {
    let edits = mentions.iter().filter_map(|mention| {
        let text = query.get(mention.range())?;
        // The name is the last part, after its qualifiers.
        let name = Lexer::new(text, dialect).last()?;
        let mut new = quote_if_needed(to, dialect);
        let keeps_name =
            dialect == Dialect::Postgres && selected.contains(mention) && !is_named(query, *mention, dialect);
        if keeps_name {
            new.push_str(&format!(" AS {}", quote_if_needed(from, dialect)));
        }
        Some((Span::new(mention.start + name.span.start, mention.end), new))
    });
    edited(query, edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the remaining views `v` and `w`, with their columns.
    #[track_caller]
    fn check(dialect: Dialect, script: &str, expected: &[&str]) {
        let mut replay = Replay::new(dialect);
        replay.apply(script, "one.sql");
        assert_eq!(replay.problems, []);
        let views = replay.schema.views.values().map(|view| {
            let columns = view.columns.iter().flatten().map(|column| column.name.as_str());
            format!("{}: {}", columns.collect::<Vec<_>>().join(", "), view.query)
        });
        assert_eq!(views.collect::<Vec<_>>(), expected);
    }

    const TABLES: &str = "CREATE TABLE t (id int, name text); CREATE TABLE u (id int, name text);";

    #[test]
    fn columns_of_views_are_renamed_in_the_views_over_them() {
        check(
            Dialect::Postgres,
            &format!(
                "{TABLES} CREATE MATERIALIZED VIEW v (id, label) AS SELECT id, name FROM t;
                 CREATE VIEW w AS SELECT label FROM v WHERE label <> ''; ALTER MATERIALIZED VIEW v RENAME COLUMN label TO tag"
            ),
            &["id, tag: SELECT id, name FROM t", "label: SELECT tag AS label FROM v WHERE tag <> ''"],
        );
    }

    #[test]
    fn a_view_keeps_the_names_that_it_gave() {
        check(
            Dialect::Postgres,
            &format!(
                "{TABLES} CREATE VIEW v AS SELECT t.name, u.name AS other FROM t JOIN u ON u.id = t.id
                 WHERE t.name <> 'x' GROUP BY t.name, u.name ORDER BY name;
                 CREATE VIEW w AS SELECT s.name FROM (SELECT name, upper(name) AS name2 FROM t) s;
                 ALTER TABLE t RENAME COLUMN name TO \"Title\";"
            ),
            &[
                "name, other: SELECT t.\"Title\" AS name, u.name AS other FROM t JOIN u ON u.id = t.id
                 WHERE t.\"Title\" <> 'x' GROUP BY t.\"Title\", u.name ORDER BY name",
                "name: SELECT s.name FROM (SELECT \"Title\" AS name, upper(\"Title\") AS name2 FROM t) s",
            ],
        );
    }

    #[test]
    fn sqlite_renames_what_a_view_selects() {
        check(
            Dialect::Sqlite,
            &format!(
                "{TABLES} CREATE VIEW v AS SELECT t.name, u.name AS name2 FROM t JOIN u ON u.id = t.id;
                 CREATE VIEW w (name) AS SELECT u.name FROM u;
                 ALTER TABLE t RENAME COLUMN id TO key;"
            ),
            &[
                "name, name2: SELECT t.name, u.name AS name2 FROM t JOIN u ON u.id = t.key",
                "name: SELECT u.name FROM u",
            ],
        );
        check(
            Dialect::Sqlite,
            "CREATE TABLE t (id int, name text); CREATE VIEW v AS SELECT name, id AS name2 FROM t WHERE name > 'a';
             ALTER TABLE t RENAME COLUMN name TO title;",
            &["title, name2: SELECT title, id AS name2 FROM t WHERE title > 'a'"],
        );
    }

    #[test]
    fn mysql_leaves_views_behind() {
        check(
            Dialect::MySql,
            "CREATE TABLE t (id int, name text); CREATE VIEW v AS SELECT name FROM t;
             ALTER TABLE t RENAME COLUMN name TO title;",
            &["name: SELECT name FROM t"],
        );
    }

    /// PostgreSQL refuses a view over itself; what a migration tool sends it may still say so.
    #[test]
    fn views_over_each_other_are_dropped_once() {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(
            "CREATE TABLE t (id int); CREATE VIEW a AS SELECT * FROM t; CREATE VIEW b AS SELECT * FROM a, c; \
             CREATE VIEW c AS SELECT * FROM b; CREATE VIEW d AS SELECT 1 AS id; CREATE VIEW e AS SELECT * FROM e, a; \
             DROP VIEW a CASCADE;",
            "a.sql",
        );
        let left: Vec<&str> = replay.schema.views.keys().map(|name| name.name.as_str()).collect();
        assert_eq!(left, ["d"]);
    }
}
