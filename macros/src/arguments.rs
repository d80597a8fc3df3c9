//! The values of a query: held by name before anything else of the expansion, asked whether they fit their parameters, and
//! bound.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::input::Argument;

/// What a parameter takes.
pub(crate) struct Parameter {
    /// The Rust type; a reference where it takes one.
    pub(crate) ty: Type,
    /// The type of the database as messages name it.
    pub(crate) sql_type: TokenStream,
}

/// The values of a call, as statements that hold them and the tuple of what they hold.
pub(crate) struct Held {
    /// `let` for each, and what the compiler is asked of them.
    pub(crate) statements: TokenStream,
    /// References to them, as the query takes them.
    pub(crate) values: TokenStream,
}

/// Holds the arguments; `parameters` are those whose types are known, by position.
///
/// The names are ours alone, and a value is evaluated before there is any item of ours that it could see. What it
/// borrows lives until the query is made and no longer.
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

/// What the longest tuple of values holds.
const MOST: usize = 8;

fn tuple(names: &[Ident]) -> TokenStream {
    match names.split_at_checked(MOST) {
        None | Some((_, [])) => quote!((#(#names,)*)),
        Some((first, rest)) => {
            let rest = tuple(rest);
            quote!(::query_budget::__private::Both((#(#first,)*), #rest))
        }
    }
}

/// Asks the compiler whether the value fits; where it does not, the user's own expression is marked.
pub(crate) fn ask(name: &Ident, argument: &Argument, parameter: &Parameter) -> TokenStream {
    let span = argument.value.span();
    let Parameter { ty, sql_type } = parameter;
    let (function, ty) = match ty {
        Type::Reference(reference) => (quote_spanned!(span=> fits_ref), &*reference.elem),
        ty => (quote_spanned!(span=> fits), ty),
    };
    quote_spanned!(span=> ::query_budget::__private::#function::<#ty, #sql_type, _>(#name);)
}
