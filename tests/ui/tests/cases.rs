//! The messages of the macros about wrong code, and their silence about right code.
//!
//! `deny` fails to build. `warn` warns, and fails only because it denies `deprecated`. `usage` misuses the macros. `pass`
//! denies every warning and builds. `TRYBUILD=overwrite cargo test -p query-budget-ui` records the output anew.

use std::path::Path;
use std::process::Command;
use std::{env, fs, io};

#[path = "../../src/nested.rs"]
mod nested;

/// All in one: without cases that pass, trybuild checks dependencies instead of building them, and there would be both.
#[test]
fn cases() {
    with_one_set_of_flags("cases", || {
        let cases = trybuild::TestCases::new();
        cases.compile_fail("deny/*/*.rs");
        cases.compile_fail("warn/*/*.rs");
        cases.compile_fail("usage/*/*.rs");
        cases.pass("pass/*/*.rs");
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
