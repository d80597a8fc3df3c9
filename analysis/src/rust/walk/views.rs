//! What texts and shapes are looked up in: the variables, constants and functions that are known at the current position.

use std::sync::Arc;

use syn::Expr;

use super::elsewhere::Position;
use super::services::is_message_type;
use super::shape::{Shape, Shapes};
use super::sql_text::Surroundings;
use super::{Walker, numbers};
use crate::rust::site::SiteSql;
use crate::rust::type_ref::TypeRef;

impl Surroundings for Walker<'_> {
    fn local(&self, name: &str) -> Option<SiteSql> {
        self.here.locals.get(name).map(|local| local.text.clone())
    }

    fn constant(&self, path: &[String]) -> Option<&Expr> {
        let module: Vec<String> = self.module.iter().chain(&self.owner.name).cloned().collect();
        self.constant_seen_from(&module, path)
    }

    fn called(&self, call: &Expr) -> Option<(&Expr, Position<'_>)> {
        Position::here(self).called_at(call).map(|called| (called.given, called.position))
    }

    fn file(&self) -> &Arc<str> {
        &self.file
    }

    fn rewrites(&self, function: &str) -> bool {
        self.own.rewrites(function)
    }
}

impl Walker<'_> {
    /// The constant of the file that a path names in a module, which ends in the type of a method.
    pub(super) fn constant_seen_from(&self, module: &[String], path: &[String]) -> Option<&Expr> {
        // A name that is imported is none of the file's own, unless a module in it has it.
        let imported = Some(self.imports.resolve(path)).filter(|full| path.len() == 1 && full.len() > 1);
        self.constants.find(&self.file, module, imported.as_deref().unwrap_or(path))
    }
}

impl Shapes for Walker<'_> {
    fn local_shape(&self, name: &str) -> Option<Shape> {
        self.here.locals.get(name).map(|local| local.shape)
    }

    fn local_number(&self, name: &str) -> Option<Option<u64>> {
        self.here.locals.get(name).map(|local| local.number)
    }

    fn constant_values(&self, path: &[String]) -> &[&Expr] {
        let full = self.imports.resolve(path);
        self.constants.by_path.certain(&self.file, &self.module, self.owner.name.as_deref(), &full)
    }

    fn returned(&self, call: &Expr, awaited: bool) -> Option<Shape> {
        self.returned_shape(call, awaited)
    }

    fn known(&self) -> &numbers::Known {
        &self.known
    }

    fn own_shape(
        &self,
        call: &syn::ExprMethodCall,
        of_library: Shape,
        receiver: &dyn Fn() -> Shape,
    ) -> Option<Shape> {
        match self.is_of_text_splitter(call) {
            true => Some(Shape::Elements),
            false => self.shape_of_own(call, of_library, receiver),
        }
    }

    fn field_shape(&self, field: &syn::ExprField) -> Shape {
        match self.in_file(&self.type_of(&Expr::Field(field.clone()))) {
            Some(TypeRef::Named(path, _)) if path.last().is_some_and(|last| last == "Option") => {
                Shape::Single
            }
            Some(ty) if ty.is_array() => Shape::Fixed(None, true),
            Some(ty) if self.is_of_messages(&ty) => Shape::Messages,
            _ => Shape::Unknown,
        }
    }
}

impl Walker<'_> {
    /// Whether a library's type is one whose values arrive over time.
    fn is_of_messages(&self, ty: &TypeRef) -> bool {
        let TypeRef::Named(path, _) = ty else { return false };
        path.last().is_some_and(|last| is_message_type(last)) && !self.is_own(ty)
    }

    /// Whether a method of a library that splits texts gives pieces of one, rather than batches of elements: it is given the text
    /// instead of a number.
    fn is_of_text_splitter(&self, call: &syn::ExprMethodCall) -> bool {
        if !matches!(call.method.to_string().as_str(), "chunks" | "chunk_indices") || call.args.len() != 1 {
            return false;
        }
        let is_text = |ty: &TypeRef| matches!(ty, TypeRef::Named(path, _) if path.last().is_some_and(|it| it == "str" || it == "String"));
        let splits = |name: &String| name.ends_with("Splitter") || name.ends_with("Chunker");
        let by_type = match self.type_of(&call.receiver) {
            TypeRef::Named(path, _) => path.last().is_some_and(splits),
            TypeRef::Returned(path) => path.iter().any(splits),
            _ => false,
        };
        by_type
            || call
                .args
                .iter()
                .any(|given| matches!(given, Expr::Reference(_)) || is_text(&self.type_of(given)))
    }
}
