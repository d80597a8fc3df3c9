//! Indexes with resolved expressions and predicates, cached per table.

use std::sync::Arc;

use super::columns;
use crate::schema::{Column, Index, KeyPart, Schema, Table, UserType};
use crate::sql::expr::{ColumnRef, Expr};
use crate::sql::{Dialect, predicates, type_names};

/// An index, resolved.
#[derive(Debug)]
pub struct PreparedIndex {
    /// The original index.
    pub(crate) index: Index,
    /// The resolved keys; `None` if an expression does not parse, so that the key serves nothing.
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

/// The indexes of a table of `schema`, refreshed if the table has changed.
pub(crate) fn indexes(schema: &Schema, table: &Table) -> Arc<Vec<PreparedIndex>> {
    let is_current = |prepared: &Vec<PreparedIndex>| {
        prepared.len() == table.indexes.len()
            && prepared.iter().zip(&table.indexes).all(|(prepared, index)| prepared.index == *index)
    };
    schema.prepared.get(&table.name, is_current, || {
        Arc::new(table.indexes.iter().map(|index| prepare(schema, table, index)).collect())
    })
}

fn prepare(schema: &Schema, table: &Table, index: &Index) -> PreparedIndex {
    let is_implicit = |column: &ColumnRef, ty: &str| {
        type_names::is_unlimited_text(ty)
            && table.column(&column.name).is_some_and(|column| is_like_text(schema, &column.ty))
    };
    let resolve = |sql: &str| {
        let columns = columns::of_table(schema, table);
        let mut expr = crate::sql::resolve::expression(sql, schema.dialect, columns)?;
        // On its own, a cast from `char(n)` strips trailing blanks.
        let is_stripped = matches!(&expr, Expr::Cast { expr, .. }
            if expr.as_column().and_then(|column| table.column(&column.name)).is_some_and(is_padded));
        if schema.dialect == Dialect::Postgres && !is_stripped {
            predicates::drop_text_casts(&mut expr, &is_implicit);
        }
        Some(expr)
    };
    let type_of = |column: &ColumnRef| table.column(&column.name).map(|column| column.ty.as_str());
    let keys = index.keys.iter().map(|key| match &key.part {
        KeyPart::Column(name) => Some(own_column(name)),
        KeyPart::Expression(sql) => resolve(sql),
    });
    PreparedIndex {
        keys: keys.collect(),
        predicate: match &index.predicate {
            None => Predicate::None,
            Some(sql) => resolve(sql).map_or(Predicate::NotUnderstood, |predicate| {
                Predicate::Known(match schema.dialect {
                    Dialect::Postgres => predicates::with_casts(&predicate, &type_of).into_owned(),
                    Dialect::MySql | Dialect::Sqlite => predicate,
                })
            }),
        },
        index: index.clone(),
    }
}

/// Whether servers print implicit casts to text around columns of a type: text types, and domains, which may
/// be over text.
fn is_like_text(schema: &Schema, ty: &str) -> bool {
    let base = ty.split('(').next().unwrap_or(ty).trim();
    matches!(base, "text" | "character varying" | "character" | "bpchar" | "citext" | "name")
        || matches!(schema.user_type(None, ty), Some(UserType::Domain { .. }))
}

fn is_padded(column: &Column) -> bool {
    matches!(column.ty.split('(').next().map(str::trim), Some("character" | "bpchar"))
}

/// A column of the table that an index belongs to.
pub(crate) fn own_column(name: &str) -> Expr {
    Expr::Column(ColumnRef { relation: None, name: name.to_owned(), span: None })
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
