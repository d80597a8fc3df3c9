//! With sqlx 0.8 instead of 0.9: everything that does not depend on the version of sqlx works.

use query_budget_tests::{outside_cargo, workspace};

/// `tests/fixtures/sqlx-08` has its own lock file and is not part of the workspace.
#[test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
fn attribute_scopes_layer_and_figures_count_beside_sqlx_08() {
    let url = std::env::var("QUERY_BUDGET_TEST_POSTGRES").expect("it was set when this was compiled");
    let fixture = workspace().join("tests/fixtures/sqlx-08");
    let mut cargo = outside_cargo(&fixture, env!("CARGO_TARGET_TMPDIR"));
    // Its lock file names packages that this workspace does not have.
    cargo.env_remove("CARGO_NET_OFFLINE");
    let run = cargo.args(["run", "--quiet", "--locked", "--", &url]).output().expect("cargo runs");
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && String::from_utf8_lossy(&run.stdout).contains("counted"), "{said}");
}
