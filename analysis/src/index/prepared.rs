//! Indexes with their expressions and predicates resolved, once for each table of a schema.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::schema::{Index, KeyPart, Name, Schema, Table};
use crate::sql::expr::{ColumnRef, Expr};
use crate::sql::query::RelationColumn;

/// What is kept beside a schema. It is no part of what the schema says: a copy begins without it, and any two are equal.
#[derive(Default)]
pub struct Prepared(Mutex<BTreeMap<Name, Arc<Vec<PreparedIndex>>>>);

/// An index, resolved.
#[derive(Debug)]
pub(crate) struct PreparedIndex {
    /// The index this was made from.
    pub(crate) index: Index,
    /// What each key holds; `None` where its expression does not parse: then the key serves nothing.
    pub(crate) keys: Vec<Option<Expr>>,
    pub(crate) predicate: Predicate,
}

/// The predicate of a partial index.
#[derive(Debug)]
pub(crate) enum Predicate {
    None,
    Known(Expr),
    NotUnderstood,
}

/// The indexes of a table of `schema`, which may have changed since they were asked for last.
pub(crate) fn indexes(schema: &Schema, table: &Table) -> Arc<Vec<PreparedIndex>> {
    let mut known = schema.prepared.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(prepared) = known.get(&table.name)
        && prepared.len() == table.indexes.len()
        && prepared.iter().zip(&table.indexes).all(|(prepared, index)| prepared.index == *index)
    {
        return Arc::clone(prepared);
    }
    let prepared = Arc::new(table.indexes.iter().map(|index| prepare(schema, table, index)).collect());
    known.insert(table.name.clone(), Arc::clone(&prepared));
    prepared
}

fn prepare(schema: &Schema, table: &Table, index: &Index) -> PreparedIndex {
    let resolve = |sql: &str| {
        let columns = table.columns.iter();
        let columns = columns.map(|c| RelationColumn { name: c.name.clone(), ty: c.ty.clone() });
        crate::sql::resolve::expression(sql, schema.dialect, columns.collect())
    };
    let keys = index.keys.iter().map(|key| match &key.part {
        KeyPart::Column(name) => Some(own_column(name)),
        KeyPart::Expression(sql) => resolve(sql),
    });
    PreparedIndex {
        keys: keys.collect(),
        predicate: match &index.predicate {
            None => Predicate::None,
            Some(sql) => resolve(sql).map_or(Predicate::NotUnderstood, Predicate::Known),
        },
        index: index.clone(),
    }
}

/// A column of the table an index is of.
pub(super) fn own_column(name: &str) -> Expr {
    Expr::Column(ColumnRef { relation: None, name: name.to_owned(), span: None })
}

impl Clone for Prepared {
    fn clone(&self) -> Prepared {
        Prepared::default()
    }
}

impl PartialEq for Prepared {
    fn eq(&self, _: &Prepared) -> bool {
        true
    }
}

impl Eq for Prepared {}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prepared")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Replay;
    use crate::sql::Dialect;

    #[test]
    fn an_index_that_changes_is_resolved_anew() {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply("CREATE TABLE t (a text, b text); CREATE INDEX i ON t (lower(a));", "one.sql");
        let first = |schema: &Schema| {
            let table = schema.table(None, "t").expect("the table");
            indexes(schema, table)[0].keys[0].as_ref().map(ToString::to_string)
        };
        assert_eq!(first(&replay.schema).as_deref(), Some("lower(a)"));
        replay.apply("DROP INDEX i; CREATE INDEX i ON t (lower(b));", "two.sql");
        assert_eq!(first(&replay.schema).as_deref(), Some("lower(b)"));
    }
}
