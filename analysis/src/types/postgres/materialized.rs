//! Types of materialised views' columns that must be derived from the view's query.

use std::rc::Rc;

use super::arena::Ty;
use super::session::Session;
use crate::schema::Name;
use crate::sql::{Dialect, resolve};

impl Session<'_> {
    /// The type of a view's column, derived from its query.
    pub(super) fn stored_type(&mut self, view: &Name, column: &str) -> Option<Ty> {
        let known = match self.stored_types.get(view) {
            Some(known) => Rc::clone(known),
            None => {
                let derived: Rc<[(String, String)]> = self.derived(view).unwrap_or_default().into();
                self.stored_types.insert(view.clone(), Rc::clone(&derived));
                derived
            }
        };
        let (_, ty) = known.iter().find(|(name, _)| name == column)?;
        self.types.named(ty)
    }

    /// The names and types of a view's columns, without those whose type is unknown.
    fn derived(&self, view: &Name) -> Option<Vec<(String, String)>> {
        let view = self.schema.views.get(view)?;
        let query = resolve(&view.query, Dialect::Postgres, Some(self.schema)).ok()?;
        let mut of_view = Session::new(&query, self.schema);
        let fields = of_view.block(query.root?, true)?;
        let named = view.columns.iter().flatten().zip(fields.iter());
        let known = named.filter(|(_, field)| field.value.ty != Ty::OPAQUE);
        Some(
            known
                .map(|(column, field)| (column.name.clone(), of_view.types.display(field.value.ty)))
                .collect(),
        )
    }
}
