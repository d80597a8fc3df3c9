//! What to write where a Rust type does not fit the database's: notes whose text can be pasted.

use query_budget_analysis::sql::Dialect;
use quote::ToTokens;
use syn::{Expr, Lit};

/// What a note for an argument depends on.
pub(crate) struct Asked<'a> {
    /// The argument as written.
    pub(crate) value: &'a Expr,
    /// The Rust type that the parameter takes, as the types of sqlx are listed.
    pub(crate) rust: &'a str,
    /// The parameter's type in SQL.
    pub(crate) sql_type: &'a str,
    /// The parameter's number.
    pub(crate) number: usize,
    /// The operator that compares with a list, if the parameter is the only element of one.
    pub(crate) for_list: Option<(&'static str, &'static str)>,
}

/// Whether the runtime crate has the message for an argument, under the name of the parameter's type: not if its Rust type is of
/// another kind, or if the argument shows by itself that it does not fit.
pub(crate) fn is_of_runtime(asked: &Asked<'_>) -> bool {
    let Asked { value, rust, sql_type, for_list, .. } = asked;
    let is_known = match *rust {
        "i16" | "i32" | "i64" => matches!(*sql_type, "int2" | "int4" | "int8"),
        "f32" | "f64" => matches!(*sql_type, "float4" | "float8"),
        "&str" => matches!(*sql_type, "text" | "varchar" | "bpchar" | "citext"),
        "bool" => *sql_type == "bool",
        "sqlx::types::Uuid" => *sql_type == "uuid",
        "sqlx::types::JsonValue" => matches!(*sql_type, "json" | "jsonb"),
        "sqlx::types::Decimal" | "sqlx::types::BigDecimal" => *sql_type == "numeric",
        "sqlx::types::chrono::DateTime<_>" => *sql_type == "timestamptz",
        moment
            if moment.starts_with("sqlx::types::chrono::") || moment.starts_with("sqlx::types::time::") =>
        {
            matches!(*sql_type, "date" | "time" | "timestamp")
        }
        _ => false,
    };
    let may_fit = match value {
        Expr::Lit(literal) => match literal.lit {
            Lit::Int(_) => rust.starts_with('i'),
            Lit::Float(_) => rust.starts_with('f'),
            Lit::Str(_) => *rust == "&str",
            Lit::Bool(_) => *rust == "bool",
            _ => false,
        },
        // What is written for it needs parentheses.
        Expr::Binary(_) => false,
        _ => true,
    };
    is_known && may_fit && for_list.is_none()
}

/// What to write for an argument that its parameter does not take.
pub(crate) fn for_argument(asked: &Asked<'_>) -> Vec<String> {
    let Asked { value, rust, sql_type, number, for_list } = asked;
    let written = operand(value);
    let mut notes = Vec::new();
    if let Some((list, array)) = for_list {
        notes.push(format!(
            "for a list of values, write `{array}(${number})` in the SQL for `{list} (${number})`"
        ));
    }
    let is_literal = matches!(value, Expr::Lit(_));
    let is_number =
        !matches!(value, Expr::Lit(literal) if !matches!(literal.lit, Lit::Int(_) | Lit::Float(_)));
    match *rust {
        "i16" | "i32" | "i64" | "f32" | "f64" if !is_number => {}
        "i16" | "i32" | "i64" => notes.push(format!(
            "for an integer of a different type, write `{written} as {rust}`, or `{rust}::try_from({})?` where it may not fit",
            text(referred(value))
        )),
        "f32" | "f64" => {
            notes.push(format!("for a number of a different type, write `{written} as {rust}`"));
        }
        "&str" => notes.push(format!("for the text of a different value, write `{written}.to_string()`")),
        "sqlx::types::JsonValue" => notes.push(format!(
            "for a type that implements `Serialize`, write `sqlx::types::Json({}) as _`",
            text(value)
        )),
        "sqlx::types::Decimal" | "sqlx::types::BigDecimal" => notes.push(format!(
            "for an `f64`, let the database convert it: `${number}::float8::numeric` in the SQL"
        )),
        "sqlx::types::chrono::DateTime<_>" => {
            notes.push(format!("for a `NaiveDateTime` in UTC, write `{written}.and_utc()`"));
        }
        array if array.starts_with("&[") && array != "&[u8]" => match iterated(value) {
            Some(list) => notes.push(format!("write the list itself: `&{list}`")),
            None if matches!(value, Expr::Path(_) | Expr::Field(_) | Expr::MethodCall(_) | Expr::Call(_)) => {
                notes.push(format!("for an iterator, write `&{written}.collect::<Vec<_>>()`"));
            }
            None => {}
        },
        _ => {}
    }
    let is_word = sql_type.chars().all(|c| c.is_ascii_alphanumeric());
    if is_word && is_built_in(sql_type) && !matches!(*rust, "&str" | "sqlx::types::JsonValue") {
        notes.push(format!(
            "for its text, let the database read it: `${number}::text::{sql_type}` in the SQL"
        ));
    }
    if !is_literal {
        notes.push(format!("for a type of yours that implements `sqlx::Type`, write `{written} as _`"));
    }
    notes
}

/// Whether PostgreSQL itself has a type of this name.
fn is_built_in(name: &str) -> bool {
    BUILT_IN.contains(&name)
}

/// The usual types of PostgreSQL, which a cast can name as they are.
const BUILT_IN: [&str; 52] = [
    "int2",
    "int4",
    "int8",
    "float4",
    "float8",
    "numeric",
    "money",
    "oid",
    "text",
    "varchar",
    "bpchar",
    "char",
    "name",
    "bytea",
    "bool",
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "interval",
    "uuid",
    "json",
    "jsonb",
    "inet",
    "cidr",
    "macaddr",
    "macaddr8",
    "bit",
    "varbit",
    "int4range",
    "int8range",
    "numrange",
    "tsrange",
    "tstzrange",
    "daterange",
    "citext",
    "hstore",
    "ltree",
    "lquery",
    "cube",
    "point",
    "line",
    "lseg",
    "path",
    "polygon",
    "circle",
    "jsonpath",
    "xml",
    "tsvector",
    "tsquery",
    "regclass",
];

/// A column whose field has another type.
pub(crate) struct Given<'a> {
    /// The field's name.
    pub(crate) field: &'a str,
    /// The column in its table, if it is one.
    pub(crate) column: Option<&'a str>,
    /// Its Rust type, as the types of sqlx are listed.
    pub(crate) rust: &'a str,
    /// Its type in SQL, as the database prints it.
    pub(crate) sql_type: &'a str,
    /// Whether it may be NULL.
    pub(crate) nullable: bool,
    /// The database.
    pub(crate) dialect: Dialect,
}

/// What to write for a field whose type differs from its column's: a type in the name (`AS "id: i32"`) only where the
/// database's bytes are decoded as that type, and else a cast.
pub(crate) fn for_column(given: &Given<'_>) -> Vec<String> {
    let Given { field, rust, nullable, .. } = given;
    let of_yours = format!(
        "for a type of yours around `{}`, put `#[derive(sqlx::Type)] #[sqlx(transparent)]` on it and write `AS \"{field}: _\"`",
        short(rust)
    );
    match *rust {
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" => {
            let other = match (rust.starts_with('u'), *rust) {
                (false, "i32") => "i64",
                (false, _) => "i32",
                (true, "u32") => "u64",
                (true, _) => "u32",
            };
            let mut notes =
                vec![format!("for a different integer type, name it in the SQL: `AS \"{field}: {other}\"`")];
            notes.extend(casts(given, &[("float8", "DOUBLE", "f64"), ("text", "CHAR", "String")]));
            notes.push(of_yours);
            notes
        }
        "f32" | "f64" => casts(given, &[("numeric", "DECIMAL", "Decimal"), ("text", "CHAR", "String")])
            .into_iter()
            .collect(),
        "sqlx::types::Decimal" | "sqlx::types::BigDecimal" => {
            casts(given, &[("float8", "DOUBLE", "f64"), ("text", "CHAR", "String")]).into_iter().collect()
        }
        "sqlx::types::JsonValue" => {
            let ty = if *nullable { "Option<sqlx::types::Json<T>>" } else { "sqlx::types::Json<{T}>" };
            let inner = if *nullable { "`T`" } else { "it" };
            vec![format!(
                "for a type that implements `Deserialize`, give the field the type `{ty}` and write `AS \"{field}: _\"`, which decodes {inner}"
            )]
        }
        "String" => vec![of_yours],
        "bool" | "Vec<u8>" | "sqlx::types::Uuid" => {
            casts(given, &[("text", "CHAR", "String")]).into_iter().chain([of_yours]).collect()
        }
        _ => casts(given, &[("text", "CHAR", "String")]).into_iter().collect(),
    }
}

/// The casts that give other Rust types; the types are named for PostgreSQL and for MySQL. SQLite has none of these
/// types.
fn casts(given: &Given<'_>, to: &[(&str, &str, &str)]) -> Option<String> {
    let Given { field, column, nullable, dialect, sql_type, .. } = given;
    let expression = column.unwrap_or("<expression>");
    // No database says of a cast that it is not NULL.
    let mark = if *nullable { "" } else { "!" };
    let casts: Vec<String> = to
        .iter()
        .filter(|(postgres, _, _)| postgres != sql_type)
        .filter_map(|(postgres, mysql, rust)| {
            let cast = match dialect {
                Dialect::Postgres => format!("{expression}::{postgres}"),
                Dialect::MySql => format!("CAST({expression} AS {mysql})"),
                Dialect::Sqlite => return None,
            };
            Some(format!("`{cast} AS \"{field}{mark}\"` for `{rust}`"))
        })
        .collect();
    (!casts.is_empty()).then(|| format!("or cast it in the SQL: {}", casts.join(", ")))
}

/// A Rust type without the path to it.
fn short(rust: &str) -> &str {
    if rust.contains('<') { rust } else { rust.rsplit("::").next().unwrap_or(rust) }
}

/// The most characters of an argument that a note repeats.
const MAX_ARGUMENT_LENGTH: usize = 40;

/// An argument as written, if it is short.
fn text(value: &Expr) -> String {
    let mut text = value.to_token_stream().to_string();
    // The compiler prints `vec! [1]`, and proc-macro2 outside of it `vec ! [1]`.
    for (printed, written) in [(" ! [", "!["), (" ! (", "!("), ("! [", "!["), ("! (", "!(")] {
        text = text.replace(printed, written);
    }
    if text.len() > MAX_ARGUMENT_LENGTH || text.contains('\n') { "value".to_owned() } else { text }
}

/// What an argument refers to.
fn referred(value: &Expr) -> &Expr {
    match value {
        Expr::Reference(reference) => referred(&reference.expr),
        Expr::Group(group) => referred(&group.expr),
        _ => value,
    }
}

/// An argument as written, without references, as the operand of a cast or a method call.
fn operand(value: &Expr) -> String {
    let value = referred(value);
    match value {
        Expr::Path(_)
        | Expr::Field(_)
        | Expr::MethodCall(_)
        | Expr::Call(_)
        | Expr::Lit(_)
        | Expr::Macro(_)
        | Expr::Index(_)
        | Expr::Paren(_)
        | Expr::Try(_)
        | Expr::Await(_) => text(value),
        _ => match text(value) {
            text if text == "value" => text,
            text => format!("({text})"),
        },
    }
}

/// The list whose iterator the argument is: `ids` of `ids.iter()`.
fn iterated(value: &Expr) -> Option<String> {
    let Expr::MethodCall(call) = value else { return None };
    let is_iterator = call.method == "iter" || call.method == "into_iter";
    (is_iterator && call.args.is_empty()).then(|| operand(&call.receiver))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn argument(value: &str, rust: &str, sql_type: &str, expected: &str) {
        let value = syn::parse_str(value).expect("an expression");
        let asked = Asked { value: &value, rust, sql_type, number: 1, for_list: None };
        let notes = for_argument(&asked).join("\n");
        assert!(notes.contains(expected), "{notes}");
    }

    #[test]
    fn an_argument_is_converted_as_it_is_written() {
        argument("limit", "i64", "int8", "`limit as i64`, or `i64::try_from(limit)?`");
        argument("page * size", "i64", "int8", "`(page * size) as i64`");
        argument("&limit", "i64", "int8", "`limit as i64`, or `i64::try_from(limit)?`");
        argument("vec![1, 2]", "&[i64]", "int8[]", "`vec![1 , 2] as _`");
        argument("ids.iter()", "&[i64]", "int8[]", "write the list itself: `&ids`");
        argument("found", "&[i64]", "int8[]", "`&found.collect::<Vec<_>>()`");
        argument("settings", "sqlx::types::JsonValue", "jsonb", "`sqlx::types::Json(settings) as _`");
        argument("id", "&str", "text", "`id.to_string()`");
        argument("price", "sqlx::types::Decimal", "numeric", "`$1::float8::numeric`");
        argument("token", "sqlx::types::Uuid", "uuid", "`$1::text::uuid`");
        argument("mood", "crate::Mood", "mood", "`mood as _`");
    }

    #[track_caller]
    fn column(rust: &str, sql_type: &str, nullable: bool, dialect: Dialect, expected: &[&str]) {
        let given = Given { field: "x", column: Some("y"), rust, sql_type, nullable, dialect };
        assert_eq!(for_column(&given), expected);
    }

    #[test]
    fn a_type_is_named_only_where_the_bytes_are_decoded_as_it() {
        let of_yours = |rust| {
            format!(
                "for a type of yours around `{rust}`, put `#[derive(sqlx::Type)] #[sqlx(transparent)]` on it and write `AS \"x: _\"`"
            )
        };
        column(
            "i64",
            "int8",
            false,
            Dialect::Postgres,
            &[
                "for a different integer type, name it in the SQL: `AS \"x: i32\"`",
                "or cast it in the SQL: `y::float8 AS \"x!\"` for `f64`, `y::text AS \"x!\"` for `String`",
                &of_yours("i64"),
            ],
        );
        column("String", "text", false, Dialect::Postgres, &[&of_yours("String")]);
        column(
            "sqlx::types::Decimal",
            "numeric",
            true,
            Dialect::Postgres,
            &["or cast it in the SQL: `y::float8 AS \"x\"` for `f64`, `y::text AS \"x\"` for `String`"],
        );
        column(
            "sqlx::types::Decimal",
            "DECIMAL",
            false,
            Dialect::MySql,
            &[
                "or cast it in the SQL: `CAST(y AS DOUBLE) AS \"x!\"` for `f64`, `CAST(y AS CHAR) AS \"x!\"` for `String`",
            ],
        );
        column("f64", "REAL", false, Dialect::Sqlite, &[]);
        column(
            "sqlx::types::JsonValue",
            "jsonb",
            false,
            Dialect::Postgres,
            &[
                "for a type that implements `Deserialize`, give the field the type `sqlx::types::Json<{T}>` and write `AS \"x: _\"`, which decodes it",
            ],
        );
    }
}
