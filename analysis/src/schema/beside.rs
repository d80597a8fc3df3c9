//! Caches attached to a schema: computed on demand, and kept with it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Name;

/// A cache attached to a schema. It is not part of the schema's value: a clone starts empty, and any two are
/// equal.
#[derive(Default)]
pub struct Beside<C>(C);

/// A cache with an entry per table.
pub type OfTables<T> = Beside<Mutex<HashMap<Name, Arc<T>>>>;

/// A cache for the whole schema, computed once. Code that changes the schema has to reset it.
pub type OfAll<T> = Beside<OnceLock<T>>;

impl<T: ?Sized> OfTables<T> {
    /// The entry of a table if it `is_current`, since the table may have changed; otherwise a new one.
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
