//! Calls that are made without being written: by operators, by loops over the project's iterators, and where a value is dropped.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{BinOp, Expr, ExprMethodCall, UnOp};

use super::Walker;
use super::excerpt::{written, written_receiver};
use super::loops::combinator;
use super::own::Kin;
use super::purpose;
use super::shape::{self, Shape};
use crate::rust::flow::Callee;
use crate::rust::place_at;
use crate::rust::type_ref::TypeRef;

impl Walker<'_> {
    /// Records what one of the project's own methods does that runs on a value of this type.
    fn unwritten(&mut self, span: Span, text: String, method: &str, on: TypeRef) {
        if on != TypeRef::Unknown && self.own.runs_unwritten(method) {
            self.emit_call(span, text, Callee::Method { name: method.to_owned(), on }, false, 0);
        }
    }

    /// [`unwritten`](Self::unwritten), where no loop around it is to blame.
    fn unblamed(&mut self, span: Span, text: String, method: &str, on: TypeRef) {
        let flushes = std::mem::replace(&mut self.here.flushes, true);
        self.unwritten(span, text, method, on);
        self.here.flushes = flushes;
    }

    /// Records what a binary operator runs. Of a chain, the first operand has the type of the whole.
    pub(super) fn operator(&mut self, node: &syn::ExprBinary, first: &Expr) {
        let Some(method) = method_of(&node.op).filter(|method| self.own.runs_unwritten(method)) else {
            return;
        };
        let on = match self.type_of(&node.left) {
            TypeRef::Unknown => self.type_of(first),
            on => on,
        };
        self.unwritten(node.op.span(), format!("{}.{method}", written(&node.left)), method, on);
    }

    /// Records what `!a` and `-a` run.
    pub(super) fn unary_operator(&mut self, node: &syn::ExprUnary) {
        let method = match node.op {
            UnOp::Not(_) => "not",
            UnOp::Neg(_) => "neg",
            _ => return,
        };
        if self.own.runs_unwritten(method) {
            let on = self.type_of(&node.expr);
            self.unwritten(node.op.span(), format!("{}.{method}", written(&node.expr)), method, on);
        }
    }

    /// Records what `a[i]` runs.
    pub(super) fn indexed(&mut self, node: &syn::ExprIndex) {
        if self.own.runs_unwritten("index") {
            let on = self.type_of(&node.expr);
            self.unwritten(
                node.bracket_token.span.open(),
                format!("{}.index", written(&node.expr)),
                "index",
                on,
            );
        }
    }

    /// Records that a value of a type is made, which is dropped some time.
    pub(super) fn made_value(&mut self, path: &syn::Path) {
        if self.own.runs_unwritten("drop") {
            let (on, name) =
                (self.constructed(path), path.segments.last().map(|last| last.ident.to_string()));
            self.unblamed(path.span(), format!("drop of {}", name.unwrap_or_default()), "drop", on);
        }
    }

    /// Records what a loop runs to begin with a value of the project's own.
    pub(super) fn begin_drawing(&mut self, node: &syn::ExprForLoop) {
        if self.own.runs_unwritten("into_iter") {
            let (on, text) = (self.type_of(&node.expr), format!("{}.into_iter", written(&node.expr)));
            self.unblamed(node.for_token.span, text, "into_iter", on);
        }
    }

    /// Records what an iterator of the project's own runs to give its next element. That belongs to it, so no loop is to blame.
    pub(super) fn draw(&mut self, node: &syn::ExprForLoop) {
        if !is_limited(&node.expr) {
            let on = self.type_of(&node.expr);
            self.unblamed(node.for_token.span, format!("{}.next", written(&node.expr)), "next", on);
        }
    }

    /// Records what a function draws of the project's iterators that it is given: `all.extend(rows)`, `Vec::from_iter(rows)`.
    pub(super) fn draw_given<'e>(&mut self, to: &str, arguments: impl Iterator<Item = &'e Expr>) {
        let takes =
            matches!(to, "extend" | "from_iter" | "zip" | "chain" | "iter" | "join_all" | "try_join_all");
        if !takes || !self.own.runs_unwritten("next") {
            return;
        }
        for argument in arguments {
            let on = self.type_of(argument);
            if !matches!(on, TypeRef::Unknown | TypeRef::Implements(_) | TypeRef::Object(_)) {
                self.draw_all(argument.span(), argument, on, Shape::Elements);
            }
        }
    }

    /// Records a loop that draws elements.
    fn draw_all(&mut self, span: Span, from: &Expr, on: TypeRef, shape: Shape) {
        let (over, origins) = (written_receiver(from), self.origins(from));
        let turns = purpose::over(if shape == Shape::Unknown { Shape::Elements } else { shape });
        let head = combinator(&over, &turns, &place_at(&self.file, span.start()), &origins);
        self.in_loop(head, turns, false, |walker| walker.unblamed(span, format!("{over}.next"), "next", on));
    }

    /// Records what a method of every iterator runs of one of the project's own, on it or given it: it draws all elements, or as many
    /// as it is told.
    pub(super) fn draw_by(&mut self, node: &ExprMethodCall, method: &str) {
        self.draw_given(method, node.args.iter());
        if !self.own.runs_unwritten("next") || !draws(method) || self.kin(node, method) == Kin::Yes {
            return;
        }
        let mut receiver = node.receiver.as_ref();
        while let Expr::MethodCall(inner) = receiver
            && inner.method == "by_ref"
        {
            receiver = &inner.receiver;
        }
        // What gives the elements to this has drawn them.
        if matches!(receiver, Expr::MethodCall(inner) if draws(&inner.method.to_string())) {
            return;
        }
        let on = self.type_of(receiver);
        // Which of all iterators it is, is for the caller to say.
        if matches!(on, TypeRef::Unknown | TypeRef::Implements(_) | TypeRef::Object(_)) {
            return;
        }
        let shape = match method {
            "take" => shape::of(&Expr::MethodCall(node.clone()), self),
            _ => Shape::Elements,
        };
        self.draw_all(node.method.span(), receiver, on, shape);
    }
}

/// Whether what a loop goes through is limited before: what it draws is counted there.
fn is_limited(iterable: &Expr) -> bool {
    matches!(iterable, Expr::MethodCall(call) if call.method == "take")
}

/// The method of an operator.
fn method_of(op: &BinOp) -> Option<&'static str> {
    Some(match op {
        BinOp::Add(_) => "add",
        BinOp::Sub(_) => "sub",
        BinOp::Mul(_) => "mul",
        BinOp::Div(_) => "div",
        BinOp::Rem(_) => "rem",
        BinOp::BitXor(_) => "bitxor",
        BinOp::BitAnd(_) => "bitand",
        BinOp::BitOr(_) => "bitor",
        BinOp::Shl(_) => "shl",
        BinOp::Shr(_) => "shr",
        BinOp::Eq(_) | BinOp::Ne(_) => "eq",
        BinOp::Lt(_) | BinOp::Le(_) | BinOp::Ge(_) | BinOp::Gt(_) => "partial_cmp",
        BinOp::AddAssign(_) => "add_assign",
        BinOp::SubAssign(_) => "sub_assign",
        BinOp::MulAssign(_) => "mul_assign",
        BinOp::DivAssign(_) => "div_assign",
        BinOp::RemAssign(_) => "rem_assign",
        BinOp::BitXorAssign(_) => "bitxor_assign",
        BinOp::BitAndAssign(_) => "bitand_assign",
        BinOp::BitOrAssign(_) => "bitor_assign",
        BinOp::ShlAssign(_) => "shl_assign",
        BinOp::ShrAssign(_) => "shr_assign",
        _ => return None,
    })
}

/// Whether a method of every iterator draws more than one element, at once or when its own elements are drawn.
fn draws(method: &str) -> bool {
    matches!(
        method,
        "all"
            | "any"
            | "chain"
            | "cloned"
            | "cmp"
            | "collect"
            | "collect_vec"
            | "copied"
            | "count"
            | "enumerate"
            | "eq"
            | "filter"
            | "filter_map"
            | "find"
            | "find_map"
            | "flat_map"
            | "flatten"
            | "fold"
            | "for_each"
            | "fuse"
            | "inspect"
            | "last"
            | "map"
            | "map_while"
            | "max"
            | "max_by"
            | "max_by_key"
            | "min"
            | "min_by"
            | "min_by_key"
            | "nth"
            | "partition"
            | "peekable"
            | "position"
            | "product"
            | "reduce"
            | "scan"
            | "skip"
            | "skip_while"
            | "step_by"
            | "sum"
            | "take"
            | "take_while"
            | "try_fold"
            | "try_for_each"
            | "unzip"
            | "zip"
    )
}
