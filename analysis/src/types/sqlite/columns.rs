//! Columns of tables, and of other items in FROM.

use super::Reader;
use super::ty::{Null, Ty, Value};
use crate::schema::{Column, Table};
use crate::sql::expr::ColumnRef;
use crate::sql::outer_joins;
use crate::sql::query::{BlockId, Body, Source};
use crate::types::Origin;

impl Reader<'_> {
    pub(super) fn column(&self, column: &ColumnRef, depth: usize) -> Value {
        let unknown = || Value::unknown(format!("the column `{}` is not known", column.name));
        let Some(id) = column.relation else { return unknown() };
        let relation = self.query.relation(id);
        let mut value = match &relation.source {
            Source::Table(name) => match self.schema.tables.get(name) {
                Some(table) => of_table(table, &column.name).unwrap_or_else(unknown),
                None => return unknown(),
            },
            Source::Derived(block) | Source::Cte(block) | Source::View(_, block) => {
                let mut columns = relation.columns.iter().flat_map(|columns| columns.iter());
                let Some(at) = columns.position(|it| it.name.eq_ignore_ascii_case(&column.name)) else {
                    return unknown();
                };
                // A recursive reference is handled where the query is read.
                if self.query.is_within(relation.block, *block) {
                    return Value::unknown("it is a column of the recursive query itself");
                }
                let mut value = self.output(*block, at, depth + 1);
                if value.is_rowid || !matches!(value.origin, Origin::Table { .. }) {
                    value.null = value.null.uncertain();
                }
                value.is_rowid = false;
                value
            }
            _ => return unknown(),
        };
        if outer_joins::padded(self.query.block(relation.block)).contains(&id) {
            value.is_absent = true;
            value.null = match value.is_rowid {
                // sqlx treats a rowid as present even in a padded row.
                true => Null { proven_not_null: false, ..value.null },
                false => Null { said: Some(true), proven_not_null: false, is_certain: value.null.is_certain },
            };
        }
        value
    }

    /// A column as an output of its block, whose rows may be groups.
    pub(super) fn grouped(&self, mut value: Value, block: BlockId) -> Value {
        let Body::Select(select) = &self.query.block(block).body else { return value };
        if select.group_by.is_empty() && select.aggregates {
            // Aggregates without GROUP BY return one row even for no input, with every plain column NULL.
            value.null = Null { said: Some(true), is_certain: false, proven_not_null: false };
        } else if !select.group_by.is_empty() && value.null.said == Some(false) {
            // If an index provides the groups, sqlx reports their columns as nullable; if they are sorted, it
            // does not.
            value.null = value.null.uncertain();
        }
        value
    }
}

/// A column of a table.
fn of_table(table: &Table, name: &str) -> Option<Value> {
    let rowid = || table.rowid_alias().filter(|_| !table.without_rowid);
    let column = table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
    let is_hidden = matches!(name.to_ascii_lowercase().as_str(), "rowid" | "oid" | "_rowid_");
    let is_rowid = match column {
        Some(column) => rowid().is_some_and(|alias| alias.name == column.name),
        None => is_hidden && !table.without_rowid,
    };
    let shown = column.or_else(rowid).map_or_else(|| "rowid".to_owned(), |column| column.name.clone());
    let origin = Origin::Table { table: table.name.to_string(), column: shown };
    if is_rowid {
        return Some(Value { origin, is_rowid: true, ..Value::computed(Ok(Ty::Integer), Null::NEVER) });
    }
    let column = column?;
    let ty = Ty::declared(&column.ty).ok_or_else(|| match column.ty.is_empty() {
        true => {
            format!("column `{}.{}` has no declared type, and holds values of any", table.name, column.name)
        }
        false => format!("values of a column that is declared `{}` can be of several types", column.ty),
    });
    let not_null = is_not_null(table, column);
    let null =
        Null { said: Some(!not_null), is_certain: stands_as_declared(table), proven_not_null: not_null };
    Some(Value { origin, ..Value::computed(ty, null) })
}

fn is_not_null(table: &Table, column: &Column) -> bool {
    column.not_null || (table.without_rowid && table.primary_key.contains(&column.name))
}

/// Whether the columns of a table are stored in declaration order, as sqlx assumes.
fn stands_as_declared(table: &Table) -> bool {
    let in_order = || table.columns.iter().zip(&table.primary_key).all(|(column, key)| column.name == *key);
    table.columns.iter().all(|column| column.generated.is_none()) && (!table.without_rowid || in_order())
}
