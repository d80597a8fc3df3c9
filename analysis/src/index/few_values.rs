//! Columns with few distinct values, judging by the schema: an index on such a column alone still leaves much
//! of the table to read.

use std::sync::Arc;

use crate::schema::columns;
use crate::schema::{Name, Schema, Table, UserType};
use crate::sql::Dialect;
use crate::sql::expr::{Expr, Op};
use crate::sql::query::RelationColumn;

/// Whether a column has few values: a boolean, an enum, or one that a CHECK restricts to a list.
pub(crate) fn has_few_values(schema: &Schema, table: &Table, column: &str) -> bool {
    let Some(column) = table.column(column) else { return false };
    let ty = column.ty.to_lowercase();
    let by_type = match schema.dialect {
        Dialect::Postgres => is_short(schema, &column.ty),
        Dialect::MySql => ty == "tinyint(1)" || ty.starts_with("enum"),
        Dialect::Sqlite => ty.starts_with("bool"),
    };
    let listed = |condition: &str| {
        lists_values(schema.dialect, columns::of_table(schema, table), condition, &column.name)
    };
    by_type || table.checks.iter().any(|check| listed(&check.condition))
}

/// The maximum number of domains that are followed, each over the next.
const MOST_DOMAINS: usize = 8;

/// Whether a type of PostgreSQL has few values: a boolean, an enum, or a domain over one or with a list of them.
fn is_short(schema: &Schema, ty: &str) -> bool {
    let mut ty = ty;
    for _ in 0..MOST_DOMAINS {
        if ty.eq_ignore_ascii_case("boolean") {
            return true;
        }
        let (namespace, name) = match ty.rsplit_once('.') {
            Some((namespace, name)) => (Some(namespace), name),
            None => (None, ty),
        };
        let name = name.trim_matches('"');
        let known = schema.user_type(namespace, name).or_else(|| schema.types.get(&Name::new(name)));
        match known {
            Some(UserType::Enum(_)) => return true,
            Some(UserType::Domain { base, checks, .. }) => {
                let columns = || Arc::new([RelationColumn::new("value".to_owned(), base.clone())]);
                let lists =
                    |(_, check): &(String, String)| lists_values(schema.dialect, columns(), check, "value");
                if checks.iter().any(lists) {
                    return true;
                }
                ty = base;
            }
            _ => return false,
        }
    }
    false
}

/// Whether a CHECK restricts the column to a list of values.
fn lists_values(dialect: Dialect, columns: Arc<[RelationColumn]>, condition: &str, column: &str) -> bool {
    let resolved = crate::sql::resolve::expression(condition, dialect, columns);
    let is_column =
        |expr: &Expr| expr.without_casts().as_column().is_some_and(|mentioned| mentioned.name == column);
    let is_one = |part: &Expr| match part {
        Expr::InList { expr, negated: false, .. } => is_column(expr),
        Expr::Any { left, op: Op::Eq, right, all: false } => {
            is_column(left) && matches!(right.without_casts(), Expr::Array(_))
        }
        Expr::Binary { op: Op::Eq, left, right } => {
            is_column(left) && matches!(right.without_casts(), Expr::Literal(_))
        }
        _ => false,
    };
    resolved.is_some_and(|condition| {
        condition.conjuncts().iter().any(|part| match part {
            Expr::Or(arms) => arms.iter().all(is_one),
            part => is_one(part),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::has_few_values;
    use crate::schema::Replay;
    use crate::sql::Dialect;

    #[test]
    fn types_and_checks_tell_few_values() {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(
            "CREATE TYPE mood AS ENUM ('a', 'b'); CREATE DOMAIN feeling AS mood; CREATE DOMAIN flag AS boolean;
             CREATE DOMAIN side AS text CHECK (VALUE IN ('l', 'r')); CREATE DOMAIN name AS text CHECK (VALUE <> '');
             CREATE TABLE t (a mood, b feeling, c flag, d side, e boolean, f text CHECK (f = 'x' OR f = 'y'),
                 g text CHECK (g = ANY (ARRAY['x', 'y'])), u name, v text, w int CHECK (w > 5 OR w = 1))",
            "",
        );
        assert_eq!(replay.problems, []);
        let table = replay.schema.tables.values().next().expect("a table");
        let few = table.columns.iter().filter(|it| has_few_values(&replay.schema, table, &it.name));
        assert_eq!(few.map(|it| it.name.as_str()).collect::<String>(), "abcdefg");
    }
}
