//! `new-lint` creates files, and overwrites nothing.

use std::fs;

use query_budget_tests::Scratch;

use crate::{root, run};

/// A folder with the files that `new-lint` edits.
fn workspace() -> Scratch {
    let scratch = Scratch::new();
    for file in ["analysis/src/lints/mod.rs", "CHANGELOG.md", "tests/ui/query-budget.toml"] {
        scratch.write(file, fs::read_to_string(root().join(file)).expect("it is in this workspace"));
    }
    scratch
}

#[test]
fn a_lint_is_laid_out_and_registered() {
    let workspace = workspace();
    let read = |file: &str| fs::read_to_string(workspace.path().join(file)).expect("it is there");
    run(workspace.path(), &["new-lint", "lock_of_all", "--group", "pedantic"])
        .exits_with(0)
        .says(&["wrote `analysis/src/lints/lock_of_all.rs`", "cargo xtask docs"]);
    let registry = read("analysis/src/lints/mod.rs");
    assert!(registry.contains("\nmod lock_of_all;\n") && registry.contains("    &lock_of_all::LINT,\n"));
    assert!(read("analysis/src/lints/lock_of_all.rs").contains("\"lock_of_all\", Pedantic, since"));
    assert!(read("tests/ui/warn/lock_of_all/lock_of_all_fires.rs").contains("//~ lock_of_all"));
    assert!(read("tests/ui/pass/lock_of_all/lock_of_all_silent.rs").contains("#![deny(warnings)]"));
    assert!(read("tests/ui/query-budget.toml").ends_with("lock_of_all = \"warn\"\n"));
    assert!(read("CHANGELOG.md").contains("- Lint `lock_of_all`."));
    // Running it a second time overwrites nothing.
    run(workspace.path(), &["new-lint", "lock_of_all", "--group", "pedantic"]).exits_with(2);
}

#[test]
fn names_and_groups_that_do_not_fit_are_refused() {
    let workspace = workspace();
    run(workspace.path(), &["new-lint", "missing_limit", "--group", "bounds"])
        .exits_with(2)
        .says(&["there is a lint of that name"]);
    run(workspace.path(), &["new-lint", "Wrong-Name", "--group", "bounds"])
        .exits_with(2)
        .says(&["`missing_limit`"]);
    run(workspace.path(), &["new-lint", "fine", "--group", "other"]).exits_with(2).says(&["n_plus_one"]);
}
