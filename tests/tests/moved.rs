//! A service that was written with sqlx's macros and is migrated to ours: only imports and paths change, and
//! its tests pass before and after.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// A copy of `fixtures/moved` outside of the workspace, built with the same versions of all dependencies.
struct Service {
    directory: PathBuf,
}

impl Service {
    fn new() -> Service {
        let workspace = workspace();
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("moved");
        let _ = fs::remove_dir_all(&directory);
        copy(&workspace.join("tests/fixtures/moved"), &directory);
        let manifest = directory.join("Cargo.toml");
        let text = fs::read_to_string(&manifest).expect("the manifest");
        let runtime = workspace.join("runtime").display().to_string();
        fs::write(&manifest, text.replace("../../../runtime", &runtime)).expect("the manifest is written");
        fs::copy(workspace.join("Cargo.lock"), directory.join("Cargo.lock")).expect("a lock file");
        Service { directory }
    }

    /// Runs a command of this workspace's command line in the service's folder; returns its output.
    fn tool(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO"));
        command.args(["run", "--quiet", "--offline", "--package", "cargo-query-budget", "--manifest-path"]);
        command.arg(workspace().join("Cargo.toml")).arg("--").args(arguments);
        self.run(command)
    }

    /// Runs the service's own tests.
    fn test(&self) {
        let mut command = Command::new(env!("CARGO"));
        command.args(["test", "--quiet", "--offline"]).env("SQLX_OFFLINE", "true");
        command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("moved-target"));
        self.run(command);
    }

    fn run(&self, mut command: Command) -> String {
        for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "DATABASE_URL", "QUERY_BUDGET_CONFIG"] {
            command.env_remove(variable);
        }
        let output = command.current_dir(&self.directory).output().expect("cargo runs");
        let said =
            [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
        assert!(output.status.success(), "{command:?}:\n{said}");
        said
    }

    /// Its source, file by file.
    fn source(&self) -> Vec<String> {
        let read = |name| fs::read_to_string(self.directory.join("src").join(name)).expect("a file");
        ["comments.rs", "issues.rs", "lib.rs", "people.rs", "projects.rs"].map(read).into()
    }
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_path_buf()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the fixture").flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a file");
        }
    }
}

#[test]
fn a_service_is_moved_and_its_tests_stay_green() {
    if env::var_os("QUERY_BUDGET_TEST_POSTGRES").is_none() {
        eprintln!("QUERY_BUDGET_TEST_POSTGRES is not set: nothing is run");
        return;
    }
    let service = Service::new();
    service.tool(&["schema"]);
    // sqlx's macros read descriptions of their queries from a database; here these are written without one.
    service.tool(&["prepare"]);
    let entries = fs::read_dir(service.directory.join(".sqlx")).expect("the entries").count();
    assert_eq!(entries, 25);
    service.test();

    let before = service.source();
    let said = service.tool(&["migrate", "--write"]);
    assert!(said.contains("changed 25 macros in 4 files, left 0"), "{said}");
    fs::remove_dir_all(service.directory.join(".sqlx")).expect("nothing needs them now");
    service.test();
    let moved = service.source();
    // Only imports and paths differ.
    let others = |text: &String| {
        let text = text.replace("query_budget::", "").replace("sqlx::", "");
        text.lines().filter(|line| !line.starts_with("use ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(moved.iter().map(others).collect::<Vec<_>>(), before.iter().map(others).collect::<Vec<_>>());
    assert!(moved.iter().all(|text| !text.contains("sqlx::query")), "{moved:?}");

    let said = service.tool(&["migrate", "--back", "--write"]);
    assert!(said.contains("changed 25 macros in 4 files, left 0"), "{said}");
    assert_eq!(service.source(), before, "moving back restores the text");
}
