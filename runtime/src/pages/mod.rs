//! [`PageQuery`]: what `sql_page!` returns, a query that is read page by page.

mod cursor;
mod key;
mod request;

use std::error;
use std::fmt::{self, Debug, Display, Formatter};

use futures_util::future::BoxFuture;
use sqlx::error::BoxDynError;
use sqlx::{Database, Encode, Executor, IntoArguments, Result, Type};

pub use key::{Key, KeyKind, PageDatabase};
pub use request::PageRequest;

use crate::counting::Counter;
use crate::query::Query;
use crate::site::Site;
use crate::values::{Counted, Values};
use request::From;

/// Rows of a page where the request does not say.
const DEFAULT_SIZE: u32 = 50;
/// Rows of a page at most, whatever the request says.
const CEILING: u32 = 200;

/// A query that is read page by page, made by [`sql_page!`](crate::sql_page). Each page is one query.
///
/// ```
/// use query_budget::{PageError, PageRequest, sql_page_as};
/// # use sqlx::{FromRow, SqlitePool};
///
/// #[derive(Debug, PartialEq, FromRow)]
/// struct Log {
///     id: i64,
///     output: String,
/// }
///
/// async fn logs(db: &SqlitePool, request: &PageRequest) -> Result<(Vec<Log>, Option<String>), PageError> {
///     let logs = sql_page_as!(Log, "SELECT id, output FROM logs ORDER BY id DESC");
///     let page = logs.sizes(2, 100).fetch_page(db, request).await?;
///     Ok((page.rows, page.next))
/// }
///
/// # let run = async {
/// # let db = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
/// # sqlx::raw_sql("CREATE TABLE logs (id INTEGER PRIMARY KEY, output TEXT NOT NULL);
/// #     INSERT INTO logs (output) VALUES ('a'), ('b'), ('c')").execute(&db).await?;
/// let (rows, next) = logs(&db, &PageRequest::first()).await?;
/// assert_eq!(rows.iter().map(|log| log.id).collect::<Vec<_>>(), [3, 2]);
/// let (rows, next) = logs(&db, &PageRequest::after(next.unwrap_or_default())).await?;
/// assert_eq!(rows, [Log { id: 1, output: "a".to_owned() }]);
/// assert_eq!(next, None);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # };
/// # sqlx::__rt::test_block_on(run).unwrap();
/// ```
#[must_use = "a page must be fetched"]
pub struct PageQuery<DB: Database, F = ()> {
    pages: &'static Pages,
    arguments: Result<DB::Arguments, BoxDynError>,
    site: &'static Site,
    counter: Counter,
    default_size: u32,
    ceiling: u32,
    read: F,
}

/// Rows of a query, and where the rows around them begin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The rows, in the order of the query.
    pub rows: Vec<T>,
    /// What [`PageRequest::after`] takes for the next page; `None` where there is none.
    pub next: Option<String>,
    /// What [`PageRequest::before`] takes for the page before; `None` on the first.
    pub previous: Option<String>,
}

/// Why a page could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum PageError {
    /// The cursor is damaged, or of another query: the client's to mend. It goes on with the first page.
    Cursor,
    /// What the database, the connection to it or the reading of a row reports.
    Database(sqlx::Error),
}

impl<T> Page<T> {
    /// The page with each row made into something else.
    pub fn map<U>(self, make: impl FnMut(T) -> U) -> Page<U> {
        let Self { rows, next, previous } = self;
        Page { rows: rows.into_iter().map(make).collect(), next, previous }
    }
}

impl Display for PageError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cursor => f.write_str("read the cursor: it is damaged, or of another query"),
            Self::Database(_) => f.write_str("read the page"),
        }
    }
}

impl error::Error for PageError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Cursor => None,
            Self::Database(error) => Some(error),
        }
    }
}

impl std::convert::From<sqlx::Error> for PageError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// The statements of the pages of a query, as the macro writes them.
#[derive(Debug)]
pub struct Pages {
    /// The first page.
    pub first: PageStatement,
    /// The page behind a row.
    pub after: PageStatement,
    /// The last page, its rows last to first.
    pub last: PageStatement,
    /// The page before a row, its rows last to first.
    pub before: PageStatement,
    /// The output columns of the keys, and how their values are sent.
    pub keys: &'static [(usize, KeyKind)],
    /// What tells the query's cursors from others.
    pub fingerprint: u64,
}

/// A statement, and which keys are bound behind its own values.
#[derive(Debug)]
pub struct PageStatement {
    /// The text.
    pub text: &'static str,
    /// The keys.
    pub binds: &'static [usize],
}

/// The query at `site` with these values bound, to be read page by page.
pub fn page_query<'t, DB, V>(site: &'static Site, pages: &'static Pages, values: V) -> PageQuery<DB>
where
    DB: Database,
    V: Values<'t, DB>,
{
    let mut counted = Counted(Counter::new(site));
    let mut arguments = DB::Arguments::default();
    let added = values.add_to(&mut arguments, &mut counted);
    PageQuery {
        pages,
        site,
        arguments: added.map(|()| arguments),
        counter: counted.0,
        default_size: DEFAULT_SIZE,
        ceiling: CEILING,
        read: (),
    }
}

impl<DB: Database, F> PageQuery<DB, F> {
    /// How many rows a page has where the request does not say, and how many at most: 50 and 200 unless it is said.
    pub fn sizes(self, default: u32, ceiling: u32) -> Self {
        let ceiling = ceiling.max(1);
        Self { default_size: default.clamp(1, ceiling), ceiling, ..self }
    }
}

impl<DB: Database> PageQuery<DB> {
    /// Reads each row by `read`.
    pub fn try_map<O, F: FnMut(DB::Row) -> Result<O> + Send>(self, read: F) -> PageQuery<DB, F> {
        let Self { pages, site, arguments, counter, default_size, ceiling, .. } = self;
        PageQuery { pages, site, arguments, counter, default_size, ceiling, read }
    }
}

impl<DB, F, O> PageQuery<DB, F>
where
    DB: PageDatabase,
    DB::Arguments: IntoArguments<DB>,
    i64: for<'v> Encode<'v, DB> + Type<DB>,
    F: FnMut(DB::Row) -> Result<O> + Send,
    O: Send,
{
    /// Reads the page that is asked for.
    ///
    /// # Errors
    ///
    /// [`PageError::Cursor`] where the cursor of the request is none of this query's. What the database, the connection to it
    /// or the reading of a row reports.
    pub fn fetch_page<'e, 'c: 'e, E>(
        self,
        executor: E,
        request: &PageRequest,
    ) -> BoxFuture<'e, Result<Page<O>, PageError>>
    where
        E: 'e + Executor<'c, Database = DB>,
        F: 'e,
        O: 'e,
    {
        let (pages, from) = (self.pages, request.origin());
        let size = request.size_within(self.default_size, self.ceiling);
        let (query, mut read) = match self.query(request, size) {
            Ok(ready) => ready,
            Err(error) => return Box::pin(async { Err(error) }),
        };
        Box::pin(async move {
            let mut rows = query.fetch_all(executor).await?;
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            let is_more = rows.len() > size;
            rows.truncate(size);
            if from.is_backwards() {
                rows.reverse();
            }
            let cursor = |row: Option<&DB::Row>, is_wanted: bool| match row.filter(|_| is_wanted) {
                Some(row) => cursor_of::<DB>(pages, row).map(Some),
                None => Ok(None),
            };
            let (has_next, has_previous) = match from {
                From::First => (is_more, false),
                From::After => (is_more, true),
                From::Before => (true, is_more),
                From::Last => (false, is_more),
            };
            let next = cursor(rows.last(), has_next)?;
            let previous = cursor(rows.first(), has_previous)?;
            let rows = rows.into_iter().map(&mut read).collect::<Result<Vec<O>>>()?;
            Ok(Page { rows, next, previous })
        })
    }

    /// The query of the page; one row more than it has, to see whether there are more.
    fn query(self, request: &PageRequest, size: u32) -> Result<(Query<DB>, F), PageError> {
        let Self { pages, site, arguments, counter, read, .. } = self;
        let statement = match request.origin() {
            From::First => &pages.first,
            From::After => &pages.after,
            From::Before => &pages.before,
            From::Last => &pages.last,
        };
        let keys = match request.cursor() {
            Some(text) => cursor::read(text, pages.fingerprint).ok_or(PageError::Cursor)?,
            None => Vec::new(),
        };
        let is_fit = |(key, (_, kind)): (&Key, &(usize, KeyKind))| kind.accepts(key);
        if request.cursor().is_some()
            && (keys.len() != pages.keys.len() || !keys.iter().zip(pages.keys).all(is_fit))
        {
            return Err(PageError::Cursor);
        }
        let mut counted = Counted(counter);
        let arguments = arguments.and_then(|mut arguments| {
            for at in statement.binds {
                if let (Some(key), Some((_, kind))) = (keys.get(*at), pages.keys.get(*at)) {
                    DB::add(&mut arguments, key, *kind)?;
                }
            }
            counted.add::<DB, _>(&mut arguments, i64::from(size) + 1)?;
            Ok(arguments)
        });
        Ok((Query::with_text(site, statement.text, arguments, counted.0), read))
    }
}

/// What says which row it is.
fn cursor_of<DB: PageDatabase>(pages: &Pages, row: &DB::Row) -> Result<String> {
    let keys = pages.keys.iter().map(|(at, kind)| DB::read(row, *at, *kind));
    Ok(cursor::written(&keys.collect::<Result<Vec<Key>>>()?, pages.fingerprint))
}

impl<DB: Database, F> Debug for PageQuery<DB, F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageQuery").field("sql", &self.pages.first.text).finish_non_exhaustive()
    }
}
