//! Invalid limits, each with the right form.

use query_budget::query_budget;

#[query_budget]
fn nothing() {}

#[query_budget()]
fn nothing_in_parentheses() {}

#[query_budget(3)]
fn number_alone() {}

#[query_budget(max)]
fn name_alone() {}

#[query_budget(max = )]
fn no_value() {}

#[query_budget(max = -1)]
fn negative() {}

#[query_budget(max = "3")]
fn in_quotes() {}

#[query_budget(max = 2.5)]
fn fraction() {}

#[query_budget(max = 99999999999999999999999)]
fn too_large() {}

#[query_budget(max = 3, max = 4)]
fn twice() {}

#[query_budget(maximum = 3)]
fn unknown() {}

#[query_budget(max = 3 rows = 4)]
fn no_comma() {}

#[query_budget(rows = 0)]
fn no_rows() {}

#[query_budget(time = "abc")]
fn no_duration() {}

#[query_budget(time = 50)]
fn no_unit() {}

#[query_budget(time = "0ms")]
fn no_time() {}

fn main() {}
