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
            Source::System(name) => of_system(&name.name, &column.name).unwrap_or_else(unknown),
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

/// A column of SQLite's own table of what the schema holds.
fn of_system(table: &str, name: &str) -> Option<Value> {
    let is_schema = ["sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema"];
    let name = name.to_ascii_lowercase();
    let ty = match name.as_str() {
        "type" | "name" | "tbl_name" | "sql" => Ty::Text,
        "rootpage" => Ty::Integer,
        _ => return None,
    };
    let origin = Origin::Table { table: "sqlite_master".to_owned(), column: name };
    let null = Null { said: Some(true), is_certain: true, proven_not_null: false };
    is_schema.contains(&table).then(|| Value { origin, ..Value::computed(Ok(ty), null) })
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

#[cfg(test)]
mod tests {
    use crate::schema::Schema;
    use crate::sql::{Dialect, resolve};
    use crate::types::describe;

    #[test]
    fn the_table_of_the_schema_is_known() {
        let schema = Schema::new(Dialect::Sqlite);
        for (sql, expect) in [
            ("SELECT name FROM sqlite_master WHERE type = 'table' LIMIT 1", "name TEXT Some(true)"),
            ("SELECT s.rootpage FROM sqlite_schema s LIMIT 1", "rootpage INTEGER Some(true)"),
            ("SELECT rowid FROM sqlite_master LIMIT 1", "rowid ? None"),
            ("SELECT seq FROM sqlite_sequence LIMIT 1", "seq ? None"),
        ] {
            let query = resolve(sql, Dialect::Sqlite, Some(&schema)).expect("it parses");
            let columns = describe(&query, &schema, Dialect::Sqlite).columns.into_iter();
            let told = columns.map(|column| {
                let ty = column.ty.known().map_or("?".to_owned(), |ty| ty.name.clone());
                let nullable = column.nullable.filter(|_| ty != "?");
                format!("{} {ty} {nullable:?}", column.name)
            });
            assert_eq!(told.collect::<Vec<_>>(), [expect], "{sql}");
        }
    }
}
