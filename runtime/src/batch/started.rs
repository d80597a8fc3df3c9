//! The connection that a batch runs on, with a transaction if it consists of several statements that write.
//!
//! The executor is only used before the future is created, so that the future's type only names connections:
//! if it named the executor, it would be restricted to a single lifetime.

use std::ops::DerefMut;

use futures_util::future::BoxFuture;
use sqlx::{Acquire, Database, Result, Transaction};

/// A connection, or a transaction of its own, being acquired.
pub(super) enum Starting<'c, DB: Database, C> {
    Connection(BoxFuture<'c, Result<C>>),
    Transaction(BoxFuture<'c, Result<Transaction<'c, DB>>>),
}

/// A connection, or a transaction of its own.
pub(super) enum Started<'c, DB: Database, C> {
    Connection(C),
    Transaction(Transaction<'c, DB>),
}

impl<'c, DB: Database, C> Starting<'c, DB, C> {
    pub(super) fn of<A: Acquire<'c, Database = DB, Connection = C>>(db: A, in_transaction: bool) -> Self {
        match in_transaction {
            true => Self::Transaction(db.begin()),
            false => Self::Connection(db.acquire()),
        }
    }

    pub(super) async fn started(self) -> Result<Started<'c, DB, C>> {
        Ok(match self {
            Self::Connection(connection) => Started::Connection(connection.await?),
            Self::Transaction(transaction) => Started::Transaction(transaction.await?),
        })
    }
}

impl<DB: Database, C: DerefMut<Target = DB::Connection>> Started<'_, DB, C> {
    pub(super) fn connection(&mut self) -> &mut DB::Connection {
        match self {
            Self::Connection(connection) => connection,
            Self::Transaction(transaction) => transaction,
        }
    }

    /// Commits on success, and rolls back on failure.
    pub(super) async fn end(self, ended: Result<()>) -> Result<()> {
        match (self, ended) {
            (Self::Transaction(transaction), Ok(())) => transaction.commit().await,
            (Self::Transaction(transaction), Err(error)) => {
                // The original error is the one to report.
                let _ = transaction.rollback().await;
                Err(error)
            }
            (Self::Connection(_), ended) => ended,
        }
    }
}
