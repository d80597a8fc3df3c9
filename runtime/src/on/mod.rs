//! Scopes and counts when budgets are enforced. `off.rs` has the same names for builds in which they are not.

mod budgeted;
mod counter;
mod current;
#[cfg(feature = "tracing")]
mod layer;
mod outcome;
mod scope;
mod scoped;
mod tally;

pub use self::budgeted::{Budgeted, Measured, measure};
pub(crate) use self::counter::Counter;
pub use self::current::{CurrentBudget, InBudget, current};
#[cfg(feature = "tracing")]
pub use self::layer::layer;
pub use self::outcome::set_hook;
pub use self::scope::{Scope, scope};
