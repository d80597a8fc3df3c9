//! Types in the form in which sqlx keeps them.

use query_budget_analysis::types::{Kind, SqlType};
use serde_json::{Value, json};

/// The catalog's names that sqlx knows, each with its own; their arrays are these with `Array`.
const NAMES: [(&str, &str); 44] = [
    ("bit", "Bit"),
    ("bool", "Bool"),
    ("box", "Box"),
    ("bpchar", "Bpchar"),
    ("bytea", "Bytea"),
    ("char", "Char"),
    ("cidr", "Cidr"),
    ("circle", "Circle"),
    ("date", "Date"),
    ("daterange", "DateRange"),
    ("float4", "Float4"),
    ("float8", "Float8"),
    ("inet", "Inet"),
    ("int2", "Int2"),
    ("int4", "Int4"),
    ("int4range", "Int4Range"),
    ("int8", "Int8"),
    ("int8range", "Int8Range"),
    ("interval", "Interval"),
    ("json", "Json"),
    ("jsonb", "Jsonb"),
    ("jsonpath", "Jsonpath"),
    ("line", "Line"),
    ("lseg", "Lseg"),
    ("macaddr", "Macaddr"),
    ("macaddr8", "Macaddr8"),
    ("money", "Money"),
    ("name", "Name"),
    ("numeric", "Numeric"),
    ("numrange", "NumRange"),
    ("oid", "Oid"),
    ("path", "Path"),
    ("point", "Point"),
    ("polygon", "Polygon"),
    ("record", "Record"),
    ("text", "Text"),
    ("time", "Time"),
    ("timestamp", "Timestamp"),
    ("timestamptz", "Timestamptz"),
    ("timetz", "Timetz"),
    ("uuid", "Uuid"),
    ("varbit", "Varbit"),
    ("varchar", "Varchar"),
    ("void", "Void"),
];

/// A PostgreSQL type as sqlx writes it into `.sqlx`.
pub(crate) fn json(ty: &SqlType) -> Value {
    let known = |name: &str| NAMES.iter().find(|(of, _)| *of == name).map(|(_, name)| *name);
    match &ty.kind {
        Kind::Builtin | Kind::Pseudo | Kind::Range(_) if known(&ty.name).is_some() => json!(known(&ty.name)),
        Kind::Array(element) if known(&element.name).is_some() && element.kind != Kind::Extension => {
            json!(format!("{}Array", known(&element.name).unwrap_or_default()))
        }
        Kind::Array(element) if element.name == "record" => json!("RecordArray"),
        _ if ty.name == "tsrange" => json!("TsRange"),
        _ if ty.name == "tstzrange" => json!("TstzRange"),
        kind => {
            let kind = match kind {
                Kind::Builtin | Kind::Extension => json!("Simple"),
                Kind::Pseudo => json!("Pseudo"),
                Kind::Array(element) => json!({ "Array": json(element) }),
                Kind::Enum(labels) => json!({ "Enum": labels }),
                Kind::Composite(fields) => {
                    let fields: Vec<Value> =
                        fields.iter().map(|(name, ty)| json!([name, json(ty)])).collect();
                    json!({ "Composite": fields })
                }
                Kind::Domain(base) => json!({ "Domain": json(base) }),
                Kind::Range(base) => json!({ "Range": json(base) }),
            };
            json!({ "Custom": { "name": ty.name, "kind": kind } })
        }
    }
}
