//! A write that runs once per element.

use super::shared::loops::Around;
use super::shared::{guarded, loops, replaced};
use super::{Check, QueryContext, declare_lint};
use crate::finding::Finding;
use crate::sql::Dialect;
use crate::sql::expr::Expr;
use crate::sql::query::{Body, Kind, Query, Source};

declare_lint! {
    /// ## What it does
    ///
    /// Finds INSERT, UPDATE and DELETE inside loops over data.
    ///
    /// ## Why is this bad
    ///
    /// Each row costs a round trip and, outside a transaction, a commit of its own: a thousand rows take seconds where
    /// one statement takes milliseconds.
    ///
    /// ## Known limits
    ///
    /// Loops with a constant number of iterations, `.chunks(n)` and retries are left alone, and raw statements that write many rows at
    /// once are listed with `--all`. On SQLite, the first advice on a loop outside of a transaction is to run it in one.
    ///
    /// Raw queries are listed with `--all` rather than shown if they run while a service starts, in iterations that have a
    /// transaction of their own, wait for something else first, call another service or run five statements, in loops that do not
    /// grow (over the parts of one row, a range of numbers) or are over the difference of two sets, on tables to which only
    /// migrations add rows, or in a transaction of SQLite, where they cost neither a round trip nor a commit. So are those in
    /// an arm of a `match` on the elements, on MySQL those that add to a column or take from it, in code that copies the data (`backup`, `restore`), and each UPDATE and DELETE
    /// that only administrators ask for. Two more are listed: an INSERT of the rows of one parent of which the function has deleted all
    /// before, as a list that is replaced as a whole is seldom long, and a write of what another write of the iteration gives back
    /// (`RETURNING id`), which is one change with that.
    ///
    /// Of 66 findings drawn from 129 public projects, 66 were true and 55 worth a change; of 48
    /// drawn last and judged more strictly, 15: [how that was judged](../measured.md#findings-worth-a-change).
    ///
    /// ## Example
    ///
    /// ```rust,fires
    /// async fn save(db: &PgPool, names: &[String]) -> sqlx::Result<()> {
    ///     for name in names {
    ///         sql!("INSERT INTO servers (name) VALUES ($1)", name).execute(db).await?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```rust,clean
    /// async fn save(db: &PgPool, names: &[String]) -> sqlx::Result<()> {
    ///     sql!("INSERT INTO servers (name) SELECT * FROM UNNEST($1::text[])", names).execute(db).await?;
    ///     Ok(())
    /// }
    /// ```
    "row_by_row_write", NPlusOne, since "0.1.0",
    "a write that runs once per element of a loop",
    Check::Query(check); OnLoop, OfCopies
}

/// The verb of the first part of a query that writes.
pub(super) fn written(query: &Query) -> Option<&'static str> {
    query.blocks.iter().find_map(|block| match &block.body {
        Body::Write(write) if write.inserts() => Some("INSERT"),
        Body::Write(write) if write.assignments.is_empty() => Some("DELETE"),
        Body::Write(_) => Some("UPDATE"),
        _ => None,
    })
}

/// Whether a write returns rows.
pub(super) fn returns(query: &Query) -> bool {
    query.blocks.iter().any(|block| matches!(&block.body, Body::Write(write) if write.returning.is_some()))
}

/// Whether an UPDATE sets a column to a value that differs between the elements, so that a list of keys would not do.
fn sets_value_of_element(query: &Query, around: &Around<'_>) -> bool {
    assigns(query, around, |_, _| true)
}

/// Whether an UPDATE changes a column by a value that differs between the elements: `place = place + ?`.
fn adds_value_of_element(query: &Query, around: &Around<'_>) -> bool {
    assigns(query, around, |column, value| {
        value.any(|part| part.as_column().is_some_and(|it| it.name == column))
    })
}

/// Whether an UPDATE assigns a value that differs between the elements, and is such.
fn assigns(query: &Query, around: &Around<'_>, is_such: impl Fn(&str, &Expr) -> bool) -> bool {
    let is_of_element = |e: &Expr| matches!(e, Expr::Parameter(number) if around.argument_varies(*number));
    query.blocks.iter().any(|block| match &block.body {
        Body::Write(write) if !write.inserts() => write.assignments.iter().any(|(column, value)| {
            value.as_ref().is_some_and(|value| value.any(is_of_element) && is_such(column, value))
        }),
        _ => false,
    })
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    let verb = match query.kind {
        Kind::Insert => "INSERT",
        Kind::Update => "UPDATE",
        Kind::Delete => "DELETE",
        Kind::Merge => "MERGE",
        // What is read of it is what a part writes: `WITH new AS (INSERT ..) SELECT ..`.
        Kind::Select => match written(query) {
            Some(verb) => verb,
            None => return,
        },
        Kind::Transaction | Kind::Other => return,
    };
    let Some(around) = loops::with_batched(context, query) else { return };
    let finding = Finding::new(LINT.name, format!("this {verb} runs once {}", around.per_iteration()));
    let finding = finding.excerpt(context.sql, 0..0, "").related(around.place().clone(), "the loop");
    let finding = around.tiered(context, finding, true);
    if around.is_batched() {
        return findings.push(finding);
    }
    let is_still = |source: &Source| matches!(source, Source::Table(name) if context.stays(name));
    let changes = matches!(query.kind, Kind::Update | Kind::Delete);
    let stays = context.is_raw() && changes && query.relations.iter().all(|it| is_still(&it.source));
    let finding = match stays {
        true => finding.note("no query of the workspace adds rows to the table").listed(),
        false => finding,
    };
    let finding = match context.is_raw() && context.dialect == Dialect::MySql && adds_value_of_element(query, &around) {
        true => finding
            .note("a joined UPDATE, which MySQL needs for that, changes a row that several elements name by one of them alone")
            .listed(),
        false => finding,
    };
    let finding = match replaced::why(context, query, &around) {
        Some(why) => finding.note(why).listed(),
        None => finding,
    };
    let finding = match around.batch(context, query) {
        Some(batch) => finding.help(format!("run it once in the place of the loop: `{batch}`")),
        None => finding,
    };
    findings.push(match around.rewrite(context, query) {
        Some(rewrite) => {
            let guard = guarded::leaves_out(context, query).filter(|_| !returns(query));
            let text = match &guard {
                Some(clause) => format!("{} {clause}", rewrite.text),
                None => rewrite.text.clone(),
            };
            let finding = finding.help(format!("write all of them in one statement: `{text}`"));
            let finding = match guard {
                Some(_) => finding.note("it leaves out rows that exist: the query that looks for them is not needed"),
                None => finding,
            };
            let is_read = context.site.and_then(|site| site.call.as_ref()).is_some_and(|call| call.method != "execute");
            let finding = match is_read && returns(query) {
                true => finding.note("RETURNING has no guaranteed order: its columns have to include what identifies the element"),
                false => finding,
            };
            loops::with_rewrite(finding, rewrite)
        }
        None if adds_value_of_element(query, &around) => finding.help(
            "add up the values of each key first, then write all of them in one statement that joins the table with the sums: a joined UPDATE changes each row once, however many elements it has",
        ),
        None if sets_value_of_element(query, &around) => finding.help(format!(
            "write all of them in one statement that joins the table with the elements, {}, and keep every condition",
            loops::joined(context.dialect)
        )),
        None => {
            let how = match query.kind {
                Kind::Insert => loops::rows(context.dialect),
                _ => loops::keys(context.dialect),
            };
            finding.help(format!("write all of them in one statement, with {how}, and keep every condition"))
        }
    });
}

#[cfg(test)]
mod tests {
    use crate::check::Checker;
    use crate::config::Config;
    use crate::finding::Tier::{Listed, Shown};
    use crate::lints::tests::{findings_in, tiers_in};
    use crate::sql::Dialect;

    #[test]
    fn what_exists_is_left_out_and_what_is_returned_is_told_apart() {
        let of = |body: &str| {
            let source = format!("async fn run(db: &PgPool, ids: &[i64]) {{ for id in ids {{ {body} }} }}");
            let mut found = findings_in("row_by_row_write", &source);
            let all = format!("{body} {found:?}");
            found.retain(|finding| finding.lint == "row_by_row_write");
            assert_eq!(found.len(), 1, "{all}");
            let finding = found.remove(0);
            format!("{} | {}", finding.help.join(" "), finding.notes.join(" "))
        };
        let insert =
            "sqlx::query(\"INSERT INTO users (email, name) VALUES ($1, 'b')\").bind(id).execute(db).await?;";
        let find = "let known = sqlx::query(\"SELECT 1 FROM users WHERE email = $1\").bind(id).fetch_optional(db).await?;";
        assert!(!of(insert).contains("ON CONFLICT"), "{}", of(insert));
        let guarded = of(&format!("{find} if known.is_none() {{ {insert} }}"));
        assert!(
            guarded.contains(" ON CONFLICT (email) DO NOTHING`") && guarded.contains("is not needed"),
            "{guarded}"
        );
        let other =
            of(&format!("{} if known.is_none() {{ {insert} }}", find.replace("email = $1", "name = $1")));
        assert!(!other.contains("ON CONFLICT"), "{other}");
        let read = "let id: i64 = sqlx::query_scalar(\"INSERT INTO users (email, name) VALUES ($1, 'b') RETURNING id\").bind(id).fetch_one(db).await?;";
        assert!(of(read).contains("no guaranteed order"), "{}", of(read));
    }

    #[test]
    fn what_each_turn_commits_or_a_service_slows_down_is_listed() {
        let write = |on: &str| {
            format!(
                "sqlx::query(\"UPDATE events SET name = 'a' WHERE id = $1\").bind(id).execute({on}).await?;"
            )
        };
        for (body, expected) in [
            (format!("for id in ids {{ {} }}", write("db")), Shown),
            (
                format!(
                    "for id in ids {{ let mut tx = db.begin().await?; {} tx.commit().await?; }}",
                    write("&mut *tx")
                ),
                Listed,
            ),
            (format!("let mut tx = db.begin().await?; for id in ids {{ {} }}", write("&mut *tx")), Shown),
            (format!("for id in 0..4 + ids.len() as i64 {{ {} }}", write("db")), Shown),
            (format!("for id in wanted.difference(&known) {{ {} }}", write("db")), Listed),
            (format!("for id in ids {{ fetcher.fetch_page(id).await?; {} }}", write("db")), Listed),
            (format!("for id in ids {{ {} fetcher.fetch_page(id).await?; }}", write("db")), Shown),
            (format!("while let Some(id) = lines.next_line().await? {{ {} }}", write("db")), Shown),
            (format!("for id in ids {{ {} mail_client.deliver(id).await?; }}", write("db")), Listed),
            (
                format!("for id in ids {{ sqlx::raw_sql(&read(id)).execute(db).await?; {} }}", write("db")),
                Listed,
            ),
            (
                format!(
                    "for id in ids {{ {} if id.is_new() {{ mail_client.deliver(id).await?; }} }}",
                    write("db")
                ),
                Shown,
            ),
        ] {
            assert_eq!(tiers_in("row_by_row_write", &body), [expected], "{body}");
        }
    }

    #[test]
    fn values_that_differ_are_joined_and_others_are_listed() {
        let help = |sql: &str, values: &str| {
            let source = format!(
                "async fn run(db: &MySqlPool, ids: &[i64], name: &str) {{ for (at, id) in ids.iter().enumerate() {{ sqlx::query({sql:?}){values}.execute(db).await; }} }}"
            );
            let (scan, calls) = crate::rust::scan("lib.rs", &source).expect("it is Rust").follow_alone();
            let config = Config::default();
            let mut found =
                Checker::new(&config, None, Dialect::MySql).file(&scan, &calls, &|_| None).findings;
            found.retain(|finding| finding.lint == "row_by_row_write");
            let tiers = found.iter().map(|finding| format!(" {:?}", finding.tier));
            let tiers: Vec<String> = tiers.collect();
            found.iter().flat_map(|finding| finding.help.clone()).chain(tiers).collect::<String>()
        };
        let update = "UPDATE links SET place = ? WHERE id = ?";
        assert!(help(update, ".bind(at as i32).bind(id)").contains("AS new ON t.id = new.id SET"));
        let relative = help("UPDATE links SET place = place + ? WHERE id = ?", ".bind(at).bind(id)");
        assert!(relative.contains("add up the values") && !relative.contains("AS new"), "{relative}");
        // Two elements with one key add up, as they would not in one statement.
        for (set, tier) in
            [("place = ?", " Shown"), ("place = place + ?", " Listed"), ("place = place + 1", " Shown")]
        {
            let binds = if set.contains('?') { ".bind(at).bind(id)" } else { ".bind(id)" };
            let found = help(&format!("UPDATE links SET {set} WHERE id = ?"), binds);
            assert!(found.ends_with(tier), "{set}: {found}");
        }
        assert!(help(update, ".bind(name).bind(id)").contains("`IN (..)`"));
        assert!(help("DELETE FROM links WHERE id = ?", ".bind(id)").contains("`IN (..)`"));
    }
}
