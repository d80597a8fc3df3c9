//! The values of a query: stored in variables before the rest of the expansion, checked against their
//! parameters, and bound.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::input::Argument;

/// What a parameter accepts.
pub(crate) struct Parameter {
    /// Its number in the query, counted from 1.
    pub(crate) number: usize,
    /// The Rust type; a reference if the parameter takes one.
    pub(crate) ty: Type,
    /// The database type as messages name it.
    pub(crate) sql_type: String,
    /// What to write for a value of another type.
    pub(crate) advice: Advice,
}

/// What to write for a value that a parameter does not take.
pub(crate) enum Advice {
    /// What the runtime crate says: its trait has the name of the database type.
    OfRuntime,
    /// Notes about this value.
    Notes(Vec<String>),
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
    // The compiler reports a value that cannot be bound where the name of its variable is.
    let names: Vec<Ident> = (0..)
        .zip(arguments)
        .map(|(at, argument): (usize, _)| {
            format_ident!("argument_{at}", span = Span::mixed_site().located_at(argument.value.span()))
        })
        .collect();
    let values = arguments.iter().map(|argument| &argument.value);
    let asked = names.iter().zip(arguments).enumerate().filter(|(_, (_, argument))| !argument.is_cast);
    let asked = asked.filter_map(|(at, (name, argument))| {
        let asked = ask(name, argument, parameters.get(at)?.as_ref()?);
        Some(quote!(let #name = #asked;))
    });
    let statements = quote!(#(let #names = &(#values);)* #(#asked)*);
    Held { statements, values: tuple(&names) }
}

/// The maximum number of values in one tuple.
const MAX_TUPLE_VALUES: usize = 8;

/// The names as a tuple, which continues in further tuples: as an expression, or as a pattern.
pub(crate) fn tuple(names: &[Ident]) -> TokenStream {
    match names.split_at_checked(MAX_TUPLE_VALUES) {
        None | Some((_, [])) => quote_spanned!(Span::mixed_site()=> (#(#names,)*)),
        Some((first, rest)) => {
            let rest = tuple(rest);
            quote!(::query_budget::__private::Both((#(#first,)*), #rest))
        }
    }
}

/// The value, checked at compile time whether it fits; an error marks the user's own expression, and leaves the type of the
/// value open, so that it is the only one.
///
/// The message is that of a trait. Where the notes are about this value, the trait is made for it.
pub(crate) fn ask(name: &Ident, argument: &Argument, parameter: &Parameter) -> TokenStream {
    let span = argument.value.span();
    let Parameter { number, ty, sql_type, advice } = parameter;
    let (ty, reference) = match ty {
        Type::Reference(reference) => (&*reference.elem, "&"),
        ty => (ty, ""),
    };
    // For a reference, the compiler finds how a value is coerced to it.
    let found = (!reference.is_empty()).then(|| quote!(_,));
    let notes = match advice {
        Advice::OfRuntime => {
            let (sql_type, number) = (Ident::new(sql_type, span), Literal::usize_unsuffixed(*number));
            return quote_spanned! {span=>
                <_ as ::query_budget::__private::parameter::#sql_type<#ty, #number, #found _>>::fits(#name)
            };
        }
        Advice::Notes(notes) => notes,
    };
    let way = (!reference.is_empty()).then(|| quote!(Way));
    let fits = match &way {
        Some(way) => quote!(::query_budget::__private::FitsRef<T, #way, Bound>),
        None => quote!(::query_budget::__private::Fits<T, Bound>),
    };
    let way = way.map(|way| quote!(#way,));
    // A brace would begin a parameter of the message.
    let escaped = |text: &str| text.replace('{', "{{").replace('}', "}}");
    let sql_type = escaped(sql_type);
    let message =
        format!("parameter ${number} of SQL type `{sql_type}` takes `{reference}{{T}}`, not `{{Self}}`");
    let label = format!("`{sql_type}` takes `{reference}{{T}}`");
    let notes = notes.iter().map(|note| escaped(note));
    let asked = quote_spanned!(span=> <_ as ValueOfParameter<#ty, #found _>>::fits(#name));
    let sized = (!reference.is_empty()).then(|| quote!(?::core::marker::Sized));
    quote! {{
        #[diagnostic::on_unimplemented(message = #message, label = #label, #(note = #notes),*)]
        trait ValueOfParameter<T: #sized, #way Bound> {
            fn fits(&self) -> &Bound;
        }
        #[diagnostic::do_not_recommend]
        impl<V: ?::core::marker::Sized + #fits, T: #sized, #way Bound> ValueOfParameter<T, #way Bound> for V {
            #[inline(always)]
            fn fits(&self) -> &Bound {
                self.bound()
            }
        }
        #asked
    }}
}
