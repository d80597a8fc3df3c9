//! Prints expressions and conditions as SQL that is valid in an index: columns, constants, and what is
//! immutable. Nothing else is printed, so that no suggested statement is rejected by the database.

use crate::schema::{Schema, Table};
use crate::sql::expr::{Call, Expr, Literal, Op, Test};
use crate::sql::query::RelationId;
use crate::sql::quote::quote_if_needed;
use crate::sql::{Dialect, type_names};

/// Prints expressions over one table.
#[derive(Clone, Copy)]
pub(super) struct Printer<'a> {
    pub(super) schema: &'a Schema,
    pub(super) table: &'a Table,
    pub(super) relation: RelationId,
}

/// A condition with the same values in every run of the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Constant {
    /// The SQL for a partial index.
    pub(super) text: String,
    /// The key, if the condition compares it for equality.
    pub(super) key: Option<String>,
    /// Whether it makes sense as the predicate of an index. A number may be one of many, such as an id: an
    /// index for it alone would serve no other value.
    pub(super) is_partial: bool,
}

impl Constant {
    /// Whether it compares a key with true or false; in databases without booleans, with 0 or 1.
    pub(super) fn is_truth(&self, dialect: Dialect) -> bool {
        let value = self.key.as_ref().and_then(|key| self.text.strip_prefix(key.as_str()));
        match value.unwrap_or_default().trim_start_matches([' ', '=']) {
            "TRUE" | "FALSE" => true,
            "0" | "1" => dialect != Dialect::Postgres,
            _ => false,
        }
    }
}

impl<'a> Printer<'a> {
    /// A key of an index: a column, or an expression in parentheses.
    pub(super) fn key(&self, operand: &Expr) -> Option<String> {
        match operand {
            Expr::Column(_) => self.value(operand),
            Expr::Collate { expr, collation } if self.schema.dialect != Dialect::MySql => {
                let collation = quote_if_needed(collation, self.schema.dialect);
                self.key(expr).map(|key| format!("{key} COLLATE {collation}"))
            }
            // MariaDB does not support expressions in indexes, and its dialect is MySQL's.
            _ if self.schema.dialect == Dialect::MySql => None,
            _ if operand.columns().is_empty() => None,
            _ => self.value(operand).map(|text| format!("({text})")),
        }
    }

    /// The type of a column of the table.
    pub(super) fn type_of(&self, operand: &Expr) -> &'a str {
        let column = operand.as_column().and_then(|column| self.table.column(&column.name));
        column.map_or("", |column| column.ty.as_str())
    }

    /// The type of a column, or of a part of a document.
    pub(super) fn content_type(&self, operand: &Expr) -> &'a str {
        match operand {
            Expr::Binary { op: Op::Other(op), left, .. } if matches!(op.as_str(), "->" | "#>") => {
                self.content_type(left)
            }
            other => self.type_of(other),
        }
    }

    /// A condition without parameters on this table alone. Ranges do not qualify, since their bounds move
    /// over time.
    pub(super) fn constant(&self, condition: &Expr) -> Option<Constant> {
        let known = |text: String, key: Option<String>| Some(Constant { text, key, is_partial: true });
        match condition {
            Expr::Binary { op: op @ (Op::Eq | Op::NotEq), left, right } => {
                let (column, value) = if left.as_column().is_some() { (left, right) } else { (right, left) };
                let (key, text) = (self.column(column)?, self.literal(value)?);
                let is_eq = *op == Op::Eq;
                let constant = Constant {
                    text: format!("{key} {} {text}", op.as_str()),
                    key: is_eq.then_some(key),
                    is_partial: true,
                };
                let is_partial = !is_number(value) || constant.is_truth(self.schema.dialect) || !is_eq;
                Some(Constant { is_partial, ..constant })
            }
            Expr::InList { expr, list, negated: false } => {
                let key = self.column(expr)?;
                let values: Option<Vec<String>> = list.iter().map(|value| self.literal(value)).collect();
                let text = format!("{key} IN ({})", values?.join(", "));
                Some(Constant { text, key: Some(key), is_partial: !list.iter().any(is_number) })
            }
            Expr::Is { expr, test: Test::Null, negated } => {
                let key = self.column(expr)?;
                let not = if *negated { "NOT " } else { "" };
                known(format!("{key} IS {not}NULL"), (!negated).then_some(key))
            }
            Expr::Column(_) => self.column(condition).and_then(|key| known(key.clone(), Some(key))),
            Expr::Not(inner) => {
                let key = self.column(inner)?;
                known(format!("NOT {key}"), Some(key))
            }
            Expr::Is { expr, test: test @ (Test::True | Test::False), negated: false } => {
                let key = self.column(expr)?;
                let word = if *test == Test::True { "TRUE" } else { "FALSE" };
                known(format!("{key} IS {word}"), Some(key))
            }
            _ => None,
        }
    }

    fn column(&self, expr: &Expr) -> Option<String> {
        expr.as_column().and_then(|_| self.value(expr))
    }

    /// A constant whose meaning does not depend on the session.
    fn literal(&self, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Cast { expr, .. } => self.literal(expr),
            Expr::Unary { op, expr } if op == "-" => self.literal(expr).map(|text| format!("-{text}")),
            Expr::Literal(Literal::Null | Literal::Other(_)) => None,
            Expr::Literal(Literal::Bool(value)) => Some(if *value { "TRUE" } else { "FALSE" }.to_owned()),
            Expr::Literal(Literal::Number(text)) => Some(text.clone()),
            // MySQL would treat a backslash as an escape.
            Expr::Literal(Literal::Text(text)) if !text.contains('\\') => {
                Some(format!("'{}'", text.replace('\'', "''")))
            }
            _ => None,
        }
    }

    fn value(&self, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Column(column) if column.relation == Some(self.relation) => {
                let known = self.table.column(&column.name)?;
                Some(quote_if_needed(&known.name, self.schema.dialect))
            }
            Expr::Literal(_) => self.literal(expr),
            Expr::Call(call) => self.call(call),
            Expr::Cast { expr, ty } => {
                let text = type_names::is_unlimited_text(ty);
                let plain = text || matches!(ty.as_str(), "int" | "integer" | "bigint" | "uuid" | "numeric");
                // A value extracted from JSON is text; parsing other types depends on the session.
                let from = matches!(expr.as_ref(), Expr::Binary { op: Op::Other(op), .. } if op == "->>" || op == "#>>");
                // The day of a time without a zone depends on no setting.
                let day = ty == "date" && self.is_zoneless(expr);
                (plain && from || day)
                    .then(|| self.value(expr))
                    .flatten()
                    .map(|inner| format!("({inner})::{ty}"))
            }
            Expr::Binary { op: Op::Concat, left, right } => {
                let is_text = |side: &Expr| match side.without_casts() {
                    Expr::Literal(Literal::Text(_)) => true,
                    side => type_names::is_text(self.type_of(side)),
                };
                (self.schema.dialect == Dialect::Postgres && is_text(left) && is_text(right))
                    .then(|| Some(format!("{} || {}", self.value(left)?, self.value(right)?)))?
            }
            Expr::Binary { op: Op::Arithmetic(op), left, right } => {
                let is_immutable = |side: &Expr| is_number(side) || is_number_type(self.type_of(side));
                (is_immutable(left) && is_immutable(right))
                    .then(|| Some(format!("{} {op} {}", self.value(left)?, self.value(right)?)))?
            }
            Expr::Binary { op: Op::Other(op), left, right }
                if matches!(op.as_str(), "->" | "->>" | "#>" | "#>>") =>
            {
                Some(format!("{} {op} {}", self.value(left)?, self.literal(right)?))
            }
            _ => None,
        }
    }

    /// Whether a column holds a time without a zone.
    fn is_zoneless(&self, expr: &Expr) -> bool {
        let ty = self.type_of(expr);
        self.schema.dialect == Dialect::Postgres
            && ty.starts_with("timestamp")
            && !ty.ends_with("with time zone")
    }

    fn call(&self, call: &Call) -> Option<String> {
        const SAME_FOR_THE_SAME: &[&str] = &[
            "lower",
            "upper",
            "length",
            "char_length",
            "abs",
            "md5",
            "btrim",
            "ltrim",
            "rtrim",
            "left",
            "right",
            "substr",
            "reverse",
            "coalesce",
            "nullif",
        ];
        let is_configured_search = call.name == "to_tsvector"
            && matches!(call.args.as_slice(), [first, _] if matches!(first.without_casts(), Expr::Literal(Literal::Text(_))));
        let is_truncated = call.name == "date_trunc"
            && matches!(call.args.as_slice(), [Expr::Literal(_), time] if self.is_zoneless(time));
        let is_of_sqlite = self.schema.dialect == Dialect::Sqlite
            && matches!(call.name.as_str(), "json_extract" | "ifnull" | "instr");
        let known = SAME_FOR_THE_SAME.contains(&call.name.as_str())
            || is_configured_search
            || is_truncated
            || is_of_sqlite;
        if !known || call.window || call.distinct || !call.modifiers.is_empty() {
            return None;
        }
        let args: Option<Vec<String>> = call.args.iter().map(|arg| self.value(arg)).collect();
        Some(format!("{}({})", call.name, args?.join(", ")))
    }
}

/// Whether arithmetic on values of a type depends on no setting of the session.
fn is_number_type(ty: &str) -> bool {
    let base = ty.split('(').next().unwrap_or(ty).trim();
    matches!(base, "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision")
}

fn is_number(expr: &Expr) -> bool {
    match expr.without_casts() {
        Expr::Literal(Literal::Number(_)) => true,
        Expr::Unary { expr, .. } => is_number(expr),
        _ => false,
    }
}
