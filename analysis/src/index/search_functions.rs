//! Functions that an index serves like an operator: the planner replaces them by the operator.

use crate::sql::Dialect;

/// Which arguments of a function may be the indexed side, and the operator to search by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sides {
    /// Either of the first two.
    Both(&'static str),
    First(&'static str),
}

/// The operator equivalent to a function; `None` if no index serves it.
pub(super) fn operator(name: &str, dialect: Dialect) -> Option<Sides> {
    match dialect {
        Dialect::Postgres => postgres(name),
        Dialect::MySql => mysql(name),
        Dialect::Sqlite => None,
    }
}

/// The functions with a support function in PostGIS, which searches for overlapping boxes first.
/// `ST_Distance` has none.
fn postgres(name: &str) -> Option<Sides> {
    Some(match name {
        "st_intersects"
        | "st_contains"
        | "st_containsproperly"
        | "st_within"
        | "st_covers"
        | "st_coveredby"
        | "st_crosses"
        | "st_overlaps"
        | "st_touches"
        | "st_equals"
        | "st_dwithin"
        | "st_dfullywithin"
        | "st_orderingequals"
        | "st_linecrossingdirection"
        | "st_3dintersects"
        | "st_3ddwithin"
        | "st_3ddfullywithin" => Sides::Both("&&"),
        _ => return None,
    })
}

/// The functions that a SPATIAL or a multi-valued index serves.
fn mysql(name: &str) -> Option<Sides> {
    Some(match name {
        "mbrcontains" | "mbrwithin" | "mbrintersects" | "mbrequal" | "mbrequals" | "mbroverlaps"
        | "mbrtouches" | "mbrcovers" | "mbrcoveredby" | "st_contains" | "st_within" | "st_intersects"
        | "st_equals" | "st_crosses" | "st_overlaps" | "st_touches" => Sides::Both("&&"),
        "json_contains" => Sides::First("member of"),
        "json_overlaps" => Sides::Both("member of"),
        _ => return None,
    })
}
