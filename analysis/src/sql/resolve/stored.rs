//! What a name in FROM stands for: a table or view of the schema, or what every database has.

use std::sync::Arc;

use super::Resolver;
use crate::schema::{Name, Schema, View, columns};
use crate::sql::dialect::Dialect;
use crate::sql::query::{ProblemKind, RelationColumn, Source};
use crate::sql::text::most_similar;

/// The table in which sqlx records applied migrations; no migration creates it.
const MIGRATIONS_COLUMNS: [&str; 6] =
    ["version", "description", "installed_on", "success", "checksum", "execution_time"];

impl<'a> Resolver<'a> {
    /// Looks up a name in the schema.
    pub(super) fn stored(
        &mut self,
        schema: Option<&str>,
        name: &str,
        span: Option<crate::sql::Span>,
    ) -> (Source, Option<Arc<[RelationColumn]>>) {
        let full = Name::qualified(schema, name);
        let Some(known) = self.schema else { return (Source::Table(full), None) };
        if schema.is_none() && !self.path.is_empty() {
            let has =
                |of: &&String| known.table(Some(of), name).is_some() || known.view(Some(of), name).is_some();
            if let Some(of) = self.path.iter().find(has) {
                return self.stored(Some(of), name, span);
            }
        }
        if let Some(table) = known.table(schema, name) {
            return (Source::Table(table.name.clone()), Some(columns::of_table(known, table)));
        }
        if let Some(view) = known.view(schema, name) {
            return self.stored_view(view);
        }
        if name == "_sqlx_migrations" {
            return (Source::System(full), Some(named_columns(&MIGRATIONS_COLUMNS)));
        }
        if known.opaque(schema, name).is_some() || self.is_of_another_database(schema, known) {
            return (Source::Table(full), None);
        }
        if self.is_system_table(schema, name) {
            let of = schema.or((self.dialect == Dialect::Postgres).then_some("pg_catalog"));
            return (Source::System(Name::qualified(of, name)), None);
        }
        if self.dialect == Dialect::MySql && schema.is_none() && is_series(name) {
            return (Source::System(full), Some(named_columns(&["seq"])));
        }
        if self.dialect == Dialect::MySql && known.sequences.contains_key(&full) {
            return (Source::System(full), Some(named_columns(&columns::OF_SEQUENCE)));
        }
        if self.dialect == Dialect::Postgres && known.has_sequence(schema, name) {
            let columns = Some(named_columns(&["last_value", "log_cnt", "is_called"]));
            return (Source::System(full.clone()), columns);
        }
        let names = || known.tables.keys().chain(known.views.keys());
        // The connection, the role or the database may set a search path, for the query and for what made the table.
        if self.dialect == Dialect::Postgres {
            let mut others = names().filter(|other| other.name == name).map(|other| other.schema.as_deref());
            match (schema, others.next(), others.next()) {
                (None, Some(Some(only)), None) => return self.stored(Some(only), name, span),
                (None, Some(_), _) => return (Source::Table(full), None),
                (Some(_), _, _) if known.tables.contains_key(&Name::qualified(None, name)) => {
                    return (Source::Table(full), None);
                }
                _ => {}
            }
        }
        let similar = most_similar(name, names().map(|name| name.name.as_str()));
        self.problem(ProblemKind::UnknownTable { name: full.to_string(), similar }, span);
        (Source::Table(full), None)
    }

    fn stored_view(&mut self, view: &'a View) -> (Source, Option<Arc<[RelationColumn]>>) {
        let declared = view.columns.as_deref().map(columns::declared);
        if view.materialized {
            // Its rows are stored, so the tables behind it are not read.
            let columns = declared.or_else(|| {
                let (blocks, relations) = (self.blocks.len(), self.relations.len());
                let unchecked = self.unchecked;
                let block = self.expand_view(view, self.block_of_scope())?;
                let columns = self.block_columns(block);
                self.blocks.truncate(blocks);
                self.relations.truncate(relations);
                self.unchecked = unchecked;
                columns
            });
            return (Source::Table(view.name.clone()), columns);
        }
        match self.expand_view(view, self.block_of_scope()) {
            Some(block) => {
                let columns = declared.or_else(|| self.block_columns(block));
                (Source::View(view.name.clone(), block), columns)
            }
            None => {
                if self.is_beyond_expanding() {
                    self.unchecked =
                        self.unchecked.or(Some("views on views on more of them than are followed"));
                }
                (Source::Table(view.name.clone()), declared)
            }
        }
    }

    /// Whether a qualifier names a database that no migration mentions, or a schema whose tables others make.
    fn is_of_another_database(&self, schema: Option<&str>, known: &Schema) -> bool {
        let names = known.tables.keys().chain(known.views.keys());
        let schemas = || names.clone().filter_map(|name| name.schema.as_deref());
        let is_own = |of: &str| match self.dialect {
            Dialect::Postgres => of == "public" || of == "information_schema" || of.starts_with("pg_"),
            Dialect::MySql | Dialect::Sqlite => of == "main",
        };
        let is_near = |of| self.dialect == Dialect::Postgres && most_similar(of, schemas()).is_some();
        schema.is_some_and(|of| !is_own(of) && !schemas().any(|it| it == of) && !is_near(of))
    }

    /// Whether every database has this table.
    fn is_system_table(&self, schema: Option<&str>, name: &str) -> bool {
        if matches!(
            schema,
            Some("pg_catalog" | "information_schema" | "mysql" | "sys" | "performance_schema" | "temp")
        ) {
            return true;
        }
        match self.dialect {
            Dialect::Postgres => name.starts_with("pg_"),
            Dialect::Sqlite => name.starts_with("sqlite_") || name.starts_with("pragma_"),
            Dialect::MySql => name == "dual",
        }
    }
}

/// MariaDB: whether a name is that of a table which its sequence engine makes: `seq_1_to_10_step_3`.
fn is_series(name: &str) -> bool {
    let Some(numbers) = name.strip_prefix("seq_") else { return false };
    let (first, rest) = numbers.split_once("_to_").unwrap_or_default();
    let (last, step) = rest.split_once("_step_").unwrap_or((rest, "1"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    [first, last, step].into_iter().all(is_number)
}

/// Columns known only by name.
fn named_columns(names: &[&str]) -> Arc<[RelationColumn]> {
    names.iter().map(|&name| RelationColumn::new(name.to_owned(), String::new())).collect()
}
