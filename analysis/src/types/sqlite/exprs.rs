//! Expressions: the type of their result, and whether it can be NULL.

use super::ty::{Null, Ty, Value};
use super::{MAX_VALUE_DEPTH, Reader, operand};
use crate::sql::expr::{Expr, Literal, Op};
use crate::sql::query::{BlockId, Body};

impl Reader<'_> {
    /// The value of an expression in a block, as an output of it.
    pub(super) fn value(&self, expr: &Expr, block: BlockId, depth: usize) -> Value {
        if depth > MAX_VALUE_DEPTH {
            return Value::unknown("it is nested too deep");
        }
        match expr {
            Expr::Column(column) => self.grouped(self.column(column, depth), block),
            Expr::Subquery(query) => self.subquery(*query, depth),
            Expr::Collate { expr, .. } => self.value(expr, block, depth + 1),
            expr => self.computed(expr, block, depth),
        }
    }

    /// The value of an operand, with the type of what is stored.
    pub(super) fn operand(&self, expr: &Expr, block: BlockId, depth: usize) -> Value {
        let value = self.value(expr, block, depth + 1);
        Value { ty: operand(&value.ty), ..value }
    }

    fn computed(&self, expr: &Expr, block: BlockId, depth: usize) -> Value {
        let truth = |null| Value::computed(Ok(Ty::Integer), null);
        match expr {
            Expr::Literal(literal) => of_literal(literal),
            Expr::Parameter(number) => {
                Value::computed(Err(format!("parameter {number} accepts a value of any type")), Null::MAYBE)
            }
            Expr::Call(call) => self.call(call, block, depth),
            Expr::Cast { expr, ty } => {
                let value = self.value(expr, block, depth + 1);
                let ty =
                    Ty::cast(ty).ok_or_else(|| format!("the type of a cast to `{ty}` depends on the value"));
                Value::computed(ty, value.null)
            }
            Expr::And(all) | Expr::Or(all) => {
                let null = self.nulls(all, block, depth);
                // SQLite removes a condition that a constant decides.
                let decided = all.iter().any(|expr| matches!(expr, Expr::Literal(_)));
                truth(if decided { null.uncertain() } else { null })
            }
            Expr::Not(inner) => truth(self.operand(inner, block, depth).null),
            // SQLite omits the test of a value that is never NULL, and sqlx then reports nothing.
            Expr::Is { expr, .. } if self.operand(expr, block, depth).null.proven_not_null => {
                truth(Null::NEVER.uncertain())
            }
            Expr::Is { .. } | Expr::Exists { .. } => truth(Null::NEVER),
            Expr::Unary { op, expr } => self.unary(op, expr, block, depth),
            Expr::Binary { op, left, right } => self.binary(op, left, right, block, depth),
            Expr::Between { expr, low, high, .. } => {
                let all = [expr, low, high].map(|expr| self.operand(expr, block, depth).null);
                truth(compared(all.into_iter().fold(Null::NEVER, Null::or), &[expr, low, high]))
            }
            Expr::InList { expr, list, .. } => {
                let null = self.operand(expr, block, depth).null;
                let all = null.or(self.nulls(list, block, depth));
                truth(Null { said: Some(!all.proven_not_null), is_certain: all.proven_not_null, ..all })
            }
            Expr::InQuery { .. } => {
                truth(Null { said: Some(true), is_certain: false, proven_not_null: false })
            }
            Expr::Like { .. } => truth(Null::NOT_SAID),
            Expr::Case { arms, otherwise, .. } => {
                let results = arms.iter().map(|(_, then)| then).chain(otherwise.as_deref());
                let value = self.one_of(results, block, depth);
                match otherwise {
                    Some(_) => value,
                    None => Value { null: value.null.or(Null::MAYBE), ..value },
                }
            }
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
        let values = all.map(|expr| self.operand(expr, block, depth));
        let value = values.reduce(|all, value| all.or(value, "its values are"));
        let value = value.unwrap_or_else(|| Value::unknown("it has no values"));
        Value { origin: crate::types::Origin::Expression, is_rowid: false, ..value }
    }

    fn nulls(&self, all: &[Expr], block: BlockId, depth: usize) -> Null {
        let nulls = all.iter().map(|expr| self.operand(expr, block, depth).null);
        nulls.reduce(Null::or).unwrap_or(Null::NEVER)
    }

    fn unary(&self, op: &str, expr: &Expr, block: BlockId, depth: usize) -> Value {
        let value = self.operand(expr, block, depth);
        match op {
            "-" => Value::computed(number(&value.ty), value.null),
            "+" => Value::computed(value.ty, value.null),
            "~" => Value::computed(
                Ok(Ty::Integer),
                Null { proven_not_null: value.null.proven_not_null, ..Null::NOT_SAID },
            ),
            _ => Value::unknown(format!("the operator `{op}` is not known")),
        }
    }

    fn binary(&self, op: &Op, left: &Expr, right: &Expr, block: BlockId, depth: usize) -> Value {
        let (one, other) = (self.operand(left, block, depth), self.operand(right, block, depth));
        let null = one.null.or(other.null);
        let unproven = |null: Null| Null { proven_not_null: false, ..null };
        match op {
            Op::Same | Op::NotSame => Value::computed(Ok(Ty::Integer), Null::NEVER),
            op if op.is_comparison() => Value::computed(Ok(Ty::Integer), compared(null, &[left, right])),
            Op::Concat => Value::computed(Ok(Ty::Text), null),
            Op::Arithmetic(op) => {
                let ty = arithmetic(&one.ty, &other.ty);
                let is_sure = match op {
                    '+' | '-' => [&one.ty, &other.ty].contains(&&Ok(Ty::Integer)),
                    '*' => one.ty == Ok(Ty::Integer) && other.ty == Ok(Ty::Integer),
                    // Division by zero returns NULL.
                    _ => false,
                };
                Value::computed(ty, if is_sure { null } else { unproven(null) })
            }
            Op::Other(op) => match op.as_str() {
                "&" | "|" | "<<" | ">>" => Value::computed(Ok(Ty::Integer), null),
                "->" => Value::computed(Ok(Ty::Text), Null::NOT_SAID),
                "->>" => Value::computed(
                    Err("the type of `->>` depends on the JSON value".to_owned()),
                    Null::NOT_SAID,
                ),
                "is" | "is not" => Value::computed(Ok(Ty::Integer), Null::NEVER),
                _ => Value::unknown(format!("the operator `{op}` is not known")),
            },
            _ => Value::unknown("the operator is not known"),
        }
    }

    fn subquery(&self, query: BlockId, depth: usize) -> Value {
        let value = self.output(query, 0, depth + 1);
        let inner = self.query.block(query);
        let always_a_row = match &inner.body {
            Body::Select(select) => {
                select.aggregates
                    && select.group_by.is_empty()
                    && select.having.is_none()
                    && inner.offset.is_none()
                    && inner.limit.is_none()
            }
            _ => false,
        };
        let null = match always_a_row {
            true => value.null,
            false => Null { said: Some(true), is_certain: false, proven_not_null: false },
        };
        Value { null, origin: crate::types::Origin::Expression, is_rowid: false, ..value }
    }
}

/// The nullability of a comparison: sqlx reports none as nullable whose sides are computed in place.
fn compared(null: Null, sides: &[&Expr]) -> Null {
    let in_place = sides.iter().all(|side| !side.any(|expr| expr.own_subquery().is_some()));
    Null { said: Some(false), is_certain: in_place, ..null }
}

fn of_literal(literal: &Literal) -> Value {
    let ty = match literal {
        Literal::Null => {
            let null = Value::computed(Err("NULL has no type".to_owned()), Null::MAYBE);
            return Value { is_null: true, ..null };
        }
        Literal::Bool(_) => Ty::Integer,
        Literal::Number(number) => match number.parse::<i64>() {
            Ok(_) => Ty::Integer,
            Err(_) if number.starts_with("0x") || number.starts_with("0X") => Ty::Integer,
            Err(_) => Ty::Real,
        },
        Literal::Text(_) => Ty::Text,
        Literal::Other(_) => {
            let why = "`0x1F`, a number, and `x'1F'`, a blob, are not distinguished".to_owned();
            return Value::computed(Err(why), Null::NEVER);
        }
    };
    Value::computed(Ok(ty), Null::NEVER)
}

/// The type of a number with its sign changed.
pub(super) fn number(ty: &Result<Ty, String>) -> Result<Ty, String> {
    match ty {
        Ok(Ty::Integer) => Ok(Ty::Integer),
        Ok(Ty::Real) => Ok(Ty::Real),
        Ok(other) => Err(format!("the type of a negated {} depends on the value", other.name())),
        Err(why) => Err(why.clone()),
    }
}

fn arithmetic(one: &Result<Ty, String>, other: &Result<Ty, String>) -> Result<Ty, String> {
    match (number(one), number(other)) {
        (Ok(Ty::Integer), Ok(Ty::Integer)) => Ok(Ty::Integer),
        // A real operand makes the result real, whatever the other is.
        (Ok(Ty::Real), _) | (_, Ok(Ty::Real)) => Ok(Ty::Real),
        (Err(why), _) | (_, Err(why)) => Err(why),
        (Ok(_), Ok(_)) => Ok(Ty::Integer),
    }
}
