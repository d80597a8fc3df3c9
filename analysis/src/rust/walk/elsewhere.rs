//! What stands behind a name: the value of a constant or a part of it, and what a function of the file gives. Texts are read
//! there as at the place of the query.

use std::sync::Arc;

use syn::{Expr, Lit, Member};

use super::Walker;
use super::outputs::Output;
use super::shape::is_constant;
use super::sql_text::{Surroundings, plain, segments};
use super::variables;
use crate::rust::site::SiteSql;
use crate::rust::type_ref::TypeRef;

/// Where an expression is read.
#[derive(Clone, Copy)]
pub(in crate::rust) struct Position<'w> {
    pub(super) walker: &'w Walker<'w>,
    /// The module, which ends in the type of a method, if that is not the current position: there are no variables then.
    module: Option<&'w [String]>,
    /// Whether that is in a method.
    is_method: bool,
}

/// A call of a function of the file that gives one expression.
pub(super) struct Called<'w> {
    /// What it gives, to be read at `position`.
    pub(super) given: &'w Expr,
    pub(super) position: Position<'w>,
    function: &'w Output<'w>,
}

impl<'w> Position<'w> {
    /// The current position.
    pub(super) fn here(walker: &'w Walker<'w>) -> Position<'w> {
        Position { walker, module: None, is_method: false }
    }

    /// Where the value of a constant is read.
    pub(super) fn of_constants(self) -> Position<'w> {
        Position { module: Some(self.module.unwrap_or(&self.walker.module)), ..self }
    }

    /// Whether the variables of the current position can be read.
    pub(super) fn is_here(self) -> bool {
        self.module.is_none()
    }

    /// The function that a call runs, if it is one of the file's that gives one expression.
    pub(super) fn called_at(self, call: &Expr) -> Option<Called<'w>> {
        let walker = self.walker;
        let found = match (self.module, call) {
            (None, Expr::MethodCall(call)) => {
                let path = match walker.in_file(&walker.type_of(&call.receiver))? {
                    TypeRef::Named(path, _) => path,
                    _ => return None,
                };
                let path: Vec<String> = path.into_iter().chain([plain(&call.method)]).collect();
                walker.outputs_at(&path)
            }
            (None, call) => walker.outputs_called(call)?,
            (Some(module), Expr::Call(call)) => {
                let Expr::Path(path) = call.func.as_ref() else { return None };
                walker.outputs_in(module, self.is_method, &segments(&path.path))
            }
            (Some(module), Expr::MethodCall(call)) if is_self(&call.receiver) => {
                walker.outputs_in(module, self.is_method, &["Self".to_owned(), plain(&call.method)])
            }
            _ => return None,
        };
        // Which of several is built is not known.
        let [function] = found else { return None };
        let given = function.given.filter(|_| !function.is_async)?;
        let position = Position { walker, module: Some(&function.home), is_method: function.is_method };
        Some(Called { given, position, function })
    }
}

impl Called<'_> {
    /// The variables at the call behind a name in the function: those of the argument that a parameter is.
    pub(super) fn names_at_call(&self, name: &str, call: &Expr) -> Vec<String> {
        let at = self.function.inputs.iter().position(|input| input == name);
        let argument = at.and_then(|at| match call {
            Expr::MethodCall(call) => match at.checked_sub(1) {
                None => Some(call.receiver.as_ref()),
                Some(at) => call.args.iter().nth(at),
            },
            Expr::Call(call) => call.args.iter().nth(at),
            _ => None,
        });
        argument.map(variables::mentions).unwrap_or_default()
    }
}

impl Surroundings for Position<'_> {
    fn local(&self, name: &str) -> Option<SiteSql> {
        match self.module {
            None => self.walker.here.locals.get(name).map(|local| local.text.clone()),
            Some(_) => (!is_constant(name)).then_some(SiteSql::Dynamic),
        }
    }

    fn constant(&self, path: &[String]) -> Option<&Expr> {
        match self.module {
            None => Surroundings::constant(self.walker, path),
            Some(module) => self.walker.constant_seen_from(module, path),
        }
    }

    fn called(&self, call: &Expr) -> Option<(&Expr, Position<'_>)> {
        self.called_at(call).map(|called| (called.given, called.position))
    }

    fn file(&self) -> &Arc<str> {
        &self.walker.file
    }

    fn rewrites(&self, function: &str) -> bool {
        self.walker.own.rewrites(function)
    }
}

fn is_self(value: &Expr) -> bool {
    matches!(value, Expr::Path(path) if path.path.is_ident("self"))
}

/// The expression that a name stands for: the value of a constant, or a field or an element of one.
pub(super) fn named<'a>(expression: &Expr, around: &'a dyn Surroundings) -> Option<&'a Expr> {
    match expression {
        Expr::Path(path) => {
            let parts = segments(&path.path);
            match parts.as_slice() {
                [name] if around.local(name).is_some() => None,
                _ => around.constant(&parts),
            }
        }
        Expr::Field(field) => match unwrapped(named(&field.base, around)?) {
            Expr::Struct(value) => {
                let is_it = |it: &&syn::FieldValue| it.member == field.member;
                value.fields.iter().find(is_it).map(|field| &field.expr)
            }
            Expr::Tuple(value) => match &field.member {
                Member::Unnamed(index) => value.elems.iter().nth(usize::try_from(index.index).ok()?),
                Member::Named(_) => None,
            },
            _ => None,
        },
        Expr::Index(index) => {
            let Expr::Lit(syn::ExprLit { lit: Lit::Int(at), .. }) = index.index.as_ref() else { return None };
            elements(unwrapped(named(&index.expr, around)?))?.nth(at.base10_parse().ok()?)
        }
        Expr::Paren(inner) => named(&inner.expr, around),
        Expr::Reference(inner) => named(&inner.expr, around),
        _ => None,
    }
}

/// The elements of a list that is written out, or of a constant that is one; `None` for any other expression.
pub(super) fn list<'a>(expression: &'a Expr, around: &'a dyn Surroundings) -> Option<Vec<&'a Expr>> {
    let written = elements(unwrapped(expression));
    let found = match written {
        Some(written) => written,
        None => elements(unwrapped(named(unwrapped(expression), around)?))?,
    };
    Some(found.collect())
}

fn elements(list: &Expr) -> Option<impl Iterator<Item = &Expr>> {
    match list {
        Expr::Array(array) => Some(array.elems.iter()),
        _ => None,
    }
}

/// An expression without references, parentheses and the start of an iteration.
fn unwrapped(expression: &Expr) -> &Expr {
    match expression {
        Expr::Reference(inner) => unwrapped(&inner.expr),
        Expr::Paren(inner) => unwrapped(&inner.expr),
        Expr::Group(inner) => unwrapped(&inner.expr),
        Expr::MethodCall(call)
            if call.args.is_empty()
                && matches!(call.method.to_string().as_str(), "iter" | "into_iter" | "copied" | "cloned") =>
        {
            unwrapped(&call.receiver)
        }
        expression => expression,
    }
}

/// What a value is once it is first used: `LazyLock::new(|| format!(..))`, `CELL.get_or_init(|| ..)`.
pub(super) fn made_once(expression: &Expr) -> Option<&Expr> {
    let closure = match expression {
        Expr::Call(call) if call.args.len() == 1 => {
            let Expr::Path(function) = call.func.as_ref() else { return None };
            let names = segments(&function.path);
            let is_lazy = matches!(names.as_slice(), [.., of, new] if new == "new" && matches!(of.as_str(), "LazyLock" | "LazyCell" | "Lazy"));
            call.args.first().filter(|_| is_lazy)?
        }
        Expr::MethodCall(call) if call.method == "get_or_init" && call.args.len() == 1 => {
            call.args.first()?
        }
        _ => return None,
    };
    match closure {
        Expr::Closure(closure) if closure.inputs.is_empty() => Some(&closure.body),
        _ => None,
    }
}
