//! How a planner reads each table of a query: by an index, in full because the query asks for all of it, or row by row
//! because no index leads to what is wanted.
//!
//! The verdict is per access, not per column. `problem` collects the tables that are joined and the conditions on
//! them, as the planner pulls subqueries up, `simplified` as it writes them
//! anew, and `derived` adds what follows from them; `condition` says which of them an index can be searched by; `serve`
//! says by which indexes, `searches` how each is used with some rows at hand; `order` finds the order of the joins by
//! what `estimate` expects of them; `joins` draws the verdicts.
//!
//! Where no index leads, `wanted` says what one has to offer, `merge` makes one index for several accesses, and `advice`
//! finds the smallest set for all queries, `migration` makes it. `sort` looks at the order of first rows, `audit` at the indexes that are there.

mod advice;
#[cfg(test)]
mod advice_tests;
pub(crate) mod audit;
mod catalog;
mod compared;
mod condition;
mod derived;
mod estimate;
mod few_values;
pub(crate) mod foreign_keys;
mod heirs;
mod hindrance;
mod joins;
#[cfg(test)]
mod kinds_tests;
mod merge;
mod migration;
mod new_index;
mod order;
mod planned;
mod printed;
mod problem;
mod push_down;
mod relations;
mod renamed;
mod search_functions;
mod searches;
mod serve;
mod settled;
mod simplified;
mod sort;
#[cfg(test)]
mod tests;
mod text_casts;
mod value_types;
mod wanted;
mod writes;

pub use advice::{Advice, Queried, advise};
pub(crate) use audit::{is_missed, replaced_by};
pub use hindrance::Hindrance;
pub use migration::{Step, steps};
pub use new_index::NewIndex;
pub use sort::{Sort, unindexed as unindexed_sorts};
pub use wanted::Wanted;

use crate::schema::{Name, Schema};
use crate::sql::Span;
use crate::sql::query::{Query, RelationId, Source};

/// How one table of a query is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Access {
    /// The relation in the query.
    pub relation: RelationId,
    /// The table.
    pub table: Name,
    /// The name it goes by in the query.
    pub alias: String,
    /// How it is read.
    pub verdict: Verdict,
    /// The index it is searched by.
    pub index: Option<String>,
    /// The part of the table's rows that the index leads to, as a planner estimates it; 1 where there is none.
    pub kept: f64,
    /// Whether something it is filtered by could be searched for in some index: not `<>` or `NOT IN` alone.
    pub is_searchable: bool,
    /// What keeps every index from serving one of its conditions; only for an unserved access.
    pub hindrance: Option<Hindrance>,
    /// The columns it is filtered or joined by.
    pub columns: Vec<String>,
    /// Why, as a sentence without a full stop.
    pub why: String,
    /// What would serve it, one index or one for each arm of a disjunction; only for an unserved access, and only where
    /// an index can.
    pub wanted: Vec<Wanted>,
    /// Where the condition stands that no index serves.
    pub span: Option<Span>,
}

/// How a table is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// An index is searched, or a partial index that the query implies is walked.
    Served,
    /// Its rows are filtered one by one.
    Unserved,
    /// The query asks for all of it.
    Full,
    /// Nothing can be said: the table's shape is not known, or what an index of an extension serves.
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

/// The most relations that are put in an order of joins: the time it takes grows with their cube, and planners stop
/// looking for the best order much earlier.
const MOST_RELATIONS: usize = 40;

/// The most indexes of one table that are looked at.
pub(crate) const MOST_INDEXES: usize = 400;

/// How each table of `query` is read, in the order in which they are named.
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
    for problem in problem::collect(query, schema) {
        accesses.extend(joins::solve(query, schema, &problem));
    }
    for (id, relation) in query.relation_ids() {
        // How a table is read that the schema lacks is not known, and neither is what a write of it touches.
        let Source::Table(name) = &relation.source else { continue };
        let module = match schema.stored(name) {
            Some(table) if table.module.is_none() => continue,
            Some(table) => table.module.as_deref(),
            None => None,
        };
        if !accesses.iter().any(|access| access.relation == id) {
            let why = module.map(|module| format!("`{name}` is a virtual table of {module}"));
            let access = unknown(query, id);
            accesses.push(Access { why: why.unwrap_or_else(|| access.why.clone()), ..access });
        }
    }
    for access in accesses.iter_mut().filter(|access| access.verdict == Verdict::Unserved) {
        let column = access.columns.iter().find(|column| schema.loose_indexes.contains(*column));
        if let Some(column) = column {
            access.why = format!("an index on `{column}` is made of tables that a statement looks up");
            access.verdict = Verdict::Unknown;
            access.wanted.clear();
            access.hindrance = None;
        }
    }
    accesses.sort_by_key(|access| access.relation);
    accesses
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
