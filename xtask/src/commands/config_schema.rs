//! The JSON schema of `query-budget.toml`, for editors that complete and check it.

use query_budget_analysis::Level;
use query_budget_analysis::lints::{self, Check};
use query_budget_analysis::sql::Dialect;
use serde_json::{Map, Value, json};

/// The URL of the schema.
const ID: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/raw/main/docs/query-budget.schema.json");

/// The schema as text.
pub(crate) fn text() -> String {
    format!("{:#}\n", schema())
}

fn schema() -> Value {
    let levels = [Level::Allow, Level::Warn, Level::Deny].map(Level::as_str);
    let lints: Map<String, Value> = lints::ALL
        .iter()
        .map(|lint| {
            let mut level = json!({ "enum": levels, "description": lint.summary });
            // The level of a lint on indexes depends on the command.
            if !lint.is_about_indexes() && !matches!(lint.check, Check::Schema(_)) {
                level["default"] = json!(lint.group.level().as_str());
            }
            (lint.name.to_owned(), level)
        })
        .collect();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": ID,
        "title": "query-budget.toml",
        "description": "What query-budget checks in a crate or workspace. Everything has a default.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "dialect": {
                "enum": Dialect::ALL.map(Dialect::as_str).into_iter().chain(["mariadb"]).collect::<Vec<_>>(),
                "description": "Whose rules hold (`mysql` may mean MariaDB as well); else taken from the snapshot or the scheme of DATABASE_URL.",
            },
            "schema": {
                "type": "string",
                "default": "schema.sql",
                "description": "The snapshot's path, relative to this file.",
            },
            "migrations": {
                "type": "string",
                "default": "migrations",
                "description": "The folder of the migrations, relative to this file.",
            },
            "nullability": {
                "enum": ["sqlx", "proven"],
                "default": "sqlx",
                "description": "Which columns `sql!` reads as an `Option`: those that sqlx's macros do, or all that are not proven not to be NULL.",
            },
            "lints": {
                "type": "object",
                "description": "Levels by lint.",
                "properties": lints,
                "additionalProperties": false,
            },
            "tables": {
                "type": "object",
                "description": "What is known about tables, by name.",
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": false,
                    "properties": {
                        "rows": {
                            "type": "integer",
                            "minimum": 0,
                            "description": "How many rows it holds at most; index and limit lints are silent about a small table.",
                        },
                    },
                },
            },
            "types": {
                "type": "object",
                "description": "Rust types by the name of the SQL type.",
                "additionalProperties": { "type": "string" },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use query_budget_analysis::config;

    use super::schema;

    /// The keys that the configuration parser lists in its error for an unknown one.
    fn expected(text: &str) -> Vec<String> {
        let error =
            config::parse(text, "query-budget.toml").expect_err("the key does not exist").message.clone();
        let (_, keys) = error.split_once("expected ").unwrap_or_else(|| panic!("{error}"));
        keys.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    fn keys(schema: &serde_json::Value) -> Vec<String> {
        let mut keys: Vec<String> = schema["properties"].as_object().expect("keys").keys().cloned().collect();
        keys.sort();
        keys
    }

    #[test]
    fn the_schema_has_the_keys_that_are_read() {
        let mut read = expected("no_key = 1\n");
        read.sort();
        assert_eq!(keys(&schema()), read);
        let table = &schema()["properties"]["tables"]["additionalProperties"];
        assert_eq!(keys(table), expected("[tables.t]\nno_key = 1\n"));
    }
}
