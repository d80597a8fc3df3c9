//! Code that runs later, outside the budget of its function.

use std::future::Future;
use std::pin::Pin;

use futures_util::Stream;
use query_budget::query_budget;

pub struct Sse<S>(S);

#[query_budget(max = 3)]
fn inside_of_another(rows: Vec<u8>) -> Sse<impl Stream<Item = u8>> {
    Sse(futures_util::stream::iter(rows))
}

#[query_budget(max = 3)]
async fn awaited_twice(rows: Vec<u8>) -> impl Stream<Item = u8> {
    futures_util::stream::iter(rows)
}

#[query_budget(max = 3)]
fn asynchronous_closure() -> impl AsyncFn(u8) -> u8 {
    async |number: u8| number
}

#[query_budget(max = 3)]
fn closure() -> Box<dyn Fn(u8) -> Pin<Box<dyn Future<Output = u8>>>> {
    Box::new(|number| Box::pin(async move { number }))
}

#[query_budget(max = 3)]
fn another_trait() -> impl Future<Output = u8> + Clone {
    std::future::ready(7)
}

fn main() {}
