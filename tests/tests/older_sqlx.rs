//! Beside sqlx 0.8, without sqlx 0.9: what needs no version of sqlx works there.

use std::path::Path;
use std::process::Command;

/// `tests/fixtures/sqlx-08` has a lock file of its own and is no part of the workspace.
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
