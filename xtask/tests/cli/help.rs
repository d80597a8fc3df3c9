//! Help: the page of a lint, completions, manual pages.

use query_budget_analysis::lints;
use query_budget_tests::Scratch;

use crate::run;

#[test]
fn the_page_of_a_lint_is_printed() {
    let scratch = Scratch::new();
    run(scratch.path(), &["explain", "missing_limit"]).exits_with(0).says(&[
        "# missing_limit\n",
        "group bounds, level warn, since 0.1.0\n",
        "## Why is this bad\n",
        "/docs/lints/missing_limit.md\n",
    ]);
    for lint in lints::ALL {
        run(scratch.path(), &["explain", lint.name]).exits_with(0).says(&["## Known limits", lint.summary]);
    }
    run(scratch.path(), &["explain", "mising_limit"])
        .exits_with(2)
        .says(&["explain `mising_limit`: it is neither a lint nor a path", "write `missing_limit`"]);
    let colours = run(scratch.path(), &["explain", "select_star", "--color", "always"]).exits_with(0);
    assert!(colours.stdout.contains("\u{1b}[1m## Example\u{1b}[0m"), "{}", colours.stdout);
}

#[test]
fn a_shell_reads_the_completions() {
    let scratch = Scratch::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        run(scratch.path(), &["completions", shell]).exits_with(0).says(&["index-check", "unsafe-fixes"]);
    }
    let script = run(scratch.path(), &["completions", "bash"]).exits_with(0).stdout;
    scratch.write("completions.bash", &script);
    let function = script.lines().find_map(|line| line.strip_suffix("() {")).expect("a function");
    let asked = format!(
        "source ./completions.bash; COMP_WORDS=(cargo-query-budget ch); COMP_CWORD=1; \
         {function} cargo-query-budget ch cargo-query-budget; echo \"${{COMPREPLY[*]}}\""
    );
    let mut bash = std::process::Command::new("bash");
    let Ok(output) = bash.args(["--norc", "-c", &asked]).current_dir(scratch.path()).output() else { return };
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "check", "{output:?}");
}

#[test]
fn each_command_has_a_manual_page() {
    let scratch = Scratch::new();
    run(scratch.path(), &["man"]).exits_with(0).says(&[".TH cargo-query-budget 1"]);
    run(scratch.path(), &["man", "--output", "man"])
        .exits_with(0)
        .says(&["wrote `man/cargo-query-budget-check.1`"]);
    assert!(scratch.read("man/cargo-query-budget-check.1").contains("unsafe\\-fixes"));
    assert!(
        !scratch.path().join("man/cargo-query-budget-new-lint.1").exists(),
        "it is of this workspace alone"
    );
}
