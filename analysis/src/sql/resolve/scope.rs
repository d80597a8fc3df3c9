//! What a name can refer to at its position.

use sqlparser::ast;

use super::Resolver;
use crate::sql::dialect::Dialect;
use crate::sql::expr::{Call, ColumnRef, Expr, Literal, is_written_bare};
use crate::sql::query::{BlockId, Output, Problem, ProblemKind, RelationColumn, RelationId, Source};
use crate::sql::text::Span;

/// The maximum number of unknown names reported; a text with more does not belong to this database.
const MOST_PROBLEMS: usize = 50;

/// The common table expressions that a query may name.
#[derive(Debug, Default)]
pub(super) struct Ctes {
    /// Those whose columns are known, or that are being resolved; innermost last.
    pub(super) resolved: Vec<(String, BlockId)>,
    /// The names of those that follow in the recursive WITHs around.
    pub(super) following: Vec<String>,
}

/// The names that one block introduces.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) block: BlockId,
    pub(super) relations: Vec<RelationId>,
    /// The tables before the item of the FROM whose condition is read, which it cannot name.
    pub(super) out_of_reach: Vec<RelationId>,
    /// The table that an UPDATE with FROM writes to, which the joins of its FROM cannot name.
    pub(super) written: Option<RelationId>,
    /// Columns merged by USING or NATURAL: an unqualified name refers to the first relation that has it.
    pub(super) merged: Vec<Merged>,
    /// The block's own output columns, for ORDER BY, GROUP BY and HAVING.
    pub(super) outputs: Vec<Output>,
    /// Whether names are of the row that PostgreSQL's DO UPDATE changes, and of the proposed one alike.
    pub(super) is_update_of_conflict: bool,
    /// Whether some of the outputs may stem from a `*`.
    pub(super) has_star: bool,
    /// Whether only output columns can be named: ORDER BY after a set operation.
    pub(super) outputs_only: bool,
    /// The names of the windows that a SELECT defines; `None` in other scopes.
    pub(super) windows: Option<Vec<String>>,
    /// The keys by which they divide the rows, by their names.
    pub(super) partitions: Vec<(String, Vec<Expr>)>,
    /// Whether an output takes precedence if several tables have the name: HAVING in MySQL.
    pub(super) prefers_outputs: bool,
}

/// The columns merged by one join.
#[derive(Debug, Clone)]
pub(super) struct Merged {
    pub(super) names: Vec<String>,
    /// The relations of both sides.
    pub(super) relations: Vec<RelationId>,
}

impl Merged {
    /// Whether the columns of this name in these relations are one.
    fn is_one(&self, name: &str, relations: &[RelationId]) -> bool {
        self.names.iter().any(|merged| merged == name)
            && relations.iter().all(|id| self.relations.contains(id))
    }
}

impl Scope {
    pub(super) fn new(block: BlockId) -> Scope {
        Scope {
            block,
            relations: Vec::new(),
            out_of_reach: Vec::new(),
            written: None,
            merged: Vec::new(),
            outputs: Vec::new(),
            has_star: false,
            is_update_of_conflict: false,
            outputs_only: false,
            windows: None,
            partitions: Vec::new(),
            prefers_outputs: false,
        }
    }
}

/// The result of looking up a column name in a scope.
enum Found {
    Column(RelationId),
    Row(RelationId),
    Output(Expr),
    /// Possible: the columns of a relation are unknown.
    Perhaps(Option<RelationId>),
    Ambiguous(Vec<String>),
    No,
}

impl Resolver<'_> {
    /// Resolves an unqualified name.
    pub(super) fn column(&mut self, ident: &ast::Ident) -> Expr {
        let name = self.fold(ident);
        let span = self.bytes(ident.span);
        let mut uncertain = false;
        for depth in (0..self.scopes.len()).rev() {
            let found = self.find(depth, &name);
            let relation = match found {
                Found::No => continue,
                Found::Output(expr) => return expr,
                Found::Ambiguous(_) if self.window_aliases.contains(&name) => None,
                Found::Ambiguous(relations) => {
                    self.problem(ProblemKind::AmbiguousColumn { column: name.clone(), relations }, span);
                    None
                }
                Found::Row(relation) => {
                    // A column of that name takes precedence over a row, even one of an outer query.
                    if let Some((depth, relation)) = self.certain_outer(depth, &name) {
                        self.mark_correlated(depth);
                        return Expr::Column(ColumnRef { relation: Some(relation), name, span });
                    }
                    self.mark_correlated(depth);
                    return Expr::WholeRow(relation);
                }
                Found::Column(relation) => Some(relation),
                Found::Perhaps(relation) => match self.certain_outer(depth, &name) {
                    // A function returns few columns, and seldom one of that name.
                    Some((outer, relation)) if !self.has_unknown_table(depth) => {
                        self.mark_correlated(outer);
                        Some(relation)
                    }
                    // The table whose columns are unknown may have it, and then it is not that of an outer query.
                    _ => {
                        uncertain = true;
                        relation
                    }
                },
            };
            if !uncertain {
                self.mark_correlated(depth);
            }
            return Expr::Column(ColumnRef { relation, name, span });
        }
        if let Some(value) = self.keyword_value(ident, &name) {
            return value;
        }
        if self.scopes.iter().any(|scope| scope.outputs_only) && self.scopes.len() == 1 && self.open_outputs()
        {
            return Expr::Column(ColumnRef { relation: None, name, span });
        }
        if let Some(passed) = self.passed(&name) {
            return passed;
        }
        if self.window_aliases.contains(&name) {
            return Expr::Column(ColumnRef { relation: None, name, span });
        }
        if let Some(relation) = self.out_of_reach(None, &name, span) {
            return Expr::Column(ColumnRef { relation: Some(relation), name, span });
        }
        let table = self.only_table();
        let similar = self.similar_column(&name);
        self.problem(ProblemKind::UnknownColumn { column: name.clone(), table, similar }, span);
        Expr::Column(ColumnRef { relation: self.may_be_of(&name), name, span })
    }

    /// The only table of the query, if it may have a column that statements add to whichever tables.
    fn may_be_of(&self, name: &str) -> Option<RelationId> {
        let [scope] = self.scopes.as_slice() else { return None };
        let [only] = scope.relations.as_slice() else { return None };
        let is_table = matches!(self.relations[only.0 as usize].source, Source::Table(_));
        (is_table && self.schema.is_some_and(|schema| schema.may_be_added(name))).then_some(*only)
    }

    /// Resolves `qualifier.name`, whose qualifier may be `schema.table`.
    pub(super) fn qualified_column(&mut self, qualifier: &[ast::Ident], ident: &ast::Ident) -> Expr {
        let name = self.fold(ident);
        let span = match (qualifier.first(), self.bytes(ident.span)) {
            (Some(first), Some(end)) => self.bytes(first.span).map(|start| Span::new(start.start, end.end)),
            _ => None,
        };
        let Some((depth, relation)) = self.find_relation(qualifier) else {
            let function = self.parameters.as_ref().map(|(function, _)| function);
            if let (Some(function), Some(last)) = (function, qualifier.last())
                && *function == self.fold(last)
                && let Some(passed) = self.passed(&name)
            {
                return passed;
            }
            // MySQL and PostgreSQL also allow `column.field` of a composite or JSON column: if in doubt, no
            // error.
            if self.dialect == Dialect::MySql && qualifier.first().is_some_and(|q| q.value.starts_with("@@"))
            {
                return Expr::Other { what: format!("@@{name}"), parts: Vec::new() };
            }
            let alias = qualifier.last().map(|alias| self.fold(alias));
            if let Some(relation) = self.out_of_reach(alias.as_deref(), &name, span) {
                return Expr::Column(ColumnRef { relation: Some(relation), name, span });
            }
            let known_column = qualifier.len() == 1 && qualifier.first().is_some_and(|q| self.is_column(q));
            if let (false, Some(last)) = (known_column, qualifier.last()) {
                let name = self.fold(last);
                self.problem(ProblemKind::UnknownTable { name, similar: None }, span);
            }
            return Expr::Column(ColumnRef { relation: None, name, span });
        };
        self.mark_correlated(depth);
        self.check_twice(relation, &name, span);
        let is_missing =
            self.has_column(relation, &name) == Some(false) && !self.is_system_column(relation, &name);
        if is_missing && !self.may_be_rows(relation) {
            if self.has_function(&name) {
                // PostgreSQL reads `t.f` as `f(t)` if there is no such column.
                return Expr::Call(Call::plain(&name, vec![Expr::WholeRow(relation)]));
            }
            let table = Some(self.relation_name(relation));
            let similar = self.similar_in(relation, &name);
            self.problem(ProblemKind::UnknownColumn { column: name.clone(), table, similar }, span);
        }
        Expr::Column(ColumnRef { relation: Some(relation), name, span })
    }

    /// The relation that a qualifier names, with the depth of its scope.
    pub(super) fn find_relation(&self, qualifier: &[ast::Ident]) -> Option<(usize, RelationId)> {
        let alias = self.fold(qualifier.last()?);
        (0..self.scopes.len()).rev().find_map(|depth| {
            let relations = &self.scopes[depth].relations;
            let id = relations.iter().copied().find(|id| self.relations[id.0 as usize].alias == alias)?;
            Some((depth, id))
        })
    }

    /// Marks the blocks inside the scope at `depth` as correlated.
    fn mark_correlated(&mut self, depth: usize) {
        for inner in (depth + 1)..self.scopes.len() {
            let block = self.scopes[inner].block;
            self.block_mut(block).correlated = true;
        }
    }

    fn find(&self, depth: usize, name: &str) -> Found {
        let scope = &self.scopes[depth];
        if scope.outputs_only {
            return match scope.outputs.iter().find(|output| output.name.eq_ignore_ascii_case(name)) {
                Some(output) => Found::Output(output.expr.clone()),
                None => Found::No,
            };
        }
        let mut certain = Vec::new();
        let mut possible = Vec::new();
        for &id in &scope.relations {
            match self.has_column(id, name) {
                Some(true) => certain.push(id),
                Some(false) => {}
                None => possible.push(id),
            }
        }
        // The row proposed by an INSERT is reached by its qualifier, or by names that the target lacks.
        let proposed = |id: &RelationId| matches!(self.relations[id.0 as usize].source, Source::Pseudo);
        if !scope.is_update_of_conflict && !certain.iter().all(proposed) {
            certain.retain(|id| !proposed(id));
        }
        match certain.as_slice() {
            [one] if self.has_twice(*one, name) => {
                Found::Ambiguous(vec![self.relations[one.0 as usize].alias.clone()])
            }
            [one] => Found::Column(*one),
            [first, ..] if scope.merged.iter().any(|merged| merged.is_one(name, &certain)) => {
                Found::Column(*first)
            }
            [_, _, ..]
                if scope.prefers_outputs
                    && scope.outputs.iter().any(|output| self.is_named(output, name)) =>
            {
                let output = scope.outputs.iter().find(|output| self.is_named(output, name));
                output.map_or(Found::No, |output| Found::Output(output.expr.clone()))
            }
            [_, _, ..] => Found::Ambiguous(
                certain.iter().map(|id| self.relations[id.0 as usize].alias.clone()).collect(),
            ),
            [] => {
                if self.dialect == Dialect::Postgres {
                    let row = scope.relations.iter().find(|id| self.relations[id.0 as usize].alias == name);
                    if let Some(&row) = row {
                        return Found::Row(row);
                    }
                }
                // A table of SQLite without a rowid leaves that name to the next.
                let mut relations = scope.relations.iter().copied();
                let first = relations.find(|id| self.table_of(*id).is_none_or(|table| !table.without_rowid));
                if let Some(first) = first.filter(|first| self.is_system_column(*first, name)) {
                    return Found::Column(first);
                }
                // SQLite and MySQL let conditions refer to output columns.
                if let Some(output) = scope.outputs.iter().find(|output| self.is_named(output, name)) {
                    return Found::Output(output.expr.clone());
                }
                match possible.as_slice() {
                    [] => Found::No,
                    [one] => Found::Perhaps(Some(*one)),
                    _ => Found::Perhaps(None),
                }
            }
        }
    }

    /// Whether a relation may have the columns of a type that the program gives to a parameter: `unnest($1) AS new`.
    fn may_be_rows(&self, id: RelationId) -> bool {
        match &self.relations[id.0 as usize].source {
            Source::Function(name, args) => {
                name == "unnest" && args.iter().any(|arg| matches!(arg, Expr::Parameter(_)))
            }
            _ => false,
        }
    }

    /// Whether a scope has a table, or a query of one, whose columns are unknown.
    fn has_unknown_table(&self, depth: usize) -> bool {
        self.scopes[depth].relations.iter().any(|id| {
            let relation = &self.relations[id.0 as usize];
            relation.columns.is_none() && !matches!(relation.source, Source::Function(..))
        })
    }

    fn certain_outer(&self, depth: usize, name: &str) -> Option<(usize, RelationId)> {
        (0..depth).rev().find_map(|outer| match self.find(outer, name) {
            Found::Column(relation) => Some((outer, relation)),
            _ => None,
        })
    }

    /// Whether a relation has a column; `None` if its columns are unknown.
    pub(super) fn has_column(&self, id: RelationId, name: &str) -> Option<bool> {
        let relation = &self.relations[id.0 as usize];
        let same = |column: &RelationColumn| match self.dialect {
            Dialect::Postgres => column.name == name,
            Dialect::MySql | Dialect::Sqlite => column.name.eq_ignore_ascii_case(name),
        };
        relation.columns.as_ref().map(|columns| self.wide.find(columns, name, same).is_some())
    }

    /// The argument passed for a parameter of the SQL function being inlined.
    fn passed(&self, name: &str) -> Option<Expr> {
        let (_, parameters) = self.parameters.as_ref()?;
        parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    /// Whether migrations create a function with this name.
    pub(super) fn has_function(&self, name: &str) -> bool {
        let mut functions = self.schema.into_iter().flat_map(|schema| schema.functions_named(name));
        self.dialect == Dialect::Postgres && functions.next().is_some()
    }

    fn is_column(&self, ident: &ast::Ident) -> bool {
        let name = self.fold(ident);
        let mut relations = self.scopes.iter().flat_map(|scope| &scope.relations);
        relations.any(|&id| self.has_column(id, &name) != Some(false))
    }

    /// Names that are values rather than columns.
    fn keyword_value(&self, ident: &ast::Ident, name: &str) -> Option<Expr> {
        match ident.quote_style {
            Some('"') if self.dialect != Dialect::Postgres => {
                // Both treat a double-quoted unknown name as a string.
                return Some(Expr::Literal(Literal::Text(ident.value.clone())));
            }
            Some(_) => return None,
            None => {}
        }
        // The parser treats MySQL's `@variable` as a name.
        let variable = self.dialect == Dialect::MySql && (name.starts_with('@') || is_bit_literal(name));
        let known = variable
            || is_written_bare(name)
            || matches!(
                name,
                "current_schema" | "system_user" | "default" | "utc_date" | "utc_time" | "utc_timestamp"
            );
        known.then(|| Expr::Other { what: name.to_owned(), parts: Vec::new() })
    }

    /// Whether an ORDER BY may refer to unknown names, because the outputs are unknown.
    fn open_outputs(&self) -> bool {
        self.scopes.last().is_some_and(|scope| self.blocks[scope.block.0 as usize].outputs.is_none())
    }

    /// The table that an unknown column must belong to: the only one in scope.
    fn only_table(&self) -> Option<String> {
        match self.scopes.last()?.relations.as_slice() {
            [one] => Some(self.relation_name(*one)),
            _ => None,
        }
    }

    pub(super) fn relation_name(&self, id: RelationId) -> String {
        let relation = &self.relations[id.0 as usize];
        match &relation.source {
            Source::Table(name) | Source::View(name, _) => name.to_string(),
            _ => relation.alias.clone(),
        }
    }

    fn similar_column(&self, name: &str) -> Option<String> {
        self.scopes.last()?.relations.iter().find_map(|&id| self.similar_in(id, name))
    }

    pub(super) fn similar_in(&self, id: RelationId, name: &str) -> Option<String> {
        let columns = self.relations[id.0 as usize].columns.as_ref()?;
        let names = || columns.iter().map(|column| column.name.as_str());
        let mut longer = names()
            .filter(|known| name != "id" && known.strip_suffix(name).is_some_and(|it| it.ends_with('_')));
        let only = longer.next().filter(|_| longer.next().is_none());
        crate::sql::text::most_similar(name, names()).or_else(|| only.map(str::to_owned))
    }

    /// Records a problem, unless there is no schema or it is inside a view.
    pub(super) fn problem(&mut self, kind: ProblemKind, span: Option<Span>) {
        let of_text = matches!(
            kind,
            ProblemKind::AmbiguousColumn { .. }
                | ProblemKind::ValuesCount { listed: true, .. }
                | ProblemKind::Clause { .. }
                | ProblemKind::Foreign { .. }
        );
        let known = self.schema.is_some() || of_text;
        if known && self.views == 0 && self.problems.len() < MOST_PROBLEMS {
            self.problems.push(Problem { kind, span });
        }
    }
}

/// Whether a name is `0b101`, which the parser does not recognise as a literal.
fn is_bit_literal(name: &str) -> bool {
    name.strip_prefix("0b")
        .is_some_and(|bits| !bits.is_empty() && bits.bytes().all(|bit| matches!(bit, b'0' | b'1')))
}
