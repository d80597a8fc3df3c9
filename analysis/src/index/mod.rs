//! How a planner reads each table of a query: by an index, in full because the query asks for all of it, or
//! row by row because no index matches.
//!
//! The verdict is per access, not per column. `problem` collects the joined tables and the conditions on
//! them, pulling up subqueries as the planner does; `simplified` normalises conditions; `derived` adds
//! implied ones; `condition` extracts those that an index can be searched by; `serve` says which indexes
//! match; `searches` says how each is used with the rows available so far; `order` finds the join order from
//! the row counts of `estimate`; `item` is a table with its conditions and matching indexes; `joins` reaches the verdicts.
//!
//! If no index matches, `wanted` describes one that would, `merge` combines several into one index, `advice`
//! finds a small set for all queries, and `migration` writes it. `sort` checks the order of first rows,
//! `audit` the existing indexes.

mod advice;
#[cfg(test)]
mod advice_tests;
mod affinity;
pub(crate) mod audit;
mod blocks;
mod catalog;
mod compared;
mod condition;
mod ctes;
mod derived;
mod estimate;
mod few_values;
pub(crate) mod foreign_keys;
mod heirs;
mod hindrance;
mod hints;
mod item;
mod joins;
#[cfg(test)]
mod kinds_tests;
mod merge;
mod migration;
mod name_values;
mod new_index;
mod operator_classes;
mod operators;
mod order;
mod pattern;
mod plain_order;
mod planned;
mod printed;
mod problem;
mod pruned;
mod push_down;
mod reason;
mod relations;
mod renamed;
mod search_functions;
mod searches;
mod serve;
mod settled;
mod simplified;
mod sort;
#[cfg(test)]
mod sort_tests;
#[cfg(test)]
mod tests;
mod text_casts;
mod times;
mod types_of_values;
mod value_types;
mod wanted;
mod writes;

pub use advice::{Advice, Queried, advise};
pub(crate) use audit::{is_missed, replaced_by};
pub(crate) use few_values::has_few_values;
pub use hindrance::Hindrance;
pub use migration::{Reversible, steps};
pub use new_index::NewIndex;
pub use sort::{Sort, unindexed as unindexed_sorts};
pub use wanted::Wanted;
pub(crate) use writes::written_tables;

use crate::schema::{Name, Schema};
use crate::sql::expr::Expr;
use crate::sql::query::{BlockId, Query, RelationId, Role, Source};
use crate::sql::{Dialect, Span};

/// How one table of a query is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Access {
    /// The relation in the query.
    pub relation: RelationId,
    /// The table behind the relation.
    pub table: Name,
    /// Its alias in the query.
    pub alias: String,
    /// How it is read.
    pub verdict: Verdict,
    /// The index it is searched by.
    pub index: Option<String>,
    /// The estimated part of the table's rows that the index selects, from 0 to 1; 1 without an index.
    pub kept: f64,
    /// Whether any of its filters could be searched for in some index; `<>` and `NOT IN` alone could not.
    pub is_searchable: bool,
    /// Why no index can serve one of its conditions; only for an unserved access.
    pub hindrance: Option<Hindrance>,
    /// The columns in its filters and join conditions.
    pub columns: Vec<String>,
    /// The reason, as a sentence without a full stop.
    pub why: String,
    /// The indexes that would serve it: one, or one for each arm of a disjunction. Only for an unserved
    /// access that an index can serve.
    pub wanted: Vec<Wanted>,
    /// The position of the condition that no index serves.
    pub span: Option<Span>,
}

impl Access {
    /// Makes it unknown, for a reason as a sentence without a full stop.
    fn doubt(&mut self, why: String) {
        self.why = why;
        self.verdict = Verdict::Unknown;
        self.wanted.clear();
        self.hindrance = None;
    }
}

/// How a table is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// An index is searched, or a partial index that the query implies is scanned.
    Served,
    /// Its rows are filtered one by one.
    Unserved,
    /// The query asks for all of it.
    Full,
    /// Undetermined: the table's definition is unknown, or whether an extension's index applies.
    Unknown,
}

impl Verdict {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Served => "served",
            Verdict::Unserved => "unserved",
            Verdict::Full => "full",
            Verdict::Unknown => "unknown",
        }
    }
}

/// The maximum number of relations for which a join order is computed: the time grows with their cube, and
/// planners stop looking for the best order much earlier.
const MOST_RELATIONS: usize = 40;

/// The maximum number of references to a CTE that are looked at.
const MOST_REFERENCES: usize = 4;

/// The maximum number of indexes examined per table.
pub(crate) const MOST_INDEXES: usize = 400;

/// How each table of `query` is read, in the order in which the query names them.
pub fn accesses(query: &Query, schema: &Schema) -> Vec<Access> {
    let mut accesses = Vec::new();
    if query.relations.len() > MOST_RELATIONS {
        let tables = query.relation_ids().filter(|(_, relation)| matches!(relation.source, Source::Table(_)));
        let why = format!("a query of more than {MOST_RELATIONS} tables is not planned");
        return tables.map(|(id, _)| Access { why: why.clone(), ..unknown(query, id) }).collect();
    }
    let crowded = query.relations.iter().find_map(|relation| match &relation.source {
        Source::Table(name) => schema.stored(name).filter(|table| table.indexes.len() > MOST_INDEXES),
        _ => None,
    });
    if let Some(table) = crowded {
        let tables = query.relation_ids().filter(|(_, relation)| matches!(relation.source, Source::Table(_)));
        let why = format!("`{}` has more than {MOST_INDEXES} indexes, which are not looked at", table.name);
        return tables.map(|(id, _)| Access { why: why.clone(), ..unknown(query, id) }).collect();
    }
    accesses.extend(planned_accesses(query, schema));
    doubt(query, schema, &mut accesses);
    for (id, relation) in query.relation_ids() {
        // How a table missing from the schema is read is unknown, as is what a write to it touches.
        let Source::Table(name) = &relation.source else { continue };
        let module = match schema.stored(name) {
            Some(table) if table.module.is_none() => continue,
            Some(table) => table.module.as_deref(),
            None => None,
        };
        if !accesses.iter().any(|access| access.relation == id) {
            let why = module.map(|module| match schema.dialect {
                Dialect::Postgres => format!("`{name}` is a foreign table of the server `{module}`"),
                Dialect::MySql | Dialect::Sqlite => format!("`{name}` is a virtual table of {module}"),
            });
            let access = unknown(query, id);
            accesses.push(Access { why: why.unwrap_or_else(|| access.why.clone()), ..access });
        }
    }
    for access in accesses.iter_mut().filter(|access| access.verdict == Verdict::Unserved) {
        let any = schema.loose_indexes.contains("");
        let column = access.columns.iter().find(|column| any || schema.loose_indexes.contains(*column));
        if let Some(column) = column {
            access.doubt(format!("an index on `{column}` is made of tables that a statement looks up"));
        }
    }
    if let Some(column) = unplaced(query, schema) {
        let open = |access: &&mut Access| matches!(access.verdict, Verdict::Unserved | Verdict::Full);
        for access in accesses.iter_mut().filter(open) {
            access.doubt(format!(
                "`{column}` may be a column of it: a statement adds it to tables that it looks up"
            ));
        }
    }
    accesses.sort_by_key(|access| access.relation);
    accesses
}

/// How each table is read. A table of a CTE that is planned anew for each reference is as it is for the worst of them.
fn planned_accesses(query: &Query, schema: &Schema) -> Vec<Access> {
    let solved = |turn: usize| {
        let problems = problem::collect(query, schema, turn);
        problems.iter().flat_map(|problem| joins::solve(query, schema, problem)).collect::<Vec<Access>>()
    };
    let mut accesses = solved(0);
    let ctes = query.block_ids().filter(|(_, block)| matches!(block.role, Role::Cte { .. }));
    let several: Vec<(BlockId, usize)> =
        ctes.map(|(id, _)| (id, ctes::references(query, id).len())).filter(|(_, many)| *many > 1).collect();
    let turns = several.iter().map(|(_, many)| *many).max().unwrap_or(1).min(MOST_REFERENCES);
    for turn in 1..turns {
        for access in solved(turn) {
            let block = query.relation(access.relation).block;
            let is_shared = several.iter().any(|(cte, _)| query.is_within(block, *cte));
            let known = accesses.iter_mut().find(|known| known.relation == access.relation);
            if let Some(known) = known.filter(|known| {
                is_shared && known.verdict == Verdict::Served && access.verdict == Verdict::Unserved
            }) {
                *known = access;
            }
        }
    }
    accesses
}

/// Makes unknown what is served by an index that may be dropped, and by no other.
fn doubt(query: &Query, schema: &Schema, accesses: &mut [Access]) {
    let is_doubtful = |access: &Access, index: &str| {
        let mut indexes = schema.stored(&access.table).into_iter().flat_map(|table| &table.indexes);
        indexes.any(|it| it.doubtful && it.name == index)
    };
    let doubted = |access: &Access| access.index.as_deref().is_some_and(|index| is_doubtful(access, index));
    if !accesses.iter().any(doubted) {
        return;
    }
    let certain = schema.without_doubtful();
    let sure = planned_accesses(query, certain);
    for access in accesses.iter_mut().filter(|access| doubted(access)) {
        let same = sure.iter().find(|it| it.relation == access.relation);
        match same.filter(|it| it.verdict == access.verdict) {
            Some(same) => *access = same.clone(),
            None => {
                let index = access.index.take().unwrap_or_default();
                access.doubt(format!("a statement that looks up what it drops may drop the index `{index}`"));
            }
        }
    }
}

/// A column in the conditions of a query that several of its tables may have.
fn unplaced(query: &Query, schema: &Schema) -> Option<String> {
    if schema.loose_columns.is_empty() {
        return None;
    }
    let conditions = query.blocks.iter().flat_map(|block| block.conditions());
    let mut columns = conditions.flat_map(Expr::columns);
    columns
        .find(|column| column.relation.is_none() && schema.may_be_added(&column.name))
        .map(|column| column.name.clone())
}

fn unknown(query: &Query, id: RelationId) -> Access {
    let relation = query.relation(id);
    let table = match &relation.source {
        Source::Table(name) | Source::System(name) | Source::View(name, _) => name.clone(),
        _ => Name::new(relation.alias.clone()),
    };
    Access {
        relation: id,
        table,
        alias: relation.alias.clone(),
        verdict: Verdict::Unknown,
        index: None,
        kept: 1.0,
        is_searchable: false,
        hindrance: None,
        columns: Vec::new(),
        why: "the table is not in the schema".to_owned(),
        wanted: Vec::new(),
        span: relation.span,
    }
}
