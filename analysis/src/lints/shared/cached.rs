//! The tables whose rows are cached.

use std::collections::BTreeMap;

use crate::finding::Place;
use crate::rust::{Site, SiteSql};
use crate::schema::{Name, Schema};
use crate::sql::{self, Dialect};
use crate::touches;

/// Tables that cached reads name, each with the place of one of them.
pub type CachedTables = BTreeMap<Name, Place>;

/// The tables that the cached reads among `sites` name, outside of test code.
pub fn cached_tables<'s>(
    sites: impl IntoIterator<Item = &'s Site>,
    schema: Option<&Schema>,
    dialect: Dialect,
) -> CachedTables {
    let mut tables = CachedTables::new();
    for site in sites.into_iter().filter(|site| site.cached && !site.in_test) {
        let SiteSql::Literal(literal) = &site.sql else { continue };
        let query = sql::resolve(&literal.text, dialect, schema);
        for name in touches::of(query.as_ref().ok(), &literal.text, schema, dialect).reads {
            tables.entry(name).or_insert_with(|| site.place.clone());
        }
    }
    tables
}
