//! Liquibase's formatted SQL: changesets, each for all databases or for some.

use super::marks::comment;
use crate::sql::Dialect;

/// What a file makes in one database.
pub(super) struct Applied {
    /// The text, without what does not run there; lines keep their numbers.
    pub(super) sql: String,
    /// The changesets of other databases: the line of each, and the databases.
    pub(super) others: Vec<(u32, String)>,
}

/// What of a file runs in a database; `None` if it is not one of Liquibase.
pub(super) fn applied(text: &str, dialect: Option<Dialect>) -> Option<Applied> {
    let is_first = |line: &&str| !line.trim_matches(['\u{feff}', ' ', '\t', '\r']).is_empty();
    let first = text.lines().find(is_first)?;
    if comment(first).is_none_or(|first| first != "liquibaseformattedsql") {
        return None;
    }
    let (mut runs, mut ignored) = (true, false);
    let mut applied = Applied { sql: String::new(), others: Vec::new() };
    for (line, number) in text.split_inclusive('\n').zip(1..) {
        let mark = comment(line).unwrap_or_default();
        if mark.starts_with("changeset") {
            let databases = attribute(line, "dbms");
            runs = dialect.is_none_or(|dialect| databases.as_deref().is_none_or(|it| is_for(it, dialect)));
            if let (false, Some(databases)) = (runs, databases) {
                applied.others.push((number, databases));
            }
            runs &= attribute(line, "ignore").as_deref() != Some("true");
        }
        ignored |= mark == "ignorelines:start";
        if runs && !ignored {
            applied.sql.push_str(line);
        } else {
            applied.sql.extend(line.chars().filter(|char| matches!(char, '\n' | '\r')));
        }
        ignored &= mark != "ignorelines:end";
    }
    Some(applied)
}

/// The value of `name:value` in a mark, without quotes, in lower case.
fn attribute(line: &str, name: &str) -> Option<String> {
    let mut words = line.split_whitespace().skip_while(|word| !word.to_lowercase().starts_with(name));
    let rest = words.next()?.get(name.len()..)?.strip_prefix(':')?;
    // What is in quotes may hold blanks.
    let value = match rest.strip_prefix('"') {
        Some(start) if !start.contains('"') => {
            let mut value = start.to_owned();
            for word in words {
                value.push_str(word);
                if word.ends_with('"') {
                    break;
                }
            }
            value
        }
        _ => rest.to_owned(),
    };
    Some(value.trim_matches('"').to_lowercase())
}

/// Whether a list of databases names one, or excludes others only.
fn is_for(databases: &str, dialect: Dialect) -> bool {
    let own: &[&str] = match dialect {
        Dialect::Postgres => &["postgresql", "postgres", "all"],
        Dialect::MySql => &["mysql", "mariadb", "all"],
        Dialect::Sqlite => &["sqlite", "all"],
    };
    let names = || databases.split(',').map(str::trim).filter(|name| !name.is_empty());
    let mut excluded = names().filter_map(|name| name.strip_prefix('!'));
    if excluded.any(|name| own.contains(&name)) {
        return false;
    }
    let mut named = names().filter(|name| !name.starts_with('!')).peekable();
    named.peek().is_none() || named.any(|name| own.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changesets_of_other_databases_do_not_run() {
        let text = "--liquibase formatted sql\n--changeset a:1 dbms:mysql\nm;\n-- changeset a:2 dbms:\"postgresql, h2\" x:y\np;\n\
            --changeset a:3 dbms:!postgresql\nn;\n--changeset a:4\nall;\n--ignoreLines:start\ni;\n--ignoreLines:end\nb;\n--changeset a:5 ignore:true\nz;\n";
        let of = |dialect| {
            let applied = applied(text, dialect).expect("a file of Liquibase");
            assert_eq!(applied.sql.lines().count(), text.lines().count());
            let lines = applied.sql.lines().filter(|line| !line.is_empty() && !line.starts_with("--"));
            let told = applied.others.iter().map(|(line, databases)| format!("{line} {databases}"));
            (lines.collect::<String>(), told.collect::<Vec<_>>().join("; "))
        };
        let expect = |lines: &str, told: &str| (lines.to_owned(), told.to_owned());
        assert_eq!(of(Some(Dialect::Postgres)), expect("p;all;b;", "2 mysql; 6 !postgresql"));
        assert_eq!(of(Some(Dialect::MySql)), expect("m;n;all;b;", "4 postgresql,h2"));
        assert_eq!(of(None), expect("m;p;n;all;b;", ""));
        assert!(applied("--changeset a:1 dbms:mysql\nm;", None).is_none());
    }
}
