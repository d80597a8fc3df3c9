//! The committed files that are generated from the lints' documentation are up to date.

use std::path::Path;

use crate::{root, run};

#[test]
fn pages_and_table_are_up_to_date() {
    run(root(), &["docs", "--check"]).exits_with(0);
}

#[test]
fn elsewhere_it_says_where_to_run_it() {
    run(Path::new(env!("CARGO_MANIFEST_DIR")), &["docs"])
        .exits_with(2)
        .says(&["at the root of the query-budget workspace"]);
}
