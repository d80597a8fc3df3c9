//! What functions give that are declared in the same file: how many elements, and the one expression that some of them are.

use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, Stmt, Token, Type};

use super::shape::{self, Shape};
use super::sql_text::{plain, segments};
use super::{Walker, numbers};

/// What a function gives that is declared in the file.
pub(super) struct Output<'f> {
    ty: &'f Type,
    /// Whether a length in it may be a parameter of the function or of its type.
    is_generic: bool,
    pub(super) is_async: bool,
    /// The module of the function, which ends in the type of a method.
    pub(super) home: Vec<String>,
    pub(super) is_method: bool,
    /// The names of its parameters, including the receiver; empty for patterns.
    pub(super) inputs: Vec<String>,
    /// The expression that its body is, if that is one alone.
    pub(super) given: Option<&'f Expr>,
    /// The number of values that it lists, if that is all it does.
    listed: Option<u64>,
}

impl<'f> Output<'f> {
    /// What a function gives that is declared in a module or type, in an `impl` with these parameters.
    fn of(
        home: &[String],
        sig: &'f syn::Signature,
        body: &'f syn::Block,
        of: Option<&syn::Generics>,
    ) -> Option<Output<'f>> {
        let syn::ReturnType::Type(_, ty) = &sig.output else { return None };
        let has_constants = |of: &syn::Generics| of.const_params().next().is_some();
        let is_generic = has_constants(&sig.generics) || of.is_some_and(has_constants);
        let name = |input: &syn::FnArg| match input {
            syn::FnArg::Receiver(_) => "self".to_owned(),
            syn::FnArg::Typed(input) => match input.pat.as_ref() {
                syn::Pat::Ident(name) => plain(&name.ident),
                _ => String::new(),
            },
        };
        let given = match body.stmts.as_slice() {
            [Stmt::Expr(Expr::Return(given), _)] => given.expr.as_deref(),
            [Stmt::Expr(given, None)] => Some(given),
            _ => None,
        };
        Some(Output {
            ty,
            is_generic,
            is_async: sig.asyncness.is_some(),
            home: home.to_vec(),
            is_method: of.is_some(),
            inputs: sig.inputs.iter().map(name).collect(),
            given,
            listed: listed(body),
        })
    }
}

impl<'f> Walker<'f> {
    /// Notes what a function gives.
    pub(super) fn output(
        &mut self,
        home: &[String],
        sig: &'f syn::Signature,
        body: &'f syn::Block,
        of: Option<&syn::Generics>,
    ) {
        if let Some(output) = Output::of(home, sig, body, of) {
            let name = plain(&sig.ident);
            self.outputs.define(home.iter().cloned().chain([name]).collect(), output);
        }
    }

    /// The functions of this file that a path names at the current position, one for each way to build it.
    pub(super) fn outputs_at(&self, path: &[String]) -> &[Output<'f>] {
        self.outputs.certain(&self.file, &self.module, self.owner.name.as_deref(), path)
    }

    /// Like [`outputs_at`](Self::outputs_at), seen from a function of this module, or method of the type that it ends in.
    pub(super) fn outputs_in(&self, home: &[String], is_method: bool, path: &[String]) -> &[Output<'f>] {
        let (owner, module) = match home.split_last() {
            Some((owner, module)) if is_method => (Some(owner.as_str()), module),
            _ => (None, home),
        };
        self.outputs.certain(&self.file, module, owner, path)
    }

    /// The functions of this file that a call runs, one for each way to build it; `None` if that is not certain.
    pub(super) fn outputs_called(&self, call: &Expr) -> Option<&[Output<'f>]> {
        let path = match call {
            Expr::Call(call) => match call.func.as_ref() {
                Expr::Path(path) if path.qself.is_none() => segments(&path.path),
                _ => return None,
            },
            Expr::MethodCall(call) if matches!(call.receiver.as_ref(), Expr::Path(of) if of.path.is_ident("self")) =>
            {
                vec!["Self".to_owned(), plain(&call.method)]
            }
            _ => return None,
        };
        if let [name] = path.as_slice()
            && (self.here.locals.get(name).is_some() || self.imports.is_of_block(name))
        {
            return None;
        }
        Some(self.outputs_at(&self.imports.resolve(&path)))
    }

    /// The shape of what a call gives, or its future, if the function is declared in this file; `None` if that is not certain.
    pub(super) fn returned_shape(&self, call: &Expr, awaited: bool) -> Option<Shape> {
        let shapes = self.outputs_called(call)?.iter().map(|of| match of.is_async == awaited {
            true => self.shape_of_output(of),
            false => Shape::Unknown,
        });
        shapes.reduce(|a, b| match (a, b) {
            (Shape::Fixed(..), Shape::Fixed(..)) => numbers::longer(a, b),
            _ if a == b => a,
            _ => Shape::Unknown,
        })
    }

    fn shape_of_output(&self, of: &Output<'_>) -> Shape {
        let mut ty = of.ty;
        while let Type::Reference(inner) = ty {
            ty = &inner.elem;
        }
        match ty {
            Type::Array(array) if !of.is_generic => numbers::counted(numbers::number(&array.len, self, 0)),
            Type::Array(_) => Shape::Fixed(None, true),
            ty => match (shape::of_type(ty), of.listed) {
                (Shape::Unknown | Shape::Elements, Some(number)) => Shape::Fixed(Some(number), true),
                (shape, _) => shape,
            },
        }
    }
}

/// The number of values in a body that is nothing but a list of them: `vec![Kind::A, Kind::B]`.
pub(super) fn listed(body: &syn::Block) -> Option<u64> {
    let [
        syn::Stmt::Expr(Expr::Macro(syn::ExprMacro { mac, .. }), None)
        | syn::Stmt::Macro(syn::StmtMacro { mac, semi_token: None, .. }),
    ] = body.stmts.as_slice()
    else {
        return None;
    };
    let parse = Punctuated::<Expr, Token![,]>::parse_terminated;
    let values = parse.parse2(mac.tokens.clone()).ok().filter(|_| mac.path.is_ident("vec"))?;
    u64::try_from(values.len()).ok()
}
