//! Functions that return something by a name, which runs after the budget has ended.

#![deny(deprecated)]

use std::future::{Ready, ready};
use std::pin::Pin;

use futures_util::stream::{Iter, Stream, iter};
use query_budget::query_budget;

type Loaded = Pin<Box<dyn Future<Output = u8>>>;
type Rows = Pin<Box<dyn Stream<Item = u8>>>;

#[query_budget(max = 3)]
fn own_name(number: u8) -> Ready<u8> {
    ready(number)
}

#[query_budget(max = 3)]
fn rows(rows: Vec<u8>) -> Iter<std::vec::IntoIter<u8>> {
    iter(rows)
}

#[query_budget(max = 3)]
async fn awaited_later(number: u8) -> Loaded {
    Box::pin(ready(number))
}

#[query_budget(max = 3)]
async fn read_later(numbers: Vec<u8>) -> Result<Rows, String> {
    Ok(Box::pin(iter(numbers)))
}

#[query_budget(max = 3)]
fn among_others(numbers: Vec<u8>) -> (usize, Vec<Loaded>) {
    (numbers.len(), numbers.into_iter().map(|number| Box::pin(ready(number)) as Loaded).collect())
}

/// No type here runs later.
pub struct Page(u8);

#[query_budget(max = 3)]
async fn page(number: u8) -> Option<(Page, Vec<Page>)> {
    Some((Page(number), vec![Page(number)]))
}

fn main() {
    let _ = (own_name(7), rows(vec![7]), awaited_later(7), read_later(vec![7]), among_others(vec![7]), page(7));
}
