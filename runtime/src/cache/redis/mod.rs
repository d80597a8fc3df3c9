//! [`Redis`]: entries on a server of Redis or Valkey, for all instances of a service.
//!
//! A tag has a token on the server, which an invalidation replaces by a new one at random. An entry holds the tokens that
//! its tags had when its rows began to be read, and is found as long as they are there and the same: what the server
//! loses, evicts or forgets makes entries miss and never wrong. A server that is started again may have gone back to an
//! older state: so all names begin with the id of its run, and what was there before is never asked for.

mod keeper;
mod wire;

use std::borrow::Cow;
use std::fmt::{self, Debug, Display, Formatter};
use std::sync::Arc;
use std::time::Duration;

use ::redis::{IntoConnectionInfo, RedisError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{ConnectOptions, Database, Pool};

use self::keeper::{Kept, Live};
use super::Cache;
use super::key::{Key, Parts};
use super::store::{Found, Store, Stores, own_identity, sealed};
use super::tables::Tags;

/// Entries on a server of Redis or Valkey.
pub struct Redis {
    kept: Arc<Kept>,
}

impl Debug for Redis {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("is_reached", &self.kept.live().is_some()).finish_non_exhaustive()
    }
}

/// Why a cache could not be made.
#[derive(Debug)]
pub struct InvalidUrl(RedisError);

impl Display for InvalidUrl {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("read the URL of the cache's server")
    }
}

impl std::error::Error for InvalidUrl {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// How long a command to the server may take before the database is asked instead.
const PATIENCE: Duration = Duration::from_millis(250);

impl Cache<Redis> {
    /// A cache on a server of Redis (6.2 or newer) or Valkey: `redis://127.0.0.1:6379`. Its name is the one of figures, and
    /// leads the names of its keys: instances with the same name and database share their entries.
    ///
    /// A server that cannot be reached is no error: the database is asked until it can. The connection needs the rights to
    /// `MGET`, `SET`, `TIME` and `INFO`. For runtimes of tokio.
    ///
    /// # Errors
    ///
    /// The URL is none.
    pub async fn redis(name: impl Into<Cow<'static, str>>, url: &str) -> Result<Self, InvalidUrl> {
        Self::redis_with_patience(name, url, PATIENCE).await
    }

    /// The same, with the time that a command to the server may take before the database is asked instead. After one that
    /// takes longer the server is not asked until it answers again.
    ///
    /// # Errors
    ///
    /// The URL is none.
    pub async fn redis_with_patience(
        name: impl Into<Cow<'static, str>>,
        url: &str,
        patience: Duration,
    ) -> Result<Self, InvalidUrl> {
        let name = name.into();
        let client = url.into_connection_info().and_then(::redis::Client::open).map_err(InvalidUrl)?;
        let kept = Kept::new(client, name.clone().into_owned(), patience);
        kept.begin().await;
        Ok(Self::on(name, Redis { kept }))
    }
}

/// The tokens of an entry's tags, in their order; that they are known, and when that was by the server's clock.
#[derive(Clone)]
pub struct Stamp {
    live: Live,
    tokens: Arc<[Option<wire::Token>]>,
    /// In milliseconds; `None` where it was not asked for.
    at: Option<u64>,
}

impl PartialEq for Stamp {
    fn eq(&self, other: &Self) -> bool {
        self.live.prefix == other.live.prefix
            && self.tokens == other.tokens
            && self.tokens.iter().all(Option::is_some)
    }
}

impl sealed::Sealed for Redis {}

impl Store for Redis {
    type Stamp = Stamp;

    async fn invalidate(&self, tags: Tags) -> bool {
        let Some(live) = self.kept.live() else {
            self.kept.owe(&tags);
            return false;
        };
        // Owed as soon as nobody waits for it any more.
        let mut owed = Owed { kept: &self.kept, tags: Some(tags) };
        let told = match &owed.tags {
            Some(tags) => self.kept.heard(&live, wire::replace_tokens(&live, tags.iter()).await),
            None => None,
        };
        if told.is_some() {
            owed.tags = None;
        }
        told.is_some()
    }

    fn invalidate_soon(&self, tags: Tags) {
        self.kept.owe(&tags);
    }

    fn identity<DB: Database>(&self, pool: &Pool<DB>) -> [u8; 32] {
        // A file, or a database in memory, is another one on another machine.
        if DB::NAME == "SQLite" {
            return own_identity();
        }
        let mut url = pool.connect_options().to_url_lossy();
        let _ = url.set_password(None);
        Parts::new().text(url.as_str()).key().0
    }

    fn pending(&self) -> usize {
        self.kept.pending()
    }

    fn errors(&self) -> u64 {
        self.kept.errors()
    }
}

/// An invalidation that is owed when this is dropped.
struct Owed<'k> {
    kept: &'k Arc<Kept>,
    tags: Option<Tags>,
}

impl Drop for Owed<'_> {
    fn drop(&mut self) {
        if let Some(tags) = &self.tags {
            self.kept.owe(tags);
        }
    }
}

/// Values of more bytes are not kept: a server that everything waits for has better things to do.
const MOST_BYTES: usize = 4 * 1024 * 1024;

impl<V: Serialize + DeserializeOwned + Send + Sync + 'static> Stores<V> for Redis {
    async fn find(&self, key: &Key, tags: &Tags) -> Found<V, Stamp> {
        let Some(live) = self.kept.live() else { return Found::Unreachable };
        match self.kept.heard(&live, wire::look(&live, key, tags).await) {
            Some(seen) => found(live, seen),
            None => Found::Unreachable,
        }
    }

    async fn begin(&self, key: &Key, tags: &Tags) -> Found<V, Stamp> {
        let Some(live) = self.kept.live() else { return Found::Unreachable };
        match self.kept.heard(&live, wire::look_and_mark(&live, key, tags).await) {
            Some(seen) => found(live, seen),
            None => Found::Unreachable,
        }
    }

    async fn keep(&self, key: &Key, _: &Tags, value: &Arc<V>, stamp: &Stamp, lives: Duration) {
        let tokens: Option<Vec<wire::Token>> = stamp.tokens.iter().copied().collect();
        let lives = u64::try_from(lives.as_millis()).unwrap_or(u64::MAX);
        let (Some(tokens), Some(at)) = (tokens, stamp.at) else { return };
        // The server's limit is the range of a signed number.
        let until = at.saturating_add(lives).min(i64::MAX as u64 / 2);
        let Ok(value) = rmp_serde::to_vec_named(&**value) else { return };
        if lives == 0 || value.len() > MOST_BYTES {
            return;
        }
        // Over the connection by which the tokens were read: another may lead to another server.
        let kept = wire::keep(&stamp.live, key, &tokens, &value, until).await;
        let _ = self.kept.heard(&stamp.live, kept);
    }
}

/// The value that was seen, where its tokens are those of its tags.
fn found<V: DeserializeOwned>(live: Live, seen: wire::Seen) -> Found<V, Stamp> {
    let value = seen.value().and_then(|value| rmp_serde::from_slice(value).ok());
    match value {
        Some(value) => Found::Value(Arc::new(value)),
        None => Found::Nothing(Stamp { live, tokens: seen.tokens.into(), at: seen.at }),
    }
}
