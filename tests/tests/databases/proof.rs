//! Proves advice: the generated migrations are applied to a real database full of rows, which plans every
//! query again.

use std::collections::BTreeSet;

use query_budget_analysis::index::{Access, Advice, Queried, Verdict, accesses, advise, steps};
use query_budget_analysis::schema::{Replay, Schema};
use query_budget_analysis::sql::{Query, resolve};
use query_budget_tests::plans::{self, Read};
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row, SqliteConnection};

/// Queries of one database, as the engine understands them.
pub(crate) struct Workload {
    pub(crate) schema: Schema,
    pub(crate) sql: Vec<String>,
    queries: Vec<Query>,
    reads: Vec<Vec<Access>>,
    pub(crate) advice: Vec<Advice>,
}

/// The outcome of the advice.
#[derive(Debug, Default)]
pub(crate) struct Proof {
    /// Accesses that no index serves.
    pub(crate) unserved: usize,
    /// Indexes advised.
    pub(crate) advised: usize,
    /// Accesses that are still unserved once the advice is applied, according to the engine.
    pub(crate) left_unserved: Vec<String>,
    /// Unserved accesses that the advice claims to serve.
    pub(crate) claimed: usize,
    /// Those of them that the database now reads by an index.
    pub(crate) served: usize,
    /// The others, each with the database's plan.
    pub(crate) missed: Vec<String>,
    /// Advised indexes that no plan uses.
    pub(crate) unused: Vec<String>,
    /// Advised indexes that are redundant next to another, or that make an existing one redundant which
    /// stays.
    pub(crate) redundant: Vec<String>,
}

impl Workload {
    /// The engine's verdicts on queries against a schema. Queries that do not parse are skipped.
    pub(crate) fn new(schema: Schema, sql: impl IntoIterator<Item = String>) -> Workload {
        let understood = sql.into_iter().filter_map(|sql| {
            let query = resolve(&sql, schema.dialect, Some(&schema)).ok()?;
            Some((sql, query))
        });
        let (sql, queries): (Vec<String>, Vec<Query>) = understood.unzip();
        let reads: Vec<Vec<Access>> = queries.iter().map(|query| accesses(query, &schema)).collect();
        let queried: Vec<Queried<'_>> = queries
            .iter()
            .zip(&reads)
            .map(|(query, accesses)| Queried { query, accesses, is_open: true, repeats: false })
            .collect();
        // An index on a foreign key is for rows that are deleted elsewhere, rather than for a query.
        let mut advice = advise(&schema, &queried, &|_| false);
        advice.retain(|advice| !advice.serves.is_empty());
        Workload { schema, sql, queries, reads, advice }
    }

    /// The statements of the migrations generated for the advice, migration by migration.
    pub(crate) fn migrations(&self) -> impl Iterator<Item = String> {
        steps(&self.schema, &self.advice).into_iter().map(|step| step.up)
    }

    /// How many accesses have a verdict, according to the engine.
    pub(crate) fn count(&self, verdict: Verdict) -> usize {
        self.reads.iter().flatten().filter(|access| access.verdict == verdict).count()
    }

    /// The unserved accesses that the advice claims to serve, as query and alias; and those that it leaves
    /// unserved.
    fn claims(&self) -> (Vec<(usize, String)>, Vec<String>) {
        let mut replay = Replay::new(self.schema.dialect);
        replay.schema = self.schema.clone();
        for text in self.migrations() {
            replay.apply(&text, "advice.sql");
        }
        let (mut claims, mut left) = (Vec::new(), Vec::new());
        for (at, (query, before)) in self.queries.iter().zip(&self.reads).enumerate() {
            let serves = |table| {
                self.advice.iter().any(|advice| advice.index.table == table && advice.serves.contains(&at))
            };
            let after = accesses(query, &replay.schema);
            for access in before.iter().filter(|access| access.verdict == Verdict::Unserved) {
                let is_served =
                    after.iter().any(|it| it.relation == access.relation && it.verdict == Verdict::Served);
                if is_served && serves(access.table.clone()) {
                    claims.push((at, access.alias.clone()));
                } else {
                    left.push(format!("{}: {}", access.alias, self.sql[at]));
                }
            }
        }
        (claims, left)
    }

    /// Compares the claims with the plans of each query. An access is served if some plan of its query
    /// searches an index: the planner's own, or the one that avoids reading tables in full.
    fn compare(&self, plans: &[Vec<Vec<Read>>], redundant: Vec<String>) -> Proof {
        let (claims, left_unserved) = self.claims();
        let mut proof = Proof {
            unserved: self.count(Verdict::Unserved),
            left_unserved,
            advised: self.advice.len(),
            claimed: claims.len(),
            redundant,
            ..Proof::default()
        };
        for (at, alias) in claims {
            let seen = || plans[at].iter().flatten().filter(|read| read.is_of(&alias));
            if seen().any(|read| read.is_served) {
                proof.served += 1;
            } else {
                let said: Vec<&str> = seen().map(|read| read.said.as_str()).collect();
                proof.missed.push(format!("{alias}: {said:?}\n    {}", self.sql[at]));
            }
        }
        let used: BTreeSet<&String> =
            plans.iter().flatten().flatten().flat_map(|read| &read.indexes).collect();
        let unused = self.advice.iter().filter(|advice| !used.contains(&advice.name));
        proof.unused = unused.map(|advice| format!("{} for {:?}", advice.name, advice.serves)).collect();
        proof
    }

    /// Applies the advice to a PostgreSQL database with the schema and rows.
    pub(crate) async fn prove_on_postgres(&self, connection: &mut PgConnection) -> Proof {
        for text in self.migrations() {
            let applied = connection.execute(sqlx::raw_sql(AssertSqlSafe(text.clone()))).await;
            applied.unwrap_or_else(|error| panic!("{error}:\n{text}"));
        }
        connection.execute("ANALYZE").await.expect("count the rows");
        let mut plans = Vec::new();
        for sql in &self.sql {
            let both = plans::postgres::plans(connection, sql).await.expect("a plan").unwrap_or_default();
            plans.push(both.to_vec());
        }
        let rows = connection.fetch_all(sqlx::raw_sql(REDUNDANT)).await.expect("compare the indexes");
        let pairs = rows.iter().map(|row| (row.get::<String, _>(0), row.get::<String, _>(1)));
        self.compare(&plans, self.new_among(pairs))
    }

    /// Applies the advice to a SQLite database with the schema and rows.
    pub(crate) async fn prove_on_sqlite(&self, connection: &mut SqliteConnection) -> Proof {
        for text in self.migrations() {
            let applied = connection.execute(sqlx::raw_sql(AssertSqlSafe(text.clone()))).await;
            applied.unwrap_or_else(|error| panic!("{error}:\n{text}"));
        }
        let mut plans = Vec::new();
        for sql in &self.sql {
            let plan = plans::sqlite::plan(connection, sql).await.expect("a plan").unwrap_or_default();
            plans.push(vec![plan]);
        }
        let rows =
            connection.fetch_all(sqlx::raw_sql(REDUNDANT_IN_SQLITE)).await.expect("compare the indexes");
        let pairs = rows.iter().map(|row| (row.get::<String, _>(0), row.get::<String, _>(1)));
        self.compare(&plans, self.new_among(pairs))
    }

    /// The pairs of indexes that involve the advice.
    fn new_among(&self, pairs: impl Iterator<Item = (String, String)>) -> Vec<String> {
        let is_new = |name: &String| self.advice.iter().any(|advice| advice.name == *name);
        let pairs = pairs.filter(|(less, more)| is_new(less) || is_new(more));
        pairs.map(|(less, more)| format!("{less} beside {more}")).collect()
    }
}

impl Proof {
    /// The percentage of claims that are true.
    pub(crate) fn percent(&self) -> f64 {
        if self.claimed == 0 { 100.0 } else { 100.0 * self.served as f64 / self.claimed as f64 }
    }

    /// The head of the table.
    pub(crate) fn heading() -> String {
        format!(
            "\n{:<20}{:>10}{:>9}{:>9}{:>8}{:>10}{:>8}{:>8}{:>11}",
            "advice", "unserved", "indexes", "claimed", "served", "percent", "left", "unused", "redundant"
        )
    }

    /// A line of the table.
    pub(crate) fn line(&self, name: &str) -> String {
        format!(
            "{name:<20}{:>10}{:>9}{:>9}{:>8}{:>10.2}{:>8}{:>8}{:>11}",
            self.unserved,
            self.advised,
            self.claimed,
            self.served,
            self.percent(),
            self.left_unserved.len(),
            self.unused.len(),
            self.redundant.len()
        )
    }
}

/// Indexes that are a prefix of another one with the same method, classes, order and condition, by the
/// catalog: the redundant one, and the other.
const REDUNDANT: &str = "
    SELECT less.indexrelid::regclass::text, more.indexrelid::regclass::text
    FROM pg_index less
    JOIN pg_index more ON more.indrelid = less.indrelid AND more.indexrelid <> less.indexrelid
    JOIN pg_class l ON l.oid = less.indexrelid
    JOIN pg_class m ON m.oid = more.indexrelid AND m.relam = l.relam
    WHERE NOT less.indisunique
      AND pg_get_expr(less.indpred, less.indrelid) IS NOT DISTINCT FROM pg_get_expr(more.indpred, more.indrelid)
      AND (SELECT bool_and(pg_get_indexdef(less.indexrelid, n, true) = pg_get_indexdef(more.indexrelid, n, true)
                AND less.indclass[n - 1] = more.indclass[n - 1] AND less.indoption[n - 1] = more.indoption[n - 1]
                AND less.indcollation[n - 1] = more.indcollation[n - 1])
           FROM generate_series(1, less.indnkeyatts) n)
      AND less.indnkeyatts <= more.indnkeyatts
      AND (l.relam = (SELECT oid FROM pg_am WHERE amname = 'btree') OR less.indnkeyatts = more.indnkeyatts)
      AND less.indnatts - less.indnkeyatts <= more.indnatts - more.indnkeyatts";

/// The same in SQLite, by the text of its keys.
const REDUNDANT_IN_SQLITE: &str = "
    WITH keys AS (
        SELECT t.name AS t, i.name AS i, i.\"unique\" AS u, i.partial AS p,
            (SELECT group_concat(coalesce(c.name, '?') || c.\"desc\" || c.coll, ',')
             FROM pragma_index_xinfo(i.name) c WHERE c.key) || ',' AS k,
            (SELECT sql FROM sqlite_schema WHERE name = i.name) AS ddl
        FROM sqlite_schema t, pragma_index_list(t.name) i WHERE t.type = 'table')
    SELECT less.i, more.i FROM keys less JOIN keys more ON more.t = less.t AND more.i <> less.i
    WHERE NOT less.u AND NOT less.p AND NOT more.p AND less.k NOT LIKE '%?%'
      AND substr(more.k, 1, length(less.k)) = less.k";
