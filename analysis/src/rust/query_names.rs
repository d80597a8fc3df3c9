//! The names that make queries: this project's macros, sqlx's macros and functions, and the methods that run
//! them.

use super::graph::imports::{Imports, Origin};
use super::site::Form;

/// A macro that makes a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MacroForm {
    pub(super) form: Form,
    /// Whether the first argument is a type.
    pub(super) typed: bool,
    /// Whether the SQL is in a file given by its path.
    pub(super) file: bool,
    /// Whether only its name suggests that it is sqlx's, so that its SQL has to look like SQL.
    pub(super) by_name_only: bool,
}

/// A function that makes a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FunctionForm {
    /// `query`, `query_as`, `query_scalar`, `raw_sql`; with `with_arguments`, the arguments come in one value
    /// (`query_with`).
    Query { with_arguments: bool },
    /// `QueryBuilder::new`.
    Builder,
    /// `AssertSqlSafe(..)`: asserts that a text built at run time is safe.
    AssertSqlSafe,
}

/// Whether a resolved path is in sqlx.
fn in_sqlx(path: &[String]) -> bool {
    path.split_last().is_some_and(|(_, parents)| {
        parents.iter().any(|part| matches!(part.as_str(), "sqlx" | "sqlx_core" | "sqlx_macros"))
    })
}

/// The kind of query that a macro makes, if it makes one.
pub(super) fn macro_form(imports: &Imports, path: &[String]) -> Option<MacroForm> {
    let full = imports.resolve(path);
    let name = full.last()?.as_str();
    let stem = name.strip_suffix("_unchecked").unwrap_or(name);
    let (typed, file) = match stem {
        "sql" | "sql_scalar" | "sql_page" | "sql_batch" | "sql_batch_scalar" | "query" | "query_scalar" => {
            (false, false)
        }
        "sql_as" | "sql_from_row" | "sql_page_as" | "sql_batch_as" | "query_as" => (true, false),
        "sql_file" | "sql_file_scalar" | "query_file" | "query_file_scalar" => (false, true),
        "sql_file_as" | "query_file_as" => (true, true),
        _ => return None,
    };
    // A renamed crate cannot be told from another crate's macro, so only its own path counts.
    let in_ours = full.len() > 1 && full.first().is_some_and(|first| first == "query_budget");
    // A name that this crate re-exports: its origin is in another file.
    let is_handed_on = full.len() > 1
        && full.first().is_some_and(|first| matches!(first.as_str(), "crate" | "self" | "super"));
    if is_handed_on {
        let form = if stem.starts_with("sql") { Form::Checked } else { Form::SqlxMacro };
        return Some(MacroForm { form, typed, file, by_name_only: true });
    }
    if in_ours
        || (stem.starts_with("sql")
            && matches!(path, [name] if full.len() == 1 && !imports.defines_macro(name) && imports.may_be_ours(name)))
    {
        return Some(MacroForm { form: Form::Checked, typed, file, by_name_only: false });
    }
    if stem.starts_with("sql") {
        return None;
    }
    let by_name_only = match path {
        _ if in_sqlx(&full) => false,
        [name] if full.len() == 1 && !imports.defines_macro(name) => {
            imports.glob_origin(name) != Origin::Sqlx
        }
        _ => return None,
    };
    Some(MacroForm { form: Form::SqlxMacro, typed, file, by_name_only })
}

/// The kind of query that a function makes, if it makes one.
pub(super) fn function_form(imports: &Imports, path: &[String]) -> Option<FunctionForm> {
    let name = path.last()?.as_str();
    let full = imports.resolve(path);
    let last = full.last()?.as_str();
    if matches!(name, "new" | "with_arguments" | "default") && path.len() >= 2 {
        let (_, owner) = full.split_last()?;
        let builder = owner.last()? == "QueryBuilder" && (in_sqlx(owner) || from_sqlx_glob(imports, owner));
        return builder.then_some(FunctionForm::Builder);
    }
    let form = match last {
        "query" | "query_as" | "query_scalar" | "raw_sql" => FunctionForm::Query { with_arguments: false },
        "query_with"
        | "query_as_with"
        | "query_scalar_with"
        | "query_with_result"
        | "query_as_with_result"
        | "query_scalar_with_result" => FunctionForm::Query { with_arguments: true },
        "AssertSqlSafe" => FunctionForm::AssertSqlSafe,
        _ => return None,
    };
    (in_sqlx(&full) || from_sqlx_glob(imports, &full)).then_some(form)
}

fn from_sqlx_glob(imports: &Imports, path: &[String]) -> bool {
    matches!(path, [name] if imports.glob_origin(name) == Origin::Sqlx)
}

/// The kind of query that a bare call would make if `use` declarations, which are not visible here, import
/// the name from sqlx.
pub(super) fn bare_function_form(name: &str) -> Option<FunctionForm> {
    match name {
        "query" | "query_as" | "query_scalar" | "raw_sql" => {
            Some(FunctionForm::Query { with_arguments: false })
        }
        "query_with" | "query_as_with" | "query_scalar_with" => {
            Some(FunctionForm::Query { with_arguments: true })
        }
        _ => None,
    }
}

/// Whether a macro makes one query for many rows.
pub(super) fn takes_rows(name: &str) -> bool {
    matches!(name, "sql_batch" | "sql_batch_as" | "sql_batch_scalar")
}

/// Whether a bare name may be that of a macro or function that makes a query.
pub(super) fn makes_query(name: &str) -> bool {
    let stem = name.strip_suffix("_unchecked").unwrap_or(name);
    // Called for every name of a file, most of which begin like none of these.
    if !matches!(stem.as_bytes(), [b's' | b'q' | b'r' | b'Q' | b'A', ..]) {
        return stem.ends_with("_with_result");
    }
    matches!(stem, "sql" | "sql_as" | "sql_scalar" | "sql_from_row" | "sql_page" | "sql_page_as")
        || takes_rows(stem)
        || matches!(stem, "sql_file" | "sql_file_as" | "sql_file_scalar")
        || matches!(stem, "raw_sql" | "QueryBuilder" | "AssertSqlSafe")
        || matches!(stem, "query_file" | "query_file_as" | "query_file_scalar")
        || bare_function_form(stem).is_some()
        || stem.ends_with("_with_result")
}

/// Whether a method runs the query that it is called on, or that it receives.
pub(super) fn is_executor(method: &str) -> bool {
    if !matches!(method.as_bytes(), [b'e' | b'f', ..]) {
        return false;
    }
    matches!(
        method,
        "execute" | "execute_many" | "fetch" | "fetch_many" | "fetch_all" | "fetch_one" | "fetch_optional"
    ) || reads_rows_of_ours(method)
}

/// Whether a method runs only queries of ours: batches, or pages.
fn reads_rows_of_ours(method: &str) -> bool {
    matches!(method, "fetch_some" | "fetch_map" | "fetch_groups" | "fetch_page")
}

/// Whether a method of sqlx's queries, or a common extension of them, leaves the bound values unchanged.
pub(super) fn keeps_arguments(method: &str) -> bool {
    method.starts_with("build")
        || matches!(
            method,
            "bind"
                | "try_bind"
                | "persistent"
                | "map"
                | "try_map"
                | "map_ok"
                | "map_err"
                | "boxed"
                | "instrument"
                | "into"
                | "sql"
                | "as_ref"
                | "as_mut"
                | "by_ref"
                | "clone"
                | "then"
                | "and_then"
                | "unwrap"
                | "expect"
        )
}

/// Whether a text starts like a SQL statement.
pub(super) fn looks_like_sql(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    let word: String =
        text.chars().take_while(char::is_ascii_alphabetic).collect::<String>().to_ascii_uppercase();
    let statement = matches!(
        word.as_str(),
        "SELECT"
            | "INSERT"
            | "UPDATE"
            | "DELETE"
            | "WITH"
            | "VALUES"
            | "MERGE"
            | "REPLACE"
            | "CREATE"
            | "ALTER"
            | "DROP"
            | "TRUNCATE"
            | "BEGIN"
            | "COMMIT"
            | "ROLLBACK"
            | "SAVEPOINT"
            | "RELEASE"
            | "SET"
            | "RESET"
            | "SHOW"
            | "PRAGMA"
            | "EXPLAIN"
            | "ANALYZE"
            | "VACUUM"
            | "REINDEX"
            | "REFRESH"
            | "LOCK"
            | "NOTIFY"
            | "LISTEN"
            | "UNLISTEN"
            | "COPY"
            | "CALL"
            | "DO"
            | "GRANT"
            | "REVOKE"
            | "ATTACH"
            | "DETACH"
    );
    // A single word may be anything; nearly all statements have more.
    statement
        && (text.len() > word.len()
            || matches!(word.as_str(), "BEGIN" | "COMMIT" | "ROLLBACK" | "VACUUM" | "ANALYZE"))
        || text.starts_with("--")
        || text.starts_with("/*")
}
