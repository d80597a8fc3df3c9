//! Scan results, one behaviour at a time: sites, loops, bounds, allows, and unparsable source.

mod allows;
mod bounds;
mod calls;
mod code;
mod containers;
mod counts;
mod drivers;
mod exits;
mod fields;
mod given;
mod hostile;
mod kinds;
mod lengths;
mod loops;
mod macros;
mod once;
mod own;
mod ready;
mod receivers;
mod sites;
mod straight;
mod texts;
mod unwritten;

use super::{Function, Scan, Site, SiteSql, scan};

/// Scans a valid source.
#[track_caller]
fn scanned(source: &str) -> Scan {
    let scan = scan("src/lib.rs", source).unwrap_or_else(|error| panic!("{error}\n{:.500}", source));
    scan.follow_alone().0
}

/// Scans the body of an async function with sqlx in scope.
#[track_caller]
fn body(code: &str) -> Scan {
    scanned(&format!(
        "use query_budget::*;\nasync fn f(db: &PgPool, xs: Vec<i64>) -> Result<()> {{\n{code}\n}}"
    ))
}

/// The only site of a scan.
#[track_caller]
fn only(scan: &Scan) -> &Site {
    match scan.sites.as_slice() {
        [site] => site,
        sites => panic!("{} sites, not one: {sites:#?}", sites.len()),
    }
}

/// The function with this path.
#[track_caller]
fn function<'s>(scan: &'s Scan, path: &str) -> &'s Function {
    scan.functions
        .iter()
        .find(|function| &*function.path == path)
        .unwrap_or_else(|| panic!("no function {path}"))
}

/// The text of a site's SQL.
#[track_caller]
fn sql(site: &Site) -> &str {
    match &site.sql {
        SiteSql::Literal(literal) => &literal.text,
        other => panic!("no literal: {other:?}"),
    }
}
