//! A call in a loop that reaches a query.

use super::shared::loops;
use super::{CallContext, Check, declare_lint, loop_invariant_query, query_in_loop, row_by_row_write};
use crate::finding::Finding;
use crate::rust::{Key, LoopCall};
use crate::sql::query::Kind;
use crate::sql::{Dialect, Query, batch, resolve};

declare_lint! {
    /// ## What it does
    ///
    /// Finds calls inside loops over data whose function runs a query, directly or through the functions it calls, in
    /// any file or crate of the workspace.
    ///
    /// ## Why is this bad
    ///
    /// It is the N+1 problem where it is hard to see: the loop is here and the query three calls away. A hundred
    /// elements are a hundred round trips.
    ///
    /// ## Known limits
    ///
    /// Calls are followed by Rust's rules for paths and imports, and by the types in signatures, fields and
    /// constructors. Code in a field (`(self.load)(id)`) is that which the workspace puts there. A call whose function is not
    /// found is not reported; a call that may mean several functions says so. Loops that `query_in_loop` leaves alone are left
    /// alone here, and so are caches, and what begins a transaction.
    ///
    /// A call is listed with `--all` rather than shown, with the reason as a note, if one query for all elements would not
    /// replace it or would not be faster:
    ///
    /// - a write in a transaction of its own, an operation that may fail alone, and what runs only after an error or while a
    ///   service starts
    /// - an iteration that calls another service, judging by names and by the types of HTTP clients, sends mail, sleeps, or first waits
    ///   for something else
    /// - what only jobs reach: a loop that waits for its next time (`interval.tick()`, `sleep(..)`) and takes no messages. No request
    ///   waits for it
    /// - a future for each element on tokio-postgres, which sends the statements of futures that are joined without waiting for answers
    /// - anything but a lookup in an iteration that also waits for something other than the database, runs many statements, or
    ///   does something else for each kind of element
    /// - a loop over the steps of a range (`from..=to`), over elements that arrive one by one, over configuration, over the
    ///   difference of two sets or what a part of something lacks (`if !user.groups.contains(group)`), or over the segments of a path, and a
    ///   loop that ends at the first match
    /// - queries of SQLite in a transaction, reads of one row by a unique key, and reads on an open connection or in loops over other
    ///   things than rows. A transaction is known by its type and by what began it, through calls and closures, if all callers that are
    ///   found pass one; the database is that of the crate that runs the query
    /// - a query that takes many elements at once, for those of one iteration alone
    /// - an INSERT that gives back its row, which one statement for all would mix up
    /// - a SELECT, UPDATE or DELETE that only administrators ask for
    /// - queries whose text or tables are known only at run time, and those of the database's catalog
    /// - a check that what the caller names is there, where the first that is missing ends the function and no row is kept
    ///
    /// So is a loop whose elements do not grow with the data: the source or a single row determines them. Elements grow if
    /// they are rows of a query, are made from such rows, or are the answer of a service; if nothing is known of them, they may.
    /// A loop over what a request brings is shown if each iteration makes one lookup or one write.
    ///
    /// Values are followed from the call to the query only where they are passed on as they are: otherwise the help says what to do if the
    /// key is the same for all elements, and if it is not. If the loop adds to the list that it empties, its keys are not known before it: the
    /// help says to read a level at a time. If each iteration runs the same query with the same arguments, the help says to move it before the loop. This has to be certain: the
    /// function runs one query, with nothing but its parameters and constants as arguments, and everything that the iteration
    /// calls is found and writes nothing.
    ///
    /// Of 41 findings drawn from 36 public projects, 40 were true and 22 worth a change; of 114 drawn later and judged more
    /// strictly, 54; of 22 drawn since growth is asked for, 8; and of 59 drawn last, 12: [how that was
    /// judged](../measured.md#findings-worth-a-change).
    ///
    /// ## Example
    ///
    /// ```rust,fires
    /// async fn names(db: &PgPool, servers: &[i64]) -> sqlx::Result<()> {
    ///     for server in servers {
    ///         name(db, *server).await?;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// async fn name(db: &PgPool, server: i64) -> sqlx::Result<String> {
    ///     sql_scalar!("SELECT name FROM servers WHERE id = $1", server).fetch_one(db).await
    /// }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```rust,clean
    /// async fn names(db: &PgPool, servers: &[i64]) -> sqlx::Result<Vec<String>> {
    ///     sql_scalar!("SELECT name FROM servers WHERE id = ANY($1)", servers).fetch_all(db).await
    /// }
    /// ```
    "querying_call_in_loop", NPlusOne, since "0.1.0",
    "a call in a loop whose function runs a query",
    Check::Call(check); OnLoop, OfMany
}

fn check(context: &CallContext<'_>, findings: &mut Vec<Finding>) {
    let call = context.call;
    let query = context.sql().and_then(|sql| resolve(sql, context.dialect, context.schema).ok());
    let is_batched = query.as_ref().is_some_and(|query| batch::is_batched(query, None));
    if is_batched && call.is_checked || query.as_ref().is_some_and(|query| query.kind == Kind::Transaction) {
        return;
    }
    let [first, .., last] = call.chain.as_slice() else { return };
    let turn = loops::per_iteration(&call.around);
    let is_invariant = query.as_ref().is_some_and(|query| asks_the_same(call, query));
    let what = if is_invariant { "the same query" } else { "a query" };
    let mut finding = Finding::new(LINT.name, format!("`{}` runs {what} once {turn}", first.what))
        .related(call.around.place.clone(), "the loop");
    for link in call.chain.iter().skip(1).take(call.chain.len().saturating_sub(2)) {
        finding = finding.related(link.place.clone(), format!("`{}` calls `{}`", link.function, link.what));
    }
    finding = finding.related(last.place.clone(), format!("`{}` runs the query", last.function));
    let given = given(call);
    let help = match is_invariant {
        true => vec!["move the call before the loop: no value of the loop goes into it".to_owned()],
        false if is_batched => vec![loops::UNFOLD_ALL.to_owned()],
        false => help(context, query.as_ref(), given.as_ref()),
    };
    if context.dialect == Dialect::Sqlite && !call.in_transaction && query.as_ref().is_some_and(writes) {
        finding = finding.help(loops::IN_ONE_TRANSACTION);
    }
    for help in help {
        finding = finding.help(help);
    }
    if call.candidates > 1 {
        finding = finding.note(format!("the call can be any of {} functions", call.candidates));
    }
    // A lock, a sequence: nothing is looked up in a table.
    let is_of_no_table = |it: &Query| {
        it.relations.is_empty()
            && !context.sql().is_some_and(runs_code)
            && !query_in_loop::calls_own_function(context.schema, context.dialect, it)
    };
    if is_batched {
        finding = finding.note(loops::ONE_BATCH_EACH).listed();
    } else if let Some(why) = &call.aside {
        finding = finding.note(why.clone()).listed();
    } else if query.as_ref().is_some_and(is_of_no_table) {
        finding = finding.listed();
    } else if let Some(why) = in_process(context, query.as_ref()) {
        finding = finding.note(why).listed();
    } else if query.as_ref().is_some_and(|it| inserts(it) && row_by_row_write::returns(it)) {
        finding =
            finding.note("each call gives back what it inserts, which one statement would mix up").listed();
    }
    // Moving a call out of the loop and running its query for all elements are different causes.
    finding.causes.push(what.into());
    finding.place = call.call.place.clone();
    finding.sql = context.sql().map(Into::into);
    findings.push(finding);
}

fn writes(query: &Query) -> bool {
    matches!(does(query), Kind::Insert | Kind::Update | Kind::Delete | Kind::Merge)
}

fn inserts(query: &Query) -> bool {
    does(query) == Kind::Insert
}

/// What a statement does: of one that reads what a part writes, `WITH new AS (INSERT ..) SELECT ..`, what the part does.
fn does(query: &Query) -> Kind {
    match (query.kind, row_by_row_write::written(query)) {
        (Kind::Select, Some("INSERT")) => Kind::Insert,
        (Kind::Select, Some("UPDATE")) => Kind::Update,
        (Kind::Select, Some("DELETE")) => Kind::Delete,
        (kind, _) => kind,
    }
}

/// Why the query of a call costs little where it runs.
fn in_process(context: &CallContext<'_>, query: Option<&Query>) -> Option<&'static str> {
    let (query, call) = (query?, context.call);
    let access = loops::Access {
        on: &call.runs_on,
        in_transaction: call.in_transaction,
        writes: does(query) != Kind::Select,
        grows: call.grows,
        by_key: loops::is_by_key(query, context.schema),
    };
    access.in_process(context.dialect)
}

/// Whether each iteration runs the same query with the same result: no value of the loop goes into the call, the query reads
/// tables alone, and the iteration writes nothing.
fn asks_the_same(call: &LoopCall, query: &Query) -> bool {
    !call.varies
        && query.kind == Kind::Select
        && !query.relations.is_empty()
        && !loop_invariant_query::is_asked_anew(query)
}

/// Whether a statement runs code of the database, which may read and write tables.
fn runs_code(sql: &str) -> bool {
    let first = sql.split_whitespace().next().unwrap_or_default();
    ["call", "do", "exec", "execute"].iter().any(|word| first.eq_ignore_ascii_case(word))
}

/// The beginning of the advice on the function that the call means: ``give `load` ``; `None` for a closure.
fn given(call: &LoopCall) -> Option<String> {
    let link = call.chain.get(1).filter(|_| !call.handed)?;
    Some(format!("give `{}`", link.function))
}

/// Whether the key of a query may be the same for all elements: it is asked in what the called function calls, is not seen to be
/// given a value of the element, and the function is given more than values of the loop and one connection. What is named like a
/// connection, such as `repo`, may have a key.
fn may_ask_by_one_key(call: &LoopCall) -> bool {
    let of_loop = |name: &String| call.call.loops.iter().any(|around| around.variables.contains(name));
    let is_of_loop =
        |given: &Vec<String>| given.iter().all(of_loop) && call.call.arguments <= given.len() + 1;
    call.chain.len() > 2 && call.key != Key::OfElement && !call.call.given.as_ref().is_some_and(is_of_loop)
}

/// What to do with a read by a key that does not depend on the loop.
fn moved(call: &LoopCall, given: Option<&String>) -> Option<String> {
    match given {
        _ if !call.takes_of_loop => {
            Some("move the call before the loop, if nothing else changes what it reads: no value of the loop goes into it".to_owned())
        }
        Some(give) if call.key == Key::Same && call.chain.len() > 2 => {
            Some(format!("read before the loop, and {give} the result: the key is the same for all elements"))
        }
        _ => None,
    }
}

/// A sentence, and what to give the function for that.
fn told(what: &str, given: Option<&String>, all: &str) -> String {
    match given {
        Some(give) => format!("{what}: {give} {all}"),
        None => what.to_owned(),
    }
}

fn help(context: &CallContext<'_>, query: Option<&Query>, given: Option<&String>) -> Vec<String> {
    // With several values, it is unknown here which of them vary.
    let rewrite = query
        .filter(|query| query.parameters == 1)
        .and_then(|query| batch::rewrite(context.sql()?, query, context.dialect, context.schema, &|_| true));
    let (keys, rows) = (loops::keys(context.dialect), loops::rows(context.dialect));
    let verb = context.sql().and_then(|sql| sql.split_whitespace().next()).unwrap_or_default();
    let reads = query.map_or_else(
        || verb.eq_ignore_ascii_case("select"),
        |it| does(it) == Kind::Select && !it.relations.is_empty(),
    );
    if let Some(help) = moved(context.call, given).filter(|_| reads) {
        return vec![help];
    }
    let Some(query) = query else {
        return vec![match verb.to_ascii_lowercase().as_str() {
            "select" => told("read for all elements in one query before the loop", given, "all keys"),
            "insert" | "update" | "delete" | "merge" | "replace" => {
                told("write all elements in one statement after the loop", given, "all of them")
            }
            _ => told("do it for all elements at once", given, "all of them"),
        }];
    };
    let and = |how: &str| match given {
        Some(give) => format!("{give} {how}, and its query"),
        None => "give the query".to_owned(),
    };
    let and_run = |how: &str| given.map_or_else(|| "run".to_owned(), |give| format!("{give} {how}, and run"));
    // The function behind the call may read by a value that is the same for all elements.
    let does = does(query);
    let refills = context.call.around.refills && does == Kind::Select;
    let once = given.filter(|_| does == Kind::Select && may_ask_by_one_key(context.call));
    match (does, rewrite) {
        (Kind::Select, rewrite) if refills => {
            loops::by_level(rewrite.as_ref().map(|it| it.text.as_str()), context.dialect)
        }
        (Kind::Select, Some(rewrite)) if let Some(give) = once => vec![
            format!(
                "read before the loop, and {give} the result: once if the key is the same for all elements, otherwise for all keys \
                 by `{}`",
                rewrite.text
            ),
            "if the keys differ, look each element's rows up in a map by the key".to_owned(),
        ],
        (Kind::Select | Kind::Other, Some(rewrite)) => vec![
            format!("read for all elements before the loop: {} `{}`", and_run("all keys"), rewrite.text),
            "then look each element's rows up in a map by the key".to_owned(),
        ],
        (_, Some(rewrite)) => {
            vec![format!("write all elements after the loop: {} `{}`", and_run("all of them"), rewrite.text)]
        }
        (Kind::Insert | Kind::Merge, None) => {
            vec![format!("write all elements in one statement after the loop: {} {rows}", and("all of them"))]
        }
        (Kind::Update | Kind::Delete, None) => {
            vec![format!("write all elements in one statement after the loop: {} {keys}", and("all of them"))]
        }
        (Kind::Select, None) if query.relations.is_empty() => vec![told(
            "call it for all elements in one statement, where their order does not matter",
            given,
            "all of them",
        )],
        (Kind::Select, None) if let Some(give) = once => vec![format!(
            "read before the loop, and {give} the result: once if the key is the same for all elements, otherwise for all keys by \
             one query with {keys}"
        )],
        (Kind::Select | Kind::Transaction | Kind::Other, None) => {
            vec![format!("read for all elements in one query before the loop: {} {keys}", and("all keys"))]
        }
    }
}

#[cfg(test)]
mod chain_tests;
#[cfg(test)]
mod growth_tests;
#[cfg(test)]
mod job_tests;
#[cfg(test)]
mod kind_tests;
#[cfg(test)]
mod tests;
