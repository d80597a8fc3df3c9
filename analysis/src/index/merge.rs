//! One index for several accesses: equality keys are ordered so as to serve all of them, and conditions that
//! they share become the index's predicate.

use super::few_values::has_few_values;
use super::new_index::NewIndex;
use super::wanted::{Key, Wanted};
use crate::schema::{IndexKey, Name, Schema, Table};
use crate::sql::Dialect;
use crate::sql::quote::quote_if_needed;

/// The indexed prefix of long text in MySQL, in characters: what fits into its smallest key limit.
const STORED: usize = 191;

/// One index that serves all of `members`, which are wanted indexes of one table; `None` if no single index
/// does.
pub(super) fn index(members: &[&Wanted], schema: &Schema) -> Option<NewIndex> {
    let first = members.first()?;
    if members.iter().any(|member| member.table != first.table || member.method != first.method) {
        return None;
    }
    let shared = if schema.dialect == Dialect::MySql { Vec::new() } else { shared_constants(members) };
    // If the shared conditions leave no key column, a selective one becomes a key after all.
    let is_of_many = |text: &&String| {
        members
            .iter()
            .flat_map(|member| &member.equal)
            .any(|key| !key.few_values && key.constant.as_ref() == Some(*text))
    };
    let of_few: Vec<String> = shared.iter().filter(|text| !is_of_many(text)).cloned().collect();
    // What may be a flag may be a number as well.
    let is_number = |text: &String| {
        let stored = schema.stored(&first.table);
        text.strip_suffix(" = 1")
            .or(text.strip_suffix(" = 0"))
            .is_some_and(|column| !stored.is_some_and(|table| has_few_values(schema, table, column)))
    };
    // SQLite scans a partial index that is not searched, which says nothing for the next of many values.
    let is_scanned = |shared: &[String]| {
        schema.dialect == Dialect::Sqlite && !members.iter().all(|member| is_searched(member, shared))
    };
    let (columns, shared) = [shared, of_few, Vec::new()]
        .into_iter()
        .filter(|shared| {
            !(shared.iter().any(|text| is_of_many(&text) || is_number(text)) && is_scanned(shared))
        })
        .find_map(|shared| Some((columns(members, &shared)?, shared)))?;
    let columns = columns.into_iter().map(|column| storable(column, &first.table, schema)).collect();
    let predicate = (!shared.is_empty()).then(|| shared.join(" AND "));
    let index = NewIndex { table: first.table.clone(), columns, predicate, method: first.method };
    (!exists(&index, schema)).then_some(index)
}

/// Whether a table has the index already, on the same columns, so that another would change nothing. An index on a
/// partitioned table may be invalid, and have to be created once more.
fn exists(wanted: &NewIndex, schema: &Schema) -> bool {
    // A child of INHERITS lacks the indexes of the table that is named.
    let is_alone = |table: &&Table| table.partition_by.is_none() && !schema.is_inherited(table);
    let Some(table) = schema.stored(&wanted.table).filter(is_alone) else { return false };
    let (method, class) = wanted.method.unwrap_or(("btree", ""));
    let is_key = |wanted: &String, key: &IndexKey| {
        let is_plain = !key.desc && !key.nulls_first && key.prefix.is_none() && key.collation.is_none();
        let is_of_class = key.opclass.as_deref().unwrap_or_default() == class;
        let column = key.as_column().map(|column| quote_if_needed(column, schema.dialect));
        is_plain && is_of_class && column.as_ref() == Some(wanted)
    };
    table.indexes.iter().any(|index| {
        index.method == if method.is_empty() { "btree" } else { method }
            && index.predicate.is_none()
            && wanted.predicate.is_none()
            && index.keys.len() == wanted.columns.len()
            && wanted.columns.iter().zip(&index.keys).all(|(wanted, key)| is_key(wanted, key))
    })
}

/// The key columns that serve all of `members` in an index restricted to `shared`; `None` if there are none.
fn columns(members: &[&Wanted], shared: &[String]) -> Option<Vec<String>> {
    let mut shapes: Vec<Vec<Vec<String>>> = Vec::new();
    for member in members {
        shapes.push(shape(member, shared)?);
    }
    // Shorter shapes first, since longer ones extend them.
    shapes.sort_by_key(|shape| shape.iter().map(Vec::len).sum::<usize>());
    let mut keys: Vec<Vec<String>> = Vec::new();
    for shape in shapes {
        keys = with(keys, shape)?;
    }
    let columns: Vec<String> = keys.into_iter().flatten().collect();
    (!columns.is_empty()).then_some(columns)
}

/// Whether an index also narrows an access that it does not fully serve: the access fixes its leading keys,
/// and one of them is selective.
pub(super) fn narrows(index: &NewIndex, wanted: &Wanted) -> bool {
    if index.table != wanted.table
        || index.method != wanted.method
        || wanted.ordered
        || index.method.is_some()
    {
        return false;
    }
    let implied = index.predicate.as_ref().is_none_or(|predicate| {
        predicate.split(" AND ").all(|part| wanted.constants.iter().any(|constant| constant == part))
    });
    let first = index.columns.iter().map_while(|column| wanted.equal.iter().find(|key| key.sql == *column));
    implied && first.into_iter().any(|key| !key.few_values && key.constant.is_none())
}

/// The conditions that every member has.
fn shared_constants(members: &[&Wanted]) -> Vec<String> {
    let Some((first, others)) = members.split_first() else { return Vec::new() };
    let in_all = |text: &&String| others.iter().all(|other| other.constants.contains(text));
    first.constants.iter().filter(in_all).cloned().collect()
}

/// Whether an access has a key to search by in an index restricted to `shared`, rather than an order alone.
fn is_searched(wanted: &Wanted, shared: &[String]) -> bool {
    let without = if wanted.ordered { wanted.rest.len() } else { 0 };
    shape(wanted, shared).is_some_and(|groups| groups.len() > without)
}

/// The keys of one access in groups, in an index restricted to `shared`. The order within a group is free.
fn shape(wanted: &Wanted, shared: &[String]) -> Option<Vec<Vec<String>>> {
    let is_shared = |key: &&Key| key.constant.as_ref().is_some_and(|constant| shared.contains(constant));
    let mut equal: Vec<&Key> = wanted.equal.iter().filter(|key| !is_shared(key)).collect();
    // Next to a selective key, one with few values narrows little, and costs on every write.
    if equal.iter().any(|key| !key.few_values) {
        equal.retain(|key| !key.few_values);
    }
    if wanted.ordered && equal.iter().any(|key| key.several) {
        return None;
    }
    // Selective keys before those with few values.
    equal.sort_by_key(|key| (key.few_values, key.constant.is_some()));
    let equal: Vec<String> = equal.into_iter().map(|key| key.sql.clone()).collect();
    let rest: Vec<&String> = wanted.rest.iter().filter(|key| !equal.contains(key)).collect();
    let rest = rest.into_iter().map(|key| vec![key.clone()]);
    Some(std::iter::once(equal).filter(|group| !group.is_empty()).chain(rest).collect())
}

/// The keys extended so that they serve `wanted` as well; `None` if no order of them does.
fn with(keys: Vec<Vec<String>>, wanted: Vec<Vec<String>>) -> Option<Vec<Vec<String>>> {
    let mut own = keys.into_iter();
    let mut rest: Option<Vec<String>> = None;
    let mut keys = Vec::new();
    for mut group in wanted {
        while !group.is_empty() {
            let Some(next) = rest.take().or_else(|| own.next()) else {
                keys.push(std::mem::take(&mut group));
                break;
            };
            let (shared, other): (Vec<String>, Vec<String>) =
                next.into_iter().partition(|key| group.contains(key));
            if shared.is_empty() {
                return None;
            }
            group.retain(|key| !shared.contains(key));
            // The rest of a group follows the shared part, so only one side may have a rest.
            if !other.is_empty() && !group.is_empty() {
                return None;
            }
            keys.push(shared);
            rest = Some(other).filter(|other| !other.is_empty());
        }
    }
    keys.extend(rest);
    keys.extend(own);
    Some(keys)
}

/// A key as MySQL can store it: only a prefix of long text.
fn storable(column: String, table: &Name, schema: &Schema) -> String {
    let ty = schema.stored(table).and_then(|table| table.column(column.trim_matches('`')));
    let is_long = ty.is_some_and(|column| {
        let ty = column.ty.to_lowercase();
        ty.ends_with("text") || ty.ends_with("blob")
    });
    if schema.dialect == Dialect::MySql && is_long { format!("{column}({STORED})") } else { column }
}
