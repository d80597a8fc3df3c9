//! The index that would serve an access that none serves: equality columns first, then one range.

use super::condition::{Compare, Condition};
use crate::schema::{Name, Schema};
use crate::sql::Dialect;
use crate::sql::ddl::quote_if_needed;
use crate::sql::expr::{Expr, LikeKind, Op};
use crate::sql::query::RelationId;

/// An index that does not exist yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// The table.
    pub table: Name,
    /// Its keys as SQL, in order.
    pub columns: Vec<String>,
    /// How many of the first keys are compared for equality, so that they may stand in any order among themselves.
    pub equal: usize,
    /// The condition of a partial index as SQL.
    pub predicate: Option<String>,
    /// The access method where it is not btree, and the operator class where one is needed.
    pub method: Option<(&'static str, &'static str)>,
}

impl Wanted {
    /// The statement that makes it.
    pub fn ddl(&self, dialect: Dialect) -> String {
        let using = self.method.map_or_else(String::new, |(method, _)| format!("USING {method} "));
        let class = self.method.map_or_else(String::new, |(_, class)| {
            if class.is_empty() { String::new() } else { format!(" {class}") }
        });
        let columns: Vec<String> = self.columns.iter().map(|column| format!("{column}{class}")).collect();
        let predicate = self.predicate.as_ref().map_or_else(String::new, |p| format!(" WHERE {p}"));
        let name = match dialect {
            // Postgres makes a name up; the others want one.
            Dialect::Postgres => String::new(),
            Dialect::MySql | Dialect::Sqlite => format!("{} ", quote_if_needed(&self.name(), dialect)),
        };
        let schema = self.table.schema.as_ref().map(|schema| quote_if_needed(schema, dialect) + ".");
        let table = schema.unwrap_or_default() + &quote_if_needed(&self.table.name, dialect);
        format!("CREATE INDEX {name}ON {table} {using}({}){predicate}", columns.join(", "))
    }

    /// A name for it: table and columns.
    pub fn name(&self) -> String {
        let mut name = self.table.name.clone();
        for column in &self.columns {
            name.push('_');
            name.extend(column.chars().filter(|c| c.is_alphanumeric() || *c == '_'));
        }
        name.push_str("_idx");
        name
    }
}

/// The index that would serve `relation`, if a plain one can.
pub(super) fn wanted(
    schema: &Schema,
    table: &Name,
    relation: RelationId,
    conditions: &[Condition],
) -> Option<Wanted> {
    // An index on a condition as a whole is too special to propose.
    let own =
        |condition: &&Condition| !condition.needs.contains(&relation) && !is_condition(&condition.operand);
    let known = schema.tables.get(table)?;
    let text = |condition: &Condition| match condition.operand.as_column() {
        Some(column) => {
            known.column(&column.name).map(|column| quote_if_needed(&column.name, schema.dialect))
        }
        None => Some(format!("({})", condition.operand)),
    };
    let mut columns: Vec<String> = Vec::new();
    let pick = |columns: &mut Vec<String>, wanted: &dyn Fn(&Compare) -> bool, most: usize| {
        let mut added = 0;
        for condition in conditions.iter().filter(own).filter(|condition| wanted(&condition.compare)) {
            if added == most {
                break;
            }
            if let Some(column) = text(condition)
                && !columns.contains(&column)
            {
                columns.push(column);
                added += 1;
            }
        }
    };
    // Constants and parameters before columns of other tables: those may be reached from here instead.
    pick(&mut columns, &|compare| *compare == Compare::Equal, usize::MAX);
    pick(&mut columns, &|compare| *compare == Compare::Null, usize::MAX);
    let equal = columns.len();
    pick(&mut columns, &|compare| *compare == Compare::Range, 1);
    if !columns.is_empty() {
        return Some(Wanted { table: table.clone(), columns, equal, predicate: None, method: None });
    }
    if schema.dialect == Dialect::Postgres {
        let special = conditions.iter().filter(own).find_map(|condition| {
            let column = text(condition)?;
            let ty = condition
                .operand
                .as_column()
                .and_then(|c| known.column(&c.name))
                .map_or("", |c| c.ty.as_str());
            let method = match &condition.compare {
                Compare::Prefix(LikeKind::Like) if !ty.contains("citext") => ("btree", "text_pattern_ops"),
                Compare::Prefix(_) | Compare::Pattern(_) => ("gin", "gin_trgm_ops"),
                Compare::Operator(op)
                    if matches!(op.as_str(), "@>" | "<@" | "&&" | "@@" | "?" | "?|" | "?&") =>
                {
                    ("gin", "")
                }
                _ => return None,
            };
            Some((column, method))
        });
        if let Some((column, method)) = special {
            return Some(Wanted {
                table: table.clone(),
                columns: vec![column],
                equal: 0,
                predicate: None,
                method: Some(method),
            });
        }
    }
    let mut columns = Vec::new();
    pick(&mut columns, &|compare| *compare == Compare::NotNull, 1);
    (!columns.is_empty()).then(|| Wanted {
        table: table.clone(),
        columns,
        equal: 0,
        predicate: None,
        method: None,
    })
}

/// Whether an expression is true or false rather than a value.
fn is_condition(expr: &Expr) -> bool {
    match expr {
        Expr::Binary { op, .. } => !matches!(op, Op::Concat | Op::Arithmetic(_) | Op::Other(_)),
        Expr::Is { .. } | Expr::InList { .. } | Expr::InQuery { .. } | Expr::Any { .. } => true,
        Expr::Between { .. } | Expr::Like { .. } | Expr::Exists { .. } | Expr::And(_) | Expr::Or(_) => true,
        _ => false,
    }
}
