//! PostgreSQL's types and columns as sqlx writes them.

use query_budget_analysis::types::{self, SqlType, TypeKind};
use serde::Serialize;

use super::version::Version;

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Type {
    /// A type that sqlx has a variant for, by its name.
    Named(String),
    /// Any other.
    #[serde(rename_all = "PascalCase")]
    Other {
        /// Its description.
        custom: Box<Custom>,
    },
}

/// A type without a variant in sqlx.
#[derive(Debug, Serialize)]
pub(super) struct Custom {
    name: String,
    kind: CustomKind,
}

#[derive(Debug, Serialize)]
enum CustomKind {
    Simple,
    Pseudo,
    Domain(Type),
    Composite(Vec<(String, Type)>),
    Array(Type),
    Enum(Vec<String>),
    Range(Type),
}

/// A type as written by a version of sqlx.
pub(super) fn written(ty: &SqlType, version: Version) -> Type {
    if let Some(name) = types::sqlx_variant(ty) {
        return Type::Named(name);
    }
    let inner = |ty: &SqlType| written(ty, version);
    let kind = match &ty.kind {
        TypeKind::Builtin | TypeKind::Extension => CustomKind::Simple,
        TypeKind::Pseudo => CustomKind::Pseudo,
        TypeKind::Array(element) => CustomKind::Array(inner(element)),
        TypeKind::Enum(labels) => CustomKind::Enum(labels.clone()),
        TypeKind::Composite(fields) => {
            CustomKind::Composite(fields.iter().map(|(name, ty)| (name.clone(), inner(ty))).collect())
        }
        TypeKind::Domain(base) => CustomKind::Domain(inner(base)),
        TypeKind::Range(base) => CustomKind::Range(inner(base)),
    };
    Type::Other { custom: Box::new(Custom { name: name(ty, version), kind }) }
}

fn name(ty: &SqlType, version: Version) -> String {
    match &ty.kind {
        TypeKind::Array(element) if version.prints_types() => format!("{}[]", name(element, version)),
        TypeKind::Array(element) => format!("_{}", name(element, version)),
        _ if version.prints_types() => ty.name.clone(),
        _ => bare(&ty.name),
    }
}

/// A name without schema and quotes.
fn bare(printed: &str) -> String {
    let mut name = String::new();
    let mut quoted = false;
    let mut chars = printed.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => name.push('"'),
            '"' => quoted = !quoted,
            '.' if !quoted => name.clear(),
            c => name.push(c),
        }
    }
    name
}

/// The origin of a column, as sqlx writes it.
pub(super) fn origin(origin: &types::Origin) -> super::form::Origin {
    use super::form::Origin;
    match origin {
        types::Origin::Table { table, column } => {
            // The catalog is always in the search path, so the server prints its tables without a schema.
            let table = table.strip_prefix("pg_catalog.").unwrap_or(table).to_owned();
            Origin::Table { table, name: column.clone() }
        }
        types::Origin::Expression => Origin::Expression,
        types::Origin::Unknown => Origin::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use query_budget_analysis::types::{SqlType, TypeKind};

    use super::{Version, bare, written};

    fn of(name: &str, kind: TypeKind) -> SqlType {
        SqlType { name: name.to_owned(), kind }
    }

    #[track_caller]
    fn check(ty: &SqlType, version: &str, expect: &str) {
        let version: Version = version.parse().expect("a version");
        assert_eq!(serde_json::to_string(&written(ty, version)).expect("JSON"), expect);
    }

    #[test]
    fn types_are_written_as_each_version_names_them() {
        let array = |element: SqlType| of(&format!("{}[]", element.name), TypeKind::Array(Box::new(element)));
        check(&of("int4", TypeKind::Builtin), "0.8", r#""Int4""#);
        check(&array(of("text", TypeKind::Builtin)), "0.8", r#""TextArray""#);
        let tsvector = of("tsvector", TypeKind::Builtin);
        check(&tsvector, "0.8", r#"{"Custom":{"name":"tsvector","kind":"Simple"}}"#);
        let mood = of("app.\"Mood\"", TypeKind::Enum(vec!["sad".into(), "ok".into()]));
        check(&mood, "0.8", r#"{"Custom":{"name":"app.\"Mood\"","kind":{"Enum":["sad","ok"]}}}"#);
        check(&mood, "0.7", r#"{"Custom":{"name":"Mood","kind":{"Enum":["sad","ok"]}}}"#);
        let many = array(of("mood", TypeKind::Domain(Box::new(of("text", TypeKind::Builtin)))));
        let domain = r#"{"Custom":{"name":"mood","kind":{"Domain":"Text"}}}"#;
        check(&many, "0.9", &format!(r#"{{"Custom":{{"name":"mood[]","kind":{{"Array":{domain}}}}}}}"#));
        check(&many, "0.7", &format!(r#"{{"Custom":{{"name":"_mood","kind":{{"Array":{domain}}}}}}}"#));
        let pair = of("pair", TypeKind::Composite(vec![("a".into(), of("int4", TypeKind::Builtin))]));
        check(&pair, "0.8", r#"{"Custom":{"name":"pair","kind":{"Composite":[["a","Int4"]]}}}"#);
    }

    #[test]
    fn a_bare_name_has_neither_schema_nor_quotes() {
        assert_eq!(bare("app.\"A \"\"b\"\".c\""), "A \"b\".c");
    }
}
