//! Locks and atomics: those of the standard library, or of the model checker `loom` under its cfg.

#[cfg(query_budget_loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, Ordering};
#[cfg(query_budget_loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard};
#[cfg(not(query_budget_loom))]
pub(crate) use std::sync::atomic::{AtomicBool, Ordering};
#[cfg(not(query_budget_loom))]
pub(crate) use std::sync::{Mutex, MutexGuard};
