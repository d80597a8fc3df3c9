//! Indications in the code of a loop of what the loop is for.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Block, Expr, Pat};

use super::ends::is_failure;
use super::exits::{block_ends_in, ends_in, is_exit_of_loop};
use super::steps::{is_step_of_days, is_step_of_one, steps_from};
use super::variables;

/// Indications in the body of a loop of what the loop is for.
#[derive(Debug, Default)]
pub(super) struct Signs {
    /// Sleeps, ticks, waits to be notified.
    pub(super) waits: bool,
    /// Takes messages or connections.
    pub(super) receives: bool,
    /// Acknowledges a message to a broker.
    pub(super) acknowledges: bool,
    /// Takes the next element of an iterator, stream, stack or queue.
    pub(super) draws: bool,
    /// Counts attempts.
    pub(super) tries: bool,
    /// Leaves the loop on success.
    pub(super) succeeds: bool,
    /// Checks whether to stop.
    pub(super) stops: bool,
    /// Executes statements that give back no rows.
    writes: bool,
    /// Reads rows, or has a text that takes so many at a time.
    reads: bool,
    /// Variables that are incremented or decremented.
    pub(super) steps: Vec<String>,
    /// Those that move on by a day or another length of time.
    pub(super) days: Vec<String>,
    /// The variables in the conditions that leave the loop.
    pub(super) limits: Vec<String>,
    /// Variables that keep whether something succeeded.
    pub(super) outcomes: Vec<String>,
    /// Variables that start anew in each iteration: what is drawn from them is not an element of the loop.
    own: Vec<String>,
}

impl Signs {
    pub(super) fn of_block(block: &Block) -> Signs {
        let mut signs = Signs::default();
        signs.visit_block(block);
        signs
    }

    pub(super) fn of_expr(expression: &Expr) -> Signs {
        let mut signs = Signs::default();
        signs.visit_expr(expression);
        signs
    }

    /// Whether what the code runs writes, and neither reads nor limits how many rows.
    pub(super) fn only_writes(&self) -> bool {
        self.writes && !self.reads
    }

    /// Evaluates the name of a called function or method.
    fn called(&mut self, name: &str) {
        match name {
            "sleep" | "sleep_until" | "tick" | "notified" | "changed" | "wait" | "wait_for"
            | "wait_timeout" | "yield_now" | "park" | "park_timeout" | "delay_for" | "backoff"
            | "next_backoff" => {
                self.waits = true;
            }
            "recv" | "recv_many" | "try_recv" | "blocking_recv" | "recv_timeout" | "accept"
            | "recv_async" => {
                self.receives = true;
            }
            "ack" | "nack" | "commit_message" | "store_offset" | "ack_with" => self.acknowledges = true,
            "execute" => self.writes = true,
            name if name.starts_with("fetch") || name.starts_with("query") && name != "query" => {
                self.reads = true
            }
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

pub(super) fn is_try(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower
        .split('_')
        .any(|part| matches!(part, "attempt" | "attempts" | "retry" | "retries" | "tries" | "trial"))
}

/// Whether a name suggests a page or batch number.
pub(super) fn is_page(name: &str) -> bool {
    name.split('_').any(|part| matches!(part, "page" | "batch" | "chunk"))
}

pub(super) fn is_receiver(name: &str) -> bool {
    matches!(name, "rx" | "receiver") || name.ends_with("_rx") || name.ends_with("_receiver")
}

/// Whether a pattern is that of a success: `Ok(row)`, and not `Ok(None)`, `Ok(0)` or `Ok(done) if done.is_empty()`.
fn is_success(pattern: &Pat) -> bool {
    match pattern {
        Pat::TupleStruct(pattern) => pattern.path.is_ident("Ok") && !pattern.elems.iter().any(is_nothing),
        Pat::Guard(guarded) => is_success(&guarded.pat) && !asks_for_nothing(&guarded.guard),
        _ => false,
    }
}

fn is_nothing(pattern: &Pat) -> bool {
    match pattern {
        Pat::Ident(name) => name.ident == "None",
        Pat::Path(path) => path.path.is_ident("None"),
        Pat::Lit(literal) => is_zero(&literal.lit),
        _ => false,
    }
}

/// Whether a literal is zero or `false`.
fn is_zero(literal: &syn::Lit) -> bool {
    match literal {
        syn::Lit::Int(number) => number.base10_digits() == "0",
        syn::Lit::Bool(flag) => !flag.value,
        _ => false,
    }
}

/// Whether a condition asks whether there is nothing: `rows.is_empty()`, `done.rows_affected() == 0`.
fn asks_for_nothing(condition: &Expr) -> bool {
    match condition {
        Expr::MethodCall(call) => call.method == "is_empty" || call.method == "is_none",
        Expr::Binary(compared) if matches!(compared.op, syn::BinOp::Eq(_)) => {
            matches!(compared.right.as_ref(), Expr::Lit(right) if is_zero(&right.lit))
        }
        Expr::Paren(inner) => asks_for_nothing(&inner.expr),
        _ => false,
    }
}

/// Whether code leaves the loop around it, and not with a failure.
fn leaves_well(code: &Expr) -> bool {
    let is_good = |exit: &Expr| match exit {
        Expr::Return(exit) => !exit.expr.as_deref().is_some_and(is_failure),
        exit => is_exit_of_loop(exit),
    };
    ends_in(code, &is_good)
}

/// Whether a value is made of others at once, so that its success says nothing of an attempt: `text.parse::<i64>()`.
fn is_conversion(value: &Expr) -> bool {
    let is_it = |name: &syn::Ident| {
        let name = name.to_string();
        matches!(name.as_str(), "parse" | "try_into" | "to_str" | "into_string" | "try_from")
            || name.starts_with("from_")
            || name.starts_with("parse_")
    };
    match value {
        Expr::MethodCall(call) => is_it(&call.method),
        Expr::Call(call) => {
            matches!(call.func.as_ref(), Expr::Path(path) if path.path.segments.last().is_some_and(|last| is_it(&last.ident)))
        }
        _ => false,
    }
}

/// Whether a condition asks how long something took so far: `start.elapsed() > limit`.
pub(super) fn asks_the_time(condition: &Expr) -> bool {
    match condition {
        Expr::Binary(compared) => asks_the_time(&compared.left) || asks_the_time(&compared.right),
        Expr::MethodCall(call) => call.method == "elapsed" || asks_the_time(&call.receiver),
        Expr::Paren(inner) => asks_the_time(&inner.expr),
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
        // So is what has a length.
        if name == "len" && matches!(node.receiver.as_ref(), Expr::Path(_)) {
            return;
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
        // What an element of a list has is no state of the loop.
        match &node.member {
            syn::Member::Named(name) if !matches!(node.base.as_ref(), Expr::Index(_)) => {
                self.named(&name.to_string());
            }
            _ => {}
        }
        visit::visit_expr_field(self, node);
    }

    /// What is indexed is a list, whatever its name says.
    fn visit_expr_index(&mut self, node: &'ast syn::ExprIndex) {
        if !matches!(node.expr.as_ref(), Expr::Path(_)) {
            self.visit_expr(&node.expr);
        }
        self.visit_expr(&node.index);
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

    fn visit_expr_match(&mut self, node: &'ast syn::ExprMatch) {
        let succeeds = |arm: &syn::Arm| is_success(&arm.pat) && leaves_well(&arm.body);
        self.succeeds |= !is_conversion(&node.expr) && node.arms.iter().any(succeeds);
        visit::visit_expr_match(self, node);
    }

    fn visit_expr_if(&mut self, node: &'ast syn::ExprIf) {
        let good = match node.cond.as_ref() {
            Expr::Let(condition) => is_success(&condition.pat) && !is_conversion(&condition.expr),
            other => tells_success(other),
        };
        let then = &node.then_branch;
        let is_well = matches!(then.stmts.last(), Some(syn::Stmt::Expr(last, _)) if leaves_well(last));
        self.succeeds |= good && is_well;
        if block_ends_in(then, &is_exit_of_loop) {
            self.waits |= asks_the_time(&node.cond);
            if matches!(node.cond.as_ref(), Expr::Binary(_)) {
                self.limits.extend(variables::mentions(&node.cond));
            }
        }
        visit::visit_expr_if(self, node);
    }

    fn visit_lit_str(&mut self, node: &'ast syn::LitStr) {
        let text = node.value().to_ascii_uppercase();
        self.reads |= text.contains("LIMIT") || text.contains("OFFSET");
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
