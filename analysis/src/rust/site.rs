//! A query site: one place in Rust source that runs, or prepares to run, a query.

use std::sync::Arc;

use super::{drivers, query_names};
pub use crate::allow::Allow;
use crate::finding::Place;
use crate::sql::Dialect;

/// One place in Rust source that makes a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Where the macro or call stands.
    pub place: Place,
    /// How the query is made.
    pub form: Form,
    /// The macro or function as written, for messages: `sql_as!`, `sqlx::query_scalar`.
    pub written: String,
    /// The query's text, or why it is not known.
    pub sql: SiteSql,
    /// What is known of a text that is put together at run time.
    pub built: Option<Built>,
    /// The values bound to it, in order: the macro's arguments, or the chained `.bind(..)` calls.
    pub arguments: Vec<Argument>,
    /// Whether `arguments` is all of them; not when they are bound in a loop or by `query_with`.
    pub arguments_complete: bool,
    /// The enclosing function as a path inside the file: `Events::list`, `tests::dashboard`; empty outside of one.
    pub function: Arc<str>,
    /// The method that executes it, `fetch_all`, and where it is called; `None` when it is not executed where it is made.
    pub call: Option<Call>,
    /// The loops around it inside its function, outermost first, those that are exempt included.
    pub loops: Vec<Loop>,
    /// What is allowed here, by comments above the statement and attributes of the macro and the functions around.
    pub allows: Vec<Allow>,
    /// Whether it stands in test code: `#[cfg(test)]`, `#[test]` functions, `tests/`, `benches/`.
    pub in_test: bool,
    /// The type of its rows, as the macro is given it: `Event`; empty where it is given none.
    pub row: String,
    /// Whether its rows are cached: `.cached(..)`.
    pub cached: bool,
    /// Whether its function tells a cache what is written.
    pub told: bool,
}

impl Site {
    /// Whether its text may hold several statements: it is sent as it is (`raw_sql`, a text that is given to `execute`
    /// and its like), or sqlx prepares one after the other, as it does on SQLite.
    pub fn is_script(&self, dialect: Dialect) -> bool {
        self.written.ends_with("raw_sql")
            || (self.form == Form::SqlxFunction && query_names::is_executor(&self.written))
            || drivers::takes_script(&self.written)
            || (dialect == Dialect::Sqlite && self.form != Form::Checked)
    }

    /// Whose rules it is read by, where the type of its connection says so.
    pub fn dialect(&self) -> Option<Dialect> {
        self.call.as_ref()?.dialect
    }

    /// Whether a macro of the project's own makes it, which may add to the text that it is given.
    pub fn is_of_own_macro(&self) -> bool {
        let name = self.written.rsplit("::").next().unwrap_or_default().trim_end_matches('!');
        self.form == Form::SqlxMacro && !query_names::makes_query(name)
    }

    /// Whether it is one query for many rows.
    pub fn takes_rows(&self) -> bool {
        let name = self.written.rsplit("::").next().unwrap_or_default();
        self.form == Form::Checked && query_names::takes_rows(name.trim_end_matches('!'))
    }

    /// Where a byte of its SQL stands; the site itself where that is not known.
    pub fn place_of(&self, byte: usize) -> Place {
        let known = match &self.sql {
            SiteSql::Literal(literal) => literal.place_of(byte),
            SiteSql::File(_) | SiteSql::Dynamic => None,
        };
        known.unwrap_or_else(|| self.place.clone())
    }

    /// The site as it is for one of several statements in its text: which of its arguments that one takes is not known
    /// in full, from the first of them on `skipped` belong to statements before it.
    pub(crate) fn for_part(&self, skipped: usize) -> Site {
        let arguments = self.arguments.get(skipped..).unwrap_or_default().to_vec();
        Site { arguments, arguments_complete: false, ..self.clone() }
    }
}

/// How a query is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// `sql!` and its like, under either name.
    Checked,
    /// `sqlx::query!` and its like, `query_file!` included.
    SqlxMacro,
    /// `sqlx::query()` and its like, `raw_sql` and `QueryBuilder` included.
    SqlxFunction,
    /// A text given to another driver: tokio-postgres and its like, rusqlite, Diesel's `sql_query`, SeaORM's statements.
    Driver,
}

/// The text of a query, as far as the source tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteSql {
    /// The text is written in this source.
    Literal(SqlLiteral),
    /// The text stands in a file of its own (`query_file!`, `include_str!`), by the path as written.
    File(String),
    /// The text is put together at run time.
    Dynamic,
}

/// A text that is put together at run time, as far as the source tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// What it begins with, `…` where something unknown stands in it.
    pub begin: String,
    /// Whether many keys or rows go into it.
    pub takes_many: bool,
    /// The variables that decide which tables it is about.
    pub names: Vec<String>,
}

/// SQL written in Rust source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlLiteral {
    /// The text, escapes resolved and parts joined.
    pub text: Arc<str>,
    /// Where each part of the text stands in the source: the byte of `text` it starts at, and the place of its first
    /// character. Sorted by byte; empty when the parts are elsewhere.
    pub parts: Vec<(usize, Place)>,
}

impl SqlLiteral {
    /// Where a byte of the text stands in the source, when that is known.
    pub fn place_of(&self, byte: usize) -> Option<Place> {
        let part = self.parts.partition_point(|(start, _)| *start <= byte).checked_sub(1)?;
        let (start, place) = self.parts.get(part)?;
        let before = self.text.get(*start..byte)?;
        let column = place.column + u32::try_from(before.chars().count()).ok()?;
        Some(Place { column, ..place.clone() })
    }
}

/// A value bound to a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// The expression as written, shortened to a line.
    pub written: String,
    /// The variables it mentions.
    pub mentions: Vec<String>,
    /// Whether it is `None` as it stands, which is NULL.
    pub is_none: bool,
}

/// A method called on a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its name: `fetch_all`, `execute`, `fetch_optional`.
    pub method: String,
    /// Where its name stands.
    pub place: Place,
    /// The variables that the connection it runs on mentions.
    pub on: Vec<String>,
    /// Whose database that connection is to, where its type says so.
    pub dialect: Option<Dialect>,
}

/// How many rows a method is called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fetched {
    /// All that there are.
    All,
    /// One, further ones being dropped.
    First,
    /// It returns none, or further ones are an error.
    Other,
}

impl Call {
    /// How many rows it is called for.
    pub fn fetched(&self) -> Fetched {
        match self.method.as_str() {
            "fetch" | "fetch_all" => Fetched::All,
            "fetch_one" | "fetch_optional" => Fetched::First,
            other => drivers::fetched(other),
        }
    }
}

/// A loop around a query or call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loop {
    /// What kind of loop it is.
    pub kind: LoopKind,
    /// Where its keyword or combinator stands.
    pub place: Place,
    /// What is looped over, as written: `&events`; empty when nothing is named.
    pub over: String,
    /// The pattern of a `for`, as written: `(position, name)`; empty for other loops.
    pub pattern: String,
    /// The variables it binds anew in each turn, those computed from them in the body included.
    pub variables: Vec<String>,
    /// Those of them that hold an element, or something made of one.
    pub elements: Vec<String>,
    /// Why running a query in it is fine (`.chunks(100)`, a constant range, polling, keyset paging); `None` for a work loop.
    pub exempt: Option<&'static str>,
    /// How many turns it takes when that is known from the source: `for _ in 0..3`, an array literal.
    pub turns: Option<u64>,
}

impl Loop {
    /// Whether what is read in it is kept for the next turns.
    pub(crate) fn keeps(&self) -> bool {
        self.exempt == Some(super::walk::purpose::KEPT)
    }
}

/// The kinds of loops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoopKind {
    /// `for x in xs`.
    For,
    /// `while c` or `while let`.
    While,
    /// `loop`.
    Loop,
    /// `.map(|x| ..)`, `.for_each(..)`, `stream.then(..)` and the like; the method's name.
    Combinator,
}
