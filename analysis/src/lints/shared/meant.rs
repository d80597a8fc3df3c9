//! Keys that a database does not enforce, but that the schema says are meant: lookups by them find one row in practice.

use crate::cardinality::{self, Rows};
use crate::lints::QueryContext;
use crate::schema::{Index, IndexKey, KeyPart, Schema, Table};
use crate::sql::query::{BlockId, Query, Source};
use crate::sql::{Dialect, type_names};

/// The keys that are meant in a table.
type Keys = fn(&Table) -> Vec<Index>;

/// Whether a block finds one row, if the keys of its tables are taken as they are meant; as a reason.
pub(in crate::lints) fn one_row(
    context: &QueryContext<'_>,
    query: &Query,
    id: BlockId,
) -> Option<&'static str> {
    let schema = context.schema.filter(|schema| schema.dialect == Dialect::Postgres)?;
    let kinds: [(Keys, &str); 2] = [
        (
            without_partition_key,
            "a key of a partitioned table has to hold the partition key; without it, it is still the key",
        ),
        (folded, "a unique key finds the row, but for upper and lower case"),
    ];
    kinds.into_iter().find_map(|(keys, why)| {
        let meant = meant(schema, query, keys)?;
        (cardinality::before_limit(query, Some(&meant), id).rows == Rows::One).then_some(why)
    })
}

/// The schema with further unique keys on the tables of a query; `None` if there are none.
fn meant(schema: &Schema, query: &Query, keys: Keys) -> Option<Schema> {
    let tables = query.relations.iter().filter_map(|relation| match &relation.source {
        Source::Table(name) => schema.stored(name),
        _ => None,
    });
    let added: Vec<_> = tables.map(|table| (table.name.clone(), keys(table))).collect();
    if added.iter().all(|(_, keys)| keys.is_empty()) {
        return None;
    }
    let mut meant = schema.clone();
    for (name, keys) in added {
        if let Some(table) = meant.tables.get_mut(&name) {
            table.indexes.extend(keys);
        }
    }
    Some(meant)
}

/// The unique keys of a partitioned table without its partition key, which PostgreSQL requires in each of them.
fn without_partition_key(table: &Table) -> Vec<Index> {
    let Some(by) = &table.partition_by else { return Vec::new() };
    let words: Vec<&str> = by.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let is_of_partition = |key: &&IndexKey| match &key.part {
        KeyPart::Column(name) => words.contains(&name.as_str()),
        KeyPart::Expression(_) => false,
    };
    changed(table, |index| {
        let keys: Vec<IndexKey> = index.keys.iter().filter(|key| !is_of_partition(key)).cloned().collect();
        (!keys.is_empty() && keys.len() < index.keys.len()).then_some(keys)
    })
}

/// The unique keys of a table over lower-cased text.
fn folded(table: &Table) -> Vec<Index> {
    let fold = |key: &IndexKey| match &key.part {
        KeyPart::Column(name) if has_text(table, name) => {
            IndexKey { part: KeyPart::Expression(format!("lower({name})")), ..key.clone() }
        }
        _ => key.clone(),
    };
    changed(table, |index| {
        let keys: Vec<IndexKey> = index.keys.iter().map(fold).collect();
        (keys != index.keys).then_some(keys)
    })
}

fn has_text(table: &Table, column: &str) -> bool {
    table.column(column).is_some_and(|column| type_names::is_text(&column.ty.to_ascii_lowercase()))
}

fn changed(table: &Table, keys: impl Fn(&Index) -> Option<Vec<IndexKey>>) -> Vec<Index> {
    let unique = table.indexes.iter().filter(|index| index.unique);
    let change = |index: &Index| {
        Some(Index { primary: false, constraint: false, keys: keys(index)?, ..index.clone() })
    };
    unique.filter_map(change).collect()
}

#[cfg(test)]
mod tests {
    use crate::check::Checker;
    use crate::config::Config;
    use crate::finding::Tier::{self, Listed, Shown};
    use crate::schema::Replay;
    use crate::sql::Dialect;

    #[track_caller]
    fn check(sql: &str, expected: &[Tier]) {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(
            "CREATE TABLE runs (id uuid, at timestamptz, name text NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
             CREATE TABLE boards (id bigint PRIMARY KEY, owner bigint NOT NULL, slug varchar(40) NOT NULL, note text,
                UNIQUE (owner, slug));",
            "one.sql",
        );
        // A filter without an index would be shown in place of the row that is missed.
        let mut config = Config::default();
        config.lints.insert("unindexed_filter".to_owned(), crate::finding::Level::Allow);
        let checker = Checker::new(&config, Some(&replay.schema), Dialect::Postgres);
        let binds = if sql.contains("$2") { ".bind(a).bind(b)" } else { ".bind(a)" };
        let source =
            format!("async fn run(db: &PgPool) {{ sqlx::query({sql:?}){binds}.fetch_optional(db).await; }}");
        let (scan, calls) = crate::rust::scan("lib.rs", &source).expect("it is Rust").follow_alone();
        let found = checker.file(&scan, &calls, &|_| None).findings;
        let is_this = |lint: &str| matches!(lint, "limit_without_order" | "nonunique_fetch_one");
        let found = found.iter().filter(|finding| is_this(finding.lint)).map(|finding| finding.tier);
        assert_eq!(found.collect::<Vec<_>>(), expected, "{sql}");
    }

    #[test]
    fn a_key_but_for_the_partition_finds_one_row() {
        check("SELECT name FROM runs WHERE id = $1 LIMIT 1", &[Listed]);
        check("SELECT name FROM runs WHERE id = $1", &[Listed]);
        check("SELECT name FROM runs WHERE at = $1", &[Shown]);
        check("SELECT r.name FROM runs r JOIN runs s ON s.id = r.id WHERE r.id = $1 LIMIT 1", &[Listed]);
    }

    #[test]
    fn a_key_but_for_upper_and_lower_case_finds_one_row() {
        check("SELECT note FROM boards WHERE owner = $1 AND lower(slug) = lower($2) LIMIT 1", &[Listed]);
        check("SELECT note FROM boards WHERE lower(slug) = lower($1)", &[Shown]);
        check("SELECT note FROM boards WHERE owner = $1 AND lower(note) = lower($2)", &[Shown]);
    }
}
