//! The types of the variables in patterns, and of the values that depend on them: those of blocks and branches.

use syn::{Expr, Pat, Stmt};

use super::Walker;
use super::sql_text::{plain, segments};
use crate::rust::methods::{Yields, yields};
use crate::rust::type_ref::TypeRef;

/// Variables with their types; later ones shadow earlier ones of the same name.
type Bound = Vec<(String, TypeRef)>;

impl Walker<'_> {
    /// Assigns types to the variables of a pattern, which are in scope already, from the type of its value.
    pub(super) fn type_pattern(&mut self, pattern: &Pat, ty: TypeRef) {
        if ty == TypeRef::Unknown {
            return;
        }
        let mut bound = Bound::new();
        self.name_types(pattern, ty, &mut bound);
        for (name, ty) in bound.into_iter().filter(|(_, ty)| *ty != TypeRef::Unknown) {
            if let Some(local) = self.here.locals.get_mut(&name) {
                local.ty = ty;
            }
        }
    }

    /// Adds the variables of a pattern, with their types by that of its value.
    fn name_types(&self, pattern: &Pat, ty: TypeRef, bound: &mut Bound) {
        match pattern {
            // Not a constant or `None`.
            Pat::Ident(name) => {
                let name = name.ident.to_string();
                if !name.starts_with(char::is_uppercase) {
                    bound.push((name, ty));
                }
            }
            Pat::Reference(inner) => self.name_types(&inner.pat, ty, bound),
            Pat::Paren(inner) => self.name_types(&inner.pat, ty, bound),
            Pat::Tuple(tuple) => self.name_types_of_tuple(tuple, &ty, bound),
            Pat::Guard(inner) => self.name_types(&inner.pat, ty, bound),
            Pat::Type(typed) => self.name_types(&typed.pat, self.type_ref(&typed.ty), bound),
            Pat::TupleStruct(node) => {
                let names = segments(&node.path);
                let last = names.last().map_or("", String::as_str);
                if matches!(last, "Some" | "Ok") {
                    let inside = ty.step(TypeRef::Inside);
                    node.elems.iter().for_each(|element| self.name_types(element, inside.clone(), bound));
                    return;
                }
                // The value in a variant, a newtype, or an extractor: `State(pool): State<PgPool>`.
                for (at, element) in node.elems.iter().enumerate() {
                    let ty = ty.clone().step(|base| TypeRef::Field(base, format!("{last}::{at}")));
                    self.name_types(element, ty, bound);
                }
            }
            Pat::Struct(node) => {
                let names = segments(&node.path);
                let variant =
                    if let [_, .., last] = names.as_slice() { format!("{last}::") } else { String::new() };
                for field in &node.fields {
                    if let syn::Member::Named(name) = &field.member {
                        let ty =
                            ty.clone().step(|base| TypeRef::Field(base, format!("{variant}{}", plain(name))));
                        self.name_types(&field.pat, ty, bound);
                    }
                }
            }
            _ => {}
        }
    }

    /// The variables of a tuple: its parts, or what an iterator gives, which is the element with its number or with that of
    /// another.
    fn name_types_of_tuple(&self, tuple: &syn::PatTuple, ty: &TypeRef, bound: &mut Bound) {
        for (at, part) in tuple.elems.iter().enumerate() {
            let ty = ty.clone().step(|tuple| TypeRef::Field(tuple, at.to_string()));
            self.name_types(part, ty, bound);
        }
        let TypeRef::Element(iterator) = ty else { return };
        let mut iterator = iterator.as_ref();
        while let TypeRef::Method(of, name) = iterator {
            let at = match name.as_str() {
                "enumerate" => 1,
                "zip" => 0,
                name if yields(name) == Some(Yields::Subset) => {
                    iterator = of;
                    continue;
                }
                _ => return,
            };
            let element = TypeRef::Element(of.clone());
            tuple.elems.iter().skip(at).take(1).for_each(|it| self.name_types(it, element.clone(), bound));
            return;
        }
    }

    /// The type of a block, by its last expression and the variable that this begins with.
    pub(super) fn type_of_block(
        &self,
        block: &syn::Block,
        depth: u8,
        bound: &[(String, TypeRef)],
    ) -> TypeRef {
        let Some((Stmt::Expr(tail, None), before)) = block.stmts.split_last() else {
            return TypeRef::Unknown;
        };
        let declared = first_of(tail).and_then(|name| {
            before.iter().rev().find_map(|statement| match statement {
                Stmt::Local(local) => {
                    let mut inner = Bound::new();
                    self.name_types(&local.pat, TypeRef::Unknown, &mut inner);
                    inner.iter().any(|(it, _)| name == it).then_some(local)
                }
                _ => None,
            })
        });
        let Some(local) = declared else { return self.type_at(tail, depth + 1, bound) };
        let value = local.init.as_ref().map(|init| self.type_at(&init.expr, depth + 1, bound));
        let mut inner = bound.to_vec();
        self.name_types(&local.pat, value.unwrap_or_default(), &mut inner);
        self.type_at(tail, depth + 1, &inner)
    }

    /// The type of an `if` that has a value: that of a branch whose type is known.
    pub(super) fn type_of_if(&self, node: &syn::ExprIf, depth: u8, bound: &[(String, TypeRef)]) -> TypeRef {
        let Some((_, otherwise)) = &node.else_branch else { return TypeRef::Unknown };
        let mut inner = bound.to_vec();
        let mut conditions = vec![node.cond.as_ref()];
        while let Some(condition) = conditions.pop() {
            match condition {
                Expr::Let(condition) => {
                    let value = self.type_at(&condition.expr, depth + 1, &inner);
                    self.name_types(&condition.pat, value, &mut inner);
                }
                Expr::Binary(both) if matches!(both.op, syn::BinOp::And(_)) => {
                    conditions.extend([both.right.as_ref(), both.left.as_ref()]);
                }
                _ => {}
            }
        }
        let then = self.type_of_block(&node.then_branch, depth + 1, &inner);
        clearer(then, || self.type_at(otherwise, depth + 1, bound))
    }

    /// The type of a `match`: that of an arm whose type is known.
    pub(super) fn type_of_match(
        &self,
        node: &syn::ExprMatch,
        depth: u8,
        bound: &[(String, TypeRef)],
    ) -> TypeRef {
        let value = self.type_at(&node.expr, depth + 1, bound);
        node.arms.iter().fold(TypeRef::Unknown, |ty, arm| {
            clearer(ty, || {
                let mut inner = bound.to_vec();
                self.name_types(&arm.pat, value.clone(), &mut inner);
                self.type_at(&arm.body, depth + 1, &inner)
            })
        })
    }
}

/// The type of two branches, of which all that have a value have the same: the one that is known without a look at a function.
fn clearer(first: TypeRef, other: impl FnOnce() -> TypeRef) -> TypeRef {
    fn is_clear(ty: &TypeRef) -> bool {
        match ty {
            TypeRef::Unknown | TypeRef::Returned(_) => false,
            TypeRef::Method(of, _) | TypeRef::Inside(of) | TypeRef::Element(of) | TypeRef::Field(of, _) => {
                is_clear(of)
            }
            _ => true,
        }
    }
    if is_clear(&first) {
        return first;
    }
    match other() {
        TypeRef::Unknown => first,
        ty if first == TypeRef::Unknown || is_clear(&ty) => ty,
        _ => first,
    }
}

/// The variable that a value is, or begins with: `books` in `books.clone()`.
fn first_of(value: &Expr) -> Option<&syn::Ident> {
    match value {
        Expr::Path(path) => path.path.get_ident(),
        Expr::MethodCall(call) => first_of(&call.receiver),
        Expr::Field(field) => first_of(&field.base),
        Expr::Reference(inner) => first_of(&inner.expr),
        Expr::Paren(inner) => first_of(&inner.expr),
        Expr::Try(inner) => first_of(&inner.expr),
        Expr::Await(inner) => first_of(&inner.base),
        Expr::Call(call) => call.args.first().and_then(first_of),
        _ => None,
    }
}
