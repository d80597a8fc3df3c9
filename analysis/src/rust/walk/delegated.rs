//! Methods that `delegate!` makes: each calls the method of the same name, or another, of a field.

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Block, Expr, FnArg, ImplItem, Macro, Pat, Signature, Token, Visibility};

/// The methods that a macro makes if it is `delegate!`: `to self.inner { fn find(&self, id: i64) -> User; }`.
pub(super) fn methods(mac: &Macro) -> Option<Vec<ImplItem>> {
    let is_it = mac.path.segments.last().is_some_and(|last| last.ident == "delegate");
    if !is_it {
        return None;
    }
    all.parse2(mac.tokens.clone()).ok()
}

fn all(input: ParseStream<'_>) -> syn::Result<Vec<ImplItem>> {
    let mut found = Vec::new();
    while !input.is_empty() {
        input.call(Attribute::parse_outer)?;
        let to: syn::Ident = input.parse()?;
        if to != "to" {
            return Err(syn::Error::new(to.span(), "expected `to`"));
        }
        let target = input.call(Expr::parse_without_eager_brace)?;
        let methods;
        syn::braced!(methods in input);
        while !methods.is_empty() {
            found.push(method(&methods, &target)?);
        }
    }
    Ok(found)
}

fn method(input: ParseStream<'_>, target: &Expr) -> syn::Result<ImplItem> {
    let attributes = input.call(Attribute::parse_outer)?;
    let visibility: Visibility = input.parse()?;
    let signature: Signature = input.parse()?;
    input.parse::<Token![;]>()?;
    let name = called(&attributes).unwrap_or_else(|| signature.ident.clone());
    let arguments = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => match input.pat.as_ref() {
            Pat::Ident(name) => Some(&name.ident),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    });
    let span = signature.ident.span();
    let waits: TokenStream =
        if signature.asyncness.is_some() { quote_spanned!(span=> .await) } else { TokenStream::new() };
    let body: Block = syn::parse2(quote_spanned!(span=> { #target.#name(#(#arguments),*) #waits }))?;
    syn::parse2(quote_spanned!(span=> #visibility #signature #body))
}

/// The method that is called instead of one of the same name: `#[call(load)]`.
fn called(attributes: &[Attribute]) -> Option<syn::Ident> {
    let attribute = attributes.iter().find(|attribute| attribute.path().is_ident("call"))?;
    attribute.parse_args().ok()
}
