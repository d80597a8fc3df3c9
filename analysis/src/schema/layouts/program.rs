//! Migrations of refinery in Rust that only return a text of SQL.

/// The SQL of a migration in Rust whose `migration()` returns one literal, with everything else blanked so that line numbers stay
/// the same; `None` for any other program.
pub fn sql_of_program(name: &str, text: &str) -> Option<String> {
    if !name.to_ascii_lowercase().ends_with(".rs") || text.matches("fn ").count() != 1 {
        return None;
    }
    let start = text.find("fn migration()")?;
    let open = start + text.get(start..)?.find('{')? + 1;
    let body = text.get(open..text.rfind('}')?)?;
    let (sql, is_raw) = literal(body)?;
    let at = open + body.find(sql)?;
    let before: String = text.get(..at)?.chars().filter(|char| *char == '\n').collect();
    // A line that ends in a backslash goes on in the next one.
    let sql = match is_raw {
        true => sql.to_owned(),
        false => sql.replace("\\\"", "\"").replace("\\n", " ").replace("\\t", " ").replace("\\\n", "\n"),
    };
    (is_raw || !sql.contains('\\')).then(|| before + &sql)
}

/// The one literal that a body returns, as it is or made a `String`, and whether it is raw.
fn literal(body: &str) -> Option<(&str, bool)> {
    let mut rest = body.trim();
    for call in ["String::from(", "std::string::String::from("] {
        rest = rest.strip_prefix(call).map_or(rest, str::trim_start);
    }
    let (sql, behind, is_raw) = match rest.strip_prefix('r') {
        Some(raw) => {
            let hashes = raw.len() - raw.trim_start_matches('#').len();
            let end = format!("\"{}", "#".repeat(hashes));
            let (sql, behind) = raw.get(hashes..)?.strip_prefix('"')?.split_once(&end)?;
            (sql, behind, true)
        }
        None => {
            let inner = rest.strip_prefix('"')?;
            let mut escaped = false;
            let end = inner.bytes().position(|byte| {
                let is_end = byte == b'"' && !escaped;
                escaped = byte == b'\\' && !escaped;
                is_end
            })?;
            (inner.get(..end)?, inner.get(end + 1..)?, false)
        }
    };
    let behind: String = behind.chars().filter(|char| !char.is_whitespace()).collect();
    let is_whole =
        ["", ")", ".to_string()", ".to_owned()", ".into()", ".trim().to_string()"].contains(&&*behind);
    is_whole.then_some((sql, is_raw))
}

#[cfg(test)]
mod tests {
    use super::sql_of_program;

    #[test]
    fn the_text_that_a_program_returns() {
        let of = |body: &str| {
            sql_of_program(
                "V2__b.rs",
                &format!("use refinery::*;\npub fn migration() -> String {{\n{body}\n}}\n"),
            )
        };
        for body in [
            "\"CREATE TABLE t (a INT)\".to_string()",
            "String::from(\"CREATE TABLE t (a INT)\")",
            "r#\"CREATE TABLE t (a INT)\"#.to_owned()",
            "r\"CREATE TABLE t (a INT)\".into()",
        ] {
            assert_eq!(of(body).as_deref(), Some("\n\nCREATE TABLE t (a INT)"), "{body}");
        }
        for body in [
            "let mut m = Migration::new(); m.create_table(\"t\", |t| {}); m.make::<Pg>()",
            "format!(\"CREATE TABLE {} (a INT)\", name)",
            "\"CREATE TABLE t (a INT)\".to_string() + \"; CREATE TABLE u (b INT)\"",
        ] {
            assert_eq!(of(body), None, "{body}");
        }
        assert_eq!(sql_of_program("V2__b.java", "fn migration() { \"x\" }"), None);
    }
}
