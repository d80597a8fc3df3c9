//! The rewrite of a query in a loop. It edits the query's own text, so that every condition, conflict clause,
//! order and limit stays. The result is parsed and resolved again before it is shown.

use std::ops::Range;

use super::most_parameters;
use super::tokens::{Edits, Text, apply, on_one_line};
use crate::schema::Schema;
use crate::sql::expr::{ColumnRef, Expr, Op};
use crate::sql::query::{Block, Body, From, Kind, Query, RelationId, Source, Write};
use crate::sql::{Dialect, resolve, type_names};

/// The alias of the rows made of the elements.
const ROWS: &str = "new";

/// A statement that does for all elements what a query does for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// The replacements in the query's text, in order.
    pub edits: Vec<(Range<usize>, String)>,
    /// The full statement on one line.
    pub text: String,
    /// What it assumes about the elements, as facts.
    pub facts: Vec<String>,
}

/// Rewrites a query that runs once per element; `None` if no equivalent statement is known. `varies` returns
/// which parameters, counted from 1, change between elements. In the result they are arrays (on SQLite, JSON
/// arrays), or one row of values per element.
pub fn rewrite(
    sql: &str,
    query: &Query,
    dialect: Dialect,
    schema: Option<&Schema>,
    varies: &dyn Fn(usize) -> bool,
) -> Option<Rewrite> {
    let text = Text::new(sql, dialect)?;
    let root = query.block(query.root?);
    let mut varying: Vec<usize> =
        text.parameters().map(|(_, number)| number).filter(|number| varies(*number)).collect();
    varying.sort_unstable();
    varying.dedup();
    if varying.is_empty() || text.mentions(ROWS) {
        return None;
    }
    let job = Job { text, query, root, dialect, schema, varying };
    let (mut edits, facts) = match (&root.body, query.kind) {
        (Body::Select(_) | Body::Set { .. }, Kind::Select) => (job.read()?, Vec::new()),
        (Body::Write(write), Kind::Insert) => job.insert(write)?,
        (Body::Write(write), Kind::Update | Kind::Delete) => job.change(write)?,
        _ => return None,
    };
    let result = apply(sql, &mut edits)?;
    let again = resolve(&result, dialect, schema).ok()?;
    let mut counts = PartCounts::of(query);
    let is_without_limit = again.root.is_some_and(|root| again.block(root).limit.is_none());
    if root.limit.is_some() && is_without_limit && job.needless_limit().is_some() {
        counts.limits -= 1;
    }
    let keeps =
        again.problems.is_empty() && again.kind == query.kind && PartCounts::of(&again).keeps(&counts);
    let text = on_one_line(&result, dialect);
    // What is shown is what was read again; marks between tokens may be read as a part of one.
    let is_same =
        resolve(&text, dialect, schema).is_ok_and(|shown| PartCounts::of(&shown) == PartCounts::of(&again));
    (keeps && is_same).then_some(Rewrite { edits, text, facts })
}

/// The parts of a statement as counts, none of which a rewrite may reduce.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PartCounts {
    conditions: usize,
    limits: usize,
    order: usize,
    groups: usize,
    conflicts: usize,
    returns: usize,
    sets: usize,
}

impl PartCounts {
    pub(super) fn of(query: &Query) -> PartCounts {
        let mut counts =
            PartCounts { conditions: 0, limits: 0, order: 0, groups: 0, conflicts: 0, returns: 0, sets: 0 };
        for (_, block) in query.written_blocks() {
            counts.conditions += block.conditions().len();
            counts.limits += usize::from(block.limit.is_some()) + usize::from(block.offset.is_some());
            counts.order += block.order_by.len();
            match &block.body {
                Body::Select(select) => counts.groups += select.group_by.len(),
                Body::Write(write) => {
                    counts.conflicts += usize::from(write.conflict.is_some());
                    counts.returns += write.returning.as_ref().map_or(0, Vec::len);
                    counts.sets += write.assignments.len();
                }
                Body::Set { .. } | Body::Values(_) | Body::Unknown => {}
            }
        }
        counts
    }

    fn keeps(&self, before: &PartCounts) -> bool {
        self == before
    }
}

struct Job<'a> {
    text: Text<'a>,
    query: &'a Query,
    root: &'a Block,
    dialect: Dialect,
    schema: Option<&'a Schema>,
    /// The parameters that change between elements, sorted.
    varying: Vec<usize>,
}

impl Job<'_> {
    /// Reads the rows of all elements, along with what identifies the element.
    fn read(&self) -> Option<Edits> {
        if let Some(edits) = self.read_by_key() {
            return Some(edits);
        }
        let writes = self.query.blocks.iter().any(|block| matches!(block.body, Body::Write(_)));
        // A call without a table may have side effects.
        if self.dialect != Dialect::Postgres || writes || self.query.relations.is_empty() {
            return None;
        }
        let mut edits = self.by_row()?;
        let start = self.text.span(0, 0)?.start;
        let end = self.text.span(0, self.text.tokens.len().checked_sub(1)?)?.end;
        let rows = self.rows(&self.types()?);
        edits.push((start..start, format!("SELECT {ROWS}.*, one.* FROM {rows} CROSS JOIN LATERAL (")));
        edits.push((end..end, ") AS one".to_owned()));
        (!self.text.mentions("one")).then_some(edits)
    }

    /// A plain lookup by one key: the key becomes a list, and is added to the result.
    fn read_by_key(&self) -> Option<Edits> {
        let Body::Select(select) = &self.root.body else { return None };
        let window = |e: &Expr| e.any(|e| matches!(e, Expr::Call(call) if call.window));
        let of_each = select.aggregates
            || !select.group_by.is_empty()
            || select.distinct.is_some()
            || select.having.is_some()
            || self.root.offset.is_some()
            || select.projection.iter().any(window);
        if of_each {
            return None;
        }
        let (mut edits, column, written) = self.membership()?;
        if self.root.limit.is_some() {
            edits.push(self.needless_limit()?);
        }
        // The text of a key tells elements apart as well, and a further column would shift those that are read by position.
        let is_key = |value: &Expr| match value {
            Expr::Cast { expr, ty } if type_names::is_unlimited_text(ty) => expr.as_column() == Some(&column),
            value => value.as_column() == Some(&column),
        };
        let returned = select.star.is_some() || select.projection.iter().any(is_key);
        if !returned {
            let select = self.text.outside("SELECT", 0)?;
            let end = self.text.span(select, select)?.end;
            edits.push((end..end, format!(" {written},")));
        }
        Some(edits)
    }

    /// The edit that takes out a LIMIT of the one row, at most, that a key finds for each element: of all elements it would drop
    /// rows.
    fn needless_limit(&self) -> Option<(Range<usize>, String)> {
        let [From::Relation(id)] = self.root.from() else { return None };
        let Source::Table(name) = &self.query.relation(*id).source else { return None };
        let finds_one = self.schema?.stored(name)?.is_key(&self.key()?.name);
        let limit = self.text.outside("LIMIT", 0)?;
        let is_number = self.text.text(limit + 1).parse::<u64>().is_ok_and(|number| number > 0);
        let before = self.text.span(0, limit.checked_sub(1)?)?;
        let whole = before.end..self.text.span(limit, limit + 1)?.end;
        (is_number && finds_one).then(|| (whole, String::new()))
    }

    /// The column that is compared with the only value that varies.
    fn key(&self) -> Option<ColumnRef> {
        let [number] = self.varying.as_slice() else { return None };
        self.root.filters().iter().find_map(|condition| match condition {
            Expr::Binary { op: Op::Eq, left, right } => match (&**left, right.without_casts()) {
                (Expr::Column(column), Expr::Parameter(n)) if n == number => Some(column.clone()),
                _ => None,
            },
            _ => None,
        })
    }

    /// The edit of `column = $1`, if nothing else varies. Also returns the column, resolved and as written.
    fn membership(&self) -> Option<(Edits, ColumnRef, String)> {
        let [number] = self.varying.as_slice() else { return None };
        let column = self.key()?;
        let at = self.text.only(*number)?;
        let equals = at.checked_sub(1).filter(|equals| self.text.text(*equals) == "=")?;
        let mut first = equals.checked_sub(1)?;
        while first >= 2 && self.text.text(first - 1) == "." {
            first -= 2;
        }
        let written = self.text.sql.get(self.text.span(first, equals - 1)?)?.to_owned();
        let cast = self.text.cast(at);
        let last = cast.map_or(at, |(_, end)| end);
        let parameter = self.text.text(at);
        let list = match self.dialect {
            Dialect::Postgres => {
                let ty = match cast {
                    Some((ty, _)) => ty.to_owned(),
                    None => self.array_of(self.column_type(column.relation?, &column.name)?)?,
                };
                format!("= ANY({parameter}::{ty}[])")
            }
            Dialect::Sqlite => format!("IN (SELECT value FROM json_each({parameter}))"),
            // The number of placeholders in a list depends on the number of keys, so no fixed text works.
            Dialect::MySql => return None,
        };
        Some((vec![(self.text.span(equals, last)?, list)], column, written))
    }

    /// UPDATE and DELETE.
    fn change(&self, write: &Write) -> Option<(Edits, Vec<String>)> {
        let sets = |n: usize| {
            let value = |e: &Expr| e.any(|e| matches!(e, Expr::Parameter(number) if *number == n));
            write.assignments.iter().any(|(_, expr)| expr.as_ref().is_some_and(value))
        };
        if !self.varying.iter().any(|number| sets(*number))
            && let Some((edits, ..)) = self.membership()
        {
            return Some((edits, Vec::new()));
        }
        // An element must not change what the condition for the next one reads.
        let reads_again = self.query.written_blocks().count() > 1 || write.from.len() != 1;
        if self.dialect != Dialect::Postgres
            || reads_again
            || write.filter.is_none()
            || self.root.limit.is_some()
        {
            return None;
        }
        let mut edits = self.by_row()?;
        let filter = self.text.outside("WHERE", 0)?;
        let start = self.text.span(filter, filter)?.start;
        let word = if write.assignments.is_empty() { "USING" } else { "FROM" };
        edits.push((start..start, format!("{word} {} ", self.rows(&self.types()?))));
        let once = "two elements of one row: the UPDATE writes one of them, unspecified which";
        let facts = if write.assignments.is_empty() { Vec::new() } else { vec![once.to_owned()] };
        Some((edits, facts))
    }

    fn insert(&self, write: &Write) -> Option<(Edits, Vec<String>)> {
        let Body::Values(rows) = &self.query.block(write.source?).body else { return None };
        let [row] = rows.as_slice() else { return None };
        let values = self.text.outside("VALUES", 0)?;
        let (open, close) = (values + 1, self.text.closing(values + 1)?);
        let pieces = self.text.pieces(open, close);
        let named = write.assignments.len();
        if pieces.len() != row.len() || named != row.len() || self.text.text(close + 1) == "," {
            return None;
        }
        let mut facts = Vec::new();
        if write.conflict.as_ref().is_some_and(|conflict| !conflict.assignments.is_empty()) {
            facts.push(
                match self.dialect {
                    Dialect::Postgres => {
                        "PostgreSQL refuses to update a row twice in one statement: where a key may come twice, group the values by it first"
                    }
                    Dialect::MySql | Dialect::Sqlite => "of two elements with one key the last one counts",
                }
                .to_owned(),
            );
        }
        let edits = match self.dialect {
            Dialect::Postgres => self.insert_from_rows(write, open, close, &pieces)?,
            Dialect::MySql | Dialect::Sqlite => {
                let inside: Vec<(usize, usize)> = self.text.parameters().collect();
                let in_order = inside.iter().zip(1..).all(|((_, number), nth)| *number == nth);
                if !in_order || inside.iter().any(|(at, _)| *at < open || *at > close) {
                    return None;
                }
                let group = self.text.span(open, close)?;
                let mut bare: Edits = Vec::new();
                for (at, _) in &inside {
                    let span = self.text.span(*at, *at)?;
                    bare.push((span.start - group.start..span.end - group.start, "?".to_owned()));
                }
                let one = apply(self.text.sql.get(group.clone())?, &mut bare)?;
                facts.push(format!(
                    "a group for each element, at most {} in a statement",
                    most_parameters(self.dialect) / inside.len().max(1)
                ));
                vec![(group, format!("{one}, {one}"))]
            }
        };
        Some((edits, facts))
    }

    /// `VALUES ($1, lower($2))` becomes `SELECT new.id, lower(new.email) FROM UNNEST(..) AS new (id, email)`.
    fn insert_from_rows(
        &self,
        write: &Write,
        open: usize,
        close: usize,
        pieces: &[Range<usize>],
    ) -> Option<Edits> {
        let whole = |piece: &Range<usize>| {
            let number = self.text.parameters().find(|(at, _)| *at == piece.start)?.1;
            (piece.len() == 1).then_some(number)
        };
        let column_of = |number: usize| {
            let at = pieces.iter().position(|piece| whole(piece) == Some(number))?;
            write.assignments.get(at).map(|(name, _)| name.as_str())
        };
        let mut names = Vec::new();
        let mut arrays = Vec::new();
        for number in &self.varying {
            let ty = match column_of(*number) {
                Some(column) => self.array_of(self.column_type(write.target, column)?)?,
                None => self.type_of(*number)?,
            };
            arrays.push(format!("${number}::{ty}[]"));
            names.push(column_of(*number).map_or_else(|| format!("k{number}"), quoted));
        }
        let name =
            |number: usize| Some(names.get(self.varying.iter().position(|it| *it == number)?)?.as_str());
        let mut edits: Edits = Vec::new();
        let only_rows = pieces.iter().zip(&self.varying).all(|(piece, number)| whole(piece) == Some(*number));
        let inside = self.text.parameters().all(|(at, _)| (open..close).contains(&at));
        if only_rows && pieces.len() == self.varying.len() && inside {
            let span = self.text.span(open - 1, close)?;
            return Some(vec![(span, format!("SELECT * FROM UNNEST({})", arrays.join(", ")))]);
        }
        for (at, number) in self.text.parameters() {
            let span = self.text.span(at, at)?;
            let is_inside = (open..close).contains(&at);
            let piece = pieces.iter().position(|piece| *piece == (at..at + 1));
            match (name(number), piece) {
                (Some(name), _) if is_inside => edits.push((span, format!("{ROWS}.{name}"))),
                // After the rows, only the proposed row can be named.
                (Some(_), _) => edits.push((span, format!("EXCLUDED.{}", quoted(column_of(number)?)))),
                (None, Some(piece)) => {
                    let (column, _) = write.assignments.get(piece)?;
                    let ty = self.column_type(write.target, column)?;
                    edits.push((span, format!("{}::{ty}", self.text.text(at))));
                }
                (None, None) => {}
            }
        }
        edits.push((self.text.span(open - 1, open)?, "SELECT ".to_owned()));
        let rows = format!(" FROM UNNEST({}) AS {ROWS} ({})", arrays.join(", "), names.join(", "));
        edits.push((self.text.span(close, close)?, rows));
        Some(edits)
    }

    /// Turns each varying parameter into a column of the rows.
    fn by_row(&self) -> Option<Edits> {
        let varying = self.text.parameters().filter(|(_, number)| self.varying.contains(number));
        varying.map(|(at, number)| Some((self.text.span(at, at)?, format!("{ROWS}.k{number}")))).collect()
    }

    /// `UNNEST($1::bigint[], $2::text[]) AS new (k1, k2)`.
    fn rows(&self, types: &[String]) -> String {
        let arrays: Vec<String> =
            self.varying.iter().zip(types).map(|(number, ty)| format!("${number}::{ty}[]")).collect();
        let names: Vec<String> = self.varying.iter().map(|number| format!("k{number}")).collect();
        format!("UNNEST({}) AS {ROWS} ({})", arrays.join(", "), names.join(", "))
    }

    /// The types of the varying parameters.
    fn types(&self) -> Option<Vec<String>> {
        self.varying.iter().map(|number| self.type_of(*number)).collect()
    }

    /// The type of a parameter: of its cast, or of the column that it is compared with or written to.
    fn type_of(&self, number: usize) -> Option<String> {
        let cast =
            self.text.parameters().filter(|(_, it)| *it == number).find_map(|(at, _)| self.text.cast(at));
        if let Some((ty, _)) = cast {
            return Some(ty.to_owned());
        }
        let is_it = |value: &Expr| matches!(value, Expr::Parameter(n) if *n == number);
        let compared = |condition: &Expr| match condition {
            Expr::Binary { op, left, right } if op.is_comparison() => {
                let column = match (&**left, &**right) {
                    (Expr::Column(column), value) | (value, Expr::Column(column)) if is_it(value) => column,
                    _ => return None,
                };
                self.column_type(column.relation?, &column.name)
            }
            _ => None,
        };
        let mut found = None;
        for block in &self.query.blocks {
            for condition in block.conditions() {
                condition.walk(&mut |part| found = found.take().or_else(|| compared(part)));
            }
            if let Body::Write(write) = &block.body {
                for (column, value) in &write.assignments {
                    if value.as_ref().is_some_and(is_it) {
                        found = found.or_else(|| self.column_type(write.target, column));
                    }
                }
            }
        }
        self.array_of(found?)
    }

    /// A type that has arrays; a type that is itself an array would be unnested down to its elements.
    fn array_of(&self, ty: String) -> Option<String> {
        (!ty.is_empty() && !ty.ends_with(']')).then_some(ty)
    }

    fn column_type(&self, relation: RelationId, column: &str) -> Option<String> {
        let relation = self.query.relation(relation);
        if let Source::Table(name) = &relation.source {
            let table = self.schema?.stored(name)?;
            return table.column(column).map(|column| column.ty.clone());
        }
        let columns = relation.columns.as_ref()?;
        columns.iter().find(|known| known.name == column).map(|known| known.ty.clone())
    }
}

fn quoted(name: &str) -> String {
    crate::sql::quote::quote_if_needed(name, Dialect::Postgres)
}

#[cfg(test)]
mod tests;
