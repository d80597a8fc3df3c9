//! Types in sqlx's own format.

use query_budget_analysis::types::{Kind, SqlType, sqlx_variant};
use serde_json::{Value, json};

/// A PostgreSQL type as sqlx writes it into `.sqlx`.
pub(crate) fn json(ty: &SqlType) -> Value {
    if let Some(variant) = sqlx_variant(ty) {
        return json!(variant);
    }
    let kind = match &ty.kind {
        Kind::Builtin | Kind::Extension => json!("Simple"),
        Kind::Pseudo => json!("Pseudo"),
        Kind::Array(element) => json!({ "Array": json(element) }),
        Kind::Enum(labels) => json!({ "Enum": labels }),
        Kind::Composite(fields) => {
            let fields: Vec<Value> = fields.iter().map(|(name, ty)| json!([name, json(ty)])).collect();
            json!({ "Composite": fields })
        }
        Kind::Domain(base) => json!({ "Domain": json(base) }),
        Kind::Range(base) => json!({ "Range": json(base) }),
    };
    json!({ "Custom": { "name": ty.name, "kind": kind } })
}
