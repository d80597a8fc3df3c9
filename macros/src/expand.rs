//! What `sql!` and its like become: the query of the runtime crate, with what is wrong with it.
//!
//! Nothing that the user wrote stands inside of a block of ours, so that no name of ours can hide a name of theirs.

use proc_macro2::TokenStream;
use quote::quote;

use crate::check;
use crate::context::Context;
use crate::emit;
use crate::input::{Kind, Query};

/// Expands a call of one of the macros; what the user wrote is there even when something is wrong with it.
pub(crate) fn query(context: &mut Context, kind: Kind, tokens: TokenStream) -> TokenStream {
    let query = Query::parse(kind, tokens.clone());
    let mut messages = emit::misuses(&query.misuses);
    let mut fingerprint = 0;
    // A call that is not understood as a whole is not judged in part.
    if let Some(sql) = query.sql.as_ref().filter(|_| query.misuses.is_empty()) {
        let checked = check::query(context, kind, tokens, sql);
        fingerprint = checked.fingerprint;
        messages.extend(checked.messages);
    }
    let text = query.sql.as_ref().map_or("", |sql| &sql.text);
    let site = quote! {{
        static SITE: ::query_budget::__private::Site = ::query_budget::__private::Site::here(#text, #fingerprint);
        #messages
        &SITE
    }};
    let row = query.row.as_ref().map(|row| quote!(::<_, #row>));
    let made = match kind {
        Kind::Rows => quote!(query),
        Kind::As => quote!(query_as #row),
        Kind::Scalar => quote!(query_scalar #row),
    };
    let arguments = &query.arguments;
    quote!(::query_budget::__private::#made(#site) #(.bind(&(#arguments)))*)
}
