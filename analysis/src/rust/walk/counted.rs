//! Counts that statements determine: lists with so many pushes, and loops that step a number up to a limit. Each is a
//! maximum; what is not certain has none.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{BinOp, Block, Expr, Pat, Stmt};

use super::purpose::{self, Turns};
use super::shape::{self, Shape};
use super::sql_text::segments;
use super::{Walker, numbers};

/// A number that one statement alone steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rust) struct Counter {
    pub(super) first: u64,
    pub(super) by: u64,
    pub(super) goes_up: bool,
}

/// No integer type has a smaller maximum: up to here, no step can overflow.
pub(super) const LIMIT: u64 = 127;

impl Walker<'_> {
    /// Notes how many elements a list has at most that a statement makes and the statements behind it fill, or how a number is
    /// stepped that it declares.
    pub(super) fn note_counted(&mut self, statement: &Stmt, rest: &[Stmt]) {
        let Stmt::Local(local) = statement else { return };
        let pattern = match &local.pat {
            Pat::Type(typed) => typed.pat.as_ref(),
            pattern => pattern,
        };
        let (Pat::Ident(name), Some(init)) = (pattern, &local.init) else { return };
        if name.mutability.is_none() {
            return;
        }
        let first = numbers::single_number(&init.expr, self);
        let list = if first.is_some() { None } else { self.made_list(&init.expr) };
        if first.is_none() && list.is_none() {
            return;
        }
        let name = name.ident.to_string();
        let mut uses = Uses { name: &name, is_number: first.is_some(), ..Uses::default() };
        rest.iter().for_each(|statement| uses.visit_stmt(statement));
        let Some(local) = self.here.locals.get_mut(&name).filter(|_| !uses.other) else { return };
        if let Some(least) = list {
            local.shape = Shape::Fixed(Some(least.saturating_add(uses.pushes)), false);
        } else if let (Some(first), [(by, goes_up)]) = (first, uses.steps.as_slice()) {
            local.counter = Some(Counter { first, by: *by, goes_up: *goes_up });
        }
    }

    /// Notes how many elements a list has at most behind a statement that shortens it: `ids.truncate(3);`. Returns its position among
    /// the variables and its shape before, which it has again behind the block.
    pub(super) fn note_cut(&mut self, statement: &Stmt, rest: &[Stmt]) -> Option<(usize, Shape)> {
        let Stmt::Expr(Expr::MethodCall(call), Some(_)) = statement else { return None };
        let Expr::Path(path) = call.receiver.as_ref() else { return None };
        let name = path.path.get_ident().filter(|_| call.method == "truncate")?.to_string();
        let most = numbers::single_number(call.args.first()?, self)?;
        let mut uses = Uses { name: &name, ..Uses::default() };
        rest.iter().for_each(|statement| uses.visit_stmt(statement));
        let at = self.here.locals.position(&name).filter(|_| !uses.other)?;
        let local = self.here.locals.at_mut(at)?;
        let cut = Shape::Fixed(Some(most.saturating_add(uses.pushes)), false);
        Some((at, std::mem::replace(&mut local.shape, cut)))
    }

    /// The number of elements of a list that is made here and may be filled.
    fn made_list(&self, value: &Expr) -> Option<u64> {
        if let Expr::Call(call) = value
            && let Expr::Path(path) = call.func.as_ref()
        {
            let path = segments(&path.path);
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            return match path.as_slice() {
                [
                    ..,
                    "Vec" | "VecDeque" | "HashSet" | "BTreeSet" | "HashMap" | "BTreeMap",
                    "new" | "with_capacity",
                ] => Some(0),
                _ => None,
            };
        }
        let is_list = matches!(value, Expr::Macro(mac) if mac.mac.path.is_ident("vec"));
        match shape::of(value, self) {
            Shape::Fixed(Some(length), _) if is_list => Some(length),
            _ => None,
        }
    }

    /// The turns of a loop that steps a number up or down to a limit, which every turn does that another follows.
    pub(super) fn counted_turns(&self, condition: &Expr, body: &Block, turns: Turns) -> Turns {
        match self.most_turns(condition, body) {
            Some(most) => Turns {
                exempt: turns.exempt.or(purpose::over(Shape::Fixed(None, false)).exempt),
                count: Some(most),
                exact: false,
            },
            None => turns,
        }
    }

    fn most_turns(&self, condition: &Expr, body: &Block) -> Option<u64> {
        let compared = match condition {
            Expr::Paren(inner) => return self.most_turns(&inner.expr, body),
            Expr::Binary(both) if matches!(both.op, BinOp::And(_)) => {
                return self.most_turns(&both.left, body).or_else(|| self.most_turns(&both.right, body));
            }
            Expr::Binary(compared) => compared,
            _ => return None,
        };
        let name = |value: &Expr| match value {
            Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
            _ => None,
        };
        let (name, limit, is_flipped) = match (name(&compared.left), name(&compared.right)) {
            (Some(name), _) if self.counter(&name).is_some() => (name, &compared.right, false),
            (_, Some(name)) => (name, &compared.left, true),
            _ => return None,
        };
        let Counter { first, by, goes_up } = self.counter(&name)?;
        let limit = numbers::single_number(limit, self)?;
        let (is_below, is_equal) = match compared.op {
            BinOp::Lt(_) => (!is_flipped, false),
            BinOp::Le(_) => (!is_flipped, true),
            BinOp::Gt(_) => (is_flipped, false),
            BinOp::Ge(_) => (is_flipped, true),
            _ => return None,
        };
        let is_safe = match goes_up {
            true => limit.checked_add(by)? <= LIMIT,
            // What has no sign does not end below zero.
            false => by == 1 && !(is_equal && limit == 0),
        };
        if goes_up != is_below || !is_safe || !steps_always(body, &name) {
            return None;
        }
        let way = if goes_up { limit.saturating_sub(first) } else { first.saturating_sub(limit) };
        let is_within = if goes_up { first <= limit } else { limit <= first };
        match is_equal {
            true => Some(if is_within { way / by + 1 } else { 0 }),
            false => Some(way.div_ceil(by)),
        }
    }

    pub(super) fn counter(&self, name: &str) -> Option<Counter> {
        self.here.locals.get(name)?.counter
    }
}

/// Whether a statement of a loop's body steps a variable in every turn that another follows.
fn steps_always(body: &Block, name: &str) -> bool {
    let is_step = |statement: &Stmt| {
        let Stmt::Expr(Expr::Binary(node), _) = statement else { return false };
        step(node, name).is_some()
    };
    let Some(at) = body.stmts.iter().position(is_step) else { return false };
    !may_go_on(body.stmts.get(..at).unwrap_or_default())
}

/// Whether statements may go on with the next turn of the loop around them.
pub(super) fn may_go_on(statements: &[Stmt]) -> bool {
    let mut before = Before::default();
    statements.iter().for_each(|statement| before.visit_stmt(statement));
    before.may_go_on
}

/// By how much an assignment steps a variable, and whether that is up: `n += 1`.
pub(super) fn step(node: &syn::ExprBinary, name: &str) -> Option<(u64, bool)> {
    let goes_up = match node.op {
        BinOp::AddAssign(_) => true,
        BinOp::SubAssign(_) => false,
        _ => return None,
    };
    let Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(by), .. }) = node.right.as_ref() else { return None };
    let by = by.base10_parse().ok().filter(|by: &u64| *by > 0)?;
    is_name(&node.left, name).then_some((by, goes_up))
}

pub(super) fn is_name(value: &Expr, name: &str) -> bool {
    match value {
        Expr::Path(path) => path.path.is_ident(name),
        Expr::Paren(inner) => is_name(&inner.expr, name),
        _ => false,
    }
}

/// Whether a word stands in some tokens.
pub(super) fn mentions(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => mentions(group.stream(), word),
        TokenTree::Ident(name) => name == word,
        _ => false,
    })
}

/// Whether a macro does with what it is given what a function could do, and nothing else.
pub(super) fn is_plain(mac: &syn::Macro) -> bool {
    let name = mac.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
    crate::rust::query_names::makes_query(&name)
        || matches!(
            name.as_str(),
            "assert"
                | "assert_eq"
                | "debug"
                | "debug_assert"
                | "eprintln"
                | "error"
                | "format"
                | "info"
                | "print"
                | "println"
                | "trace"
                | "vec"
                | "warn"
                | "write"
                | "writeln"
        )
}

/// Whether code may go on with the next turn of the loop around it.
#[derive(Default)]
struct Before {
    may_go_on: bool,
}

impl<'ast> Visit<'ast> for Before {
    fn visit_expr_continue(&mut self, _: &'ast syn::ExprContinue) {
        self.may_go_on = true;
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.may_go_on |= !is_plain(mac) || mentions(mac.tokens.clone(), "continue");
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

/// How a variable is used behind its declaration.
#[derive(Default)]
struct Uses<'n> {
    name: &'n str,
    is_number: bool,
    /// The number of loops and closures around the current code.
    inside: usize,
    /// How many elements are added, each at most once.
    pushes: u64,
    /// How it is stepped.
    steps: Vec<(u64, bool)>,
    /// Whether it may be changed otherwise.
    other: bool,
}

impl<'n> Uses<'n> {
    fn deeper(&mut self, walk: impl FnOnce(&mut Self)) {
        self.inside += 1;
        walk(self);
        self.inside -= 1;
    }

    /// Evaluates a method that is called on it.
    fn called(&mut self, method: &str) {
        match method {
            _ if self.is_number => self.other |= method.ends_with("_assign"),
            "push" | "push_back" | "push_front" | "insert" => {
                self.pushes = self.pushes.saturating_add(1);
                self.other |= self.inside > 0;
            }
            _ => self.other |= !keeps_length(method),
        }
    }

    /// Evaluates tokens that are not parsed, in which it may be changed wherever it stands.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(name) if name == self.name => match (tokens.get(at + 1), tokens.get(at + 2))
                {
                    (None, _) => self.other |= at > 0 && tokens.get(at - 1).is_some_and(is_mut),
                    (Some(TokenTree::Punct(comma)), _) if comma.as_char() == ',' => {
                        self.other |= at > 0 && tokens.get(at - 1).is_some_and(is_mut);
                    }
                    (Some(TokenTree::Punct(dot)), Some(TokenTree::Ident(method))) if dot.as_char() == '.' => {
                        self.other |= self.is_number || !keeps_length(&method.to_string());
                    }
                    _ => self.other = true,
                },
                _ => {}
            }
        }
    }
}

fn is_mut(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(word) if word == "mut")
}

/// Whether a method of a list adds no element to it.
fn keeps_length(method: &str) -> bool {
    method.starts_with("sort")
        || method.starts_with("dedup")
        || method.starts_with("pop")
        || method.starts_with("contains")
        || matches!(
            method,
            "as_slice"
                | "binary_search"
                | "chunks"
                | "clear"
                | "clone"
                | "concat"
                | "drain"
                | "first"
                | "get"
                | "get_mut"
                | "into_iter"
                | "is_empty"
                | "iter"
                | "iter_mut"
                | "join"
                | "keys"
                | "last"
                | "len"
                | "remove"
                | "reserve"
                | "retain"
                | "reverse"
                | "shrink_to_fit"
                | "split_first"
                | "split_last"
                | "swap"
                | "swap_remove"
                | "to_vec"
                | "truncate"
                | "values"
                | "windows"
        )
}

impl<'ast> Visit<'ast> for Uses<'_> {
    fn visit_expr_method_call(&mut self, node: &'ast syn::ExprMethodCall) {
        match is_name(&node.receiver, self.name) {
            true => self.called(&node.method.to_string()),
            false => self.visit_expr(&node.receiver),
        }
        node.args.iter().for_each(|argument| self.visit_expr(argument));
    }

    fn visit_expr_reference(&mut self, node: &'ast syn::ExprReference) {
        self.other |= node.mutability.is_some() && is_name(&node.expr, self.name);
        visit::visit_expr_reference(self, node);
    }

    fn visit_expr_raw_addr(&mut self, node: &'ast syn::ExprRawAddr) {
        self.other |= is_name(&node.expr, self.name);
        visit::visit_expr_raw_addr(self, node);
    }

    fn visit_expr_assign(&mut self, node: &'ast syn::ExprAssign) {
        // It may be one of several: `(n, m) = (0, 1)`.
        let is_part =
            matches!(node.left.as_ref(), Expr::Tuple(_) | Expr::Array(_) | Expr::Struct(_) | Expr::Call(_));
        self.other |=
            is_name(&node.left, self.name) || is_part && mentions(node.left.to_token_stream(), self.name);
        visit::visit_expr_assign(self, node);
    }

    fn visit_expr_binary(&mut self, node: &'ast syn::ExprBinary) {
        let assigns = node.op.to_token_stream().to_string().ends_with('=')
            && !matches!(node.op, BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Le(_) | BinOp::Ge(_));
        if assigns && is_name(&node.left, self.name) {
            match step(node, self.name).filter(|_| self.is_number) {
                Some(step) => self.steps.push(step),
                None => self.other = true,
            }
        }
        visit::visit_expr_binary(self, node);
    }

    fn visit_pat_ident(&mut self, node: &'ast syn::PatIdent) {
        // Behind another of its name it is not known which is meant.
        self.other |= node.by_ref.is_some() && node.mutability.is_some() || node.ident == self.name;
        visit::visit_pat_ident(self, node);
    }

    fn visit_expr_for_loop(&mut self, node: &'ast syn::ExprForLoop) {
        self.visit_pat(&node.pat);
        // Each element may be changed, and none is added.
        match node.expr.as_ref() {
            Expr::Reference(of) if is_name(&of.expr, self.name) => {}
            list => self.visit_expr(list),
        }
        self.deeper(|uses| uses.visit_block(&node.body));
    }

    fn visit_expr_while(&mut self, node: &'ast syn::ExprWhile) {
        self.deeper(|uses| visit::visit_expr_while(uses, node));
    }

    fn visit_expr_loop(&mut self, node: &'ast syn::ExprLoop) {
        self.deeper(|uses| visit::visit_expr_loop(uses, node));
    }

    fn visit_expr_closure(&mut self, node: &'ast syn::ExprClosure) {
        self.deeper(|uses| visit::visit_expr_closure(uses, node));
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        match is_plain(mac) {
            true => self.tokens(mac.tokens.clone()),
            false => self.other |= mentions(mac.tokens.clone(), self.name),
        }
    }

    // A macro that is declared here may change it; any other item does not see it.
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if let syn::Item::Macro(item) = item {
            self.other |= mentions(item.mac.tokens.clone(), self.name);
        }
    }
}
