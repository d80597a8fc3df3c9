//! Dispatches on the kind of statement: each is resolved, has nothing to resolve, or is reported as not
//! analysed.

use sqlparser::ast::{self, Statement};

use super::Resolver;
use crate::sql::expr::Call;
use crate::sql::query::{BlockId, Body, Kind, Role};

/// Why a statement that starts with this word, and that the parser does not support, is not analysed; `None`
/// if it reads and writes no rows that a query names.
pub(super) fn unfollowed(word: &str) -> Option<&'static str> {
    match word.to_ascii_lowercase().as_str() {
        "call" => Some("the body of a procedure is not followed"),
        "do" => Some("the body of a block is not followed"),
        "execute" => Some("the statement that was prepared is not known"),
        "explain" | "desc" | "describe" => Some("the statement after EXPLAIN is not supported"),
        "copy" | "declare" | "prepare" => Some("the query inside of it is not understood"),
        "create" => Some("a definition that is not understood"),
        "with" => Some("it is not understood"),
        _ => None,
    }
}

impl Resolver<'_> {
    /// Resolves the statement, and returns its kind and the block whose rows it returns.
    pub(super) fn statement(&mut self, statement: &Statement) -> (Kind, Option<BlockId>) {
        match statement {
            Statement::Query(query) => {
                let root = self.query(query, Role::Statement, None);
                (self.query_kind(root), Some(root))
            }
            Statement::Insert(_) | Statement::Update(_) | Statement::Delete(_) | Statement::Merge(_) => {
                let block = self.open_block(None, Role::Statement);
                self.write_statement(statement, block);
                let kind = match statement {
                    Statement::Insert(_) => Kind::Insert,
                    Statement::Update(_) => Kind::Update,
                    Statement::Delete(_) => Kind::Delete,
                    _ => Kind::Merge,
                };
                (kind, Some(block))
            }
            Statement::StartTransaction { .. }
            | Statement::Commit { .. }
            | Statement::Rollback { .. }
            | Statement::Savepoint { .. }
            | Statement::ReleaseSavepoint { .. } => (Kind::Transaction, None),
            other => {
                self.around_query(other);
                (Kind::Other, None)
            }
        }
    }

    /// Resolves a write into its open block.
    pub(super) fn write_statement(&mut self, statement: &Statement, id: BlockId) {
        match statement {
            Statement::Insert(insert) => self.insert(insert, id),
            Statement::Update(update) => self.update(update, id),
            Statement::Delete(delete) => self.delete(delete, id),
            Statement::Merge(merge) => self.merge(merge, id),
            _ => self.unchecked = Some("a write that is not understood"),
        }
    }

    /// Statements that contain a query or another statement.
    fn around_query(&mut self, statement: &Statement) {
        match statement {
            Statement::Explain { statement, .. } => drop(self.statement(statement)),
            Statement::Prepare { statement, .. } => drop(self.statement(statement)),
            Statement::Copy { source: ast::CopySource::Query(query), .. } => self.inner_query(query),
            Statement::Copy { source: ast::CopySource::Table { .. }, .. } => {}
            Statement::Declare { stmts } => {
                for query in stmts.iter().filter_map(|declared| declared.for_query.as_ref()) {
                    self.inner_query(query);
                }
            }
            Statement::CreateTable(table) => {
                if let Some(query) = &table.query {
                    self.inner_query(query);
                }
            }
            Statement::CreateView(view) => self.inner_query(&view.query),
            Statement::Call(function) => {
                self.open_inner_scope();
                self.called = self.procedure(function);
                self.scopes.clear();
                self.unchecked = unfollowed("call");
            }
            Statement::Execute { .. } => self.unchecked = unfollowed("execute"),
            Statement::Truncate(truncate) => self.check_truncate(truncate),
            other => {
                self.unchecked =
                    (!names_no_rows(other)).then_some("statements of its kind are not looked into")
            }
        }
    }

    /// A call of a procedure; `None` if it is not known what one of its arguments stands for.
    fn procedure(&mut self, function: &ast::Function) -> Option<Call> {
        let list = match &function.args {
            ast::FunctionArguments::List(list) => list.args.as_slice(),
            ast::FunctionArguments::None => &[],
            ast::FunctionArguments::Subquery(_) => return None,
        };
        let args: Vec<_> = list.iter().filter_map(|arg| self.function_arg(arg)).collect();
        let (schema, name) = self.object_name(&function.name);
        let (names, span) = (self.argument_names(list), self.span_of(&function.name));
        (args.len() == list.len()).then(|| Call { schema, names, span, ..Call::plain(&name, args) })
    }

    /// A query whose rows are not returned to the caller.
    fn inner_query(&mut self, query: &ast::Query) {
        self.query(query, Role::Source, None);
    }

    fn open_inner_scope(&mut self) {
        let block = self.open_block(None, Role::Scalar);
        self.scopes.push(super::scope::Scope::new(block));
    }

    /// The kind of a query: `WITH .. INSERT` is parsed as a query whose body is a write.
    fn query_kind(&self, root: BlockId) -> Kind {
        match &self.blocks[root.0 as usize].body {
            Body::Write(write) if !write.whens.is_empty() => Kind::Merge,
            Body::Write(write) if write.from.is_empty() => Kind::Insert,
            Body::Write(write) if write.assignments.is_empty() => Kind::Delete,
            Body::Write(_) => Kind::Update,
            Body::Select(_) | Body::Set { .. } | Body::Values(_) | Body::Unknown => Kind::Select,
        }
    }
}

/// Whether a statement neither reads nor writes rows by name: definitions, settings, maintenance.
fn names_no_rows(statement: &Statement) -> bool {
    use Statement as S;
    matches!(
        statement,
        S::Analyze(_)
            | S::Set(_)
            | S::Load { .. }
            | S::Close { .. }
            | S::Fetch { .. }
            | S::CreateVirtualTable { .. }
            | S::CreateIndex(_)
            | S::CreateRole(_)
            | S::CreateServer(_)
            | S::CreatePolicy(_)
            | S::CreateOperator(_)
            | S::CreateOperatorFamily(_)
            | S::CreateOperatorClass(_)
            | S::CreateTextSearch(_)
            | S::CreateExtension(_)
            | S::CreateCollation(_)
            | S::CreateSchema { .. }
            | S::CreateDatabase { .. }
            | S::CreateFunction(_)
            | S::CreateTrigger(_)
            | S::CreateProcedure { .. }
            | S::CreateSequence { .. }
            | S::CreateDomain(_)
            | S::CreateType { .. }
            | S::CreateUser(_)
            | S::AlterTable(_)
            | S::AlterSchema(_)
            | S::AlterIndex { .. }
            | S::AlterView { .. }
            | S::AlterFunction(_)
            | S::AlterType(_)
            | S::AlterCollation(_)
            | S::AlterOperator(_)
            | S::AlterOperatorFamily(_)
            | S::AlterOperatorClass(_)
            | S::AlterTextSearch(_)
            | S::AlterRole { .. }
            | S::AlterPolicy(_)
            | S::AlterUser(_)
            | S::AttachDatabase { .. }
            | S::Drop { .. }
            | S::DropFunction(_)
            | S::DropDomain(_)
            | S::DropProcedure { .. }
            | S::DropPolicy(_)
            | S::DropExtension(_)
            | S::DropOperator(_)
            | S::DropOperatorFamily(_)
            | S::DropOperatorClass(_)
            | S::DropTrigger(_)
            | S::Flush { .. }
            | S::Discard { .. }
            | S::ShowFunctions { .. }
            | S::ShowVariable { .. }
            | S::ShowStatus { .. }
            | S::ShowVariables { .. }
            | S::ShowCreate { .. }
            | S::ShowColumns { .. }
            | S::ShowDatabases { .. }
            | S::ShowProcessList { .. }
            | S::ShowSchemas { .. }
            | S::ShowCharset(_)
            | S::ShowTables { .. }
            | S::ShowViews { .. }
            | S::ShowCollation { .. }
            | S::Use(_)
            | S::Comment { .. }
            | S::Grant(_)
            | S::Revoke(_)
            | S::Deallocate { .. }
            | S::Kill { .. }
            | S::ExplainTable { .. }
            | S::Pragma { .. }
            | S::Lock(_)
            | S::LockTables { .. }
            | S::UnlockTables
            | S::OptimizeTable { .. }
            | S::LISTEN { .. }
            | S::UNLISTEN { .. }
            | S::NOTIFY { .. }
            | S::LoadData { .. }
            | S::RenameTable(_)
            | S::Vacuum(_)
            | S::Reset(_)
    )
}
