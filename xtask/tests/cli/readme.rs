//! Executes what the README shows.

use query_budget_tests::Scratch;
use saphyr::{LoadableYamlNode, Yaml};

use crate::{root, run};

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
fn the_table_of_formats_has_them_all() {
    let help = run(root(), &["check", "--help"]).exits_with(0).stdout;
    let option = help.split("--format <").nth(1).expect("the option");
    let listed = option.split("ossible values:").nth(1).expect("its values");
    let values: Vec<&str> = listed
        .lines()
        .map_while(|line| match line.trim() {
            "" => Some(None),
            line => line.strip_prefix("- ").map(|value| Some(value.split(':').next().unwrap_or(value))),
        })
        .flatten()
        .collect();
    let readme = file("README.md");
    let table = readme.split("| `--format` of `check` and `index-check` |").nth(1).expect("the table");
    let rows: Vec<&str> =
        table.lines().skip(2).map_while(|row| row.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(rows, values);
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
fn the_workflow_is_yaml_and_its_commands_run() {
    let readme = file("README.md");
    let text =
        readme.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the workflow");
    let documents = Yaml::load_from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
    let [workflow] = documents.as_slice() else { panic!("one document: {documents:?}") };
    let steps = workflow["jobs"]["query-budget"]["steps"].as_sequence().expect("steps");
    let uploads = steps.iter().filter_map(|step| step.as_mapping_get("uses")?.as_str());
    assert!(uploads.into_iter().any(|uses| uses.starts_with("github/codeql-action/upload-sarif@")));

    let scratch = Scratch::with([
        ("Cargo.toml", "[package]\nname = \"app\"\nedition = \"2024\"\n"),
        ("migrations/1_t.sql", "CREATE TABLE t (id BIGSERIAL PRIMARY KEY, n BIGINT);\n"),
        ("src/lib.rs", "fn f() { sqlx::query!(\"SELECT id FROM t WHERE n = $1\", 1); }\n"),
    ]);
    run(scratch.path(), &["schema"]).exits_with(0);
    let shell =
        readme.split("## In CI").nth(1).and_then(|rest| rest.split("```sh\n").nth(1)).expect("a shell block");
    let once: Vec<&str> = shell.split("```").next().unwrap_or_default().lines().collect();
    let later = steps.iter().filter_map(|step| step.as_mapping_get("run")?.as_str());
    let later: Vec<&str> = later.filter(|line| line.starts_with("cargo query-budget ")).collect();
    assert_eq!((once.len(), later.len()), (2, 3), "{once:?} {later:?}");
    for line in once.into_iter().chain(later) {
        let line = line.split(" > ").next().unwrap_or_default();
        let arguments: Vec<&str> = line.split(' ').skip(2).collect();
        run(scratch.path(), &arguments).exits_with(0);
    }
}

#[test]
fn the_example_is_clean() {
    run(root(), &["index-check", "runtime/examples"]).exits_with(0).says(&["0 of unknown tables"]);
}
