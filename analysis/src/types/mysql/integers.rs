//! Functions of MariaDB that return an integer of a fixed width.

use super::item::Item;

/// Whether the result may be NULL.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Null {
    Never,
    /// If an argument may be.
    Strict,
    Always,
}

/// What a function returns for so many arguments; `None` if it is none of these. `is_nullable` tells whether an argument
/// may be NULL, `None` if that is not known.
pub(super) fn of_function(name: &str, args: usize, is_nullable: impl Fn() -> Option<bool>) -> Option<Item> {
    let (width, null) = width_of(name, args)?;
    let ty = if width > 11 || name == "bit_length" { "LongLong" } else { "Long" };
    let is_unsigned = matches!(name, "inet_aton" | "connection_id" | "crc32");
    let item = Item::unsigned_size(ty, width);
    let item = if is_unsigned { item.unsigned() } else { item };
    Some(item.nullable(match null {
        Null::Never => false,
        Null::Strict => is_nullable()?,
        Null::Always => true,
    }))
}

fn width_of(name: &str, args: usize) -> Option<(u32, Null)> {
    Some(match (name, args) {
        ("row_count" | "found_rows", 0) => (21, Null::Never),
        ("connection_id", 0) => (10, Null::Never),
        ("sleep", 1) => (1, Null::Never),
        ("field", 2..) => (3, Null::Never),
        ("locate", 2 | 3) | ("instr" | "regexp_instr", 2) | ("bit_length", 1) => (11, Null::Strict),
        ("crc32" | "json_depth", 1) => (10, Null::Strict),
        ("ord", 1) => (7, Null::Strict),
        ("period_diff", 2) => (6, Null::Strict),
        ("find_in_set", 2) | ("ascii", 1) => (3, Null::Strict),
        ("sign" | "bit_count", 1) | ("strcmp", 2) => (2, Null::Strict),
        ("is_ipv4" | "is_ipv6", 1) => (1, Null::Strict),
        ("inet_aton", 1) => (21, Null::Always),
        ("to_seconds", 1) => (12, Null::Always),
        ("json_length", 1 | 2) | ("is_used_lock", 1) => (10, Null::Always),
        ("datediff", 2) => (8, Null::Always),
        ("to_days" | "yearweek" | "microsecond", 1) => (6, Null::Always),
        ("year", 1) => (4, Null::Always),
        ("dayofyear", 1) => (3, Null::Always),
        ("month" | "day" | "dayofmonth" | "week" | "hour" | "minute" | "second", 1) => (2, Null::Always),
        ("dayofweek" | "weekday" | "quarter", 1) => (1, Null::Always),
        ("json_valid" | "release_lock" | "is_free_lock", 1)
        | ("json_contains", 2 | 3)
        | ("get_lock", 2)
        | ("json_contains_path", 3..) => (1, Null::Always),
        _ => return None,
    })
}
