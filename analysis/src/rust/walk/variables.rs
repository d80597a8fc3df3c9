//! The variables that an expression mentions, and the variables that change between iterations of a loop.

use std::collections::HashSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Block, Expr, Pat};

use super::excerpt::is_long_chain;
use crate::rust::methods::{Yields, yields};

/// The variables that the parameters of a function are, each with its position.
pub(in crate::rust) fn inputs(sig: &syn::Signature) -> Vec<(String, usize)> {
    let names = |input: &syn::FnArg| match input {
        syn::FnArg::Receiver(_) => vec!["self".to_owned()],
        syn::FnArg::Typed(input) => bindings(&input.pat),
    };
    let all = sig.inputs.iter().enumerate();
    all.flat_map(|(at, input)| names(input).into_iter().map(move |name| (name, at))).collect()
}

/// The variables that an expression mentions, in order, without duplicates.
pub(in crate::rust) fn mentions(expression: &Expr) -> Vec<String> {
    let mut visitor = Mentions::default();
    visitor.visit_expr(expression);
    visitor.names
}

/// The variables that a value mentions, if it is the same as long as they are: no call computes it.
pub(in crate::rust) fn mentions_of_constant(value: &Expr) -> Option<Vec<String>> {
    if is_long_chain(value) {
        return None;
    }
    let mut visitor = Differs { known: &HashSet::new(), differs: false };
    visitor.visit_expr(value);
    (!visitor.differs).then(|| mentions(value))
}

/// Whether a method's result changes only when its receiver does.
pub(in crate::rust) fn keeps_value(method: &str) -> bool {
    matches!(yields(method), Some(Yields::View | Yields::Copy | Yields::Text))
        || matches!(method, "len" | "as_bytes" | "as_slice")
}

/// The variables that a pattern binds.
pub(in crate::rust) fn bindings(pattern: &Pat) -> Vec<String> {
    let mut visitor = Bindings::default();
    visitor.visit_pat(pattern);
    visitor.names
}

/// The parameters of a function that its body neither changes nor hides behind others of the same name.
pub(in crate::rust) fn kept(sig: &syn::Signature, body: &Block) -> Vec<String> {
    let mut hidden = Named::default();
    hidden.visit_block(body);
    let given = sig.inputs.iter().flat_map(|input| match input {
        syn::FnArg::Receiver(_) => vec!["self".to_owned()],
        syn::FnArg::Typed(input) => bindings(&input.pat),
    });
    given.filter(|name| !hidden.0.contains(name)).collect()
}

/// How often a loop's body is read for what changes in it.
const MOST_PASSES: usize = 3;

/// The variables that change between iterations: those of the loop's pattern, and those that its body
/// computes from them or from calls, or reassigns.
pub(in crate::rust) fn of_turn(patterns: &[&Pat], body: LoopBody<'_>) -> Vec<String> {
    let names = patterns.iter().flat_map(|pattern| bindings(pattern)).collect();
    let mut visitor = OfTurn { names, known: HashSet::new() };
    visitor.known.extend(visitor.names.iter().cloned());
    // What is reassigned at the end changes what the next iteration computes from it at the start.
    for _ in 0..MOST_PASSES {
        let before = visitor.names.len();
        match body {
            LoopBody::Block(block) => visitor.visit_block(block),
            LoopBody::Expr(expression) => visitor.visit_expr(expression),
        }
        if visitor.names.len() == before {
            break;
        }
    }
    visitor.names
}

/// The variables that hold an element of a loop, or something derived from one: those of its pattern, and
/// those of the body whose value mentions one of these.
pub(in crate::rust) fn of_element(patterns: &[&Pat], body: LoopBody<'_>) -> Vec<String> {
    let names: Vec<String> = patterns.iter().flat_map(|pattern| bindings(pattern)).collect();
    let mut visitor = OfElement { names };
    match body {
        LoopBody::Block(block) => visitor.visit_block(block),
        LoopBody::Expr(expression) => visitor.visit_expr(expression),
    }
    visitor.names
}

/// The body of a loop.
#[derive(Clone, Copy)]
pub(in crate::rust) enum LoopBody<'a> {
    Block(&'a Block),
    Expr(&'a Expr),
}

#[derive(Default)]
struct Mentions {
    names: Vec<String>,
}

impl Mentions {
    fn add(&mut self, name: String) {
        if !self.names.contains(&name) {
            self.names.push(name);
        }
    }

    /// Names in the tokens of a macro, including captures in its format strings.
    fn tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(ident) => self.add(ident.to_string()),
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    for piece in text.split('{').skip(1) {
                        let name: String =
                            piece.chars().take_while(|&c| c.is_alphanumeric() || c == '_').collect();
                        if name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
                            self.add(name);
                        }
                    }
                }
                TokenTree::Punct(_) => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Mentions {
    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        if let Some(name) = path.path.get_ident() {
            self.add(name.to_string());
        }
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.tokens(mac.tokens.clone());
    }

    fn visit_expr_struct(&mut self, node: &'ast syn::ExprStruct) {
        node.fields.iter().for_each(|field| self.visit_expr(&field.expr));
        if let Some(rest) = &node.rest {
            self.visit_expr(rest);
        }
    }
}

#[derive(Default)]
struct Bindings {
    names: Vec<String>,
}

impl<'ast> Visit<'ast> for Bindings {
    fn visit_pat_ident(&mut self, node: &'ast syn::PatIdent) {
        let name = node.ident.to_string();
        // `None` and constants look like bindings; variables start with a lower-case letter.
        if !name.starts_with(char::is_uppercase) {
            self.names.push(name);
        }
        visit::visit_pat_ident(self, node);
    }

    fn visit_expr(&mut self, _: &'ast Expr) {}
}

/// The variables that patterns bind in a body, or that it assigns.
#[derive(Default)]
struct Named(HashSet<String>);

impl<'ast> Visit<'ast> for Named {
    fn visit_pat_ident(&mut self, node: &'ast syn::PatIdent) {
        self.0.insert(node.ident.to_string());
        visit::visit_pat_ident(self, node);
    }

    fn visit_expr_assign(&mut self, node: &'ast syn::ExprAssign) {
        self.0.extend(mentions(&node.left));
        visit::visit_expr_assign(self, node);
    }

    fn visit_expr_binary(&mut self, node: &'ast syn::ExprBinary) {
        if assigns(&node.op) {
            self.0.extend(mentions(&node.left));
        }
        visit::visit_expr_binary(self, node);
    }
}

struct OfTurn {
    names: Vec<String>,
    known: HashSet<String>,
}

impl OfTurn {
    fn add(&mut self, name: String) {
        if self.known.insert(name.clone()) {
            self.names.push(name);
        }
    }

    fn bind(&mut self, pattern: &Pat) {
        bindings(pattern).into_iter().for_each(|name| self.add(name));
    }

    /// Whether a value may change between iterations; one made of constants and outer variables does not.
    fn differs(&self, value: &Expr) -> bool {
        let mut visitor = Differs { known: &self.known, differs: false };
        visitor.visit_expr(value);
        visitor.differs
    }

    /// The variable at the root of an assigned place.
    fn written(&mut self, place: &Expr) {
        match place {
            Expr::Path(path) => {
                if let Some(name) = path.path.get_ident() {
                    self.add(name.to_string());
                }
            }
            Expr::Field(field) => self.written(&field.base),
            Expr::Index(index) => self.written(&index.expr),
            Expr::Unary(unary) => self.written(&unary.expr),
            Expr::Paren(paren) => self.written(&paren.expr),
            Expr::Tuple(tuple) => tuple.elems.iter().for_each(|element| self.written(element)),
            _ => {}
        }
    }
}

impl<'ast> Visit<'ast> for OfTurn {
    fn visit_local(&mut self, local: &'ast syn::Local) {
        visit::visit_local(self, local);
        if local.init.as_ref().is_none_or(|init| self.differs(&init.expr)) {
            self.bind(&local.pat);
        }
    }

    fn visit_expr_let(&mut self, node: &'ast syn::ExprLet) {
        self.bind(&node.pat);
        visit::visit_expr_let(self, node);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.bind(&arm.pat);
        visit::visit_arm(self, arm);
    }

    fn visit_expr_for_loop(&mut self, node: &'ast syn::ExprForLoop) {
        self.bind(&node.pat);
        visit::visit_expr_for_loop(self, node);
    }

    fn visit_expr_closure(&mut self, node: &'ast syn::ExprClosure) {
        node.inputs.iter().for_each(|input| self.bind(input));
        visit::visit_expr_closure(self, node);
    }

    fn visit_expr_assign(&mut self, node: &'ast syn::ExprAssign) {
        self.written(&node.left);
        visit::visit_expr_assign(self, node);
    }

    fn visit_expr_binary(&mut self, node: &'ast syn::ExprBinary) {
        if assigns(&node.op) {
            self.written(&node.left);
        }
        visit::visit_expr_binary(self, node);
    }

    fn visit_expr_reference(&mut self, node: &'ast syn::ExprReference) {
        if node.mutability.is_some() {
            self.written(&node.expr);
        }
        visit::visit_expr_reference(self, node);
    }

    fn visit_expr_method_call(&mut self, node: &'ast syn::ExprMethodCall) {
        // Methods that mutate their receiver, judging by their names.
        let changes =
            ["next", "push", "push_str", "pop", "insert", "remove", "clear", "extend", "take", "try_next"];
        if changes.iter().any(|name| node.method == name) {
            self.written(&node.receiver);
        }
        visit::visit_expr_method_call(self, node);
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

struct OfElement {
    names: Vec<String>,
}

impl OfElement {
    fn bind(&mut self, pattern: &Pat, value: &Expr) {
        if mentions(value).iter().any(|name| self.names.contains(name)) {
            self.names.extend(bindings(pattern));
        }
    }
}

impl<'ast> Visit<'ast> for OfElement {
    fn visit_local(&mut self, local: &'ast syn::Local) {
        if let Some(init) = &local.init {
            self.bind(&local.pat, &init.expr);
        }
        visit::visit_local(self, local);
    }

    fn visit_expr_let(&mut self, node: &'ast syn::ExprLet) {
        self.bind(&node.pat, &node.expr);
        visit::visit_expr_let(self, node);
    }

    fn visit_expr_match(&mut self, node: &'ast syn::ExprMatch) {
        node.arms.iter().for_each(|arm| self.bind(&arm.pat, &node.expr));
        visit::visit_expr_match(self, node);
    }

    fn visit_expr_for_loop(&mut self, node: &'ast syn::ExprForLoop) {
        self.bind(&node.pat, &node.expr);
        visit::visit_expr_for_loop(self, node);
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

struct Differs<'a> {
    known: &'a HashSet<String>,
    differs: bool,
}

impl<'ast> Visit<'ast> for Differs<'_> {
    fn visit_expr(&mut self, node: &'ast Expr) {
        match node {
            Expr::Await(_) | Expr::Macro(_) => self.differs = true,
            // Constructors and conversions of constant values are constant; other calls may return anything.
            Expr::Call(call) => match call.func.as_ref() {
                Expr::Path(path) if starts_upper(&path.path) => visit::visit_expr(self, node),
                _ => self.differs = true,
            },
            Expr::MethodCall(call) => {
                if keeps_value(&call.method.to_string()) {
                    visit::visit_expr(self, node);
                } else {
                    self.differs = true;
                }
            }
            Expr::Path(path) => {
                let known = path.path.get_ident().is_some_and(|name| self.known.contains(&name.to_string()));
                self.differs |= known;
            }
            _ => visit::visit_expr(self, node),
        }
    }
}

/// Whether an operator assigns to its left side.
fn assigns(op: &syn::BinOp) -> bool {
    use syn::BinOp::*;
    matches!(
        op,
        AddAssign(_)
            | SubAssign(_)
            | MulAssign(_)
            | DivAssign(_)
            | RemAssign(_)
            | BitXorAssign(_)
            | BitAndAssign(_)
            | BitOrAssign(_)
            | ShlAssign(_)
            | ShrAssign(_)
    )
}

/// Whether a path ends in a name that starts with an upper-case letter: a tuple struct or an enum variant.
fn starts_upper(path: &syn::Path) -> bool {
    path.segments.last().is_some_and(|last| last.ident.to_string().starts_with(char::is_uppercase))
}
