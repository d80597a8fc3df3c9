//! Types in sqlx's own format.

use query_budget_analysis::types::{SqlType, TypeKind, sqlx_variant};
use serde_json::{Value, json};

/// A PostgreSQL type as sqlx writes it into `.sqlx`.
pub(crate) fn json(ty: &SqlType) -> Value {
    if let Some(variant) = sqlx_variant(ty) {
        return json!(variant);
    }
    let kind = match &ty.kind {
        TypeKind::Builtin | TypeKind::Extension => json!("Simple"),
        TypeKind::Pseudo => json!("Pseudo"),
        TypeKind::Array(element) => json!({ "Array": json(element) }),
        TypeKind::Enum(labels) => json!({ "Enum": labels }),
        TypeKind::Composite(fields) => {
            let fields: Vec<Value> = fields.iter().map(|(name, ty)| json!([name, json(ty)])).collect();
            json!({ "Composite": fields })
        }
        TypeKind::Domain(base) => json!({ "Domain": json(base) }),
        TypeKind::Range(base) => json!({ "Range": json(base) }),
    };
    json!({ "Custom": { "name": ty.name, "kind": kind } })
}
