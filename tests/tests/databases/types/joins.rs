//! Which columns of joins can be NULL, compared with the server's description of generated queries on tables that were
//! never analysed, as `sqlx prepare` finds them after the migrations.

use query_budget_analysis::schema::Replay;
use query_budget_analysis::sql::{Dialect, resolve};
use query_budget_analysis::types::{Planned, describe_planned};
use query_budget_tests::with_postgres;
use sqlx::{AssertSqlSafe, Executor as _, PgPool, SqlSafeStr as _};

/// Tables with long and short rows, keys of one and of two columns, and a column without an index.
const TABLES: &str = "
    CREATE TYPE size AS ENUM ('small', 'large');
    CREATE TABLE maker (id uuid PRIMARY KEY, name text NOT NULL);
    CREATE TABLE shop (id bigserial PRIMARY KEY, maker uuid NOT NULL REFERENCES maker, mail text NOT NULL UNIQUE,
        open bool NOT NULL, at timestamptz NOT NULL);
    CREATE TABLE item (id bigserial PRIMARY KEY, shop bigint NOT NULL REFERENCES shop, title text NOT NULL, body text,
        kind varchar(20) NOT NULL, n int NOT NULL, size size NOT NULL);
    CREATE INDEX ON item (shop);
    CREATE TABLE tag (id serial PRIMARY KEY, label varchar(50) NOT NULL UNIQUE);
    CREATE TABLE item_tag (item bigint NOT NULL REFERENCES item, tag int NOT NULL REFERENCES tag,
        PRIMARY KEY (item, tag));
    CREATE TABLE note (id int NOT NULL, shop bigint NOT NULL, text text NOT NULL, tag smallint NOT NULL);
    CREATE TABLE wide (id uuid PRIMARY KEY, item bigint NOT NULL, a text NOT NULL, b text NOT NULL, c text NOT NULL,
        d jsonb NOT NULL, e jsonb NOT NULL, f varchar(500) NOT NULL, g numeric(20,4) NOT NULL);";

/// Two tables, and the condition that joins them.
const PAIRS: [[&str; 3]; 12] = [
    ["shop", "item", "item.shop = shop.id"],
    ["shop", "maker", "maker.id = shop.maker"],
    ["item", "item_tag", "item_tag.item = item.id"],
    ["tag", "item_tag", "item_tag.tag = tag.id"],
    ["shop", "note", "note.shop = shop.id"],
    ["item", "wide", "wide.item = item.id"],
    ["note", "item", "note.shop = item.shop"],
    ["note", "tag", "note.tag = tag.id"],
    ["shop", "item", "item.title = shop.mail"],
    ["maker", "wide", "wide.a = maker.name"],
    ["wide", "maker", "wide.id = maker.id"],
    ["item", "tag", "item.kind = tag.label"],
];

/// Conditions on one table.
const CONDITIONS: [[&str; 2]; 40] = [
    ["shop", "shop.open"],
    ["shop", "shop.mail = 'x'"],
    ["shop", "shop.id > 5"],
    ["shop", "shop.at < now()"],
    ["shop", "shop.id = ANY($1)"],
    ["item", "item.n = 3"],
    ["item", "item.body IS NULL"],
    ["item", "item.title LIKE 'a%'"],
    ["item", "item.size = 'small'"],
    ["item", "item.n > 3 AND item.n < 9"],
    ["item", "($1::text IS NULL OR item.kind = $1)"],
    ["maker", "maker.name = 'x'"],
    ["tag", "tag.id < 3"],
    ["tag", "tag.label IN ('a', 'b')"],
    ["item_tag", "item_tag.tag = 3"],
    ["item_tag", "item_tag.item = 7"],
    ["note", "note.text = 'x'"],
    ["wide", "wide.a <> 'x'"],
    // Conditions that demand a row of one table, as arms together or through functions do.
    ["item", "(item.n = 3 OR item.title = 'x')"],
    ["maker", "lower(maker.name) = 'x'"],
    ["note", "length(note.text) > 3"],
    ["wide", "wide.d->>'k' = 'x'"],
    ["item", "coalesce(item.n, 3) = 3"],
    // Searches of an index.
    ["tag", "tag.id BETWEEN 2 AND 8"],
    ["item", "item.shop = 3"],
    // Parameters, which are NULL to sqlx before 0.9, and anything since.
    ["shop", "shop.id = $1"],
    ["shop", "shop.mail = $1 AND shop.open = $2"],
    ["maker", "maker.id = $1"],
    ["maker", "maker.id = ANY($1)"],
    ["item", "item.n = $1"],
    ["item", "item.id = ANY($1) AND item.n > $2"],
    ["item", "($1::text IS NULL OR item.title ILIKE '%' || $1 || '%')"],
    ["tag", "tag.id BETWEEN $1 AND $2"],
    ["note", "note.text = $1"],
    ["item_tag", "item_tag.item = $1 AND item_tag.tag = $2"],
    ["wide", "(wide.a = $1 OR $1 IS NULL)"],
    ["shop", "$1::bool"],
    ["wide", "wide.g >= $1 AND wide.g < $2"],
    // Queries in conditions.
    ["note", "note.id = (SELECT max(id) FROM tag)"],
    ["maker", "(SELECT count(*) FROM shop s WHERE s.maker = maker.id) > 3"],
];

/// Joins of two tables: every kind, with conditions in ON and in WHERE, in and out of order.
fn of_two() -> Vec<String> {
    let mut all = Vec::new();
    for [left, right, on] in PAIRS {
        for kind in ["LEFT", "RIGHT", "FULL"] {
            let join = format!("SELECT {left}.*, {right}.* FROM {left} {kind} JOIN {right} ON {on}");
            all.push(join.clone());
            all.push(format!("{join} ORDER BY {left}.id").replace("item_tag.id", "item_tag.item"));
            all.extend(["LIMIT $1", "LIMIT 5 OFFSET $1", "OFFSET 0"].map(|limit| format!("{join} {limit}")));
            for [of, condition] in CONDITIONS.into_iter().filter(|[of, _]| *of == left || *of == right) {
                all.push(format!("{join} WHERE {condition}"));
                if kind != "FULL" {
                    all.push(format!("{join} AND {condition}"));
                }
                if of == left {
                    all.push(format!("{join} WHERE {condition} ORDER BY {left}.id"));
                }
            }
        }
    }
    all
}

/// The kinds of the joins of three tables.
const KINDS: [(&str, &str); 7] = [
    ("LEFT", "LEFT"),
    ("INNER", "LEFT"),
    ("LEFT", "INNER"),
    ("RIGHT", "LEFT"),
    ("RIGHT", "RIGHT"),
    ("INNER", "RIGHT"),
    ("LEFT", "FULL"),
];

/// Joins of three tables, with and without a condition, and the forms in which they are written.
fn of_three() -> Vec<String> {
    let mut all = Vec::new();
    for [one, two, first] in PAIRS {
        for [three, four, second] in PAIRS {
            let next = match (three == one || three == two, four == one || four == two) {
                (true, false) => four,
                (false, true) => three,
                _ => continue,
            };
            for (a, b) in KINDS {
                let joins = format!("FROM {one} {a} JOIN {two} ON {first} {b} JOIN {next} ON {second}");
                all.push(format!("SELECT {one}.*, {two}.*, {next}.* {joins}"));
                for [of, condition] in CONDITIONS.into_iter().skip(all.len() % 3).step_by(3) {
                    if of == one || of == two {
                        all.push(format!("SELECT {one}.*, {two}.*, {next}.* {joins} WHERE {condition}"));
                    }
                }
            }
        }
    }
    all
}

/// How queries are described, compared with what the server says.
#[derive(Debug, Default)]
struct Verdicts {
    right: usize,
    /// How many leave a column open.
    open: usize,
    wrong: Vec<String>,
    /// Those of which a column is said not to be NULL although the server says that it can be.
    tight: Vec<String>,
}

async fn judge(pool: &PgPool, queries: &[String], planned: Planned) -> Verdicts {
    let mut replay = Replay::new(Dialect::Postgres);
    replay.apply(TABLES, "tables.sql");
    assert_eq!(replay.problems, []);
    let mut all = Verdicts::default();
    let mut connection = pool.acquire().await.expect("a connection");
    let mode = if planned == Planned::ForAny { "force_generic_plan" } else { "auto" };
    let set = AssertSqlSafe(format!("SET plan_cache_mode = {mode}"));
    sqlx::raw_sql(set).execute(&mut *connection).await.expect("the server has the setting");
    for sql in queries {
        let truth = (&mut *connection).describe(AssertSqlSafe(sql.clone()).into_sql_str()).await;
        // Some conditions allow no full join.
        let Ok(truth) = truth else { continue };
        let query = resolve(sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
        let found = describe_planned(&query, &replay.schema, Dialect::Postgres, planned).columns;
        assert_eq!(found.len(), truth.columns.len(), "{sql}");
        let shown: Vec<_> =
            found.iter().map(|column| column.nullable.filter(|_| column.nullable_certain)).collect();
        let text = || format!("{sql}\n    {shown:?}\n    {:?}", truth.nullable);
        let mut pairs = shown.iter().zip(&truth.nullable);
        if pairs.clone().any(|pair| pair == (&Some(false), &Some(true))) {
            all.tight.push(text());
        } else if pairs.clone().any(|(found, truth)| found.is_some() && found != truth) {
            all.wrong.push(text());
        } else if pairs.any(|(found, _)| found.is_none()) {
            all.open += 1;
        } else {
            all.right += 1;
        }
    }
    all
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn joins_are_nullable_where_the_server_says_so() {
    with_postgres(|pool| async move {
        sqlx::raw_sql(TABLES).execute(&pool).await.expect("make the tables");
        let plans = [Planned::ForNulls, Planned::ForAny];
        let of = |tables, queries: Vec<String>| plans.map(|planned| (tables, queries.clone(), planned));
        for (tables, queries, planned) in [of("two", of_two()), of("three", of_three())].concat() {
            let Verdicts { right, open, wrong, tight } = judge(&pool, &queries, planned).await;
            let not = wrong.len() + tight.len();
            println!("of {tables} tables, {planned:?}: {right} right, {open} open, {not} wrong");
            assert!(tight.is_empty(), "said not to be NULL: {}", tight.join("\n"));
            assert!(wrong.is_empty(), "{}", wrong.join("\n"));
            let most = if tables == "two" { 0.1 } else { 0.6 };
            let all = right + open;
            assert!(all > 500 && open as f64 <= most * all as f64, "{right} right, {open} open");
        }
    })
    .await;
}
