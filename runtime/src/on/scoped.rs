//! [`Scoped`]: a future, or a stream, that carries its scope with it; what a budget and a measurement have in common.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use pin_project_lite::pin_project;

use super::outcome::Ending;
use super::scope::{OpenScope, Scope};

/// Where the scope of a future stands.
enum State {
    /// Not polled yet. The scope begins at the first poll, within the scope that is current then.
    New(Scope),
    Open(OpenScope),
    /// Being polled, and left so when the future panics; or ended.
    Gone,
}

pin_project! {
    /// A future whose scope is entered whenever it is polled and while it is dropped. Gives the scope with the output.
    pub(crate) struct Scoped<F> {
        // Taken out where it is dropped, so that it is dropped within the scope.
        #[pin]
        future: Option<F>,
        state: State,
    }

    impl<F> PinnedDrop for Scoped<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let State::Open(open) = std::mem::replace(this.state, State::Gone) {
                let entered = open.enter();
                this.future.set(None);
                drop(entered);
                if !std::thread::panicking() {
                    open.judge(Ending::Cancelled);
                }
            }
        }
    }
}

impl<F> Scoped<F> {
    pub(crate) fn new(scope: Scope, future: F) -> Self {
        Self { future: Some(future), state: State::New(scope) }
    }

    /// The scope, between two polls.
    #[cfg(all(feature = "tower", feature = "tracing"))]
    pub(crate) fn open(&self) -> Option<&OpenScope> {
        match &self.state {
            State::Open(open) => Some(open),
            State::New(_) | State::Gone => None,
        }
    }
}

impl<S> Scoped<S> {
    /// What is there, for what can be asked without entering the scope.
    pub(crate) fn inner(&self) -> Option<&S> {
        self.future.as_ref()
    }
}

impl<S: Stream> Scoped<S> {
    /// The next element; the scope in place of the end. `None` behind the end.
    pub(crate) fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<S::Item, OpenScope>>> {
        let mut this = self.project();
        let open = match std::mem::replace(this.state, State::Gone) {
            State::New(scope) => OpenScope::new(scope),
            State::Open(open) => open,
            State::Gone => return Poll::Ready(None),
        };
        let Some(stream) = this.future.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let entered = open.enter();
        let polled = stream.poll_next(context);
        if matches!(polled, Poll::Ready(None)) {
            this.future.set(None);
            drop(entered);
            return Poll::Ready(Some(Err(open)));
        }
        drop(entered);
        *this.state = State::Open(open);
        polled.map(|item| item.map(Ok))
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = (F::Output, OpenScope);

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let open = match std::mem::replace(this.state, State::Gone) {
            State::New(scope) => Some(OpenScope::new(scope)),
            State::Open(open) => Some(open),
            State::Gone => None,
        };
        let (Some(open), Some(future)) = (open, this.future.as_mut().as_pin_mut()) else {
            panic!("a future in a query budget was polled after it had ended");
        };
        let entered = open.enter();
        match future.poll(context) {
            Poll::Pending => {
                drop(entered);
                *this.state = State::Open(open);
                Poll::Pending
            }
            Poll::Ready(output) => {
                this.future.set(None);
                drop(entered);
                Poll::Ready((output, open))
            }
        }
    }
}
