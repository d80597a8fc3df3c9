//! The expansion of `#[query_budget]`, decided in this crate because it knows whether this build counts.
//!
//! The attribute names one of these macros for each shape of function, with the scope and the body in braces.
//! In a build that does not count, the scope is type-checked but never run, so that a limit of the wrong type
//! is an error in every build, and an argument that only a limit mentions is used in every build. What
//! remains is the body as written.

/// Implements `Debug` for a type that contains a future or a stream, which need not implement it.
macro_rules! debug_without_inner {
    ($($Name:ident),*) => {
        $(impl<F> std::fmt::Debug for $Name<F> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($Name)).finish_non_exhaustive()
            }
        })*
    };
}
pub(crate) use debug_without_inner;

/// Counts a statement that nothing else counts: a `COPY`, which sqlx does not log, or one of another driver.
///
/// The future is one execution of the statement, timed until it is ready; its rows are not counted. Other queries in it
/// count as always.
///
/// ```
/// use query_budget::counted;
///
/// # async fn copied(_: &str) -> u64 { 2 }
/// # sqlx::__rt::test_block_on(async {
/// const STEPS: &str = "COPY steps (run_id, name) FROM STDIN";
/// let (rows, report) = query_budget::measure(counted!(STEPS, async {
///     // let mut copy = db.copy_in_raw(STEPS).await?;
///     // copy.send(lines).await?;
///     // copy.finish().await
/// #   copied(STEPS).await
/// }))
/// .await;
/// assert_eq!((rows, report.queries()), (2, 1));
/// # });
/// ```
#[macro_export]
macro_rules! counted {
    ($statement:expr, $future:expr $(,)?) => {{
        static SITE: $crate::__private::Site = $crate::__private::Site::here($statement, 0);
        $crate::__private::counted(&SITE, $future)
    }};
}

/// The body of an `async fn`.
#[doc(hidden)]
#[macro_export]
#[cfg(any(debug_assertions, feature = "count"))]
macro_rules! __scope_async {
    ({ $($scope:tt)* } { $($body:tt)* }) => { { $($scope)* }.run(async move { $($body)* }).await };
}

/// The body of a `fn`. The guard is bound by a `let`, so that the body may `return`.
#[doc(hidden)]
#[macro_export]
#[cfg(any(debug_assertions, feature = "count"))]
macro_rules! __scope_sync {
    ({ $($scope:tt)* } { $($body:tt)* }) => {{
        let __query_budget_scope = { $($scope)* }.enter();
        $($body)*
    }};
}

/// A scope for a future that a runtime is given.
#[doc(hidden)]
#[macro_export]
#[cfg(any(debug_assertions, feature = "count"))]
macro_rules! __scope_held {
    ($held:ident { $($scope:tt)* }) => { let $held = { $($scope)* }; };
}

/// A future that a runtime is given.
#[doc(hidden)]
#[macro_export]
#[cfg(any(debug_assertions, feature = "count"))]
macro_rules! __scope_block_on {
    ($held:ident { $($future:tt)* }) => { $held.run($($future)*) };
}

/// The body of a `fn` whose result runs later. It is a closure, so that it may `return`.
#[doc(hidden)]
#[macro_export]
#[cfg(any(debug_assertions, feature = "count"))]
macro_rules! __scope_later {
    ($kind:ident itself $output:ty { $($scope:tt)* } { $($body:tt)* }) => {{
        let scope = { $($scope)* };
        let later = $crate::__private::called(move || -> $output { $($body)* });
        $crate::__later_in_scope!($kind scope later)
    }};
    ($kind:ident inside $output:ty { $($scope:tt)* } { $($body:tt)* }) => {{
        let scope = { $($scope)* };
        let later = $crate::__private::called(move || -> $output { $($body)* });
        later.map(|later| $crate::__later_in_scope!($kind scope later))
    }};
}

/// Runs something later in a scope, keeping its type.
#[doc(hidden)]
#[macro_export]
macro_rules! __later_in_scope {
    (future $scope:ident $later:ident) => {
        $scope.run(::core::future::IntoFuture::into_future($later))
    };
    (boxed_future $scope:ident $later:ident) => {
        ::std::boxed::Box::pin($scope.run($later)) as _
    };
    (unpin_future $scope:ident $later:ident) => {
        ::std::boxed::Box::new($scope.run($later)) as _
    };
    (stream $scope:ident $later:ident) => {
        $scope.run_stream($later)
    };
    (boxed_stream $scope:ident $later:ident) => {
        ::std::boxed::Box::pin($scope.run_stream($later)) as _
    };
    (unpin_stream $scope:ident $later:ident) => {
        ::std::boxed::Box::new($scope.run_stream($later)) as _
    };
}

/// The body of a `fn` whose return type may be an alias for one that runs later: the type decides.
#[doc(hidden)]
#[macro_export]
#[cfg(any(debug_assertions, feature = "count"))]
macro_rules! __scope_named {
    ([$output:ty] { $($scope:tt)* } { $($body:tt)* }) => {{
        use $crate::__private::{ByEnd as _, ByKind as _, ByLastRow as _, ByName as _};
        (&&&$crate::__private::Returned::<$output>::NEW).run({ $($scope)* }, move || -> $output { $($body)* })
    }};
}

/// A type in what a function returns, which may be an alias for one that runs later: its budget would not reach that.
#[doc(hidden)]
#[macro_export]
macro_rules! __not_judged {
    ([$inside:ty]) => {
        if false {
            use $crate::__private::{ByEnd as _, ByKind as _, ByLastRow as _, ByName as _};
            (&&&$crate::__private::Returned::<$inside>::NEW).ends();
        }
    };
}

/// The body of an `async fn`.
#[doc(hidden)]
#[macro_export]
#[cfg(not(any(debug_assertions, feature = "count")))]
macro_rules! __scope_async {
    ({ $($scope:tt)* } { $($body:tt)* }) => {{
        if false {
            let _ = { $($scope)* };
        }
        $($body)*
    }};
}

/// The body of a `fn`.
#[doc(hidden)]
#[macro_export]
#[cfg(not(any(debug_assertions, feature = "count")))]
macro_rules! __scope_sync {
    ({ $($scope:tt)* } { $($body:tt)* }) => {{
        if false {
            let _ = { $($scope)* };
        }
        $($body)*
    }};
}

/// A scope for a future that a runtime is given.
#[doc(hidden)]
#[macro_export]
#[cfg(not(any(debug_assertions, feature = "count")))]
macro_rules! __scope_held {
    ($held:ident { $($scope:tt)* }) => {
        if false {
            let _ = { $($scope)* };
        }
    };
}

/// A future that a runtime is given.
#[doc(hidden)]
#[macro_export]
#[cfg(not(any(debug_assertions, feature = "count")))]
macro_rules! __scope_block_on {
    ($held:ident { $($future:tt)* }) => { $($future)* };
}

/// The body of a `fn` whose result runs later.
#[doc(hidden)]
#[macro_export]
#[cfg(not(any(debug_assertions, feature = "count")))]
macro_rules! __scope_later {
    ($kind:ident $around:ident $output:ty { $($scope:tt)* } { $($body:tt)* }) => {{
        if false {
            let _ = { $($scope)* };
        }
        $($body)*
    }};
}

/// The body of a `fn` whose return type may be an alias for one that runs later.
#[doc(hidden)]
#[macro_export]
#[cfg(not(any(debug_assertions, feature = "count")))]
macro_rules! __scope_named {
    ([$output:ty] { $($scope:tt)* } { $($body:tt)* }) => {{
        if false {
            use $crate::__private::{ByEnd as _, ByKind as _, ByLastRow as _, ByName as _};
            let _ = (&&&$crate::__private::Returned::<$output>::NEW).run({ $($scope)* }, || -> $output { loop {} });
        }
        $($body)*
    }};
}

/// Calls a macro for the tuples of one to eight values: more values are a tuple of tuples.
#[cfg(feature = "sqlx")]
macro_rules! for_tuples {
    ($each:ident) => {
        $each!(A 0);
        $each!(A 0, B 1);
        $each!(A 0, B 1, C 2);
        $each!(A 0, B 1, C 2, D 3);
        $each!(A 0, B 1, C 2, D 3, E 4);
        $each!(A 0, B 1, C 2, D 3, E 4, F 5);
        $each!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
        $each!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
    };
}
#[cfg(feature = "sqlx")]
pub(crate) use for_tuples;
