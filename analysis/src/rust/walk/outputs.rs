//! What functions give that are declared in the same file, as far as that is a number of elements.

use syn::{Expr, Type};

use super::shape::{self, Shape};
use super::sql_text::{plain, segments};
use super::{Walker, numbers};

/// What a function gives that is declared in the file.
pub(super) struct Output<'f> {
    ty: &'f Type,
    /// Whether a length in it may be a parameter of the function or of its type.
    is_generic: bool,
    is_async: bool,
}

impl<'f> Output<'f> {
    /// What a function of this signature gives, in an `impl` with these parameters.
    pub(super) fn of(sig: &'f syn::Signature, of: Option<&syn::Generics>) -> Option<Output<'f>> {
        let syn::ReturnType::Type(_, ty) = &sig.output else { return None };
        let has_constants = |of: &syn::Generics| of.const_params().next().is_some();
        let is_generic = has_constants(&sig.generics) || of.is_some_and(has_constants);
        Some(Output { ty, is_generic, is_async: sig.asyncness.is_some() })
    }
}

impl Walker<'_> {
    /// The shape of what a call gives, or its future, if the function is declared in this file; `None` if that is not certain.
    pub(super) fn returned_shape(&self, call: &Expr, awaited: bool) -> Option<Shape> {
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
        let full = self.imports.resolve(&path);
        let found = self.outputs.certain(&self.file, &self.module, self.owner.name.as_deref(), &full);
        let shapes = found.iter().map(|of| match of.is_async == awaited {
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
            ty => shape::of_type(ty),
        }
    }
}
