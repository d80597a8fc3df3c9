//! Where a server says that the columns of a query are from.

use super::{MAX_VIEW_DEPTH, Reader, Server};
use crate::sql::expr::{ColumnRef, Expr};
use crate::sql::query::{BlockId, Body, RelationId, Source};

/// Where a column is from, as a server tells clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A column of a table of the schema.
    Table {
        /// The table, with its schema if it has one.
        table: String,
        /// The column.
        column: String,
    },
    /// A column of a query that was merged into the one that reads it.
    Merged {
        /// The alias of that query.
        alias: String,
        /// The column.
        column: String,
    },
    /// A column of rows that the server holds in between, named without a database.
    Held {
        /// The table of which the rows are, or the alias of a query.
        of: String,
        /// The column.
        column: String,
    },
    /// A computed value.
    Expression,
    /// What the server says is not known.
    Unknown,
}

impl Reader<'_> {
    /// Where the column of a SELECT list is from.
    pub(super) fn place(&self, output: &Expr) -> Place {
        let Expr::Column(column) = output else { return Place::Expression };
        let Some(id) = column.relation else { return Place::Unknown };
        let relation = self.query.relation(id);
        match &relation.source {
            Source::Table(name) => {
                return Place::Table { table: name.to_string(), column: column.name.clone() };
            }
            // MySQL names the columns of a query in FROM otherwise.
            _ if self.server != Some(Server::MariaDb) => return Place::Unknown,
            _ => {}
        }
        let Some((block, inner)) = self.behind(id, &column.name) else { return Place::Unknown };
        let columns = relation.columns.iter().flat_map(|columns| columns.iter());
        let spelt =
            columns.filter(|known| known.name == column.name).find_map(|known| known.spelling.clone());
        let (alias, name) = (relation.alias.clone(), spelt.unwrap_or_else(|| column.name.clone()));
        let is_merged = self.query.block(block).is_merged;
        match (inner, is_merged) {
            (Some(Expr::Column(inner)), true) if self.is_of_table(inner, 0) => {
                Place::Merged { alias, column: name }
            }
            (_, true) => Place::Held { of: alias, column: name },
            (Some(Expr::Column(inner)), false) => match self.table_behind(inner, 0) {
                Some(table) => Place::Held { of: table, column: name },
                None => Place::Expression,
            },
            (_, false) => Place::Expression,
        }
    }

    /// The query behind a relation, and what a column is in it; `None` of a set operation.
    fn behind(&self, id: RelationId, name: &str) -> Option<(BlockId, Option<&Expr>)> {
        let relation = self.query.relation(id);
        let (Source::View(_, block) | Source::Cte(block) | Source::Derived(block)) = &relation.source else {
            return None;
        };
        let columns = relation.columns.as_ref()?;
        let at = columns.iter().position(|known| known.name == name)?;
        let inner = self.query.block(*block);
        let output = inner.outputs.as_ref()?.get(at)?;
        Some((*block, Some(&output.expr).filter(|_| matches!(inner.body, Body::Select(_)))))
    }

    /// Whether a column is that of a table, by queries that are merged.
    fn is_of_table(&self, column: &ColumnRef, depth: usize) -> bool {
        let Some(id) = column.relation.filter(|_| depth < MAX_VIEW_DEPTH) else { return false };
        if matches!(self.query.relation(id).source, Source::Table(_)) {
            return true;
        }
        match self.behind(id, &column.name) {
            Some((block, Some(Expr::Column(inner)))) => {
                self.query.block(block).is_merged && self.is_of_table(inner, depth + 1)
            }
            _ => false,
        }
    }

    /// The table that a column is read from in the end; `None` of a computed one.
    fn table_behind(&self, column: &ColumnRef, depth: usize) -> Option<String> {
        let id = column.relation.filter(|_| depth < MAX_VIEW_DEPTH)?;
        if let Source::Table(name) = &self.query.relation(id).source {
            return Some(self.schema.shown(name).to_owned());
        }
        match self.behind(id, &column.name)? {
            (_, Some(Expr::Column(inner))) => self.table_behind(inner, depth + 1),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::wires;
    use super::{Place, Server};
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};

    /// As MariaDB 10.11 tells sqlx.
    #[test]
    fn columns_of_queries_are_named_as_the_server_does() {
        let mut replay = Replay::new(Dialect::MySql);
        replay.apply(
            "CREATE TABLE users (id int PRIMARY KEY, email varchar(9) NOT NULL);
             CREATE TABLE orders (id int PRIMARY KEY, user_id int NOT NULL);
             CREATE VIEW paid AS SELECT id, user_id FROM orders WHERE user_id > 1;
             CREATE VIEW sums AS SELECT user_id, count(*) AS n FROM orders GROUP BY user_id;",
            "",
        );
        for (sql, expect) in [
            ("SELECT u.id FROM users u", "users.id"),
            ("SELECT x.id FROM (SELECT id FROM users) x", "merged x.id"),
            ("WITH x AS (SELECT id AS y FROM users) SELECT y FROM x", "merged x.y"),
            ("SELECT p.id FROM paid p", "merged p.id"),
            ("SELECT x.id FROM (SELECT * FROM paid) x", "merged x.id"),
            (
                "SELECT z.q FROM (SELECT x.y AS q FROM (SELECT DISTINCT id AS y FROM users) x LIMIT 3) z",
                "held users.q",
            ),
            ("SELECT x.id FROM (SELECT id FROM paid LIMIT 2) x", "held orders.id"),
            ("SELECT user_id FROM sums", "held orders.user_id"),
            ("SELECT n FROM sums", "computed"),
            ("SELECT x.user_id FROM (SELECT user_id FROM sums WHERE n > 2) x", "held x.user_id"),
            ("SELECT x.b FROM (SELECT id + 1 AS b FROM users) x", "held x.b"),
            ("SELECT x.id FROM (SELECT id FROM users UNION SELECT id FROM orders) x", "computed"),
            ("SELECT id FROM users UNION SELECT id FROM orders", "computed"),
            ("SELECT (SELECT id FROM users LIMIT 1)", "computed"),
        ] {
            let query = resolve(sql, Dialect::MySql, Some(&replay.schema)).expect("it parses");
            let found = wires(&query, &replay.schema, Some(Server::MariaDb)).into_iter().next();
            let shown = match found.map(|(_, _, place)| place) {
                Some(Place::Table { table, column }) => format!("{table}.{column}"),
                Some(Place::Merged { alias, column }) => format!("merged {alias}.{column}"),
                Some(Place::Held { of, column }) => format!("held {of}.{column}"),
                Some(Place::Expression) => "computed".to_owned(),
                Some(Place::Unknown) | None => "unknown".to_owned(),
            };
            assert_eq!(shown, expect, "{sql}");
        }
    }
}
