//! The command line as data.

mod files;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use query_budget_analysis::Level;
use query_budget_analysis::lints::{ALL, Group, by_name};
use query_budget_analysis::sql::Dialect;
use query_budget_analysis::sql::text::most_similar;

pub(crate) use self::files::{Init, Migrate, PageFormat, Prepare, Report, Schema};
use self::files::{MIGRATE, REPORT};

/// What the exit codes mean.
const EXIT_CODES: &str = "Exit codes:
  0  clean: no finding at level deny; warnings do not fail
  1  findings at level deny, a bound over its budget, a stale snapshot, a planner that disagrees
  2  usage or input error: an option, a file or a configuration that cannot be used";

/// Checks every SQL query of a cargo workspace: indexes, limits, loops and budgets.
#[derive(Debug, Parser)]
#[command(
    name = "cargo query-budget",
    bin_name = "cargo query-budget",
    version,
    after_help = EXIT_CODES,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Whether to colour the report
    #[arg(long, value_enum, default_value = "auto", global = true)]
    pub(crate) color: Color,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check every query against the indexes, and print the indexes that would serve them all
    IndexCheck(IndexCheck),
    /// Run all lints over every query, raw sqlx calls and `.sqlx` folders included
    Check(Check),
    /// Explain a lint, or ask a live database's planner for the same verdicts as `index-check`
    #[command(long_about = EXPLAIN)]
    Explain(Explain),
    /// List how many queries each function runs at least and at most
    Budgets(Budgets),
    /// Write the snapshot `schema.sql` from migrations, or check that it is up to date
    Schema(Schema),
    /// Write `.sqlx` for sqlx's own macros from the schema, without a database, or check it
    Prepare(Prepare),
    /// Write one HTML file: who reads and writes each table, by which index, and what each function costs
    #[command(long_about = REPORT)]
    Report(Report),
    /// Write `query-budget.toml` and the snapshot into a workspace
    Init(Init),
    /// Move a workspace from sqlx's query macros to those of query-budget, or back
    #[command(long_about = MIGRATE)]
    Migrate(Migrate),
    /// Write the completions of a shell to standard output
    Completions(Completions),
    /// Write the manual pages
    Man(Man),
    /// Write the PostgreSQL type catalog from a live server
    #[cfg(feature = "live")]
    #[command(hide = true)]
    Catalog(Catalog),
    /// Write the pages of `docs/lints` from the lints' own documentation
    #[command(hide = true)]
    Docs(Docs),
    /// Lay out a new lint: its file, its registration, its UI cases and its changelog line
    #[command(hide = true)]
    NewLint(NewLint),
}

/// When to write colours.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    Auto,
    /// Also in a pipe.
    Always,
    /// Not at all.
    Never,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For a person
    Text,
    /// One JSON object; its paths are relative to PATH
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands of GitHub Actions, which annotate the lines of a pull request
    Github,
    /// A code quality report of GitLab
    Gitlab,
    /// JUnit's XML: what fails is a failure, what only warns is a skipped test
    Junit,
    /// Checkstyle's XML
    Checkstyle,
    /// Lines as compilers write them: `file:line:column: warning: message [lint]`
    Gcc,
}

/// How cargo writes messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MessageFormat {
    /// One JSON object per line, as `cargo check` writes them
    Json,
    /// One JSON object per line, with colours in the rendered text
    JsonDiagnosticRenderedAnsi,
}

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For a person
    Text,
    /// One JSON object
    Json,
}

/// Where queries and schema come from.
#[derive(Debug, Clone, Args)]
pub(crate) struct Input {
    /// The workspaces, crates, folders or Rust files whose queries are checked
    #[arg(default_value = ".", value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Check the queries of this package alone; may be given several times
    #[arg(short = 'p', long = "package", value_name = "NAME", conflicts_with = "queries")]
    pub(crate) packages: Vec<String>,
    /// Replay the schema from this folder instead of reading a snapshot
    #[arg(long, value_name = "DIR", conflicts_with = "schema")]
    pub(crate) migrations: Option<PathBuf>,
    /// Read the schema from this snapshot or `pg_dump --schema-only` output
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<PathBuf>,
    /// Check these queries instead of those of the workspace: a `.sql` file, a `.jsonl` file with one object per line,
    /// whose `query` is checked, or a `.sqlx` folder; `-` reads SQL or such lines from standard input
    #[arg(long, value_name = "PATH", conflicts_with = "paths")]
    pub(crate) queries: Option<PathBuf>,
    /// The SQL dialect, if neither configuration nor snapshot says: postgres, mysql, mariadb or sqlite
    #[arg(long, value_name = "DIALECT", value_parser = database)]
    pub(crate) dialect: Option<Database>,
    /// Set a key of `query-budget.toml` for this run: `lints.missing_limit=deny`, `tables.countries.rows=250`
    #[arg(long, value_name = "KEY=VALUE", value_parser = crate::input::overrides::parse)]
    pub(crate) config: Vec<crate::input::overrides::Override>,
}

/// What is reported: all of it, or what a change touches.
#[derive(Debug, Default, Args)]
pub(crate) struct Changed {
    /// Report findings on lines, in functions and in queries that differ from this git revision, in functions that call
    /// those, and in queries on the tables that changed migrations name
    #[arg(long, value_name = "REV", conflicts_with = "queries")]
    pub(crate) since: Option<String>,
    /// Like `--since`, for whole files, separated by commas
    #[arg(long, value_name = "FILE,..", value_delimiter = ',', conflicts_with_all = ["since", "queries"])]
    pub(crate) changed_files: Vec<PathBuf>,
}

impl Changed {
    /// Whether all of it is reported.
    pub(crate) fn is_everything(&self) -> bool {
        self.since.is_none() && self.changed_files.is_empty()
    }
}

/// How a report goes out, and what is left out of it.
#[derive(Debug, Args)]
pub(crate) struct Reporting {
    /// How to write the report
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) accepting: Accepting,
}

/// What is accepted as it is.
#[derive(Debug, Args)]
pub(crate) struct Accepting {
    /// Leave out the findings that this file accepts, and list the entries that no longer apply
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write what is found into the baseline instead of reporting it
    #[arg(long, requires = "baseline")]
    pub(crate) write_baseline: bool,
}

/// Arguments of `index-check`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct IndexCheck {
    #[command(flatten)]
    pub(crate) input: Input,
    #[command(flatten)]
    pub(crate) reporting: Reporting,
    /// Write the advised indexes as migrations into the migrations' folder, in its own numbering, instead of reporting.
    /// No file is overwritten
    #[arg(long, conflicts_with_all = ["format", "write_baseline", "since", "changed_files"])]
    pub(crate) write_migration: bool,
    #[command(flatten)]
    pub(crate) changed: Changed,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) input: Input,
    #[command(flatten)]
    pub(crate) reporting: Reporting,
    #[command(flatten)]
    pub(crate) view: View,
    #[command(flatten)]
    pub(crate) changed: Changed,
    #[command(flatten)]
    pub(crate) fix: Fix,
    #[command(flatten)]
    pub(crate) editor: Editor,
}

/// Which edits are made.
#[derive(Debug, Default, Args)]
pub(crate) struct Fix {
    /// Make the edits of findings that mean the same for every row, and report what is left
    #[arg(long, conflicts_with_all = ["write_baseline", "queries"])]
    pub(crate) fix: bool,
    /// Make the edits of `--fix` and those that need review; with `--diff`, show them
    #[arg(long, conflicts_with_all = ["write_baseline", "queries"])]
    pub(crate) unsafe_fixes: bool,
    /// Show the edits as a diff and change nothing, with `--fix` too; exit with 1 when there are any
    #[arg(long, conflicts_with_all = ["format", "write_baseline", "queries"])]
    pub(crate) diff: bool,
    /// Edit even if the tree has uncommitted changes, or outside of git
    #[arg(long, conflicts_with = "diff")]
    pub(crate) allow_dirty: bool,
}

impl Fix {
    /// Whether edits are to be made or shown.
    pub(crate) fn is_asked(&self) -> bool {
        self.fix || self.diff || self.unsafe_fixes
    }
}

/// What an editor reads instead of a report.
#[derive(Debug, Default, Args)]
pub(crate) struct Editor {
    /// Write findings as cargo writes the compiler's, together with those of `cargo check`
    #[arg(long, value_enum, value_name = "FORMAT", conflicts_with_all = ["format", "fix", "unsafe_fixes", "diff", "write_baseline", "queries"])]
    pub(crate) message_format: Option<MessageFormat>,
    /// Leave out `cargo check`, which only `--message-format` runs
    #[arg(long)]
    pub(crate) no_cargo: bool,
    /// Extra arguments for `cargo check`, after `--`: `-- --all-features`
    #[arg(last = true, requires = "message_format", value_name = "ARGUMENT")]
    pub(crate) cargo: Vec<String>,
}

/// Which findings are shown, and how loudly.
#[derive(Debug, Default, Args)]
pub(crate) struct View {
    /// List what is otherwise only counted: code that runs once, matters of taste
    #[arg(long)]
    pub(crate) all: bool,
    /// Show the findings of this lint alone; may be given several times
    #[arg(long = "lint", value_name = "LINT", value_parser = known_lint)]
    pub(crate) lints: Vec<String>,
    /// Set a lint to allow for this run
    #[arg(short = 'A', long = "allow", value_name = "LINT", value_parser = known_lint)]
    allow: Vec<String>,
    /// Set a lint to warn for this run
    #[arg(short = 'W', long = "warn", value_name = "LINT", value_parser = known_lint)]
    warn: Vec<String>,
    /// Set a lint to deny for this run; its findings are shown wherever they are
    #[arg(short = 'D', long = "deny", value_name = "LINT", value_parser = known_lint)]
    deny: Vec<String>,
}

impl View {
    /// The levels that hold for this run; of two for one lint, the louder one.
    pub(crate) fn levels(&self) -> impl Iterator<Item = (String, Level)> + '_ {
        let levels = [(Level::Allow, &self.allow), (Level::Warn, &self.warn), (Level::Deny, &self.deny)];
        levels.into_iter().flat_map(|(level, lints)| lints.iter().map(move |lint| (lint.clone(), level)))
    }
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) input: Input,
    /// The database to ask: `postgres://..`, `mysql://..` or `sqlite:..`; else `DATABASE_URL`, from the environment or from
    /// the nearest `.env`
    #[cfg(feature = "live")]
    #[arg(long, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// How to write the comparison
    #[cfg(feature = "live")]
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: ListFormat,
    #[command(flatten)]
    pub(crate) accepting: Accepting,
}

/// What `explain` does and does not do.
const EXPLAIN: &str = "With the name of a lint, print its page: `explain missing_limit`.

Otherwise ask a live database how it would read each table of each query, and compare that with what \
    `index-check` says.

It never writes and never executes a query of yours: each SELECT, INSERT, UPDATE or DELETE goes to EXPLAIN without \
    ANALYZE, in a read-only transaction that is rolled back, with a statement timeout. A planner may evaluate immutable \
    functions, and on MariaDB constant tables in FROM, by itself; connect as a role that can only read to rule out \
    effects of these. A query is left out if it could call a function that does more than the transaction prevents: \
    as a superuser of PostgreSQL any function of your own, on MySQL and MariaDB any stored function. On PostgreSQL plans are generic, with \
    sequential scans priced out, so that a small table does not hide what an index can do; if the extension `hypopg` is \
    installed in the database, the advised indexes are tried as hypothetical ones.

A disagreement that is known and harmless goes into a baseline (`--baseline FILE --write-baseline`); with \
    `--baseline FILE` only new ones fail. A query that the server does not plan is named and fails nothing.";

/// Arguments of `budgets`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Budgets {
    /// The workspace, crate, folder or Rust file whose functions are listed
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Show how bounds changed since this git revision; fail if one grew past its budget
    #[arg(long, value_name = "REV", conflicts_with = "suggest")]
    pub(crate) diff: Option<String>,
    /// Print the attributes to add, one for each function that has no budget and a known maximum
    #[arg(long)]
    pub(crate) suggest: bool,
    /// How to write the list
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: ListFormat,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell to write completions for
    pub(crate) shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write a page for each command into this folder; else the command's own page to standard output
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
}

/// Arguments of `catalog`.
#[cfg(feature = "live")]
#[derive(Debug, Args)]
pub(crate) struct Catalog {
    /// The server to read, with the extensions made in this database
    #[arg(long, value_name = "URL")]
    pub(crate) database_url: String,
    /// Write nothing; exit with 1 when a file is not what the server says
    #[arg(long)]
    pub(crate) check: bool,
}

/// Arguments of `docs`.
#[derive(Debug, Args)]
pub(crate) struct Docs {
    /// Write nothing; exit with 1 when a page is missing or stale
    #[arg(long)]
    pub(crate) check: bool,
}

/// Arguments of `new-lint`.
#[derive(Debug, Args)]
pub(crate) struct NewLint {
    /// The lint's name, in lower case with underscores
    #[arg(value_parser = lint_name)]
    pub(crate) name: String,
    /// The group, which decides the level: correctness, budget, n_plus_one, bounds, index, shape, pedantic or governance
    #[arg(long, value_parser = group)]
    pub(crate) group: Group,
}

fn known_lint(name: &str) -> Result<String, String> {
    match by_name(name) {
        Some(lint) => Ok(lint.name.to_owned()),
        None => {
            let similar = most_similar(name, ALL.iter().map(|lint| lint.name));
            let page = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/lints.md");
            Err(match similar {
                Some(similar) => format!("no lint has this name: write `{similar}`"),
                None => format!("no lint has this name: {page} lists them"),
            })
        }
    }
}

fn lint_name(name: &str) -> Result<String, String> {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(is_word);
    if is_name { Ok(name.to_owned()) } else { Err("a name is written like `missing_limit`".to_owned()) }
}

fn group(name: &str) -> Result<Group, String> {
    let known = || Group::ALL.map(Group::as_str).join(", ");
    Group::ALL
        .into_iter()
        .find(|group| group.as_str() == name)
        .ok_or_else(|| format!("the groups are {}", known()))
}

/// A database as `--dialect` names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Database {
    pub(crate) dialect: Dialect,
    /// Whether it is MariaDB by name: `mysql` may mean either server.
    pub(crate) is_mariadb: bool,
}

fn database(name: &str) -> Result<Database, String> {
    Ok(Database { dialect: dialect(name)?, is_mariadb: Dialect::names_mariadb(name) })
}

fn dialect(name: &str) -> Result<Dialect, String> {
    let known = || Dialect::ALL.map(Dialect::as_str).join(", ");
    Dialect::from_name(name).ok_or_else(|| format!("the dialects are {}", known()))
}
