//! A query site: one place in Rust source that runs, or prepares to run, a query.

use std::sync::Arc;

use super::occasions::Occasion;
use super::type_ref::TypeRef;
use super::{drivers, query_names};
pub use crate::allow::Allow;
use crate::finding::Place;
use crate::sql::Dialect;

/// One place in Rust source that makes a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The place of the macro or call.
    pub place: Place,
    /// How the query is made.
    pub form: Form,
    /// The macro or function as written, for messages: `sql_as!`, `sqlx::query_scalar`.
    pub written: String,
    /// The query's text, or why it is unknown.
    pub sql: SiteSql,
    /// What is known of a text that is built at run time.
    pub built: Option<Built>,
    /// The variables that determine a text of which nothing is known.
    pub text_names: Vec<String>,
    /// The values bound to it, in order: the macro's arguments, or the chained `.bind(..)` calls.
    pub arguments: Vec<Argument>,
    /// Whether `arguments` is complete; it is not if values are bound in a loop or by `query_with`.
    pub arguments_complete: bool,
    /// The enclosing function as a path inside the file: `Events::list`, `tests::dashboard`; empty outside a
    /// function.
    pub function: Arc<str>,
    /// The method that executes it, such as `fetch_all`, and its place; `None` if it is not executed where it
    /// is made.
    pub call: Option<Call>,
    /// The variable of a `let` that holds what it returns, or something made from that; empty if none does, and outside of loops.
    pub held_by: String,
    /// The loops around it inside its function, outermost first, including exempt ones.
    pub loops: Vec<Loop>,
    /// What comments above the statement, and attributes of the macro and enclosing functions, allow here.
    pub allows: Vec<Allow>,
    /// Whether it is in test code: `#[cfg(test)]`, `#[test]` functions, `tests/`, `benches/`.
    pub in_test: bool,
    /// The type of its rows, as passed to the macro: `Event`; empty if none is passed.
    pub row: String,
    /// The number of loops around the declaration of the transaction that it runs in, which each of their iterations begins anew;
    /// 0 where it runs in none.
    pub unit: usize,
    /// Whether it runs in a transaction.
    pub in_transaction: bool,
    /// Why it is seldom worth a change in the loop that it is in, as a note.
    pub aside: Option<String>,
    /// Whether its function is called page by page: a loop advances one of its arguments, or others may call it so.
    pub is_paged: bool,
    /// Whether the loop around it goes through the rows of a query.
    pub grows: bool,
    /// The texts of the other statements that run in the same iteration of the innermost loop over data, in functions that it
    /// calls too; `None` for a statement whose text is unknown.
    pub in_same_iteration: Vec<Option<Arc<str>>>,
    /// The texts of what may follow a DELETE of all rows, in functions that are called after it too.
    pub follow_up: Vec<Arc<str>>,
    /// On which occasions alone its function runs; empty if on any.
    pub occasions: Vec<Occasion>,
    /// Whether its rows are cached: `.cached(..)`.
    pub cached: bool,
    /// Whether its function reports writes to a cache.
    pub told: bool,
}

impl Site {
    /// A query by itself: it is not executed, and nothing is around it.
    pub(super) fn new(
        place: Place,
        form: Form,
        written: String,
        sql: SiteSql,
        (arguments, arguments_complete): (Vec<Argument>, bool),
        function: Arc<str>,
    ) -> Site {
        Site {
            place,
            form,
            written,
            sql,
            built: None,
            text_names: Vec::new(),
            arguments,
            arguments_complete,
            function,
            call: None,
            held_by: String::new(),
            loops: Vec::new(),
            allows: Vec::new(),
            in_test: false,
            row: String::new(),
            unit: 0,
            in_transaction: false,
            aside: None,
            is_paged: false,
            grows: false,
            in_same_iteration: Vec::new(),
            follow_up: Vec::new(),
            occasions: Vec::new(),
            cached: false,
            told: false,
        }
    }

    /// Whether its query is a text that no database has validated.
    pub fn is_text(&self) -> bool {
        matches!(self.form, Form::SqlxFunction | Form::Driver)
    }

    /// Whether its text may contain several statements. It is sent unprepared (`raw_sql`, a text passed to
    /// `execute` and the like), or sqlx prepares one statement after the other, as it does on SQLite.
    pub fn is_script(&self, dialect: Dialect) -> bool {
        self.written.ends_with("raw_sql")
            || (self.form == Form::SqlxFunction && query_names::is_executor(&self.written))
            || drivers::takes_script(&self.written)
            || (dialect == Dialect::Sqlite && self.form != Form::Checked)
    }

    /// The dialect, if the type of its connection determines it.
    pub fn dialect(&self) -> Option<Dialect> {
        self.call.as_ref()?.dialect
    }

    /// Whether it is made by a macro of the project, which may add to the text that it receives.
    pub fn is_of_own_macro(&self) -> bool {
        let name = self.written.rsplit("::").next().unwrap_or_default().trim_end_matches('!');
        self.form == Form::SqlxMacro && !query_names::makes_query(name)
    }

    /// Whether it is about the session or transaction that it runs in, and reads and writes no row.
    pub fn is_of_session(&self) -> bool {
        let SiteSql::Literal(literal) = &self.sql else { return false };
        let word = literal.text.split_whitespace().next().unwrap_or_default().trim_end_matches(';');
        let words =
            ["set", "reset", "begin", "start", "commit", "rollback", "savepoint", "release", "end", "pragma"];
        words.iter().any(|it| word.eq_ignore_ascii_case(it))
    }

    /// Whether variables determine which tables it names.
    pub fn names_tables(&self) -> bool {
        self.built.as_ref().is_some_and(|built| !built.names.is_empty())
    }

    /// Whether it is of a text that comes from elsewhere, and is run elsewhere.
    pub fn is_only_made(&self) -> bool {
        self.call.is_none() && self.sql == SiteSql::Dynamic && self.built.is_none()
    }

    /// Whether it is one query for many rows.
    pub fn takes_rows(&self) -> bool {
        let name = self.written.rsplit("::").next().unwrap_or_default();
        self.form == Form::Checked && query_names::takes_rows(name.trim_end_matches('!'))
    }

    /// The place of a byte of its SQL; the site itself if unknown.
    pub fn place_of(&self, byte: usize) -> Place {
        let known = match &self.sql {
            SiteSql::Literal(literal) => literal.place_of(byte),
            SiteSql::File(_) | SiteSql::Dynamic => None,
        };
        known.unwrap_or_else(|| self.place.clone())
    }

    /// A copy of the site for one of several statements in its text. The first `skipped` arguments belong to
    /// earlier statements; how many of the rest belong to this one is unknown.
    pub(crate) fn for_part(&self, skipped: usize) -> Site {
        let arguments = self.arguments.get(skipped..).unwrap_or_default().to_vec();
        Site { arguments, arguments_complete: false, ..self.clone() }
    }
}

/// How a query is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// `sql!` and related macros, under either name.
    Checked,
    /// `sqlx::query!` and related macros, including `query_file!`.
    SqlxMacro,
    /// `sqlx::query()` and related functions, including `raw_sql` and `QueryBuilder`.
    SqlxFunction,
    /// A text passed to another driver: tokio-postgres and its relatives, rusqlite, Diesel's `sql_query`,
    /// SeaORM's statements.
    Driver,
}

/// The text of a query, as far as the source determines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteSql {
    /// The text is written in this source.
    Literal(SqlLiteral),
    /// The text is in a separate file (`query_file!`, `include_str!`), given by the path as written.
    File(String),
    /// The text is built at run time.
    Dynamic,
}

/// A text that is built at run time, as far as the source determines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Its beginning, with `…` for unknown parts.
    pub begin: String,
    /// Whether it contains a list of keys or rows of variable length.
    pub takes_many: bool,
    /// The variables that determine which tables it names.
    pub names: Vec<String>,
    /// The number of loops in whose iterations it grows, if it takes many elements for that reason alone; 0 if it does not.
    pub grown: usize,
    /// The number of loops around the place where it begins anew; 0 if it does not.
    pub cleared: usize,
}

/// SQL written in Rust source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlLiteral {
    /// The text, with escapes resolved and parts joined.
    pub text: Arc<str>,
    /// The place of each part of the text: the byte of `text` at which it starts, and the place of its first
    /// character. Sorted by byte; empty if the parts are elsewhere.
    pub parts: Vec<(usize, Place)>,
}

impl SqlLiteral {
    /// The place of a byte of the text, if known.
    pub fn place_of(&self, byte: usize) -> Option<Place> {
        let part = self.parts.partition_point(|(start, _)| *start <= byte).checked_sub(1)?;
        let (start, place) = self.parts.get(part)?;
        let before = self.text.get(*start..byte)?;
        let column = place.column + u32::try_from(before.chars().count()).ok()?;
        Some(Place { column, ..place.clone() })
    }

    /// A part of the text, with its places.
    pub(in crate::rust) fn slice(&self, range: std::ops::Range<usize>) -> SqlLiteral {
        let first = self.place_of(range.start).map(|place| (0, place));
        let inner = self.parts.iter().filter(|(start, _)| (range.start + 1..range.end).contains(start));
        let inner = inner.map(|(start, place)| (start - range.start, place.clone()));
        let parts = first.into_iter().chain(inner).collect();
        SqlLiteral { text: self.text.get(range).unwrap_or_default().into(), parts }
    }
}

/// A value bound to a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// The expression as written, shortened to one line.
    pub written: String,
    /// The variables it mentions.
    pub mentions: Vec<String>,
    /// Whether it is the same as long as these are: no call computes it.
    pub is_constant: bool,
    /// Whether it is another one each time that it is computed: `Uuid::new_v4()`.
    pub is_new: bool,
    /// Whether it is literally `None`, which is NULL.
    pub is_none: bool,
    /// Whether it is a text that begins with the wildcard of LIKE: `format!("%{name}%")`.
    pub is_infix: bool,
}

/// A method called on a query.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Call {
    /// Its name: `fetch_all`, `execute`, `fetch_optional`.
    pub method: String,
    /// The place of its name.
    pub place: Place,
    /// The variables in the expression of its connection.
    pub on: Vec<String>,
    /// The field that keeps its connection or pool, if it is one: `stats` in `&self.stats`.
    pub field: Option<String>,
    /// The dialect of that connection, if its type determines it.
    pub dialect: Option<Dialect>,
    /// The type of its connection, as far as its function determines it.
    pub ty: TypeRef,
    /// The parameter of the function that its connection is, counted from 0, including the receiver.
    pub parameter: Option<usize>,
    /// Whether its function began a transaction that is its connection, or is open on that.
    pub begun: bool,
    /// Whether its result is only tested for existence: `.is_some()`.
    pub asks_whether: bool,
}

/// How many rows a method reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fetched {
    /// All rows.
    All,
    /// One; further rows are ignored.
    First,
    /// None, or further rows are an error.
    Other,
}

impl Call {
    /// The names of what it runs on: variables, and the field that keeps its connection.
    pub(crate) fn executor(&self) -> Vec<String> {
        self.on.iter().chain(&self.field).cloned().collect()
    }

    /// How many rows it reads.
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
    /// The place of its keyword or combinator.
    pub place: Place,
    /// What is looped over, as written: `&events`; empty if nothing is named.
    pub over: String,
    /// Its type, if it is a field: of an array, which may be declared in another file, it has so many elements.
    pub of: TypeRef,
    /// Whether that is known to be a collection with `iter`.
    pub has_iter: bool,
    /// The pattern of a `for`, as written: `(position, name)`; empty for other loops.
    pub pattern: String,
    /// The variables that it binds in each iteration, including those computed from them in the body.
    pub variables: Vec<String>,
    /// Those that hold an element, or something derived from one.
    pub elements: Vec<String>,
    /// Why a query in it is fine (`.chunks(100)`, a constant range, polling, keyset paging); `None` for a
    /// work loop.
    pub exempt: Option<&'static str>,
    /// The number of iterations, if the source determines it: `for _ in 0..3`, an array literal.
    pub turns: Option<u64>,
    /// Where its elements come from; empty if the source determines them.
    pub origins: Vec<Origin>,
    /// Why a call in it is for each element alone although it could be one for all: its elements come one after the
    /// other.
    pub pace: Option<&'static str>,
    /// Whether its iterations add elements to the list that it takes them from.
    pub refills: bool,
    /// Whether it makes a future for each element, all of which are polled together: `ids.iter().map(|id| async move { .. })`.
    pub is_joined: bool,
    /// The variables that each iteration moves on by a number, `offset += 100`, or that a range of numbers sets.
    pub advances: Vec<String>,
}

impl Loop {
    /// Whether each of its iterations waits for something to do.
    pub(crate) fn serves(&self) -> bool {
        self.exempt == Some(super::walk::purpose::SERVICE)
    }

    /// Whether a caller or a request brings its elements.
    pub(crate) fn is_brought(&self) -> bool {
        let is_so =
            |origin: &Origin| matches!(origin, Origin::Parameter(_) | Origin::Request | Origin::Segment);
        !self.origins.is_empty() && self.origins.iter().all(is_so)
    }

    /// Whether results read in it are kept for later iterations.
    pub(crate) fn keeps(&self) -> bool {
        self.exempt == Some(super::walk::purpose::KEPT)
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The call or query whose name is at this line and column returns it, or what it is a part of.
    Given(u32, u32),
    /// A parameter of the function, counted from 0, including the receiver.
    Parameter(usize),
    /// A part of a request, which a parameter is.
    Request,
    /// A segment of a path.
    Segment,
    /// It is not known.
    Unknown,
}

/// The kinds of code that runs another piece of code repeatedly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoopKind {
    /// `for x in xs`.
    For,
    /// `while c` or `while let`.
    While,
    /// `loop`, which only `break` or `return` ends.
    Loop,
    /// `.map(|x| ..)`, `.for_each(..)`, `stream.then(..)` and similar methods.
    Combinator,
}
