//! What only reads the catalog of the database or changes its schema, as tools do that compare and migrate schemas: the tables that
//! they go through are those of the code, and grow with it.

use super::turn::{changes_schema, text_of};
use crate::rust::site::Site;
use crate::sql::{Dialect, resolve};

/// Why that is seldom worth a change in a loop, as a note.
pub(crate) const WHY: &str =
    "it reads the catalog of the database, which grows with the schema, not with the data";

/// Whether these queries are all of the catalog or of the schema; those whose text is not known may be.
pub(super) fn is_all<'s>(sites: impl Iterator<Item = &'s Site> + Clone) -> bool {
    let is_known =
        |site: &&Site| text_of(site).is_some_and(|text| !text.is_empty() && !text.starts_with('…'));
    let is_one = |site: &Site| changes_schema(site) || reads(site);
    sites.clone().any(reads) && sites.filter(is_known).all(is_one)
}

/// Whether a query reads the catalog alone.
fn reads(site: &Site) -> bool {
    let text = text_of(site).filter(|text| text.contains("pg_") || has(text, "information_schema"));
    let is_of = |text: &str, dialect| resolve(text, dialect, None).is_ok_and(|query| query.is_of_catalog());
    text.is_some_and(|text| is_of(text, Dialect::Postgres) || is_of(text, Dialect::MySql))
}

/// Whether a text has a word, in any case.
fn has(text: &str, word: &str) -> bool {
    text.to_ascii_lowercase().contains(word)
}
