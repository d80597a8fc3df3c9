//! Comparisons written so that no index applies, not even one on the column: the problem is the query, not a
//! missing index.

use super::compared::is_textual;
use super::condition::Reader;
use super::new_index::NewIndex;
use super::pattern;
use super::serve::Indexes;
use crate::schema::IndexKey;
use crate::schema::prepared::PreparedIndex;
use crate::sql::Dialect;
use crate::sql::expr::{Expr, LikeKind, Op, Test};
use crate::sql::quote::quote_if_needed;

/// Why no index can be searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hindrance {
    /// The column in the comparison.
    pub column: String,
    /// Why no index serves the comparison, as a sentence without a full stop.
    pub why: String,
    /// What to write instead, as an imperative.
    pub instead: String,
    /// The index that it needs then, if there is none.
    pub index: Option<NewIndex>,
}

/// The hindrance in one conjunct of a query.
pub(super) fn of(reader: &Reader<'_>, conjunct: &Expr) -> Option<Hindrance> {
    match conjunct {
        Expr::Binary { op: Op::Eq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq, left, .. }
            if reader.dialect == Dialect::MySql =>
        {
            joined_texts(reader, left).or_else(|| compared(reader, conjunct))
        }
        _ => compared(reader, conjunct),
    }
}

/// `a = ? || b = ?` if `||` concatenates: that compares the result of a comparison, and is not an OR.
fn joined_texts(reader: &Reader<'_>, left: &Expr) -> Option<Hindrance> {
    let Expr::Binary { op, left: own, right } = left else { return None };
    if !op.is_comparison() || !matches!(**right, Expr::Binary { op: Op::Concat, .. }) {
        return None;
    }
    // In a chain, the first is the innermost.
    joined_texts(reader, own).or_else(|| {
        let column = left.columns().into_iter().find(|column| column.relation == Some(reader.relation))?;
        Some(Hindrance {
            column: column.name.clone(),
            why: "sqlx sets `PIPES_AS_CONCAT`, under which `||` joins texts instead of meaning OR".to_owned(),
            instead: "write `OR` between the conditions: `||` joins its operands into a text".to_owned(),
            index: None,
        })
    })
}

fn compared(reader: &Reader<'_>, conjunct: &Expr) -> Option<Hindrance> {
    match conjunct {
        Expr::Binary {
            op: op @ (Op::Same | Op::Eq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq),
            left,
            right,
        } => comparison(reader, op, left, right).or_else(|| comparison(reader, op, right, left)),
        Expr::Any { left, op: Op::Eq, right, all: false } if reader.dialect == Dialect::Postgres => {
            let column = reader.own_column(right)?;
            reader.type_of_own(right)?.ends_with("[]").then(|| Hindrance {
                why: format!(
                    "`= ANY ({column})` looks into the array of each row, and no index is searched by it"
                ),
                instead: format!("write `{column} @> ARRAY[{left}]`, which a GIN index serves"),
                column: column.to_owned(),
                index: None,
            })
        }
        // SQLite converts what a list holds.
        Expr::InList { expr, list, negated: false } if reader.dialect != Dialect::Sqlite => {
            list.iter().find_map(|value| comparison(reader, &Op::Eq, expr, value))
        }
        Expr::Between { expr, low, high, negated: false } => {
            [low, high].into_iter().find_map(|bound| comparison(reader, &Op::GtEq, expr, bound))
        }
        Expr::Like { expr, pattern, kind: kind @ LikeKind::Like, negated: false }
            if reader.dialect == Dialect::MySql
                && pattern::has_fixed_start(pattern, *kind, reader.dialect) =>
        {
            let column = reader.own_column(expr)?;
            let ty = reader.type_of_own(expr)?;
            is_time(ty).then(|| Hindrance {
                why: format!(
                    "`{column}` is turned into a text in each row to match the pattern, and an index holds it as {ty}"
                ),
                instead: format!("compare `{column}` with the bounds of a range: `>=` its start and `<` its end"),
                column: column.to_owned(),
                index: None,
            })
        }
        _ => None,
    }
}

/// The hindrance in `flag IS TRUE` and its kind, where an index begins with the column: MariaDB evaluates the test for each
/// row, PostgreSQL those that are true of NULL as well, and SQLite a bare `flag` and `NOT flag`.
pub(super) fn of_test(reader: &Reader<'_>, indexes: &Indexes<'_>, conjunct: &Expr) -> Option<Hindrance> {
    let (expr, is_true, negated) = match conjunct {
        Expr::Is { expr, test: test @ (Test::True | Test::False), negated } => {
            (expr.as_ref(), (*test == Test::True) != *negated, *negated)
        }
        Expr::Column(_) if reader.dialect == Dialect::Sqlite => (conjunct, true, false),
        Expr::Not(inner) if reader.dialect == Dialect::Sqlite => (inner.as_ref(), false, false),
        _ => return None,
    };
    let column = reader.own_column(expr)?;
    let is_searched = match reader.dialect {
        Dialect::MySql => false,
        Dialect::Postgres => !negated,
        // Any other number is true as well.
        Dialect::Sqlite => !reader.type_of_own(expr)?.to_ascii_lowercase().contains("bool"),
    };
    let is_first =
        |index: &PreparedIndex| index.index.keys.first().and_then(IndexKey::as_column) == Some(column);
    if is_searched || !indexes.list().iter().any(is_first) {
        return None;
    }
    let table = indexes.table();
    let may_be_null = table.column(column).is_none_or(|column| !column.not_null);
    let mut instead = match (reader.dialect, is_true) {
        (Dialect::Postgres, true) => column.to_owned(),
        (Dialect::Postgres, false) => format!("NOT {column}"),
        (Dialect::Sqlite, true) => format!("{column} = 1"),
        (_, true) => format!("{column} <> 0"),
        (_, false) => format!("{column} = 0"),
    };
    if negated && may_be_null {
        instead = format!("{instead} OR {column} IS NULL");
    }
    Some(Hindrance {
        column: column.to_owned(),
        why: format!("`{conjunct}` is evaluated for each row, and no index is searched by it"),
        instead: format!("write `{instead}`, which an index on `{column}` serves"),
        index: None,
    })
}

/// Whether MySQL holds points in time in a type, so that those with a common start are a range.
fn is_time(ty: &str) -> bool {
    let ty = ty.to_ascii_lowercase();
    ["date", "timestamp"].iter().any(|word| ty.starts_with(word))
}

fn comparison(reader: &Reader<'_>, op: &Op, own: &Expr, value: &Expr) -> Option<Hindrance> {
    let column = reader.own_column(own)?;
    // Comparing two columns of the same row leaves no value to search for.
    if reader.own_column(value).is_some() {
        return None;
    }
    let ty = reader.type_of_own(own)?;
    let (why, instead) = if reader.casts(own, value) {
        (
            format!("`{column}` is cast to the type of `{value}` in each row, and an index holds it as {ty}"),
            format!("cast the value to {ty}, the type of `{column}`"),
        )
    } else if reader.collation_of_names(own, &[value]).is_some() {
        (
            format!(
                "`{value}` is of type name, whose collation \"C\" the comparison takes, and an index on `{column}` has another"
            ),
            format!("write `({value})::text COLLATE \"default\"`"),
        )
    } else if let Some(collation) = reader.collation_of_columns(own, &[value]) {
        (
            format!(
                "`{value}` has the collation {collation}, by which the comparison is made, and an index on `{column}` has another"
            ),
            format!("write `{value} COLLATE \"default\"`, or give both columns one collation"),
        )
    } else if reader.dialect == Dialect::Postgres && *op == Op::Same {
        (
            "no index is searched by `IS NOT DISTINCT FROM`".to_owned(),
            format!("compare `{column}` by `=`, and by `IS NULL` where there is no value"),
        )
    } else if reader.dialect == Dialect::MySql && reader.values.is_time(value) && reader.turns(own, &[value])
    {
        (
            format!("`{column}` is turned into a point in time in each row, and an index holds it as {ty}"),
            format!("compare `{column}` with a value of its own type, or store it as a point in time"),
        )
    } else if is_textual(ty) && reader.turns(own, &[value]) {
        (
            format!("`{column}` holds text, and that of each row is turned into a number for the comparison"),
            format!("compare `{column}` with a text"),
        )
    } else if let Some((charset, other)) = reader.widened(own, value) {
        (
            format!(
                "the text of `{column}` is converted from {charset} to {other} in each row, and an index holds it as {charset}"
            ),
            format!("give `{column}` the character set of `{value}`, {other}"),
        )
    } else {
        return None;
    };
    Some(Hindrance { column: column.to_owned(), why, instead, index: None })
}

/// The hindrance in a comparison with the result of a function that migrations create without saying that it returns the same for
/// the same arguments: PostgreSQL calls it for each row.
pub(super) fn of_volatile(reader: &Reader<'_>, indexes: &Indexes<'_>, conjunct: &Expr) -> Option<Hindrance> {
    // Most conditions call nothing of the kind.
    conjunct.first_call(reader.is_volatile)?;
    let (own, values): (&Expr, Vec<&Expr>) = match conjunct {
        Expr::Binary { op, left, right } if op.is_range() || *op == Op::Eq => {
            match reader.own_column(left).is_some() {
                true => (left, vec![right]),
                false => (right, vec![left]),
            }
        }
        Expr::InList { expr, list, negated: false } => (expr, list.iter().collect()),
        Expr::Between { expr, low, high, negated: false } => (expr, vec![low, high]),
        _ => return None,
    };
    let column = reader.own_column(own).filter(|_| values.iter().all(|value| value.is_constant()))?;
    let call = values.iter().find_map(|value| value.first_call(reader.is_volatile))?;
    let is_first =
        |index: &PreparedIndex| index.index.keys.first().and_then(IndexKey::as_column) == Some(column);
    let index = NewIndex {
        table: indexes.table().name.clone(),
        columns: vec![quote_if_needed(column, reader.dialect)],
        predicate: None,
        method: None,
    };
    let (name, call) = (&call.name, Expr::Call(call.clone()));
    Some(Hindrance {
        column: column.to_owned(),
        why: format!(
            "`{name}` is neither IMMUTABLE nor STABLE, so that it is called for each row, and no index is searched"
        ),
        instead: format!(
            "write `(SELECT {call})` for `{call}`, which calls it once, or declare `{name}` STABLE if it only reads"
        ),
        index: (!indexes.list().iter().any(is_first)).then_some(index),
    })
}
