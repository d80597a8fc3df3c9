//! Keys that follow from a table's own declarations.

use crate::schema::columns;
use crate::schema::prepared::{self, Predicate, PreparedIndex};
use crate::schema::{Schema, Table};
use crate::sql::expr::{ColumnRef, Expr, Literal, Op, Test};
use crate::sql::{Dialect, predicates, resolve};

/// Whether a CHECK restricts a key of the table to one value: `one_row boolean PRIMARY KEY CHECK (one_row)`.
pub(crate) fn is_singleton(table: &Table, schema: &Schema) -> bool {
    let mut keys = table.primary_key.first().filter(|_| table.primary_key.len() == 1).into_iter();
    if keys.any(|key| has_one_value(table, key, schema)) {
        return true;
    }
    let whole = |index: &&PreparedIndex| index.index.unique && matches!(index.predicate, Predicate::None);
    prepared::indexes(schema, table).iter().filter(whole).any(|index| match index.keys.as_slice() {
        // A unique constant allows one row.
        [Some(Expr::Literal(literal))] => *literal != Literal::Null,
        [Some(Expr::Column(column))] => has_one_value(table, &column.name, schema),
        _ => false,
    })
}

fn has_one_value(table: &Table, key: &str, schema: &Schema) -> bool {
    // A constant that is generated is the value of each row.
    let is_generated = |generated: &String| {
        let columns = columns::of_table(schema, table);
        let value = resolve::expression(generated, schema.dialect, columns);
        matches!(value.as_ref().map(Expr::without_casts), Some(Expr::Literal(literal)) if *literal != Literal::Null)
    };
    if table.column(key).and_then(|column| column.generated.as_ref()).is_some_and(is_generated) {
        return true;
    }
    // NULL satisfies every CHECK, and SQLite lets even a primary key be NULL, unless it is the rowid.
    let is_rowid =
        schema.dialect == Dialect::Sqlite && table.rowid_alias().is_some_and(|alias| alias.name == key);
    if !is_rowid && table.column(key).is_none_or(|column| !column.not_null) {
        return false;
    }
    table.checks.iter().filter(|check| check.condition.contains(key)).any(|check| {
        let columns = columns::of_table(schema, table);
        let condition = resolve::expression(&check.condition, schema.dialect, columns);
        condition.is_some_and(|condition| {
            let column = condition.columns().into_iter().find(|column| column.name == key).cloned();
            column.is_some_and(|column| {
                let is_one = |part: &Expr| is_only_value(part, &column, schema.dialect);
                condition.conjuncts().iter().any(is_one)
                    || predicates::is_fixed(&Expr::Column(column.clone()), condition.conjuncts())
            })
        })
    })
}

/// Whether a condition has one value for a column that is never NULL, and says so otherwise than by `=`.
fn is_only_value(condition: &Expr, column: &ColumnRef, dialect: Dialect) -> bool {
    let is_it = |expr: &Expr| expr.as_column() == Some(column);
    match condition {
        Expr::Binary { op: Op::Same, left, right } => {
            is_it(left) && right.is_constant() || is_it(right) && left.is_constant()
        }
        Expr::Between { expr, low, high, negated: false } => is_it(expr) && low == high && low.is_constant(),
        // A boolean has two values; a number in its place has more.
        Expr::Is { expr, test: Test::True | Test::False, negated: true } => {
            is_it(expr) && dialect == Dialect::Postgres
        }
        _ => false,
    }
}

/// The columns of a table, formatted for messages.
pub(super) fn columns_of(table: &Table, columns: &[&str]) -> String {
    match columns {
        [one] => format!("`{}.{one}`", table.name),
        several => format!("`{} ({})`", table.name, several.join(", ")),
    }
}
