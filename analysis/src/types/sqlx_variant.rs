//! The variants of sqlx's PostgreSQL types.

use super::{SqlType, TypeKind};

/// The catalog names of the types that sqlx has variants for, sorted.
const VARIANTS: [(&str, &str); 46] = [
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
    ("varchar", "Varchar"),
    ("void", "Void"),
];

/// sqlx's variant for a PostgreSQL type; `None` for a type named after its structure.
pub fn sqlx_variant(ty: &SqlType) -> Option<String> {
    let named = |name: &str| {
        let at = VARIANTS.binary_search_by_key(&name, |(of, _)| of).ok()?;
        VARIANTS.get(at).map(|(_, variant)| (*variant).to_owned())
    };
    match &ty.kind {
        TypeKind::Builtin | TypeKind::Pseudo | TypeKind::Range(_) => named(&ty.name),
        TypeKind::Array(element)
            if matches!(element.kind, TypeKind::Builtin | TypeKind::Pseudo | TypeKind::Range(_)) =>
        {
            named(&element.name).map(|element| format!("{element}Array"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_searched_in_order() {
        assert!(VARIANTS.is_sorted());
        let of = |name: &str| SqlType { name: name.to_owned(), kind: TypeKind::Builtin };
        assert_eq!(sqlx_variant(&of("tstzrange")).as_deref(), Some("TstzRange"));
        assert_eq!(sqlx_variant(&of("tsvector")), None);
        let many = SqlType { name: "_uuid".to_owned(), kind: TypeKind::Array(Box::new(of("uuid"))) };
        assert_eq!(sqlx_variant(&many).as_deref(), Some("UuidArray"));
    }
}
