//! Calls and method calls: finds those that make or run queries, those that run closures per element, and
//! those of functions to resolve later.

use syn::spanned::Spanned;
use syn::{Expr, ExprCall, ExprMethodCall};

use super::caches;
use super::everyday::is_everyday;
use super::excerpt::written_receiver;
use super::handed::{closure_in, job_of, variable};
use super::loops::Runs;
use super::own::Kin;
use super::purpose;
use super::services;
use super::shape::Shape;
use super::sites::argument_of;
use super::sql_text::{self, plain, segments};
use super::variables;
use super::{Queries, Walker};
use crate::rust::drivers;
use crate::rust::flow::Callee;
use crate::rust::lex::aliases::is_trait_of_code;
use crate::rust::methods::generates;
use crate::rust::place_at;
use crate::rust::query_names::{self, FunctionForm};
use crate::rust::site::{Call, Form, Origin, SiteSql};
use crate::rust::type_ref::TypeRef;

impl Walker<'_> {
    pub(in crate::rust) fn call(&mut self, node: &ExprCall, awaited: bool) -> Queries {
        let function = match node.func.as_ref() {
            Expr::Paren(inner) => inner.expr.as_ref(),
            function => function,
        };
        if let Some(name) = self.called_variable(function, node) {
            return self.call_of_variable(&name, node, awaited);
        }
        if let Some(closure) = closure_in(function) {
            self.arguments(node.args.iter(), &Runs::Once);
            self.closure(closure, &Runs::Once);
            return Queries::new();
        }
        let Expr::Path(function) = function else {
            self.call_of_value(node, function, awaited);
            return Queries::new();
        };
        if let Some(functions) = self.constant_functions(&function.path) {
            return self.call_each(&functions, node, function.span(), awaited);
        }
        let path = segments(&function.path);
        if let Some(form) = self.form_of(&path, node) {
            self.arguments(node.args.iter(), &Runs::Once);
            return self.site_of(form, function, node).into_iter().collect();
        }
        if let Some(queries) = self.driver_function(function, node) {
            return queries;
        }
        let last = path.last().map(String::as_str).unwrap_or_default();
        if self.knows_drivers && drivers::takes_statement(last) {
            return self.arguments(node.args.iter(), &Runs::Once);
        }
        let runs = match last {
            last if generates(last) => Runs::PerElement {
                over: String::new(),
                turns: purpose::over(Shape::Pages),
                place: place_at(&self.file, function.path.span().start()),
                origins: vec![Origin::Unknown],
                element: TypeRef::Unknown,
                collected: Queries::new(),
                is_map: false,
            },
            _ => Runs::Once,
        };
        // It calls what it spawns until that succeeds: `Retry::spawn(strategy, || load(id))`.
        let tries = path.iter().rev().nth(1).is_some_and(|owner| owner.contains("Retry"));
        let (inner, number) = match (is_spawn(last) && !tries, &runs) {
            (true, _) => {
                let (queries, number) = self.spawned(last, node.args.iter(), 0);
                (queries, Some(number))
            }
            (false, Runs::Once) => {
                let is_job = path.iter().nth_back(1).is_some_and(|owner| owner == "Job");
                let to = if is_job && last == "new" { "new_job" } else { last };
                self.here.callee = match path.as_slice() {
                    [of, name] if of == "Self" => TypeRef::Method(Box::new(TypeRef::SelfType), name.clone()),
                    _ => TypeRef::Returned(self.imports.resolve(&path)),
                };
                let (queries, number) = self.handed(to, node.args.iter(), 0);
                (queries, Some(number))
            }
            (false, runs) => (self.arguments(node.args.iter(), runs), None),
        };
        self.draw_given(last, node.args.iter());
        if last.starts_with(char::is_uppercase) || is_pinned(&path) {
            self.made_value(&function.path);
            return inner;
        }
        let span = function.path.segments.last().map_or_else(|| function.span(), |last| last.ident.span());
        self.call_of_path(function, node, number, awaited);
        self.given(inner, last, span, awaited, node.args.iter())
    }

    /// How the function of a call makes a query, if it does.
    fn form_of(&self, path: &[String], node: &ExprCall) -> Option<FunctionForm> {
        query_names::function_form(&self.imports, path).or_else(|| self.unseen_import(path, node))
    }

    /// The query that such a function makes.
    fn site_of(&mut self, form: FunctionForm, function: &syn::ExprPath, node: &ExprCall) -> Option<usize> {
        match form {
            FunctionForm::Query { with_arguments } => {
                Some(self.function_site(function, node, with_arguments))
            }
            FunctionForm::Builder => Some(self.builder_site(function, node)),
            FunctionForm::AssertSqlSafe => None,
        }
    }

    /// The query that a function makes by its name, of arguments that were walked.
    pub(super) fn made_by(&mut self, function: &syn::ExprPath, node: &ExprCall) -> Option<usize> {
        let form = self.form_of(&segments(&function.path), node)?;
        self.site_of(form, function, node)
    }

    /// Records a call of a function, whose arguments were walked.
    pub(super) fn call_of_path(
        &mut self,
        function: &syn::ExprPath,
        node: &ExprCall,
        number: Option<usize>,
        awaited: bool,
    ) {
        let path = segments(&function.path);
        let callee = match path.as_slice() {
            // `T::load(..)`: a method of the traits that bound `T`.
            [owner, name] if self.parameters.contains_key(owner) => {
                let traits = self.parameters.get(owner).cloned().unwrap_or_default();
                Callee::Method { name: name.clone(), on: TypeRef::Implements(traits) }
            }
            // `Self::Repo::load(..)`, `<T as HasRepo>::Repo::load(..)`
            [owner @ .., name] => match self.associated(function.qself.as_ref(), owner) {
                Some(on) => Callee::Method { name: name.clone(), on },
                None => Callee::Path(self.imports.resolve(&path)),
            },
            [] => Callee::Path(path.clone()),
        };
        let span = function.path.segments.last().map_or_else(|| function.span(), |last| last.ident.span());
        let outer = self.on_its_own_database(node.args.iter());
        self.note_transactions(node.args.iter());
        self.note_reach(node.args.iter());
        self.note_passed(&node.args.iter().collect::<Vec<_>>());
        self.here.sends = matches!(&callee, Callee::Path(path) if services::is_sent_by(path, awaited));
        self.emit_numbered(number, span, path.join("::"), callee, awaited, node.args.len());
        if let (Some(outer), Some(around)) = (outer, self.here.loops.last_mut()) {
            around.exempt = outer;
        }
    }

    /// The local variable that a call calls: `load(id)`, `(*load)(id)`, `load.as_ref()(id)`,
    /// `FnMut::call_mut(&mut load, (id,))`.
    fn called_variable(&self, function: &Expr, node: &ExprCall) -> Option<String> {
        let called = match function {
            Expr::Path(path) => match segments(&path.path).as_slice() {
                [.., of, call] if is_trait_of_code(of) && call.starts_with("call") => {
                    variable(node.args.first()?)
                }
                [_] => path.path.get_ident().map(ToString::to_string),
                _ => None,
            },
            function => variable(function),
        };
        called.filter(|name| self.here.locals.get(name).is_some())
    }

    /// Handles a call that works on the loop's element, a connection or pool: the iteration works on a
    /// database of its own. Returns the previous exemption of the loop.
    fn on_its_own_database<'e>(
        &mut self,
        arguments: impl Iterator<Item = &'e Expr>,
    ) -> Option<Option<&'static str>> {
        let around = self.here.loops.last()?;
        let is_element = |argument: &&Expr| {
            variables::mentions(argument).iter().any(|name| around.elements.contains(name))
        };
        let (elements, others): (Vec<&Expr>, Vec<&Expr>) = arguments.partition(is_element);
        let is_database = elements
            .iter()
            .any(|element| self.is_worked_on(element, &others) || self.is_made_of_database(element));
        let around = self.here.loops.last_mut().filter(|_| is_database)?;
        let outer = around.exempt;
        around.exempt = outer.or(Some(purpose::DATABASES));
        Some(outer)
    }

    /// Whether an argument may do something, rather than be a value.
    fn is_work(&self, argument: &Expr) -> bool {
        match argument {
            Expr::Reference(inner) => self.is_work(&inner.expr),
            Expr::Field(_) | Expr::Lit(_) => false,
            Expr::Path(path) => !self.is_value(path, false),
            _ => true,
        }
    }

    /// A bare `query("…")`, where only an item is visible and not the imports of its file.
    fn unseen_import(&self, path: &[String], node: &ExprCall) -> Option<FunctionForm> {
        let [name] = path else { return None };
        if !self.imports.partial() {
            return None;
        }
        let form = query_names::bare_function_form(name)?;
        match sql_text::text(node.args.first()?, self) {
            SiteSql::Literal(sql) if query_names::looks_like_sql(&sql.text) => Some(form),
            _ => None,
        }
    }

    pub(in crate::rust) fn method_call(&mut self, node: &ExprMethodCall, awaited: bool) -> Queries {
        let method = plain(&node.method);
        let queries = self.receiver_of(node, &method);
        self.extended(node, &method);
        self.draw_by(node, &method);
        self.note_whether(node);
        self.here.tells |= caches::tells(&method, node.args.len());
        if !queries.is_empty() {
            return self.on_query(node, &method, queries);
        }
        if let Some(queries) = self.driver_method(node, &method) {
            return queries;
        }
        if query_names::is_executor(&method) && node.args.len() == 1 {
            return self.executor(node, &method, awaited);
        }
        if let Some(queries) = self.sqlx_statement(node, &method) {
            return queries;
        }
        let kin = self.kin(node, &method);
        if caches::runs_on_miss(node) && kin != Kin::Yes && node.args.iter().any(|it| self.is_work(it)) {
            let kept = self.here.kept.replace(0);
            let flow = self.sequence(|walker| drop(walker.arguments(node.args.iter(), &Runs::Once)));
            self.here.kept = kept;
            self.emit(flow.maybe());
            return Queries::new();
        }
        if let Some(runs) = self.runs_of(node, &method, awaited).filter(|_| kin != Kin::Yes) {
            self.arguments(node.args.iter(), &runs);
            return Queries::new();
        }
        let number = match is_spawn(&method) {
            true => Some(self.spawned(&method, node.args.iter(), 1).1),
            false => {
                let to = job_of(node).unwrap_or(&method);
                let (queries, number) = self.handed_by(node, to);
                self.grow_text(node);
                self.collect(node, &queries);
                let is_run = awaited || queries.iter().any(|query| self.is_statement(*query));
                if is_run && !queries.is_empty() {
                    self.given(queries, &method, node.method.span(), true, node.args.iter());
                }
                Some(number)
            }
        };
        let on_self = matches!(node.receiver.as_ref(), Expr::Path(path) if path.path.is_ident("self"));
        self.note_transactions([node.receiver.as_ref()].into_iter().chain(&node.args));
        self.note_end(node);
        self.note_reach(node.args.iter().chain([node.receiver.as_ref()]));
        // What has the name of a library's method is a call if it may be one of the project's.
        let on = self.type_of(&node.receiver);
        let sends = self.sends(&node.receiver, &method, awaited);
        let is_call = awaited || sends || !is_everyday(&method) || kin != Kin::No && on != TypeRef::Unknown;
        if on_self || is_call {
            let passed: Vec<&Expr> = [node.receiver.as_ref()].into_iter().chain(&node.args).collect();
            self.note_passed(&passed);
        }
        self.note_added(node);
        // A receiver that is not a database may have state that the method changes.
        if !self.is_database(&node.receiver) {
            self.here.given = None;
        }
        let outer = self.on_its_own_database(node.args.iter().chain([node.receiver.as_ref()]));
        self.here.sends = sends;
        if on_self {
            let callee = Callee::SelfMethod(method.clone());
            let text = format!("self.{method}");
            self.emit_numbered(number, node.method.span(), text, callee, awaited, node.args.len());
        } else if is_call {
            let receiver = written_receiver(&node.receiver);
            let callee = Callee::Method { name: method.clone(), on };
            let text = format!("{receiver}.{method}");
            self.here.takes_connection = node.args.iter().any(|it| self.is_handle(it));
            self.emit_numbered(number, node.method.span(), text, callee, awaited, node.args.len());
        }
        if let (Some(outer), Some(around)) = (outer, self.here.loops.last_mut()) {
            around.exempt = outer;
        }
        Queries::new()
    }

    /// Handles a method called on a query.
    fn on_query(&mut self, node: &ExprMethodCall, method: &str, queries: Queries) -> Queries {
        self.arguments(node.args.iter(), &Runs::Once);
        let is_of_driver =
            |query: &usize| self.sites.get(*query).is_some_and(|site| site.form == Form::Driver);
        let is_all_of_driver = queries.iter().all(is_of_driver);
        let runs_it = drivers::runs_statement(method) && is_all_of_driver;
        // A copy of a statement may run in addition to it.
        let is_again = self.readies(&queries, method) || method == "clone" && is_all_of_driver;
        let queries = if is_again { self.run_again(&queries) } else { queries };
        if query_names::is_executor(method) || runs_it {
            // The arguments of a statement's own method are values: it runs where it was prepared.
            match queries.iter().all(|query| self.prepared_on.contains_key(query)) {
                true => self.executed_where_prepared(&queries, node),
                false => self.executed(&queries, node, node.args.first()),
            }
            return Queries::new();
        }
        let (depth, branched) = (self.here.loops.len(), self.here.branched);
        for &query in &queries {
            let is_appended = method == "sql" && is_all_of_driver && !node.args.is_empty();
            if method.starts_with("push") || matches!(method, "separated" | "reset") || is_appended {
                self.grow_site(query, node);
            }
            let bound =
                node.args.first().filter(|_| method.ends_with("bind")).map(|value| argument_of(value, self));
            let Some(site) = self.sites.get_mut(query) else { continue };
            match (method, bound) {
                // Bound in a loop or branch outside of which the query is made, so the number of values is
                // unknown.
                ("bind" | "try_bind", Some(_)) if depth > site.loops.len() || query < branched => {
                    site.arguments_complete = false;
                }
                ("bind" | "try_bind", Some(value)) => site.arguments.push(value),
                ("separated" | "with_arguments", _) => {
                    site.sql = SiteSql::Dynamic;
                    site.arguments_complete = false;
                }
                (name, _) if name.starts_with("push") || is_appended => {
                    site.sql = SiteSql::Dynamic;
                    site.arguments_complete = false;
                }
                ("cached", _) if site.form == Form::Checked => site.cached = true,
                (name, _) if query_names::keeps_arguments(name) => {}
                // A method of the project may bind any values.
                _ => site.arguments_complete = false,
            }
        }
        queries
    }

    /// Records that this method call runs queries, on the connection in `on`.
    pub(in crate::rust) fn executed(&mut self, queries: &[usize], node: &ExprMethodCall, on: Option<&Expr>) {
        let place = place_at(&self.file, node.method.span().start());
        let call = Call { method: node.method.to_string(), place, ..self.connection(on) };
        let unit = self.unit_of(on.into_iter()).max(self.unit_on(on));
        for &query in queries {
            self.set_call(query, unit, call.clone());
            on.into_iter().for_each(|on| self.note_session(query, on));
        }
    }

    /// Handles `pool.execute(..)`: the argument is a query, or its text.
    fn executor(&mut self, node: &ExprMethodCall, method: &str, awaited: bool) -> Queries {
        let inner = self.arguments(node.args.iter(), &Runs::Once);
        if !inner.is_empty() {
            self.executed(&inner, node, Some(&node.receiver));
            return Queries::new();
        }
        let Some(argument) = node.args.first() else { return Queries::new() };
        let sql = sql_text::text(argument, self);
        let built = match sql {
            SiteSql::Dynamic => super::built::of(argument, self),
            _ => None,
        };
        let says_sql = match &sql {
            SiteSql::Literal(literal) => query_names::looks_like_sql(&literal.text),
            SiteSql::File(_) => true,
            SiteSql::Dynamic => built.is_some() || self.is_declared_safe(argument),
        };
        if says_sql && self.knows_sqlx && !self.holds_no_connection(&node.receiver) {
            let site = self.executor_site(node, method, sql);
            let site = self.note_built(site, built);
            self.executed(&[site], node, Some(&node.receiver));
        } else {
            let receiver = written_receiver(&node.receiver);
            let callee = Callee::Method { name: method.to_owned(), on: self.type_of(&node.receiver) };
            // `client.execute(request)` of an HTTP client.
            self.here.sends =
                self.sends(&node.receiver, method, awaited) || awaited && self.is_request(argument);
            self.emit_call(node.method.span(), format!("{receiver}.{method}"), callee, awaited, 1);
        }
        Queries::new()
    }

    /// A task passed to a runtime runs concurrently with the current code: at the end of this code it may
    /// have finished, or not yet.
    fn spawned<'e>(
        &mut self,
        to: &str,
        arguments: impl Iterator<Item = &'e Expr>,
        receivers: usize,
    ) -> (Queries, usize) {
        let mut result = (Queries::new(), 0);
        let flow = self.sequence(|walker| result = walker.handed_to(to, true, arguments, receivers));
        self.emit(flow.maybe());
        result
    }

    /// Whether a text built at run time is certainly SQL: it is asserted to be safe, or starts like a
    /// statement.
    pub(in crate::rust) fn is_declared_safe(&self, argument: &Expr) -> bool {
        let call = match argument {
            Expr::Call(call) => call,
            Expr::Reference(inner) => return self.is_declared_safe(&inner.expr),
            Expr::MethodCall(call) => {
                return call.method == "as_str" && self.is_declared_safe(&call.receiver);
            }
            Expr::Macro(mac) if mac.mac.path.is_ident("format") => {
                let first = mac.mac.tokens.clone().into_iter().next().map(proc_macro2::TokenStream::from);
                let literal = first.and_then(|first| syn::parse2::<syn::LitStr>(first).ok());
                return literal.is_some_and(|literal| query_names::looks_like_sql(&literal.value()));
            }
            _ => return false,
        };
        let Expr::Path(function) = call.func.as_ref() else { return false };
        let path = segments(&function.path);
        query_names::function_form(&self.imports, &path) == Some(FunctionForm::AssertSqlSafe)
    }
}

/// Whether a path is that of a pointer's `pin`, which returns the future that is passed to it.
fn is_pinned(path: &[String]) -> bool {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    matches!(path.as_slice(), [.., "Box" | "Arc" | "Rc", "pin"])
}

fn is_spawn(name: &str) -> bool {
    name == "spawn" || name.starts_with("spawn_")
}
