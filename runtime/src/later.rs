//! How `#[query_budget]` runs a function whose return type may be an alias: the type itself decides.
//!
//! The compiler picks the first of four methods with the same name that is available for the type. None of
//! them is public API.

use std::marker::PhantomData;
use std::pin::Pin;

use futures_util::Stream;

use crate::counting::Scope;

/// Calls the body of a function, which is a closure so that it may `return`.
#[doc(hidden)]
#[inline]
pub fn called<R>(body: impl FnOnce() -> R) -> R {
    body()
}

/// The return type of a function.
#[doc(hidden)]
#[derive(Debug)]
pub struct Returned<R>(PhantomData<fn() -> R>);

impl<R> Returned<R> {
    /// The only value.
    pub const NEW: Self = Self(PhantomData);
}

/// Something that runs later can run in a scope, and keeps its type.
#[doc(hidden)]
pub trait Later: Sized {
    fn within(self, scope: Scope) -> Self;
}

macro_rules! later {
    ($($($auto:ident)*;)*) => {
        $(
            impl<'a, O: 'a> Later for Pin<Box<dyn Future<Output = O> $(+ $auto)* + 'a>> {
                fn within(self, scope: Scope) -> Self {
                    Box::pin(scope.run(self))
                }
            }

            impl<'a, O: 'a> Later for Box<dyn Future<Output = O> + Unpin $(+ $auto)* + 'a> {
                fn within(self, scope: Scope) -> Self {
                    Box::new(scope.run(self))
                }
            }

            impl<'a, T: 'a> Later for Pin<Box<dyn Stream<Item = T> $(+ $auto)* + 'a>> {
                fn within(self, scope: Scope) -> Self {
                    Box::pin(scope.run_stream(self))
                }
            }

            impl<'a, T: 'a> Later for Box<dyn Stream<Item = T> + Unpin $(+ $auto)* + 'a> {
                fn within(self, scope: Scope) -> Self {
                    Box::new(scope.run_stream(self))
                }
            }
        )*
    };
}

later! {
    ;
    Send;
    Send Sync;
}

impl<L: Later, E> Later for Result<L, E> {
    fn within(self, scope: Scope) -> Self {
        self.map(|later| later.within(scope))
    }
}

impl<L: Later> Later for Option<L> {
    fn within(self, scope: Scope) -> Self {
        self.map(|later| later.within(scope))
    }
}

/// First choice: for what can run in a scope.
#[doc(hidden)]
pub trait ByName<R> {
    fn run(&self, scope: Scope, body: impl FnOnce() -> R) -> R;

    /// For a type inside of what a function returns.
    #[deprecated(note = "the function returns something that runs later, when its budget has ended
help: run it in the function; or return it alone, from a `fn` that is not `async`")]
    fn ends(&self) {}
}

impl<R: Later> ByName<R> for &&Returned<R> {
    fn run(&self, scope: Scope, body: impl FnOnce() -> R) -> R {
        body().within(scope)
    }
}

/// Second choice: for what runs later and cannot.
#[doc(hidden)]
pub trait ByEnd<R> {
    #[deprecated(note = "the function returns a future, which runs when its budget has ended
help: make it an `async fn`, or have it return `impl Future`")]
    fn run(&self, scope: Scope, body: impl FnOnce() -> R) -> R;

    #[deprecated(note = "the function returns a future, which runs when its budget has ended
help: await it in the function")]
    fn ends(&self) {}
}

impl<R: IntoFuture> ByEnd<R> for &&&Returned<R> {
    fn run(&self, scope: Scope, body: impl FnOnce() -> R) -> R {
        scope.run_sync(body)
    }
}

/// Third choice: for the rows of such.
#[doc(hidden)]
pub trait ByLastRow<R> {
    #[deprecated(note = "the function returns a stream, which runs when its budget has ended
help: have it return `impl Stream`")]
    fn run(&self, scope: Scope, body: impl FnOnce() -> R) -> R;

    #[deprecated(note = "the function returns a stream, which runs when its budget has ended
help: put it in a scope of its own: `query_budget::scope(\"name\").max(3).run_stream(stream)`")]
    fn ends(&self) {}
}

impl<R: Stream> ByLastRow<R> for &Returned<R> {
    fn run(&self, scope: Scope, body: impl FnOnce() -> R) -> R {
        scope.run_sync(body)
    }
}

/// Fourth choice: for everything else.
#[doc(hidden)]
pub trait ByKind<R> {
    fn run(&self, scope: Scope, body: impl FnOnce() -> R) -> R;

    fn ends(&self) {}
}

impl<R> ByKind<R> for Returned<R> {
    fn run(&self, scope: Scope, body: impl FnOnce() -> R) -> R {
        scope.run_sync(body)
    }
}
