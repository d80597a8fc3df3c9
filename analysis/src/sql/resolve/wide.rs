//! Columns of wide relations by name. A table may have thousands, and a statement may name them all.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::sql::query::{FEW_COLUMNS, RelationColumn};

/// The columns of one relation, and where each name stands, in lower case.
type Places = (Arc<[RelationColumn]>, HashMap<String, Vec<usize>>);

/// The names of the wide relations of a statement, by the address of their columns, which are kept.
#[derive(Default)]
pub(super) struct Wide(RefCell<HashMap<*const RelationColumn, Places>>);

impl Wide {
    /// The first column of this name, in whichever case, that `is_meant`.
    pub(super) fn find<'c>(
        &self,
        columns: &'c Arc<[RelationColumn]>,
        name: &str,
        is_meant: impl Fn(&RelationColumn) -> bool,
    ) -> Option<&'c RelationColumn> {
        if columns.len() <= FEW_COLUMNS {
            return columns.iter().find(|column| is_meant(column));
        }
        let mut kept = self.0.borrow_mut();
        let (_, places) = kept.entry(columns.as_ptr()).or_insert_with(|| {
            let mut places: HashMap<String, Vec<usize>> = HashMap::new();
            for (at, column) in columns.iter().enumerate() {
                places.entry(column.name.to_ascii_lowercase()).or_default().push(at);
            }
            (Arc::clone(columns), places)
        });
        let of_name = places.get(&name.to_ascii_lowercase())?;
        of_name.iter().filter_map(|at| columns.get(*at)).find(|column| is_meant(column))
    }
}
