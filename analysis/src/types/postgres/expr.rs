//! The types of expressions, as the server's parser determines them.

use super::arena::Ty;
use super::coerce::Context;
use super::functions::Called;
use super::session::{Form, MAX_EXPR_DEPTH, Session, Value};
use crate::sql::expr::{Call, ColumnRef, Expr, LikeKind, Literal, Op, Test};
use crate::sql::query::Body;
use crate::types::TypeError;

impl Session<'_> {
    /// The value of an expression.
    pub(super) fn expr(&mut self, expr: &Expr) -> Value {
        if self.depth >= MAX_EXPR_DEPTH {
            return Value::opaque("it is nested too deep");
        }
        self.depth += 1;
        let value = self.shallow(expr);
        self.depth -= 1;
        value
    }

    fn shallow(&mut self, expr: &Expr) -> Value {
        match expr {
            Expr::Column(column) => self.column(column),
            Expr::WholeRow(relation) => self.whole_row(*relation),
            Expr::Parameter(number) => self.parameter(*number),
            Expr::Literal(literal) => literal_value(literal),
            Expr::Call(call) => self.call(call),
            // The path of CYCLE or SEARCH, which the resolver writes so: an array of records.
            Expr::Cast { expr, ty } if ty == "_record" && matches!(**expr, Expr::Literal(Literal::Null)) => {
                Value::of(Ty::RECORDARRAY, false)
            }
            Expr::Cast { expr, ty } => self.cast(expr, ty),
            Expr::Collate { expr, .. } => {
                let value = self.expr(expr);
                if value.is_unknown() {
                    self.coerce(value, Ty::TEXT, "collated")
                } else {
                    Value { origin: None, ..value }
                }
            }
            Expr::And(parts) | Expr::Or(parts) => {
                let values: Vec<Value> =
                    parts.iter().map(|part| self.condition(part, "a condition")).collect();
                Value::of(Ty::BOOL, values.iter().all(|value| value.not_null))
            }
            Expr::Not(inner) => {
                let value = self.condition(inner, "an operand of NOT");
                Value::of(Ty::BOOL, value.not_null)
            }
            Expr::Unary { op, expr } => self.unary(op, expr),
            Expr::Binary { op, left, right } => self.binary(op, left, right),
            Expr::Is { expr, test, .. } => {
                let value = self.expr(expr);
                // `$1 IS NULL` accepts any type, and determines none for the parameter.
                match (*test, &value.form) {
                    (Test::Null, Form::Parameter(number)) if value.is_unknown() => {
                        self.leave_untyped(*number, "tested for NULL")
                    }
                    (Test::Null, _) => {}
                    _ => drop(self.boolean(value, "what is tested for a truth value")),
                }
                Value::of(Ty::BOOL, true)
            }
            Expr::InList { expr, list, .. } => self.in_list(expr, list),
            Expr::InQuery { expr, query, op, .. } => {
                let left = self.expr(expr);
                self.in_query(left, *query, op)
            }
            Expr::Any { left, op, right, .. } => {
                let (left, right) = (self.expr(left), self.expr(right));
                let op = if op.as_str() == "like" { "~~" } else { op.as_str() };
                self.any(op, left, right)
            }
            Expr::Between { expr, low, high, .. } => {
                let (value, low) = (self.expr(expr), self.expr(low));
                let first = self.operator(">=", Some(value), low);
                let (value, high) = (self.expr(expr), self.expr(high));
                let second = self.operator("<=", Some(value), high);
                Value::of(Ty::BOOL, first.not_null && second.not_null)
            }
            Expr::Like { expr, pattern, kind, negated } => {
                let (value, pattern) = (self.expr(expr), self.expr(pattern));
                let op = match (kind, negated) {
                    (LikeKind::Like | LikeKind::Glob, false) => "~~",
                    (LikeKind::Like | LikeKind::Glob, true) => "!~~",
                    (LikeKind::ILike, false) => "~~*",
                    (LikeKind::ILike, true) => "!~~*",
                    (LikeKind::IRegex, false) => "~*",
                    (LikeKind::IRegex, true) => "!~*",
                    (LikeKind::Regex | LikeKind::Similar, false) => "~",
                    (LikeKind::Regex | LikeKind::Similar, true) => "!~",
                };
                self.operator(op, Some(value), pattern)
            }
            Expr::Exists { query, .. } => {
                self.block(*query, true);
                Value::of(Ty::BOOL, true)
            }
            Expr::Subquery(block) => self.scalar(*block),
            Expr::ArrayQuery(block) => {
                let value = self.scalar(*block);
                let element = if value.is_unknown() { Ty::TEXT } else { value.ty };
                let array = match self.types.true_element(element) {
                    Some(_) => Some(element),
                    None => self.types.array_of(element),
                };
                Value { why: value.why, ..Value::of(array.unwrap_or(Ty::OPAQUE), true) }
            }
            Expr::Row(parts) => {
                let values: Vec<Value> = parts.iter().map(|part| self.expr(part)).collect();
                Value { form: Form::Row(values), ..Value::of(Ty::RECORD, true) }
            }
            Expr::Array(items) if items.is_empty() => {
                self.refuse("an empty array has no type", "write the type: `ARRAY[]::int[]`");
                self.array(items, None)
            }
            Expr::Array(items) => self.array(items, None),
            Expr::Case { operand, arms, otherwise } => {
                self.case(operand.as_deref(), arms, otherwise.as_deref())
            }
            Expr::Access { expr, field, subscripts } => self.access(expr, field.as_deref(), subscripts),
            Expr::Other { what, parts } => self.special(what, parts),
        }
    }

    /// An expression that has to be boolean.
    pub(super) fn condition(&mut self, expr: &Expr, what: &str) -> Value {
        let value = self.expr(expr);
        self.boolean(value, what)
    }

    /// A value that has to be boolean.
    pub(super) fn boolean(&mut self, value: Value, what: &str) -> Value {
        if value.ty != Ty::OPAQUE && self.converts(value.ty, Ty::BOOL, Context::Implicit) == Some(false) {
            let name = self.types.display(value.ty);
            self.error(format!("{what} is `{name}`, and has to be `boolean`"), value.span);
        }
        self.coerce(value, Ty::BOOL, what)
    }

    fn unary(&mut self, op: &str, expr: &Expr) -> Value {
        let value = self.expr(expr);
        match (op, &value.form) {
            // A sign before a number is part of the literal.
            ("-" | "+", Form::Plain) if matches!(expr, Expr::Literal(_)) => match expr {
                Expr::Literal(Literal::Number(text)) if op == "-" => {
                    literal_value(&Literal::Number(format!("-{text}")))
                }
                _ => value,
            },
            _ => self.operator(op, None, value),
        }
    }

    fn binary(&mut self, op: &Op, left: &Expr, right: &Expr) -> Value {
        // Chains are left-deep and may be long, so they are descended in a loop.
        let mut spine = vec![(op, right)];
        let mut leftmost = left;
        while let Expr::Binary { op, left, right } = leftmost {
            spine.push((op, right));
            leftmost = left;
        }
        let mut result = self.expr(leftmost);
        while let Some((op, right)) = spine.pop() {
            if let (Form::Row(_), Expr::Subquery(query)) = (&result.form, right) {
                result = self.in_query(result, *query, op);
                continue;
            }
            let right = self.expr(right);
            result = match op {
                Op::Same | Op::NotSame => {
                    self.operator("=", Some(result), right);
                    Value::of(Ty::BOOL, true)
                }
                Op::Arithmetic(sign) => self.operator(sign.to_string().as_str(), Some(result), right),
                op => self.operator(op.as_str(), Some(result), right),
            };
        }
        result
    }

    fn in_list(&mut self, expr: &Expr, list: &[Expr]) -> Value {
        let left = self.expr(expr);
        let values: Vec<Value> = list.iter().map(|item| self.expr(item)).collect();
        let not_null = left.not_null && values.iter().all(|value| value.not_null);
        // Values without columns go into one array with a common type.
        let is_constant = |expr: &Expr| !expr.any(|e| matches!(e, Expr::Column(_) | Expr::WholeRow(_)));
        let constants: Vec<Value> = list
            .iter()
            .zip(&values)
            .filter(|(expr, _)| is_constant(expr))
            .map(|(_, value)| value.clone())
            .collect();
        let mut rest: Vec<Value> = Vec::new();
        let mut common = None;
        if constants.len() > 1 {
            let all: Vec<Value> = [left.clone()].into_iter().chain(constants.iter().cloned()).collect();
            common = self.common(&all).ok().filter(|ty| !self.types.is_record(*ty));
        }
        match common {
            Some(Ty::OPAQUE) => {
                for value in constants.into_iter().chain([left.clone()]).filter(Value::is_unknown) {
                    self.coerce(value, Ty::OPAQUE, "used with a type that is not known");
                }
                return Value::of(Ty::BOOL, false);
            }
            Some(ty) => {
                for value in constants {
                    self.coerce(value, ty, "an element of IN");
                }
                let element = Value::of(ty, true);
                self.operator("=", Some(left.clone()), element);
                rest.extend(
                    list.iter().zip(values).filter(|(expr, _)| !is_constant(expr)).map(|(_, value)| value),
                );
            }
            None => rest = values,
        }
        for value in rest {
            let left = self.again(&left);
            self.operator("=", Some(left), value);
        }
        Value::of(Ty::BOOL, not_null)
    }

    /// A value, updated by what has since been found out about its parameter.
    fn again(&mut self, value: &Value) -> Value {
        match value.form {
            Form::Parameter(number) if value.is_unknown() => self.parameter(number),
            _ => value.clone(),
        }
    }

    /// `left op ANY (SELECT ..)`.
    fn in_query(&mut self, left: Value, query: crate::sql::query::BlockId, op: &Op) -> Value {
        let Some(outputs) = self.block(query, true) else {
            if left.is_unknown() {
                self.coerce(left, Ty::OPAQUE, "compared with a query whose columns are not known");
            }
            return Value::of(Ty::BOOL, false);
        };
        let lefts = match left.form {
            Form::Row(parts) => parts,
            _ => vec![left],
        };
        if lefts.len() != outputs.len() && !outputs.iter().any(|field| field.value.ty == Ty::OPAQUE) {
            let (has, needs) = (outputs.len(), lefts.len());
            self.refusal(TypeError {
                message: format!("the subquery returns {has} columns where {needs} are compared"),
                span: None,
                label: "",
                help: format!("select {needs} in the subquery"),
            });
        }
        let not_null =
            lefts.iter().chain(outputs.iter().map(|field| &field.value)).all(|value| value.not_null);
        for (value, field) in lefts.into_iter().zip(outputs.iter()) {
            let right = Value { form: Form::Plain, ..field.value.clone() };
            self.operator(op.as_str(), Some(value), right);
        }
        Value::of(Ty::BOOL, not_null)
    }

    fn scalar(&mut self, block: crate::sql::query::BlockId) -> Value {
        let sure = self.query.block(block).is_one_row();
        let Some(outputs) = self.block(block, true) else {
            return Value::opaque("the columns of the subquery are not known");
        };
        if outputs.len() > 1 {
            self.refusal(TypeError {
                message: format!("a subquery that is a value has {} columns", outputs.len()),
                span: None,
                label: "",
                help: "select one column in it".to_owned(),
            });
        }
        match outputs.first() {
            Some(field) => {
                let value = field.value.clone();
                let not_null = value.not_null && sure;
                let why = value.why.clone().filter(|_| !value.not_null || value.ty == Ty::OPAQUE);
                let why = why.or_else(|| Some("the subquery can return no row".into()));
                Value { not_null, form: Form::Plain, origin: None, why, ..value }
            }
            None => Value::opaque("the subquery returns no column"),
        }
    }

    fn access(&mut self, expr: &Expr, field: Option<&str>, subscripts: &[Expr]) -> Value {
        if let (Expr::WholeRow(id), Some(field)) = (expr, field)
            && let Some(fields) = self.relation(*id)
            && fields.iter().any(|known| known.name == field)
        {
            return self.column(&ColumnRef { relation: Some(*id), name: field.to_owned(), span: None });
        }
        let value = self.expr(expr);
        let Some(field) = field else { return self.subscript(value, subscripts) };
        if let Form::Row(parts) = &value.form {
            // Its fields are `f1`, `f2`, and so on.
            let at = field.strip_prefix('f').and_then(|number| number.parse::<usize>().ok());
            let part = at.and_then(|at| parts.get(at.checked_sub(1)?));
            return match part.filter(|part| !part.is_unknown()) {
                Some(part) => Value::of(part.ty, false).because("a field of a row can be NULL"),
                None => Value::opaque(format!("the field `{field}` is not known")),
            };
        }
        let base = self.types.base(value.ty);
        let fields = self.types.info(base).fields.clone();
        match fields.iter().find(|(name, _)| name == field) {
            Some((_, ty)) => Value::of(*ty, false).because("a field of a composite can be NULL"),
            None => Value::opaque(format!("the field `{field}` is not known")),
        }
    }

    fn subscript(&mut self, value: Value, subscripts: &[Expr]) -> Value {
        let base = self.types.base(value.ty);
        let why = value.why.clone();
        if base == Ty::JSONB {
            for subscript in subscripts {
                let subscript = self.expr(subscript);
                self.coerce(subscript, Ty::TEXT, "a subscript");
            }
            return Value::of(Ty::JSONB, false).because("a subscript can find nothing");
        }
        for subscript in subscripts {
            let subscript = self.expr(subscript);
            self.coerce(subscript, Ty::INT4, "a subscript");
        }
        match self.types.element(base) {
            Some(element) => Value::of(element, false).because("a subscript can find nothing"),
            None if base == Ty::OPAQUE => Value { why, ..Value::of(Ty::OPAQUE, false) },
            None if let "point" | "line" = &*self.types.info(base).name
                && let Some(ty) = self.types.builtin("float8") =>
            {
                Value::of(ty, false).because("a subscript can find nothing")
            }
            None => Value::opaque("subscripts of this type are not known"),
        }
    }

    fn call(&mut self, call: &Call) -> Value {
        let args: Vec<Value> = call.args.iter().map(|arg| self.expr(arg)).collect();
        let mut modifiers: Vec<Value> = call.modifiers.iter().map(|expr| self.expr(expr)).collect();
        if call.distinct {
            args.iter().for_each(|value| self.check_equality(value, "an argument after DISTINCT"));
        }
        for value in modifiers.iter().take(call.partitioned_by) {
            self.check_equality(value, "a key of PARTITION BY");
        }
        if let Some(filter) = call.filter.and_then(|at| modifiers.get_mut(at)) {
            *filter = self.boolean(filter.clone(), "the condition of FILTER");
        }
        for value in modifiers.iter().skip(call.partitioned_by) {
            self.check_equality(value, "a key of an order");
        }
        self.check_call(call);
        self.check_distinct_order(call);
        let sorted = modifiers.get(call.partitioned_by..).unwrap_or_default().to_vec();
        let value = match call.name.as_str() {
            "coalesce" | "greatest" | "least" => self.coalesce(&call.name, args),
            "nullif" => self.null_if(args),
            "grouping" => Value::of(Ty::INT4, true),
            name if name.starts_with("current_") && self.types.catalog.lines('f', name).is_empty() => {
                self.special(name, &[])
            }
            "localtime" | "localtimestamp" => self.special(&call.name, &[]),
            name => {
                let of_groups = self.grouped && call.modifiers.is_empty();
                let called = Called {
                    name,
                    names: &call.names,
                    span: call.span,
                    bare: call.schema.is_none(),
                    schema: call.schema.as_deref(),
                    whole: false,
                    window: call.window,
                    procedure: false,
                    modifiers: sorted,
                    of_groups,
                };
                let (value, candidate) = self.function(&called, args);
                match candidate {
                    Some((candidate, types)) if candidate.outs.len() > 1 => {
                        let fields = self.settled_outs(&candidate, &types);
                        Value { ty: self.types.row(fields), ..value }
                    }
                    _ => value,
                }
            }
        };
        for modifier in modifiers.into_iter().filter(Value::is_unknown) {
            self.coerce(modifier, Ty::TEXT, "a key of a window or an order");
        }
        value
    }
}

/// A constant.
pub(super) fn literal_value(literal: &Literal) -> Value {
    match literal {
        Literal::Null => Value { form: Form::Null, ..Value::of(Ty::UNKNOWN, false) }.because("it is NULL"),
        Literal::Bool(_) => Value::of(Ty::BOOL, true),
        Literal::Number(text) => {
            let ty = match text.parse::<i64>() {
                Ok(number) if i32::try_from(number).is_ok() => Ty::INT4,
                Ok(_) => Ty::INT8,
                Err(_) => Ty::NUMERIC,
            };
            Value::of(ty, true)
        }
        Literal::Text(text) => Value { form: Form::Text(text.clone()), ..Value::of(Ty::UNKNOWN, true) },
        Literal::Other(text) if text.starts_with(['B', 'b', 'X', 'x']) => Value::of(Ty::BIT, true),
        Literal::Other(text) => Value { form: Form::Text(text.clone()), ..Value::of(Ty::UNKNOWN, true) },
    }
}

impl crate::sql::query::Block {
    /// Whether it returns exactly one row: an aggregate without GROUP BY, or no FROM at all.
    fn is_one_row(&self) -> bool {
        let Body::Select(select) = &self.body else { return false };
        let whole =
            self.limit.is_none() && self.offset.is_none() && select.having.is_none() && !select.set_returning;
        let aggregate = select.aggregates && select.group_by.is_empty() && !select.grouping_sets;
        whole && (aggregate || select.from.is_empty() && select.filter.is_none())
    }
}
