//! With sqlx 0.8 instead of 0.9: everything that does not depend on the version of sqlx works.

use std::path::Path;
use std::process::Command;

/// `tests/fixtures/sqlx-08` has its own lock file and is not part of the workspace.
#[test]
fn attribute_scopes_layer_and_figures_count_beside_sqlx_08() {
    let Ok(url) = std::env::var("QUERY_BUDGET_TEST_POSTGRES") else {
        eprintln!("QUERY_BUDGET_TEST_POSTGRES is not set: nothing is run");
        return;
    };
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sqlx-08");
    let run = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--locked", "--", &url])
        .current_dir(fixture)
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("older-target"))
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && String::from_utf8_lossy(&run.stdout).contains("counted"), "{said}");
}
