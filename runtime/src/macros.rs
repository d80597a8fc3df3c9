//! What `#[query_budget]` expands to, decided where it is known whether this build counts: in this crate.
//!
//! The attribute names one of these for each shape of function, with the scope and the body in braces. When nothing
//! is counted the scope is checked by the compiler but never run, so that a limit of the wrong type is an error in
//! every build, and an argument that only a limit mentions is used in every build. What is left is the body as written.

/// The body of an `async fn`.
#[doc(hidden)]
#[macro_export]
#[cfg(any(debug_assertions, feature = "count"))]
macro_rules! __scope_async {
    ({ $($scope:tt)* } { $($body:tt)* }) => { { $($scope)* }.run(async move { $($body)* }).await };
}

/// The body of a `fn`. The guard's place is in a `let`, so that the body may `return`.
#[doc(hidden)]
#[macro_export]
#[cfg(any(debug_assertions, feature = "count"))]
macro_rules! __scope_sync {
    ({ $($scope:tt)* } { $($body:tt)* }) => {{
        let __query_budget_scope = { $($scope)* }.enter();
        $($body)*
    }};
}

/// The body of a `fn` that returns `impl Future`.
#[doc(hidden)]
#[macro_export]
#[cfg(any(debug_assertions, feature = "count"))]
macro_rules! __scope_future {
    ({ $($scope:tt)* } { $($body:tt)* }) => { { $($scope)* }.run({ $($body)* }) };
}

/// The body of a `fn` that returns `impl Stream`.
#[doc(hidden)]
#[macro_export]
#[cfg(any(debug_assertions, feature = "count"))]
macro_rules! __scope_stream {
    ({ $($scope:tt)* } { $($body:tt)* }) => { { $($scope)* }.run_stream({ $($body)* }) };
}

/// The body of a `fn` that returns a stream, boxed and pinned.
#[doc(hidden)]
#[macro_export]
#[cfg(any(debug_assertions, feature = "count"))]
macro_rules! __scope_boxed_stream {
    ({ $($scope:tt)* } { $($body:tt)* }) => { ::std::boxed::Box::pin({ $($scope)* }.run_stream({ $($body)* })) };
}

/// The body of a `fn` that returns a future, boxed and pinned as `async_trait` writes it.
#[doc(hidden)]
#[macro_export]
#[cfg(any(debug_assertions, feature = "count"))]
macro_rules! __scope_boxed {
    ({ $($scope:tt)* } { $($body:tt)* }) => { ::std::boxed::Box::pin({ $($scope)* }.run({ $($body)* })) };
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

/// The body of a `fn` that returns a future, boxed and pinned.
#[doc(hidden)]
#[macro_export]
#[cfg(not(any(debug_assertions, feature = "count")))]
macro_rules! __scope_boxed {
    ({ $($scope:tt)* } { $($body:tt)* }) => {{
        if false {
            let _ = { $($scope)* };
        }
        $($body)*
    }};
}

/// The body of a `fn` that returns `impl Future`.
#[doc(hidden)]
#[macro_export]
#[cfg(not(any(debug_assertions, feature = "count")))]
macro_rules! __scope_future {
    ({ $($scope:tt)* } { $($body:tt)* }) => {{
        if false {
            let _ = { $($scope)* };
        }
        $($body)*
    }};
}

/// The body of a `fn` that returns `impl Stream`.
#[doc(hidden)]
#[macro_export]
#[cfg(not(any(debug_assertions, feature = "count")))]
macro_rules! __scope_stream {
    ({ $($scope:tt)* } { $($body:tt)* }) => {{
        if false {
            let _ = { $($scope)* };
        }
        $($body)*
    }};
}

/// The body of a `fn` that returns a stream, boxed and pinned.
#[doc(hidden)]
#[macro_export]
#[cfg(not(any(debug_assertions, feature = "count")))]
macro_rules! __scope_boxed_stream {
    ({ $($scope:tt)* } { $($body:tt)* }) => {{
        if false {
            let _ = { $($scope)* };
        }
        $($body)*
    }};
}
