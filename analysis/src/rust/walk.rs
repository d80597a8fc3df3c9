//! Walks the code of a function in the order it runs, and notes queries, calls, loops and ways out.

use std::rc::Rc;
use std::sync::Arc;

use syn::{Block, Expr, Item, Pat, Stmt};

use super::allows::Comments;
use super::flow::{CallRef, Callee, Flow};
use super::function::Function;
use super::imports::Imports;
use super::items::ModuleItems;
use super::locals::{Local, Locals};
use super::loops;
use super::shape::{self, Shape, Shapes};
use super::site::{Allow, Loop, Site, SiteSql};
use super::text::{self, Constants, Surroundings};
use super::turns::Runs;
use super::types::{Parameters, TypeRef};
use super::variables;
use super::{place_at, start};

/// The queries that a value is, by their positions among the sites; most values are none.
pub(super) type Queries = Vec<usize>;

/// The state of the walk over one file.
pub(super) struct Walker<'f> {
    pub(super) file: Arc<str>,
    pub(super) imports: Imports,
    pub(super) constants: Constants<'f>,
    pub(super) comments: Comments,
    /// Whether sqlx is mentioned in the file at all.
    pub(super) knows_sqlx: bool,

    pub(super) sites: Vec<Site>,
    pub(super) functions: Vec<Function>,
    pub(super) allows: Vec<Allow>,
    pub(super) unparsed_macros: usize,
    /// How many calls there are so far.
    pub(super) calls: usize,

    pub(super) module: Vec<String>,
    pub(super) items: Vec<ModuleItems>,
    /// The type or trait around.
    pub(super) owner: Owner,
    /// The type parameters in scope.
    pub(super) parameters: Parameters,
    pub(super) in_test: bool,
    pub(super) function: Arc<str>,
    pub(super) flow: Vec<Flow>,
    pub(super) locals: Locals,
    pub(super) loops: Vec<Loop>,
    /// For each loop, whether it is sure to be left before its next turn.
    pub(super) leaving: Vec<bool>,
    /// The loops below this stand outside the closure at hand: `return` does not leave them.
    pub(super) scope: usize,
    /// The loops before this run what is at hand only when a buffer is full.
    pub(super) flushing: usize,
    /// Whether what is at hand runs only when a buffer is full, in a loop or not.
    pub(super) flushes: bool,
    /// The loop, counted from 1, whose turns each call something else here; 0 for none.
    pub(super) dispatching: usize,
    /// The first lines of the statements around, in the function at hand.
    pub(super) lines: Vec<u32>,
    /// What the function at hand allows.
    pub(super) function_allows: Vec<Allow>,
}

/// The type or trait around a function.
#[derive(Debug, Clone, Default)]
pub(super) struct Owner {
    /// Its name.
    pub(super) name: Option<String>,
    /// What `Self` is.
    pub(super) ty: TypeRef,
    /// The trait that is implemented for it.
    pub(super) implements: Option<Vec<String>>,
}

/// What belongs to a function and is put aside while another one is walked.
pub(super) struct FunctionState {
    function: Arc<str>,
    flow: Vec<Flow>,
    locals: Locals,
    loops: Vec<Loop>,
    leaving: Vec<bool>,
    scope: usize,
    flushing: usize,
    flushes: bool,
    dispatching: usize,
    lines: Vec<u32>,
    function_allows: Vec<Allow>,
}

impl<'f> Walker<'f> {
    pub(super) fn new(file: &str, comments: Comments, imports: Imports) -> Walker<'f> {
        Walker {
            file: file.into(),
            imports,
            constants: Constants::default(),
            comments,
            knows_sqlx: false,
            sites: Vec::new(),
            functions: Vec::new(),
            allows: Vec::new(),
            unparsed_macros: 0,
            calls: 0,
            module: Vec::new(),
            items: Vec::new(),
            owner: Owner::default(),
            parameters: Parameters::new(),
            in_test: false,
            function: "".into(),
            flow: Vec::new(),
            locals: Locals::default(),
            loops: Vec::new(),
            leaving: Vec::new(),
            scope: 0,
            flushing: 0,
            flushes: false,
            dispatching: 0,
            lines: Vec::new(),
            function_allows: Vec::new(),
        }
    }

    pub(super) fn enter_function(&mut self, path: Arc<str>, allows: Vec<Allow>) -> FunctionState {
        FunctionState {
            function: std::mem::replace(&mut self.function, path),
            flow: std::mem::take(&mut self.flow),
            locals: std::mem::take(&mut self.locals),
            loops: std::mem::take(&mut self.loops),
            leaving: std::mem::take(&mut self.leaving),
            scope: std::mem::take(&mut self.scope),
            flushing: std::mem::take(&mut self.flushing),
            flushes: std::mem::take(&mut self.flushes),
            dispatching: std::mem::take(&mut self.dispatching),
            lines: std::mem::take(&mut self.lines),
            function_allows: std::mem::replace(&mut self.function_allows, allows),
        }
    }

    pub(super) fn leave_function(&mut self, outer: FunctionState) {
        self.function = outer.function;
        self.flow = outer.flow;
        self.locals = outer.locals;
        self.loops = outer.loops;
        self.leaving = outer.leaving;
        self.scope = outer.scope;
        self.flushing = outer.flushing;
        self.flushes = outer.flushes;
        self.dispatching = outer.dispatching;
        self.lines = outer.lines;
        self.function_allows = outer.function_allows;
    }

    /// The flow of what is walked inside.
    pub(super) fn sequence(&mut self, walk: impl FnOnce(&mut Self)) -> Flow {
        let outer = std::mem::take(&mut self.flow);
        walk(self);
        Flow::seq(std::mem::replace(&mut self.flow, outer))
    }

    pub(super) fn emit(&mut self, flow: Flow) {
        if !flow.is_empty() {
            self.flow.push(flow);
        }
    }

    /// The loops around, as a site at this point sees them.
    pub(super) fn loops_here(&self) -> Vec<Loop> {
        let leaving = self.leaving.iter().chain(std::iter::repeat(&false));
        // What a service does in a turn does not depend on the loop that starts services.
        let service = self.loops.iter().rposition(|around| around.exempt == Some(loops::SERVICE));
        let seen = self.loops.iter().zip(leaving).enumerate().map(|(index, (around, leaves))| {
            let starts_service = service.is_some_and(|service| index < service);
            let exempt = around.exempt.or(leaves.then_some(loops::LEAVES));
            let exempt = exempt.or(starts_service.then_some(loops::SERVICE));
            let exempt = exempt.or((index < self.flushing).then_some(loops::BATCHES));
            Loop { exempt, ..around.clone() }
        });
        seen.collect()
    }

    /// Brings the variables of a pattern into scope.
    pub(super) fn bind(&mut self, pattern: &Pat) {
        self.bind_as(pattern, Shape::Unknown);
    }

    /// Brings the variables of a pattern into scope, each holding something of this shape.
    pub(super) fn bind_as(&mut self, pattern: &Pat, shape: Shape) {
        let loops = self.loops.len();
        let names = variables::bindings(pattern);
        names.into_iter().for_each(|name| self.locals.push(Local { shape, ..Local::new(name, loops) }));
    }

    /// Walks with variables that go out of scope afterwards; closures that nothing has called are walked then.
    pub(super) fn scoped<T>(&mut self, walk: impl FnOnce(&mut Self) -> T) -> T {
        let mark = self.locals.len();
        let result = walk(self);
        while self.locals.len() > mark {
            let Some(local) = self.locals.pop() else { break };
            if let Some(closure) = local.closure {
                self.closure(&closure, &Runs::Maybe);
            }
        }
        result
    }

    pub(super) fn block(&mut self, block: &Block) -> Queries {
        let has_items = block.stmts.iter().any(|statement| matches!(statement, Stmt::Item(_)));
        if has_items {
            let items = block.stmts.iter().filter_map(|statement| match statement {
                Stmt::Item(item) => Some(item),
                _ => None,
            });
            self.imports.enter(false, items);
        }
        let queries = self.scoped(|walker| {
            let before = walker.leaving.clone();
            walker.mark_leaving(block);
            let mut tail = Queries::new();
            for statement in &block.stmts {
                walker.lines.push(start::line_of(statement));
                tail = walker.statement(statement);
                walker.lines.pop();
            }
            walker.leaving = before;
            tail
        });
        if has_items {
            self.imports.leave();
        }
        queries
    }

    fn statement(&mut self, statement: &Stmt) -> Queries {
        match statement {
            Stmt::Local(local) => {
                self.let_statement(local);
                Queries::new()
            }
            Stmt::Item(item) => {
                match item {
                    Item::Const(item) => self.constant(item.ident.to_string(), &item.expr),
                    Item::Static(item) => self.constant(item.ident.to_string(), &item.expr),
                    item => self.item(item),
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

    /// A constant inside a function.
    fn constant(&mut self, name: String, value: &Expr) {
        let text = text::text(value, self);
        let shape = shape::of(value, self);
        self.locals.push(Local { text, shape, ..Local::new(name, self.loops.len()) });
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
                let otherwise = self.sequence(|walker| {
                    walker.expr(otherwise);
                });
                self.emit(otherwise.maybe());
            }
            self.bind(&local.pat);
            let ty = self.type_of(&init.expr);
            return self.type_pattern(&local.pat, ty);
        };
        let mut new = Local::new(name.ident.to_string(), self.loops.len());
        if let Expr::Closure(closure) = init.expr.as_ref() {
            new.closure = Some(Rc::new(closure.clone()));
            return self.locals.push(new);
        }
        new.queries = self.expr(&init.expr);
        if name.mutability.is_none() {
            new.text = text::text(&init.expr, self);
        }
        new.shape = match (ty.map(shape::of_type).unwrap_or_default(), shape::of(&init.expr, self)) {
            (Shape::Unknown, Shape::Fixed(..)) if name.mutability.is_some() => Shape::Unknown,
            (Shape::Unknown, shape) => shape,
            (shape, _) => shape,
        };
        new.ty = ty.map_or_else(|| self.type_of(&init.expr), |ty| self.type_ref(ty));
        self.locals.push(new);
    }

    /// Walks an expression in the order it is evaluated; says which queries its value is.
    pub(super) fn expr(&mut self, expression: &Expr) -> Queries {
        match expression {
            Expr::Array(node) => node.elems.iter().for_each(|element| drop(self.expr(element))),
            Expr::Tuple(node) => node.elems.iter().for_each(|element| drop(self.expr(element))),
            Expr::Assign(node) => {
                let queries = self.expr(&node.right);
                self.expr(&node.left);
                if let Expr::Path(path) = node.left.as_ref()
                    && let Some(name) = path.path.get_ident()
                    && let Some(local) = self.locals.get_mut(&name.to_string())
                {
                    local.queries.extend(
                        queries
                            .into_iter()
                            .filter(|query| !local.queries.contains(query))
                            .collect::<Vec<_>>(),
                    );
                }
            }
            Expr::Async(node) => {
                let flow = self.closed(|walker| {
                    walker.block(&node.block);
                });
                self.emit(flow);
            }
            Expr::Await(node) => {
                self.awaited(&node.base);
            }
            Expr::Binary(node) => self.binary(node),
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
                self.ending(node.expr.as_deref(), false);
                self.flow.push(Flow::Break);
            }
            Expr::Return(node) => {
                self.ending(node.expr.as_deref(), true);
                self.flow.push(Flow::Return);
            }
            Expr::Continue(_) => self.flow.push(Flow::Continue),
            Expr::Call(node) => return self.call(node, false),
            Expr::MethodCall(node) => return self.method_call(node, false),
            Expr::Cast(node) => return self.expr(&node.expr),
            Expr::Closure(node) => self.closure(node, &Runs::Maybe),
            Expr::Field(node) => drop(self.expr(&node.base)),
            Expr::ForLoop(node) => self.for_loop(node),
            Expr::While(node) => self.while_loop(node),
            Expr::Loop(node) => self.endless_loop(node),
            Expr::Group(node) => return self.expr(&node.expr),
            Expr::Paren(node) => return self.expr(&node.expr),
            Expr::Reference(node) => return self.expr(&node.expr),
            Expr::Unary(node) => return self.expr(&node.expr),
            Expr::RawAddr(node) => return self.expr(&node.expr),
            Expr::If(node) => return self.branch_if(node),
            Expr::Match(node) => return self.branch_match(node),
            Expr::Index(node) => {
                self.expr(&node.expr);
                self.expr(&node.index);
            }
            Expr::Let(node) => {
                self.expr(&node.expr);
                let ty = self.type_of(&node.expr);
                self.bind(&node.pat);
                self.type_pattern(&node.pat, ty);
            }
            Expr::Macro(node) => return self.macro_call(&node.mac),
            Expr::Path(node) => {
                if let Some(name) = node.path.get_ident() {
                    return self
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
                node.fields.iter().for_each(|field| drop(self.expr(&field.expr)));
                if let Some(rest) = &node.rest {
                    self.expr(rest);
                }
            }
            Expr::Try(node) => {
                let queries = self.expr(&node.expr);
                self.flow.push(Flow::Try);
                return queries;
            }
            Expr::Yield(node) => node.expr.iter().for_each(|value| drop(self.expr(value))),
            _ => {}
        }
        Queries::new()
    }

    /// An expression whose value is awaited.
    pub(super) fn awaited(&mut self, expression: &Expr) {
        match expression {
            Expr::Call(node) => drop(self.call(node, true)),
            Expr::MethodCall(node) => drop(self.method_call(node, true)),
            Expr::Paren(node) => self.awaited(&node.expr),
            expression => drop(self.expr(expression)),
        }
    }

    /// `a + b + c` is walked without recursion along the left, where chains grow long.
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
            }
        }
    }

    /// Walks what `return` and `?` do not leave: a closure or an async block.
    pub(super) fn closed(&mut self, walk: impl FnOnce(&mut Self)) -> Flow {
        let scope = std::mem::replace(&mut self.scope, self.loops.len());
        let inner = self.sequence(walk);
        self.scope = scope;
        if inner.is_empty() { Flow::EMPTY } else { Flow::Scope(Box::new(inner)) }
    }

    pub(super) fn emit_call(
        &mut self,
        span: proc_macro2::Span,
        written: String,
        callee: Callee,
        awaited: bool,
        arguments: usize,
    ) {
        let place = place_at(&self.file, span.start());
        let mut loops = self.loops_here();
        if let Some(around) = self.dispatching.checked_sub(1).and_then(|index| loops.get_mut(index)) {
            around.exempt = around.exempt.or(Some(loops::DISPATCHES));
        }
        let batched = self.flushes;
        let allows = self.allows_at([place.line, place.line]);
        let number = self.calls;
        self.calls += 1;
        let call = CallRef { number, place, written, callee, awaited, arguments, loops, batched, allows };
        self.flow.push(Flow::Call(call));
    }

    /// What is allowed on these lines: by comments above them, or above a statement around, and for the whole function.
    pub(super) fn allows_at(&self, lines: [u32; 2]) -> Vec<Allow> {
        let mut allows = Vec::new();
        let mut seen = Vec::new();
        for &line in lines.iter().chain(self.lines.iter().rev()) {
            if !seen.contains(&line) {
                seen.push(line);
                allows.extend(self.comments.above(line).iter().cloned());
            }
        }
        allows.extend(self.function_allows.iter().cloned());
        allows
    }
}

impl Surroundings for Walker<'_> {
    fn local(&self, name: &str) -> Option<SiteSql> {
        self.locals.get(name).map(|local| local.text.clone())
    }

    fn constant(&self, path: &[String]) -> Option<&Expr> {
        let module: Vec<String> = self.module.iter().chain(&self.owner.name).cloned().collect();
        self.constants.find(&module, path)
    }

    fn file(&self) -> &Arc<str> {
        &self.file
    }
}

impl Shapes for Walker<'_> {
    fn local_shape(&self, name: &str) -> Option<Shape> {
        self.locals.get(name).map(|local| local.shape)
    }

    fn constant_value(&self, path: &[String]) -> Option<&Expr> {
        Surroundings::constant(self, path)
    }
}
