//! Columns and expressions for which both servers give the same Rust type.

use super::calls::shifted;
use super::value::{Class, Value};
use super::{MAX_VIEW_DEPTH, Reader, wire};
use crate::sql::expr::{ColumnRef, Expr, Literal, Op};
use crate::sql::outer_joins;
use crate::sql::query::{BlockId, Body, Source};
use crate::types::Origin;

impl Reader<'_> {
    /// The value of an output of a block.
    pub(super) fn output(&self, block: BlockId, at: usize, depth: usize) -> Value {
        if depth > MAX_VIEW_DEPTH {
            return Value::unknown("it is nested too deep");
        }
        let inner = self.query.block(block);
        match &inner.body {
            Body::Set { left, right, .. } => {
                if self.reads_itself(block) {
                    return Value::unknown("it is a column of a recursive query");
                }
                self.output(*left, at, depth + 1).or(self.output(*right, at, depth + 1))
            }
            Body::Values(_) => Value::unknown("the types of VALUES are not known"),
            _ => match inner.outputs.as_ref().and_then(|outputs| outputs.get(at)) {
                Some(output) => self.typed(&output.expr, block, depth + 1),
                None => Value::unknown("the columns are not known"),
            },
        }
    }

    /// Whether a block of WITH reads itself.
    pub(super) fn reads_itself(&self, block: BlockId) -> bool {
        self.query.relations.iter().any(|relation| {
            matches!(relation.source, Source::Cte(cte) if cte == block)
                && self.query.is_within(relation.block, block)
        })
    }

    /// The value of an expression in a block.
    pub(super) fn typed(&self, expr: &Expr, block: BlockId, depth: usize) -> Value {
        if depth > MAX_VIEW_DEPTH {
            return Value::unknown("it is nested too deep");
        }
        let value = |expr: &Expr| self.typed(expr, block, depth + 1);
        let truth = |of: &[&Expr]| {
            let values: Vec<Value> = of.iter().map(|expr| value(expr)).collect();
            let proven_not_null = values.iter().all(|value| value.proven_not_null);
            let nullable = values.iter().any(|value| value.nullable);
            let is_certain = values.iter().all(|value| value.is_certain);
            Value { proven_not_null, is_certain, ..Value::integer(nullable) }
        };
        match expr {
            Expr::Column(column) => self.of_column(column, block, depth),
            Expr::Literal(literal) => of_literal(literal),
            Expr::Parameter(number) => {
                Value::unknown(format!("parameter {number} accepts a value of any type"))
            }
            Expr::Call(call) => self.called(call, block, depth),
            // `DATE '2020-01-01'` is read as a cast, which may give NULL.
            Expr::Cast { expr, ty } if matches!(**expr, Expr::Literal(_)) => {
                let cast = cast(ty, value(expr));
                Value { is_certain: cast.is_certain && !matches!(cast.class, Class::Time(_)), ..cast }
            }
            Expr::Cast { expr, ty } => cast(ty, value(expr)),
            Expr::Collate { collation, .. } if collation.to_lowercase().ends_with("_bin") => {
                Value::unknown("sqlx may read a text in a binary collation as bytes")
            }
            Expr::Collate { expr, .. } => value(expr).computed(),
            Expr::And(all) | Expr::Or(all) => truth(&all.iter().collect::<Vec<_>>()),
            Expr::Not(inner) => truth(&[inner]),
            Expr::Is { .. } | Expr::Exists { .. } => Value::integer(false),
            Expr::InList { expr, list, .. } => {
                truth(&[expr.as_ref()].into_iter().chain(list).collect::<Vec<_>>())
            }
            Expr::InQuery { .. } => Value { is_certain: false, ..Value::integer(true) },
            Expr::Between { expr, low, high, .. } => truth(&[expr, low, high]),
            Expr::Like { expr, pattern, .. } => truth(&[expr, pattern]),
            Expr::Unary { op, expr } if op == "~" => bits(&[value(expr)]),
            Expr::Unary { op, expr } => unary(op, value(expr)),
            Expr::Binary { op, left, right } => match op {
                Op::Same | Op::NotSame => Value::integer(false),
                op if op.is_comparison() => truth(&[left, right]),
                Op::Arithmetic('+' | '-') if matches!(&**right, Expr::Other { what, .. } if what == "interval") => {
                    shifted(&value(left))
                }
                Op::Arithmetic(sign) => arithmetic(*sign, &value(left), &value(right)),
                Op::Other(word) if word == "div" => Value::integer(true),
                Op::Other(word) if word == "xor" => truth(&[left, right]),
                Op::Other(word) if matches!(word.as_str(), "&" | "|" | "^" | "<<" | ">>") => {
                    bits(&[value(left), value(right)])
                }
                _ => Value::unknown("the operator is not known"),
            },
            Expr::Case { operand, arms, otherwise } => {
                let results = arms.iter().map(|(_, then)| then).chain(otherwise.as_deref());
                let given = self.one_of(results, block, depth);
                if otherwise.is_none() {
                    return given.or_null();
                }
                let conditions = operand.as_deref().into_iter().chain(arms.iter().map(|(when, _)| when));
                self.on_condition(given, conditions, block, depth)
            }
            Expr::Subquery(query) => self.output(*query, 0, depth + 1).computed().or_null(),
            _ => Value::unknown("the type of this expression is not known"),
        }
    }

    /// The value of one of several alternatives.
    pub(super) fn one_of<'e>(
        &self,
        all: impl Iterator<Item = &'e Expr>,
        block: BlockId,
        depth: usize,
    ) -> Value {
        let values: Vec<Value> = all.map(|expr| self.typed(expr, block, depth + 1).computed()).collect();
        // A server that converts one of several texts says that the result may be NULL.
        let converts = values.len() > 2;
        let one = values.into_iter().reduce(Value::or);
        match one {
            Some(one) if converts && one.class == Class::Text => Value { is_certain: false, ..one },
            one => one.unwrap_or_else(|| Value::unknown("it has no values")),
        }
    }

    /// The value of IF or CASE: MariaDB says that it may be NULL if one of its conditions may, even if no alternative
    /// is.
    pub(super) fn on_condition<'e>(
        &self,
        given: Value,
        mut conditions: impl Iterator<Item = &'e Expr>,
        block: BlockId,
        depth: usize,
    ) -> Value {
        let may_be_null = |expr: &Expr| self.typed(expr, block, depth + 1).nullable;
        if !given.nullable && conditions.any(may_be_null) { given.doubtful() } else { given }
    }

    fn of_column(&self, column: &ColumnRef, block: BlockId, depth: usize) -> Value {
        let unknown = || Value::unknown(format!("the column `{}` is not known", column.name));
        let Some(id) = column.relation else { return unknown() };
        let relation = self.query.relation(id);
        let mut value = match &relation.source {
            Source::Table(name) => {
                let table = self.schema.tables.get(name);
                let of_table = table.and_then(|table| {
                    Some((table, table.columns.iter().find(|it| it.name.eq_ignore_ascii_case(&column.name))?))
                });
                let Some((table, of_table)) = of_table else { return unknown() };
                match wire::of_column(table, of_table, None) {
                    Some(wire) => Value::of_wire(&wire, self.origin(column)),
                    None => {
                        let why = format!(
                            "MySQL and MariaDB send values of the type `{}` differently",
                            of_table.ty
                        );
                        let nullable = !of_table.not_null;
                        let name = Err(why);
                        Value { name, origin: self.origin(column), ..Value::of(Class::Other, "", nullable) }
                    }
                }
            }
            Source::Derived(inner) | Source::Cte(inner) | Source::View(_, inner) => {
                let mut columns = relation.columns.iter().flat_map(|columns| columns.iter());
                match columns.position(|it| it.name.eq_ignore_ascii_case(&column.name)) {
                    Some(_) if self.query.is_within(relation.block, *inner) => return unknown(),
                    Some(at) => self.output(*inner, at, depth + 1),
                    None => return unknown(),
                }
            }
            _ => return unknown(),
        };
        if outer_joins::padded(self.query.block(relation.block)).contains(&id) {
            // A constant on the optional side of an outer join is NULL there, which one server does not
            // report.
            let is_column = matches!(value.origin, Origin::Table { .. });
            value = Value { is_absent: true, is_certain: value.is_certain && is_column, ..value.or_null() };
        }
        // Aggregates without GROUP BY return one row even for no input, with every plain column NULL.
        let of_no_group = match &self.query.block(block).body {
            Body::Select(select) => select.aggregates && select.group_by.is_empty(),
            _ => false,
        };
        let rolls_up = match &self.query.block(block).body {
            Body::Select(select) => select.grouping_sets,
            _ => false,
        };
        if of_no_group || rolls_up {
            value.proven_not_null = false;
            value.is_certain = false;
        }
        value
    }
}

fn of_literal(literal: &Literal) -> Value {
    match literal {
        Literal::Null => {
            Value { name: Err("NULL has no type".to_owned()), ..Value::of(Class::Null, "", true) }
        }
        Literal::Bool(_) => Value::integer(false),
        Literal::Number(number) if number.contains(['e', 'E']) => Value::of(Class::Double, "DOUBLE", false),
        Literal::Number(number) if number.contains('.') => Value::of(Class::Decimal, "DECIMAL", false),
        Literal::Number(number) => match number.parse::<i64>() {
            Ok(value) if value > i64::from(u32::MAX) => Value::of(Class::Int, "BIGINT", false),
            Ok(_) => Value::integer(false),
            Err(_) if number.parse::<u64>().is_ok() => Value::of(Class::Int, "BIGINT UNSIGNED", false),
            Err(_) => Value::unknown("the type of this literal differs by server"),
        },
        Literal::Text(_) => Value::of(Class::Text, "VARCHAR", false),
        // `X'01AF'`.
        Literal::Other(text) if text.starts_with(['x', 'X']) => Value::of(Class::Bytes, "VARBINARY", false),
        Literal::Other(_) => Value::unknown("the type of this literal differs by server"),
    }
}

/// The result of CAST, which preserves NULL.
fn cast(ty: &str, value: Value) -> Value {
    let base = ty.split(['(', ' ']).next().unwrap_or_default();
    let (class, name) = match base {
        // One server makes it as wide as the value, the other as wide as possible.
        "signed" if ["INT", "BIGINT", "DOUBLE"].into_iter().any(|name| value.is(name)) => {
            (Class::Int, "BIGINT")
        }
        "unsigned" if value.is("BIGINT") || value.is("BIGINT UNSIGNED") => (Class::Int, "BIGINT UNSIGNED"),
        "signed" | "unsigned" => {
            return Value { name: Value::integer(true).name, class: Class::Int, ..value }.computed();
        }
        "decimal" | "dec" | "numeric" => (Class::Decimal, "DECIMAL"),
        "char" | "nchar" | "varchar" => return Value::text(),
        "date" => return Value::of(Class::Time("DATE"), "DATE", true),
        "datetime" | "timestamp" => return Value::of(Class::Time("DATETIME"), "DATETIME", true),
        "time" => return Value::of(Class::Time("TIME"), "TIME", true),
        "float" => return Value::of(Class::Double, "FLOAT", true).doubtful(),
        "binary" | "varbinary" => return Value::of(Class::Bytes, "VARBINARY", true).doubtful(),
        "double" => return Value { is_certain: false, ..Value::of(Class::Double, "DOUBLE", true) },
        _ => return Value::unknown(format!("the type of a cast to `{ty}` is not known")),
    };
    Value { class, name: Ok(name), ..value }.computed()
}

/// The result of an operator on the bits of integers.
fn bits(of: &[Value]) -> Value {
    if of.iter().all(|value| value.class == Class::Int && !value.is_odd()) {
        let nullable = of.iter().any(|value| value.nullable);
        Value { is_certain: false, ..Value::of(Class::Int, "BIGINT UNSIGNED", nullable) }
    } else {
        Value::unknown("the type of the operator on bytes differs by server")
    }
}

fn unary(op: &str, value: Value) -> Value {
    let class = value.class;
    match (op, class) {
        ("-", Class::Int) if value.is("INT") || value.is("BIGINT") => {
            Value { name: Ok("BIGINT"), ..value }.computed()
        }
        ("-", Class::Decimal) => value.computed(),
        ("-", Class::Double) => Value { name: Ok("DOUBLE"), ..value }.computed(),
        ("-", Class::Int) => Value { name: Value::integer(true).name, ..value }.computed(),
        ("+", _) => value.computed(),
        _ => Value::unknown("the operator is not known"),
    }
}

fn arithmetic(sign: char, one: &Value, other: &Value) -> Value {
    let nullable = one.nullable || other.nullable || matches!(sign, '/' | '%');
    let given = |class, name| Value {
        nullable,
        is_certain: matches!(sign, '/' | '%') || one.is_certain && other.is_certain,
        proven_not_null: !matches!(sign, '/' | '%') && one.proven_not_null && other.proven_not_null,
        is_absent: one.is_absent || other.is_absent,
        ..Value { name, ..Value::of(class, "", nullable) }
    };
    if [one, other].into_iter().any(Value::is_odd) {
        return Value::unknown("the servers return different types for arithmetic on this type");
    }
    let is_float = |class| matches!(class, Class::Double | Class::Text);
    match (one.class, other.class) {
        (Class::Other | Class::Null | Class::Bytes, _) | (_, Class::Other | Class::Null | Class::Bytes) => {
            let why = [one, other].into_iter().find_map(|value| value.name.clone().err());
            Value::unknown(why.unwrap_or_else(|| "the type of the operator's result is not known".to_owned()))
        }
        (Class::Time(_), _) | (_, Class::Time(_)) => {
            Value::unknown("the type of a date and a number is not known")
        }
        (class, other) if is_float(class) || is_float(other) => given(Class::Double, Ok("DOUBLE")),
        (Class::Int, Class::Int) => match sign {
            '/' => given(Class::Decimal, Ok("DECIMAL")),
            '%' if one.is("BIGINT") && !other.is_unsigned() => given(Class::Int, Ok("BIGINT")),
            '+' | '-' | '*' if one.is_wide() || other.is_wide() => {
                let unsigned = one.is_unsigned() || other.is_unsigned();
                given(Class::Int, Ok(if unsigned { "BIGINT UNSIGNED" } else { "BIGINT" }))
            }
            _ => given(Class::Int, Value::integer(true).name),
        },
        _ => given(Class::Decimal, Ok("DECIMAL")),
    }
}
