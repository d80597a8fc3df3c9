//! PostgreSQL's types as sqlx writes them into an entry.

use query_budget_analysis::types::{Kind, SqlType};
use serde::Serialize;

use super::version::Sqlx;

/// The types that sqlx knows by themselves: the catalog's name, and sqlx's. Their arrays are behind them in both.
const KNOWN: [(&str, &str); 44] = [
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
    ("tsrange", "TsRange"),
    ("tstzrange", "TstzRange"),
    ("uuid", "Uuid"),
    ("varbit", "Varbit"),
];

/// Those of which sqlx knows no array.
const KNOWN_ALONE: [(&str, &str); 3] = [("unknown", "Unknown"), ("varchar", "Varchar"), ("void", "Void")];

/// A type as an entry has it. The order of the fields is that of the file.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum TypeInfo {
    /// One that sqlx knows by itself, by sqlx's name.
    Known(String),
    /// Any other.
    Other {
        #[serde(rename = "Custom")]
        custom: Box<Custom>,
    },
}

/// A type that sqlx has to look up.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Custom {
    name: String,
    kind: CustomKind,
}

#[derive(Debug, PartialEq, Serialize)]
enum CustomKind {
    Simple,
    Pseudo,
    Domain(TypeInfo),
    Composite(Vec<(String, TypeInfo)>),
    Array(TypeInfo),
    Enum(Vec<String>),
    Range(TypeInfo),
}

/// A type as an entry of that version has it.
pub(super) fn type_info(ty: &SqlType, sqlx: Sqlx) -> TypeInfo {
    if let Some(known) = known(&ty.name) {
        return TypeInfo::Known(known);
    }
    let kind = match &ty.kind {
        Kind::Builtin | Kind::Extension => CustomKind::Simple,
        Kind::Pseudo => CustomKind::Pseudo,
        Kind::Array(element) => CustomKind::Array(type_info(element, sqlx)),
        Kind::Enum(labels) => CustomKind::Enum(labels.clone()),
        Kind::Composite(fields) => {
            let field = |(name, ty): &(String, SqlType)| (name.clone(), type_info(ty, sqlx));
            CustomKind::Composite(fields.iter().map(field).collect())
        }
        Kind::Domain(base) => CustomKind::Domain(type_info(base, sqlx)),
        Kind::Range(element) => CustomKind::Range(type_info(element, sqlx)),
    };
    let name = if sqlx.names_types_bare() { bare_name(ty) } else { ty.name.clone() };
    TypeInfo::Other { custom: Box::new(Custom { name, kind }) }
}

fn known(name: &str) -> Option<String> {
    let find = |name: &str| {
        let all = KNOWN.iter().chain(&KNOWN_ALONE);
        all.clone().find(|(catalog, _)| *catalog == name).map(|(_, sqlx)| *sqlx)
    };
    match name.strip_prefix('_') {
        Some(element) if element != "unknown" && element != "void" => {
            find(element).map(|known| format!("{known}Array"))
        }
        _ => find(name).map(str::to_owned),
    }
}

/// The catalog's name of a type, without its schema: `_mood` for an array of `app.mood`.
fn bare_name(ty: &SqlType) -> String {
    if let Kind::Array(element) = &ty.kind {
        return format!("_{}", bare_name(element));
    }
    let name = ty.name.rsplit_once("\".\"").map_or(ty.name.as_str(), |(_, name)| name);
    let name = if name.contains('"') { name } else { name.rsplit('.').next().unwrap_or(name) };
    name.trim_matches('"').replace("\"\"", "\"")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn saved(ty: &SqlType, sqlx: Sqlx) -> serde_json::Value {
        serde_json::to_value(type_info(ty, sqlx)).expect("it can be written")
    }

    fn ty(name: &str, kind: Kind) -> SqlType {
        SqlType { name: name.to_owned(), kind }
    }

    #[test]
    fn types_are_named_as_each_version_names_them() {
        let int = ty("int4", Kind::Builtin);
        assert_eq!(saved(&int, Sqlx::V08), json!("Int4"));
        let ints = ty("_int4", Kind::Array(Box::new(int)));
        assert_eq!(saved(&ints, Sqlx::V08), json!("Int4Array"));
        assert_eq!(saved(&ty("_varchar", Kind::Builtin), Sqlx::V08), json!("VarcharArray"));
        let mood = ty("app.mood", Kind::Enum(vec!["a".to_owned()]));
        let expected = json!({ "Custom": { "name": "app.mood", "kind": { "Enum": ["a"] } } });
        assert_eq!(saved(&mood, Sqlx::V08), expected);
        let moods = ty("app.mood[]", Kind::Array(Box::new(mood)));
        let bare = json!({ "Custom": { "name": "_mood", "kind": { "Array": {
            "Custom": { "name": "mood", "kind": { "Enum": ["a"] } } } } } });
        assert_eq!(saved(&moods, Sqlx::V07), bare);
        let vector = ty("tsvector", Kind::Builtin);
        assert_eq!(saved(&vector, Sqlx::V09), json!({ "Custom": { "name": "tsvector", "kind": "Simple" } }));
    }
}
