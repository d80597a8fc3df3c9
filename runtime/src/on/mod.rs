//! Scopes and counts in builds that count. `off.rs` has the same names for other builds.

mod budgeted;
mod carried;
mod counted;
#[cfg(feature = "sqlx")]
mod counter;
mod current;
pub(crate) mod ended;
#[cfg(feature = "tracing")]
mod layer;
mod node;
mod notice;
#[cfg(feature = "otel")]
mod otel;
mod outcome;
mod parameters;
#[cfg(any(feature = "sqlx", feature = "tracing"))]
mod running;
mod scope;
mod scoped;
#[cfg(feature = "tracing")]
pub(crate) mod slow;
#[cfg(feature = "tracing")]
mod span;
mod tally;
#[cfg(feature = "tracing")]
mod traffic;
#[cfg(feature = "sqlx")]
mod watch;
#[cfg(feature = "sqlx")]
mod witness;

pub(crate) use self::budgeted::measure_at;
pub use self::budgeted::{Budgeted, BudgetedStream, Measured, measure};
pub use self::carried::{CurrentBudget, InBudget, counts, current, uncounted};
pub use self::counted::{Counted, counted};
#[cfg(feature = "sqlx")]
pub(crate) use self::counter::Counter;
#[cfg(feature = "tracing")]
pub use self::layer::layer;
#[cfg(feature = "axum")]
pub(crate) use self::outcome::failed;
#[cfg(feature = "tower")]
pub(crate) use self::outcome::{Ending, fail};
pub use self::outcome::{reset_hook, set_hook};
#[cfg(feature = "tower")]
pub(crate) use self::scope::OpenScope;
pub use self::scope::{Scope, scope};
#[cfg(feature = "tower")]
pub(crate) use self::scoped::Scoped;
