//! Arguments of the commands that write files of a project.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use query_budget_analysis::sql::Dialect;

use super::{EXIT_CODES, Input, dialect};
use crate::commands::prepare::Version;

/// Arguments of `schema`.
#[derive(Debug, Default, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Schema {
    /// The crate or folder whose configuration, migrations and snapshot are meant; else that of the working directory
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<PathBuf>,
    /// The folder of migrations; else the configured one, else the nearest `migrations`
    #[arg(long, value_name = "DIR")]
    pub(crate) migrations: Option<PathBuf>,
    /// Read the schema and row estimates from this database instead: `postgres://`, `mysql://` or `sqlite:`; without a
    /// URL, from `DATABASE_URL`, of the environment or of the nearest `.env`. The session only reads
    #[cfg(feature = "live")]
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = false, conflicts_with_all = ["migrations", "dialect"])]
    pub(crate) database_url: Option<Option<String>>,
    /// The SQL dialect: postgres, mysql or sqlite; else as configured, else guessed from the migrations
    #[arg(long, value_name = "DIALECT", value_parser = dialect)]
    pub(crate) dialect: Option<Dialect>,
    /// Where to write the snapshot; else the configured file, else `schema.sql` beside the configuration or the
    /// migrations. `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write nothing; exit with 1 when the snapshot is missing or stale
    #[arg(long)]
    pub(crate) check: bool,
    /// Replace a file that this command did not write
    #[arg(long)]
    pub(crate) force: bool,
}

/// Arguments of `prepare`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, long_about = PREPARE)]
pub(crate) struct Prepare {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Prepare the whole workspace around PATH
    #[arg(long, conflicts_with = "queries")]
    pub(crate) workspace: bool,
    /// Write nothing; exit with 1 when an entry is stale, missing or has no call
    #[arg(long)]
    pub(crate) check: bool,
    /// Remove the entries that no call in the source has, unless a macro of the workspace makes queries
    #[arg(long)]
    pub(crate) prune: bool,
    /// Where to write the entries; else the crate's `.sqlx`, else that of its workspace
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// The version of sqlx that reads them, 0.7 to 0.9; else the one in `Cargo.lock`
    #[arg(long, value_name = "VERSION")]
    pub(crate) sqlx: Option<Version>,
}

impl Prepare {
    /// Where queries and schema come from.
    pub(crate) fn input(&self) -> Input {
        self.input.clone()
    }
}

/// What `prepare` does and does not do.
const PREPARE: &str = "Write the `.sqlx` folder that sqlx's own macros read (`query!`, `query_as!`, `query_file!` and \
    their like), from the snapshot or the migrations, in the form of the sqlx version in `Cargo.lock`. No database is \
    asked.

Where a type cannot be told for sure, the entry that is there stays and is named.";

/// Arguments of `report`.
#[derive(Debug, Args)]
pub(crate) struct Report {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Show what has changed since this git revision instead: queries, bounds and indexes
    #[arg(long, value_name = "REV", conflicts_with_all = ["queries", "migrations", "schema"])]
    pub(crate) diff: Option<String>,
    /// How to write the report
    #[arg(long, value_enum, default_value = "html")]
    pub(crate) format: PageFormat,
    /// Where to write it; else `query-budget-report.html` for a page, and standard output for the others. `-` is standard
    /// output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Replace a file that this command did not write
    #[arg(long)]
    pub(crate) force: bool,
}

/// How a page is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PageFormat {
    /// One file that needs no network, for a browser
    Html,
    /// A comment on a pull request; for `--diff`
    Markdown,
    /// One JSON object
    Json,
}

/// What `report` writes.
pub(super) const REPORT: &str = "Write one HTML file about a workspace: its tables with the queries that read and write them and the \
    indexes they use; each query with its verdicts and a cost class; the functions with their bounds as a call tree; the \
    findings, the advised indexes and the coverage. The file needs no network, and can be read without JavaScript.

With `--diff REV` it shows what has changed since a git revision; `--format markdown` writes that as a comment for a pull \
    request. The exit code is 0 whatever is found: use `check` to fail a build.";

/// Arguments of `init`.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The folder to set up
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Make `cargo xtask` an alias of this command in `.cargo/config.toml`
    #[arg(long)]
    pub(crate) alias: bool,
}

pub(super) const MIGRATE: &str = "Move a workspace from sqlx's query macros to those of query-budget, or back.

`sqlx::query!` and its like become `query_budget::query!`, by their paths and imports alone: the macros of the same names
take the same input. Shows what would change; `--write` does it. What is not followed (the rules of a macro, a renamed
import) is named and left.";

/// Arguments of `migrate`.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// The workspace, crate, folder or file
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Change the files
    #[arg(long)]
    pub(crate) write: bool,
    /// Move from query-budget's macros to sqlx's
    #[arg(long)]
    pub(crate) back: bool,
}
