//! What checking a query costs beside what parsing it costs: `cargo bench -p query-budget-analysis`.
//!
//! Over the queries of `QUERY_BUDGET_CORPUS`, or of `shared/corpus` beside the workspace; without either, over the
//! queries and tables that stand in `benches/fixture`. The ratio of the two, and the time to replay the longest
//! migrations, are printed at the end.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use query_budget_analysis::Config;
use query_budget_analysis::check::Checker;
use query_budget_analysis::schema::{Migration, Schema, migrations, replay};
use query_budget_analysis::sql::Dialect;
use sqlparser::dialect::{PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

/// The queries of one database, with what its migrations leave.
struct Folder {
    dialect: Dialect,
    migrations: Vec<Migration>,
    schema: Schema,
    queries: Vec<String>,
}

impl Folder {
    fn read(path: &Path) -> Option<Folder> {
        let files = std::fs::read_dir(path.join("migrations")).ok()?.flatten();
        let files = files.filter_map(|entry| {
            Some((entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).ok()?))
        });
        let (migrations, _) = migrations::select(files.collect());
        let queries = std::fs::read_to_string(path.join("queries.jsonl")).ok()?;
        let queries: Vec<String> = queries
            .lines()
            .filter_map(|line| {
                serde_json::from_str::<serde_json::Value>(line).ok()?["query"].as_str().map(str::to_owned)
            })
            .collect();
        let sqlite = migrations.iter().any(|migration| migration.sql.contains("PRAGMA"));
        let dialect = if sqlite { Dialect::Sqlite } else { Dialect::Postgres };
        let schema = replay(&migrations, dialect).schema;
        Some(Folder { dialect, migrations, schema, queries })
    }

    /// The parser alone, as it comes.
    fn parse(&self) {
        for sql in &self.queries {
            let parsed = match self.dialect {
                Dialect::Sqlite => Parser::parse_sql(&SQLiteDialect {}, sql),
                _ => Parser::parse_sql(&PostgreSqlDialect {}, sql),
            };
            black_box(parsed.is_ok());
        }
    }

    /// Everything that is asked of a query.
    fn check(&self, config: &Config) {
        let checker = Checker::new(config, Some(&self.schema), self.dialect);
        for sql in &self.queries {
            black_box(checker.query(sql, None));
        }
    }
}

fn folders() -> Vec<Folder> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let corpus = std::env::var_os("QUERY_BUDGET_CORPUS").map_or(beside, PathBuf::from);
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(corpus).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let folders: Vec<Folder> = paths.iter().filter_map(|path| Folder::read(path)).collect();
    if !folders.is_empty() {
        return folders;
    }
    Folder::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/fixture")).into_iter().collect()
}

/// The shortest of several runs: what else the machine does only ever adds to it.
fn shortest(mut run: impl FnMut()) -> Duration {
    let time = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..15).map(|_| time(&mut run)).min().unwrap_or_default()
}

fn main() {
    let folders = folders();
    let config = Config::default();
    let count: usize = folders.iter().map(|folder| folder.queries.len()).sum();
    let parse = || folders.iter().for_each(Folder::parse);
    let check = || folders.iter().for_each(|folder| folder.check(&config));
    let longest = folders.iter().max_by_key(|folder| folder.migrations.len());

    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    let mut group = criterion.benchmark_group("queries");
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function("parse alone", |bencher| bencher.iter(parse));
    group.bench_function("parse, resolve and lint", |bencher| bencher.iter(check));
    group.finish();
    if let Some(folder) = longest {
        criterion.bench_function("replay", |bencher| {
            bencher.iter(|| black_box(replay(&folder.migrations, folder.dialect)));
        });
    }
    criterion.final_summary();

    let (parse, check) = (shortest(parse), shortest(check));
    let ratio = check.as_secs_f64() / parse.as_secs_f64();
    println!("{count} queries: parsed in {parse:.1?}, checked in {check:.1?}: {ratio:.2} times as long");
    if let Some(folder) = longest {
        let time = shortest(|| {
            black_box(replay(&folder.migrations, folder.dialect));
        });
        println!("{} migrations: replayed in {time:.1?}", folder.migrations.len());
    }
}
