//! Changelogs of Liquibase in SQL: what of them runs on a database.

use crate::sql::Dialect;

/// What a file makes in one database.
pub(super) struct Applied {
    /// The text, with what does not run there blanked; lines keep their numbers.
    pub(super) sql: String,
    /// The change sets of other databases: the line of each, and the databases.
    pub(super) others: Vec<(u32, String)>,
}

/// What of a changelog runs in a database; `None` for other files. Without a dialect, every change set counts.
pub(super) fn applied(text: &str, dialect: Option<Dialect>) -> Option<Applied> {
    let first = text.lines().find(|line| !line.trim().is_empty())?;
    directive(first, "liquibase")?.trim().eq_ignore_ascii_case("formatted sql").then_some(())?;
    let mut out = String::with_capacity(text.len());
    let mut others = Vec::new();
    let mut runs = true;
    // How many lines are skipped: all up to the mark of the end, if it is not told.
    let (mut skipped, mut skips_all) = (0_usize, false);
    let mut delimiter: Option<String> = None;
    let mut properties: Vec<(String, String)> = Vec::new();
    for (line, number) in text.split_inclusive('\n').zip(1..) {
        let end = if line.ends_with('\n') { "\n" } else { "" };
        if let Some(rest) = directive(line, "ignorelines:") {
            match rest.trim().to_ascii_lowercase().as_str() {
                "start" => skips_all = true,
                "end" => skips_all = false,
                count => skipped = count.parse().unwrap_or(0),
            }
        } else if skips_all || skipped > 0 {
            skipped = skipped.saturating_sub(1);
        } else if let Some(rest) = directive(line, "changeset") {
            let databases = attribute(rest, "dbms");
            runs = databases.as_deref().is_none_or(|dbms| is_for(dbms, dialect));
            others.extend(databases.filter(|_| !runs).map(|databases| (number, databases)));
            runs &= attribute(rest, "ignore").as_deref() != Some("true");
            let written = attribute(rest, "enddelimiter");
            delimiter = written.map(|it| it.trim_start_matches("\\r").trim_start_matches("\\n").to_owned());
            delimiter = delimiter.filter(|delimiter| !delimiter.is_empty() && delimiter != ";");
            // The last statement of the one before may have no end.
            out.push(';');
        } else if let Some(rest) = directive(line, "property") {
            let applies = attribute(rest, "dbms").is_none_or(|dbms| is_for(&dbms, dialect));
            let of = |name: &str| attribute(rest, name).filter(|_| applies);
            properties.extend(of("name").zip(of("value")));
        } else if runs {
            out.push_str(&ended(line, delimiter.as_deref()));
            continue;
        }
        out.push_str(end);
    }
    for (name, value) in properties {
        out = out.replace(&format!("${{{name}}}"), &value);
    }
    Some(Applied { sql: out, others })
}

/// What follows a directive in a comment that is a line of its own.
fn directive<'t>(line: &'t str, name: &str) -> Option<&'t str> {
    let inner = line.trim_start_matches('\u{feff}').trim_start().strip_prefix("--")?.trim_start();
    let is_it = inner.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    inner.get(name.len()..).filter(|_| is_it)
}

/// The value of `name:value` or `name:"a value"`; those of databases may have blanks behind their commas.
fn attribute(text: &str, name: &str) -> Option<String> {
    let is_boundary = |at: usize| text[..at].chars().next_back().is_none_or(char::is_whitespace);
    let lower = text.to_ascii_lowercase();
    let key = format!("{name}:");
    let at = lower.match_indices(&key).map(|(at, _)| at).find(|&at| is_boundary(at))?;
    let rest = text.get(at + key.len()..)?;
    if let Some(quoted) = rest.strip_prefix('"') {
        return quoted.split('"').next().map(str::to_owned);
    }
    let mut value = String::new();
    for word in rest.split_whitespace() {
        value.push_str(word);
        if name != "dbms" || !word.ends_with(',') {
            break;
        }
    }
    Some(value)
}

/// Whether a list of databases has this one, or excludes only others.
fn is_for(list: &str, dialect: Option<Dialect>) -> bool {
    let Some(dialect) = dialect else { return true };
    let names: &[&str] = match dialect {
        Dialect::Postgres => &["postgresql", "postgres"],
        Dialect::MySql => &["mysql", "mariadb"],
        Dialect::Sqlite => &["sqlite"],
    };
    let is_own = |name: &str| names.iter().any(|own| name.eq_ignore_ascii_case(own));
    let listed: Vec<&str> = list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let excluded = listed.iter().filter_map(|name| name.strip_prefix('!'));
    if excluded.clone().any(is_own) {
        return false;
    }
    excluded.count() == listed.len()
        || listed.iter().any(|name| is_own(name) || name.eq_ignore_ascii_case("all"))
}

/// A line with a semicolon where the delimiter of its change set stands.
fn ended(line: &str, delimiter: Option<&str>) -> String {
    let Some(delimiter) = delimiter else { return line.to_owned() };
    let written = line.trim_end();
    let at = written.len().saturating_sub(delimiter.len());
    let (before, last) = (written.get(..at).unwrap_or_default(), written.get(at..).unwrap_or_default());
    // A slash may be a division, if something stands before it.
    let is_end = last.eq_ignore_ascii_case(delimiter) && (delimiter.len() > 1 || before.trim().is_empty());
    match is_end {
        true => format!("{before};{}", line.get(written.len()..).unwrap_or_default()),
        false => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks what is left of the change sets behind the head, without blank lines.
    #[track_caller]
    fn check(text: &str, dialect: Dialect, expect: &[&str]) {
        let text = format!("--liquibase formatted sql\n{text}");
        let left = applied(&text, Some(dialect)).expect("a changelog").sql;
        assert_eq!(left.lines().count(), text.lines().count(), "{text}");
        let lines = left.lines().skip(1).map(str::trim).filter(|line| !line.is_empty() && *line != ";");
        assert_eq!(lines.collect::<Vec<_>>(), expect, "{text}");
    }

    #[test]
    fn change_sets_are_for_their_databases() {
        let postgres = Dialect::Postgres;
        check(
            "--changeset me:1\na;\n--changeset me:2 dbms:mysql\nb;\n--changeset me:3\nc;",
            postgres,
            &["a;", "c;"],
        );
        check("-- changeset me:1 dbms:!postgresql\na;\n-- changeset me:3 dbms:!mysql\nb;", postgres, &["b;"]);
        check("--changeset me:1 labels:v1 dbms:postgresql, mysql runOnChange:true\na;", postgres, &["a;"]);
        check("--changeset me:1 dbms:\"oracle, h2\"\na;\n--changeset a:2 dbms:all\nb;", postgres, &["b;"]);
        check(
            "--changeset me:1 dbms:mysql\na;\n--changeset me:2 dbms:mariadb\nb;",
            Dialect::MySql,
            &["a;", "b;"],
        );
        check("--changeset my-dbms:1 x-dbms:mysql\na;", postgres, &["a;"]);
        let all = "--liquibase formatted sql\n--changeset me:1 dbms:mysql\na;";
        assert!(applied(all, None).expect("a changelog").sql.contains("a;"));
        let told = applied(all, Some(postgres)).expect("a changelog").others;
        assert_eq!(told, [(2, "mysql".to_owned())]);
        check("--changeset me:1 ignore:true\na;\n--changeset me:2\nb;", postgres, &["b;"]);
        assert!(applied("-- liquibase is not used\na;", None).is_none());
    }

    #[test]
    fn lines_are_ignored_and_statements_end_as_told() {
        let sqlite = Dialect::Sqlite;
        check("a;\n--ignoreLines:start\nb;\nc;\n--ignoreLines:end\nd;", sqlite, &["a;", "d;"]);
        check("a;\n--ignoreLines:2\nb;\nc;\nd;", sqlite, &["a;", "d;"]);
        check("--changeset me:1 endDelimiter:/\na / 2\n/\nb\n/", sqlite, &["a / 2", "b"]);
        check("--changeset me:1 endDelimiter:\\nGO\na\ngo\n--changeset me:2\nb;", sqlite, &["a", "b;"]);
        check(
            "--property name:tn value:t\n--property name:tn dbms:h2 value:u\nx ${tn} ${y};",
            sqlite,
            &["x t ${y};"],
        );
    }
}
