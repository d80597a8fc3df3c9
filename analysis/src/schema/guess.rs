//! Guesses the dialect of a set of migrations, from keywords that only one database has.

use crate::sql::Dialect;

/// Keywords and operators in lower case, with their dialect and weight.
const EVIDENCE: &[(&str, Dialect, u32)] = &[
    ("autoincrement", Dialect::Sqlite, 5),
    ("without rowid", Dialect::Sqlite, 5),
    ("pragma ", Dialect::Sqlite, 5),
    ("strftime(", Dialect::Sqlite, 3),
    ("datetime('now'", Dialect::Sqlite, 5),
    ("integer primary key", Dialect::Sqlite, 1),
    ("sqlite_", Dialect::Sqlite, 3),
    ("auto_increment", Dialect::MySql, 5),
    ("engine=", Dialect::MySql, 5),
    ("engine =", Dialect::MySql, 5),
    (" unsigned", Dialect::MySql, 2),
    ("period for system_time", Dialect::MySql, 5),
    ("with system versioning", Dialect::MySql, 5),
    ("`", Dialect::MySql, 1),
    ("charset", Dialect::MySql, 2),
    ("on update current_timestamp", Dialect::MySql, 3),
    ("tinyint", Dialect::MySql, 1),
    ("datetime(", Dialect::MySql, 1),
    ("delimiter ", Dialect::MySql, 3),
    ("$$", Dialect::Postgres, 5),
    ("serial", Dialect::Postgres, 2),
    (" jsonb,", Dialect::Postgres, 4),
    (" jsonb ", Dialect::Postgres, 4),
    (" jsonb\n", Dialect::Postgres, 4),
    ("unixepoch(", Dialect::Sqlite, 3),
    ("timestamptz", Dialect::Postgres, 4),
    ("timestamp with time zone", Dialect::Postgres, 4),
    ("gen_random_uuid", Dialect::Postgres, 5),
    ("uuid_generate_v", Dialect::Postgres, 5),
    ("create extension", Dialect::Postgres, 5),
    ("create type", Dialect::Postgres, 4),
    ("bytea", Dialect::Postgres, 4),
    ("::", Dialect::Postgres, 3),
    ("concurrently", Dialect::Postgres, 3),
    (" using gin", Dialect::Postgres, 4),
    (" uuid", Dialect::Postgres, 1),
    ("text[]", Dialect::Postgres, 4),
    ("as identity", Dialect::Postgres, 4),
    ("bigserial", Dialect::Postgres, 4),
    ("now()", Dialect::Postgres, 1),
];

/// From this weight on, words are a certain mark: no other database reads them.
const CERTAIN: u32 = 5;

/// The dialect that these texts are certainly of: they have marks that only one database reads, and none of another.
pub fn certain_dialect<'t>(texts: impl IntoIterator<Item = &'t str>) -> Option<Dialect> {
    let mut found = Vec::new();
    for text in texts {
        let text = without_comments(text).to_lowercase();
        let marks = EVIDENCE.iter().filter(|(words, _, weight)| *weight >= CERTAIN && text.contains(words));
        found.extend(marks.map(|(_, dialect, _)| *dialect));
    }
    let first = *found.first()?;
    found.iter().all(|dialect| *dialect == first).then_some(first)
}

/// The dialect that these texts point to; `None` without evidence, or with a tie.
pub fn guess_dialect<'t>(texts: impl IntoIterator<Item = &'t str>) -> Option<Dialect> {
    let mut scores = Dialect::ALL.map(|dialect| (0u32, dialect));
    for text in texts {
        let text = without_comments(text).to_lowercase();
        for (words, dialect, weight) in EVIDENCE {
            if text.contains(words) {
                for score in scores.iter_mut().filter(|(_, of)| of == dialect) {
                    score.0 += weight;
                }
            }
        }
    }
    scores.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    match scores {
        [(first, dialect), (second, _), _] if first > second => Some(dialect),
        _ => None,
    }
}

/// Words of SQL Server alone, in lower case and without brackets.
const OF_SQL_SERVER: &[&str] = &[
    " clustered index ",
    " primary key clustered",
    " primary key nonclustered",
    "identity(1,1)",
    "identity (1,1)",
    "nvarchar(max)",
    "object_id(n'",
    "set ansi_nulls ",
    "set nocount on",
    "set quoted_identifier ",
    "sys.columns",
    "sys.foreign_keys",
    "sys.indexes",
    "sys.objects",
    "sys.tables",
    "sysutcdatetime()",
    "varbinary(max)",
];

/// Whether a text is Transact-SQL, which is not read: it is cut into batches by `GO` and names what SQL Server has, or it
/// branches on the catalog, `IF NOT EXISTS (SELECT .. FROM sys.objects ..)`, as no database here does outside of a routine.
pub fn is_of_sql_server(text: &str) -> bool {
    let is_go = |line: &str| line.trim().trim_end_matches(';').eq_ignore_ascii_case("go");
    let has_go = text.lines().any(is_go);
    let lower = || without_comments(text).to_lowercase().replace(['[', ']'], "");
    let branches = |text: &str| {
        let mut lines = text.lines().map(str::trim_start);
        lines.any(|line| ["if not exists", "if exists", "if object_id"].iter().any(|it| line.starts_with(it)))
    };
    let may = has_go || text.contains("sys.") || text.contains("OBJECT_ID") || text.contains("object_id");
    may && {
        let lower = lower();
        let names = OF_SQL_SERVER.iter().any(|words| lower.contains(words)) || text.contains("[dbo].");
        names && (has_go || branches(&lower))
    }
}

/// A text without comments, which may contain any words.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("--").into_iter().chain(rest.find("/*")).min() {
        out.push_str(rest.get(..start).unwrap_or(""));
        let comment = rest.get(start..).unwrap_or("");
        let (end, length) = if comment.starts_with("--") { ("\n", 0) } else { ("*/", 2) };
        rest = comment.find(end).and_then(|at| comment.get(at + length..)).unwrap_or("");
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_one_database_alone_are_certain() {
        let innodb = "CREATE TABLE a (id INT) ENGINE=InnoDB";
        assert_eq!(certain_dialect([innodb, "CREATE TABLE t (id UUID)"]), Some(Dialect::MySql));
        assert_eq!(certain_dialect([innodb, "PRAGMA foreign_keys = 1"]), None);
        assert_eq!(certain_dialect(["CREATE TABLE `t` (id INT UNSIGNED)"]), None);
        assert_eq!(certain_dialect(["-- engine=innodb"]), None);
    }

    #[test]
    fn batches_of_sql_server_are_recognised() {
        for text in [
            "IF NOT EXISTS (SELECT * FROM sys.objects WHERE name = 'a')\nCREATE TABLE [dbo].[a] ([id] INT)\nGO\n",
            "CREATE TABLE [dbo].[a] ([id] INT IDENTITY(1,1) NOT NULL);\ngo\n",
            "SET ANSI_NULLS ON\nGO\nCREATE TABLE a (id INT)\nGO",
            "if object_id(N'dbo.a') is null create table a (id int, t nvarchar(max))",
            "IF EXISTS (SELECT 1 FROM [sys].[tables]) DROP TABLE a; -- sys.tables",
        ] {
            assert!(is_of_sql_server(text), "{text}");
        }
        for text in [
            "CREATE TABLE [a] ([id] INTEGER PRIMARY KEY)",
            "-- GO\nCREATE TABLE a (id int)\n",
            "INSERT INTO notes VALUES ('\nGO\n')",
            "CREATE TABLE sys.objects (id int)",
            "CREATE PROCEDURE p() BEGIN IF EXISTS (SELECT 1 FROM sys.tables) THEN SELECT 1; END IF; END",
        ] {
            assert!(!is_of_sql_server(text), "{text}");
        }
    }

    #[test]
    fn words_that_one_database_knows() {
        assert_eq!(guess_dialect(["CREATE TABLE t (id BIGSERIAL, at TIMESTAMPTZ)"]), Some(Dialect::Postgres));
        assert_eq!(
            guess_dialect(["CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)"]),
            Some(Dialect::Sqlite)
        );
        assert_eq!(guess_dialect(["CREATE TABLE `t` (id int) ENGINE=InnoDB"]), Some(Dialect::MySql));
        assert_eq!(guess_dialect(["CREATE TABLE t (id INT)"]), None);
        assert_eq!(guess_dialect(["-- keeps `t` /* engine=x */\nCREATE TABLE t (id /* `t` */ INT)"]), None);
        // SQLite has functions with this name, but no such type.
        assert_eq!(guess_dialect(["CREATE TABLE t (a TEXT DEFAULT (jsonb_array()))"]), None);
    }
}
