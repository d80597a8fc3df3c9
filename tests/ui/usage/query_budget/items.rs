//! Only a function can have a budget.

use query_budget::query_budget;

#[query_budget(max = 3)]
struct Dashboard;

#[query_budget(max = 3)]
impl Dashboard {
    fn load(&self) {}
}

#[query_budget(max = 3)]
pub trait Load {
    fn load(&self);
}

#[query_budget(max = 3)]
const LIMIT: usize = 3;

#[query_budget(max = 3)]
const fn constant() {}

#[query_budget(max = 3)]
mod inner {}

fn main() {
    Dashboard.load();
}
