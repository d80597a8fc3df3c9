//! Compares an entry with the committed one.

use serde_json::Value;

use super::form::{Description, TypeInfo};

/// Keeps the committed nullability of columns for which it is uncertain.
pub(super) fn keep_doubtful(description: &mut Description, doubts: &[usize], committed: &Value) {
    let describe = &committed["describe"];
    for &at in doubts {
        let Some(column) = description.columns.get_mut(at) else { continue };
        if describe["columns"][at]["name"].as_str() != Some(&column.name) {
            continue;
        }
        match &describe["nullable"][at] {
            Value::Bool(nullable) => {
                column.nullable = Some(*nullable);
                if let TypeInfo::MySql(ty) = &mut column.ty {
                    ty.set_nullable(*nullable);
                }
            }
            Value::Null => column.nullable = None,
            _ => {}
        }
    }
}

/// Keeps the committed nullability that sqlx before 0.9 saved for columns about which 0.9 knows more:
/// nullable, or unknown.
pub(super) fn keep_looser(description: &mut Description, committed: &Value) {
    let describe = &committed["describe"];
    for (at, column) in description.columns.iter_mut().enumerate() {
        let saved = &describe["columns"][at];
        if saved["name"].as_str() != Some(&column.name) {
            continue;
        }
        let nullable = describe["nullable"][at].as_bool();
        if saved["type_info"] == "Null" && nullable.is_none() {
            (column.ty, column.nullable) = (TypeInfo::Sqlite("Null".to_owned()), None);
        } else if column.nullable == Some(false) && nullable != Some(false) {
            column.nullable = nullable;
        }
    }
}

/// Whether an entry has the same content, but was written by a version of sqlx without column origins.
/// Versions that read the newer form read this one as well.
pub(super) fn is_of_older_form(committed: &Value, made: &Value) -> bool {
    let mut older = made.clone();
    let columns = older["describe"]["columns"].as_array_mut();
    for column in columns.into_iter().flatten().filter_map(Value::as_object_mut) {
        column.remove("origin");
    }
    older == *committed
}

/// Whether MySQL entries have the same content except for what depends on the server: the name of the
/// database and the collation of text.
pub(super) fn is_of_another_server(committed: &Value, made: &Value) -> bool {
    const BINARY: u64 = 63;
    let without = |entry: &Value| {
        let mut entry = entry.clone();
        let columns = entry["describe"]["columns"].as_array_mut();
        for column in columns.into_iter().flatten().filter_map(Value::as_object_mut) {
            column.remove("origin");
            for key in ["collation", "char_set"] {
                let number = column.get_mut("type_info").and_then(|ty| ty.get_mut(key));
                if let Some(number) = number.filter(|number| number.as_u64() != Some(BINARY)) {
                    *number = Value::Null;
                }
            }
        }
        entry
    };
    without(committed) == without(made)
}

/// The differences between two entries, for display.
pub(super) fn between(committed: &Value, made: &Value) -> Vec<String> {
    let mut changes = Vec::new();
    let (was, is) = (&committed["describe"], &made["describe"]);
    let list = |value: &Value| value.as_array().map(Vec::len).unwrap_or_default();
    let (before, after) = (list(&was["columns"]), list(&is["columns"]));
    if before != after {
        changes.push(format!("{after} columns, not {before}"));
    }
    for at in 0..before.min(after) {
        let (was_column, column) = (&was["columns"][at], &is["columns"][at]);
        let name = text(&column["name"]);
        for (what, was, is) in [
            ("name", &was_column["name"], &column["name"]),
            ("type", &was_column["type_info"], &column["type_info"]),
            ("nullable", &was["nullable"][at], &is["nullable"][at]),
            ("origin", &was_column["origin"], &column["origin"]),
        ] {
            if was != is {
                changes.push(format!("column `{name}`: {what} {}{}", text(is), instead_of(was)));
            }
        }
    }
    let (was, is) = (&was["parameters"], &is["parameters"]);
    if was != is {
        changes.push(format!("parameters {}, not {}", text(is), text(was)));
    }
    if changes.is_empty() {
        changes.push("written in another form".to_owned());
    }
    changes
}

/// What a value replaces, if there was one.
fn instead_of(was: &Value) -> String {
    if was.is_null() { ", which was not stated".to_owned() } else { format!(", not {}", text(was)) }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "not stated".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::between;

    #[test]
    fn a_change_names_the_column_and_both_types() {
        let entry = |ty: &str, nullable: Option<bool>| {
            json!({ "describe": {
                "columns": [{ "ordinal": 0, "name": "id", "type_info": ty }],
                "parameters": { "Left": [] },
                "nullable": [nullable],
            } })
        };
        let found = between(&entry("Int4", Some(false)), &entry("Int8", None));
        assert_eq!(
            found,
            ["column `id`: type Int8, not Int4", "column `id`: nullable not stated, not false"]
        );
    }
}
