//! [`Redis`]: entries on a Redis or Valkey server, shared by all instances of a service.
//!
//! A tag has a token on the server, which an invalidation replaces by a new random one. An entry stores the
//! tokens that its tags had when its rows were about to be read, and is found as long as they exist
//! unchanged: whatever the server loses or evicts causes misses, never stale results. A restarted server may
//! have returned to an older state, so all keys start with the id of its run, and older content is never
//! requested.
//!
//! Messages over pub/sub would not do here: a commit that is told has to be seen by every read that starts after it, also by
//! an instance whose message is still on its way, or whose connection has broken unnoticed. They are for entries in memory:
//! [`bus`].

mod absent;
pub(super) mod bus;
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

use self::keeper::{Kept, Live, Telling};
use super::Cache;
use super::key::{Key, Parts};
use super::store::{Found, Store, Stores, own_identity, sealed};
use super::tables::Tags;

/// Entries on a Redis or Valkey server.
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

/// The time limit for a command to the server, after which the database is queried instead.
const PATIENCE: Duration = Duration::from_millis(250);

impl Cache<Redis> {
    /// A cache on a Redis (6.2 or newer) or Valkey server: `redis://127.0.0.1:6379`. The name appears in
    /// statistics and as prefix of its keys: instances with the same name and database share their entries.
    ///
    /// An unreachable server is not an error: the database is queried until the server is back. The
    /// connection needs permission for `MGET`, `SET`, `TIME` and `INFO`. Requires a tokio runtime.
    ///
    /// # Errors
    ///
    /// If the URL is invalid.
    pub async fn redis(name: impl Into<Cow<'static, str>>, url: &str) -> Result<Self, InvalidUrl> {
        Self::redis_with_patience(name, url, PATIENCE).await
    }

    /// Like [`redis`](Self::redis), with a time limit for commands to the server, after which the database is
    /// queried instead. After a timeout the server is not used until it answers again.
    ///
    /// # Errors
    ///
    /// If the URL is invalid.
    pub async fn redis_with_patience(
        name: impl Into<Cow<'static, str>>,
        url: &str,
        patience: Duration,
    ) -> Result<Self, InvalidUrl> {
        let name = name.into();
        let kept = Kept::new(client(url)?, name.clone().into_owned(), patience, Telling::ByTokens);
        kept.begin().await;
        Ok(Self::on(name, Redis { kept }))
    }
}

fn client(url: &str) -> Result<::redis::Client, InvalidUrl> {
    url.into_connection_info().and_then(::redis::Client::open).map_err(InvalidUrl)
}

/// The tokens of an entry's tags, in order, and when they were read, by the server's clock.
#[derive(Clone)]
pub struct Stamp {
    live: Live,
    tokens: Arc<[Option<wire::Token>]>,
    /// In milliseconds; `None` if not requested.
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
        self.kept.tell(tags).await
    }

    fn invalidate_soon(&self, tags: Tags) {
        self.kept.owe(&tags);
    }

    fn identity<DB: Database>(&self, pool: &Pool<DB>) -> [u8; 32] {
        // A file, or an in-memory database, is a different one on another machine.
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

/// The format's null.
const NULL: u8 = 0xc0;

/// The maximum size of a value, in bytes: larger ones would block the server for everyone.
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
        let Ok(encoded) = rmp_serde::to_vec_named(&**value) else { return };
        // A row whose only value is NULL would be read back as no row.
        let is_ambiguous = encoded == [NULL] && !absent::is_absent(&**value);
        if lives == 0 || encoded.len() > MOST_BYTES || is_ambiguous {
            return;
        }
        // Over the connection by which the tokens were read: another one may lead to another server.
        let kept = wire::keep(&stamp.live, key, &tokens, &encoded, until).await;
        let _ = self.kept.heard(&stamp.live, kept);
    }
}

/// The value that was found, if its tokens are those of its tags.
fn found<V: DeserializeOwned>(live: Live, seen: wire::Seen) -> Found<V, Stamp> {
    let value = seen.value().and_then(|value| rmp_serde::from_slice(value).ok());
    match value {
        Some(value) => Found::Value(Arc::new(value)),
        None => Found::Nothing(Stamp { live, tokens: seen.tokens.into(), at: seen.at }),
    }
}
