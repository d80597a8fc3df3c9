//! Values composed of others: arrays, casts and CASE.

use super::arena::Ty;
use super::coerce::Context;
use super::expr::literal_value;
use super::session::{Form, Session, Value};
use crate::sql::expr::{Expr, Literal};

impl Session<'_> {
    /// `ARRAY[..]`, with the array type of a surrounding cast, if there is one.
    pub(super) fn array(&mut self, items: &[Expr], wanted: Option<Ty>) -> Value {
        let inner = wanted.and_then(|array| self.types.element(array));
        let values: Vec<Value> = items
            .iter()
            .map(|item| match item {
                // Inner arrays may omit the keyword: `ARRAY[[1, 2], [3, 4]]`.
                Expr::Array(items) => self.array(items, wanted),
                item => self.expr(item),
            })
            .collect();
        let nested = items.iter().any(|item| matches!(item, Expr::Array(_)));
        let element = match (wanted, inner) {
            (Some(array), _) if nested => Ok(array),
            (Some(_), Some(element)) => Ok(element),
            _ if values.is_empty() => {
                return Value { ty: Ty::OPAQUE, ..Value::opaque("an empty array has no type") };
            }
            _ => self.common(&values),
        };
        let element = match element {
            Ok(element) => element,
            Err((a, b)) => {
                self.no_common("the elements of an array", a, b);
                Ty::OPAQUE
            }
        };
        for value in values {
            self.coerce(value, element, "an element of an array");
        }
        let array = match self.types.true_element(element) {
            _ if element == Ty::OPAQUE => Some(Ty::OPAQUE),
            Some(_) => Some(element),
            None => self.types.array_of(element),
        };
        let ty = wanted.or(array).unwrap_or(Ty::OPAQUE);
        Value::of(ty, true).because("the element's type is not known")
    }

    pub(super) fn cast(&mut self, expr: &Expr, name: &str) -> Value {
        // `double` is a type only in front of `precision`.
        let ty = if name == "double" { None } else { self.types.named(name) };
        let Some(ty) = ty else {
            self.unknown_type(name);
            let value = self.expr(expr);
            let why = format!("the type `{name}` is not known");
            if value.is_unknown() {
                self.coerce(value, Ty::OPAQUE, why.as_str());
            }
            return Value::opaque(why);
        };
        if let Expr::Array(items) = expr
            && self.types.element(ty).is_some()
        {
            return self.array(items, Some(ty));
        }
        let value = self.expr(expr);
        if !value.is_unknown()
            && self.converts(value.ty, ty, Context::Explicit) == Some(false)
            && !self.has_own_operators()
        {
            let (from, to) = (self.types.display(value.ty), self.types.display(ty));
            self.error(format!("`{from}` cannot be cast to `{to}`"), value.span);
        }
        let why = format!("cast to `{}`", self.types.display(ty));
        // Except for casts by functions, such as that of JSON's null, a cast of a non-NULL value is not NULL.
        self.coerce(value, ty, why.as_str())
    }

    pub(super) fn case(
        &mut self,
        operand: Option<&Expr>,
        arms: &[(Expr, Expr)],
        otherwise: Option<&Expr>,
    ) -> Value {
        let operand = operand.map(|operand| {
            let value = self.expr(operand);
            if value.is_unknown() { self.coerce(value, Ty::TEXT, "the operand of CASE") } else { value }
        });
        let mut results = Vec::new();
        for (condition, result) in arms {
            match &operand {
                Some(operand) => {
                    let value = self.expr(condition);
                    let operand = Value { form: Form::Plain, ..operand.clone() };
                    self.operator("=", Some(operand), value);
                }
                None => {
                    self.condition(condition, "a condition of CASE");
                }
            }
            results.push(self.expr(result));
        }
        let default = match otherwise {
            Some(otherwise) => self.expr(otherwise),
            None => literal_value(&Literal::Null),
        };
        let not_null = default.not_null && results.iter().all(|value| value.not_null);
        results.insert(0, default);
        let ty = match self.common(&results) {
            Ok(ty) => ty,
            Err((a, b)) => {
                self.no_common("the results of CASE", a, b);
                Ty::OPAQUE
            }
        };
        self.check_common(&results, ty, "the results of CASE");
        let why = results.iter().find(|value| !value.not_null).and_then(|value| value.why.clone());
        for value in results {
            self.coerce(value, ty, "a result of CASE");
        }
        Value { why, ..Value::of(ty, not_null) }
    }
}
