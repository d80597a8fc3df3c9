//! Values that a store would return as absent ones: the format has one null, for `None` and for whatever is null within `Some`.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;
use serde::ser::{Error, Impossible, Serializer};

/// Whether a value is `None` or `()`, rather than `Some` of something that is encoded like them.
pub(super) fn is_absent<V: Serialize + ?Sized>(value: &V) -> bool {
    value.serialize(Probe).is_ok()
}

/// Succeeds for an absent value, and fails for any other.
struct Probe;

/// The value is there.
#[derive(Debug)]
struct Present;

impl Display for Present {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("the value is not absent")
    }
}

impl std::error::Error for Present {}

impl Error for Present {
    fn custom<T: Display>(_: T) -> Self {
        Present
    }
}

/// Methods for values that are there.
macro_rules! present {
    ($($method:ident($($argument:ty),*) -> $Ok:ty;)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<$Ok, Present> {
            Err(Present)
        })*
    };
}

type Compound = Impossible<(), Present>;

impl Serializer for Probe {
    type Ok = ();
    type Error = Present;
    type SerializeSeq = Compound;
    type SerializeTuple = Compound;
    type SerializeTupleStruct = Compound;
    type SerializeTupleVariant = Compound;
    type SerializeMap = Compound;
    type SerializeStruct = Compound;
    type SerializeStructVariant = Compound;

    fn serialize_none(self) -> Result<(), Present> {
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), Present> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), Present> {
        Err(Present)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Present> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Present> {
        Err(Present)
    }

    present! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Compound;
        serialize_tuple(usize) -> Compound;
        serialize_tuple_struct(&'static str, usize) -> Compound;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Compound;
        serialize_map(Option<usize>) -> Compound;
        serialize_struct(&'static str, usize) -> Compound;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Compound;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_there_is_absent() {
        assert!(is_absent(&None::<Option<i32>>));
        assert!(!is_absent(&Some(None::<i32>)));
        assert!(!is_absent(&Some(())));
        assert!(!is_absent(&vec![None::<i32>]));
    }
}
