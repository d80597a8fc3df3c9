//! [`Target`] and [`BatchTarget`]: what a query or a batch can be run on.

#[cfg(not(feature = "cache"))]
pub use self::plain::{BatchTarget, Target};
#[cfg(not(feature = "cache"))]
pub(crate) use self::plain::{run, run_batch, run_rows};
#[cfg(feature = "cache")]
pub use self::watched::{BatchTarget, Target};
#[cfg(feature = "cache")]
pub(crate) use self::watched::{Watch, run, run_batch, run_rows};

/// Anything that sqlx can run a query on.
#[cfg(not(feature = "cache"))]
mod plain {
    use futures_util::stream::BoxStream;
    use sqlx::{Acquire, Executor};

    /// What a query can be run on: a pool, a connection, or anything else that sqlx accepts. The feature
    /// `cache` adds more.
    pub trait Target<'c>: Executor<'c> {}

    impl<'c, E: Executor<'c>> Target<'c> for E {}

    /// What a batch can be run on: a pool, a connection or a transaction. The feature `cache` adds more.
    pub trait BatchTarget<'c>: Acquire<'c> {}

    impl<'c, A: Acquire<'c>> BatchTarget<'c> for A {}

    pub(crate) fn run_batch<A, F>(target: A, (): (), execution: impl FnOnce(A) -> F) -> F {
        execution(target)
    }

    #[inline]
    pub(crate) fn run<E, F>(target: E, (): (), execution: impl FnOnce(E) -> F) -> F {
        execution(target)
    }

    #[inline]
    pub(crate) fn run_rows<'e, E, T>(
        target: E,
        (): (),
        rows: impl FnOnce(E) -> BoxStream<'e, T>,
    ) -> BoxStream<'e, T> {
        rows(target)
    }
}

/// Targets with a cache are notified of what ran.
#[cfg(feature = "cache")]
mod watched {
    use futures_util::future::BoxFuture;
    use futures_util::stream::BoxStream;
    use sqlx::{Acquire, Database, Executor, Result};

    use crate::cache::Tables;

    /// What a query can be run on: anything that sqlx accepts (a pool, a connection), and the equivalents in
    /// [`cache`](crate::cache).
    pub trait Target<'c>: Sized {
        /// The database of sqlx that it runs queries on.
        type Database: Database;
        /// What runs the query.
        #[doc(hidden)]
        type Executor: Executor<'c, Database = Self::Database>;
        /// Observes that it ran.
        #[doc(hidden)]
        type Watch: Watch;

        /// The executor and the watch.
        #[doc(hidden)]
        fn split(self) -> (Self::Executor, Self::Watch);
    }

    /// What a batch can be run on: a pool, a connection or a transaction, and the equivalents in
    /// [`cache`](crate::cache).
    pub trait BatchTarget<'c>: Sized {
        /// The database of sqlx that it runs batches on.
        type Database: Database;
        /// What gives the connection.
        #[doc(hidden)]
        type Source: Acquire<'c, Database = Self::Database> + Send;
        /// Observes that it ran.
        #[doc(hidden)]
        type Watch: Watch;

        /// What gives the connection, and the watch.
        #[doc(hidden)]
        fn split_batch(self) -> (Self::Source, Self::Watch);
    }

    /// Observes the execution of a query.
    #[doc(hidden)]
    pub trait Watch: Send {
        /// The execution, observed.
        fn watching<'e, T: Send + 'e>(
            self,
            tables: &'static Tables,
            execution: BoxFuture<'e, Result<T>>,
        ) -> BoxFuture<'e, Result<T>>
        where
            Self: 'e;

        /// The execution as a stream of rows, observed.
        fn watching_rows<'e, T: Send + 'e>(
            self,
            tables: &'static Tables,
            rows: BoxStream<'e, Result<T>>,
        ) -> BoxStream<'e, Result<T>>
        where
            Self: 'e;
    }

    impl<'c, E: Executor<'c>> Target<'c> for E {
        type Database = E::Database;
        type Executor = E;
        type Watch = ();

        fn split(self) -> (Self::Executor, Self::Watch) {
            (self, ())
        }
    }

    impl<'c, A: Acquire<'c> + Send> BatchTarget<'c> for A {
        type Database = A::Database;
        type Source = A;
        type Watch = ();

        fn split_batch(self) -> (Self::Source, Self::Watch) {
            (self, ())
        }
    }

    /// Without an observer.
    impl Watch for () {
        fn watching<'e, T: Send + 'e>(
            self,
            _: &'static Tables,
            execution: BoxFuture<'e, Result<T>>,
        ) -> BoxFuture<'e, Result<T>>
        where
            Self: 'e,
        {
            execution
        }

        fn watching_rows<'e, T: Send + 'e>(
            self,
            _: &'static Tables,
            rows: BoxStream<'e, Result<T>>,
        ) -> BoxStream<'e, Result<T>>
        where
            Self: 'e,
        {
            rows
        }
    }

    /// Boxed: a type that names the target's would be restricted to a single lifetime, and a task requires it
    /// for any.
    pub(crate) fn run<'e, 'c: 'e, E, T>(
        target: E,
        tables: &'static Tables,
        execution: impl FnOnce(E::Executor) -> BoxFuture<'e, Result<T>>,
    ) -> BoxFuture<'e, Result<T>>
    where
        E: Target<'c> + 'e,
        T: Send + 'e,
    {
        let (executor, watch) = target.split();
        watch.watching(tables, execution(executor))
    }

    pub(crate) fn run_batch<'e, 'c: 'e, A, T>(
        target: A,
        tables: &'static Tables,
        execution: impl FnOnce(A::Source) -> BoxFuture<'e, Result<T>>,
    ) -> BoxFuture<'e, Result<T>>
    where
        A: BatchTarget<'c> + 'e,
        T: Send + 'e,
    {
        let (source, watch) = target.split_batch();
        watch.watching(tables, execution(source))
    }

    pub(crate) fn run_rows<'e, 'c: 'e, E, T>(
        target: E,
        tables: &'static Tables,
        rows: impl FnOnce(E::Executor) -> BoxStream<'e, Result<T>>,
    ) -> BoxStream<'e, Result<T>>
    where
        E: Target<'c> + 'e,
        T: Send + 'e,
    {
        let (executor, watch) = target.split();
        watch.watching_rows(tables, rows(executor))
    }
}
