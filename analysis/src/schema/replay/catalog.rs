//! What the database's catalog would contain at this point of the migrations, for code that queries it before
//! changing something.

use super::Replay;
use crate::schema::model::Name;

impl Replay {
    /// Whether a catalog contains a row with these values; `None` if undetermined.
    pub(super) fn catalog_has(&self, catalog: &str, equals: &[(String, String)]) -> Option<bool> {
        let value = |names: &[&str]| {
            let found = equals.iter().find(|(column, _)| names.contains(&column.as_str()));
            found.map(|(_, value)| value.as_str())
        };
        let schema = value(&["table_schema", "schemaname", "nspname", "constraint_schema", "index_schema"]);
        let name_of = |name: &str| Name::qualified(schema, name);
        let table = value(&["table_name", "relname", "tablename", "event_object_table"]);
        let tables = || {
            let of_name = move |name: &&Name| table.is_none_or(|table| name.name == table);
            self.schema.tables.keys().filter(of_name).filter_map(|name| self.schema.tables.get(name))
        };
        Some(match catalog {
            "pg_type" => {
                let name = value(&["typname"])?;
                self.schema.types.keys().any(|ty| ty.name == name)
                    || self.schema.tables.keys().any(|it| it.name == name)
            }
            "pg_class" | "pg_tables" | "tables" | "pg_views" | "views" | "pg_matviews" => {
                let name = value(&["relname", "tablename", "table_name", "viewname", "matviewname"])?;
                let in_schema = self.relation_exists(&name_of(name));
                in_schema || (schema.is_none() && self.schema.tables.keys().any(|table| table.name == name))
            }
            "columns" | "pg_attribute" => {
                let column = value(&["column_name", "attname"])?;
                tables().any(|table| table.column(column).is_some())
            }
            "pg_constraint" | "table_constraints" | "constraint_column_usage" | "referential_constraints" => {
                let name = value(&["conname", "constraint_name"]);
                let Some(name) = name else {
                    // "has a primary key" and similar checks.
                    let kind = value(&["constraint_type", "contype"])?;
                    return table.map(|_| match kind {
                        "PRIMARY KEY" | "p" => tables().any(|table| !table.primary_key.is_empty()),
                        "FOREIGN KEY" | "f" => tables().any(|table| !table.foreign_keys.is_empty()),
                        _ => tables().any(|table| !table.unique.is_empty()),
                    });
                };
                tables().any(|table| {
                    table.foreign_keys.iter().any(|key| key.name.as_deref() == Some(name))
                        || table.checks.iter().any(|check| check.name.as_deref() == Some(name))
                        || table.indexes.iter().any(|index| index.constraint && index.name == name)
                })
            }
            "pg_indexes" | "pg_index" | "statistics" => {
                let name = value(&["indexname", "relname", "index_name"])?;
                tables().any(|table| table.indexes.iter().any(|index| index.name == name))
            }
            "pg_namespace" | "schemata" => {
                let name = value(&["nspname", "schema_name"])?;
                let schema = Name::qualified(Some(name), "").schema;
                schema.is_none()
                    || self.schema.tables.keys().any(|table| table.name.is_empty() || table.schema == schema)
            }
            "pg_extension" => self.schema.extensions.contains(value(&["extname"])?),
            "pg_enum" => {
                let label = value(&["enumlabel"])?;
                let ty = value(&["typname"]);
                self.schema.types.iter().any(|(name, it)| match it {
                    crate::schema::model::UserType::Enum(labels) => {
                        ty.is_none_or(|ty| ty == name.name) && labels.iter().any(|it| it == label)
                    }
                    _ => false,
                })
            }
            "pg_sequences" | "sequences" => {
                let name = value(&["sequencename", "sequence_name"])?;
                self.schema.sequences.keys().any(|sequence| sequence.name == name)
            }
            "pg_proc" | "routines" => {
                let name = value(&["proname", "routine_name"])?;
                self.schema.functions.keys().any(|function| function.name == name)
            }
            _ => return None,
        })
    }
}
