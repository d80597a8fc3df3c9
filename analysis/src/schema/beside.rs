//! What is worked out of a schema when it is asked for, and kept beside it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Name;

/// Something kept beside a schema. It is no part of what the schema says: a copy of one begins without it, and any two are
/// equal.
#[derive(Default)]
pub struct Beside<C>(C);

/// Something for each table.
pub type OfTables<T> = Beside<Mutex<HashMap<Name, Arc<T>>>>;

/// Something for the whole, worked out once. Whoever changes the schema forgets it.
pub type OfAll<T> = Beside<OnceLock<T>>;

impl<T: ?Sized> OfTables<T> {
    /// What is kept for a table while it `is_current`, for the table may have changed; else it is made anew.
    pub(crate) fn get(
        &self,
        table: &Name,
        is_current: impl FnOnce(&T) -> bool,
        make: impl FnOnce() -> Arc<T>,
    ) -> Arc<T> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.get(table).filter(|known| is_current(known)) {
            return Arc::clone(known);
        }
        let made = make();
        kept.insert(table.clone(), Arc::clone(&made));
        made
    }
}

impl<T> OfAll<T> {
    pub(crate) fn get(&self, make: impl FnOnce() -> T) -> &T {
        self.0.get_or_init(make)
    }

    pub(crate) fn forget(&mut self) {
        self.0.take();
    }
}

impl<C: Default> Clone for Beside<C> {
    fn clone(&self) -> Beside<C> {
        Beside::default()
    }
}

impl<C> PartialEq for Beside<C> {
    fn eq(&self, _: &Beside<C>) -> bool {
        true
    }
}

impl<C> Eq for Beside<C> {}

impl<C> fmt::Debug for Beside<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Beside")
    }
}
