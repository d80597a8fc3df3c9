//! The messages of the macros about wrong code, and their silence about right code.
//!
//! `deny` fails to build. `warn` warns, and fails only because it denies `deprecated`. `usage` misuses the macros. `pass`
//! denies every warning and builds. `TRYBUILD=overwrite cargo test -p query-budget-ui` records the output anew.

use std::path::Path;
use std::{fs, io};

#[test]
fn cases() {
    lay_project_beside_cases().expect("the configuration is copied");
    let cases = trybuild::TestCases::new();
    cases.compile_fail("deny/*/*.rs");
    cases.compile_fail("warn/*/*.rs");
    cases.compile_fail("usage/*/*.rs");
}

#[test]
fn silent_cases() {
    lay_project_beside_cases().expect("the configuration is copied");
    let cases = trybuild::TestCases::new();
    cases.pass("pass/*/*.rs");
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
