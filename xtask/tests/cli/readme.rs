//! What the README shows is what happens.

use std::path::Path;

use crate::run;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the command stands in the workspace")
}

fn file(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_first_command_prints_what_the_readme_shows() {
    let arguments = ["index-check", "--queries", "runtime/examples/dashboard/reports.sql"];
    let readme = file("README.md");
    assert!(
        readme.contains(&format!("cargo xtask {}\n", arguments.join(" "))),
        "the README runs another command"
    );
    let ran = run(root(), &arguments).exits_with(0);
    let shown =
        readme.split("```text\n").nth(2).and_then(|rest| rest.split("\n```").next()).expect("the output");
    for part in shown.split("\n\n").filter(|part| *part != "[..]") {
        assert!(ran.stdout.contains(part), "the README shows\n{part}\n\nwhich is not in\n{}", ran.stdout);
    }
}

#[test]
fn ci_runs_the_commands_of_the_readme() {
    let (readme, ci) = (file("README.md"), file(".ci/run"));
    let commands =
        readme.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the two commands");
    let commands: Vec<&str> = commands.lines().collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    for command in commands {
        assert!(ci.contains(&format!("\nstep {command}\n")), ".ci/run does not run `{command}`");
    }
}

#[test]
fn the_example_is_clean() {
    run(root(), &["index-check", "runtime"]).exits_with(0).says(&["0 of tables that are not known"]);
}
