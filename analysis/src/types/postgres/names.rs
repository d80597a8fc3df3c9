//! Type names as written in statements and printed by the database.

pub(super) use crate::sql::type_names::catalog_name;

/// A parsed type name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TypeName {
    /// The schema, if given.
    pub(super) schema: Option<String>,
    /// The name; for a type with several names, the one in the catalog.
    pub(super) name: String,
    /// Whether it is an array of that type.
    pub(super) is_array: bool,
    /// Whether it was quoted, so that it is not an alias of a built-in type.
    pub(super) quoted: bool,
}

impl TypeName {
    /// Parses `app."Mood"[]`, `character varying(20)`, `timestamp(3) with time zone`.
    pub(super) fn parse(text: &str) -> TypeName {
        let mut parts: Vec<(String, bool)> = Vec::new();
        let mut word = String::new();
        let (mut quoted, mut is_quoted, mut depth, mut is_array) = (false, false, 0_usize, false);
        let mut characters = text.trim().chars().peekable();
        while let Some(c) = characters.next() {
            match c {
                '"' if quoted && characters.peek() == Some(&'"') => {
                    characters.next();
                    word.push('"');
                }
                '"' => {
                    quoted = !quoted;
                    is_quoted = true;
                }
                c if quoted => word.push(c),
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ if depth > 0 => {}
                '[' => is_array = true,
                ']' => {}
                c if is_array && !c.is_whitespace() => {}
                '.' => parts.push((std::mem::take(&mut word), std::mem::take(&mut is_quoted))),
                c if c.is_whitespace() => {
                    if !word.is_empty() && !word.ends_with(' ') {
                        word.push(' ');
                    }
                }
                c => word.extend(c.to_lowercase()),
            }
        }
        let name = word.trim_end();
        let (name, array_word) = match name.strip_suffix(" array").filter(|_| !is_quoted) {
            Some(element) => (element, true),
            None => (name, false),
        };
        let schema = parts.pop().map(|(schema, _)| schema).filter(|schema| !schema.is_empty());
        let name = if is_quoted { name } else { catalog_name(name) };
        TypeName { schema, name: name.to_owned(), is_array: is_array || array_word, quoted: is_quoted }
    }
}

/// The subtype of a range, of `(subtype = float8, ..)`.
pub(super) fn subtype(options: &str) -> Option<&str> {
    let inside = options.trim().strip_prefix('(')?.strip_suffix(')')?;
    let pairs = inside.split(',').filter_map(|option| option.split_once('='));
    let mut named = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("subtype"));
    named.next().map(|(_, ty)| ty.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, schema: Option<&str>, name: &str, is_array: bool) {
        let found = TypeName::parse(text);
        assert_eq!((found.schema.as_deref(), found.name.as_str(), found.is_array), (schema, name, is_array));
    }

    #[test]
    fn names_are_taken_apart() {
        check("bigint", None, "int8", false);
        check("character varying(20)[]", None, "varchar", true);
        check("timestamp(3) with time zone", None, "timestamptz", false);
        check("TIMESTAMP WITH TIME ZONE", None, "timestamptz", false);
        check("app.\"Mood\"[]", Some("app"), "Mood", true);
        check("\"char\"", None, "char", false);
        check("numeric(10, 2)", None, "numeric", false);
        check("int4[3][4]", None, "int4", true);
        check("interval day to second", None, "interval", false);
        check("", None, "", false);
    }
}
