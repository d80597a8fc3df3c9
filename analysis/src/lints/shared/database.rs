//! Shared by the lints on a database as a whole: its schema, all queries on it, and SQL to paste.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::growth::Growth;
use crate::config::Config;
use crate::finding::{Finding, Place};
use crate::index::{Access, Queried, Verdict, foreign_keys, written_tables};
use crate::schema::{ForeignKey, Index, KeyPart, Name, Schema, Table, snapshot};
use crate::sql::Query;
use crate::sql::expr::{Expr, Op};
use crate::sql::query::{RelationId, Source};

/// The input of a lint on a database.
pub struct SchemaContext<'a> {
    /// The schema of the whole database.
    pub schema: &'a Schema,
    /// All parsed queries of the workspace that run on it.
    pub queries: &'a [Queried<'a>],
    /// The user's configuration.
    pub config: &'a Config,
    /// The place where a table, an index or a foreign key is created.
    pub place_of: &'a dyn Fn(&Made<'_>) -> Place,
    /// The tables that get rows while the workspace runs; `None` if the workspace is unknown.
    pub growth: Option<&'a Growth>,
    /// Whether a query writes anything.
    writes: OnceCell<bool>,
    /// The accesses that read all of a table, each with the position of its query: every foreign key asks for those of its
    /// table.
    reading_all: OnceCell<HashMap<&'a Name, Vec<(usize, &'a Access)>>>,
}

/// An object that the migrations create.
#[derive(Debug, Clone, Copy)]
pub struct Made<'m> {
    /// The name of the table or index.
    pub name: &'m str,
    /// The foreign key, if it is meant rather than the table.
    pub key: Option<&'m ForeignKey>,
}

impl<'a> SchemaContext<'a> {
    /// A database with the queries that run on it.
    pub(crate) fn new(
        schema: &'a Schema,
        queries: &'a [Queried<'a>],
        config: &'a Config,
        place_of: &'a dyn Fn(&Made<'_>) -> Place,
    ) -> SchemaContext<'a> {
        let (writes, reading_all) = (OnceCell::new(), OnceCell::new());
        SchemaContext { schema, queries, config, place_of, growth: None, writes, reading_all }
    }

    /// The context with what is known about which tables get rows; `None` leaves that unknown.
    pub(crate) fn with_growth(self, growth: Option<&'a Growth>) -> SchemaContext<'a> {
        SchemaContext { growth, ..self }
    }

    /// Whether a table does not grow while the workspace runs, as far as is known.
    pub(in crate::lints) fn stays(&self, table: &Name) -> bool {
        self.growth.is_some_and(|growth| growth.stays(table))
    }

    /// Whether the workspace writes, and no query of it to a table, as far as all texts are known.
    pub(in crate::lints) fn is_never_written(&self, table: &Name) -> bool {
        let writes = |queried: &Queried<'_>| written_tables(queried.query).any(|written| written == table);
        self.sees_writes()
            && self.growth.is_some_and(|growth| growth.is_whole && growth.is_never_grown(table))
            && !self.queries.iter().any(writes)
    }

    /// Whether a query of the workspace adds rows to a table.
    pub(in crate::lints) fn grows(&self, table: &Name) -> bool {
        self.growth.is_some_and(|growth| !growth.is_never_grown(table))
    }

    /// Whether no query of a workspace that writes names a table, as far as all texts are known.
    pub(in crate::lints) fn is_never_named(&self, table: &Name) -> bool {
        let names = |queried: &Queried<'_>| {
            let mut sources = queried.query.relations.iter().map(|relation| &relation.source);
            sources.any(|source| matches!(source, Source::Table(name) if name == table))
        };
        self.is_never_written(table) && !self.queries.iter().any(names)
    }

    /// Whether the workspace is seen to write anything.
    pub(in crate::lints) fn sees_writes(&self) -> bool {
        let writes = || self.queries.iter().any(|queried| written_tables(queried.query).next().is_some());
        *self.writes.get_or_init(writes)
    }

    /// The number of queries that read all of a table, and would search an index on one of these columns.
    pub(in crate::lints) fn comparing(&self, table: &Name, columns: &[String]) -> usize {
        let is_searched = |queried: &Queried<'_>, access: &Access| match access.verdict {
            Verdict::Unserved => {
                access.wanted.iter().any(|wanted| wanted.compares(columns, self.schema.dialect))
            }
            // The rows of another table that a filter leaves lead to those of this one.
            Verdict::Full => {
                access.columns.iter().any(|column| columns.contains(column))
                    && has_filter_of_others(queried.query, access.relation)
            }
            Verdict::Served | Verdict::Unknown => false,
        };
        let accesses = self.reading_all.get_or_init(|| self.accesses_of_all()).get(table);
        let accesses = accesses
            .into_iter()
            .flatten()
            .filter(|(at, access)| self.queries.get(*at).is_some_and(|queried| is_searched(queried, access)));
        let mut queries: Vec<usize> = accesses.map(|(at, _)| *at).collect();
        queries.dedup();
        queries.len()
    }

    /// The accesses that read all of a table or search it without an index, by the table, each with the number of its query.
    fn accesses_of_all(&self) -> HashMap<&'a Name, Vec<(usize, &'a Access)>> {
        let mut all: HashMap<&Name, Vec<(usize, &Access)>> = HashMap::new();
        for (at, queried) in self.queries.iter().enumerate() {
            let reads_all = |access: &&Access| matches!(access.verdict, Verdict::Full | Verdict::Unserved);
            for access in queried.accesses.iter().filter(reads_all) {
                all.entry(&access.table).or_default().push((at, access));
            }
        }
        all
    }

    /// Whether the rows of a table are accounts, and every query that deletes some deletes one by its key, outside of loops.
    /// Tables that the workspace is not seen to fill are shared with other programs, which may delete more.
    pub(in crate::lints) fn deletes_accounts_alone(&self, table: &Name, child: &Name) -> bool {
        if self.growth.is_some_and(|growth| growth.is_never_grown(child)) {
            return false;
        }
        let last = table.name.rsplit('_').next().unwrap_or_default().to_ascii_lowercase();
        let is_account = matches!(last.as_str(), "user" | "users" | "account" | "accounts");
        let Some(stored) = self.schema.stored(table).filter(|_| is_account) else { return false };
        let cascades = |key: &ForeignKey| key.on_delete.as_deref() == Some("CASCADE");
        let deletes = self.queries.iter().filter(|queried| foreign_keys::deletes_from(queried.query, table));
        let mut deletes = deletes.peekable();
        deletes.peek().is_some()
            && !stored.foreign_keys.iter().any(cascades)
            && deletes.all(|queried| !queried.repeats && is_by_key(queried.query, stored))
    }

    /// The tables with indexes of their own: a partition has those of its parent.
    pub(in crate::lints) fn own_tables(&self) -> impl Iterator<Item = &'a Table> {
        self.schema.tables.values().filter(|table| table.partition_bound.is_none())
    }

    /// Whether the configuration or the snapshot marks a table as small.
    pub(in crate::lints) fn is_small(&self, table: &Name) -> bool {
        crate::lints::is_small(self.config, Some(self.schema), table)
    }

    /// What the queries do to rows that others may refer to.
    pub(in crate::lints) fn changes(&self) -> foreign_keys::Changes<'a> {
        foreign_keys::Changes::by(self.schema, self.queries.iter().map(|queried| queried.query))
    }

    /// The statement that drops an index.
    pub(in crate::lints) fn drop_index(&self, table: &Table, index: &Index) -> String {
        snapshot::drop_index(self.schema.dialect, &table.name, &index.name, "")
    }

    /// A finding at the statement that creates an index.
    pub(in crate::lints) fn about_index(
        &self,
        mut finding: Finding,
        table: &Table,
        index: &Index,
        label: &str,
    ) -> Finding {
        let keys: Vec<&str> = index
            .keys
            .iter()
            .map(|key| match &key.part {
                KeyPart::Column(text) | KeyPart::Expression(text) => text.as_str(),
            })
            .collect();
        let predicate = index.predicate.as_ref().map_or_else(String::new, |text| format!(" WHERE {text}"));
        let unique = if index.unique { "UNIQUE " } else { "" };
        let using = if index.method == "btree" { String::new() } else { format!(" USING {}", index.method) };
        let sql = format!(
            "CREATE {unique}INDEX {} ON {}{using} ({}){predicate}",
            index.name,
            table.name,
            keys.join(", ")
        );
        let name = sql.find(&index.name).unwrap_or(0);
        finding.place = (self.place_of)(&Made { name: &index.name, key: None });
        finding.excerpt(sql, name..name + index.name.len(), label)
    }

    /// A finding at the place where a foreign key is created.
    pub(in crate::lints) fn about_key(
        &self,
        mut finding: Finding,
        table: &Table,
        key: &ForeignKey,
    ) -> Finding {
        finding.place = (self.place_of)(&Made { name: &table.name.name, key: Some(key) });
        finding
    }
}

/// Whether a condition filters the rows of a relation other than this one by themselves.
fn has_filter_of_others(query: &Query, relation: RelationId) -> bool {
    let conditions = query.blocks.iter().flat_map(|block| block.conditions());
    conditions.into_iter().any(|condition| {
        let mut relations = condition.columns().into_iter().map(|column| column.relation);
        relations
            .next()
            .flatten()
            .is_some_and(|first| first != relation && relations.all(|it| it == Some(first)))
    })
}

/// Whether a query compares each column of a table's key with a value.
fn is_by_key(query: &Query, table: &Table) -> bool {
    let conditions: Vec<&Expr> = query.blocks.iter().flat_map(|block| block.conditions()).collect();
    let is_set = |key: &String| {
        let is_it = |side: &Expr| side.as_column().is_some_and(|column| column.name == *key);
        conditions.iter().any(|condition| match condition {
            Expr::Binary { op: Op::Eq, left, right } => {
                is_it(left) && right.is_constant() || is_it(right) && left.is_constant()
            }
            _ => false,
        })
    };
    !table.primary_key.is_empty() && table.primary_key.iter().all(is_set)
}
