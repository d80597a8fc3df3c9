//! Existing indexes: whether one makes another redundant, and whether any query would miss one.

use super::{NewIndex, Queried, accesses, sort};
use crate::schema::{Index, IndexKey, Name, Replay, Schema, Table, columns};
use crate::sql::quote::quote_if_needed;
use crate::sql::resolve::expression;
use crate::sql::{Dialect, predicates};

/// Whether `other` can serve every search that `index` serves: same access method, operator classes,
/// collations and predicate, and keys that equal the other's or are a prefix of them.
pub(crate) fn is_covered(index: &Index, other: &Index, dialect: Dialect) -> bool {
    if index.method != other.method
        || index.predicate != other.predicate
        || index.keys.len() > other.keys.len()
    {
        return false;
    }
    // Only a sorted index can be searched by a prefix of its keys.
    if index.method != "btree" && index.keys.len() != other.keys.len() {
        return false;
    }
    let stored = |column: &String| {
        other.include.contains(column) || other.keys.iter().any(|key| key.as_column() == Some(column))
    };
    let pairs = || index.keys.iter().zip(&other.keys);
    let same_way = pairs().all(|(own, its)| own.desc == its.desc && own.nulls_first == its.nulls_first);
    // Only PostgreSQL says where NULL is apart from the direction; elsewhere it is the least of all.
    let turns_null =
        |own: &IndexKey, its: &IndexKey| dialect != Dialect::Postgres || own.nulls_first != its.nulls_first;
    let turned = pairs().all(|(own, its)| own.desc != its.desc && turns_null(own, its));
    index.include.iter().all(stored)
        && pairs().all(|(own, its)| holds_the_same(own, its))
        && (same_way || turned)
}

/// An index without the keys that its predicate fixes to one value, which divide its rows no further; one key stays.
pub(crate) fn without_fixed_keys(schema: &Schema, table: &Table, index: &Index) -> Index {
    let mut varying = index.clone();
    let columns = || columns::of_table(schema, table);
    let resolve = |text: &str| expression(text, schema.dialect, columns());
    if let Some(predicate) = index.predicate.as_deref().and_then(resolve) {
        let is_fixed = |key: &IndexKey| {
            let column = key
                .as_column()
                .filter(|_| key.prefix.is_none())
                .and_then(|name| resolve(&quote_if_needed(name, schema.dialect)));
            column.is_some_and(|column| predicates::is_fixed(&column, predicate.conjuncts()))
        };
        varying.keys.retain(|key| !is_fixed(key));
        if varying.keys.is_empty() {
            return index.clone();
        }
    }
    varying
}

fn holds_the_same(own: &IndexKey, its: &IndexKey) -> bool {
    // A longer prefix of the same column is more selective.
    let prefix = match (own.prefix, its.prefix) {
        (_, None) => true,
        (Some(own), Some(its)) => own <= its,
        (None, Some(_)) => false,
    };
    own.part == its.part && own.opclass == its.opclass && own.collation == its.collation && prefix
}

/// The indexes of `before` that are a prefix of the index `name` in `after` and enforce no constraint.
pub(super) fn begins(before: &Schema, after: &Schema, table: &Name, name: &str) -> Vec<String> {
    let indexes = |schema: &'_ Schema| schema.stored(table).map_or_else(Vec::new, |it| it.indexes.clone());
    let Some(new) = indexes(after).into_iter().find(|index| index.name == name) else { return Vec::new() };
    let is_replaced = |old: &Index| !old.unique && !old.constraint && is_covered(old, &new, after.dialect);
    indexes(before).into_iter().filter(is_replaced).map(|index| index.name).collect()
}

/// The existing index that is a prefix of a new one, which makes it redundant.
pub(crate) fn replaced_by(schema: &Schema, new: &NewIndex) -> Option<String> {
    let mut replay = Replay::new(schema.dialect);
    let table = schema.stored(&new.table)?;
    replay.schema.tables.insert(new.table.clone(), table.clone());
    replay.apply(&new.statement("CREATE INDEX", Some(NEW), schema.dialect), "advice");
    begins(schema, &replay.schema, &new.table, NEW).into_iter().next()
}

/// A name for a hypothetical index.
const NEW: &str = "query_budget_new_index";

/// Whether any query reads a table differently without one of its indexes.
pub(crate) fn is_missed(schema: &Schema, table: &Name, index: &str, queries: &[Queried<'_>]) -> bool {
    let mut without = schema.clone();
    if let Some(table) = without.tables.get_mut(table) {
        table.indexes.retain(|known| known.name != index);
    }
    let reading =
        queries.iter().filter(|queried| queried.accesses.iter().any(|access| access.table == *table));
    reading.into_iter().any(|queried| {
        let now = accesses(queried.query, &without);
        let verdicts = |accesses: &[super::Access]| accesses.iter().map(|it| it.verdict).collect::<Vec<_>>();
        verdicts(&now) != verdicts(queried.accesses)
            || sort::unindexed(queried.query, &without).len() > sort::unindexed(queried.query, schema).len()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_read_from_either_end() {
        let covers = |dialect, ddl: &str| {
            let mut replay = Replay::new(dialect);
            replay.apply(&format!("CREATE TABLE t (y int, z int); {ddl}"), "test.sql");
            let indexes = &replay.schema.tables[&Name::new("t")].indexes;
            is_covered(&indexes[0], &indexes[1], dialect)
        };
        for dialect in Dialect::ALL {
            assert!(covers(dialect, "CREATE INDEX i ON t (y DESC); CREATE INDEX j ON t (y)"), "{dialect}");
            assert!(covers(dialect, "CREATE INDEX i ON t (y); CREATE INDEX j ON t (y DESC, z)"), "{dialect}");
            assert!(
                !covers(dialect, "CREATE INDEX i ON t (y, z DESC); CREATE INDEX j ON t (y, z)"),
                "{dialect}"
            );
        }
        let nulls = "CREATE INDEX i ON t (y DESC NULLS LAST); CREATE INDEX j ON t (y)";
        assert!(!covers(Dialect::Postgres, nulls));
    }
}
