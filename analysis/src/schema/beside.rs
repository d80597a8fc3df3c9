//! What is worked out of each table when it is asked for, and kept beside the schema.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::Name;

/// Something kept for each table. It is no part of what a schema says: a copy of one begins without it, and any two are
/// equal.
pub struct Beside<T: ?Sized>(Mutex<HashMap<Name, Arc<T>>>);

impl<T: ?Sized> Beside<T> {
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

impl<T: ?Sized> Default for Beside<T> {
    fn default() -> Beside<T> {
        Beside(Mutex::new(HashMap::new()))
    }
}

impl<T: ?Sized> Clone for Beside<T> {
    fn clone(&self) -> Beside<T> {
        Beside::default()
    }
}

impl<T: ?Sized> PartialEq for Beside<T> {
    fn eq(&self, _: &Beside<T>) -> bool {
        true
    }
}

impl<T: ?Sized> Eq for Beside<T> {}

impl<T: ?Sized> fmt::Debug for Beside<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Beside")
    }
}
