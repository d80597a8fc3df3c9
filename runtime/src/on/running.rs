//! The counted query whose execution is polled or dropped on this thread: what sqlx tells meanwhile, with its text, is
//! of that query, in whatever scope that happens.

use std::cell::Cell;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::site::Site;

thread_local! {
    static RUNNING: Cell<Option<&'static Site>> = const { Cell::new(None) };
}

/// Whether a counted query of that text is running on this thread.
pub(crate) fn is_running(sql: &str) -> bool {
    RUNNING.try_with(Cell::get).ok().flatten().is_some_and(|running| running.sends(sql))
}

/// The query at `site` is running on this thread until the guard is dropped.
pub(crate) fn enter(site: &'static Site) -> Entered {
    let previous = RUNNING.try_with(|running| running.replace(Some(site))).ok().flatten();
    Entered { previous, thread: PhantomData }
}

pub(crate) struct Entered {
    previous: Option<&'static Site>,
    thread: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let _ = RUNNING.try_with(|running| running.set(self.previous));
    }
}

pin_project! {
    /// An execution of the query at one site.
    pub(crate) struct Running<F> {
        // Taken out where it is dropped, for sqlx tells of an execution that is given up as well.
        #[pin]
        execution: Option<F>,
        site: &'static Site,
    }

    impl<F> PinnedDrop for Running<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = enter(this.site);
            this.execution.set(None);
        }
    }
}

impl<F> Running<F> {
    pub(crate) fn new(site: &'static Site, execution: F) -> Self {
        Self { execution: Some(execution), site }
    }
}

impl<F: Future> Future for Running<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _entered = enter(this.site);
        match this.execution.as_pin_mut() {
            Some(execution) => execution.poll(context),
            None => Poll::Pending,
        }
    }
}
