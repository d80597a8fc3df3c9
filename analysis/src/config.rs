//! `query-budget.toml`: one file, searched for upwards from the crate, with a default for every key.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;

use crate::finding::{Excerpt, Level, Place};
use crate::notice::{Notice, NoticeKind};
use crate::sql::Dialect;
use crate::sql::text::LineIndex;

/// The name of the configuration file.
pub const FILE_NAME: &str = "query-budget.toml";

/// The configuration of one crate or workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// The SQL dialect; if `None`, taken from the snapshot or the scheme of `DATABASE_URL`.
    pub dialect: Option<Dialect>,
    /// Whether the dialect is named `mariadb`: `mysql` may mean either server.
    pub is_mariadb: bool,
    /// The snapshot's path, relative to the configuration file; `schema.sql` when absent.
    pub schema: Option<String>,
    /// The migrations folder, relative to the configuration file; `migrations` when absent.
    pub migrations: Option<String>,
    /// Which columns `sql!` reads as an `Option`.
    pub nullability: Nullability,
    /// Levels by lint name.
    pub lints: BTreeMap<String, Level>,
    /// Settings for tables, by table name.
    pub tables: BTreeMap<String, TableConfig>,
    /// Rust types by the name of the SQL type: `"order_status" = "crate::OrderStatus"`.
    pub types: BTreeMap<String, String>,
}

/// Which columns `sql!` and related macros read as an `Option`, where the name of a column does not say so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Nullability {
    /// Those that sqlx's macros do.
    #[default]
    Sqlx,
    /// All but those that are proven not to be NULL.
    Proven,
}

/// The settings for one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TableConfig {
    /// The maximum number of rows; index and limit lints ignore a small table.
    pub rows: Option<u64>,
}

/// A configuration, with the positions of its keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The configuration itself.
    pub config: Config,
    /// The keys of `[lints]`, sorted by name.
    pub lint_keys: Vec<LintKey>,
}

/// A lint that `[lints]` names, with the place of its key for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintKey {
    /// The lint as written; it may be unknown.
    pub lint: String,
    /// Where it is written.
    pub place: Place,
    /// The line of the file that holds it.
    pub excerpt: Excerpt,
}

/// The file as toml reads it, with positions. Dialects and levels are still text, so that we word the error
/// for an invalid one.
#[derive(serde::Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    dialect: Option<Spanned<String>>,
    schema: Option<String>,
    migrations: Option<String>,
    nullability: Option<Spanned<String>>,
    lints: BTreeMap<Spanned<String>, Spanned<String>>,
    tables: BTreeMap<String, TableConfig>,
    types: BTreeMap<String, String>,
}

/// Parses a configuration; `file` is the path shown in messages.
///
/// # Errors
///
/// If the text is invalid: a notice with the offending line and what to write there.
pub fn parse(text: &str, file: &str) -> Result<Parsed, Box<Notice>> {
    let source = ConfigText { text: text.into(), file: file.into() };
    let raw: Raw = toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        source.broken(&error.message().replace('\n', ", "), span)
    })?;

    let dialect = match &raw.dialect {
        None => None,
        Some(name) => Some(Dialect::from_name(name.get_ref()).ok_or_else(|| {
            let message = format!("`{}` is not a dialect", name.get_ref());
            source.broken(&message, name.span()).help(r#"write `"postgres"`, `"mysql"` or `"sqlite"`"#)
        })?),
    };

    let nullability = match raw.nullability.as_ref().map(|name| (name.get_ref().as_str(), name.span())) {
        None | Some(("sqlx", _)) => Nullability::Sqlx,
        Some(("proven", _)) => Nullability::Proven,
        Some((name, span)) => {
            let message = format!("`{name}` is not a nullability");
            return Err(Box::new(source.broken(&message, span).help(r#"write `"sqlx"` or `"proven"`"#)));
        }
    };

    let mut parsed = Parsed {
        config: Config {
            dialect,
            is_mariadb: raw.dialect.is_some_and(|name| Dialect::names_mariadb(name.get_ref())),
            schema: raw.schema,
            migrations: raw.migrations,
            nullability,
            lints: BTreeMap::new(),
            tables: raw.tables,
            types: raw.types,
        },
        lint_keys: Vec::new(),
    };
    for (lint, level) in raw.lints {
        let known = [Level::Allow, Level::Warn, Level::Deny]
            .into_iter()
            .find(|known| known.as_str() == level.get_ref());
        let level = known.ok_or_else(|| {
            let message = format!("`{}` is not a level", level.get_ref());
            source.broken(&message, level.span()).help(r#"write `"allow"`, `"warn"` or `"deny"`"#)
        })?;
        parsed.lint_keys.push(LintKey {
            place: source.place(lint.span().start),
            excerpt: source.excerpt(lint.span()),
            lint: lint.get_ref().clone(),
        });
        parsed.config.lints.insert(lint.into_inner(), level);
    }
    Ok(parsed)
}

/// The text of a file and the name it is shown under.
struct ConfigText {
    text: Arc<str>,
    file: Arc<str>,
}

impl ConfigText {
    fn place(&self, offset: usize) -> Place {
        let (line, column) = LineIndex::new(&self.text).line_column(offset);
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Place { file: self.file.clone(), line: number(line), column: number(column) }
    }

    fn excerpt(&self, span: Range<usize>) -> Excerpt {
        Excerpt { text: self.text.clone(), span, label: String::new(), place: None }
    }

    fn broken(&self, message: &str, span: Range<usize>) -> Box<Notice> {
        let mut notice = Notice::new(
            NoticeKind::BrokenConfig,
            format!("failed to read the configuration: {message}"),
            self.place(span.start),
        );
        notice.excerpt = Some(self.excerpt(span));
        Box::new(notice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn broken(text: &str) -> Notice {
        *parse(text, "query-budget.toml").expect_err("the configuration is broken")
    }

    #[test]
    fn everything_has_a_default() {
        assert_eq!(parse("", "query-budget.toml"), Ok(Parsed::default()));
    }

    #[test]
    fn every_key_is_read() {
        let text = r#"
dialect = "postgres"
schema = "db/schema.sql"
migrations = "db/migrations"
[lints]
missing_limit = "deny"
[tables]
countries = { rows = 250 }
"#;
        let Parsed { config, lint_keys } = parse(text, "query-budget.toml").expect("it is well formed");
        assert_eq!(config.dialect, Some(Dialect::Postgres));
        assert_eq!(config.schema.as_deref(), Some("db/schema.sql"));
        assert_eq!(config.migrations.as_deref(), Some("db/migrations"));
        assert_eq!(config.lints.get("missing_limit"), Some(&Level::Deny));
        assert_eq!(config.tables.get("countries"), Some(&TableConfig { rows: Some(250) }));
        assert_eq!(lint_keys.len(), 1);
        assert_eq!(lint_keys[0].place.to_string(), "query-budget.toml:6:1");
        assert_eq!(&text[lint_keys[0].excerpt.span.clone()], "missing_limit");
    }

    #[test]
    fn a_wrong_level_is_named_with_its_line_and_the_right_ones() {
        let notice = broken("[lints]\nmissing_limit = \"forbid\"\n");
        assert_eq!(notice.place.to_string(), "query-budget.toml:2:17");
        assert_eq!(notice.message, "failed to read the configuration: `forbid` is not a level");
        assert_eq!(notice.help, [r#"write `"allow"`, `"warn"` or `"deny"`"#]);
    }

    #[test]
    fn nullability_is_that_of_sqlx_unless_proof_is_preferred() {
        let of = |text: &str| parse(text, FILE_NAME).map(|parsed| parsed.config.nullability);
        assert_eq!(of(""), Ok(Nullability::Sqlx));
        assert_eq!(of("nullability = \"sqlx\""), Ok(Nullability::Sqlx));
        assert_eq!(of("nullability = \"proven\""), Ok(Nullability::Proven));
        let notice = broken("nullability = \"none\"");
        assert_eq!(notice.message, "failed to read the configuration: `none` is not a nullability");
        assert_eq!(notice.help, [r#"write `"sqlx"` or `"proven"`"#]);
    }

    #[test]
    fn mariadb_is_mysql_and_remembered() {
        for (name, is_mariadb) in [("mysql", false), ("mariadb", true)] {
            let config = parse(&format!("dialect = \"{name}\""), FILE_NAME).expect("it is valid").config;
            assert_eq!((config.dialect, config.is_mariadb), (Some(Dialect::MySql), is_mariadb));
        }
    }

    #[test]
    fn a_wrong_dialect_is_named_with_its_line_and_the_right_ones() {
        let notice = broken("dialect = \"oracle\"");
        assert_eq!(notice.place.to_string(), "query-budget.toml:1:11");
        assert_eq!(notice.message, "failed to read the configuration: `oracle` is not a dialect");
    }

    #[test]
    fn an_unknown_key_is_named_with_the_known_ones() {
        let notice = broken("\nshema = \"schema.sql\"");
        assert_eq!(notice.place.to_string(), "query-budget.toml:2:1");
        assert!(
            notice.message.contains("unknown field `shema`, expected one of `dialect`, `schema`"),
            "{notice:?}"
        );
    }

    #[test]
    fn text_that_is_no_toml_is_a_notice() {
        for text in [
            "[lints",
            "= 1",
            "lints = 3",
            "[lints]\nmissing_limit = 1",
            "[tables]\nt = { rows = -1 }",
            "\u{0}",
        ] {
            let notice = broken(text);
            assert_eq!(notice.kind, NoticeKind::BrokenConfig);
            assert!(notice.place.line >= 1 && notice.excerpt.is_some(), "{text:?}: {notice:?}");
            assert!(!notice.message.contains('\n'), "{notice:?}");
        }
    }
}
