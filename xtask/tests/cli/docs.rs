//! The committed files that are generated from the lints' documentation are up to date.

use std::path::Path;

use crate::run;

#[test]
fn pages_and_table_are_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the command stands in the workspace");
    run(root, &["docs", "--check"]).exits_with(0);
}

#[test]
fn elsewhere_it_says_where_to_run_it() {
    run(Path::new(env!("CARGO_MANIFEST_DIR")), &["docs"])
        .exits_with(2)
        .says(&["at the root of the query-budget workspace"]);
}
