//! Placeholders that a tool fills in when it applies a migration: Flyway's and Liquibase's `${schema}`.

use std::borrow::Cow;

/// The longest name of a placeholder that is looked for.
const LONGEST: usize = 100;

/// The text without placeholders for schemas. What `${schema}.users` stands for is not known, so the table is one of the
/// default schema, and `CREATE SCHEMA ${schema}` makes that. Others stay, and the statements around them are not understood.
pub(super) fn without_schemas(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| rest.find("${")).map(|at| from + at) {
        let Some(end) = end_of(text, start) else {
            from = start + 2;
            continue;
        };
        from = end;
        let (before, after) = (text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default());
        // A placeholder in quotes may be all of a name.
        let quote = before.chars().next_back().filter(|quote| matches!(quote, '"' | '`'));
        let (before, after) = match quote.and_then(|quote| after.strip_prefix(quote)) {
            Some(after) => (before.get(..before.len() - 1).unwrap_or_default(), after),
            None if quote.is_some() => continue,
            None => (before, after),
        };
        let is_part =
            before.ends_with(|last: char| last.is_alphanumeric() || matches!(last, '_' | '.' | '}'));
        let replacement = match after.strip_prefix('.') {
            _ if is_part => continue,
            Some(_) => "",
            None if names_schema(before) && !goes_on(after) => "public",
            None => continue,
        };
        from = text.len() - after.len() + usize::from(replacement.is_empty());
        out += text.get(copied..before.len()).unwrap_or_default();
        out += replacement;
        copied = from;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out += text.get(copied..).unwrap_or_default();
    Cow::Owned(out)
}

/// The byte behind the placeholder at `start`.
fn end_of(text: &str, start: usize) -> Option<usize> {
    let name = text.get(start + 2..)?;
    let length = name.bytes().take(LONGEST).position(|byte| byte == b'}')?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte);
    (length > 0 && name.bytes().take(length).all(is_name)).then_some(start + 2 + length + 1)
}

/// Whether the name of a schema follows: `CREATE SCHEMA IF NOT EXISTS`, `SET search_path TO`.
fn names_schema(before: &str) -> bool {
    let mut words = before.rsplit(|c: char| c.is_whitespace() || c == '=').filter(|word| !word.is_empty());
    let is = |word: Option<&str>, names: &[&str]| {
        word.is_some_and(|word| names.iter().any(|name| word.eq_ignore_ascii_case(name)))
    };
    let last = words.find(|word| !is(Some(word), &["if", "not", "exists", "to"]));
    is(last, &["schema", "search_path"])
}

fn goes_on(after: &str) -> bool {
    after.starts_with(|next: char| next.is_alphanumeric() || matches!(next, '_' | '$'))
}

#[cfg(test)]
mod tests {
    use super::without_schemas;

    #[test]
    fn schemas_are_left_out_and_other_placeholders_stay() {
        for (text, expect) in [
            ("CREATE TABLE ${schema}.t (id int)", "CREATE TABLE t (id int)"),
            ("REFERENCES ${flyway:defaultSchema}.t (id)", "REFERENCES t (id)"),
            ("CREATE TABLE \"${s}\".\"t\" (id int)", "CREATE TABLE \"t\" (id int)"),
            ("CREATE TABLE `${s}`.`t` (id int)", "CREATE TABLE `t` (id int)"),
            ("DEFAULT nextval('${s}.t_seq')", "DEFAULT nextval('t_seq')"),
            ("CREATE SCHEMA IF NOT EXISTS ${s};", "CREATE SCHEMA IF NOT EXISTS public;"),
            ("SET search_path TO ${s}, ${s}.x", "SET search_path TO public, x"),
            ("SET search_path=${s};", "SET search_path=public;"),
            ("CREATE TABLE ${prefix}t (id int)", "CREATE TABLE ${prefix}t (id int)"),
            ("CREATE TABLE a_${x}.t (id int)", "CREATE TABLE a_${x}.t (id int)"),
            ("CREATE SCHEMA ${s}_two", "CREATE SCHEMA ${s}_two"),
            ("DEFAULT '${x}', ${y}, $1, ${", "DEFAULT '${x}', ${y}, $1, ${"),
        ] {
            assert_eq!(without_schemas(text), expect);
        }
    }
}
