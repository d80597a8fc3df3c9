//! A hash of the values bound to a query: enough to tell whether executions have the same values, and not
//! reversible.
//!
//! A value is encoded once, by sqlx, and hashed where it lands in the arguments: a user's `Encode` may be
//! slow, and some can only be called once.

#[cfg(feature = "sqlite")]
use std::any::Any;
use std::cell::Cell;
#[cfg(feature = "sqlite")]
use std::fmt::{self, Write};

use sqlx::Type;
use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;

use super::current;
use super::parameters::{Asked, Parameters};
use crate::driver::{self, BufferOf, Database};
use crate::hash::{hashed, mixed};
use crate::site::Site;

/// The maximum size of a value to hash, in bytes: larger ones are unlikely to recur, and hashing them takes
/// time.
const MOST_BYTES: usize = 16 * 1024;

impl Parameters {
    /// Watches the next value, if a scope observes values.
    #[inline(always)]
    pub(crate) fn witness(self, site: &'static Site) -> Witness {
        let parameters = match self {
            Self::Hash(_) => match current::asked_of(site) {
                Asked::Values => self,
                Asked::Nothing => Self::Unasked,
                Asked::ByNobody => Self::Unknown,
            },
            known => known,
        };
        Witness(Cell::new(parameters))
    }

    /// Adds what is only known from the complete arguments: SQLite's buffer reveals its values in no other
    /// way.
    pub(crate) fn with_arguments<A: 'static>(self, arguments: Option<&A>) -> Self {
        #[cfg(feature = "sqlite")]
        if let Self::Hash(so_far) = self
            && let Some(arguments) = arguments.and_then(|arguments| {
                (arguments as &dyn Any).downcast_ref::<driver::ArgumentsOf<sqlx::Sqlite>>()
            })
        {
            let mut shown = Shown { hash: so_far, left: MOST_BYTES };
            return match write!(shown, "{arguments:?}") {
                Ok(()) => Self::Hash(shown.hash),
                Err(fmt::Error) => Self::Unknown,
            };
        }
        let _ = arguments;
        self
    }
}

/// Observes the next bound value.
pub(crate) struct Witness(Cell<Parameters>);

impl Witness {
    /// The value, observed when it is encoded.
    #[inline(always)]
    pub(crate) fn of<T>(&self, value: T) -> Witnessed<'_, T> {
        Witnessed { value, witness: self }
    }

    /// The values up to this one.
    #[inline(always)]
    pub(crate) fn parameters(self) -> Parameters {
        self.0.into_inner()
    }

    /// The number of bytes before this value; `None` if no scope observes values, or the database keeps no bytes.
    #[inline(always)]
    fn before<DB: Database>(&self, buffer: &BufferOf<'_, DB>) -> Option<usize> {
        match self.0.get() {
            Parameters::Hash(_) => driver::bytes::<DB>(buffer).map(<[u8]>::len),
            Parameters::Unknown | Parameters::Unasked => None,
        }
    }

    /// Records an encoded value, preceded by this many bytes of others.
    #[inline(always)]
    fn saw<DB: Database>(&self, buffer: &BufferOf<'_, DB>, before: Option<usize>, is_null: bool) {
        if let Parameters::Hash(so_far) = self.0.get() {
            self.look::<DB>(buffer, before, is_null, so_far);
        }
    }

    fn look<DB: Database>(
        &self,
        buffer: &BufferOf<'_, DB>,
        before: Option<usize>,
        is_null: bool,
        so_far: u64,
    ) {
        let seen = match (driver::bytes::<DB>(buffer), before) {
            (Some(bytes), Some(before)) => {
                bytes.get(before..).and_then(|value| hash_bytes(value, is_null, so_far))
            }
            // Hashed once the arguments are complete.
            _ if DB::NAME == "SQLite" => Some(so_far),
            _ => None,
        };
        self.0.set(seen.map_or(Parameters::Unknown, Parameters::Hash));
    }
}

/// A value on its way into the arguments of a query.
pub(crate) struct Witnessed<'w, T> {
    value: T,
    witness: &'w Witness,
}

impl<'q, DB: Database, T: Encode<'q, DB>> Encode<'q, DB> for Witnessed<'_, T> {
    fn encode(self, buffer: &mut BufferOf<'q, DB>) -> Result<IsNull, BoxDynError> {
        let before = self.witness.before::<DB>(buffer);
        let is_null = self.value.encode(buffer)?;
        self.witness.saw::<DB>(buffer, before, is_null.is_null());
        Ok(is_null)
    }

    fn encode_by_ref(&self, buffer: &mut BufferOf<'q, DB>) -> Result<IsNull, BoxDynError> {
        let before = self.witness.before::<DB>(buffer);
        let is_null = self.value.encode_by_ref(buffer)?;
        self.witness.saw::<DB>(buffer, before, is_null.is_null());
        Ok(is_null)
    }

    fn produces(&self) -> Option<DB::TypeInfo> {
        self.value.produces()
    }

    fn size_hint(&self) -> usize {
        self.value.size_hint()
    }
}

impl<DB: Database, T: Type<DB>> Type<DB> for Witnessed<'_, T> {
    fn type_info() -> DB::TypeInfo {
        T::type_info()
    }

    fn compatible(ty: &DB::TypeInfo) -> bool {
        T::compatible(ty)
    }
}

/// Hashes formatted output, up to a limit.
#[cfg(feature = "sqlite")]
struct Shown {
    hash: u64,
    left: usize,
}

#[cfg(feature = "sqlite")]
impl Write for Shown {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() > self.left {
            return Err(fmt::Error);
        }
        self.left -= text.len();
        self.hash = hashed(text.as_bytes(), self.hash);
        Ok(())
    }
}

fn hash_bytes(bytes: &[u8], is_null: bool, so_far: u64) -> Option<u64> {
    if bytes.len() > MOST_BYTES {
        return None;
    }
    // The length separates adjacent values.
    Some(hashed(bytes, mixed(so_far, (bytes.len() as u64) << 1 | u64::from(is_null))))
}
