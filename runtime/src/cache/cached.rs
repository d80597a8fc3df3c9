//! [`Cached`]: a query whose rows are cached.

use std::borrow::Cow;
use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;
use std::time::Duration;

use sqlx::database::HasStatementCache;
use sqlx::{Executor, Result};

use super::key::Key;
use super::tables::{Tag, Tags};
use super::{CachedPool, Stores};
use crate::driver::{ArgumentsOf, Database, IntoArguments};
use crate::map::Map;
use crate::typed::{QueryAs, QueryScalar};

/// A query that looks in the cache first. Made by the `cached` method of the queries of `sql!`, `sql_as!` and
/// related macros.
#[must_use = "query must be executed to read anything"]
pub struct Cached<DB: Database, F> {
    map: Map<DB, F>,
    lives: Duration,
    tags: Vec<Tag>,
}

impl<DB: Database, F> Debug for Cached<DB, F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { map, lives, tags } = self;
        f.debug_struct("Cached").field("query", map).field("lives", lives).field("tags", tags).finish()
    }
}

impl<DB: Database, F> Map<DB, F> {
    /// The query with its rows cached for this long. Read it through a [`CachedPool`], outside of
    /// transactions, since the view of a transaction must not be shared.
    ///
    /// Entries are distinguished by arguments, statement, schema and row type. Other influences on the rows
    /// are ignored: the session's settings and user, the time. A closure that maps rows has to be
    /// deterministic.
    pub fn cached(self, time_to_live: Duration) -> Cached<DB, F> {
        Cached { map: self, lives: time_to_live, tags: Vec::new() }
    }
}

macro_rules! typed {
    ($Query:ident, $Row:ty) => {
        impl<DB, O> $Query<DB, O>
        where
            DB: Database,
            ArgumentsOf<DB>: IntoArguments<DB>,
            O: Send + Unpin,
            $Row: for<'r> sqlx::FromRow<'r, DB::Row>,
        {
            /// The query with its rows cached for this long, as by [`Map::cached`].
            pub fn cached(
                self,
                time_to_live: Duration,
            ) -> Cached<DB, impl FnMut(DB::Row) -> Result<O> + Send> {
                self.mapped().cached(time_to_live)
            }
        }
    };
}

typed!(QueryAs, O);
typed!(QueryScalar, (O,));

impl<DB: Database, F> Cached<DB, F> {
    /// Adds tags to the entry: `db.invalidate(["user 7"])` invalidates it.
    pub fn tagged<T: Into<Cow<'static, str>>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags.extend(tags.into_iter().map(Into::into));
        self
    }
}

impl<DB, F, O> Cached<DB, F>
where
    DB: Database + HasStatementCache,
    ArgumentsOf<DB>: IntoArguments<DB> + Debug,
    for<'a> &'a mut DB::Connection: Executor<'a, Database = DB>,
    F: FnMut(DB::Row) -> Result<O> + Send,
    O: Send + Sync + Unpin + 'static,
{
    /// All rows: from the cache, else from the database.
    ///
    /// # Errors
    ///
    /// If the database, the connection or the mapping fails.
    pub async fn fetch_all<S: Stores<Vec<O>>>(self, db: &CachedPool<DB, S>) -> Result<Arc<Vec<O>>> {
        let (key, tags, map, lives) = self.asked(db, "all", std::any::type_name::<O>());
        db.cache().get(key, tags, lives, map.fetch_all(db.pool())).await
    }

    /// The first row: from the cache, else from the database.
    ///
    /// # Errors
    ///
    /// If the database, the connection or the mapping fails; [`RowNotFound`](sqlx::Error::RowNotFound), which
    /// is not cached, if there is no row.
    pub async fn fetch_one<S: Stores<O>>(self, db: &CachedPool<DB, S>) -> Result<Arc<O>> {
        let (key, tags, map, lives) = self.asked(db, "one", std::any::type_name::<O>());
        db.cache().get(key, tags, lives, map.fetch_one(db.pool())).await
    }

    /// The first row, if there is one: from the cache, else from the database. The absence of a row is cached
    /// as well.
    ///
    /// # Errors
    ///
    /// If the database, the connection or the mapping fails.
    pub async fn fetch_optional<S: Stores<Option<O>>>(
        self,
        db: &CachedPool<DB, S>,
    ) -> Result<Arc<Option<O>>> {
        let (key, tags, map, lives) = self.asked(db, "optional", std::any::type_name::<O>());
        db.cache().get(key, tags, lives, map.fetch_optional(db.pool())).await
    }

    /// The key and tags of the entry, and the query.
    fn asked<S: super::Store>(
        self,
        db: &CachedPool<DB, S>,
        rows: &str,
        row: &str,
    ) -> (Key, Tags, Map<DB, F>, Duration) {
        let Self { mut map, lives, tags } = self;
        let site = map.query.site;
        let parts = db.parts().text(site.sql).number(site.tables.schema).text(rows).text(row);
        let key = map.query.with_shown_arguments(|arguments| parts.shown(arguments).key());
        (key, site.tables.tags(tags), map, lives)
    }
}
