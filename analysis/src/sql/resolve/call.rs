//! Function calls.

use sqlparser::ast;

use super::Resolver;
use super::scope::Scope;
use crate::sql::dialect::Dialect;
use crate::sql::expr::{Call, Expr};
use crate::sql::functions;
use crate::sql::query::{RelationId, Role, Source};

impl Resolver<'_> {
    /// TRIM, as the function that it calls.
    pub(super) fn trim(&mut self, expr: &ast::Expr) -> Expr {
        let ast::Expr::Trim { trim_where, trim_what, expr, trim_characters } = expr else {
            return self.expr(expr);
        };
        let name = match (trim_where, self.dialect) {
            (Some(ast::TrimWhereField::Leading), _) => "ltrim",
            (Some(ast::TrimWhereField::Trailing), _) => "rtrim",
            (_, Dialect::Postgres) => "btrim",
            _ => "trim",
        };
        let mut args = vec![self.expr(expr)];
        let what = trim_what.as_ref().filter(|what| !self.is_blank(what));
        args.extend(what.map(|what| self.expr(what)));
        args.extend(trim_characters.iter().flatten().map(|c| self.expr(c)));
        Expr::Call(Call::plain(name, args))
    }

    /// Whether these are the characters that TRIM removes unless it says otherwise. The rewrite writes them out for the
    /// parser, for PostgreSQL in a form of their own: it tells the two.
    fn is_blank(&self, what: &ast::Expr) -> bool {
        let ast::Expr::Value(value) = what else { return false };
        match &value.value {
            ast::Value::EscapedStringLiteral(text) => text == " ",
            ast::Value::SingleQuotedString(text) => text == " " && self.dialect != Dialect::Postgres,
            _ => false,
        }
    }

    pub(super) fn call(&mut self, function: &ast::Function) -> Expr {
        let (schema, name) = self.object_name(&function.name);
        if self.dialect == Dialect::MySql && matches!(name.as_str(), "values" | "value") {
            return self.for_target(|resolver| resolver.call_of(function, schema, name));
        }
        if self.dialect == Dialect::MySql && functions::is_drawn(&name) {
            self.mark_volatile();
        }
        self.call_of(function, schema, name)
    }

    /// MySQL: records a COUNT of several values that are not counted once each.
    fn check_count(&mut self, function: &ast::Function, name: &str, args: usize, distinct: bool) {
        if self.dialect == Dialect::MySql && name == "count" && args > 1 && !distinct {
            let span = self.span_of(&function.name);
            self.clause(
                "COUNT of several values without DISTINCT",
                "here",
                "write `count(DISTINCT ..)`",
                span,
            );
        }
    }

    /// Marks the innermost query and those around it, up to the view that they are of.
    fn mark_volatile(&mut self) {
        let mut at = self.current_block();
        while let Some(block) = at.and_then(|id| self.blocks.get_mut(id.0 as usize)) {
            if std::mem::replace(&mut block.is_volatile, true) {
                return;
            }
            at = block.parent.filter(|_| !matches!(block.role, Role::View(_)));
        }
    }

    /// MySQL: `VALUES(column)` in ON DUPLICATE KEY UPDATE is about the target, whatever the rows were selected from.
    fn for_target(&mut self, run: impl FnOnce(&mut Self) -> Expr) -> Expr {
        let is_pseudo = |&id: &RelationId| matches!(self.relations[id.0 as usize].source, Source::Pseudo);
        let of_write = |scope: &&mut Scope| scope.relations.iter().any(is_pseudo);
        let Some(scope) = self.scopes.last_mut().filter(of_write) else { return run(self) };
        let target = scope.relations.first().copied().into_iter().collect();
        let all = std::mem::replace(&mut scope.relations, target);
        let found = run(self);
        if let Some(scope) = self.scopes.last_mut() {
            scope.relations = all;
        }
        found
    }

    fn call_of(&mut self, function: &ast::Function, schema: Option<String>, name: String) -> Expr {
        let (window, named) = window_of(function);
        let mut modifiers = named.map_or_else(Vec::new, |named| self.partitions_of(named));
        modifiers
            .extend(window.iter().flat_map(|window| &window.partition_by).map(|key| self.window_key(key)));
        let partitioned_by = modifiers.len();
        let mut distinct = false;
        let mut names = Vec::new();
        let args = match &function.args {
            ast::FunctionArguments::None => Vec::new(),
            ast::FunctionArguments::Subquery(query) if name == "array" => {
                return Expr::ArrayQuery(self.subquery(query, Role::Scalar));
            }
            ast::FunctionArguments::Subquery(query) => {
                vec![Expr::Subquery(self.subquery(query, Role::Scalar))]
            }
            ast::FunctionArguments::List(list) => {
                distinct = matches!(list.duplicate_treatment, Some(ast::DuplicateTreatment::Distinct));
                for clause in &list.clauses {
                    match clause {
                        ast::FunctionArgumentClause::OrderBy(keys) => {
                            modifiers.extend(keys.iter().map(|key| self.expr(&key.expr)));
                        }
                        ast::FunctionArgumentClause::Where(expr)
                        | ast::FunctionArgumentClause::Limit(expr) => {
                            modifiers.push(self.expr(expr));
                        }
                        ast::FunctionArgumentClause::Having(ast::HavingBound(_, expr)) => {
                            modifiers.push(self.expr(expr));
                        }
                        // They contain no expression.
                        ast::FunctionArgumentClause::IgnoreOrRespectNulls(_)
                        | ast::FunctionArgumentClause::OnOverflow(_)
                        | ast::FunctionArgumentClause::Separator(_)
                        | ast::FunctionArgumentClause::JsonNullClause(_)
                        | ast::FunctionArgumentClause::JsonReturningClause(_) => {}
                    }
                }
                names = self.argument_names(&list.args);
                list.args.iter().filter_map(|arg| self.function_arg(arg)).collect()
            }
        };
        self.check_count(function, &name, args.len(), distinct);
        modifiers.extend(function.within_group.iter().map(|key| self.expr(&key.expr)));
        let filter = function.filter.as_ref().map(|filter| {
            modifiers.push(self.expr(filter));
            modifiers.len() - 1
        });
        if let Some(window) = window {
            modifiers.extend(window.order_by.iter().map(|key| self.window_key(&key.expr)));
        }
        match (name.as_str(), args.as_slice()) {
            ("row", _) => return Expr::Row(args),
            // What `at AT TIME ZONE zone` is rewritten to.
            ("timezone", [zone, at]) => {
                return Expr::Other {
                    what: "at time zone".to_owned(),
                    parts: vec![at.clone(), zone.clone()],
                };
            }
            _ => {}
        }
        self.check_call(function, &name, &args);
        let span = self.span_of(&function.name);
        let window = function.over.is_some();
        Expr::Call(Call {
            schema,
            name,
            args,
            names,
            distinct,
            window,
            modifiers,
            partitioned_by,
            filter,
            span,
        })
    }

    /// A key of a window. MySQL lets it refer to an alias of the SELECT list, before or after it.
    pub(super) fn window_key(&mut self, key: &ast::Expr) -> Expr {
        let outer = std::mem::replace(&mut self.window_aliases, self.select_aliases.clone());
        let key = self.expr(key);
        self.window_aliases = outer;
        key
    }

    pub(super) fn argument_names(&self, args: &[ast::FunctionArg]) -> Vec<Option<String>> {
        let name = |arg: &ast::FunctionArg| match arg {
            ast::FunctionArg::Named { name, .. } => Some(self.fold(name)),
            ast::FunctionArg::ExprNamed { name: ast::Expr::Identifier(name), .. } => Some(self.fold(name)),
            ast::FunctionArg::ExprNamed { .. } | ast::FunctionArg::Unnamed(_) => None,
        };
        let names: Vec<Option<String>> = args.iter().map(name).collect();
        if names.iter().any(Option::is_some) { names } else { Vec::new() }
    }

    pub(super) fn function_arg(&mut self, arg: &ast::FunctionArg) -> Option<Expr> {
        let (ast::FunctionArg::Named { arg, .. }
        | ast::FunctionArg::ExprNamed { arg, .. }
        | ast::FunctionArg::Unnamed(arg)) = arg;
        match arg {
            ast::FunctionArgExpr::Expr(expr) => Some(self.expr(expr)),
            ast::FunctionArgExpr::QualifiedWildcard(name) => Some(self.whole_row(name)),
            _ => None,
        }
    }
}

impl Call {
    /// A plain function call, without modifiers.
    pub(super) fn plain(name: &str, args: Vec<Expr>) -> Call {
        Call {
            schema: None,
            name: name.to_owned(),
            args,
            names: Vec::new(),
            distinct: false,
            window: false,
            modifiers: Vec::new(),
            partitioned_by: 0,
            filter: None,
            span: None,
        }
    }
}

/// The window of a call, and the name of the one that it is or builds on.
fn window_of(function: &ast::Function) -> (Option<&ast::WindowSpec>, Option<&ast::Ident>) {
    match &function.over {
        Some(ast::WindowType::WindowSpec(window)) => (Some(window), window.window_name.as_ref()),
        Some(ast::WindowType::NamedWindow(named)) => (None, Some(named)),
        None => (None, None),
    }
}
