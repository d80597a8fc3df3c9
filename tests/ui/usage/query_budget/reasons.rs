//! rustc reads the attributes of a function before any macro, and accepts only one form of a reason.

use query_budget::query_budget;

#[query_budget(max = 3)]
#[allow(missing_limit = "an export")]
fn export() {}

fn main() {
    export();
}
