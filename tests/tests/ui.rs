//! What the macros say of code that is wrong, and that they say nothing of code that is right.
//!
//! `ui/deny` fails to build; `ui/warn` warns, and fails only since it denies `deprecated`; `ui/usage` is misuse of the macros; `ui/pass` denies every warning and builds. Record anew with
//! `TRYBUILD=overwrite cargo test --test ui`.

use std::path::{Path, PathBuf};
use std::{fs, io};

fn ui() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ui")
}

#[test]
fn cases() {
    lay_project_around_cases().expect("the configuration is copied");
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/deny/*/*.rs");
    cases.compile_fail("ui/warn/*/*.rs");
    cases.compile_fail("ui/usage/*/*.rs");
}

#[test]
fn silent_cases() {
    lay_project_around_cases().expect("the configuration is copied");
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*/*.rs");
}

/// trybuild compiles the cases in a crate of its own inside the target folder; the macros search upwards from there.
fn lay_project_around_cases() -> io::Result<()> {
    let above = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../tests/trybuild");
    fs::create_dir_all(&above)?;
    for name in ["query-budget.toml", "schema.sql"] {
        let (from, to) = (fs::read(ui().join(name))?, above.join(name));
        // A file that is written anew would be one more reason to build every case again.
        if fs::read(&to).ok().as_deref() != Some(&from) {
            fs::write(to, from)?;
        }
    }
    Ok(())
}
