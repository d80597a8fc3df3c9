//! The counted query whose execution is being polled or dropped on this thread: a report from sqlx with its
//! text in the meantime refers to that query, whatever the scope. Also tracks whether it was handed to a
//! connection.

use std::cell::Cell;
#[cfg(feature = "sqlx")]
use std::marker::PhantomData;

use crate::site::Site;

thread_local! {
    static RUNNING: Cell<Running> = const { Cell::new(Running { site: None, executed_on: None }) };
}

#[derive(Clone, Copy, Default)]
struct Running {
    site: Option<&'static Site>,
    /// The database that it was sent to.
    executed_on: Option<&'static str>,
}

/// Whether a counted query with this text is running on this thread.
#[cfg(feature = "tracing")]
pub(crate) fn is_running(sql: &str) -> bool {
    let running = RUNNING.try_with(Cell::get).unwrap_or_default();
    running.site.is_some_and(|running| running.sends(sql))
}

/// Records that the query at `site` was passed to a connection on this thread; returns whether a counted query with its
/// text is running there.
#[cfg(feature = "sqlx")]
pub(crate) fn has_executed(site: &'static Site, database: &'static str) -> bool {
    let is_running = RUNNING.try_with(|running| {
        let now = running.get();
        match now.site {
            Some(same) if std::ptr::eq(same, site) => {
                running.set(Running { executed_on: Some(database), ..now });
                true
            }
            #[cfg(feature = "tracing")]
            Some(other) => other.sends(site.sql),
            _ => false,
        }
    });
    is_running.unwrap_or_default()
}

/// Marks the query at `site` as running on this thread until the guard is dropped.
#[cfg(feature = "sqlx")]
pub(crate) fn enter(site: &'static Site) -> Entered {
    let now = Running { site: Some(site), executed_on: None };
    let previous = RUNNING.try_with(|running| running.replace(now)).unwrap_or_default();
    Entered { previous, thread: PhantomData }
}

#[cfg(feature = "sqlx")]
pub(crate) struct Entered {
    previous: Running,
    thread: PhantomData<*const ()>,
}

#[cfg(feature = "sqlx")]
impl Entered {
    /// The database that the query was sent to since this was entered.
    pub(crate) fn executed_on(&self) -> Option<&'static str> {
        RUNNING.try_with(Cell::get).unwrap_or_default().executed_on
    }
}

#[cfg(feature = "sqlx")]
impl Drop for Entered {
    fn drop(&mut self) {
        let _ = RUNNING.try_with(|running| running.set(self.previous));
    }
}
