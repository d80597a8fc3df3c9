//! Values composed of others: arrays, casts and CASE.

use super::arena::Ty;
use super::coerce::Context;
use super::expr::literal_value;
use super::session::{Form, Session, Value};
use crate::sql::expr::{Expr, Literal};
use crate::sql::query::Source;

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
            let value = match expr {
                Expr::Array(items) => self.array(items, None),
                expr => self.expr(expr),
            };
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
            && !self.has_unknown_casts()
        {
            let (from, to) = (self.types.display(value.ty), self.types.display(ty));
            self.error(format!("`{from}` cannot be cast to `{to}`"), value.span);
        }
        let why = format!("cast to `{}`", self.types.display(ty));
        // Except for casts by functions, such as that of JSON's null, a cast of a non-NULL value is not NULL.
        let is_changed = self.modifier_of(&value).is_some_and(|of| of != modifier(name));
        let value = self.coerce(value, ty, why.as_str());
        if is_changed { Value { origin: None, ..value } } else { value }
    }

    /// The modifier of a column's type, such as a length. The server keeps a cast that changes or drops it, so that the
    /// value is not a column to clients.
    pub(super) fn modifier_of(&self, value: &Value) -> Option<String> {
        let origin = value.origin.as_ref()?;
        let Source::Table(name) = &self.query.relation(origin.relation).source else { return None };
        Some(modifier(&self.schema.stored(name)?.column(&origin.column)?.ty))
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

/// What is between the parentheses of a type, or what its name means without them.
pub(super) fn modifier(ty: &str) -> String {
    let lower = ty.to_ascii_lowercase();
    let (name, rest) = lower.split_once('(').unwrap_or((&lower, ""));
    let inner = rest.split_once(')').map_or("", |(inner, _)| inner);
    match name.trim().trim_end_matches("[]") {
        "float" => String::new(),
        "char" | "character" | "bit" if inner.is_empty() => "1".to_owned(),
        _ => {
            let inner: String = inner.chars().filter(|c| !c.is_whitespace()).collect();
            inner.strip_suffix(",0").map_or(inner.clone(), str::to_owned)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};
    use crate::types::{Origin, describe};

    fn described(sql: &str) -> Vec<(String, bool)> {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(
            "CREATE EXTENSION vector; CREATE EXTENSION postgis; CREATE EXTENSION tablefunc;
             CREATE TABLE t (id bigint, n numeric(10,2), m numeric, v varchar(20), s varchar(5)[], at vector(3),
                 g geometry(Point, 4326), j json, c char);",
            "",
        );
        let query = resolve(sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
        let found = describe(&query, &replay.schema, Dialect::Postgres);
        assert_eq!(found.errors, [], "{sql}");
        let columns = found.columns.iter();
        let name =
            |column: &crate::types::Column| column.ty.known().map_or("?".to_owned(), |ty| ty.name.clone());
        columns.map(|column| (name(column), matches!(column.origin, Origin::Table { .. }))).collect()
    }

    #[test]
    fn a_cast_that_drops_a_modifier_stays_in_the_query() {
        for (sql, is_column) in [
            ("SELECT n::numeric FROM t", false),
            ("SELECT v::varchar FROM t", false),
            ("SELECT s::varchar[] FROM t", false),
            ("SELECT x.n::numeric FROM (SELECT n FROM t) x", false),
            ("SELECT m::numeric FROM t", true),
            ("SELECT c::char FROM t", true),
            ("SELECT c::bpchar FROM t", false),
            ("SELECT id::bigint FROM t", true),
            ("SELECT n::numeric(10, 2) FROM t", true),
            ("SELECT n::numeric(12,2) FROM t", false),
            ("SELECT m::numeric(12,2) FROM t", false),
            ("SELECT v::varchar(30) FROM t", false),
        ] {
            assert_eq!(described(sql)[0].1, is_column, "{sql}");
        }
    }

    #[test]
    fn extensions_have_operators_and_rows_of_their_own() {
        for (sql, expect) in [
            ("SELECT at <=> $1, 1 - (at <=> $1) FROM t ORDER BY at <=> $1", "float8 float8"),
            ("SELECT id IS NOT DISTINCT FROM $1 FROM t", "bool"),
            ("SELECT * FROM st_dump($1)", "_int4 geometry"),
            ("SELECT d.geom, d.path FROM t, st_dump(t.g) d", "geometry _int4"),
            ("SELECT * FROM crosstab2('SELECT 1')", "text text text"),
        ] {
            let types: Vec<String> = described(sql).into_iter().map(|(ty, _)| ty).collect();
            assert_eq!(types.join(" "), expect, "{sql}");
        }
    }
}
