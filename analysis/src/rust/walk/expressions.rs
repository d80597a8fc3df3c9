//! Walks statements and expressions in evaluation order.

use std::rc::Rc;

use syn::{Block, Expr, Item, Pat, Stmt};

use super::demanded::demanded;
use super::handed::closure_in;
use super::locals::Local;
use super::loops::Runs;
use super::shape::{self, Shape};
use super::{
    Queries, Walker, built, caches, errors, numbers, sites, spans, sql_text, transactions, variables,
};
use crate::rust::flow::Flow;
use crate::rust::site::{Form, Site, SiteSql};

impl Walker<'_> {
    pub(in crate::rust) fn block(&mut self, block: &Block) -> Queries {
        let has_items = block.stmts.iter().any(|statement| matches!(statement, Stmt::Item(_)));
        if has_items {
            let items = block.stmts.iter().filter_map(|statement| match statement {
                Stmt::Item(item) => Some(item),
                _ => None,
            });
            self.imports.enter(false, items);
        }
        let queries = self.scoped(|walker| {
            let (before, rare) = (walker.here.leaving.clone(), walker.here.rare);
            let kept = walker.here.kept;
            let (mut marked, mut cut) = (None, Vec::new());
            let leaves_from = walker.last_continue(block);
            // Constants are visible in the whole block.
            for statement in block.stmts.iter().filter(|_| has_items) {
                walker.constant_item(statement);
            }
            let mut tail = Queries::new();
            for (position, statement) in block.stmts.iter().enumerate() {
                // What follows the last `continue` always reaches the end of the block.
                if position == leaves_from {
                    walker.mark_leaving(block);
                }
                walker.here.lines.push(spans::line_of(statement));
                let rest = block.stmts.get(position + 1..).unwrap_or_default();
                let demanded = std::mem::replace(&mut walker.here.demanded, demanded(statement));
                tail = walker.statement_before(statement, rest);
                walker.here.demanded = demanded;
                walker.note_whether_kept(statement, rest);
                walker.note_counted(statement, rest);
                cut.extend(walker.note_cut(statement, rest));
                walker.note_latch(statement, rest);
                walker.note_unique(statement);
                let once =
                    walker.once_behind(statement, rest).or_else(|| walker.identified_behind(statement));
                if let Some(loops) = once {
                    let before = walker.mark_once(loops);
                    marked.get_or_insert(before);
                }
                walker.keeps(caches::kept_behind(statement, rest, &walker.here.kept_names.clone()));
                walker.here.lines.pop();
            }
            (walker.here.leaving, walker.here.rare) = (before, rare);
            walker.here.kept = kept;
            marked.into_iter().for_each(|before| walker.unmark_once(before));
            for (at, before) in cut.into_iter().rev() {
                walker.here.locals.at_mut(at).into_iter().for_each(|local| local.shape = before);
            }
            tail
        });
        if has_items {
            self.imports.leave();
        }
        queries
    }

    pub(super) fn statement(&mut self, statement: &Stmt) -> Queries {
        match statement {
            Stmt::Local(local) => {
                self.let_statement(local);
                Queries::new()
            }
            Stmt::Item(item) => {
                if !self.constant_item(statement) {
                    self.item(item);
                }
                Queries::new()
            }
            Stmt::Expr(expression, semicolon) => {
                let queries = self.expr(expression);
                if semicolon.is_some() { Queries::new() } else { queries }
            }
            Stmt::Macro(mac) => {
                let queries = self.macro_call(&mac.mac);
                if mac.semi_token.is_some() { Queries::new() } else { queries }
            }
        }
    }

    /// Brings a constant inside a function into scope; returns whether a statement is one.
    fn constant_item(&mut self, statement: &Stmt) -> bool {
        match statement {
            Stmt::Item(Item::Const(item)) => self.constant(item.ident.to_string(), &item.expr),
            Stmt::Item(Item::Static(item)) => self.constant(item.ident.to_string(), &item.expr),
            _ => return false,
        }
        true
    }

    /// A constant inside a function.
    fn constant(&mut self, name: String, value: &Expr) {
        let text = sql_text::text(value, self);
        let (shape, number) = (shape::of(value, self), numbers::single_number(value, self));
        self.here.locals.push(Local { text, shape, number, ..Local::new(name, self.here.loops.len()) });
    }

    fn let_statement(&mut self, local: &syn::Local) {
        let Some(init) = &local.init else { return self.bind(&local.pat) };
        let (pattern, ty) = match &local.pat {
            Pat::Type(typed) => (typed.pat.as_ref(), Some(typed.ty.as_ref())),
            pattern => (pattern, None),
        };
        let Pat::Ident(name) = pattern else {
            self.expr(&init.expr);
            if let Some((_, otherwise)) = &init.diverge {
                let [is_error, is_success] = errors::of_pattern(&local.pat);
                let kept = self.here.kept;
                self.keeps(caches::kept_in_diverging(local, &self.here.kept_names.clone()));
                let otherwise = self.sequence(|walker| {
                    walker.after_error(is_success, |walker| walker.expr(otherwise));
                });
                self.here.kept = kept;
                self.emit(otherwise.maybe());
                // What follows runs after an error alone.
                self.here.rare |= is_error;
            }
            let origins = self.origins(&init.expr);
            // `let (mut stream, _unsubscribe) = client.logs_subscribe(..).await?`
            let shape = match shape::of(&init.expr, self) {
                Shape::Messages => Shape::Messages,
                _ => Shape::Unknown,
            };
            self.bind_from(&local.pat, shape, &origins);
            self.bind_cut(&local.pat, &init.expr);
            self.take_statement(&local.pat, &init.expr);
            let ty = self.type_of(&init.expr);
            self.note_begun(&local.pat, &init.expr);
            return self.type_pattern(&local.pat, ty);
        };
        let mut new = Local::new(name.ident.to_string(), self.here.loops.len());
        let is_option = matches!(init.expr.as_ref(), Expr::Call(call) if matches!(call.func.as_ref(), Expr::Path(path) if path.path.is_ident("Some")));
        if let Some(closure) = closure_in(self.opened(&init.expr)).filter(|_| !is_option) {
            new.closure = Some(Rc::new(closure.clone()));
            return self.here.locals.push(new);
        }
        new.parameter = self.passed_on(&init.expr);
        let is_changed = name.mutability.is_some()
            || matches!(init.expr.as_ref(), Expr::Reference(value) if value.mutability.is_some());
        if !is_changed {
            new.functions = self.functions_in_value(&init.expr);
            new.same_as = self.same_closure(&init.expr);
            new.number = numbers::single_number(&init.expr, self);
        }
        new.on_its_own = self.is_made_of_database(&init.expr);
        new.begins = transactions::begins(&init.expr) || self.borrows_begun(&init.expr);
        let first = self.sites.len();
        new.queries = self.expr(&init.expr);
        // A build reads queries outside of loops without walking.
        let of_loops = self.sites.iter_mut().skip(first).filter(|site| !site.loops.is_empty());
        of_loops.for_each(|site| site.held_by.clone_from(&new.name));
        if name.mutability.is_none() {
            new.text = sql_text::text(&init.expr, self);
        }
        if new.text == SiteSql::Dynamic {
            new.built = built::begun(&init.expr, self);
            new.is_infix = name.mutability.is_none() && sites::is_infix(&init.expr, self);
        }
        if new.queries.is_empty() {
            new.collected = self.made_since(first, &init.expr);
        }
        let is_text = |ty: &&syn::Type| matches!(ty, syn::Type::Path(path) if path.path.is_ident("String"));
        new.shape = match (ty.map(shape::of_type).unwrap_or_default(), shape::of(&init.expr, self)) {
            (Shape::Unknown, Shape::Fixed(..)) if is_changed || ty.as_ref().is_some_and(is_text) => {
                Shape::Unknown
            }
            (Shape::Unknown, shape) => shape,
            (shape, _) => shape,
        };
        new.origins = self.origins(&init.expr);
        new.ty = ty.map_or_else(|| self.type_of(&init.expr), |ty| self.type_ref(ty));
        self.note_held(&new, &init.expr);
        self.here.locals.push(new);
    }

    /// Whether a value is a transaction that begins in the same loops, in another form: `(&mut tx).into()`.
    fn borrows_begun(&self, value: &Expr) -> bool {
        let is_begun = |name: &String| {
            let local = self.here.locals.get(name);
            local.is_some_and(|local| local.begins && local.loops == self.here.loops.len())
        };
        match value {
            Expr::Paren(inner) => self.borrows_begun(&inner.expr),
            Expr::Reference(inner) => {
                inner.mutability.is_some() && variables::mentions(&inner.expr).iter().any(is_begun)
            }
            Expr::MethodCall(call) => call.args.is_empty() && self.borrows_begun(&call.receiver),
            Expr::Call(call) => matches!(call.args.first(), Some(value) if self.borrows_begun(value)),
            _ => false,
        }
    }

    /// Walks an expression in evaluation order; returns the queries that its value is.
    pub(in crate::rust) fn expr(&mut self, expression: &Expr) -> Queries {
        match expression {
            Expr::Array(node) => node.elems.iter().for_each(|element| self.put_away(element)),
            Expr::Tuple(node) => node.elems.iter().for_each(|element| self.put_away(element)),
            Expr::Assign(node) => {
                let queries = self.expr(&node.right);
                self.expr(&node.left);
                if let Expr::Path(path) = node.left.as_ref()
                    && let Some(name) = path.path.get_ident()
                {
                    let origins = self.origins(&node.right);
                    let name = name.to_string();
                    self.add_origins(&name, &origins);
                    self.put_other_code(&name);
                    if let Some(local) = self.here.locals.get_mut(&name) {
                        for query in queries {
                            if !local.queries.contains(&query) {
                                local.queries.push(query);
                            }
                        }
                    }
                }
            }
            Expr::Async(node) => {
                let flow = self.closed(|walker| {
                    walker.block(&node.block);
                });
                self.emit(flow);
            }
            Expr::Await(node) => return self.prepared(&node.base),
            Expr::Binary(node) => self.binary(node),
            Expr::Block(node) if node.label.is_some() => {
                return self.breakable(node.label.as_ref(), |walker| walker.block(&node.block));
            }
            Expr::Block(node) => return self.block(&node.block),
            Expr::Unsafe(node) => return self.block(&node.block),
            Expr::Const(node) => return self.block(&node.block),
            Expr::TryBlock(node) => {
                let flow = self.closed(|walker| {
                    walker.block(&node.block);
                });
                self.emit(flow);
            }
            Expr::Break(node) => {
                self.ending(node.expr.as_deref(), self.loops_left_by(node.label.as_ref()));
                self.here.flow.push(self.exit(node.label.as_ref(), Flow::Break));
            }
            Expr::Return(node) => {
                self.ending(node.expr.as_deref(), self.loops_left_by_return());
                self.here.flow.push(Flow::Return);
            }
            Expr::Continue(node) => self.here.flow.push(self.exit(node.label.as_ref(), Flow::Continue)),
            Expr::Call(node) => return self.call(node, false),
            Expr::MethodCall(node) => return self.method_call(node, false),
            Expr::Cast(node) => return self.expr(&node.expr),
            Expr::Closure(node) => self.closure(node, &Runs::Unknown("closure that is kept".to_owned())),
            Expr::Field(node) => drop(self.expr(&node.base)),
            Expr::ForLoop(node) => self.for_loop(node),
            Expr::While(node) => self.while_loop(node),
            Expr::Loop(node) => self.endless_loop(node),
            Expr::Group(node) => return self.expr(&node.expr),
            Expr::Paren(node) => return self.expr(&node.expr),
            Expr::Reference(node) => return self.expr(&node.expr),
            Expr::Unary(node) => {
                self.unary_operator(node);
                return self.expr(&node.expr);
            }
            Expr::RawAddr(node) => return self.expr(&node.expr),
            Expr::If(node) => return self.branch_if(node),
            Expr::Match(node) => return self.branch_match(node),
            Expr::Index(node) => {
                self.expr(&node.expr);
                self.expr(&node.index);
                self.indexed(node);
            }
            Expr::Let(node) => {
                self.expr(&node.expr);
                self.note_whether_matched(&node.pat, &node.expr);
                let ty = self.type_of(&node.expr);
                let origins = self.origins(&node.expr);
                let given = self.passed_on(&node.expr);
                self.bind_from(&node.pat, Shape::Unknown, &origins);
                self.bind_cut(&node.pat, &node.expr);
                self.type_pattern(&node.pat, ty);
                self.note_begun(&node.pat, &node.expr);
                self.unpack(&node.pat, given);
                let queries = self.collected_in(&node.expr);
                self.take_queries(&node.pat, queries);
            }
            Expr::Macro(node) => return self.macro_call(&node.mac),
            Expr::Path(node) => {
                if let Some(name) = node.path.get_ident() {
                    return self
                        .here
                        .locals
                        .get(&name.to_string())
                        .map(|local| local.queries.clone())
                        .unwrap_or_default();
                }
            }
            Expr::Range(node) => {
                node.start.iter().chain(&node.end).for_each(|end| drop(self.expr(end)));
            }
            Expr::Repeat(node) => drop(self.expr(&node.expr)),
            Expr::Struct(node) => {
                if let Some(queries) = self.driver_struct(node) {
                    return queries;
                }
                for field in &node.fields {
                    if !self.kept_in_field(&node.path, field) {
                        self.put_away(&field.expr);
                    }
                }
                if let Some(rest) = &node.rest {
                    self.expr(rest);
                }
                self.made_value(&node.path);
            }
            Expr::Try(node) => {
                let queries = self.expr(&node.expr);
                self.here.flow.push(Flow::Try);
                return queries;
            }
            Expr::Yield(node) => node.expr.iter().for_each(|value| drop(self.expr(value))),
            _ => {}
        }
        Queries::new()
    }

    /// Notes what a pattern takes out of a parameter that is an option: code in it is the caller's.
    fn unpack(&mut self, pattern: &Pat, parameter: Option<usize>) {
        let names = match pattern {
            Pat::TupleStruct(some) if some.path.is_ident("Some") => variables::bindings(pattern),
            Pat::Ident(_) => variables::bindings(pattern),
            _ => return,
        };
        if let [name] = names.as_slice()
            && let Some(local) = self.here.locals.get_mut(name)
        {
            local.parameter = parameter;
        }
    }

    /// Walks a value that becomes a part of another: a query in it may get more values where it is taken out.
    fn put_away(&mut self, value: &Expr) {
        for query in self.expr(value) {
            if let Some(site) = self.sites.get_mut(query).filter(|site| site.call.is_none() && site.is_text())
            {
                site.arguments_complete = false;
            }
        }
    }

    /// An expression whose value is awaited.
    pub(in crate::rust) fn awaited(&mut self, expression: &Expr) {
        match expression {
            Expr::Call(node) => {
                self.call(node, true);
                let is_made = |path: &syn::Path| {
                    path.segments
                        .last()
                        .is_some_and(|last| last.ident.to_string().starts_with(char::is_uppercase))
                };
                if matches!(node.func.as_ref(), Expr::Path(function) if is_made(&function.path)) {
                    self.await_value(expression);
                }
            }
            Expr::MethodCall(node) => drop(self.method_call(node, true)),
            Expr::Paren(node) => self.awaited(&node.expr),
            expression => {
                self.expr(expression);
                self.await_value(expression);
            }
        }
    }

    /// The result of awaiting an expression: prepared statements of another driver that have not run.
    fn prepared(&mut self, expression: &Expr) -> Queries {
        let Expr::MethodCall(node) = expression else {
            self.awaited(expression);
            return Queries::new();
        };
        let mut queries = self.method_call(node, true);
        queries.retain(|query| {
            let is_of_driver = |site: &Site| site.form == Form::Driver || self.is_statement(*query);
            self.sites.get(*query).is_some_and(|site| is_of_driver(site) && site.call.is_none())
        });
        queries
    }

    /// `a + b + c`: the left side is walked without recursion, since chains grow there.
    fn binary(&mut self, node: &syn::ExprBinary) {
        let mut chain = vec![node];
        let mut first = node.left.as_ref();
        while let Expr::Binary(inner) = first {
            chain.push(inner);
            first = &inner.left;
        }
        self.expr(first);
        for link in chain.into_iter().rev() {
            if matches!(link.op, syn::BinOp::And(_) | syn::BinOp::Or(_)) {
                let right = self.sequence(|walker| drop(walker.expr(&link.right)));
                self.emit(right.maybe());
            } else {
                self.expr(&link.right);
                self.operator(link, first);
            }
        }
    }

    /// Walks code that `return` and `?` do not leave: a closure or an async block.
    pub(in crate::rust) fn closed(&mut self, walk: impl FnOnce(&mut Self)) -> Flow {
        let scope = std::mem::replace(&mut self.here.closure, self.here.loops.len());
        let targets = std::mem::take(&mut self.here.targets);
        let inner = self.sequence(walk);
        (self.here.closure, self.here.targets) = (scope, targets);
        if inner.is_empty() { Flow::EMPTY } else { Flow::Scope(Box::new(inner)) }
    }
}
