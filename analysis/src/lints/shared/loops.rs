//! Shared by the lints on loops: which loop a query runs in, and what it depends on.

use super::pasteable;
use crate::cardinality::{self, Rows};
use crate::finding::{Applicability, Finding, Place};
use crate::lints::QueryContext;
use crate::rust::{Built, Loop, LoopKind, Site};
use crate::schema::Schema;
use crate::sql::Dialect;
use crate::sql::batch::{self, Rewrite};
use crate::sql::query::{Block, BlockId, Kind, Query, Relation, Source};

/// The loops over data around a query that is executed in them.
pub(in crate::lints) struct Around<'a> {
    site: &'a Site,
    innermost: &'a Loop,
    work: Vec<&'a Loop>,
    is_batched: bool,
}

/// The loops that `query` runs in; `None` if it runs in none, or handles many elements at once.
pub(in crate::lints) fn of<'a>(context: &QueryContext<'a>, query: &Query) -> Option<Around<'a>> {
    with_batched(context, query).filter(|around| !around.is_batched)
}

/// Like [`of`], with raw queries that handle many elements at once, and do so for each element of a loop.
pub(in crate::lints) fn with_batched<'a>(context: &QueryContext<'a>, query: &Query) -> Option<Around<'a>> {
    let site = context.site?;
    let call = site.call.as_ref()?;
    if site.in_test || site.takes_rows() {
        return None;
    }
    // sqlx's own list of migrations holds a row for each, and is read and written at a start alone.
    let is_bookkeeping = |relation: &Relation| matches!(&relation.source, Source::Table(name) | Source::System(name) if name.name == "_sqlx_migrations");
    if !query.relations.is_empty() && query.relations.iter().all(is_bookkeeping) {
        return None;
    }
    // A cache cannot save a write: each new element is written on its own.
    let writes = matches!(query.kind, Kind::Insert | Kind::Update | Kind::Delete | Kind::Merge);
    let is_work = |around: &&Loop| around.exempt.is_none() || writes && around.keeps();
    let work: Vec<&Loop> = site.loops.iter().filter(is_work).collect();
    let innermost = work.last()?;
    // If each iteration has a database of its own, one query cannot serve all.
    if call.on.iter().any(|name| work.iter().any(|around| around.elements.contains(name))) {
        return None;
    }
    let mut around = Around { site, innermost, work, is_batched: false };
    let varies = |number: usize| around.argument_varies(number);
    let known = (site.arguments_complete && site.arguments.len() == query.parameters)
        .then_some(&varies as &dyn Fn(usize) -> bool);
    let is_batched = batch::is_batched(query, known);
    around.is_batched = is_batched;
    Some(around).filter(|_| !is_batched || context.is_raw())
}

/// The innermost loop over data in which a text is built and run; `None` if each iteration uses another table or database.
pub(in crate::lints) fn of_built<'a>(site: &'a Site, built: &Built) -> Option<&'a Loop> {
    let work = work_of_text(site)?;
    let is_of_turn = |name: &String| work.iter().any(|around| around.variables.contains(name));
    if built.names.iter().any(is_of_turn) {
        return None;
    }
    work.last().copied()
}

/// The innermost loop over data that runs a text of which nothing is known, where that is certainly once per element: the text
/// does not depend on the element, and a bound value does.
pub(in crate::lints) fn of_unknown(site: &Site) -> Option<&Loop> {
    let work = work_of_text(site)?;
    let innermost = *work.last()?;
    // What an iteration computes of other things may be the same each time.
    let is_of_element = |name: &String| work.iter().any(|around| of_turn(around).contains(name));
    let varies = |names: &[String]| names.iter().any(|name| of_turn(innermost).contains(name));
    let is_one = site.arguments.iter().any(|argument| varies(&argument.mentions));
    (is_one && !site.text_names.iter().any(is_of_element)).then_some(innermost)
}

/// The variables of a loop that are certainly others in each iteration: its elements, if there are any.
fn of_turn(around: &Loop) -> &[String] {
    if around.elements.is_empty() { &around.variables } else { &around.elements }
}

/// The loops over data around a text that is run; `None` if each iteration has a database of its own.
fn work_of_text(site: &Site) -> Option<Vec<&Loop>> {
    let call = site.call.as_ref().filter(|_| !site.in_test)?;
    let work: Vec<&Loop> = site.loops.iter().filter(|around| around.exempt.is_none()).collect();
    let is_of_turn = |name: &String| work.iter().any(|around| around.variables.contains(name));
    (!call.on.iter().any(is_of_turn)).then_some(work)
}

/// ``per element of `events` ``, or `per iteration of a loop`.
pub(in crate::lints) fn per_iteration(around: &Loop) -> String {
    match around.over.as_str() {
        "" => "per iteration of a loop".to_owned(),
        over => format!("per element of `{over}`"),
    }
}

impl Around<'_> {
    /// Lists a finding if one query for all elements would not do the same, or would not be faster.
    pub(in crate::lints) fn tiered(
        &self,
        context: &QueryContext<'_>,
        finding: Finding,
        writes: bool,
    ) -> Finding {
        if self.is_batched {
            return finding.help(UNFOLD_ALL).note(ONE_BATCH_EACH).listed();
        }
        let index = self.site.loops.iter().rposition(|around| around == self.innermost).unwrap_or(0);
        match &self.site.aside {
            Some(aside) => finding.note(aside.clone()).listed(),
            None if writes && self.site.unit > index => {
                finding.note("each iteration has a transaction of its own").listed()
            }
            None => {
                let call = self.site.call.as_ref().filter(|_| !context.is_any_dialect);
                let near = call.and_then(|call| {
                    let access = Access {
                        on: &call.executor(),
                        in_transaction: self.site.in_transaction,
                        writes,
                        grows: self.site.grows,
                        by_key: context.query.as_ref().is_ok_and(|query| is_by_key(query, context.schema)),
                    };
                    access.in_process(context.dialect)
                });
                match near {
                    Some(why) => finding.note(why).listed(),
                    None if writes && context.dialect == Dialect::Sqlite && call.is_some() => {
                        finding.help(IN_ONE_TRANSACTION)
                    }
                    None => finding,
                }
            }
        }
    }

    /// The place of the innermost loop.
    pub(in crate::lints) fn place(&self) -> &Place {
        &self.innermost.place
    }

    /// ``per element of `events` ``, or `per iteration of a loop`.
    pub(in crate::lints) fn per_iteration(&self) -> String {
        per_iteration(self.innermost)
    }

    /// Whether the loop is over elements, so that each iteration repeats the query if no value varies; other
    /// loops repeat it because the result may have changed.
    pub(in crate::lints) fn is_over_elements(&self) -> bool {
        match self.innermost.kind {
            LoopKind::For | LoopKind::Combinator => true,
            LoopKind::While => !self.innermost.variables.is_empty(),
            LoopKind::Loop => false,
        }
    }

    /// Whether a bound value depends on a loop; assumed if not all values are visible.
    pub(in crate::lints) fn varies(&self) -> bool {
        !self.site.arguments_complete
            || (1..=self.site.arguments.len()).any(|number| self.argument_varies(number))
    }

    /// Whether a bound value, counted from 1, depends on a loop; assumed if it is not visible.
    pub(in crate::lints) fn argument_varies(&self, number: usize) -> bool {
        let Some(argument) = number.checked_sub(1).and_then(|at| self.site.arguments.get(at)) else {
            return !self.site.arguments_complete;
        };
        let of_loop = |name: &String| self.work.iter().any(|around| around.variables.contains(name));
        argument.mentions.iter().any(of_loop) || argument.is_new
    }

    /// `sql_batch!` in place of the loop, ready to paste.
    pub(in crate::lints) fn batch(&self, context: &QueryContext<'_>, query: &Query) -> Option<String> {
        let is_alone = self.work.len() == 1 && self.site.loops.last() == Some(self.innermost);
        let varies = |number| self.argument_varies(number);
        pasteable::batch(context, query, self.innermost, &varies).filter(|_| is_alone)
    }

    /// Whether the query handles many elements at once.
    pub(in crate::lints) fn is_batched(&self) -> bool {
        self.is_batched
    }

    /// Whether the iterations add elements to the list that the loop goes through.
    pub(in crate::lints) fn refills(&self) -> bool {
        self.innermost.refills
    }

    /// The statement that does for all elements what the query does for one.
    pub(in crate::lints) fn rewrite(&self, context: &QueryContext<'_>, query: &Query) -> Option<Rewrite> {
        let varies = |number| self.argument_varies(number);
        batch::rewrite(context.sql, query, context.dialect, context.schema, &varies)
    }
}

/// Why a query that takes an array in each iteration is seldom worth a change, as a note.
pub(in crate::lints) const ONE_BATCH_EACH: &str =
    "each iteration takes many elements at once: one statement could take those of all iterations";

/// What to do with such a query.
pub(in crate::lints) const UNFOLD_ALL: &str =
    "give one statement the elements of all iterations, each with what it belongs to";

/// What the writes of a loop need first on SQLite.
pub(in crate::lints) const IN_ONE_TRANSACTION: &str =
    "run the loop in one transaction: SQLite commits each write outside of one, and waits for the disk";

/// What is known of a statement in a loop, for what it costs where the database runs in the process.
#[derive(Clone, Copy)]
pub(in crate::lints) struct Access<'a> {
    /// The names of what it runs on.
    pub(in crate::lints) on: &'a [String],
    /// Whether that is a transaction.
    pub(in crate::lints) in_transaction: bool,
    /// Whether it writes.
    pub(in crate::lints) writes: bool,
    /// Whether the loop goes through the rows of a query.
    pub(in crate::lints) grows: bool,
    /// Whether it reads one row by a unique key.
    pub(in crate::lints) by_key: bool,
}

impl Access<'_> {
    /// Why a statement of SQLite costs little: SQLite runs in the process, so that none is a round trip. Outside a transaction,
    /// each write commits. Where the loop grows with the data, reads on a pool add up, unless each is of one row by its key.
    pub(in crate::lints) fn in_process(&self, dialect: Dialect) -> Option<&'static str> {
        if dialect != Dialect::Sqlite {
            return None;
        }
        if self.in_transaction {
            return Some(
                "SQLite runs in the process: in a transaction, a statement costs neither a round trip nor a commit",
            );
        }
        let has = |words: &[&str]| {
            let mut parts = self.on.iter().flat_map(|name| name.split('_'));
            parts.any(|part| words.contains(&part.to_ascii_lowercase().as_str()))
        };
        let is_open = !has(&["pool"]) && has(&["conn", "connection", "transaction", "trx", "tx", "txn"]);
        if self.writes {
            return None;
        }
        (is_open || !self.grows).then_some("SQLite runs in the process: a read costs no round trip").or(self
            .by_key
            .then_some("SQLite runs in the process: a read of one row by its key costs little"))
    }
}

/// Whether a query reads at most one row of each table, by unique keys.
pub(in crate::lints) fn is_by_key(query: &Query, schema: Option<&Schema>) -> bool {
    let is_one = |(id, block): (BlockId, &Block)| {
        block.from().is_empty() || cardinality::read(query, schema, id).rows == Rows::One
    };
    schema.is_some() && query.block_ids().all(is_one)
}

/// Adds the assumptions of a rewrite about the elements, and its edits: the bound values have to be changed
/// by hand.
pub(in crate::lints) fn with_rewrite(mut finding: Finding, rewrite: Rewrite) -> Finding {
    for (span, replacement) in rewrite.edits {
        finding = finding.edit(span, replacement, Applicability::Part);
    }
    finding.notes.extend(rewrite.facts);
    finding
}

/// The advice on a query that finds further elements of the list which the loop goes through; `rewrite` reads for all of them.
pub(in crate::lints) fn by_level(rewrite: Option<&str>, dialect: Dialect) -> Vec<String> {
    let query = match rewrite {
        Some(text) => format!("`{text}`"),
        None => format!("one query with {}", keys(dialect)),
    };
    vec![
        format!(
            "read a level at a time: take all elements that the list holds, and read what they lead to by {query}"
        ),
        "or follow the rows inside of one query, by `WITH RECURSIVE`".to_owned(),
    ]
}

/// How a query takes many keys at once, as part of a sentence.
pub(in crate::lints) fn keys(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "an array of keys",
        Dialect::Sqlite => "a JSON array of keys",
        Dialect::MySql => "a list of keys, `IN (..)` with a `?` for each",
    }
}

/// How an UPDATE joins its table with a list of keys and values, as part of a sentence.
pub(in crate::lints) fn joined(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "`UPDATE t SET .. FROM UNNEST($1, $2) AS new (id, value) WHERE t.id = new.id`",
        Dialect::Sqlite => "`UPDATE t SET .. FROM json_each(?1) AS new WHERE t.id = new.value ->> 'id'`",
        Dialect::MySql => {
            "`UPDATE t JOIN (SELECT ? AS id, ? AS value UNION ALL SELECT ?, ? ..) AS new ON t.id = new.id SET ..`"
        }
    }
}

/// How a statement writes many rows at once, as part of a sentence.
pub(in crate::lints) fn rows(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "its values as arrays",
        Dialect::Sqlite | Dialect::MySql => "a group of values for each row",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_of_sqlite_cost_little_where_they_neither_travel_nor_commit() {
        let on = ["pool".to_owned()];
        let pool = Access { on: &on, in_transaction: false, writes: true, grows: true, by_key: false };
        let listed = |access: &Access<'_>| access.in_process(Dialect::Sqlite).is_some();
        assert!(listed(&Access { in_transaction: true, ..pool }));
        assert!(!listed(&pool) && !listed(&Access { writes: false, ..pool }));
        assert!(listed(&Access { writes: false, grows: false, ..pool }));
        assert!(listed(&Access { writes: false, by_key: true, ..pool }));
        assert!(!listed(&Access { by_key: true, ..pool }) && !listed(&Access { grows: false, ..pool }));
        for (name, is_open) in [("connection", true), ("tx", true), ("conn_pool", false)] {
            let on = [name.to_owned()];
            // The name alone says nothing about a transaction.
            assert!(!listed(&Access { on: &on, ..pool }), "{name}");
            assert_eq!(listed(&Access { on: &on, writes: false, ..pool }), is_open, "{name}");
        }
        for dialect in [Dialect::Postgres, Dialect::MySql] {
            assert!(Access { in_transaction: true, ..pool }.in_process(dialect).is_none());
        }
    }
}
