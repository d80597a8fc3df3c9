//! A limit that is an expression is a count, and the body keeps the types of the function.

use query_budget::query_budget;

#[query_budget(max = ids.first())]
async fn no_count(ids: &[i64]) {
    let _ = ids;
}

#[query_budget(max = 3)]
async fn wrong_output() -> u8 {
    "text"
}

fn main() {}
