//! [`Scoped`]: a future, or a stream, that carries its scope along; shared by budgets and measurements.

use std::fmt::{self, Debug, Formatter};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use pin_project_lite::pin_project;

use super::current::EnteredNode;
use super::outcome::Ending;
use super::scope::{OpenScope, Scope};

/// A future's scope; `None` once the future has panicked or ended. It begins at the first poll, within the scope that is
/// current then. It is boxed: futures that contain others grow with each of them.
type Held = Option<Box<OpenScope>>;

/// Enters the scope, unless it is gone.
fn enter(held: &mut Held) -> Option<Inside<'_>> {
    match held {
        Some(open) => {
            let entered = open.enter();
            Some(Inside { held, entered, is_over: false })
        }
        None => None,
    }
}

/// An entered scope, until this is dropped.
struct Inside<'a> {
    held: &'a mut Held,
    entered: EnteredNode,
    /// Whether the scope was left for good.
    is_over: bool,
}

impl Inside<'_> {
    /// Leaves the scope for good.
    fn end(mut self) -> Option<Box<OpenScope>> {
        let node = self.entered.leave();
        self.is_over = true;
        match self.held.take() {
            Some(mut open) => {
                open.left(node);
                Some(open)
            }
            None => None,
        }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let node = self.entered.pause();
        // The future has panicked: what it ran until then is not checked, neither now nor when it is dropped.
        if std::thread::panicking() {
            *self.held = None;
        } else if let Some(open) = self.held {
            open.left(node);
        }
    }
}

pin_project! {
    /// A future whose scope is entered whenever it is polled and while it is dropped. Returns the scope with
    /// the output.
    pub(crate) struct Scoped<F> {
        // Taken out for dropping, so that it is dropped within the scope.
        #[pin]
        future: Option<F>,
        held: Held,
    }

    impl<F> PinnedDrop for Scoped<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.held.as_ref().is_some_and(|open| open.has_begun())
                && let Some(inside) = enter(this.held)
            {
                this.future.set(None);
                if let Some(open) = inside.end()
                    && !std::thread::panicking()
                {
                    open.judge(Ending::Cancelled);
                }
            }
        }
    }
}

impl<F> Scoped<F> {
    pub(crate) fn new(scope: Scope, future: F) -> Self {
        Self { future: Some(future), held: Some(Box::new(OpenScope::new(scope))) }
    }

    /// The scope, between two polls.
    #[cfg(all(feature = "tower", feature = "tracing"))]
    pub(crate) fn open(&self) -> Option<&OpenScope> {
        self.held.as_deref().filter(|open| open.has_begun())
    }
}

impl<F> Debug for Scoped<F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let scope = self.held.as_ref().map(|open| open.scope());
        f.debug_struct("Scoped").field("scope", &scope).finish_non_exhaustive()
    }
}

impl<S> Scoped<S> {
    /// The inner stream, for queries that do not require entering the scope.
    pub(crate) fn inner(&self) -> Option<&S> {
        self.future.as_ref()
    }
}

impl<S: Stream> Scoped<S> {
    /// The next element, or at the end the scope; `None` after the end.
    pub(crate) fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<S::Item, Box<OpenScope>>>> {
        let mut this = self.project();
        let Some(inside) = enter(this.held) else { return Poll::Ready(None) };
        let Some(stream) = this.future.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        match stream.poll_next(context) {
            Poll::Ready(None) => {
                this.future.set(None);
                Poll::Ready(inside.end().map(Err))
            }
            polled => polled.map(|item| item.map(Ok)),
        }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = (F::Output, Box<OpenScope>);

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let inside = enter(this.held);
        let (Some(inside), Some(future)) = (inside, this.future.as_mut().as_pin_mut()) else {
            panic!("a future in a query budget was polled after it had ended");
        };
        let Poll::Ready(output) = future.poll(context) else { return Poll::Pending };
        this.future.set(None);
        match inside.end() {
            Some(open) => Poll::Ready((output, open)),
            None => Poll::Pending,
        }
    }
}
