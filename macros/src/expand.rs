//! The expansion of `sql!` and related macros: the query of the runtime crate, and its findings.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::arguments::{self, Held};
use crate::check::{self, Checked};
use crate::context::Context;
use crate::emit;
use crate::fitted::{Fitted, fitted};
use crate::input::{MacroCall, MacroKind};
use crate::rows::Plan;
use crate::types::Types;

/// Expands a call of one of the macros; the user's expressions stay in the expansion even if there are
/// errors.
pub(crate) fn query(context: &mut Context, kind: MacroKind, tokens: TokenStream) -> TokenStream {
    let mut query = MacroCall::parse(kind, tokens.clone());
    let watched = query.read_file(context);
    // A call that cannot be parsed as a whole is not checked in part.
    let Some(sql) = query.sql.as_ref().filter(|_| query.misuses.is_empty()) else {
        return refused(&query, &emit::misuses(&query.misuses));
    };
    let Checked { mut messages, is_refused, fingerprint, types, touching } =
        check::query(context, kind, tokens, sql);
    let package = context.package();
    let around = context.crate_around();
    let typed = types
        .map(|(dialect, described)| Types::new(&package.rust_types, dialect, described, sql.marked, around));
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

/// The query: the values first, then our code.
fn made(
    query: &MacroCall,
    database: Option<TokenStream>,
    site: &TokenStream,
    held: &Held,
    plan: &Plan,
) -> TokenStream {
    let database = database.unwrap_or_else(|| quote!(_));
    let Held { statements, values } = held;
    // The compiler points at a value that cannot be bound only from where its variable is visible.
    let bound =
        quote_spanned!(Span::mixed_site()=> ::query_budget::__private::query_of::<#database>(#site, #values));
    let made = plan.applied(query, &database, bound);
    quote!({ #statements #made })
}

/// Only the errors and the user's code. The compiler treats the whole as an error already reported, so that
/// its uses cause no further errors.
pub(crate) fn refused(query: &MacroCall, messages: &TokenStream) -> TokenStream {
    let values = query.arguments.iter().map(|argument| &argument.value);
    quote!({ #(let _ = &(#values);)* #messages })
}
