//! What is bound to a query, as a hash: enough to tell executions with the same values from others, and no way back.

use std::hash::{DefaultHasher, Hash, Hasher};

use sqlx::Database;
use sqlx::encode::Encode;

use super::current;

/// Values of more bytes are not looked at: they are as good as never the same, and hashing them takes time.
const MOST_BYTES: usize = 16 * 1024;

/// The hash of the values bound to a query so far; `None` where they cannot be told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameters(Option<u64>);

impl Parameters {
    /// Nothing bound yet.
    pub(crate) const NONE: Self = Self(Some(0));

    /// These and one more. Outside of every scope nobody asks, and none are told.
    pub(crate) fn and<'t, DB: Database, T: Encode<'t, DB>>(self, value: &T) -> Self {
        let hash = self.0.filter(|_| current::is_in_scope()).and_then(|so_far| {
            let mut hasher = DefaultHasher::new();
            so_far.hash(&mut hasher);
            hash_encoded(value, &mut hasher).then(|| hasher.finish())
        });
        Self(hash)
    }

    pub(crate) fn hash(self) -> Option<u64> {
        self.0
    }
}

/// Hashes what would be sent to the database; `false` where that is not known or too much.
fn hash_encoded<'t, DB: Database, T: Encode<'t, DB>>(value: &T, hasher: &mut DefaultHasher) -> bool {
    if value.size_hint() > MOST_BYTES {
        return false;
    }
    #[cfg(feature = "postgres")]
    if let Some((buffer, is_null)) = encoded::<BufferOf<sqlx::Postgres>, DB, T>(value) {
        return hash_bytes(&buffer, is_null, hasher);
    }
    #[cfg(feature = "mysql")]
    if let Some((buffer, is_null)) = encoded::<BufferOf<sqlx::MySql>, DB, T>(value) {
        return hash_bytes(&buffer, is_null, hasher);
    }
    #[cfg(feature = "sqlite")]
    if let Some((buffer, is_null)) = encoded::<BufferOf<sqlx::Sqlite>, DB, T>(value) {
        use std::fmt::Write;

        // Its values can be seen in no other way.
        is_null.hash(hasher);
        return write!(Hashed(hasher), "{buffer:?}").is_ok();
    }
    let _ = hasher;
    false
}

#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
type BufferOf<DB> = <DB as Database>::ArgumentBuffer;

/// The value as that kind of buffer holds it, and whether it is NULL; `None` when it is not the database's.
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
fn encoded<'t, B: Default + 'static, DB: Database, T: Encode<'t, DB>>(value: &T) -> Option<(B, bool)> {
    let mut buffer = B::default();
    let of_database = (&mut buffer as &mut dyn std::any::Any).downcast_mut::<DB::ArgumentBuffer>()?;
    let is_null = value.encode_by_ref(of_database).ok()?.is_null();
    Some((buffer, is_null))
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
fn hash_bytes(bytes: &[u8], is_null: bool, hasher: &mut DefaultHasher) -> bool {
    is_null.hash(hasher);
    bytes.hash(hasher);
    bytes.len() <= MOST_BYTES
}

#[cfg(feature = "sqlite")]
struct Hashed<'a>(&'a mut DefaultHasher);

#[cfg(feature = "sqlite")]
impl std::fmt::Write for Hashed<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}
