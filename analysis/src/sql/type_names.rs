//! Canonical PostgreSQL type names: `int4`, `int` and `integer` are the same, and so are `decimal(10, 2)` and
//! `numeric(10,2)`.

/// A type's full name as the server prints it; any other name unchanged.
pub(crate) fn long(name: &str) -> &str {
    match name {
        "timestamptz" => "timestamp with time zone",
        "varchar" => "character varying",
        "int" | "int4" => "integer",
        "int8" => "bigint",
        "int2" => "smallint",
        "bool" => "boolean",
        "float8" => "double precision",
        "float4" => "real",
        "decimal" => "numeric",
        name => name,
    }
}

/// A type as written, in lower case except for what is in quotes: `"App"."Pt"[]`.
pub(crate) fn folded(ty: &str) -> String {
    let mut is_quoted = false;
    let fold = |part: &str| {
        let folded = if is_quoted { part.to_owned() } else { part.to_lowercase() };
        is_quoted = !is_quoted;
        folded
    };
    ty.split('"').map(fold).collect::<Vec<_>>().join("\"")
}

/// The type of an array's elements: what is before the brackets, which a name in quotes may contain as well.
pub(crate) fn element(ty: &str) -> &str {
    let mut is_quoted = false;
    let end = ty.find(|c: char| {
        is_quoted ^= c == '"';
        c == '[' && !is_quoted
    });
    ty.get(..end.unwrap_or(ty.len())).unwrap_or(ty).trim_end()
}

/// The catalog's name for a type that has several.
pub(crate) fn catalog_name(name: &str) -> &str {
    match name {
        "int" | "integer" | "serial" | "serial4" => "int4",
        "bigint" | "bigserial" | "serial8" => "int8",
        "smallint" | "smallserial" | "serial2" => "int2",
        "real" => "float4",
        "double precision" | "float" | "double" => "float8",
        "boolean" => "bool",
        "character varying" | "char varying" | "national character varying" | "nvarchar" => "varchar",
        "character" | "char" | "national character" | "nchar" => "bpchar",
        "decimal" | "dec" => "numeric",
        "timestamp without time zone" => "timestamp",
        "timestamp with time zone" => "timestamptz",
        "time without time zone" => "time",
        "time with time zone" => "timetz",
        "bit varying" => "varbit",
        other if other.starts_with("interval ") => "interval",
        other => other,
    }
}

/// Whether a lower-case spelling names a built-in type of one value.
pub(crate) fn is_built_in(ty: &str) -> bool {
    let name = canonical(ty);
    let name = name.split('(').next().unwrap_or_default().trim_end_matches(" with time zone").trim_end();
    #[rustfmt::skip]
    const NAMES: [&str; 29] = [
        "bigint", "bit", "bit varying", "boolean", "bpchar", "bytea", "character", "character varying", "cidr", "date",
        "double precision", "inet", "integer", "interval", "json", "jsonb", "macaddr", "money", "name", "numeric",
        "oid", "real", "smallint", "text", "time", "timestamp", "tsquery", "uuid", "xml",
    ];
    NAMES.binary_search(&name).is_ok()
}

/// Whether two lower-case spellings name the same type.
pub(crate) fn are_one(one: &str, other: &str) -> bool {
    one == other || canonical(one) == canonical(other)
}

/// Whether the second type is the first one without its length or precision: `numeric` of a `numeric(10,2)`.
pub(crate) fn is_without_length(one: &str, other: &str) -> bool {
    let one = canonical(one);
    let Some((before, rest)) = one.split_once('(') else { return false };
    let behind = rest.split_once(')').map_or("", |(_, behind)| behind);
    let bare = if before == "character" { "bpchar" } else { before };
    canonical(other) == format!("{bare}{behind}")
}

/// The maximum length of the values of `text` or `varchar`, `Some(None)` if there is none; `None` for any other type:
/// arrays, and those that pad their values or ignore case.
pub(crate) fn text_length(ty: &str) -> Option<Option<u32>> {
    let ty = canonical(ty);
    match ty.strip_prefix("character varying") {
        _ if ty == "text" => Some(None),
        Some("") => Some(None),
        Some(limit) => limit.strip_prefix('(')?.strip_suffix(')')?.parse().ok().map(Some),
        None => None,
    }
}

/// Whether a type is `text` or `varchar`, of any length. Their values are compared verbatim.
pub(crate) fn is_text(ty: &str) -> bool {
    text_length(ty).is_some()
}

/// Whether a type is `text`, or `varchar` without a length: a cast to it changes no text.
pub(crate) fn is_unlimited_text(ty: &str) -> bool {
    text_length(ty) == Some(None)
}

/// Whether a type is `varchar`, of any length.
pub(crate) fn is_varchar(ty: &str) -> bool {
    is_text(ty) && canonical(ty) != "text"
}

/// Whether a cast between two text types leaves all values of the first as they are, so that PostgreSQL leaves it out.
pub(crate) fn keeps_texts(from: &str, to: &str) -> bool {
    match (text_length(from), text_length(to)) {
        (Some(_), Some(None)) => true,
        (Some(Some(from)), Some(Some(to))) => from <= to,
        _ => false,
    }
}

/// A type as the server prints it, from any lower-case spelling: with length or precision, time zone and
/// array brackets.
pub(crate) fn canonical(ty: &str) -> String {
    let ty = ty.trim();
    let ty = ty.strip_prefix("pg_catalog.").unwrap_or(ty);
    let (scalar, brackets) = ty.split_at(ty.find('[').unwrap_or(ty.len()));
    let (base, modifiers, zone) = match scalar.split_once('(') {
        Some((base, rest)) => {
            let (modifiers, zone) = rest.split_once(')').unwrap_or((rest, ""));
            (base.trim(), modifiers.replace(' ', ""), zone.trim())
        }
        None => (scalar.trim(), String::new(), ""),
    };
    let base = match (base, modifiers.parse::<u32>()) {
        ("dec", _) => "numeric",
        ("double", _) => "double precision",
        ("float", Ok(bits)) if bits < 25 => "real",
        ("float", _) => "double precision",
        ("char varying", _) => "character varying",
        ("char" | "nchar" | "bpchar", Ok(_)) | ("char" | "nchar", Err(_)) => "character",
        ("varbit", _) => "bit varying",
        ("timetz", _) => "time with time zone",
        ("timestamp without time zone", _) => "timestamp",
        ("time without time zone", _) => "time",
        (base, _) => long(base),
    };
    let modifiers = match (base, modifiers.as_str()) {
        ("real" | "double precision", _) => String::new(),
        ("character" | "bit", "") => "(1)".to_owned(),
        (_, "") => String::new(),
        ("numeric", precision) if !precision.contains(',') => format!("({precision},0)"),
        (_, modifiers) => format!("({modifiers})"),
    };
    let (base, own_zone) = match base.strip_suffix(" with time zone") {
        Some(base) => (base, "with time zone"),
        None => (base, zone.strip_prefix("without time zone").unwrap_or(zone)),
    };
    let zone = if own_zone.is_empty() { String::new() } else { format!(" {own_zone}") };
    format!("{base}{modifiers}{zone}{brackets}")
}

#[cfg(test)]
mod tests {
    use super::{are_one, element, folded, is_text, is_unlimited_text, is_varchar, keeps_texts};

    #[test]
    fn text_types_are_known_by_all_their_names() {
        for ty in ["varchar", "varchar(20)", "character varying", "character varying(20)", "char varying(20)"]
        {
            assert!(is_text(ty) && is_varchar(ty), "{ty}");
            assert_eq!(is_unlimited_text(ty), !ty.contains('('), "{ty}");
        }
        assert!(is_text("text") && is_unlimited_text("text") && !is_varchar("text"));
        for ty in [
            "text[]",
            "varchar(20)[]",
            "character varying[]",
            "char",
            "character(3)",
            "bpchar",
            "name",
            "citext",
        ] {
            assert!(!is_text(ty) && !is_unlimited_text(ty) && !is_varchar(ty), "{ty}");
        }
    }

    #[test]
    fn what_is_in_quotes_is_kept() {
        assert_eq!(folded("\"App\".\"Pt[1]\"[]"), "\"App\".\"Pt[1]\"[]");
        assert_eq!(folded("VARCHAR(20)[]"), "varchar(20)[]");
        assert_eq!(element("\"App\".\"Pt[1]\"[]"), "\"App\".\"Pt[1]\"");
        assert_eq!((element("addr2[3]"), element("addr2"), element("int4 [ ]")), ("addr2", "addr2", "int4"));
    }

    #[test]
    fn a_cast_keeps_texts_unless_it_may_shorten_them() {
        for (from, to) in [("varchar(20)", "text"), ("varchar(20)", "varchar(30)"), ("text", "varchar")] {
            assert!(keeps_texts(from, to), "{from} to {to}");
        }
        for (from, to) in [("text", "varchar(20)"), ("varchar(30)", "varchar(20)"), ("varchar(20)[]", "text")]
        {
            assert!(!keeps_texts(from, to), "{from} to {to}");
        }
    }

    #[test]
    fn spellings_of_one_type_are_one() {
        for (one, other) in [
            ("int", "integer"),
            ("int4[]", "integer[]"),
            ("decimal(10, 2)", "numeric(10,2)"),
            ("numeric(10)", "numeric(10,0)"),
            ("varchar(20)", "character varying(20)"),
            ("timestamptz(3)", "timestamp(3) with time zone"),
            ("timestamp without time zone", "timestamp"),
            ("timetz", "time with time zone"),
            ("char", "character(1)"),
            ("float(24)", "real"),
            ("float", "float8"),
            ("double", "double precision"),
        ] {
            assert!(are_one(one, other), "{one} is {other}");
        }
    }

    #[test]
    fn types_that_differ_are_told_apart() {
        for (one, other) in [
            ("int", "bigint"),
            ("int", "int[]"),
            ("varchar(20)", "varchar(30)"),
            ("timestamp", "timestamptz"),
            ("numeric", "numeric(10,0)"),
            ("bpchar", "char"),
            ("text", "varchar"),
        ] {
            assert!(!are_one(one, other), "{one} is not {other}");
        }
    }
}
