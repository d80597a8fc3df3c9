//! The values of the columns that pages are ordered by, in the database's own encoding, so that reading
//! continues exactly where it stopped, whatever the column's Rust type.

use sqlx::Result;
#[cfg(any(feature = "mysql", feature = "sqlite"))]
use sqlx::Row;
use sqlx::error::BoxDynError;

use crate::driver::{ArgumentsOf, Database};

/// A value of an ORDER BY column.
#[derive(Clone, Debug, PartialEq)]
pub enum Key {
    /// A signed number, and what PostgreSQL sends as one: booleans, dates and times.
    Int(i64),
    /// An unsigned number.
    Unsigned(u64),
    /// A floating-point number.
    Float(f64),
    /// Text, and what MySQL accepts as text: dates and times.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// How the values of a key are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// SQLite: as they are, since it orders values of all types.
    Any,
    /// MySQL: a whole number.
    Whole,
    /// MySQL: a floating-point number.
    Real,
    /// MySQL: text, bytes, and what it accepts as text.
    Chars,
    /// PostgreSQL: an integer of this many bytes, of the type with this number.
    Int(u32, u8),
    /// PostgreSQL: this many bytes.
    Fixed(u32, u8),
    /// PostgreSQL: text.
    Text(u32),
    /// PostgreSQL: bytes.
    Bytes(u32),
    /// PostgreSQL: a decimal number.
    Numeric(u32),
}

impl KeyKind {
    /// Whether a value, which a client may have forged, has this kind.
    pub(super) fn accepts(self, key: &Key) -> bool {
        match (self, key) {
            (Self::Any, _)
            | (Self::Whole, Key::Int(_) | Key::Unsigned(_))
            | (Self::Chars, Key::Text(_) | Key::Bytes(_))
            | (Self::Bytes(_), Key::Bytes(_)) => true,
            (Self::Real, Key::Float(value)) => value.is_finite(),
            (Self::Int(oid, width), Key::Int(value)) => {
                let bits = u32::from(width) * 8;
                let fits = bits >= 64 || (-(1_i64 << (bits - 1))..1 << (bits - 1)).contains(value);
                fits && is_within(oid, *value)
            }
            (Self::Fixed(_, length), Key::Bytes(bytes)) => bytes.len() == usize::from(length),
            (Self::Text(_), Key::Text(text)) => !text.contains('\0'),
            (Self::Numeric(_), Key::Bytes(bytes)) => is_numeric(bytes),
            _ => false,
        }
    }
}

/// Whether PostgreSQL has a date, time or timestamp with this number; the least and the greatest number are infinite ones.
fn is_within(oid: u32, value: i64) -> bool {
    match oid {
        1082 => {
            [i32::MIN, i32::MAX].map(i64::from).contains(&value)
                || (-2_451_545..2_145_031_949).contains(&value)
        }
        1083 => (0..=86_400_000_000).contains(&value),
        1114 | 1184 => {
            [i64::MIN, i64::MAX].contains(&value)
                || (-211_813_488_000_000_000..9_223_371_331_200_000_000).contains(&value)
        }
        _ => true,
    }
}

/// Whether bytes are a number in PostgreSQL's format: a header with the number of base-10000 digits that
/// follow.
fn is_numeric(bytes: &[u8]) -> bool {
    let mut words = bytes.chunks_exact(2).map(|word| u16::from_be_bytes([word[0], word[1]]));
    let (Some(count), Some(_), Some(sign), Some(scale)) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return false;
    };
    let is_plain = matches!(sign, 0 | 0x4000) && scale <= 0x3fff;
    is_plain && bytes.len() == 8 + 2 * usize::from(count) && words.all(|digit| digit < 10_000)
}

/// A database whose rows can be read page by page.
pub trait PageDatabase: Database {
    /// The value of a key in a row.
    ///
    /// # Errors
    ///
    /// If it is NULL, or of another kind.
    fn read(row: &Self::Row, column: usize, kind: KeyKind) -> Result<Key>;

    /// Binds a key.
    ///
    /// # Errors
    ///
    /// If it cannot be encoded.
    fn add(arguments: &mut ArgumentsOf<Self>, key: &Key, kind: KeyKind) -> Result<(), BoxDynError>;
}

/// The error for a column whose values are not those of a key.
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
fn no_key(column: usize) -> sqlx::Error {
    sqlx::Error::Decode(format!("column {} holds no value that pages can be ordered by", column + 1).into())
}

#[cfg(feature = "sqlite")]
impl PageDatabase for sqlx::Sqlite {
    fn read(row: &Self::Row, column: usize, _: KeyKind) -> Result<Key> {
        use sqlx::{TypeInfo, ValueRef};
        let ty = row.try_get_raw(column)?.type_info().name().to_owned();
        // Comparisons depend on the stored value, whatever the column declares.
        let storage = || -> Result<Key> {
            row.try_get_unchecked::<i64, _>(column)
                .map(Key::Int)
                .or_else(|_| row.try_get_unchecked::<String, _>(column).map(Key::Text))
        };
        match ty.as_str() {
            "INTEGER" | "INT4" | "BOOLEAN" => row.try_get_unchecked(column).map(Key::Int),
            "REAL" => row.try_get_unchecked(column).map(Key::Float),
            "TEXT" => row.try_get_unchecked(column).map(Key::Text),
            "BLOB" => row.try_get_unchecked(column).map(Key::Bytes),
            "NULL" => Err(no_key(column)),
            _ => storage(),
        }
    }

    fn add(arguments: &mut ArgumentsOf<Self>, key: &Key, _: KeyKind) -> Result<(), BoxDynError> {
        use sqlx::Arguments;
        match key {
            Key::Int(value) => arguments.add(*value),
            Key::Unsigned(value) => arguments.add(i64::try_from(*value)?),
            Key::Float(value) => arguments.add(*value),
            Key::Text(value) => arguments.add(value.clone()),
            Key::Bytes(value) => arguments.add(value.clone()),
        }
    }
}

#[cfg(feature = "mysql")]
impl PageDatabase for sqlx::MySql {
    fn read(row: &Self::Row, column: usize, _: KeyKind) -> Result<Key> {
        use sqlx::{TypeInfo, ValueRef};
        let value = row.try_get_raw(column)?;
        if value.is_null() {
            return Err(no_key(column));
        }
        let ty = value.type_info().name().to_owned();
        let bytes = || row.try_get_unchecked::<Vec<u8>, _>(column);
        match ty.as_str() {
            "BOOLEAN" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => {
                row.try_get_unchecked(column).map(Key::Int)
            }
            "YEAR" => row.try_get_unchecked(column).map(Key::Unsigned),
            ty if ty.ends_with(" UNSIGNED") => row.try_get_unchecked(column).map(Key::Unsigned),
            "FLOAT" => row.try_get_unchecked::<f32, _>(column).map(|value| Key::Float(f64::from(value))),
            "DOUBLE" => row.try_get_unchecked(column).map(Key::Float),
            "BINARY" | "VARBINARY" | "TINYBLOB" | "BLOB" | "MEDIUMBLOB" | "LONGBLOB" => {
                bytes().map(Key::Bytes)
            }
            "DATE" | "DATETIME" | "TIMESTAMP" => {
                bytes().and_then(|bytes| date_time(&bytes).map(Key::Text).ok_or_else(|| no_key(column)))
            }
            "CHAR" | "VARCHAR" | "TINYTEXT" | "TEXT" | "MEDIUMTEXT" | "LONGTEXT" => {
                row.try_get_unchecked(column).map(Key::Text)
            }
            _ => Err(no_key(column)),
        }
    }

    fn add(arguments: &mut ArgumentsOf<Self>, key: &Key, _: KeyKind) -> Result<(), BoxDynError> {
        use sqlx::Arguments;
        match key {
            Key::Int(value) => arguments.add(*value),
            Key::Unsigned(value) => arguments.add(*value),
            Key::Float(value) => arguments.add(*value),
            Key::Text(value) => arguments.add(value.clone()),
            Key::Bytes(value) => arguments.add(value.clone()),
        }
    }
}

/// A date, or a date and a time, in MySQL's binary protocol: its length, and as many parts as are not zero.
#[cfg(feature = "mysql")]
fn date_time(bytes: &[u8]) -> Option<String> {
    let (length, rest) = bytes.split_first()?;
    let rest = rest.get(..usize::from(*length))?;
    let at = |nth: usize| rest.get(nth).copied().unwrap_or(0);
    let year = u16::from_le_bytes([at(0), at(1)]);
    let mut text = format!("{year:04}-{:02}-{:02}", at(2), at(3));
    text += &format!(" {:02}:{:02}:{:02}", at(4), at(5), at(6));
    let micros = u32::from_le_bytes([at(7), at(8), at(9), at(10)]);
    Some(text + &format!(".{micros:06}"))
}

#[cfg(feature = "postgres")]
mod postgres {
    use sqlx::encode::{Encode, IsNull};
    use sqlx::error::BoxDynError;
    use sqlx::postgres::types::Oid;
    use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueFormat};
    use sqlx::{Arguments, Postgres, Result, Row, Type};

    use super::{ArgumentsOf, Key, KeyKind, PageDatabase, no_key};

    impl PageDatabase for Postgres {
        fn read(row: &Self::Row, column: usize, kind: KeyKind) -> Result<Key> {
            let value = row.try_get_raw(column)?;
            if value.format() != PgValueFormat::Binary {
                return Err(no_key(column));
            }
            let bytes = value.as_bytes().map_err(|_| no_key(column))?;
            let key = match kind {
                KeyKind::Int(..) => integer(bytes).map(Key::Int),
                KeyKind::Text(_) => String::from_utf8(bytes.to_vec()).ok().map(Key::Text),
                _ => Some(Key::Bytes(bytes.to_vec())),
            };
            key.ok_or_else(|| no_key(column))
        }

        fn add(arguments: &mut ArgumentsOf<Self>, key: &Key, kind: KeyKind) -> Result<(), BoxDynError> {
            arguments.add(Sent { key, kind })
        }
    }

    fn integer(bytes: &[u8]) -> Option<i64> {
        Some(match bytes.len() {
            1 => i64::from(i8::from_be_bytes(bytes.try_into().ok()?)),
            2 => i64::from(i16::from_be_bytes(bytes.try_into().ok()?)),
            4 => i64::from(i32::from_be_bytes(bytes.try_into().ok()?)),
            8 => i64::from_be_bytes(bytes.try_into().ok()?),
            _ => return None,
        })
    }

    /// A key to be bound.
    struct Sent<'k> {
        key: &'k Key,
        kind: KeyKind,
    }

    impl Type<Postgres> for Sent<'_> {
        fn type_info() -> PgTypeInfo {
            <str as Type<Postgres>>::type_info()
        }
    }

    impl Encode<'_, Postgres> for Sent<'_> {
        fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
            match (self.key, self.kind) {
                (Key::Int(value), KeyKind::Int(_, width)) => {
                    let bytes = value.to_be_bytes();
                    let kept = bytes.len().saturating_sub(usize::from(width));
                    buffer.extend_from_slice(bytes.get(kept..).unwrap_or_default());
                }
                (Key::Text(value), _) => buffer.extend_from_slice(value.as_bytes()),
                (Key::Bytes(value), _) => buffer.extend_from_slice(value),
                _ => return Err("a key of another kind".into()),
            }
            Ok(IsNull::No)
        }

        fn produces(&self) -> Option<PgTypeInfo> {
            let (KeyKind::Int(oid, _)
            | KeyKind::Fixed(oid, _)
            | KeyKind::Text(oid)
            | KeyKind::Bytes(oid)
            | KeyKind::Numeric(oid)) = self.kind
            else {
                return None;
            };
            Some(PgTypeInfo::with_oid(Oid(oid)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, KeyKind};

    #[test]
    fn values_of_another_kind_are_not_sent() {
        let int4 = KeyKind::Int(23, 4);
        assert!(int4.accepts(&Key::Int(i64::from(i32::MIN))));
        assert!(!int4.accepts(&Key::Int(i64::from(i32::MAX) + 1)));
        assert!(!int4.accepts(&Key::Text("1".to_owned())));
        assert!(KeyKind::Int(20, 8).accepts(&Key::Int(i64::MIN)));
        let timestamp = KeyKind::Int(1184, 8);
        assert!([i64::MIN, 0, i64::MAX].iter().all(|micros| timestamp.accepts(&Key::Int(*micros))));
        assert!([i64::MIN + 1, i64::MAX - 1].iter().all(|micros| !timestamp.accepts(&Key::Int(*micros))));
        assert!(
            !KeyKind::Int(1083, 8).accepts(&Key::Int(-1))
                && !KeyKind::Int(1082, 4).accepts(&Key::Int(-3_000_000))
        );
        assert!(KeyKind::Fixed(2950, 16).accepts(&Key::Bytes(vec![0; 16])));
        assert!(!KeyKind::Fixed(2950, 16).accepts(&Key::Bytes(vec![0; 15])));
        assert!(!KeyKind::Text(25).accepts(&Key::Text("a\0b".to_owned())));
        assert!(KeyKind::Whole.accepts(&Key::Unsigned(7)) && !KeyKind::Whole.accepts(&Key::Float(7.0)));
        assert!(!KeyKind::Real.accepts(&Key::Float(f64::NAN)) && !KeyKind::Chars.accepts(&Key::Int(7)));
        // One base-10000 digit: 7.
        let seven = [0, 1, 0, 0, 0, 0, 0, 0, 0, 7];
        assert!(KeyKind::Numeric(1700).accepts(&Key::Bytes(seven.to_vec())));
        assert!(!KeyKind::Numeric(1700).accepts(&Key::Bytes(seven[..9].to_vec())));
        assert!(!KeyKind::Numeric(1700).accepts(&Key::Bytes(vec![0, 1, 0, 0, 0, 0, 0, 0, 255, 255])));
    }

    #[cfg(feature = "mysql")]
    #[test]
    fn dates_and_times_of_mysql() {
        use super::date_time;
        assert_eq!(date_time(&[4, 0xea, 0x07, 11, 28]).as_deref(), Some("2026-11-28 00:00:00.000000"));
        let whole = [11, 0xea, 0x07, 11, 28, 18, 57, 35, 0x40, 0xe2, 0x01, 0];
        assert_eq!(date_time(&whole).as_deref(), Some("2026-11-28 18:57:35.123456"));
        assert_eq!(date_time(&[4, 1]), None);
        assert_eq!(date_time(&[]), None);
    }
}
