//! What one index says of another: whether it does all that the other does.

use crate::schema::{Index, IndexKey, Name, Schema};

/// Whether everything `index` is searched for can be searched for in `other` as well: the same access method, operator
/// classes, collations and condition, and keys that are the same or begin the other's.
pub(crate) fn is_covered(index: &Index, other: &Index) -> bool {
    if index.method != other.method
        || index.predicate != other.predicate
        || index.keys.len() > other.keys.len()
    {
        return false;
    }
    // Only a sorted index can be searched by its first keys as if the others were not there.
    if index.method != "btree" && index.keys.len() != other.keys.len() {
        return false;
    }
    let stored = |column: &String| {
        other.include.contains(column) || other.keys.iter().any(|key| key.as_column() == Some(column))
    };
    let pairs = || index.keys.iter().zip(&other.keys);
    let same_way = pairs().all(|(own, its)| own.desc == its.desc && own.nulls_first == its.nulls_first);
    let turned = pairs().all(|(own, its)| own.desc != its.desc && own.nulls_first != its.nulls_first);
    index.include.iter().all(stored)
        && pairs().all(|(own, its)| holds_the_same(own, its))
        && (same_way || turned)
}

fn holds_the_same(own: &IndexKey, its: &IndexKey) -> bool {
    // Of the same column, more characters tell more apart.
    let prefix = match (own.prefix, its.prefix) {
        (_, None) => true,
        (Some(own), Some(its)) => own <= its,
        (None, Some(_)) => false,
    };
    own.part == its.part && own.opclass == its.opclass && own.collation == its.collation && prefix
}

/// The index of `before` that begins the one named `name` in `after`, and that nothing but its searches needs.
pub(super) fn begins(before: &Schema, after: &Schema, table: &Name, name: &str) -> Option<String> {
    let new = after.tables.get(table)?.indexes.iter().find(|index| index.name == name)?;
    let old = before.tables.get(table)?.indexes.iter();
    let mut replaced = old.filter(|old| !old.unique && !old.constraint && is_covered(old, new));
    replaced.next().map(|index| index.name.clone())
}
