//! Columns that have to appear in GROUP BY.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::session::Session;
use crate::sql::expr::{Call, ColumnRef, Expr, Literal};
use crate::sql::query::{BlockId, RelationId, Select, Source};
use crate::sql::type_names::canonical;
use crate::types::TypeError;

/// The maximum number of columns that a PostgreSQL query returns or groups by.
const MOST_COLUMNS: usize = 1_664;

/// The keys of a GROUP BY, compared regardless of position.
struct Keys {
    /// By hash.
    keys: HashMap<u64, Vec<Expr>>,
}

impl Keys {
    fn new(group_by: &[Expr]) -> Keys {
        let mut keys: HashMap<u64, Vec<Expr>> = HashMap::new();
        for key in group_by {
            keys.entry(digest(key)).or_default().push(without_places(key));
        }
        Keys { keys }
    }

    /// Whether a key equals an expression, regardless of position.
    fn hold(&self, expr: &Expr) -> bool {
        let Some(alike) = self.keys.get(&digest(expr)) else { return false };
        let is_column = matches!(expr, Expr::Column(_));
        alike.iter().any(|key| key == expr || !is_column && *key == without_places(expr))
    }
}

/// A hash that is equal for equal expressions, regardless of position.
fn digest(expr: &Expr) -> u64 {
    let mut hasher = DefaultHasher::new();
    expr.walk(&mut |part| {
        std::mem::discriminant(part).hash(&mut hasher);
        match part {
            Expr::Column(column) => (column.relation, &column.name).hash(&mut hasher),
            Expr::Parameter(number) => number.hash(&mut hasher),
            Expr::Literal(Literal::Number(text) | Literal::Text(text)) => text.hash(&mut hasher),
            Expr::Call(call) => call.name.hash(&mut hasher),
            _ => {}
        }
    });
    hasher.finish()
}

fn without_places(expr: &Expr) -> Expr {
    let mut copy = expr.clone();
    let mut pending = vec![&mut copy];
    while let Some(expr) = pending.pop() {
        match expr {
            Expr::Call(call) => call.span = None,
            // `a::int4` and `a::integer` are one key.
            Expr::Cast { ty, .. } => *ty = canonical(ty),
            _ => {}
        }
        pending.extend(expr.children_mut());
    }
    copy
}

impl Session<'_> {
    /// Reports columns outside of aggregates that are not grouped by. Nothing is reported if a function may
    /// be an unknown aggregate, or there are several grouping sets.
    pub(super) fn check_groups(&mut self, select: &Select, block: BlockId) {
        let grouped = !select.group_by.is_empty() || select.aggregates || select.having.is_some();
        if !grouped || select.grouping_sets || self.in_view > 0 {
            return;
        }
        if select.group_by.len().max(select.projection.len()) > MOST_COLUMNS {
            return;
        }
        let keys = Keys::new(&select.group_by);
        let order = self.query.block(block).order_by.iter().map(|key| &key.expr);
        for expr in select.projection.iter().chain(&select.having).chain(order) {
            let Some(column) = self.ungrouped(expr, &keys, select, block) else { continue };
            let name = match column.relation {
                Some(id) => format!("{}.{}", self.query.relation(id).alias, column.name),
                None => column.name.clone(),
            };
            let written = &column.name;
            let error = TypeError {
                message: format!("`{name}` is neither in GROUP BY nor in an aggregate"),
                span: column.span,
                label: "one group has several of them",
                help: format!("add `{written}` to GROUP BY, or take one of a group: `max({written})`"),
            };
            self.refusal(error);
        }
    }

    /// The first column of an expression that does not have a single value per group.
    fn ungrouped<'e>(
        &mut self,
        expr: &'e Expr,
        keys: &Keys,
        select: &Select,
        block: BlockId,
    ) -> Option<&'e ColumnRef> {
        if keys.hold(expr) {
            return None;
        }
        match expr {
            Expr::Column(column) => {
                let id = column.relation?;
                let here = self.query.relation(id).block == block;
                (here && !self.is_keyed(id, select)).then_some(column)
            }
            Expr::Call(call) if !call.window && self.may_be_aggregate(call) => None,
            other => other.children().into_iter().find_map(|part| self.ungrouped(part, keys, select, block)),
        }
    }

    /// Whether a function is an aggregate, or unknown.
    fn may_be_aggregate(&self, call: &Call) -> bool {
        let special = matches!(call.name.as_str(), "coalesce" | "greatest" | "least" | "nullif");
        let lines = self.types.catalog.lines('f', &call.name);
        let mut own = self.schema.functions_named(&call.name).flat_map(|(_, overloads)| overloads).peekable();
        let is_unknown = lines.is_empty() && own.peek().is_none();
        let is_made = own.any(|text| super::own::is_aggregate(text));
        !special && (is_unknown || is_made || lines.iter().any(|line| line.starts_with("a ")))
    }

    /// Whether the groups fix the primary key of a table, and so all of its columns.
    fn is_keyed(&self, id: RelationId, select: &Select) -> bool {
        let Source::Table(name) = &self.query.relation(id).source else { return false };
        let Some(table) = self.schema.tables.get(name) else { return true };
        let fixed = |key: &String| {
            let is_key = |by: &Expr| matches!(by, Expr::Column(column) if column.relation == Some(id) && column.name == *key);
            select.group_by.iter().any(is_key)
        };
        !table.primary_key.is_empty() && table.primary_key.iter().all(fixed)
    }
}
