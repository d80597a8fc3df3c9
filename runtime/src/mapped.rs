//! [`FetchOptional`] and [`FetchOne`]: the first row of a query, mapped.
//!
//! The future of a query has a type that does not contain what the query runs on, as a future of `async` would: for a
//! pool of another database, the compiler would report it again for that type, at the call and at `.await`.

use std::fmt::{self, Debug, Formatter};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::{Error, Result};

/// The first row of a query, if there is one: a future, made by `fetch_optional`.
#[must_use = "futures do nothing unless polled"]
pub struct FetchOptional<'e, R, F> {
    row: BoxFuture<'e, Result<Option<R>>>,
    mapper: F,
}

/// The first row of a query: a future, made by `fetch_one`.
#[must_use = "futures do nothing unless polled"]
pub struct FetchOne<'e, R, F>(FetchOptional<'e, R, F>);

impl<'e, R, F> FetchOptional<'e, R, F> {
    #[inline]
    pub(crate) fn new(row: BoxFuture<'e, Result<Option<R>>>, mapper: F) -> Self {
        Self { row, mapper }
    }

    /// The row, or an error if there is none.
    #[inline]
    pub(crate) fn or_not_found(self) -> FetchOne<'e, R, F> {
        FetchOne(self)
    }
}

/// Nothing in it is pinned: the mapper is only called.
impl<R, F> Unpin for FetchOptional<'_, R, F> {}

impl<R, F: FnMut(R) -> Result<O>, O> Future for FetchOptional<'_, R, F> {
    type Output = Result<Option<O>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let row = ready!(self.row.poll_unpin(context));
        Poll::Ready(row.and_then(|row| row.map(&mut self.mapper).transpose()))
    }
}

impl<R, F: FnMut(R) -> Result<O>, O> Future for FetchOne<'_, R, F> {
    type Output = Result<O>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_unpin(context).map(|row| row?.ok_or(Error::RowNotFound))
    }
}

impl<R, F> Debug for FetchOptional<'_, R, F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchOptional").finish_non_exhaustive()
    }
}

impl<R, F> Debug for FetchOne<'_, R, F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchOne").finish_non_exhaustive()
    }
}
