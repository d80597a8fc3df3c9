//! The procedural macros of query-budget: tokens in, tokens out, nothing else.
//!
//! All knowledge about SQL, Rust and budgets is in `query-budget-analysis`; here its findings become errors
//! and warnings of rustc. Use the macros through the `query-budget` crate, which contains what they expand
//! to.
//!
//! The examples on this page are not compiled, because that crate depends on this one; the pages of `Batch`,
//! `PageQuery` and the cache in `query-budget` have examples that are compiled and run. For every macro a finding of
//! a lint at level `deny` is an error, and one at level `warn` a warning, which rustc prints as the use of a
//! deprecated macro.

mod advice;
mod arguments;
mod attr;
mod batch;
mod check;
mod context;
mod crates;
mod emit;
mod expand;
mod fitted;
mod function;
mod input;
mod output;
mod pages;
mod rename;
mod rows;
mod scope;
mod shape;
mod structs;
mod touches;
mod types;

use proc_macro::TokenStream;

use crate::input::{MacroKind, Rows};

const SQL: MacroKind = MacroKind::new("sql", Rows::Record);
const SQL_AS: MacroKind = MacroKind::new("sql_as", Rows::Struct);
const SQL_SCALAR: MacroKind = MacroKind::new("sql_scalar", Rows::Scalar);
const SQL_FILE: MacroKind = MacroKind::new("sql_file", Rows::Record).in_file();
const SQL_FILE_AS: MacroKind = MacroKind::new("sql_file_as", Rows::Struct).in_file();
const SQL_FILE_SCALAR: MacroKind = MacroKind::new("sql_file_scalar", Rows::Scalar).in_file();

fn query(kind: MacroKind, input: TokenStream) -> TokenStream {
    context::with(|context| expand::query(context, kind, input.into())).into()
}

fn paged(kind: MacroKind, input: TokenStream) -> TokenStream {
    context::with(|context| pages::expand(context, kind, input.into())).into()
}

fn many(kind: MacroKind, input: TokenStream) -> TokenStream {
    context::with(|context| batch::expand(context, kind, input.into())).into()
}

/// A query whose rows become records: `sql!("SELECT id, name FROM events WHERE id = $1", id)`. sqlx's `query!`.
///
/// The SQL is a string literal, or literals joined with `+`; the following arguments are bound to its
/// placeholders in order. It is checked while the crate compiles: syntax, tables, columns, the types of
/// arguments and columns, and performance.
///
/// ```rust,ignore
/// let event = sql!("SELECT id, name FROM events WHERE id = $1", id).fetch_one(&pool).await?;
/// println!("{}: {}", event.id, event.name);
/// sql!("UPDATE events SET name = $1 WHERE id = $2", name, id).execute(&pool).await?;
/// ```
///
/// The result has the methods of what sqlx's `query!` returns:
/// `fetch_all`, `fetch_one`, `fetch_optional`, `fetch`, `map`; the result for a statement without columns has
/// `execute`.
///
/// | output name | field |
/// | --- | --- |
/// | `AS "id!"`, `AS "id?"` | is not an `Option`, is an `Option` |
/// | `AS "id: T"`, `AS "id!: T"`, `AS "id?: T"` | has the type `T` |
/// | `AS "id: _"` | has the type of the struct's field (`sql_as!`) |
///
/// `value as _` binds a value of any type, `value as T` a value of type `T`. Without a snapshot of the
/// schema, rows are sqlx's own.
///
/// Accept a finding with a reason: `sql!(#[allow(missing_limit = "admin export")] "SELECT id FROM events")`.
///
/// # Compile errors
///
/// If the database would refuse the statement (syntax, unknown tables and columns, types that do not fit, too many
/// or too few arguments or values); if an `UPDATE` or `DELETE` has no WHERE; if the type of a column cannot be
/// derived, which asks for a cast or an override; if the text is not a literal, or is several statements.
#[proc_macro]
pub fn sql(input: TokenStream) -> TokenStream {
    query(SQL, input)
}

/// [`sql!`] without type checks: sqlx's `query_unchecked!`.
#[proc_macro]
pub fn sql_unchecked(input: TokenStream) -> TokenStream {
    query(MacroKind { name: "sql_unchecked", ..SQL.unchecked() }, input)
}

/// A query whose rows become values of a struct: `sql_as!(Event, "SELECT id, name FROM events LIMIT 50")`. sqlx's
/// `query_as!`.
///
/// ```rust,ignore
/// struct Event {
///     id: i64,
///     name: String,
/// }
/// let events: Vec<Event> = sql_as!(Event, "SELECT id, name FROM events ORDER BY id LIMIT 50").fetch_all(&pool).await?;
/// ```
///
/// The struct has a field for each column, which is converted by `Into`. A tuple takes the columns in order.
/// For a type that implements `sqlx::FromRow` there is [`sql_from_row!`]. Everything else is as with
/// [`sql!`].
///
/// # Compile errors
///
/// As with [`sql!`]; and if a field has no column, a column has no field, or the type of one does not convert into
/// that of the other.
#[proc_macro]
pub fn sql_as(input: TokenStream) -> TokenStream {
    query(SQL_AS, input)
}

/// [`sql_as!`] without type checks: sqlx's `query_as_unchecked!`.
#[proc_macro]
pub fn sql_as_unchecked(input: TokenStream) -> TokenStream {
    query(MacroKind { name: "sql_as_unchecked", ..SQL_AS.unchecked() }, input)
}

/// A query whose rows become values of a type that implements `sqlx::FromRow`, derived or by hand:
/// `sql_from_row!(Event, "SELECT id, name FROM events LIMIT 50")`.
///
/// What it reads from a row cannot be checked at compile time: a column that is missing is an error of the database
/// at run time. Everything else, the compile errors about the statement included, is as with [`sql!`].
#[proc_macro]
pub fn sql_from_row(input: TokenStream) -> TokenStream {
    query(MacroKind::new("sql_from_row", Rows::FromRow), input)
}

/// A query whose rows have one column: `sql_scalar!("SELECT name FROM events WHERE id = $1", id)`. sqlx's
/// `query_scalar!`.
///
/// ```rust,ignore
/// let name: String = sql_scalar!("SELECT name FROM events WHERE id = $1", id).fetch_one(&pool).await?;
/// ```
///
/// The value's type is the column's, or written first: `sql_scalar!(i64, "SELECT count(*) FROM events")`. Everything else
/// is as with [`sql!`].
///
/// # Compile errors
///
/// As with [`sql!`]; and if the statement returns more or fewer columns than one, or its column differs from
/// the type that is written.
#[proc_macro]
pub fn sql_scalar(input: TokenStream) -> TokenStream {
    query(SQL_SCALAR, input)
}

/// [`sql_scalar!`] without type checks: sqlx's `query_scalar_unchecked!`.
#[proc_macro]
pub fn sql_scalar_unchecked(input: TokenStream) -> TokenStream {
    query(MacroKind { name: "sql_scalar_unchecked", ..SQL_SCALAR.unchecked() }, input)
}

/// [`sql!`] with the SQL in a file, given by its path relative to the package's folder:
/// `sql_file!("queries/event.sql", id)`. sqlx's `query_file!`.
///
/// The crate is built again when the file changes.
///
/// # Compile errors
///
/// As with [`sql!`]; and if the file cannot be read.
#[proc_macro]
pub fn sql_file(input: TokenStream) -> TokenStream {
    query(SQL_FILE, input)
}

/// [`sql_file!`] without type checks: sqlx's `query_file_unchecked!`.
#[proc_macro]
pub fn sql_file_unchecked(input: TokenStream) -> TokenStream {
    query(MacroKind { name: "sql_file_unchecked", ..SQL_FILE.unchecked() }, input)
}

/// [`sql_as!`] with the SQL in a file: sqlx's `query_file_as!`.
#[proc_macro]
pub fn sql_file_as(input: TokenStream) -> TokenStream {
    query(SQL_FILE_AS, input)
}

/// [`sql_file_as!`] without type checks: sqlx's `query_file_as_unchecked!`.
#[proc_macro]
pub fn sql_file_as_unchecked(input: TokenStream) -> TokenStream {
    query(MacroKind { name: "sql_file_as_unchecked", ..SQL_FILE_AS.unchecked() }, input)
}

/// [`sql_scalar!`] with the SQL in a file: sqlx's `query_file_scalar!`.
#[proc_macro]
pub fn sql_file_scalar(input: TokenStream) -> TokenStream {
    query(SQL_FILE_SCALAR, input)
}

/// [`sql_file_scalar!`] without type checks: sqlx's `query_file_scalar_unchecked!`.
#[proc_macro]
pub fn sql_file_scalar_unchecked(input: TokenStream) -> TokenStream {
    query(MacroKind { name: "sql_file_scalar_unchecked", ..SQL_FILE_SCALAR.unchecked() }, input)
}

/// One statement for many rows: `sql_batch!("INSERT INTO steps (run_id, name) VALUES ($1, $2)", steps => |s| (run, &s.name))`.
///
/// ```rust,ignore
/// let ids = sql_batch_scalar!(
///     "INSERT INTO steps (run_id, name) VALUES ($1, $2) RETURNING id",
///     steps => |step| (run, &step.name)
/// )
/// .fetch_all(&pool)
/// .await?;
/// ```
///
/// The SQL is that for one row. `steps` is anything that can be iterated, and the closure returns the values
/// of a row: a tuple for the first placeholders, or one value. Further arguments are shared by all rows and
/// bound to the remaining placeholders. Types are checked as with [`sql!`], and so is the statement; `None`
/// is NULL.
///
/// | statement | becomes on PostgreSQL | elsewhere |
/// | --- | --- | --- |
/// | `INSERT .. VALUES (..)`, with ON CONFLICT or ON DUPLICATE KEY | `INSERT .. SELECT .. FROM UNNEST(..) ORDER BY ..` | a group of values for each row |
/// | `UPDATE .. WHERE key = ..` | `UPDATE .. FROM UNNEST(..)` | `SET .. = CASE .. END WHERE key IN (..)` |
/// | `DELETE .. WHERE key = ..` | `= ANY(..)`, `USING UNNEST(..)` | `WHERE key IN (..)` |
/// | `SELECT .. WHERE key = ..` | `= ANY(..)`, a lateral join where a LIMIT or an aggregate is about one key | `WHERE key IN (..)` |
///
/// The result is a batch with `execute`, `fetch_all`, `fetch_some`, `fetch_map` and `fetch_groups`, which
/// take a pool, a connection or a transaction. It is one query for as many rows as the database accepts in
/// one statement (65,535 parameters, 32,766 on SQLite, and 65,535 rows with PostgreSQL's arrays), and none
/// for no rows. If it takes several statements that write, they run in one transaction.
///
/// **Rows in order.** RETURNING of an INSERT returns one row for each input row, in the same order:
/// PostgreSQL sorts the rows by position before the first is written, and writes and returns them one by one;
/// MariaDB and SQLite write the rows of VALUES in order. (SQLite's manual promises no order of RETURNING; a
/// test checks it on the SQLite that sqlx bundles.) An INSERT that may skip rows (`DO NOTHING`,
/// `DO UPDATE .. WHERE`, `INSERT IGNORE`) returns fewer: its batch has no `fetch_all`, only `fetch_some`.
///
/// **Two rows with the same key.** With ON CONFLICT DO UPDATE, PostgreSQL reports an error; on other
/// databases the last one wins. In an UPDATE the last one wins everywhere.
///
/// A column that is itself an array cannot be unnested: its rows become a group of values each, on PostgreSQL
/// too.
///
/// # Compile errors
///
/// As with [`sql!`]; and if the statement has no form for many rows: an INSERT without exactly one row of VALUES, an
/// UPDATE, DELETE or SELECT that does not compare a column with a value of the row, or a closure whose
/// number of values differs from the number of placeholders.
#[proc_macro]
pub fn sql_batch(input: TokenStream) -> TokenStream {
    many(MacroKind::new("sql_batch", Rows::Record), input)
}

/// [`sql_batch!`] whose rows become values of a struct or a tuple, as with [`sql_as!`].
#[proc_macro]
pub fn sql_batch_as(input: TokenStream) -> TokenStream {
    many(MacroKind::new("sql_batch_as", Rows::Struct), input)
}

/// [`sql_batch!`] whose rows have one column, as with [`sql_scalar!`]:
/// `sql_batch_scalar!("INSERT INTO steps (name) VALUES ($1) RETURNING id", names => |name| name)`.
#[proc_macro]
pub fn sql_batch_scalar(input: TokenStream) -> TokenStream {
    many(MacroKind::new("sql_batch_scalar", Rows::Scalar), input)
}

/// A query that is read page by page, using the keys of its order:
/// `sql_page!("SELECT id, title FROM posts WHERE author_id = $1 ORDER BY id DESC", author)`.
///
/// The SQL is that for all rows, with an ORDER BY and without a LIMIT. `fetch_page(db, &request)` reads the
/// first page, the last one, or the one after or before a row; it returns the rows, and the cursors of the
/// adjacent pages. A page is one query, and reads only its own rows and one more: its cost does not depend on
/// its position.
///
/// ```rust,ignore
/// let request = PageRequest::of(after, before, size); // as the client sent them, all optional
/// let posts = sql_page!("SELECT id, title FROM posts WHERE author_id = $1 ORDER BY id DESC", author);
/// let page = posts.sizes(20, 100).fetch_page(&pool, &request).await?;
/// ```
///
/// The ORDER BY columns have to be selected, never NULL, and together unique:
/// `ORDER BY created_at DESC, id DESC`. If they are not unique, the macro says what to add. Directions may be
/// mixed. An index should provide the order: `unindexed_sort` reports it if none does, as for any first rows.
///
/// A cursor is text for a URL. It contains the keys of a row and a checksum over them and the query; a
/// damaged cursor, or that of another query, is `PageError::Cursor`. It is not a signature: a client may
/// forge a cursor to start at any row. Its values are bound with the types of their columns, and never become
/// SQL.
///
/// # Compile errors
///
/// As with [`sql!`]; and if there is no ORDER BY, or its columns are not selected, may be NULL, or are not unique
/// together; if there is a LIMIT; or without a snapshot of the schema, which is where unique keys are known from.
#[proc_macro]
pub fn sql_page(input: TokenStream) -> TokenStream {
    paged(MacroKind::new("sql_page", Rows::Record), input)
}

/// [`sql_page!`] whose rows become values of a struct or a tuple, as with [`sql_as!`].
#[proc_macro]
pub fn sql_page_as(input: TokenStream) -> TokenStream {
    paged(MacroKind::new("sql_page_as", Rows::Struct), input)
}

/// Limits the queries of a function: `#[query_budget(max = 3)]`.
///
/// ```rust,ignore
/// #[query_budget(max = 3, rows = 500, time = "50ms")]
/// async fn dashboard(db: &PgPool, user: i64) -> sqlx::Result<Dashboard> {
///     // ..
/// }
/// ```
///
/// | limit | holds for |
/// | --- | --- |
/// | `max = 3` | queries; an expression over the arguments is counted against at run time: `max = 1 + ids.len()` |
/// | `rows = 500` | rows fetched by all of them |
/// | `time = "50ms"` | time spent in all of them, waiting for a connection included; concurrent queries each count in full |
/// | `repeats = 2` | times that each statement runs |
///
/// `time` is a number, which may have decimals, and a unit: `us` or `µs`, `ms`, `s`, `m` or `min` (minutes). It is not
/// zero.
///
/// Every query that runs inside the function counts, in whatever function it is written: in debug builds, and in release
/// builds with the feature `count`, or one that implies it. Over its budget it panics in debug builds and with the feature
/// `enforce`, and is logged otherwise. A
/// function that returns a future or a stream (`impl Future`, `BoxStream`, `Pin<Box<dyn ..>>`, an alias for
/// one of these, or a `Result` or `Option` of it) is counted until that has ended; if the budget cannot cover
/// what runs later (`Sse<impl Stream>`, `impl AsyncFn`), the build says so. What a body behind
/// `impl IntoResponse` streams is not counted. Limits are checked at the end. On a trait method without a
/// body the budget is a promise: each implementation has its own attribute.
///
/// # Compile errors
///
/// If the function can run more queries than `max` (the lint `budget_exceeded`), following calls through the crate; if a
/// limit is not a number, is negative or is written twice, or a time has no unit; on anything that is not a function.
///
/// Accept a finding in the function with a reason: `#[allow(missing_limit, reason = "admin export")]` below
/// this attribute.
#[proc_macro_attribute]
pub fn query_budget(limits: TokenStream, item: TokenStream) -> TokenStream {
    context::with(|context| function::expand(context, limits.into(), item.into())).into()
}
