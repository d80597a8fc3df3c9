//! INSERT, UPDATE, DELETE: values are converted to the types of their columns.

use super::arena::Ty;
use super::coerce::Context;
use super::session::{Session, Value};
use crate::sql::expr::{Expr, PART};
use crate::sql::query::{Action, BlockId, Body, RelationId, Write};

impl Session<'_> {
    /// Derives a write, and returns the columns of its RETURNING, if it has one.
    pub(super) fn write(&mut self, write: &Write, id: BlockId) -> Option<Vec<(String, Value)>> {
        let block = self.query.block(id);
        let rows = self.query.relation(write.target).block;
        if write.from.is_empty() {
            self.source(write);
        }
        for item in &write.from {
            self.from(item);
        }
        if let Some(conflict) = &write.conflict {
            self.assign(&conflict.assignments, write.target);
            if let Some(filter) = &conflict.filter {
                self.condition(filter, "the condition of DO UPDATE");
            }
        }
        if let Some(filter) = &write.filter {
            self.refute(filter);
            self.condition(filter, "the condition of WHERE");
            self.check_rows(filter, rows, "WHERE");
            self.check_sets(filter, "WHERE");
        }
        for (_, value) in &write.assignments {
            if let (Some(value), None) = (value, write.source) {
                self.check_rows(value, rows, "SET");
            }
        }
        for value in write.returning.iter().flatten() {
            self.check_rows(value, rows, "RETURNING");
        }
        self.whens(write);
        let outputs = match &write.returning {
            Some(returning) => self.projection(returning, &[], block, true),
            None => Some(Vec::new()),
        };
        // The SET list is analysed last; an INSERT has none.
        if !write.from.is_empty() && write.whens.is_empty() {
            self.assign(&write.assignments, write.target);
        }
        outputs
    }

    fn whens(&mut self, write: &Write) {
        for when in &write.whens {
            if let Some(condition) = &when.condition {
                self.condition(condition, "the condition of WHEN");
            }
            match &when.action {
                Action::Update(assignments) => self.assign(assignments, write.target),
                Action::Insert { columns, values } => {
                    let targets = self.target_types(write.target, columns);
                    self.store_all(values.iter().enumerate(), &targets, true);
                }
                Action::Delete | Action::Nothing => {}
            }
        }
    }

    /// The rows of an INSERT.
    fn source(&mut self, write: &Write) {
        let columns: Vec<String> = write.assignments.iter().map(|(column, _)| column.clone()).collect();
        let targets = self.target_types(write.target, &columns);
        let Some(source) = write.source else {
            self.assign(&write.assignments, write.target);
            return;
        };
        let query = self.query;
        if let Body::Values(rows) = &query.block(source).body
            && query.block(source).order_by.is_empty()
        {
            for cte in self.ctes.get(&source).cloned().unwrap_or_default() {
                self.block(cte, true);
            }
            for row in rows {
                self.store_all(row.iter().enumerate(), &targets, true);
            }
            self.blocks.insert(source, None);
            return;
        }
        let Some(fields) = self.block(source, false) else { return };
        for (at, field) in fields.iter().enumerate() {
            let (ty, name) = targets.get(at).cloned().unwrap_or((Ty::OPAQUE, String::new()));
            self.stored(field.value.clone(), ty, &name, true);
        }
    }

    /// The types of the columns that are written, each with its name.
    fn target_types(&mut self, target: RelationId, columns: &[String]) -> Vec<(Ty, String)> {
        if !columns.is_empty() && self.stored_table(target).is_some() {
            // Most columns of a wide table are not written.
            let ty = |column: &String| {
                let value = self.field(target, column);
                (value.map_or(Ty::OPAQUE, |value| value.ty), column.clone())
            };
            return columns.iter().map(ty).collect();
        }
        let Some(fields) = self.relation(target) else {
            return vec![(Ty::OPAQUE, String::new()); columns.len()];
        };
        if columns.is_empty() {
            return fields.iter().map(|field| (field.value.ty, field.name.clone())).collect();
        }
        let ty = |column: &String| {
            let field = fields.iter().find(|field| field.name == *column);
            (field.map_or(Ty::OPAQUE, |field| field.value.ty), column.clone())
        };
        columns.iter().map(ty).collect()
    }

    fn assign(&mut self, assignments: &[(String, Option<Expr>)], target: RelationId) {
        let columns: Vec<String> = assignments.iter().map(|(column, _)| column.clone()).collect();
        let targets = self.target_types(target, &columns);
        let mut single = Vec::new();
        for (at, (_, value)) in assignments.iter().enumerate() {
            let Some(value) = value else { continue };
            // `(a, b) = (SELECT ..)`: the columns after the first have no value of their own.
            let several = assignments.iter().skip(at + 1).take_while(|(_, value)| value.is_none()).count();
            if let (Expr::Subquery(block), true) = (value, several > 0) {
                let Some(fields) = self.block(*block, true) else { continue };
                for (field, (ty, name)) in fields.iter().zip(targets.iter().skip(at)) {
                    self.stored(field.value.clone(), *ty, name, true);
                }
                continue;
            }
            // `(a, b) = ROW(v.*)`: which of the values is stored in which column is not known.
            if several > 0 {
                self.expr(value);
                continue;
            }
            single.push((at, value));
        }
        // Only a list of columns, `(a.street, b) = (..)`, has fields whose value does not name them.
        self.store_all(single, &targets, self.query.fielded);
    }

    /// Stores values in columns, each with the column's position. The server reads all of them before it converts the first,
    /// so a parameter in two of them has no type yet. `is_listed`: the columns are listed, as those of an INSERT.
    fn store_all<'e>(
        &mut self,
        exprs: impl IntoIterator<Item = (usize, &'e Expr)>,
        targets: &[(Ty, String)],
        is_listed: bool,
    ) {
        let is_default = |expr: &Expr| matches!(expr, Expr::Other { what, .. } if what == "default");
        let given = exprs.into_iter().filter(|(_, expr)| !is_default(expr));
        let values = given.map(|(at, expr)| match expr {
            Expr::Other { what, parts } if what == PART => {
                let [part, value] = parts.as_slice() else { return (at, None, self.expr(expr)) };
                (at, Some(part), self.expr(value))
            }
            _ => (at, None, self.expr(expr)),
        });
        for (at, part, value) in values.collect::<Vec<_>>() {
            let (ty, name) = targets.get(at).cloned().unwrap_or((Ty::OPAQUE, String::new()));
            let (ty, name) = part.map_or((ty, name), |part| (self.expr(part).ty, shown(part)));
            self.stored(value, ty, &name, is_listed);
        }
    }

    /// Whether a value may be stored in an element: `INSERT INTO t (list[1])`, of which the subscript is not kept.
    fn is_element(&mut self, value: Ty, of: Ty) -> bool {
        if self.is_fixed(of) {
            return true;
        }
        let element = self.types.element(of);
        element.is_some_and(|element| self.converts(value, element, Context::Assignment) != Some(false))
    }

    /// Whether a type has a fixed number of elements: `SET place[0] = 1.5` of a point.
    fn is_fixed(&mut self, ty: Ty) -> bool {
        let base = self.types.base(ty);
        matches!(&*self.types.info(base).name, "point" | "line" | "lseg" | "box")
    }

    fn stored(&mut self, value: Value, ty: Ty, column: &str, is_listed: bool) {
        // Whether a list of columns has `list[1]` or `list`, `address.zip` or `address` is not kept.
        let base = self.types.base(ty);
        let element = self.types.element(ty);
        let is_row = self.types.info(element.unwrap_or(base)).class == b'c';
        let is_field =
            is_listed && is_row && (self.query.fielded || self.query.subscripted && element.is_some());
        let is_subscripted = is_listed && self.query.subscripted;
        let is_part = is_field || is_subscripted && (element.is_some() || self.is_fixed(ty));
        if is_part && value.is_unknown() {
            self.coerce(value, Ty::OPAQUE, &format!("stored in `{column}` or in an element of it"));
            return;
        }
        if !value.is_unknown()
            && self.converts(value.ty, ty, Context::Assignment) == Some(false)
            && !is_field
            && (!is_subscripted || !self.is_element(value.ty, ty))
            && !self.has_unknown_casts()
        {
            let (from, to) = (self.types.display(value.ty), self.types.display(ty));
            self.error(format!("column `{column}` is `{to}` and is given `{from}`"), value.span);
        }
        self.coerce(value, ty, &format!("stored in `{column}`"));
    }
}

/// A part of a column, as messages name it: `address.zip`, `list[..]`.
fn shown(part: &Expr) -> String {
    match part {
        Expr::Column(column) => column.name.clone(),
        Expr::Access { expr, field: Some(field), .. } => format!("{}.{field}", shown(expr)),
        Expr::Access { expr, .. } => format!("{}[..]", shown(expr)),
        Expr::Other { parts, .. } => {
            parts.first().map_or_else(String::new, |of| format!("{}[..]", shown(of)))
        }
        _ => String::new(),
    }
}
