//! What is bound to a query, as a hash: enough to tell executions with the same values from others, and no way back.

#[cfg(feature = "sqlx")]
use sqlx::Database;
#[cfg(feature = "sqlx")]
use sqlx::encode::Encode;

#[cfg(feature = "sqlx")]
use super::current;
#[cfg(feature = "sqlx")]
use crate::site::Site;

/// Values of more bytes are not looked at: they are as good as never the same, and hashing them takes time.
const MOST_BYTES: usize = 16 * 1024;

/// The values bound to a query.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Parameters {
    /// Their hash.
    Hash(u64),
    /// They cannot be told.
    #[default]
    Unknown,
    /// Nobody asks any more, so that they were not looked at.
    Unasked,
}

/// What the current scopes want to know of the values of a query.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Values,
    /// They all know that the values differ, or cannot be told.
    Nothing,
    /// There is none. Whoever comes later does not learn them.
    ByNobody,
}

#[cfg(feature = "sqlx")]
impl Parameters {
    /// Nothing bound yet.
    pub(crate) const NONE: Self = Self::Hash(0);

    /// These and one more.
    pub(crate) fn and<'t, DB: Database, T: Encode<'t, DB>>(self, site: &'static Site, value: &T) -> Self {
        let Self::Hash(so_far) = self else { return self };
        match current::asked_of(site) {
            Asked::Values => hash_encoded(value, so_far).map_or(Self::Unknown, Self::Hash),
            Asked::Nothing => Self::Unasked,
            Asked::ByNobody => Self::Unknown,
        }
    }
}

/// Hashes what would be sent to the database; `None` where that is not known or too much.
#[cfg(feature = "sqlx")]
fn hash_encoded<'t, DB: Database, T: Encode<'t, DB>>(value: &T, so_far: u64) -> Option<u64> {
    if value.size_hint() > MOST_BYTES {
        return None;
    }
    #[cfg(feature = "postgres")]
    if is_of::<sqlx::Postgres, DB>() {
        let (buffer, is_null) = encoded::<BufferOf<sqlx::Postgres>, DB, T>(value)?;
        return hash_bytes(&buffer, is_null, so_far);
    }
    #[cfg(feature = "mysql")]
    if is_of::<sqlx::MySql, DB>() {
        let (buffer, is_null) = encoded::<BufferOf<sqlx::MySql>, DB, T>(value)?;
        return hash_bytes(&buffer, is_null, so_far);
    }
    #[cfg(feature = "sqlite")]
    if is_of::<sqlx::Sqlite, DB>() {
        let (buffer, is_null) = encoded::<BufferOf<sqlx::Sqlite>, DB, T>(value)?;
        // Its values can be seen in no other way.
        return hash_bytes(format!("{buffer:?}").as_bytes(), is_null, so_far);
    }
    let _ = so_far;
    None
}

#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
type BufferOf<DB> = <DB as Database>::ArgumentBuffer;

#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
fn is_of<Known: Database, DB: Database>() -> bool {
    std::any::TypeId::of::<Known>() == std::any::TypeId::of::<DB>()
}

/// The value as that kind of buffer holds it, and whether it is NULL; `None` when it cannot be encoded.
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
fn encoded<'t, B: Default + 'static, DB: Database, T: Encode<'t, DB>>(value: &T) -> Option<(B, bool)> {
    let mut buffer = B::default();
    let of_database = (&mut buffer as &mut dyn std::any::Any).downcast_mut::<DB::ArgumentBuffer>()?;
    let is_null = value.encode_by_ref(of_database).ok()?.is_null();
    Some((buffer, is_null))
}

/// Eight bytes at a time, for this runs in builds that are not optimised, where the standard library's hasher takes as
/// long as everything else that is counted. The values of one scope are told apart, not guarded against an attacker.
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
fn hash_bytes(bytes: &[u8], is_null: bool, so_far: u64) -> Option<u64> {
    if bytes.len() > MOST_BYTES {
        return None;
    }
    // The length tells values apart that follow each other without a mark between them.
    let mut hash = mixed(so_far, (bytes.len() as u64) << 1 | u64::from(is_null));
    let mut rest = bytes;
    while let Some((eight, after)) = rest.split_first_chunk() {
        hash = mixed(hash, u64::from_le_bytes(*eight));
        rest = after;
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    Some(mixed(hash, u64::from_le_bytes(last)))
}

#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
fn mixed(hash: u64, word: u64) -> u64 {
    let product = (hash ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    product ^ (product >> 29)
}
