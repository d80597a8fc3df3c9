//! Query expressions: SELECT, VALUES, set operations, in the order in which the server analyses them.

use std::collections::HashMap;
use std::rc::Rc;

use super::arena::Ty;
use super::coerce::Context;
use super::session::{Field, Form, MAX_EXPR_DEPTH, Session, Value};
use crate::sql::expr::{ColumnRef, Expr};
use crate::sql::query::{Block, BlockId, Body, From, Output, Relation, RelationId, Role, Select, Source};
use crate::types::TypeError;

impl Session<'_> {
    /// The columns of a block; with `settle`, strings and parameters without a type become text in the end.
    /// `None` if the columns are unknown.
    pub(super) fn block(&mut self, id: BlockId, settle: bool) -> Option<Rc<[Field]>> {
        if let Some(known) = self.blocks.get(&id) {
            return known.clone();
        }
        if self.depth >= MAX_EXPR_DEPTH || !self.open.insert(id) {
            return None;
        }
        self.depth += 1;
        let query = self.query;
        let block = query.block(id);
        self.path.push(id);
        let in_view = usize::from(matches!(block.role, Role::View(_)));
        self.in_view += in_view;
        for cte in self.ctes.get(&id).cloned().unwrap_or_default() {
            self.block(cte, true);
        }
        let grouped = std::mem::take(&mut self.grouped);
        let values = match &block.body {
            Body::Select(select) => self.select(select, block),
            Body::Set { left, right, .. } => self.set(id, *left, *right),
            Body::Values(rows) => Some(self.values(rows)),
            Body::Write(write) => self.write(write, id),
            Body::Unknown => None,
        };
        self.check_compared(block, values.as_deref());
        self.tail(block);
        self.grouped = grouped;
        self.in_view -= in_view;
        self.path.pop();
        self.depth -= 1;
        // DISTINCT makes columns without a type `text`.
        let is_distinct = matches!(&block.body, Body::Select(select) if select.is_distinct());
        let settle = settle || is_distinct;
        let fields = values.map(|values| {
            let names = block.outputs.iter().flatten().map(|output| output.name.as_str());
            let mut names = names.chain(std::iter::repeat(""));
            let fields = values.into_iter().map(|(name, value)| {
                let known = names.next().unwrap_or_default();
                let name = if known.is_empty() { name } else { known.to_owned() };
                let value = if settle && value.is_unknown() {
                    self.coerce(value, Ty::TEXT, "a column of its own")
                } else {
                    value
                };
                Field { name, value }
            });
            fields.collect::<Vec<_>>().into()
        });
        self.open.remove(&id);
        self.blocks.insert(id, fields.clone());
        fields
    }

    /// Reports what has to be compared and cannot be.
    fn check_compared(&mut self, block: &Block, values: Option<&[(String, Value)]>) {
        let values = values.unwrap_or_default();
        let order: Vec<&Expr> = block.order_by.iter().map(|key| &key.expr).collect();
        match &block.body {
            Body::Select(select) => {
                self.check_keys(&select.group_by, "a key of GROUP BY");
                self.check_keys(select.distinct.iter().flatten(), "a key of DISTINCT ON");
                self.check_distinct_on(select, &order);
                if select.is_distinct() {
                    values.iter().for_each(|(_, value)| self.check_equality(value, "a column of DISTINCT"));
                }
            }
            Body::Set { all: false, .. } => {
                values.iter().for_each(|(_, value)| self.check_equality(value, "a column of UNION"));
            }
            _ => {}
        }
        if matches!(block.body, Body::Select(_)) {
            self.check_keys(order, "a key of ORDER BY");
        }
    }

    /// ORDER BY, LIMIT and OFFSET.
    fn tail(&mut self, block: &Block) {
        for key in &block.order_by {
            self.look_into(&key.expr);
        }
        for (rows, what) in [(&block.offset, "OFFSET"), (&block.limit, "LIMIT")] {
            if let Some(rows) = rows {
                let value = self.expr(rows);
                if self.converts(value.ty, Ty::INT8, Context::Assignment) == Some(false) {
                    let name = self.types.display(value.ty);
                    self.error(format!("{what} is `{name}`, and has to be `bigint`"), value.span);
                }
                self.coerce(value, Ty::INT8, what);
            }
        }
    }

    /// Derives an expression whose value is not needed, because a parameter may get its type from it.
    fn look_into(&mut self, expr: &Expr) {
        let matters = |expr: &Expr| {
            matches!(
                expr,
                Expr::Parameter(_)
                    | Expr::Subquery(_)
                    | Expr::Exists { .. }
                    | Expr::InQuery { .. }
                    | Expr::ArrayQuery(_)
            )
        };
        if expr.any(matters) {
            let value = self.expr(expr);
            if value.is_unknown() {
                self.coerce(value, Ty::TEXT, "a key of an order");
            }
        }
    }

    fn select(&mut self, select: &Select, block: &Block) -> Option<Vec<(String, Value)>> {
        for item in &select.from {
            self.from(item);
        }
        if let Some(filter) = &select.filter {
            self.refute(filter);
        }
        self.grouped = !select.group_by.is_empty() && !select.grouping_sets;
        let values = self.projection(&select.projection, &select.names, block, select.star.is_some());
        if let Some(filter) = &select.filter {
            self.condition(filter, "the condition of WHERE");
        }
        if let Some(having) = &select.having {
            self.condition(having, "the condition of HAVING");
        }
        for key in select.group_by.iter().chain(select.distinct.iter().flatten()) {
            self.look_into(key);
        }
        if let Some(id) = self.path.last() {
            let id = *id;
            if let Some(filter) = &select.filter {
                self.check_rows(filter, id, "WHERE");
                self.check_sets(filter, "WHERE");
            }
            if let Some(having) = &select.having {
                self.check_windows(having, "HAVING");
                self.check_sets(having, "HAVING");
            }
            for key in &select.group_by {
                self.check_windows(key, "GROUP BY");
            }
            self.check_groups(select, id);
        }
        let strip = |(name, value): (String, Value)| {
            let value = if select.grouping_sets { Value { not_null: false, ..value } } else { value };
            (name, value)
        };
        values.map(|values| values.into_iter().map(strip).collect())
    }

    /// The columns of a list of outputs, including those of a `*` that only the catalog knows.
    pub(super) fn projection(
        &mut self,
        list: &[Expr],
        names: &[String],
        block: &Block,
        has_star: bool,
    ) -> Option<Vec<(String, Value)>> {
        if let Some(outputs) = &block.outputs {
            if let Some(values) = self.wrapped(block) {
                return Some(values);
            }
            let mut seen: HashMap<(RelationId, &str), usize> = HashMap::new();
            let mut values = Vec::with_capacity(outputs.len());
            for output in outputs {
                // The columns of `*` may have the same name: each refers to the next of them.
                let nth = match &output.expr {
                    Expr::Column(ColumnRef { relation: Some(relation), name, span: None }) if has_star => {
                        let nth = seen.entry((*relation, name.as_str())).or_default();
                        *nth += 1;
                        self.nth_column(*relation, name, *nth - 1)
                    }
                    _ => None,
                };
                let value = nth.unwrap_or_else(|| self.expr(&output.expr));
                values.push((output.name.clone(), value));
            }
            return Some(values);
        }
        self.unlisted(list, names, has_star)
    }

    /// The columns of what only wraps another query, as the sides of a set operation in parentheses are: by position,
    /// since several may have the same name, or none.
    fn wrapped(&mut self, block: &Block) -> Option<Vec<(String, Value)>> {
        let query = self.query;
        let Body::Select(select) = &block.body else { return None };
        let ([From::Relation(only)], Some(outputs)) = (select.from.as_slice(), &block.outputs) else {
            return None;
        };
        let relation = query.relation(*only);
        let is_derived = matches!(relation.source, Source::Derived(_));
        if !relation.alias.is_empty() || !is_derived || !block.filters().is_empty() {
            return None;
        }
        let fields = self.relation(*only)?;
        let is_next = |(output, field): (&Output, &Field)| {
            matches!(&output.expr, Expr::Column(ColumnRef { relation: Some(relation), name, .. })
                if relation == only && *name == field.name)
        };
        (outputs.len() == fields.len() && outputs.iter().zip(fields.iter()).all(is_next)).then(|| {
            let columns = outputs.iter().zip(fields.iter());
            columns.map(|(output, field)| (output.name.clone(), field.value.clone())).collect()
        })
    }

    fn values(&mut self, rows: &[Vec<Expr>]) -> Vec<(String, Value)> {
        let width = rows.first().map_or(0, Vec::len);
        let mut columns: Vec<Vec<Value>> = vec![Vec::new(); width];
        for row in rows {
            for (column, expr) in columns.iter_mut().zip(row) {
                column.push(self.expr(expr));
            }
        }
        let mut outputs = Vec::new();
        for (number, column) in (1..).zip(columns) {
            let value = self.joined(column, "the rows of VALUES");
            outputs.push((format!("column{number}"), value));
        }
        outputs
    }

    /// The value of several alternatives that form one column.
    fn joined(&mut self, values: Vec<Value>, what: &str) -> Value {
        if let [only] = values.as_slice() {
            return Value { origin: None, ..only.clone() };
        }
        let ty = match self.common(&values) {
            Ok(ty) => ty,
            Err((a, b)) => {
                self.no_common(what, a, b);
                Ty::OPAQUE
            }
        };
        self.check_common(&values, ty, what);
        let not_null = values.iter().all(|value| value.not_null);
        let why =
            values.iter().find(|value| !value.not_null || value.ty == Ty::OPAQUE).and_then(|v| v.why.clone());
        for value in values {
            self.coerce(value, ty, what);
        }
        let why = why.or_else(|| (ty == Ty::OPAQUE).then(|| "its parts have no type in common".into()));
        Value { why, ..Value::of(ty, not_null) }
    }

    /// Reports a recursive arm whose type is not that of the other arm, which the server does not convert.
    fn check_recursion(&mut self, first: &Value, recursive: &Value) {
        if recursive.is_unknown() || [first.ty, recursive.ty].contains(&Ty::OPAQUE) {
            return;
        }
        let Ok(common) = self.common(&[first.clone(), recursive.clone()]) else { return };
        let (from, to) = (self.types.base(common), self.types.base(first.ty));
        if common != Ty::OPAQUE && !self.types.same(from, to) {
            let (first, common) = (self.types.display(first.ty), self.types.display(common));
            let message =
                format!("a recursive query is `{first}` at first and `{common}` with its recursive side");
            self.error(message, recursive.span);
        }
    }

    /// One side of a set operation: the other side may type its strings and parameters, also those in parentheses
    /// with an order or a limit of their own.
    fn arm(&mut self, id: BlockId) -> Option<Rc<[Field]>> {
        let query = self.query;
        if let Body::Select(select) = &query.block(id).body
            && let [From::Relation(only)] = select.from.as_slice()
            && let Relation { source: Source::Derived(inner), alias, .. } = query.relation(*only)
            && alias.is_empty()
            && self.depth < MAX_EXPR_DEPTH
        {
            self.depth += 1;
            self.arm(*inner);
            self.depth -= 1;
        }
        self.block(id, false)
    }

    /// UNION, INTERSECT, EXCEPT.
    fn set(&mut self, id: BlockId, left: BlockId, right: BlockId) -> Option<Vec<(String, Value)>> {
        let cte = self.recursive_query(id);
        let recursive = cte.is_some();
        let first = if recursive { self.block(left, true) } else { self.arm(left) };
        if let Some(cte) = cte {
            // The recursive arm sees the columns of the other arm, about which nothing is proven after it.
            let seen: Option<Rc<[Field]>> = first.as_ref().map(|fields| {
                let names = self.query.block(cte).outputs.iter().flatten().map(|output| output.name.clone());
                let plain = |(name, field): (String, &Field)| Field {
                    name,
                    value: Value { origin: None, form: Form::Plain, not_null: false, ..field.value.clone() },
                };
                names.zip(fields.iter()).map(plain).collect()
            });
            self.blocks.insert(cte, seen);
        }
        let second = self.arm(right);
        if let Some(cte) = cte {
            self.blocks.remove(&cte);
            self.check_recursive_form(cte, id);
            let first: Vec<Value> =
                first.iter().flat_map(|all| all.iter()).map(|field| field.value.clone()).collect();
            self.check_modifiers(&first, left, right);
        }
        let (first, second) = (first?, second?);
        if first.len() != second.len() {
            let (a, b) = (first.len(), second.len());
            self.refusal(TypeError {
                message: format!("one side of a set operation has {a} columns and the other {b}"),
                span: None,
                label: "",
                help: "select as many columns on each side".to_owned(),
            });
            return None;
        }
        let mut outputs = Vec::new();
        for (a, b) in first.iter().zip(second.iter()) {
            let value = if recursive {
                let not_null = a.value.not_null && b.value.not_null;
                self.check_recursion(&a.value, &b.value);
                if b.value.is_unknown() {
                    self.coerce(b.value.clone(), a.value.ty, "an arm of a recursive query");
                }
                Value { why: a.value.why.clone(), ..Value::of(a.value.ty, not_null) }
            } else {
                self.joined(vec![a.value.clone(), b.value.clone()], "the sides of a set operation")
            };
            outputs.push((a.name.clone(), value));
        }
        Some(outputs)
    }
}
