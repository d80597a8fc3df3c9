//! The cost of checked queries in a build: `cargo run -p query-budget-tests --example build_cost [rounds]`.
//!
//! Creates three crates with 50 modules, 20,000 lines and 300 queries, which differ only in how queries are
//! made: by `sqlx::query()`, which checks nothing; by `sqlx::query!` with a prepared `.sqlx`; and by `sql!`
//! with a snapshot and all lints at their default levels. All have the same dependencies, because cargo
//! checks their state at every start. Then `cargo check` of each is timed in turn, with built dependencies
//! and unoptimised macros: once without incremental data from an earlier check of the crate, and once after
//! one edit in a module. The shortest CPU times are compared (wall-clock times except on Linux), because
//! other activity on the machine only adds to them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use query_budget_tests::workspace;
use sha2::{Digest, Sha256};

const MODULES: usize = 50;
const QUERIES: usize = 6;
/// The number of lines per module; those that are not queries are functions that compute something.
const LINES: usize = 400;

/// How a crate makes its queries.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Prepared,
    Checked,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Plain => "plain",
            Kind::Prepared => "prepared",
            Kind::Checked => "checked",
        }
    }

    fn expression(self, sql: &str) -> String {
        match self {
            Kind::Plain => format!("sqlx::query({sql:?}).bind(user).bind(at)"),
            Kind::Prepared => format!("sqlx::query!({sql:?}, user, at)"),
            Kind::Checked => format!("query_budget::sql!({sql:?}, user, at)"),
        }
    }
}

/// What exists already when a crate is checked.
#[derive(Clone, Copy)]
enum Kept {
    /// Only its dependencies.
    Nothing,
    /// The compiler's incremental data for the same crate before one edit.
    AllButAnEdit,
}

fn main() {
    let rounds = env::args().nth(1).and_then(|rounds| rounds.parse().ok()).unwrap_or(5);
    let kinds = [Kind::Plain, Kind::Prepared, Kind::Checked];
    let crates = kinds.map(write_crate);
    let lines: usize = (0..MODULES).map(|module| text(Kind::Plain, module).lines().count()).sum();
    println!(
        "{MODULES} modules, {lines} lines, {} queries; the dependencies are built first",
        MODULES * QUERIES
    );
    for dir in &crates {
        check(dir);
    }
    let mut times = [(); 2].map(|()| [(); 3].map(|()| Vec::new()));
    for round in 0..rounds {
        for (kept, times) in [Kept::Nothing, Kept::AllButAnEdit].into_iter().zip(&mut times) {
            for ((kind, dir), times) in kinds.iter().zip(&crates).zip(times) {
                match kept {
                    Kept::Nothing => forget(*kind),
                    Kept::AllButAnEdit => edit(dir, round),
                }
                times.push(check(dir));
            }
        }
    }
    let [anew, edited] = times.map(|times| times.map(|times| times.into_iter().min().unwrap_or_default()));
    report("checked anew", anew, rounds);
    report("checked after one edit", edited, rounds);
}

/// Prints the measurements, kind by kind.
fn report(what: &str, times: [Duration; 3], rounds: usize) {
    let [plain, prepared, checked] = times;
    let queries = (MODULES * QUERIES) as f64;
    println!("{what}:");
    for (kind, time) in [Kind::Plain, Kind::Prepared, Kind::Checked].iter().zip(times) {
        let more = time.saturating_sub(plain).as_secs_f64() * 1000.0 / queries;
        println!("{:<9} {:>7.2} s   {more:>6.2} ms a query more than plain", kind.name(), time.as_secs_f64());
    }
    let added = |time: Duration| time.saturating_sub(plain).as_secs_f64();
    println!(
        "`sql!` adds {:.2} of what `query!` adds; the crate takes {:.2} of the time ({rounds} rounds, the shortest of each)",
        added(checked) / added(prepared),
        checked.as_secs_f64() / prepared.as_secs_f64()
    );
}

/// Checks the crate, with its dependencies built, and returns how long it took.
fn check(dir: &Path) -> Duration {
    let root = dir.join("src/lib.rs");
    let text = fs::read_to_string(&root).expect("the root");
    fs::write(&root, text).expect("the root is touched");
    let mut command = Command::new(env!("CARGO"));
    command.args(["check", "--offline", "--quiet"]).current_dir(dir).env("SQLX_OFFLINE", "true");
    command.env("CARGO_TARGET_DIR", folder().join("target")).env("CARGO_INCREMENTAL", "1");
    for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "DATABASE_URL", "QUERY_BUDGET_CONFIG"] {
        command.env_remove(variable);
    }
    let (started, before) = (Instant::now(), time_of_children());
    let output = command.output().expect("cargo runs");
    let by_clock = started.elapsed();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    before.zip(time_of_children()).map_or(by_clock, |(before, after)| after - before)
}

/// The CPU time of all child processes that have ended, with a resolution of 10 ms.
fn time_of_children() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // After the name, which may contain anything: the 16th and 17th fields, for user and system time.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(13);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis((ticks()? + ticks()?) * 10))
}

/// Removes the compiler's incremental data for a crate.
fn forget(kind: Kind) {
    let kept = folder().join("target/debug/incremental");
    for entry in fs::read_dir(kept).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&format!("{}-", kind.name())) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Edits a function of one module, as a developer would.
fn edit(dir: &Path, round: usize) {
    let module = dir.join("src/m7.rs");
    let text = fs::read_to_string(&module).expect("a module");
    let kept = text.split("\npub fn edited").next().unwrap_or_default();
    fs::write(&module, format!("{kept}\npub fn edited() -> usize {{\n    {round}\n}}\n"))
        .expect("it is edited");
}

fn folder() -> PathBuf {
    workspace().join("target/build-cost")
}

fn write_crate(kind: Kind) -> PathBuf {
    let dir = folder().join(kind.name());
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(dir.join("src")).expect("a folder");
    let put = |name: &str, text: String| fs::write(dir.join(name), text).expect("a file");
    let runtime = workspace().join("runtime");
    put(
        "Cargo.toml",
        format!(
            "[package]\nname = \"{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
             query-budget = {{ path = {runtime:?}, features = [\"postgres\"] }}\n\
             sqlx = {{ version = \"0.9\", default-features = false, features = [\"macros\", \"postgres\"] }}\n\n\
             [workspace]\n",
            kind.name()
        ),
    );
    fs::copy(workspace().join("Cargo.lock"), dir.join("Cargo.lock")).expect("a lock file");
    let modules = (0..MODULES).fold(String::new(), |mut text, module| {
        let _ = writeln!(text, "pub mod m{module};");
        text
    });
    put("src/lib.rs", modules);
    for module in 0..MODULES {
        put(&format!("src/m{module}.rs"), text(kind, module));
    }
    match kind {
        Kind::Plain => {}
        Kind::Prepared => prepare(&dir),
        Kind::Checked => {
            put("query-budget.toml", "dialect = \"postgres\"\n".to_owned());
            put("schema.sql", schema());
        }
    }
    dir
}

/// A distinct query for each place: by primary key, so that no lint reports anything.
fn sql(module: usize, query: usize) -> String {
    format!(
        "SELECT t.id, t.name, t.user_id, o.total FROM t{module} AS t JOIN o{module} AS o ON o.t_id = t.id \
         WHERE t.user_id = $1 AND t.at > $2 AND o.state <> 'gone' ORDER BY t.at DESC LIMIT {}",
        10 + query
    )
}

fn schema() -> String {
    let mut text = String::new();
    for module in 0..MODULES {
        let _ = write!(
            text,
            "CREATE TABLE t{module} (id bigint PRIMARY KEY, name text NOT NULL, user_id bigint NOT NULL, at bigint NOT NULL);\n\
             CREATE INDEX t{module}_user_at ON t{module} (user_id, at);\n\
             CREATE TABLE o{module} (id bigint PRIMARY KEY, t_id bigint NOT NULL REFERENCES t{module} (id), \
             total bigint NOT NULL, state text NOT NULL);\n\
             CREATE INDEX o{module}_t ON o{module} (t_id);\n"
        );
    }
    text
}

fn text(kind: Kind, module: usize) -> String {
    let mut text = format!("//! Module {module}.\n\nuse sqlx::PgPool;\n\n");
    for query in 0..QUERIES {
        let expression = kind.expression(&sql(module, query));
        let _ = write!(
            text,
            "pub async fn load_{query}(db: &PgPool, user: i64, at: i64) -> sqlx::Result<usize> {{\n    \
                 let rows = {expression}\n        .fetch_all(db)\n        .await?;\n    Ok(rows.len())\n}}\n\n"
        );
    }
    let mut number = 0;
    while text.lines().count() < LINES {
        let _ = write!(
            text,
            "pub fn weigh_{number}(items: &[i64], limit: i64) -> Option<i64> {{\n    \
                 let mut sum = {number};\n    \
                 for (at, item) in items.iter().enumerate() {{\n        \
                     if *item > limit {{\n            sum += item * at as i64;\n        }} else {{\n            sum -= 1;\n        }}\n    \
                 }}\n    \
                 match sum {{\n        0 => None,\n        sum if sum < limit => Some(limit),\n        sum => Some(sum),\n    }}\n}}\n\n"
        );
        number += 1;
    }
    text
}

/// Writes what `cargo sqlx prepare` would write for the queries.
fn prepare(dir: &Path) {
    let folder = dir.join(".sqlx");
    fs::create_dir_all(&folder).expect("a folder");
    let column = |ordinal: usize, name: &str, ty: &str| serde_json::json!({ "ordinal": ordinal, "name": name, "type_info": ty });
    for (module, query) in (0..MODULES).flat_map(|module| (0..QUERIES).map(move |query| (module, query))) {
        let sql = sql(module, query);
        let hash = Sha256::digest(sql.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let described = serde_json::json!({
            "db_name": "PostgreSQL",
            "query": sql,
            "describe": {
                "columns": [
                    column(0, "id", "Int8"), column(1, "name", "Text"),
                    column(2, "user_id", "Int8"), column(3, "total", "Int8"),
                ],
                "parameters": { "Left": ["Int8", "Int8"] },
                "nullable": [false, false, false, false],
            },
            "hash": hash,
        });
        fs::write(folder.join(format!("query-{hash}.json")), described.to_string()).expect("a file");
    }
}
