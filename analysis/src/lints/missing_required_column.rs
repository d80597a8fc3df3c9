//! A row without a value for a required column.

use std::collections::HashMap;

use super::shared::wording;
use super::{Check, QueryContext, declare_lint};
use crate::finding::Finding;
use crate::rust::Site;
use crate::schema::{Column, Name, Schema, Table, UserType};
use crate::sql::Dialect;
use crate::sql::expr::{Expr, Literal};
use crate::sql::query::{Body, Query, Source, Write};

declare_lint! {
    /// ## What it does
    ///
    /// Finds an INSERT that omits a column which is NOT NULL and has no default, or sets it to NULL: in the
    /// SQL, or with `None` as the argument.
    ///
    /// ## Why is this bad
    ///
    /// The database refuses every row when the query runs. sqlx's macros do not see it: the database prepares
    /// the statement without checking constraints.
    ///
    /// ## Known limits
    ///
    /// Left alone: tables with a trigger or rule that may change rows before they are stored, views,
    /// `INSERT IGNORE`, `INSERT OR IGNORE`, and columns that the database fills: identities, generated
    /// columns, SQLite's rowid, MySQL's `timestamp` and `enum`. Without strict mode MySQL stores a made-up
    /// value, so on MySQL it is a warning.
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// INSERT INTO users (name) VALUES ($1)
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// INSERT INTO users (name, email) VALUES ($1, $2)
    /// ```
    "missing_required_column", Correctness, since "0.1.0",
    "an INSERT without a value for a column that must have one",
    Check::Query(check); NeedsSchema, Refused, WhenRun
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let (Ok(query), Some(schema)) = (context.query, context.schema) else { return };
    // A column that does not exist was meant to be another one: what the others lack follows from it.
    if wording::names_unknown_column(query) {
        return;
    }
    // DDL that is not visible here may add a default to a column, or a trigger to a table.
    if !schema.gaps.is_empty() {
        return;
    }
    for (name, write, lacking) in incomplete(query, schema, context.site) {
        if !may_skip_rows(context.sql) {
            let span = write.span.map_or(0..0, |span| span.range());
            let finding = wording(name, &lacking).excerpt(context.sql, span, "");
            // Without strict mode, MySQL makes a value up.
            let is_certain = schema.dialect != Dialect::MySql;
            findings.push(if is_certain { context.refused(finding) } else { finding.warns() });
        }
    }
}

/// Whether a query inserts rows without a value for a column that must have one.
pub(crate) fn leaves_out(query: &Query, schema: &Schema, site: Option<&Site>) -> bool {
    !incomplete(query, schema, site).is_empty()
}

/// The writes that give no value to required columns, each with its table and these columns.
fn incomplete<'t>(
    query: &'t Query,
    schema: &'t Schema,
    site: Option<&Site>,
) -> Vec<(&'t Name, &'t Write, Vec<Lacking<'t>>)> {
    let is_null = |value: &Expr| is_null(value, site);
    let writes = query.blocks.iter().filter_map(|block| {
        let Body::Write(write) = &block.body else { return None };
        let Source::Table(name) = &query.relation(write.target).source else { return None };
        let table = schema.tables.get(name)?;
        let is_plain = write.from.is_empty() && !table.changes_inserts();
        let lacking = if is_plain { lacking(query, write, table, schema, &is_null) } else { Vec::new() };
        (!lacking.is_empty()).then_some((name, write.as_ref(), lacking))
    });
    writes.collect()
}

/// Whether the statement skips or replaces rows that are rejected.
fn may_skip_rows(sql: &str) -> bool {
    let head: String = sql.chars().take(200).collect::<String>().to_ascii_lowercase();
    let before = head.split(" into").next().unwrap_or_default();
    before.split_whitespace().any(|word| word == "ignore")
}

/// A required column without a value in a row.
struct Lacking<'t> {
    column: &'t Column,
    /// Whether it is set to NULL, rather than omitted.
    is_null: bool,
}

/// Whether a value is NULL: literally, or as a parameter that receives `None`.
fn is_null(value: &Expr, site: Option<&Site>) -> bool {
    match value.without_casts() {
        Expr::Literal(Literal::Null) => true,
        Expr::Parameter(number) => {
            let site = site.filter(|site| site.arguments_complete && !site.takes_rows());
            let at = number.checked_sub(1);
            site.zip(at)
                .and_then(|(site, at)| site.arguments.get(at))
                .is_some_and(|argument| argument.is_none)
        }
        _ => false,
    }
}

fn lacking<'t>(
    query: &Query,
    write: &Write,
    table: &'t Table,
    schema: &Schema,
    is_null: &dyn Fn(&Expr) -> bool,
) -> Vec<Lacking<'t>> {
    let rows: Vec<&[Expr]> = match write.source.map(|source| &query.block(source).body) {
        Some(Body::Values(rows)) => rows.iter().map(Vec::as_slice).collect(),
        Some(Body::Select(select)) if select.star.is_none() => vec![select.projection.as_slice()],
        Some(_) if write.assignments.is_empty() => return Vec::new(),
        Some(_) | None => Vec::new(),
    };
    // Without a column list, the values are for the first columns.
    let named: Vec<&str> = if write.assignments.is_empty() {
        let given = rows.iter().map(|row| row.len()).min().unwrap_or(0);
        if given == 0 && write.source.is_some() && schema.dialect != Dialect::MySql {
            return Vec::new();
        }
        table.columns.iter().take(given).map(|column| column.name.as_str()).collect()
    } else {
        write.assignments.iter().map(|(column, _)| column.as_str()).collect()
    };
    let mut places: HashMap<String, usize> = HashMap::new();
    for (at, name) in named.iter().enumerate() {
        places.entry(name.to_ascii_lowercase()).or_insert(at);
    }
    let judge = |column: &'t Column| {
        let Some(at) = places.get(&column.name.to_ascii_lowercase()).copied() else {
            return is_required(column, table, schema).then_some(Lacking { column, is_null: false });
        };
        if !refuses_null(column, table, schema) {
            return None;
        }
        let set = write.assignments.get(at).and_then(|(_, value)| value.as_ref());
        let given = rows.iter().filter_map(|row| row.get(at)).any(is_null) || set.is_some_and(is_null);
        given.then_some(Lacking { column, is_null: true })
    };
    table.columns.iter().filter_map(judge).collect()
}

/// Whether an explicit NULL is rejected for a column, regardless of its default.
fn refuses_null(column: &Column, table: &Table, schema: &Schema) -> bool {
    match schema.dialect {
        Dialect::Postgres => {
            (column.not_null || OfDomain::of(column, schema).not_null) && column.generated.is_none()
        }
        // There NULL requests the next number, or the current time.
        Dialect::MySql => {
            let is_time = column.ty.to_ascii_lowercase().starts_with("timestamp");
            column.not_null && !column.identity && !is_time && column.generated.is_none()
        }
        Dialect::Sqlite => {
            let is_rowid = table.rowid_alias().is_some_and(|alias| alias.name == column.name);
            column.not_null && !is_rowid && column.generated.is_none()
        }
    }
}

/// The maximum length of a chain of domains.
const MAX_DOMAIN_CHAIN: usize = 32;

/// The properties that a column inherits from the domains behind its type.
#[derive(Default)]
struct OfDomain {
    not_null: bool,
    /// Whether one of them has a default, which applies to domains over it as well.
    has_default: bool,
}

impl OfDomain {
    fn of(column: &Column, schema: &Schema) -> OfDomain {
        let mut found = OfDomain::default();
        let mut ty = column.ty.clone();
        for _ in 0..MAX_DOMAIN_CHAIN {
            let (of, name) = ty.rsplit_once('.').map_or((None, ty.as_str()), |(of, name)| (Some(of), name));
            let of = of.map(|of| of.trim_matches('"'));
            let Some(UserType::Domain { base, not_null, default, .. }) =
                schema.user_type(of, name.trim_matches('"'))
            else {
                break;
            };
            found.not_null |= not_null;
            found.has_default |= default.is_some();
            ty = base.clone();
        }
        found
    }
}

/// Whether every row needs an explicit value for a column.
fn is_required(column: &Column, table: &Table, schema: &Schema) -> bool {
    let of_domain = match schema.dialect {
        Dialect::Postgres => OfDomain::of(column, schema),
        Dialect::MySql | Dialect::Sqlite => OfDomain::default(),
    };
    let mut not_null = column.not_null || of_domain.not_null;
    let mut is_filled = column.default.is_some() || of_domain.has_default;
    is_filled |= column.identity || column.generated.is_some();
    let ty = column.ty.to_ascii_lowercase();
    match schema.dialect {
        Dialect::Postgres => is_filled |= ty.contains("serial"),
        Dialect::MySql => {
            is_filled |= ty.starts_with("enum") || ty.starts_with("timestamp") || ty.starts_with("serial");
        }
        Dialect::Sqlite => {
            is_filled |= table.rowid_alias().is_some_and(|alias| alias.name == column.name);
            not_null |= table.without_rowid && table.primary_key.contains(&column.name);
        }
    }
    not_null && !is_filled
}

fn wording(table: &Name, lacking: &[Lacking<'_>]) -> Finding {
    let named = |of: &[&Lacking<'_>]| {
        of.iter().map(|it| format!("`{}`", it.column.name)).collect::<Vec<_>>().join(", ")
    };
    let (nulls, absent): (Vec<_>, Vec<_>) = lacking.iter().partition(|it| it.is_null);
    let message = if absent.is_empty() {
        format!("this INSERT writes NULL to {} of `{table}`, which refuses it", named(&nulls))
    } else {
        format!("this INSERT leaves out {} of `{table}`, which must have a value", named(&absent))
    };
    let finding = Finding::new(LINT.name, message);
    match absent.is_empty() {
        true => finding.help(format!("give {} a value", named(&nulls))),
        false => finding.help(format!("add {} to the columns, with a value", named(&absent))),
    }
}

#[cfg(test)]
mod tests {
    use crate::check::Checker;
    use crate::config::Config;
    use crate::lints::tests::{fires, silent};
    use crate::schema::Replay;
    use crate::sql::Dialect;

    #[test]
    fn fires_where_a_row_is_refused() {
        for sql in [
            "INSERT INTO users (name) VALUES ($1)",
            "INSERT INTO users (name, email) VALUES ($1, NULL)",
            "INSERT INTO users (name, email) VALUES ($1, $2), ($3, NULL)",
            "INSERT INTO events (user_id, name, is_active) VALUES ($1, $2, NULL)",
            "INSERT INTO users (email) SELECT name FROM servers",
            "INSERT INTO servers DEFAULT VALUES",
            "INSERT INTO users (name) VALUES ($1) ON CONFLICT DO NOTHING",
            "WITH u AS (INSERT INTO users (email) VALUES ($1) RETURNING id) SELECT id FROM u",
        ] {
            fires("missing_required_column", sql);
        }
    }

    /// The findings for an INSERT into `t (id, e)`, where `e` has domain `d`.
    fn on_domain(ddl: &str, sql: &str) -> Vec<String> {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(ddl, "domains.sql");
        assert_eq!(replay.problems, []);
        let config = Config::default();
        let checker = Checker::new(&config, Some(&replay.schema), Dialect::Postgres);
        checker.query(sql, None).findings.into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn domains_refuse_and_fill_as_columns_do() {
        let leaves_out = "this INSERT leaves out `e` of `t`, which must have a value";
        for (domains, column, expected) in [
            ("CREATE DOMAIN d AS text NOT NULL", "e d", Some(leaves_out)),
            ("CREATE DOMAIN b AS text NOT NULL; CREATE DOMAIN d AS b", "e d", Some(leaves_out)),
            ("CREATE DOMAIN b AS text DEFAULT 'x'; CREATE DOMAIN d AS b NOT NULL", "e d", None),
            ("CREATE DOMAIN d AS text DEFAULT 'x'", "e d NOT NULL", None),
            ("CREATE DOMAIN d AS text NOT NULL", "e d DEFAULT 'x'", None),
            ("CREATE DOMAIN d AS text NOT NULL", "e d[]", None),
            ("CREATE DOMAIN d AS text", "e d", None),
        ] {
            let ddl = format!("{domains}; CREATE TABLE t (id bigint PRIMARY KEY, {column});");
            let found = on_domain(&ddl, "INSERT INTO t (id) VALUES (1)");
            assert_eq!(found.first().map(String::as_str), expected, "{ddl}");
        }
        let ddl =
            "CREATE DOMAIN d AS text NOT NULL DEFAULT 'x'; CREATE TABLE t (id bigint PRIMARY KEY, e d);";
        assert_eq!(
            on_domain(ddl, "INSERT INTO t (id, e) VALUES (1, NULL)"),
            ["this INSERT writes NULL to `e` of `t`, which refuses it"]
        );
    }

    #[test]
    fn silent_where_the_database_fills_it() {
        for sql in [
            "INSERT INTO users (name, email) VALUES ($1, $2)",
            "INSERT INTO logs (event_id) VALUES ($1)",
            "INSERT INTO events (user_id, name, server_id) VALUES ($1, $2, NULL)",
            "INSERT INTO events (user_id, name, is_active) VALUES ($1, $2, DEFAULT)",
            "UPDATE users SET name = $1 WHERE id = $2",
            "INSERT INTO elsewhere (a) VALUES ($1)",
        ] {
            silent("missing_required_column", sql);
        }
    }
}
