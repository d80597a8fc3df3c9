//! The code that lints suggest for pasting is pasted into a test that compiles, for loops of every form.

use std::fs;
use std::path::Path;

use query_budget_analysis::Config;
use query_budget_analysis::check::Checker;
use query_budget_analysis::rust::scan;
use query_budget_analysis::schema::snapshot;
use query_budget_analysis::sql::Dialect;

#[test]
fn what_is_printed_for_a_loop_builds() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read =
        |path: &str| fs::read_to_string(tests.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let schema = snapshot::read(&read("typed/schema.sql"), "schema.sql", Some(Dialect::Postgres)).schema;
    let loops = read("fixtures/pasted/loops.rs");
    // Lines are wrapped as rustfmt does it.
    let without_blanks = |text: &str| text.split_whitespace().collect::<String>();
    let pasted = without_blanks(&read("typed/tests/pasted.rs"));
    let (scan, calls) = scan("src/loops.rs", &loops).expect("it is Rust").follow_alone();
    let config = Config::default();
    let checked = Checker::new(&config, Some(&schema), Dialect::Postgres).file(&scan, &calls, &|_| None);
    let mut functions = Vec::new();
    for finding in &checked.findings {
        let form =
            finding.help.iter().find_map(|help| Some(help.split_once(": `sql_")?.1.trim_end_matches('`')));
        let Some(form) = form else { continue };
        functions.push(finding.function.to_string());
        assert!(
            pasted.contains(&without_blanks(&format!("sql_{form}"))),
            "`{}` prints `sql_{form}`, which `tests/typed/tests/pasted.rs` does not paste",
            finding.function
        );
    }
    functions.sort();
    functions.dedup();
    assert_eq!(
        functions.len(),
        loops.matches("async fn ").count(),
        "each prints one: {functions:?} {:?}",
        checked.findings
    );
}
