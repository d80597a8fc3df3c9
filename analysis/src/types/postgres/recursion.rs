//! Recursive queries in forms that the server refuses.

use super::composed::modifier;
use super::session::{Session, Value};
use crate::sql::Span;
use crate::sql::expr::{Expr, Op};
use crate::sql::query::{BlockId, Body, From, JoinKind, Output, RelationId, Role, SetOp, Source};
use crate::types::TypeError;

impl Session<'_> {
    /// The query of a WITH that names itself, if its set operation is this one: it is written around it if CYCLE or SEARCH
    /// adds columns.
    pub(super) fn recursive_query(&self, set: BlockId) -> Option<BlockId> {
        let query = self.query;
        let is_recursive = |id: BlockId| matches!(query.block(id).role, Role::Cte { recursive: true, .. });
        if is_recursive(set) {
            return Some(set);
        }
        let parent = query.block(set).parent.filter(|parent| is_recursive(*parent))?;
        let is_around = |id: RelationId| {
            let relation = query.relation(id);
            relation.alias == "rows" && matches!(relation.source, Source::Derived(of) if of == set)
        };
        match query.block(parent).from() {
            [From::Relation(only)] if is_around(*only) => Some(parent),
            _ => None,
        }
    }

    /// Reports what a query that names itself may not have.
    pub(super) fn check_recursive_form(&mut self, id: BlockId, set: BlockId) {
        if self.in_view > 0 {
            return;
        }
        let query = self.query;
        let block = query.block(set);
        if !matches!(block.body, Body::Set { op: SetOp::Union, .. }) {
            self.recursive("names itself, and is no UNION", "write `.. UNION ALL ..`", None);
        }
        if !block.order_by.is_empty() || block.limit.is_some() || block.offset.is_some() {
            let help = "order and limit the query that reads it";
            self.recursive("has ORDER BY, LIMIT or OFFSET of its own", help, block.limit_span);
        }
        let names_itself = |of: &Source| matches!(of, Source::Cte(named) if *named == id);
        let own = query.relation_ids().filter(|(_, relation)| names_itself(&relation.source));
        let own = own.filter(|(_, relation)| query.is_within(relation.block, id)).collect::<Vec<_>>();
        let mut spans: Vec<Span> = own.iter().filter_map(|(_, relation)| relation.span).collect();
        spans.sort_by_key(|span| span.start);
        spans.dedup();
        if let [_, second, ..] = spans.as_slice() {
            self.recursive("names itself more than once", "name it once", Some(*second));
        }
        for (relation, of) in own {
            if query.is_in_value(of.block, set) {
                self.recursive("names itself in a subquery", "name it in FROM", of.span);
            }
            let block = query.block(of.block);
            if block.from().iter().any(|item| may_be_padded(item, relation)) {
                self.recursive("names itself where an outer join may pad it", "use an inner join", of.span);
            }
            if let Body::Select(select) = &block.body
                && block.from().iter().any(|item| item.relations().contains(&relation))
            {
                let exprs: Vec<&Expr> = select.projection.iter().chain(&select.having).collect();
                self.check_rows_of(&exprs, of.block, "a recursive query");
            }
        }
    }

    /// Reports a column whose length, or precision, the recursive side does not keep.
    pub(super) fn check_modifiers(&mut self, first: &[Value], left: BlockId, right: BlockId) {
        let query = self.query;
        let of = |id: BlockId| query.block(id).outputs.as_deref().unwrap_or_default();
        let (left, right): (&[Output], &[Output]) = (of(left), of(right));
        for ((value, left), right) in first.iter().zip(left).zip(right) {
            let written = match &left.expr {
                Expr::Cast { ty, .. } => Some(modifier(ty)),
                Expr::Column(_) => self.modifier_of(value),
                _ => None,
            };
            let computes = match &right.expr {
                Expr::Binary { op, .. } => matches!(op, Op::Concat | Op::Arithmetic(_)),
                Expr::Call(call) => !call.window && self.kind(call) == Some(b'f'),
                _ => false,
            };
            if let (Some(length), true) = (written.filter(|written| !written.is_empty()), computes) {
                let name = self.types.display(value.ty);
                let message = format!(
                    "a recursive query is `{name}({length})` at first and `{name}` with its recursive side"
                );
                self.error(message, value.span);
            }
        }
    }

    fn recursive(&mut self, what: &str, help: &str, span: Option<Span>) {
        self.refusal(TypeError {
            message: format!("a recursive query {what}"),
            span,
            label: "not allowed here",
            help: help.to_owned(),
        });
    }
}

/// Whether an outer join may pad the rows of a relation.
fn may_be_padded(item: &From, relation: RelationId) -> bool {
    let From::Join { kind, left, right, .. } = item else { return false };
    let pads_left = matches!(kind, JoinKind::Right | JoinKind::Full);
    let pads_right = matches!(kind, JoinKind::Left | JoinKind::Full);
    let has = |item: &From| item.relations().contains(&relation);
    pads_left && has(left)
        || pads_right && has(right)
        || may_be_padded(left, relation)
        || may_be_padded(right, relation)
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};
    use crate::types::describe;

    /// As PostgreSQL 15 takes and refuses them.
    #[test]
    fn recursive_queries_have_a_form() {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(
            "CREATE TABLE t (id int PRIMARY KEY, up int, v varchar(5), w varchar, n numeric(5, 2));",
            "",
        );
        let check = |inner: &str, refused: bool| {
            let sql = format!("WITH RECURSIVE r AS ({inner}) SELECT * FROM r");
            let query = resolve(&sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
            let found = describe(&query, &replay.schema, Dialect::Postgres).errors;
            assert_eq!(!found.is_empty(), refused, "{sql}: {found:?}");
        };
        for refused in [
            "SELECT v FROM t UNION ALL SELECT v || 'x' FROM r",
            "SELECT n FROM t UNION ALL SELECT n + 1 FROM r",
            "SELECT 1::numeric(5, 2) AS n UNION ALL SELECT n * 2 FROM r",
            "SELECT id FROM t UNION ALL SELECT r.id FROM t LEFT JOIN r ON true",
            "SELECT id FROM t UNION ALL SELECT r.id FROM r RIGHT JOIN t ON true",
            "SELECT id FROM t UNION ALL SELECT a.id FROM r a, r b",
            "SELECT id FROM t UNION ALL SELECT id FROM r WHERE id < (SELECT max(id) FROM r)",
            "SELECT id FROM t UNION ALL SELECT max(id) FROM r",
            "SELECT id FROM t UNION ALL SELECT id + 1 FROM r ORDER BY 1",
            "SELECT id FROM t UNION ALL SELECT id + 1 FROM r LIMIT 5",
            "SELECT id FROM t EXCEPT SELECT id + 1 FROM r",
            "SELECT v FROM t UNION ALL SELECT upper(v) FROM r",
            "SELECT id FROM t UNION ALL SELECT id FROM t WHERE up IN (SELECT id FROM r)",
            "SELECT id FROM t UNION ALL SELECT (SELECT id FROM r LIMIT 1) FROM t",
        ] {
            check(refused, true);
        }
        for taken in [
            "SELECT v FROM t UNION ALL SELECT v FROM r",
            "SELECT w FROM t UNION ALL SELECT w || 'x' FROM r",
            "SELECT v::varchar AS v FROM t UNION ALL SELECT v || 'x' FROM r",
            "SELECT n::numeric AS n FROM t UNION ALL SELECT n + 1 FROM r",
            "SELECT 1::numeric AS n UNION ALL SELECT n * 2 FROM r",
            "SELECT id FROM t UNION ALL SELECT r.id FROM r LEFT JOIN t ON t.up = r.id",
            "SELECT id FROM t UNION SELECT t.id FROM t JOIN r ON t.up = r.id",
            "SELECT id FROM t UNION ALL SELECT id FROM r WHERE id < (SELECT max(id) FROM t)",
            "(SELECT id FROM t ORDER BY id LIMIT 1) UNION ALL SELECT id + 1 FROM r",
            "SELECT id FROM t UNION ALL (SELECT id + 1 FROM r ORDER BY id LIMIT 1)",
            "SELECT id FROM t UNION ALL SELECT x.id FROM (SELECT id FROM r) x",
            "SELECT id FROM t UNION ALL SELECT (row_number() OVER ())::int FROM r",
            "SELECT id FROM t EXCEPT SELECT up FROM t ORDER BY 1",
        ] {
            check(taken, false);
        }
    }
}
