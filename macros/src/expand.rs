//! What `sql!` and its like become: the query of the runtime crate, with what is wrong with it.

use proc_macro2::TokenStream;
use quote::quote;

use crate::arguments::{self, Held};
use crate::check::{self, Checked};
use crate::context::Context;
use crate::emit;
use crate::fitted::{Fitted, fitted};
use crate::input::{Kind, Query};
use crate::rows::Plan;
use crate::types::Types;

/// Expands a call of one of the macros; what the user wrote is there even when something is wrong with it.
pub(crate) fn query(context: &mut Context, kind: Kind, tokens: TokenStream) -> TokenStream {
    let mut query = Query::parse(kind, tokens.clone());
    let watched = query.read_file(context);
    // A call that is not understood as a whole is not judged in part.
    let Some(sql) = query.sql.as_ref().filter(|_| query.misuses.is_empty()) else {
        return refused(&query, &emit::misuses(&query.misuses));
    };
    let Checked { mut messages, is_refused, fingerprint, types, touching } =
        check::query(context, kind, tokens, sql);
    let package = context.package();
    let typed =
        types.map(|(dialect, described)| Types::new(&package.rust_types, dialect, described, sql.marked));
    let fitted = fitted(&query, sql, typed.as_ref(), Ok(()), &mut messages, is_refused);
    let Some(Fitted { parameters, plan, .. }) = fitted else { return refused(&query, &messages) };
    let text = &sql.text;
    let site = quote! {{
        static SITE: ::query_budget::__private::Site = ::query_budget::__private::Site::here(#text, #fingerprint) #touching;
        #watched
        #messages
        &SITE
    }};
    made(
        &query,
        typed.as_ref().map(Types::database),
        &site,
        &arguments::hold(&query.arguments, &parameters),
        &plan,
    )
}

/// The query; the values first, then what is ours.
fn made(
    query: &Query,
    database: Option<TokenStream>,
    site: &TokenStream,
    held: &Held,
    plan: &Plan,
) -> TokenStream {
    let database = database.unwrap_or_else(|| quote!(_));
    let Held { statements, values } = held;
    let bound = quote!(::query_budget::__private::query_of::<#database, _>(#site, #values));
    let made = plan.applied(query, &database, bound);
    quote!({ #statements #made })
}

/// Only what is wrong, and what the user wrote: the compiler takes the whole for something that it has been told of, so
/// that nothing that is done with it is one more error.
fn refused(query: &Query, messages: &TokenStream) -> TokenStream {
    let values = query.arguments.iter().map(|argument| &argument.value);
    quote!({ #(let _ = &(#values);)* #messages })
}
