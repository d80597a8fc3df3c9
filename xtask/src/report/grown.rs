//! Which tables a workspace adds rows to, by the words of its queries alone.

use std::collections::HashSet;

use query_budget_analysis::rust::{Site, SiteSql};

use crate::input::Batch;

/// The tables that some query, test code left out, inserts into: their names without a schema, lower case.
pub(super) fn tables(batches: &[Batch]) -> HashSet<String> {
    let files = batches.iter().flat_map(|batch| &batch.files);
    let sites = files.flat_map(|file| &file.source.scan.sites).filter(|site| !site.in_test);
    let bare = batches.iter().flat_map(|batch| &batch.bare);
    let mut found = HashSet::new();
    for text in sites.filter_map(text).chain(bare.map(|query| &*query.sql)) {
        add(text, &mut found);
    }
    found
}

fn text(site: &Site) -> Option<&str> {
    match (&site.sql, &site.built) {
        (SiteSql::Literal(literal), _) => Some(&literal.text),
        (_, Some(built)) => Some(&built.begin),
        _ => None,
    }
}

/// Adds what follows `INTO` and `COPY` in a text.
fn add(text: &str, found: &mut HashSet<String>) {
    let mut words = text.split(|c: char| c.is_whitespace() || c == '(').filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case("into") || word.eq_ignore_ascii_case("copy") {
            let Some(name) = words.next() else { return };
            let last = name.rsplit('.').next().unwrap_or(name);
            found.insert(last.trim_matches(['"', '`', '[', ']']).to_ascii_lowercase());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inserted_into_is_known_by_its_words() {
        let mut found = HashSet::new();
        for text in [
            "INSERT INTO a(id) VALUES (1)",
            "insert or ignore into `b` (id) VALUES (1)",
            "WITH x AS (INSERT INTO app.\"C\" VALUES (1)) SELECT 1",
            "COPY d (a) FROM STDIN",
            "SELECT * FROM e",
        ] {
            add(text, &mut found);
        }
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort();
        assert_eq!(found, ["a", "b", "c", "d"]);
    }
}
