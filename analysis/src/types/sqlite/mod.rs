//! The columns of queries on SQLite, as described by sqlx: a column of a table has its declared type, any
//! other value its own type.
//!
//! sqlx runs a read-only query against the rows in the database, and uses the types of the values; without a
//! row it traces SQLite's bytecode for the query. A type is reported here if it is the same for every row.
//! SQLite has no types for parameters.

mod calls;
mod columns;
mod exprs;
mod ty;

use super::{Column, Described, Known, Origin, Parameter, SqlType, TypeKind, generated};
use crate::schema::Schema;
use crate::sql::Query;
use crate::sql::expr::Expr;
use crate::sql::query::{BlockId, Body};
use ty::{Null, Ty, Value};

/// The maximum nesting of views, derived tables and expressions.
const MAX_VALUE_DEPTH: usize = 48;

/// The types of a query's columns.
pub(super) fn describe(query: &Query, schema: &Schema) -> Described {
    let why = "SQLite takes values of any type".to_owned();
    let parameter = Parameter { ty: Known::Unknown(why.clone()), why };
    let outputs = query.root.map(|root| &query.block(root).outputs);
    let columns = match (query.root, outputs) {
        (Some(root), Some(Some(outputs))) => {
            let reader = Reader::new(query, schema);
            let values = (0..outputs.len()).map(|at| reader.output(root, at, 0));
            let certain = |value: Value| reader.certain(query, root, value);
            outputs.iter().zip(values).map(|(output, value)| column(&output.name, certain(value))).collect()
        }
        _ => Vec::new(),
    };
    Described {
        columns,
        parameters: vec![parameter; query.parameters],
        errors: generated::errors(query, schema),
        unknown: matches!(outputs, Some(None)).then(|| "the columns are not known".to_owned()),
        weighs: false,
    }
}

fn column(name: &str, value: Value) -> Column {
    let Null { said, is_certain, proven_not_null } = value.null;
    let ty = match value.ty {
        Ok(ty) => Known::Is(SqlType { name: ty.name().to_owned(), kind: TypeKind::Builtin }),
        Err(why) => Known::Unknown(why),
    };
    let why = match (&value.origin, proven_not_null) {
        (_, true) => "it is never NULL".to_owned(),
        (Origin::Table { table, column }, false) => match value.is_absent {
            true => format!("an outer join returns NULL where no row of `{table}` matches"),
            false => format!("column `{table}.{column}` is nullable"),
        },
        _ if value.is_absent => "an outer join returns NULL where nothing matches".to_owned(),
        _ => "its computed value can be NULL".to_owned(),
    };
    Column {
        name: name.to_owned(),
        ty,
        nullable: said,
        nullable_certain: is_certain,
        proven_not_null,
        origin: value.origin,
        why,
    }
}

/// Derives values from a query.
struct Reader<'a> {
    query: &'a Query,
    schema: &'a Schema,
    /// Whether sqlx's trace of the bytecode may end before the first row, so that it only reports declared
    /// column types.
    may_end_early: bool,
}

impl<'a> Reader<'a> {
    fn new(query: &'a Query, schema: &'a Schema) -> Reader<'a> {
        let mut reader = Reader { query, schema, may_end_early: false };
        reader.may_end_early = reader.tests_unknown_function();
        reader
    }

    /// Whether a value that sqlx cannot track is compared or tested: its trace ends there.
    fn tests_unknown_function(&self) -> bool {
        let is_unknown = |expr: &Expr| match expr {
            Expr::Call(call) => !calls::is_followed(call),
            Expr::Like { .. } => false,
            // Its bytecode is not traced at all.
            Expr::Literal(crate::sql::expr::Literal::Other(_)) => true,
            _ => false,
        };
        let holds = |expr: &Expr| expr.any(is_unknown);
        self.query.block_ids().any(|(_, block)| {
            let keys = block.order_by.iter().map(|key| &key.expr);
            let outside = block.conditions().into_iter().chain(keys).any(holds);
            let (grouped, projection): (&[Expr], &[Expr]) = match &block.body {
                Body::Select(select) => (&select.group_by, &select.projection),
                Body::Write(write) => (&[], write.returning.as_deref().unwrap_or_default()),
                _ => (&[], &[]),
            };
            let inside = |expr: &Expr| match expr {
                Expr::Literal(crate::sql::expr::Literal::Other(_)) => true,
                expr => expr
                    .children()
                    .into_iter()
                    .any(|inner| holds(inner) || inner.any(|inner| matches!(inner, Expr::Like { .. }))),
            };
            let having = match &block.body {
                Body::Select(select) => select.having.iter().any(holds),
                _ => false,
            };
            outside || having || grouped.iter().any(holds) || projection.iter().any(inside)
        })
    }

    /// Restricts a value to what is certain, given the query that returns it.
    fn certain(&self, query: &Query, root: BlockId, mut value: Value) -> Value {
        let is_column = matches!(value.origin, Origin::Table { .. }) && !value.is_rowid;
        let writes = matches!(query.block(root).body, Body::Write(_));
        if !is_column && (self.may_end_early || writes) {
            value.null.is_certain = false;
        }
        value
    }

    /// The value of an output of a block.
    fn output(&self, block: BlockId, at: usize, depth: usize) -> Value {
        if depth > MAX_VALUE_DEPTH {
            return Value::unknown("it is nested too deep");
        }
        let inner = self.query.block(block);
        match &inner.body {
            Body::Set { left, right, .. } => {
                if self.refers_to(*right, block) {
                    return self.recursive(*left, *right, at, depth);
                }
                let (left, right) = (self.output(*left, at, depth + 1), self.output(*right, at, depth + 1));
                left.or(right, "the arms of a set operation are")
            }
            Body::Values(rows) => {
                let values = rows.iter().map(|row| match row.get(at) {
                    Some(expr) => self.value(expr, block, depth + 1),
                    None => Value::unknown("a row has fewer values"),
                });
                let all = values.reduce(|all, value| all.or(value, "the rows of VALUES are"));
                all.unwrap_or_else(|| Value::unknown("there are no rows"))
            }
            _ => match inner.outputs.as_ref().and_then(|outputs| outputs.get(at)) {
                Some(output) => self.value(&output.expr, block, depth + 1),
                None => Value::unknown("the columns are not known"),
            },
        }
    }

    /// Whether a block or one inside it reads the rows of another, or those of the set operation around it.
    fn refers_to(&self, block: BlockId, of: BlockId) -> bool {
        use crate::sql::query::Source;
        self.query.relations.iter().any(|relation| {
            matches!(relation.source, Source::Cte(cte) if cte == of)
                && self.query.is_within(relation.block, block)
        })
    }

    /// The value of a recursive query: its initial rows determine the type, and the others have to match.
    fn recursive(&self, first: BlockId, _again: BlockId, at: usize, depth: usize) -> Value {
        let mut value = self.output(first, at, depth + 1);
        value.null = Null { is_certain: false, proven_not_null: false, ..value.null };
        if value.ty.is_ok() {
            value.ty = Err("the rows of a recursive query need not be of one type".to_owned());
        }
        value.origin = Origin::Expression;
        value
    }
}

impl Value {
    /// The common part of this value and another.
    fn or(self, other: Value, which: &str) -> Value {
        let ty = match (self.ty, other.ty) {
            (Ok(one), Ok(other)) if one.computed() == other.computed() || one == other => Ok(one),
            (Ok(one), Ok(other)) => Err(format!("{which} {} and {}", one.name(), other.name())),
            (Ok(one), Err(_)) if other.is_null => Ok(one),
            (Err(_), Ok(other)) if self.is_null => Ok(other),
            (Err(why), _) | (_, Err(why)) => Err(why),
        };
        let origin = if self.origin == other.origin { self.origin } else { Origin::Expression };
        Value {
            ty,
            null: self.null.or(other.null),
            origin,
            is_rowid: self.is_rowid,
            is_null: self.is_null && other.is_null,
            is_absent: self.is_absent || other.is_absent,
        }
    }
}

/// The type of a value as an operand.
fn operand(ty: &Result<Ty, String>) -> Result<Ty, String> {
    match ty {
        Ok(ty) => ty.computed().ok_or_else(|| {
            format!("a value that is declared {} is stored as text, a number or anything else", ty.name())
        }),
        Err(why) => Err(why.clone()),
    }
}
