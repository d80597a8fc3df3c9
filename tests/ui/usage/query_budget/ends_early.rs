//! A function that returns a named future, which runs after the budget has ended.

#![deny(deprecated)]

use std::future::{Ready, ready};

use query_budget::query_budget;

#[query_budget(max = 3)]
fn own_name(number: u8) -> Ready<u8> {
    ready(number)
}

fn main() {
    let _ = own_name(7);
}
