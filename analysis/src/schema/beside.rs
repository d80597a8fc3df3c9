//! What is worked out of a schema when it is asked for, and kept beside it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

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

/// Something worked out of a whole schema once, like what is kept for each table. Whoever changes the schema forgets it.
pub struct Once<T>(OnceLock<T>);

impl<T> Once<T> {
    pub(crate) fn get(&self, make: impl FnOnce() -> T) -> &T {
        self.0.get_or_init(make)
    }

    pub(crate) fn forget(&mut self) {
        self.0.take();
    }
}

impl<T> Default for Once<T> {
    fn default() -> Once<T> {
        Once(OnceLock::new())
    }
}

impl<T> Clone for Once<T> {
    fn clone(&self) -> Once<T> {
        Once::default()
    }
}

impl<T> PartialEq for Once<T> {
    fn eq(&self, _: &Once<T>) -> bool {
        true
    }
}

impl<T> Eq for Once<T> {}

impl<T> fmt::Debug for Once<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}
