//! The cost of checking a query compared with parsing it: `cargo bench -p query-budget-analysis`.
//!
//! Measures the queries of `QUERY_BUDGET_CORPUS`, or of `shared/corpus` beside the workspace; without either,
//! the queries and tables in `benches/fixture`. Prints at the end: the ratio of the two times, the time to
//! replay the longest migrations, and how the time to check and advise the folder with the most queries grows
//! with it.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use query_budget_analysis::Config;
use query_budget_analysis::check::{Checked, Checker};
use query_budget_analysis::index;
use query_budget_analysis::schema::{Migration, Name, Schema, layouts, replay};
use query_budget_analysis::sql::{Dialect, Query, resolve, with_large_stack};
use query_budget_analysis::types;
use sqlparser::dialect::{PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

/// The queries of one database, with the schema that its migrations create.
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
        let migrations = layouts::select("", files.collect(), None).migrations;
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

    /// Parses only, without rewrites.
    fn parse(&self) {
        for sql in &self.queries {
            let parsed = match self.dialect {
                Dialect::Sqlite => Parser::parse_sql(&SQLiteDialect {}, sql),
                _ => Parser::parse_sql(&PostgreSqlDialect {}, sql),
            };
            black_box(parsed.is_ok());
        }
    }

    /// The queries with their names resolved.
    fn resolved(&self) -> Vec<Query> {
        let queries = self.queries.iter().map(|sql| resolve(sql, self.dialect, Some(&self.schema)));
        queries.flatten().collect()
    }

    /// The types of every query.
    fn describe(&self, queries: &[Query]) {
        for query in queries {
            black_box(types::describe(query, &self.schema, self.dialect));
        }
    }

    /// Runs all checks on the queries.
    fn check(&self, config: &Config) {
        let checker = Checker::new(config, Some(&self.schema), self.dialect);
        for sql in &self.queries {
            black_box(checker.query(sql, None));
        }
    }
}

impl Folder {
    /// This many copies of the tables and queries, each with names of its own.
    fn repeated(&self, times: usize) -> Folder {
        let mut schema = self.schema.clone();
        let mut queries = Vec::new();
        for time in 0..times {
            let renamed =
                |name: &Name| Name { schema: name.schema.clone(), name: format!("{}_{time}", name.name) };
            for table in self.schema.tables.values() {
                let mut copy = table.clone();
                copy.name = renamed(&table.name);
                copy.parent = copy.parent.as_ref().map(renamed);
                copy.foreign_keys.iter_mut().for_each(|key| key.table = renamed(&key.table));
                schema.tables.insert(copy.name.clone(), copy);
            }
            queries.extend(self.queries.iter().map(|sql| self.with_suffix(sql, time)));
        }
        Folder { dialect: self.dialect, migrations: Vec::new(), schema, queries }
    }

    /// The query with a number appended to each word that names a table.
    fn with_suffix(&self, sql: &str, number: usize) -> String {
        let is_table = |word: &str| self.schema.table(None, &word.to_lowercase()).is_some();
        let mut renamed = String::with_capacity(sql.len() * 2);
        for word in sql.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_')) {
            let name = word.trim_end_matches(|c: char| !(c.is_alphanumeric() || c == '_'));
            renamed.push_str(name);
            if is_table(name) {
                renamed.push_str(&format!("_{number}"));
            }
            renamed.push_str(&word[name.len()..]);
        }
        renamed
    }

    /// Checks all queries, and advises indexes for them.
    fn check_and_advise(&self, config: &Config) {
        let checker = Checker::new(config, Some(&self.schema), self.dialect);
        let checked: Vec<Checked> = self.queries.iter().map(|sql| checker.query(sql, None)).collect();
        let queries = checked.iter().filter_map(|one| {
            let query = one.query.as_ref().ok()?;
            Some(index::Queried { query, accesses: &one.accesses, is_open: true, repeats: false })
        });
        let queries: Vec<index::Queried<'_>> = queries.collect();
        black_box(index::advise(&self.schema, &queries, &|_| false));
    }
}

/// Prints the time to check and advise a workload, and 10 and 100 copies of it.
fn growth(folder: &Folder, config: &Config) {
    println!("{} queries on {} tables:", folder.queries.len(), folder.schema.tables.len());
    for times in [1, 10, 100] {
        let repeated = folder.repeated(times);
        let runs = if times == 100 { 1 } else { 5 };
        let time = |()| {
            let start = Instant::now();
            repeated.check_and_advise(config);
            start.elapsed()
        };
        let least = (0..runs).map(|_| time(())).min().unwrap_or_default();
        let each = least / u32::try_from(times).unwrap_or(1);
        println!("  {times:>3} times: checked and advised in {least:.1?}, {each:.1?} each");
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

/// The shortest of several runs, because other activity on the machine only adds to the time.
fn shortest(mut run: impl FnMut()) -> Duration {
    let time = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..15).map(|_| time(&mut run)).min().unwrap_or_default()
}

fn main() {
    with_large_stack(measure);
}

fn measure() {
    let folders = folders();
    let config = Config::default();
    let count: usize = folders.iter().map(|folder| folder.queries.len()).sum();
    let parse = || folders.iter().for_each(Folder::parse);
    let check = || folders.iter().for_each(|folder| folder.check(&config));
    let resolved: Vec<Vec<Query>> = folders.iter().map(Folder::resolved).collect();
    let describe = || folders.iter().zip(&resolved).for_each(|(folder, queries)| folder.describe(queries));
    let longest = folders.iter().max_by_key(|folder| folder.migrations.len());

    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    let mut group = criterion.benchmark_group("queries");
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function("parse alone", |bencher| bencher.iter(parse));
    group.bench_function("parse, resolve and lint", |bencher| bencher.iter(check));
    group.bench_function("types", |bencher| bencher.iter(describe));
    group.finish();
    if let Some(folder) = longest {
        criterion.bench_function("replay", |bencher| {
            bencher.iter(|| black_box(replay(&folder.migrations, folder.dialect)));
        });
    }
    criterion.final_summary();

    let (parse, check, describe) = (shortest(parse), shortest(check), shortest(describe));
    let ratio = check.as_secs_f64() / parse.as_secs_f64();
    println!("{count} queries: parsed in {parse:.1?}, checked in {check:.1?}: {ratio:.2} times as long");
    // Checking includes the lint on types.
    let share = describe.as_secs_f64() / (check - describe.min(check)).as_secs_f64();
    println!("typed in {describe:.1?}: {:.0} % of the rest", 100.0 * share);
    if let Some(folder) = folders.iter().max_by_key(|folder| folder.queries.len()) {
        growth(folder, &config);
    }
    if let Some(folder) = longest {
        let time = shortest(|| {
            black_box(replay(&folder.migrations, folder.dialect));
        });
        println!("{} migrations: replayed in {time:.1?}", folder.migrations.len());
    }
}
