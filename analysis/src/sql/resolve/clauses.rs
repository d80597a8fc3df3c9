//! Clauses that the database refuses, by themselves or in combination with others.

use std::collections::HashSet;

use sqlparser::ast;

use super::Resolver;
use crate::sql::dialect::Dialect;
use crate::sql::expr::{Expr, Literal};
use crate::sql::query::{BlockId, Body, From, ProblemKind, Relation, RelationId, Source};
use crate::sql::text::Span;

impl Resolver<'_> {
    /// Records a clause that the database refuses.
    pub(super) fn clause(
        &mut self,
        message: impl Into<String>,
        label: &'static str,
        help: &str,
        span: Option<Span>,
    ) {
        let (message, help) = (message.into(), help.to_owned());
        self.problem(ProblemKind::Clause { message, label, help }, span);
    }

    /// Whether tables may have more columns than the schema says.
    pub(super) fn may_lack_columns(&self) -> bool {
        self.schema.is_some_and(|schema| !schema.gaps.is_empty() || !schema.loose_columns.is_empty())
    }

    /// Compares a list of column aliases with the columns of a query.
    pub(super) fn count_renamed(&mut self, name: &str, renamed: &[String], of: BlockId, span: Option<Span>) {
        let Some(outputs) = &self.blocks[of.0 as usize].outputs else { return };
        if self.has_hidden_columns(of) {
            return;
        }
        let (columns, names) = (outputs.len(), renamed.len());
        // PostgreSQL leaves the last columns their own names.
        let fits = match self.dialect {
            Dialect::Postgres => names <= columns,
            Dialect::MySql | Dialect::Sqlite => names == columns || names == 0,
        };
        if !fits && !self.may_lack_columns() {
            let message = format!("`{name}` has {columns} columns, and {names} are named");
            self.clause(message, "this list", "name each column once", span);
        }
    }

    /// Records two common table expressions with one name.
    pub(super) fn check_with(&mut self, with: &ast::With) {
        let mut names = HashSet::new();
        for cte in &with.cte_tables {
            let name = self.fold(&cte.alias.name);
            let span = self.bytes(cte.alias.name.span);
            if !names.insert(name.clone()) {
                let message = format!("`{name}` is defined twice in this WITH");
                self.clause(message, "again", "give it another name", span);
            }
        }
    }

    /// MySQL: records a name that two tables of a FROM go by. Aliases that differ in capitals are two on most servers, and
    /// an alias belongs to the database of its table.
    pub(super) fn check_written_aliases(&mut self, from: &[ast::TableWithJoins]) {
        if self.dialect != Dialect::MySql {
            return;
        }
        let mut seen: Vec<(Option<String>, String)> = Vec::new();
        for item in from {
            for factor in std::iter::once(&item.relation).chain(item.joins.iter().map(|join| &join.relation))
            {
                let (of, name) = match factor {
                    ast::TableFactor::Table { name, alias, args: None, .. } => {
                        let mut parts = name.0.iter().rev().filter_map(|part| part.as_ident());
                        let (Some(last), of) = (parts.next(), parts.next()) else { continue };
                        let last = alias.as_ref().map_or(last, |alias| &alias.name);
                        (of.map(|of| of.value.clone()), last)
                    }
                    ast::TableFactor::Derived { alias: Some(alias), .. } => (None, &alias.name),
                    _ => continue,
                };
                let written = (of, name.value.clone());
                if seen.contains(&written) {
                    return self.clause_of_twice(&name.value, self.bytes(name.span));
                }
                if seen.len() < MOST_NAMES {
                    seen.push(written);
                }
            }
        }
    }

    /// PostgreSQL: records a name that two tables of the innermost FROM go by. SQLite only refuses columns that both have.
    pub(super) fn check_aliases(&mut self) {
        let Some(scope) = self.scopes.last().filter(|_| self.dialect == Dialect::Postgres) else { return };
        let has_rows = |relation: &Relation| {
            matches!(
                relation.source,
                Source::Table(_) | Source::View(..) | Source::Cte(_) | Source::Derived(_) | Source::System(_)
            )
        };
        let relations = scope.relations.iter().map(|id| &self.relations[id.0 as usize]);
        let mut seen: Vec<&Relation> = Vec::new();
        let mut twice = None;
        for relation in relations.filter(|relation| !relation.alias.is_empty() && has_rows(relation)) {
            // Tables of two schemas may have the same name.
            let is_same =
                |known: &&Relation| known.alias == relation.alias && !are_of_two_schemas(known, relation);
            if seen.iter().any(is_same) {
                twice = Some((relation.alias.clone(), relation.span));
                break;
            }
            if seen.len() < MOST_NAMES {
                seen.push(relation);
            }
        }
        if let Some((name, span)) = twice {
            self.clause_of_twice(&name, span);
        }
    }

    fn clause_of_twice(&mut self, name: &str, span: Option<Span>) {
        let message = format!("two tables of one FROM go by `{name}`");
        self.clause(message, "again", "give one of them an alias", span);
    }

    /// Records a column of USING that one side of the join lacks; returns whether it does.
    pub(super) fn check_merged(&mut self, name: &str, side: &From, span: Option<Span>) -> bool {
        let relations = side.relations();
        let lacks =
            |&id: &RelationId| self.has_column(id, name) == Some(false) && !self.is_system_column(id, name);
        if !relations.iter().all(lacks) {
            return false;
        }
        let table = match relations.as_slice() {
            [only] => Some(self.relation_name(*only)),
            _ => None,
        };
        let similar = relations.iter().find_map(|&id| self.similar_in(id, name));
        self.problem(ProblemKind::UnknownColumn { column: name.to_owned(), table, similar }, span);
        true
    }

    /// The column that the condition of a join names in a table before its item of the FROM, which a comma joins later. It
    /// is recorded, as nothing else has that name.
    pub(super) fn out_of_reach(
        &mut self,
        alias: Option<&str>,
        name: &str,
        span: Option<Span>,
    ) -> Option<RelationId> {
        let mut hidden = self.scopes.iter().rev().flat_map(|scope| &scope.out_of_reach).copied();
        let is_meant = |&id: &RelationId| {
            let relation = &self.relations[id.0 as usize];
            alias.is_none_or(|alias| relation.alias == alias) && self.has_column(id, name) == Some(true)
        };
        let relation = hidden.find(is_meant)?;
        let table = self.relations[relation.0 as usize].alias.clone();
        if self.scopes.iter().any(|scope| scope.written == Some(relation)) {
            let message =
                format!("`{table}.{name}` is out of reach of this ON: `{table}` is joined after FROM");
            self.clause(message, "not joined yet", "move the condition to WHERE", span);
            return Some(relation);
        }
        let message = format!("`{table}.{name}` is out of reach of this ON: a comma joins after JOIN");
        let help = format!("join `{table}` by CROSS JOIN instead of a comma, or move the condition to WHERE");
        self.clause(message, "not joined yet", &help, span);
        Some(relation)
    }

    /// Records a write to a view that cannot be written to: on MySQL if its rows are not those of one table, on SQLite without a
    /// trigger. SQLite accepts the write if it has RETURNING.
    pub(super) fn check_view(&mut self, target: RelationId, returns: bool) {
        let relation = &self.relations[target.0 as usize];
        let Source::View(name, block) = &relation.source else { return };
        let makes_others = match &self.blocks[block.0 as usize].body {
            Body::Select(select) => {
                select.distinct.is_some()
                    || !select.group_by.is_empty()
                    || select.aggregates
                    || select.having.is_some()
            }
            Body::Set { .. } => true,
            _ => false,
        };
        if self.dialect == Dialect::Sqlite {
            let hooks = self.schema.and_then(|schema| schema.views.get(name)).map(|view| view.hooks.len());
            if hooks == Some(0) && !returns && self.schema.is_some_and(|schema| schema.gaps.is_empty()) {
                let message = format!("view `{name}` has no trigger that takes what is written to it");
                let help = "write to the tables that it reads, or add an INSTEAD OF trigger";
                return self.clause(message, "written to", help, relation.span);
            }
        }
        if makes_others && self.dialect == Dialect::MySql {
            let (message, span) =
                (format!("view `{name}` makes rows of others, and cannot be written to"), relation.span);
            self.clause(message, "written to", "write to the tables that it reads", span);
        }
    }

    /// Records a join without a condition that has to have one.
    pub(super) fn check_join(
        &mut self,
        operator: &ast::JoinOperator,
        constraint: Option<&ast::JoinConstraint>,
    ) {
        use ast::JoinOperator as J;
        let is_free = matches!(operator, J::CrossJoin(_) | J::CrossApply | J::OuterApply);
        let is_bare = matches!(constraint, Some(ast::JoinConstraint::None));
        let is_outer = matches!(operator, J::Left(_) | J::LeftOuter(_) | J::Right(_) | J::RightOuter(_));
        let has_to = match self.dialect {
            Dialect::Postgres => !is_free,
            Dialect::MySql => is_outer,
            Dialect::Sqlite => false,
        };
        if is_bare && has_to {
            let span = self.last_relation().and_then(|relation| relation.span);
            self.clause(
                "JOIN without ON or USING",
                "joined here",
                "add the condition, or write CROSS JOIN",
                span,
            );
        }
    }

    fn last_relation(&self) -> Option<&Relation> {
        let id = self.scopes.last()?.relations.last()?;
        self.relations.get(id.0 as usize)
    }

    /// PostgreSQL: records an UPDATE or DELETE with ORDER BY or LIMIT.
    pub(super) fn check_bounds(&mut self, what: &str, is_bounded: bool) {
        if is_bounded && self.dialect == Dialect::Postgres {
            let message = format!("{what} has neither ORDER BY nor LIMIT in PostgreSQL");
            let help = "choose the rows in a subquery: `WHERE id IN (SELECT id .. ORDER BY .. LIMIT ..)`";
            self.clause(message, "", help, None);
        }
    }

    /// Records an index hint that names no index of its table.
    pub(super) fn check_hint(&mut self, hint: &ast::TableIndexHints, relation: RelationId) {
        for index in &hint.index_names {
            let span = self.bytes(index.span);
            self.check_index(&index.value, relation, span);
        }
    }

    /// Records the name of an index that the table of a relation lacks.
    pub(super) fn check_index(&mut self, name: &str, relation: RelationId, span: Option<Span>) {
        let Some(schema) = self.schema.filter(|schema| schema.gaps.is_empty()) else { return };
        let Source::Table(table) = &self.relations[relation.0 as usize].source else { return };
        let Some(known) = schema.tables.get(table) else { return };
        let is_primary = name.eq_ignore_ascii_case("primary") && self.dialect == Dialect::MySql;
        // MySQL takes the beginning of a name for the name.
        let is_it = |index: &str| match self.dialect {
            Dialect::MySql => index.to_lowercase().starts_with(&name.to_lowercase()),
            Dialect::Postgres | Dialect::Sqlite => index.eq_ignore_ascii_case(name),
        };
        let has = known.indexes.iter().any(|index| is_it(&index.name));
        if !has && !is_primary && schema.loose_indexes.is_empty() {
            let similar =
                crate::sql::text::most_similar(name, known.indexes.iter().map(|index| index.name.as_str()));
            let help = match similar {
                Some(similar) => format!("write `{similar}`, which exists"),
                None => "leave the hint out".to_owned(),
            };
            self.clause(format!("table `{table}` has no index `{name}`"), "unknown", &help, span);
        }
    }

    /// Records the name of a constraint that the target of an INSERT lacks.
    pub(super) fn check_constraint(&mut self, name: &ast::ObjectName, target: RelationId) {
        let Some(schema) = self.schema.filter(|schema| schema.gaps.is_empty()) else { return };
        let Source::Table(table) = &self.relations[target.0 as usize].source else { return };
        let Some(known) = schema.tables.get(table) else { return };
        let (_, name_of) = self.object_name(name);
        let constraints = known.indexes.iter().filter(|index| index.constraint).map(|index| &index.name);
        let exclusions = known.exclusions.iter().map(|exclusion| &exclusion.name);
        let mut names = constraints.chain(exclusions).map(String::as_str);
        // The server numbers names that are taken already.
        let is_it =
            |known: &str| known == name_of || known == name_of.trim_end_matches(|c: char| c.is_ascii_digit());
        if names.clone().any(is_it) {
            return;
        }
        let help = match crate::sql::text::most_similar(&name_of, names.clone())
            .or(names.next().map(str::to_owned))
        {
            Some(other) => format!("`{table}` has the constraint `{other}`"),
            None => "name the columns of a unique index: `ON CONFLICT (column)`".to_owned(),
        };
        let message = format!("table `{table}` has no unique constraint `{name_of}`");
        self.clause(message, "unknown", &help, self.span_of(name));
    }

    /// PostgreSQL: records a common table expression that is read although it writes and returns nothing.
    pub(super) fn check_returning(&mut self, cte: BlockId, name: &str, span: Option<Span>) {
        let is_silent =
            matches!(&self.blocks[cte.0 as usize].body, Body::Write(write) if write.returning.is_none());
        if is_silent && self.dialect == Dialect::Postgres {
            let message = format!("`{name}` writes, and returns no rows to read");
            self.clause(message, "read here", "add RETURNING to it", span);
        }
    }

    /// Records a column that a list assigns twice; `whole` are those that it has assigned so far. Elements and fields of a
    /// column are assigned one by one.
    pub(super) fn check_repeated(
        &mut self,
        column: &str,
        whole: &HashSet<String>,
        span: Option<Span>,
        target: RelationId,
    ) {
        if !self.subscripted && !self.fielded && !column.is_empty() && whole.contains(column) {
            self.is_repeated(column, span, target);
        }
    }

    /// MySQL and MariaDB: records a query in FROM that has two columns of one name, which neither takes. Only names that are
    /// written are compared.
    pub(super) fn check_own_names(&mut self, relation: &Relation) {
        let (Source::Cte(block) | Source::Derived(block)) = relation.source else { return };
        let (Some(columns), Some(outputs)) = (&relation.columns, &self.blocks[block.0 as usize].outputs)
        else {
            return;
        };
        if self.dialect != Dialect::MySql || relation.alias.is_empty() {
            return;
        }
        let is_written = |expr: &Expr| matches!(expr, Expr::Column(_) | Expr::Literal(Literal::Number(_)));
        let named = columns.iter().zip(outputs).filter(|(_, output)| is_written(&output.expr));
        let mut seen = HashSet::new();
        let again = named.map(|(column, _)| &column.name).find(|name| !seen.insert(name.to_lowercase()));
        if let Some(name) = again {
            let message = format!("query `{}` has two columns `{name}`", relation.alias);
            self.clause(message, "", "give one of them an alias", relation.span);
        }
    }

    /// Records a column that is assigned twice.
    pub(super) fn is_repeated(&mut self, column: &str, span: Option<Span>, target: RelationId) {
        let table = self.relation_name(target);
        let message = format!("column `{column}` of `{table}` is assigned twice");
        self.clause(message, "again", "take one of them out", span);
    }
}

/// The maximum number of tables of one FROM whose names are compared.
const MOST_NAMES: usize = 100;

/// Whether two relations are tables without aliases, of different schemas.
fn are_of_two_schemas(one: &Relation, other: &Relation) -> bool {
    let name = |relation: &Relation| match &relation.source {
        Source::Table(name) | Source::View(name, _) | Source::System(name) if name.name == relation.alias => {
            Some(name.clone())
        }
        _ => None,
    };
    matches!((name(one), name(other)), (Some(one), Some(other)) if one != other)
}
