//! Shared by the lints on loops: which loop a query runs in, and what it depends on.

use super::pasteable;
use crate::finding::{Applicability, Finding, Place};
use crate::lints::QueryContext;
use crate::rust::{Built, Loop, LoopKind, Site};
use crate::sql::Dialect;
use crate::sql::batch::{self, Rewrite};
use crate::sql::query::{Kind, Query, Relation, Source};

/// The loops over data around a query that is executed in them.
pub(in crate::lints) struct Around<'a> {
    site: &'a Site,
    innermost: &'a Loop,
    work: Vec<&'a Loop>,
}

/// The loops that `query` runs in; `None` if it runs in none, or handles many elements at once.
pub(in crate::lints) fn of<'a>(context: &QueryContext<'a>, query: &Query) -> Option<Around<'a>> {
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
    let around = Around { site, innermost, work };
    let varies = |number: usize| around.argument_varies(number);
    let known = (site.arguments_complete && site.arguments.len() == query.parameters)
        .then_some(&varies as &dyn Fn(usize) -> bool);
    if batch::is_batched(query, known) {
        return None;
    }
    Some(around)
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
        let index = self.site.loops.iter().rposition(|around| around == self.innermost).unwrap_or(0);
        match &self.site.aside {
            Some(aside) => finding.note(aside.clone()).listed(),
            None if writes && self.site.unit > index => {
                finding.note("each iteration has a transaction of its own").listed()
            }
            None => {
                let call = self.site.call.as_ref().filter(|_| !context.is_any_dialect);
                let grows = self.site.grows;
                let near = call.and_then(|call| in_process(context.dialect, &call.executor(), writes, grows));
                match near {
                    Some(why) => finding.note(why).listed(),
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
        argument.mentions.iter().any(of_loop)
    }

    /// `sql_batch!` in place of the loop, ready to paste.
    pub(in crate::lints) fn batch(&self, context: &QueryContext<'_>, query: &Query) -> Option<String> {
        let is_alone = self.work.len() == 1 && self.site.loops.last() == Some(self.innermost);
        let varies = |number| self.argument_varies(number);
        pasteable::batch(context, query, self.innermost, &varies).filter(|_| is_alone)
    }

    /// The statement that does for all elements what the query does for one.
    pub(in crate::lints) fn rewrite(&self, context: &QueryContext<'_>, query: &Query) -> Option<Rewrite> {
        let varies = |number| self.argument_varies(number);
        batch::rewrite(context.sql, query, context.dialect, context.schema, &varies)
    }
}

/// Why statements of SQLite that run on a connection of these names cost little: SQLite runs in the process, so that none of
/// them is a round trip. Outside a transaction, each write commits. Where the loop `grows` with the data, reads on a pool
/// add up.
pub(in crate::lints) fn in_process(
    dialect: Dialect,
    on: &[String],
    writes: bool,
    grows: bool,
) -> Option<&'static str> {
    if dialect != Dialect::Sqlite {
        return None;
    }
    let has = |words: &[&str]| {
        on.iter().any(|name| name.split('_').any(|part| words.contains(&part.to_ascii_lowercase().as_str())))
    };
    let is_pool = has(&["pool"]);
    if !is_pool && has(&["transaction", "trx", "tx", "txn"]) {
        Some(
            "SQLite runs in the process: in a transaction, a statement costs neither a round trip nor a commit",
        )
    } else {
        let is_open = !is_pool && has(&["conn", "connection"]);
        (!writes && (is_open || !grows)).then_some("SQLite runs in the process: a read costs no round trip")
    }
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
        let listed =
            |dialect, on: &str, writes| in_process(dialect, &[on.to_owned()], writes, true).is_some();
        assert!(listed(Dialect::Sqlite, "tx", true) && listed(Dialect::Sqlite, "db_txn", false));
        assert!(listed(Dialect::Sqlite, "connection", false) && !listed(Dialect::Sqlite, "connection", true));
        assert!(!listed(Dialect::Sqlite, "pool", false) && !listed(Dialect::Sqlite, "conn_pool", false));
        assert!(!listed(Dialect::Postgres, "tx", true));
        let few = |dialect, writes| in_process(dialect, &["pool".to_owned()], writes, false).is_some();
        assert!(few(Dialect::Sqlite, false) && !few(Dialect::Sqlite, true) && !few(Dialect::MySql, false));
    }
}
