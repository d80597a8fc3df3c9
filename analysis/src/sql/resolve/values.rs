//! Whether there are as many values as columns.

use sqlparser::ast;

use super::Resolver;
use crate::schema::Column;
use crate::sql::dialect::Dialect;
use crate::sql::query::{BlockId, Body, ProblemKind, RelationId, Role, Source};
use crate::sql::text::Span;

/// The columns that receive values.
struct Takers {
    names: Vec<String>,
    /// Whether the statement lists them.
    listed: bool,
    /// Whether fewer values are allowed.
    may_be_fewer: bool,
}

impl Resolver<'_> {
    /// Compares the rows of an INSERT with its column list, or else with the columns of its target. `source`
    /// is the query that provides the rows, `block` its resolved form.
    pub(super) fn count_values(
        &mut self,
        source: &ast::Query,
        block: BlockId,
        columns: &[String],
        target: RelationId,
    ) {
        if let ast::SetExpr::Values(values) = source.body.as_ref() {
            self.count_rows(&values.rows, columns, target);
            return;
        }
        let Some(takers) = self.takers(columns, target) else { return };
        let block = &self.blocks[block.0 as usize];
        let (Some(outputs), Body::Select(_) | Body::Set { .. }) = (&block.outputs, &block.body) else {
            return;
        };
        let values = outputs.len();
        let span = first_item(source).and_then(|item| self.span_of(item));
        self.compare(values, None, &takers, target, span);
    }

    /// Compares rows of VALUES with their columns.
    pub(super) fn count_rows(
        &mut self,
        rows: &[ast::Parens<Vec<ast::Expr>>],
        columns: &[String],
        target: RelationId,
    ) {
        let takers = self.takers(columns, target);
        let first = rows.first().map(|row| row.content.len());
        for (nth, row) in (1..).zip(rows) {
            let values = row.content.len();
            // MySQL: an empty row takes all defaults.
            if self.dialect == Dialect::MySql && values == 0 && columns.is_empty() {
                continue;
            }
            let nth = (rows.len() > 1).then_some(nth);
            let last = |resolver: &Self| row.content.last().and_then(|value| resolver.span_of(value));
            if let Some(takers) = &takers {
                let span = last(self);
                if self.compare(values, nth, takers, target, span) {
                    return;
                }
            }
            if first.is_some_and(|first| first != values && first > 0) {
                // Rows of different lengths fit no list of columns.
                let names = vec![String::new(); first.unwrap_or_default()];
                let takers = Takers { names, listed: true, may_be_fewer: false };
                let span = last(self);
                self.compare(values, nth, &takers, target, span);
                return;
            }
        }
    }

    /// Records rows of VALUES of different lengths, where they are not those of an INSERT.
    pub(super) fn check_rows(&mut self, values: &ast::Values, block: BlockId) {
        if matches!(self.blocks[block.0 as usize].role, Role::Source) {
            return;
        }
        let mut rows = values.rows.iter().map(|row| &row.content);
        let Some(first) = rows.next().map(Vec::len) else { return };
        if let Some(other) = rows.find(|row| row.len() != first) {
            let message = format!("the rows of VALUES have {first} and {} values", other.len());
            let span = other.last().and_then(|value| self.span_of(value));
            self.clause(message, "this row", "give each row as many values", span);
        }
    }

    /// Compares a row assigned to several columns with their number.
    pub(super) fn count_assigned(
        &mut self,
        columns: &[String],
        values: usize,
        target: RelationId,
        span: Option<Span>,
    ) {
        if self.dialect != Dialect::MySql {
            let takers = Takers { names: columns.to_vec(), listed: true, may_be_fewer: false };
            self.compare(values, None, &takers, target, span);
        }
    }

    /// The columns that receive values: those listed, or all of the target's.
    fn takers(&self, columns: &[String], target: RelationId) -> Option<Takers> {
        if !columns.is_empty() {
            return Some(Takers { names: columns.to_vec(), listed: true, may_be_fewer: false });
        }
        let schema = self.schema?;
        let relation = &self.relations[target.0 as usize];
        if let (Source::View(..), Dialect::Postgres) = (&relation.source, self.dialect) {
            let names = relation.columns.as_ref()?.iter().map(|column| column.name.clone());
            return Some(Takers { names: names.collect(), listed: false, may_be_fewer: true });
        }
        let Source::Table(name) = &relation.source else { return None };
        let table = schema.stored(name).filter(|table| !table.columns.is_empty())?;
        // SQLite assigns no values to generated columns; a virtual table may have hidden columns. MariaDB and
        // MySQL assign none to those that have to be named to be seen.
        let takes = |column: &&Column| {
            !column.invisible && (self.dialect != Dialect::Sqlite || column.generated.is_none())
        };
        let names = table.columns.iter().filter(takes);
        let names: Vec<String> = names.map(|column| column.name.clone()).collect();
        Some(Takers { names, listed: false, may_be_fewer: self.dialect == Dialect::Postgres })
    }

    /// Records a problem if the numbers of values and columns differ.
    fn compare(
        &mut self,
        values: usize,
        row: Option<usize>,
        takers: &Takers,
        target: RelationId,
        span: Option<Span>,
    ) -> bool {
        let columns = takers.names.len();
        if values == columns || (takers.may_be_fewer && values < columns) {
            return false;
        }
        let relation = &self.relations[target.0 as usize];
        let table = match &relation.source {
            Source::Table(name) | Source::View(name, _) => name.to_string(),
            _ => relation.alias.clone(),
        };
        let kind = ProblemKind::ValuesCount {
            table,
            values,
            columns: takers.names.clone(),
            listed: takers.listed,
            row,
        };
        self.problem(kind, span);
        true
    }
}

/// The first element of the SELECT list that provides the rows.
fn first_item(query: &ast::Query) -> Option<&ast::SelectItem> {
    let mut body = query.body.as_ref();
    loop {
        body = match body {
            ast::SetExpr::Select(select) => return select.projection.last(),
            ast::SetExpr::Query(query) => &query.body,
            ast::SetExpr::SetOperation { left, .. } => left,
            _ => return None,
        };
    }
}
