//! Shared by the lints on the wording of a query: its tables, what is known about them, and SQL to paste.

use crate::index::{Access, Verdict, Wanted};
use crate::lints::QueryContext;
use crate::rust::Form;
use crate::schema::{Name, Schema, Table};
use crate::sql::Dialect;
use crate::sql::expr::{Expr, Op};
use crate::sql::predicates;
use crate::sql::query::{Block, Body, From, ProblemKind, Query, RelationId, Source};
use crate::types::{self, Described, Planned};

impl<'a> QueryContext<'a> {
    /// The types of its columns and parameters. Which columns can be NULL is asked by `sql!` alone, and depends on a plan that
    /// costs as much as all types.
    pub(in crate::lints) fn types(&self, query: &Query, schema: &Schema) -> &'a Described {
        let is_typed = self.site.is_some_and(|site| site.form == Form::Checked);
        let planned = if is_typed { Planned::ForAny } else { Planned::Never };
        self.described.get_or_init(|| types::describe_planned(query, schema, self.dialect, planned))
    }

    /// The table behind a relation, if the schema knows it.
    pub(in crate::lints) fn table(&self, query: &Query, relation: RelationId) -> Option<&'a Table> {
        let Source::Table(name) = &query.relation(relation).source else { return None };
        self.schema?.stored(name)
    }

    /// The access that reads every row of `relation` only to filter them, unless its table is small.
    pub(in crate::lints) fn unserved(&self, relation: RelationId) -> Option<&'a Access> {
        let mut accesses = self.accesses.iter();
        let access = accesses.find(|access| access.relation == relation)?;
        (access.verdict == Verdict::Unserved && !self.is_small(&access.table)).then_some(access)
    }

    /// Whether an index on a column that is compared with values of the query is what a table lacks, however its other
    /// conditions are written: `unindexed_filter` reports that.
    pub(in crate::lints) fn lacks_index_of_value(&self, relation: RelationId) -> bool {
        self.unserved(relation).is_some_and(|access| {
            !access.wanted.is_empty() && access.wanted.iter().all(Wanted::is_by_given_value)
        })
    }

    /// Whether a table is filtered by a value of a foreign key: its rows are those of one parent. One of few parents, as a
    /// status, has a good part of the rows.
    pub(in crate::lints) fn is_of_one_parent(&self, query: &Query, relation: RelationId) -> bool {
        let Some(table) = self.table(query, relation) else { return false };
        let are_few = |parents: &Name| self.is_small(parents) || self.stays(parents);
        let is_key = |name: &str| {
            let mut keys = table.foreign_keys.iter();
            keys.any(|key| key.columns.first().is_some_and(|it| it == name) && !are_few(&key.table))
        };
        // Those of a subquery about its rows do not bound them.
        let reads = |block: &&Block| block.from().iter().any(|item| item.relations().contains(&relation));
        query.blocks.iter().filter(reads).flat_map(|block| block.filters()).any(|filter| match filter {
            Expr::Binary { op: Op::Eq, left, right } => {
                let column = left.as_column().filter(|column| column.relation == Some(relation));
                column.is_some_and(|column| is_key(&column.name) && right.is_constant())
            }
            _ => false,
        })
    }

    /// Whether any table is read row by row, so that the reason matters.
    pub(in crate::lints) fn any_unserved(&self) -> bool {
        self.accesses.iter().any(|access| access.verdict == Verdict::Unserved)
    }

    /// Whether conditions filter the rows and no schema tells which of them select a single one.
    pub(in crate::lints) fn keys_are_unknown(&self, query: &Query) -> bool {
        let Some(schema) = self.schema else {
            return query.blocks.iter().any(|block| !block.filters().is_empty());
        };
        let has_doubtful = |table: &Table| table.indexes.iter().any(|index| index.unique && index.doubtful);
        query.relations.iter().any(|relation| match &relation.source {
            Source::Table(name) => schema.stored(name).is_some_and(has_doubtful),
            _ => false,
        })
    }

    /// Whether these relations probably have many rows: each is a table that is not small, or a query over
    /// such tables. The rows of a function or an unknown table do not count.
    pub(in crate::lints) fn are_many(&self, query: &Query, relations: &[RelationId]) -> bool {
        !relations.is_empty() && relations.iter().all(|id| self.is_many(query, *id, 0))
    }

    fn is_many(&self, query: &Query, relation: RelationId, depth: usize) -> bool {
        match &query.relation(relation).source {
            Source::Table(name) => {
                let known = self.schema.is_none_or(|schema| schema.stored(name).is_some());
                known && !self.is_small(name)
            }
            Source::Cte(inner) | Source::Derived(inner) | Source::View(_, inner) => {
                // A recursive query refers to itself.
                depth < 8 && self.block_is_many(query, query.block(*inner), depth + 1)
            }
            Source::System(_) | Source::Function(..) | Source::Pseudo | Source::Unknown => false,
        }
    }

    fn block_is_many(&self, query: &Query, block: &Block, depth: usize) -> bool {
        match &block.body {
            Body::Set { left, right, .. } => [*left, *right]
                .iter()
                .all(|arm| depth < 8 && self.block_is_many(query, query.block(*arm), depth + 1)),
            Body::Select(_) | Body::Write(_) => {
                let relations = block.from().iter().flat_map(|item| item.relations());
                let mut relations = relations.peekable();
                relations.peek().is_some() && relations.all(|id| self.is_many(query, id, depth))
            }
            Body::Values(_) | Body::Unknown => false,
        }
    }
}

/// An expression as SQL to paste, with placeholders of the dialect.
pub(in crate::lints) fn sql(expr: &Expr, dialect: Dialect) -> String {
    let text = expr.to_string();
    match dialect {
        Dialect::Postgres => text,
        Dialect::Sqlite => text.replace('$', "?"),
        Dialect::MySql => {
            let mut without_numbers = String::with_capacity(text.len());
            let mut in_parameter = false;
            for c in text.chars() {
                in_parameter = c == '$' || (in_parameter && c.is_ascii_digit());
                match c {
                    '$' => without_numbers.push('?'),
                    _ if in_parameter => {}
                    c => without_numbers.push(c),
                }
            }
            without_numbers
        }
    }
}

/// What to do about a name that is not in the schema, unless it is misspelt.
pub(in crate::lints) fn added_by_migration(context: &QueryContext<'_>) -> &'static str {
    match context.is_of_migrations {
        true => "add it in a migration, if it is meant",
        false => "run `cargo query-budget schema` if a migration has added it",
    }
}

/// Whether a query names a column that its tables do not have.
pub(in crate::lints) fn names_unknown_column(query: &Query) -> bool {
    query.problems.iter().any(|problem| matches!(problem.kind, ProblemKind::UnknownColumn { .. }))
}

/// The only table that a block reads, with its relation.
pub(in crate::lints) fn only_table<'a>(
    context: &QueryContext<'a>,
    query: &Query,
    block: &Block,
) -> Option<(RelationId, &'a Table)> {
    let [item] = block.from() else { return None };
    let From::Relation(relation) = item else { return None };
    Some((*relation, context.table(query, *relation)?))
}

/// Whether all rows have the same values, so that it does not matter which are returned.
pub(in crate::lints) fn rows_are_alike(block: &Block) -> bool {
    let Body::Select(select) = &block.body else { return false };
    let filters = block.filters();
    select.star.is_none()
        && !select.set_returning
        && select.projection.iter().all(|value| {
            (value.is_constant() && !predicates::is_volatile(value)) || predicates::is_fixed(value, filters)
        })
}

/// An expression as an operand of another one, in parentheses if precedence requires it.
pub(in crate::lints) fn operand(expr: &Expr, dialect: Dialect) -> String {
    let text = sql(expr, dialect);
    match expr {
        Expr::Binary { .. } | Expr::And(_) | Expr::Or(_) | Expr::Not(_) | Expr::Is { .. } => {
            format!("({text})")
        }
        _ => text,
    }
}
