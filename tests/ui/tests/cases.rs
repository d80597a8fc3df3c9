//! The messages of the macros about wrong code, and their silence about right code.
//!
//! `deny` fails to build. `warn` warns, and fails only because it denies `deprecated`. `usage` misuses the macros. `pass`
//! denies every warning and builds. `TRYBUILD=overwrite cargo test -p query-budget-ui` records the output anew.

use std::path::Path;
use std::process::Command;
use std::{env, fs, io};

#[path = "../../src/nested.rs"]
mod nested;

/// Those that fail and those that pass, one after the other: both have the same project.
#[test]
fn cases() {
    with_one_set_of_flags("cases", || {
        let fail = trybuild::TestCases::new();
        fail.compile_fail("deny/*/*.rs");
        fail.compile_fail("warn/*/*.rs");
        fail.compile_fail("usage/*/*.rs");
        drop(fail);
        let pass = trybuild::TestCases::new();
        pass.pass("pass/*/*.rs");
    });
}

/// Runs the cases of a test in a process of its own, whose variables say how to build: cargo prefers them to what trybuild
/// passes.
fn with_one_set_of_flags(test: &str, run: impl FnOnce()) {
    const SECOND: &str = "QUERY_BUDGET_UI_CASES";
    if env::var_os(SECOND).is_some() {
        lay_project_beside_cases().expect("the configuration is copied");
        return run();
    }
    let mut again = Command::new(env::current_exe().expect("the path of this test"));
    again.args(["--exact", test, "--nocapture"]).env(SECOND, "1");
    nested::build_with_workspace(&mut again, env!("CARGO_TARGET_TMPDIR"));
    again.env("RUSTC_WORKSPACE_WRAPPER", env!("CARGO_BIN_EXE_rustc-of-cases"));
    let all_built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui-cases-all-built");
    let _ = fs::remove_file(&all_built);
    again.env("QUERY_BUDGET_UI_CARGO", env!("CARGO")).env("QUERY_BUDGET_UI_ALL_BUILT", all_built);
    again.env("CARGO", env!("CARGO_BIN_EXE_cargo-of-cases"));
    // Which cases to run.
    again.args(env::args().filter(|argument| argument.starts_with("trybuild=")));
    assert!(again.status().expect("this test runs again").success());
}

/// trybuild compiles the cases in a separate crate inside the target folder; the macros search there and no
/// further.
fn lay_project_beside_cases() -> io::Result<()> {
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../tests/trybuild/query-budget-ui");
    fs::create_dir_all(&package)?;
    for name in ["query-budget.toml", "schema.sql"] {
        let from = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name))?;
        let to = package.join(name);
        // Rewriting a file would cause every case to be rebuilt.
        if fs::read(&to).ok().as_deref() != Some(&from) {
            fs::write(to, from)?;
        }
    }
    Ok(())
}
