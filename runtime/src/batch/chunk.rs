//! The query of one chunk of rows.

use sqlx::database::HasStatementCache;
use sqlx::{Executor, Result};

use crate::driver::{self, ArgumentsOf, Database, IntoArguments};
use crate::query::{Query, rows_of_all};

/// The query of a chunk.
pub(super) struct ChunkQuery<DB: Database> {
    pub(super) query: Query<DB>,
    /// Its text, if it depends on the number of rows. There are as many texts as numbers of rows, and a connection caches only
    /// a few statements.
    pub(super) text: Option<String>,
    /// The number of rows.
    pub(super) rows: usize,
}

impl<DB: Database + HasStatementCache> ChunkQuery<DB>
where
    ArgumentsOf<DB>: IntoArguments<DB>,
    for<'x> &'x mut DB::Connection: Executor<'x, Database = DB>,
{
    pub(super) async fn execute(self, connection: &mut DB::Connection) -> Result<DB::QueryResult> {
        let Some(mut text) = self.text else { return self.query.execute(connection).await };
        let counter = self.query.counter;
        let (text, mut query) = (&mut text, self.query);
        counter
            .time(
                move || connection.execute(driver::with_text::<DB>(text, query.counted_arguments())),
                |done| done.is_ok().then_some(0),
            )
            .await
    }

    pub(super) async fn fetch_all(self, connection: &mut DB::Connection) -> Result<Vec<DB::Row>> {
        let Some(mut text) = self.text else { return self.query.fetch_all(connection).await };
        let counter = self.query.counter;
        let (text, mut query) = (&mut text, self.query);
        counter
            .time(
                move || connection.fetch_all(driver::with_text::<DB>(text, query.counted_arguments())),
                rows_of_all,
            )
            .await
    }
}
