//! MERGE: a join of the source with the target, and the action for each pair.

use sqlparser::ast;

use super::Resolver;
use super::scope::Scope;
use crate::sql::query::{Action, BlockId, From, JoinKind, RelationId, When, Write};

impl Resolver<'_> {
    pub(super) fn merge(&mut self, merge: &ast::Merge, id: BlockId) {
        self.scopes.push(Scope::new(id));
        // A common table expression cannot be the target.
        let ctes = std::mem::take(&mut self.ctes);
        let target = self.factor(&merge.table);
        self.ctes = ctes;
        let source = self.factor(&merge.source);
        let Some(target_id) = target.relations().first().copied() else { return };
        let all = self.scopes.last().map_or_else(Vec::new, |scope| scope.relations.clone());
        let others: Vec<RelationId> = all.iter().copied().filter(|id| *id != target_id).collect();
        let on = self.expr(&merge.on);
        let mut whens = Vec::new();
        let mut assignments = Vec::new();
        for clause in &merge.clauses {
            // Each clause sees only the rows that exist for it.
            let visible = match clause.clause_kind {
                ast::MergeClauseKind::Matched => all.clone(),
                ast::MergeClauseKind::NotMatched | ast::MergeClauseKind::NotMatchedByTarget => others.clone(),
                ast::MergeClauseKind::NotMatchedBySource => vec![target_id],
            };
            self.show(visible);
            let condition = clause.predicate.as_ref().map(|condition| self.expr(condition));
            let action = self.action(&clause.action, target_id);
            if let Action::Update(set) = &action {
                assignments.extend(set.iter().cloned());
            }
            whens.push(When { condition, action });
        }
        self.show(all);
        let kind = join_of(&merge.clauses);
        let from = vec![From::Join { kind, left: Box::new(source), right: Box::new(target), on: Some(on) }];
        let returning = match &merge.output {
            Some(
                ast::OutputClause::Returning { select_items, .. }
                | ast::OutputClause::Output { select_items, .. },
            ) => Some(select_items.as_slice()),
            None => None,
        };
        let span = self.bytes(merge.merge_token.0.span);
        let write = Write {
            is_joined: false,
            target: target_id,
            from,
            filter: None,
            assignments,
            source: None,
            conflict: None,
            whens,
            returning: None,
            span,
        };
        self.finish(write, returning, id);
    }

    /// Makes these relations of the innermost scope visible.
    fn show(&mut self, relations: Vec<RelationId>) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.relations = relations;
        }
    }

    fn action(&mut self, action: &ast::MergeAction, target: RelationId) -> Action {
        match action {
            ast::MergeAction::Insert(insert) => {
                let columns: Vec<String> =
                    insert.columns.iter().map(|column| self.target_column(column, target)).collect();
                let values = match &insert.kind {
                    ast::MergeInsertKind::Values(values) => {
                        if !is_default_row(values) {
                            self.count_rows(&values.rows, &columns, target);
                        }
                        let row = values.rows.first().filter(|_| !is_default_row(values));
                        row.map_or_else(Vec::new, |row| self.list(&row.content))
                    }
                    ast::MergeInsertKind::Row | ast::MergeInsertKind::Wildcard => Vec::new(),
                };
                Action::Insert { columns, values }
            }
            ast::MergeAction::Update(update) => match &update.kind {
                ast::MergeUpdateKind::Set(set) => Action::Update(self.assignments(set, target)),
                ast::MergeUpdateKind::Wildcard => Action::Update(Vec::new()),
            },
            ast::MergeAction::Delete { .. } => Action::Delete,
            ast::MergeAction::DoNothing { .. } => Action::Nothing,
        }
    }
}

/// Whether this is `DEFAULT VALUES`, which is rewritten to `VALUES (DEFAULT)`.
fn is_default_row(values: &ast::Values) -> bool {
    let [row] = values.rows.as_slice() else { return false };
    matches!(row.content.as_slice(), [ast::Expr::Identifier(only)] if only.value.eq_ignore_ascii_case("default"))
}

/// How the source, on the left, is joined with the target: unmatched rows are included if a clause handles
/// them.
fn join_of(clauses: &[ast::MergeClause]) -> JoinKind {
    let any =
        |wanted: fn(&ast::MergeClauseKind) -> bool| clauses.iter().any(|clause| wanted(&clause.clause_kind));
    let without_target = any(|kind| {
        matches!(kind, ast::MergeClauseKind::NotMatched | ast::MergeClauseKind::NotMatchedByTarget)
    });
    let without_source = any(|kind| matches!(kind, ast::MergeClauseKind::NotMatchedBySource));
    match (without_target, without_source) {
        (false, false) => JoinKind::Inner,
        (true, false) => JoinKind::Left,
        (false, true) => JoinKind::Right,
        (true, true) => JoinKind::Full,
    }
}
