//! What parameters of PostgreSQL's usual types take, as the traits that the expansions of the macros ask of a value: the compiler's
//! message is that of the trait.
//!
//! A trait for each parameter could repeat the value as it is written, but would be paid for in every build: for 600
//! parameters a fourth of a check's time. The macros make one only where a value shows by itself that it does not fit.

#![expect(non_camel_case_types, reason = "messages show these names, which are the database's")]

use crate::fits::{Fits, FitsRef};

macro_rules! parameter {
    ($name:ident: $Fits:ident<T $(: ?$Sized:ident, $Way:ident)?>, $message:literal, $label:literal, $($note:literal),*) => {
        /// A value for a parameter of this type.
        #[diagnostic::on_unimplemented(
            message = $message,
            label = $label,
            $(note = $note,)*
            note = "for a type of yours that implements `sqlx::Type`, write `value as _`"
        )]
        pub trait $name<T $(: ?$Sized)?, const N: usize, $($Way,)? Bound> {
            /// The value.
            fn fits(&self) -> &Bound;
        }

        #[diagnostic::do_not_recommend]
        impl<V: ?Sized + $Fits<T $(, $Way)?, Bound>, T $(: ?$Sized)?, const N: usize, $($Way,)? Bound>
            $name<T, N, $($Way,)? Bound> for V
        {
            #[inline(always)]
            fn fits(&self) -> &Bound {
                self.bound()
            }
        }
    };
}

parameter! {
    int2: Fits<T>,
    "parameter ${N} of SQL type `int2` takes `{T}`, not `{Self}`",
    "`int2` takes `{T}`",
    "for an integer of a different type, write `value as {T}`, or `{T}::try_from(value)?` where it may not fit",
    "for its text, let the database read it: `${N}::text::int2` in the SQL"
}

parameter! {
    int4: Fits<T>,
    "parameter ${N} of SQL type `int4` takes `{T}`, not `{Self}`",
    "`int4` takes `{T}`",
    "for an integer of a different type, write `value as {T}`, or `{T}::try_from(value)?` where it may not fit",
    "for its text, let the database read it: `${N}::text::int4` in the SQL"
}

parameter! {
    int8: Fits<T>,
    "parameter ${N} of SQL type `int8` takes `{T}`, not `{Self}`",
    "`int8` takes `{T}`",
    "for an integer of a different type, write `value as {T}`, or `{T}::try_from(value)?` where it may not fit",
    "for its text, let the database read it: `${N}::text::int8` in the SQL"
}

parameter! {
    float4: Fits<T>,
    "parameter ${N} of SQL type `float4` takes `{T}`, not `{Self}`",
    "`float4` takes `{T}`",
    "for a number of a different type, write `value as {T}`",
    "for its text, let the database read it: `${N}::text::float4` in the SQL"
}

parameter! {
    float8: Fits<T>,
    "parameter ${N} of SQL type `float8` takes `{T}`, not `{Self}`",
    "`float8` takes `{T}`",
    "for a number of a different type, write `value as {T}`",
    "for its text, let the database read it: `${N}::text::float8` in the SQL"
}

parameter! {
    numeric: Fits<T>,
    "parameter ${N} of SQL type `numeric` takes `{T}`, not `{Self}`",
    "`numeric` takes `{T}`",
    "for an `f64`, let the database convert it: `${N}::float8::numeric` in the SQL",
    "for its text, let the database read it: `${N}::text::numeric` in the SQL"
}

parameter! {
    text: FitsRef<T: ?Sized, Way>,
    "parameter ${N} of SQL type `text` takes `&{T}`, not `{Self}`",
    "`text` takes `&{T}`",
    "for the text of a different value, write `value.to_string()`"
}

parameter! {
    varchar: FitsRef<T: ?Sized, Way>,
    "parameter ${N} of SQL type `varchar` takes `&{T}`, not `{Self}`",
    "`varchar` takes `&{T}`",
    "for the text of a different value, write `value.to_string()`"
}

parameter! {
    bpchar: FitsRef<T: ?Sized, Way>,
    "parameter ${N} of SQL type `bpchar` takes `&{T}`, not `{Self}`",
    "`bpchar` takes `&{T}`",
    "for the text of a different value, write `value.to_string()`"
}

parameter! {
    citext: FitsRef<T: ?Sized, Way>,
    "parameter ${N} of SQL type `citext` takes `&{T}`, not `{Self}`",
    "`citext` takes `&{T}`",
    "for the text of a different value, write `value.to_string()`"
}

parameter! {
    bool: Fits<T>,
    "parameter ${N} of SQL type `bool` takes `{T}`, not `{Self}`",
    "`bool` takes `{T}`",
    "for its text, let the database read it: `${N}::text::bool` in the SQL"
}

parameter! {
    uuid: Fits<T>,
    "parameter ${N} of SQL type `uuid` takes `{T}`, not `{Self}`",
    "`uuid` takes `{T}`",
    "for its text, let the database read it: `${N}::text::uuid` in the SQL"
}

parameter! {
    date: Fits<T>,
    "parameter ${N} of SQL type `date` takes `{T}`, not `{Self}`",
    "`date` takes `{T}`",
    "for its text, let the database read it: `${N}::text::date` in the SQL"
}

parameter! {
    time: Fits<T>,
    "parameter ${N} of SQL type `time` takes `{T}`, not `{Self}`",
    "`time` takes `{T}`",
    "for its text, let the database read it: `${N}::text::time` in the SQL"
}

parameter! {
    timestamp: Fits<T>,
    "parameter ${N} of SQL type `timestamp` takes `{T}`, not `{Self}`",
    "`timestamp` takes `{T}`",
    "for its text, let the database read it: `${N}::text::timestamp` in the SQL"
}

parameter! {
    timestamptz: Fits<T>,
    "parameter ${N} of SQL type `timestamptz` takes `{T}`, not `{Self}`",
    "`timestamptz` takes `{T}`",
    "for a `NaiveDateTime` in UTC, write `value.and_utc()`",
    "for its text, let the database read it: `${N}::text::timestamptz` in the SQL"
}

parameter! {
    json: Fits<T>,
    "parameter ${N} of SQL type `json` takes `{T}`, not `{Self}`",
    "`json` takes `{T}`",
    "for a type that implements `Serialize`, write `sqlx::types::Json(value) as _`"
}

parameter! {
    jsonb: Fits<T>,
    "parameter ${N} of SQL type `jsonb` takes `{T}`, not `{Self}`",
    "`jsonb` takes `{T}`",
    "for a type that implements `Serialize`, write `sqlx::types::Json(value) as _`"
}
