//! Loops: what drives them, and whether a query in them runs once per element or for an acceptable reason.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Block, Expr, Pat};

use super::exits::{block_ends_in, ends_in, is_exit_of_loop};
use super::shape::Shape;
use super::steps::{is_step_of_days, is_step_of_one, steps_from};
use super::variables;

/// The number of iterations is in the source.
pub(in crate::rust) const FIXED: &str = "its number of iterations is fixed";
/// Each iteration handles a batch.
pub(in crate::rust) const BATCHES: &str = "each iteration takes a batch";
/// A service: the work of one iteration does not depend on the number of iterations.
pub(in crate::rust) const SERVICE: &str = "each iteration waits for something to do";
/// The same attempt, repeated until it succeeds.
pub(in crate::rust) const RETRY: &str = "it tries again until it succeeds";
/// Pages or batches, until none is left.
pub(in crate::rust) const PAGES: &str = "it goes on until a query finds nothing more";
/// An option or result, iterated like a collection.
pub(in crate::rust) const ONCE: &str = "it has at most one iteration";
/// A query on a cache miss, whose result is cached.
pub(in crate::rust) const KEPT: &str = "what it reads is kept for the next iterations";
/// A separate connection, database or schema for each element.
pub(in crate::rust) const DATABASES: &str = "each iteration works on a different database";
/// A query in a branch that ends the loop.
pub(in crate::rust) const LEAVES: &str = "the loop is left after it";

/// Code behind a flag that it sets, or for one iteration alone.
pub(in crate::rust) const SELDOM: &str = "it runs in one of the iterations";

/// Calls in the arms of a `match` over the element: different work for different elements, which cannot be
/// batched.
pub(in crate::rust) const DISPATCHES: &str = "each iteration does something different";

/// Over trait objects: plug-ins, providers, processors, whose number is fixed by the program.
pub(in crate::rust) const COMPONENTS: &str = "its elements are parts of the program";

/// The properties of a loop that do not depend on its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rust) struct Turns {
    pub(in crate::rust) exempt: Option<&'static str>,
    pub(in crate::rust) count: Option<u64>,
    /// Whether `count` is exact, rather than a maximum.
    pub(in crate::rust) exact: bool,
}

impl Turns {
    /// Once per element.
    const WORK: Turns = Turns { exempt: None, count: None, exact: false };

    fn exempt(reason: &'static str) -> Turns {
        Turns { exempt: Some(reason), ..Turns::WORK }
    }
}

/// A loop over a value of this shape.
pub(in crate::rust) fn over(shape: Shape) -> Turns {
    match shape {
        Shape::Unknown | Shape::Elements => Turns::WORK,
        Shape::Batches => Turns::exempt(BATCHES),
        Shape::Fixed(count, exact) => Turns { exempt: Some(FIXED), count, exact },
        Shape::Single => Turns { exempt: Some(ONCE), count: Some(1), exact: false },
        Shape::Messages => Turns::exempt(SERVICE),
        Shape::Pages => Turns::exempt(PAGES),
        Shape::Components => Turns::exempt(COMPONENTS),
    }
}

/// A `for` loop over a value of this shape.
pub(in crate::rust) fn for_loop(pattern: &Pat, iterable: &Expr, shape: Shape, body: &Block) -> Turns {
    let turns = over(shape);
    if turns.exempt.is_some() {
        return turns;
    }
    let names = variables::bindings(pattern);
    let counts_tries = names.iter().chain(&variables::mentions(iterable)).any(|name| is_try(name));
    if matches!(iterable, Expr::Range(_)) && counts_tries {
        return Turns::exempt(RETRY);
    }
    if matches!(iterable, Expr::Range(_)) && names.iter().any(|name| is_page(name)) {
        return Turns::exempt(PAGES);
    }
    if let Expr::Path(path) = iterable
        && path.path.get_ident().is_some_and(|name| is_receiver(&name.to_string()))
    {
        return Turns::exempt(SERVICE);
    }
    let signs = Signs::of_block(body);
    // Tried in sequence until one succeeds.
    if signs.succeeds {
        return Turns::exempt(RETRY);
    }
    // Polling with a limited number of attempts.
    let is_unused = matches!(pattern, Pat::Wild(_)) || names.iter().all(|name| name.starts_with('_'));
    if is_unused && matches!(iterable, Expr::Range(_)) && signs.waits {
        return Turns::exempt(SERVICE);
    }
    turns
}

/// A `while` or `while let` loop; `drawn` is the shape of what its condition draws from (`xs` in
/// `xs.next().await`).
pub(in crate::rust) fn while_loop(condition: &Expr, body: &Block, drawn: Option<Shape>) -> Turns {
    let asked = Signs::of_expr(condition);
    let signs = Signs::of_block(body);
    if asked.receives
        || signs.acknowledges
        || drawn == Some(Shape::Messages)
        || asked.draws
            && takes_message(condition)
            && !(drawn == Some(Shape::Elements) && is_at_hand(condition))
    {
        return Turns::exempt(SERVICE);
    }
    if asked.draws {
        return over(drawn.unwrap_or_default());
    }
    if asked.tries || signs.tries && !signs.draws {
        return Turns::exempt(RETRY);
    }
    if asked.stops || asked.waits || signs.receives {
        return Turns::exempt(SERVICE);
    }
    if signs.draws {
        return Turns::WORK;
    }
    if signs.waits {
        return Turns::exempt(SERVICE);
    }
    let counted: Vec<String> = variables::mentions(condition);
    // It counts what is left to try, and ends before that if it succeeds.
    if signs.succeeds || signs.outcomes.iter().any(|name| counted.contains(name)) {
        return Turns::exempt(RETRY);
    }
    if signs.steps.iter().any(|step| counted.contains(step)) {
        return Turns::WORK;
    }
    Turns::exempt(PAGES)
}

/// Whether a condition receives a message, judging by its name: it is handled as it arrives, regardless of
/// later ones.
fn takes_message(condition: &Expr) -> bool {
    let Expr::Let(condition) = condition else { return false };
    let messages = ["msg", "message", "notification", "command", "cmd", "signal"];
    variables::bindings(&condition.pat).iter().any(|name| messages.contains(&name.as_str()))
}

/// Whether a condition draws without waiting for it: `ids.next()`.
fn is_at_hand(condition: &Expr) -> bool {
    matches!(condition, Expr::Let(condition) if matches!(condition.expr.as_ref(), Expr::MethodCall(_)))
}

pub(in crate::rust) fn endless_loop(body: &Block) -> Turns {
    let signs = Signs::of_block(body);
    if signs.receives || signs.stops && !signs.draws {
        return Turns::exempt(SERVICE);
    }
    if signs.tries && !signs.draws {
        return Turns::exempt(RETRY);
    }
    if signs.draws {
        return if signs.waits { Turns::exempt(SERVICE) } else { Turns::WORK };
    }
    if signs.waits {
        return Turns::exempt(if signs.succeeds { RETRY } else { SERVICE });
    }
    // Day after day up to a last one: each is known before the loop.
    if signs.days.iter().any(|day| signs.limits.contains(day)) {
        return Turns::WORK;
    }
    Turns::exempt(PAGES)
}

/// Indications in the body of a loop of what the loop is for.
#[derive(Debug, Default)]
struct Signs {
    /// Sleeps, ticks, waits to be notified.
    waits: bool,
    /// Takes messages or connections.
    receives: bool,
    /// Acknowledges a message to a broker.
    acknowledges: bool,
    /// Takes the next element of an iterator, stream, stack or queue.
    draws: bool,
    /// Counts attempts.
    tries: bool,
    /// Leaves the loop on success.
    succeeds: bool,
    /// Checks whether to stop.
    stops: bool,
    /// Variables that are incremented or decremented.
    steps: Vec<String>,
    /// Those that move on by a day or another length of time.
    days: Vec<String>,
    /// The variables in the conditions that leave the loop.
    limits: Vec<String>,
    /// Variables that keep whether something succeeded.
    outcomes: Vec<String>,
    /// Variables that start anew in each iteration: what is drawn from them is not an element of the loop.
    own: Vec<String>,
}

impl Signs {
    fn of_block(block: &Block) -> Signs {
        let mut signs = Signs::default();
        signs.visit_block(block);
        signs
    }

    fn of_expr(expression: &Expr) -> Signs {
        let mut signs = Signs::default();
        signs.visit_expr(expression);
        signs
    }

    /// Evaluates the name of a called function or method.
    fn called(&mut self, name: &str) {
        match name {
            "sleep" | "sleep_until" | "tick" | "notified" | "changed" | "wait" | "wait_for"
            | "wait_timeout" | "yield_now" | "park" | "park_timeout" | "delay_for" | "elapsed"
            | "backoff" | "next_backoff" => {
                self.waits = true;
            }
            "recv" | "recv_many" | "try_recv" | "blocking_recv" | "recv_timeout" | "accept"
            | "recv_async" => {
                self.receives = true;
            }
            "ack" | "nack" | "commit_message" | "store_offset" | "ack_with" => self.acknowledges = true,
            "cancelled" | "is_cancelled" | "is_closed" | "ctrl_c" => self.stops = true,
            _ => {}
        }
    }

    fn named(&mut self, name: &str) {
        self.tries |= is_try(name);
        let lower = name.to_ascii_lowercase();
        self.stops |= ["shutdown", "stop_receiver", "stopped", "running", "cancel", "terminate"]
            .iter()
            .any(|sign| lower.contains(sign));
    }

    /// Evaluates names in the tokens of a macro, mainly `tokio::select!`.
    fn tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(ident) => self.called(&ident.to_string()),
                _ => {}
            }
        }
    }
}

fn is_try(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower
        .split('_')
        .any(|part| matches!(part, "attempt" | "attempts" | "retry" | "retries" | "tries" | "trial"))
}

/// Whether a name suggests a page or batch number.
fn is_page(name: &str) -> bool {
    name.split('_').any(|part| matches!(part, "page" | "batch" | "chunk"))
}

fn is_receiver(name: &str) -> bool {
    matches!(name, "rx" | "receiver") || name.ends_with("_rx") || name.ends_with("_receiver")
}

fn is_success(pattern: &Pat) -> bool {
    match pattern {
        Pat::TupleStruct(pattern) => pattern.path.is_ident("Ok"),
        Pat::Guard(guarded) => is_success(&guarded.pat),
        _ => false,
    }
}

/// Whether a condition contains `result.is_ok()`.
fn tells_success(condition: &Expr) -> bool {
    match condition {
        Expr::MethodCall(call) => call.method == "is_ok",
        Expr::Binary(either) if matches!(either.op, syn::BinOp::Or(_)) => {
            tells_success(&either.left) || tells_success(&either.right)
        }
        Expr::Paren(inner) => tells_success(&inner.expr),
        _ => false,
    }
}

/// `stream.next().await.expect("it does not end")`.
fn takes_from_endless(node: &syn::ExprMethodCall) -> bool {
    let Expr::Await(awaited) = node.receiver.as_ref() else { return false };
    (node.method == "expect" || node.method == "unwrap")
        && matches!(awaited.base.as_ref(), Expr::MethodCall(call) if call.method == "next")
}

impl<'ast> Visit<'ast> for Signs {
    fn visit_local(&mut self, local: &'ast syn::Local) {
        visit::visit_local(self, local);
        self.own.extend(variables::bindings(&local.pat));
    }

    fn visit_expr_method_call(&mut self, node: &'ast syn::ExprMethodCall) {
        let name = node.method.to_string();
        self.called(&name);
        let draws = match name.as_str() {
            "next" | "try_next" | "pop" | "pop_front" | "pop_back" | "pop_first" | "pop_last"
            | "next_back" | "next_line" | "next_entry" | "join_next" => true,
            "remove" | "swap_remove" => matches!(node.args.first(), Some(Expr::Lit(_))),
            _ => false,
        };
        self.receives |= takes_from_endless(node);
        let variable = match node.receiver.as_ref() {
            Expr::Path(path) => {
                path.path.get_ident().is_none_or(|name| !self.own.iter().any(|own| name == own))
            }
            Expr::Field(_) => true,
            _ => false,
        };
        if draws && variable {
            match node.receiver.as_ref() {
                Expr::Path(path)
                    if path.path.get_ident().is_some_and(|name| is_receiver(&name.to_string())) =>
                {
                    self.receives = true;
                }
                _ => self.draws = true,
            }
        }
        visit::visit_expr_method_call(self, node);
    }

    fn visit_expr_call(&mut self, node: &'ast syn::ExprCall) {
        if let Expr::Path(path) = node.func.as_ref()
            && let Some(last) = path.path.segments.last()
        {
            self.called(&last.ident.to_string());
        }
        visit::visit_expr_call(self, node);
    }

    fn visit_expr_path(&mut self, node: &'ast syn::ExprPath) {
        if let Some(name) = node.path.get_ident() {
            self.named(&name.to_string());
        }
    }

    fn visit_expr_field(&mut self, node: &'ast syn::ExprField) {
        if let syn::Member::Named(name) = &node.member {
            self.named(&name.to_string());
        }
        visit::visit_expr_field(self, node);
    }

    fn visit_expr_binary(&mut self, node: &'ast syn::ExprBinary) {
        if is_step_of_one(&node.right)
            && matches!(node.op, syn::BinOp::AddAssign(_) | syn::BinOp::SubAssign(_))
            && let Expr::Path(path) = node.left.as_ref()
            && let Some(name) = path.path.get_ident()
        {
            if !matches!(*node.right, Expr::Lit(_)) {
                self.days.push(name.to_string());
            }
            self.steps.push(name.to_string());
        }
        visit::visit_expr_binary(self, node);
    }

    /// `day = day + Days::new(1)` is an increment as well.
    fn visit_expr_assign(&mut self, node: &'ast syn::ExprAssign) {
        if let Expr::Path(path) = node.left.as_ref()
            && let Some(name) = path.path.get_ident().map(ToString::to_string)
            && steps_from(&node.right, &name)
        {
            if is_step_of_days(&node.right) {
                self.days.push(name.clone());
            }
            self.steps.push(name);
        } else if let Expr::Path(path) = node.left.as_ref()
            && tells_success(&node.right)
        {
            self.outcomes.extend(path.path.get_ident().map(ToString::to_string));
        }
        visit::visit_expr_assign(self, node);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.succeeds |= is_success(&arm.pat) && ends_in(&arm.body, &is_exit_of_loop);
        visit::visit_arm(self, arm);
    }

    fn visit_expr_if(&mut self, node: &'ast syn::ExprIf) {
        let good = match node.cond.as_ref() {
            Expr::Let(condition) => is_success(&condition.pat),
            other => tells_success(other),
        };
        let leaves = block_ends_in(&node.then_branch, &is_exit_of_loop);
        self.succeeds |= good && leaves;
        if leaves && matches!(node.cond.as_ref(), Expr::Binary(_)) {
            self.limits.extend(variables::mentions(&node.cond));
        }
        visit::visit_expr_if(self, node);
    }

    fn visit_macro(&mut self, node: &'ast syn::Macro) {
        self.tokens(node.tokens.clone());
    }

    // Code in nested loops and functions says nothing about the outer loop.
    fn visit_expr_for_loop(&mut self, node: &'ast syn::ExprForLoop) {
        self.visit_expr(&node.expr);
    }
    fn visit_expr_while(&mut self, _: &'ast syn::ExprWhile) {}
    fn visit_expr_loop(&mut self, _: &'ast syn::ExprLoop) {}
    fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}
    fn visit_item(&mut self, _: &'ast syn::Item) {}
}
