//! The values of a query: stored in variables before the rest of the expansion, checked against their
//! parameters, and bound.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::input::Argument;

/// What a parameter accepts.
pub(crate) struct Parameter {
    /// The Rust type; a reference if the parameter takes one.
    pub(crate) ty: Type,
    /// The database type as messages name it.
    pub(crate) sql_type: TokenStream,
}

/// The values of a call: statements that store them, and a tuple that refers to them.
pub(crate) struct Held {
    /// A `let` for each, and the compile-time checks on them.
    pub(crate) statements: TokenStream,
    /// References to them, as the query takes them.
    pub(crate) values: TokenStream,
}

/// Stores the arguments; `parameters` are those with known types, by position.
///
/// The variable names are hygienic, and a value is evaluated before any of our own items is in scope.
/// Temporaries that it borrows live until the query is made and no longer.
pub(crate) fn hold(arguments: &[Argument], parameters: &[Option<Parameter>]) -> Held {
    let names: Vec<Ident> =
        (0..arguments.len()).map(|at| format_ident!("argument_{at}", span = Span::mixed_site())).collect();
    let values = arguments.iter().map(|argument| &argument.value);
    let asked =
        names.iter().zip(arguments).enumerate().filter(|(_, (_, argument))| !argument.is_cast).filter_map(
            |(at, (name, argument))| {
                parameters.get(at)?.as_ref().map(|parameter| ask(name, argument, parameter))
            },
        );
    let statements = quote!(#(let #names = &(#values);)* #(#asked)*);
    Held { statements, values: tuple(&names) }
}

/// The maximum number of values in one tuple.
const MOST: usize = 8;

/// The names as a tuple, which continues in further tuples: as an expression, or as a pattern.
pub(crate) fn tuple(names: &[Ident]) -> TokenStream {
    match names.split_at_checked(MOST) {
        None | Some((_, [])) => quote!((#(#names,)*)),
        Some((first, rest)) => {
            let rest = tuple(rest);
            quote!(::query_budget::__private::Both((#(#first,)*), #rest))
        }
    }
}

/// Checks at compile time whether the value fits; an error marks the user's own expression.
pub(crate) fn ask(name: &Ident, argument: &Argument, parameter: &Parameter) -> TokenStream {
    let span = argument.value.span();
    let Parameter { ty, sql_type } = parameter;
    let (function, ty) = match ty {
        Type::Reference(reference) => (quote_spanned!(span=> fits_ref), &*reference.elem),
        ty => (quote_spanned!(span=> fits), ty),
    };
    quote_spanned!(span=> ::query_budget::__private::#function::<#ty, #sql_type, _>(#name);)
}
