//! The folders of the corpus, and how scores are printed.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};

use futures_util::{FutureExt, StreamExt, stream};
use query_budget_analysis::schema::{Migration, layouts};
use query_budget_analysis::sql::Dialect;

/// How many folders have a database at once: the server is slow to make and to drop one, and works little meanwhile.
const AT_ONCE: usize = 3;

/// The data of one real project.
pub(crate) struct Folder {
    /// The folder's name.
    pub(crate) name: String,
    /// The folder.
    pub(crate) path: PathBuf,
    /// The dialect of its project.
    pub(crate) dialect: Dialect,
}

impl Folder {
    /// Every folder of the corpus, by name.
    pub(crate) fn all() -> Vec<Folder> {
        let root = Path::new(env!("QUERY_BUDGET_CORPUS"));
        let mut folders: Vec<Folder> = std::fs::read_dir(root)
            .expect("read the corpus")
            .map(|entry| entry.expect("read the corpus").path())
            .filter(|path| path.join("schema.json").is_file())
            .map(|path| Folder {
                name: path.file_name().expect("a folder's name").to_string_lossy().into_owned(),
                dialect: if is_sqlite(&path) { Dialect::Sqlite } else { Dialect::Postgres },
                path,
            })
            .collect();
        folders.sort_by(|a, b| a.name.cmp(&b.name));
        assert!(!folders.is_empty(), "no folder of {} holds a schema.json", root.display());
        folders
    }

    /// Runs a test on every folder of PostgreSQL, a few at once. If one fails, the others still drop their databases.
    pub(crate) async fn each_on_postgres<F: Future<Output = ()>>(test: impl Fn(Folder) -> F) {
        let folders = Folder::all().into_iter().filter(|folder| folder.dialect == Dialect::Postgres);
        let tests = stream::iter(folders).map(|folder| AssertUnwindSafe(test(folder)).catch_unwind());
        let outcomes: Vec<_> = tests.buffer_unordered(AT_ONCE).collect().await;
        if let Some(panic) = outcomes.into_iter().find_map(Result::err) {
            resume_unwind(panic);
        }
    }

    /// Its migrations in order.
    pub(crate) fn migrations(&self) -> Vec<Migration> {
        let folder = self.path.join("migrations");
        let files = std::fs::read_dir(folder).expect("read the migrations").map(|entry| {
            let entry = entry.expect("read the migrations");
            (
                entry.file_name().to_string_lossy().into_owned(),
                std::fs::read(entry.path()).expect("read a migration"),
            )
        });
        let selected = layouts::select("", files.collect(), Some(self.dialect));
        assert_eq!((selected.problems, selected.skipped), (vec![], vec![]), "{}", self.name);
        selected.migrations
    }

    /// One of its files.
    pub(crate) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path.join(file)).expect("read a file of the corpus")
    }
}

/// Whether the folder is of a SQLite project: only SQLite's catalog says whether a table has rowids.
fn is_sqlite(folder: &Path) -> bool {
    std::fs::read_to_string(folder.join("schema.json")).is_ok_and(|text| text.contains("\"without_rowid\""))
}

/// Prints a line even if the test succeeds.
pub(crate) fn show(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").expect("print");
}
