//! The structs of a crate as they are written, by the names and types of their fields.
//!
//! Whether a column fits its field is decided by the compiler. Here it is only seen where it evidently does, so that nothing has to be
//! made for a message that will not be printed. So names alone are compared, and what is not read is not evident.

use std::collections::HashMap;

/// The fields of structs by the name of the struct; a name may occur in several modules.
#[derive(Debug, Default)]
pub(crate) struct Structs(HashMap<String, Vec<Fields>>);

/// The type of each field, without the paths of names.
type Fields = HashMap<String, String>;

impl Structs {
    /// Adds those of a file.
    pub(crate) fn read(&mut self, text: &str) {
        for (at, keyword) in text.match_indices("struct ") {
            let is_word = text.get(..at).is_some_and(|before| before.ends_with(part_of_name));
            let named = text.get(at + keyword.len()..).filter(|_| !is_word).and_then(named_struct);
            if let Some((name, fields)) = named {
                self.0.entry(name.to_owned()).or_default().push(fields);
            }
        }
    }

    /// Whether a struct of this name has this field with this type.
    pub(crate) fn has_field(&self, name: &str, field: &str, ty: &str) -> bool {
        let Some(structs) = self.0.get(name) else { return false };
        let ty = without_paths(ty);
        structs.iter().any(|fields| fields.get(field).is_some_and(|written| *written == ty))
    }
}

/// Whether two types are written alike, but for the paths of names.
pub(crate) fn are_alike(one: &str, other: &str) -> bool {
    without_paths(one) == without_paths(other)
}

/// The name and the fields of the struct whose name begins a text.
fn named_struct(text: &str) -> Option<(&str, Fields)> {
    let text = text.trim_start();
    let end = text.find(|c| !part_of_name(c))?;
    let (name, rest) = text.split_at(end);
    let mut fields = Fields::new();
    let mut rest = rest.trim_start().strip_prefix('{')?;
    loop {
        rest = field_start(rest)?;
        if rest.starts_with('}') {
            return Some((name, fields));
        }
        let (field, after) = rest.split_once(':')?;
        let end = type_end(after)?;
        let (ty, after) = after.split_at(end);
        fields.insert(field.trim().to_owned(), without_paths(ty));
        rest = after.strip_prefix(',').unwrap_or(after);
    }
}

/// The text from the name of a field: without comments, attributes and visibility before it.
fn field_start(text: &str) -> Option<&str> {
    let mut rest = text.trim_start();
    loop {
        rest = if rest.starts_with("//") {
            rest.split_once('\n')?.1
        } else if let Some(attribute) = rest.strip_prefix("#[") {
            // One that has brackets or text inside is not read.
            let (inside, after) = attribute.split_once(']')?;
            if inside.contains(['[', '"']) && !inside.contains("= \"") {
                return None;
            }
            after
        } else if let Some(scope) = rest.strip_prefix("pub(") {
            scope.split_once(')')?.1
        } else if let Some(public) = rest.strip_prefix("pub ") {
            public
        } else {
            return rest.starts_with(|c| c == '}' || part_of_name(c)).then_some(rest);
        }
        .trim_start();
    }
}

/// Where the type that begins a text ends.
fn type_end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth = depth.checked_sub(1)?,
            ',' | '}' if depth == 0 => return Some(at),
            '{' | '}' | '"' | '/' | ';' => return None,
            _ => {}
        }
    }
    None
}

/// A type with only the last name of each path.
fn without_paths(ty: &str) -> String {
    let mut written = String::new();
    for c in ty.chars().filter(|c| !c.is_whitespace()) {
        written.push(c);
        if written.ends_with("::") {
            let path = written.trim_end_matches(':').trim_end_matches(part_of_name).len();
            written.truncate(path);
        }
    }
    written
}

fn part_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn structs(text: &str) -> Structs {
        let mut structs = Structs::default();
        structs.read(text);
        structs
    }

    #[test]
    fn types_are_compared_by_the_last_names_of_paths() {
        let structs = structs(
            "/// A struct is documented.\npub struct Row {\n    /// Its key.\n    pub id: i64,\n    #[serde(default)]\n    \
             pub(crate) at: Option<chrono::DateTime<chrono::Utc>>,\n    name: std::string::String\n}\n\
             mod other { struct Row { id: i32 } }",
        );
        assert!(structs.has_field("Row", "id", "i64"));
        assert!(structs.has_field("Row", "id", "i32"), "that of the other module");
        assert!(structs.has_field("Row", "name", ":: std :: string :: String"));
        let moment =
            ":: core :: option :: Option < ::sqlx::types::chrono::DateTime<::sqlx::types::chrono::Utc> >";
        assert!(structs.has_field("Row", "at", moment));
        assert!(!structs.has_field("Row", "name", "Option<String>"));
        assert!(!structs.has_field("Rows", "id", "i64"));
    }

    #[test]
    fn what_is_not_read_is_not_evident() {
        for text in [
            "struct A(i64);",
            "struct A<T> { id: T }",
            "struct A { id: [i64; 2] }",
            "struct A { id: i64",
            "instruct A { id: i64 }",
        ] {
            assert!(!structs(text).has_field("A", "id", "i64"), "{text}");
        }
    }
}
