//! What the head of a function says: its budget, and which of its parameters give what is waited for.

use std::sync::Arc;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::Attribute;
use syn::spanned::Spanned;

use super::Walker;
use super::reach::may_run;
use crate::rust::function::{BudgetAttr, Limit};
use crate::rust::lex::aliases::is_trait_of_code;
use crate::rust::place_at;

impl Walker<'_> {
    /// The parameters of a function, by position including the receiver, that may be code which gives a future:
    /// `load: impl Fn(i64) -> Fut`.
    pub(super) fn futures(&self, sig: &syn::Signature) -> Vec<usize> {
        let gives = |input: &syn::FnArg| match input {
            syn::FnArg::Receiver(_) => false,
            syn::FnArg::Typed(input) => self.gives_future(input.ty.to_token_stream(), sig),
        };
        sig.inputs.iter().enumerate().filter(|(_, input)| gives(input)).map(|(at, _)| at).collect()
    }

    fn gives_future(&self, ty: TokenStream, sig: &syn::Signature) -> bool {
        let mut words = Vec::new();
        add_words(ty, &mut words);
        // The bounds of its type parameters, and those of what they give.
        for _ in 0..2 {
            for parameter in sig.generics.type_params() {
                if words.contains(&parameter.ident.to_string()) {
                    add_words(parameter.bounds.to_token_stream(), &mut words);
                }
            }
            for predicate in sig.generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
                if let syn::WherePredicate::Type(bound) = predicate
                    && words.contains(&bound.bounded_ty.to_token_stream().to_string())
                {
                    add_words(bound.bounds.to_token_stream(), &mut words);
                }
            }
        }
        let says = |part: &str| words.iter().any(|word| word.contains(part));
        let is_code = words.iter().any(|word| is_trait_of_code(word) || word == "fn");
        is_code && (says("Fut") || says("Async")) || words.iter().any(|word| self.is_alias_of_code(word))
    }

    /// Whether a name is that of a type, or of a type parameter of the `impl` around, that is code.
    fn is_alias_of_code(&self, name: &str) -> bool {
        let mut aliases = self.items.iter().flat_map(|items| &items.aliases);
        let of_impl = || self.parameters.get(name).into_iter().flatten().filter_map(|path| path.last());
        aliases.any(|(alias, ty)| alias == name && may_run(ty))
            || of_impl().any(|bound| is_trait_of_code(bound))
    }
}

fn add_words(tokens: TokenStream, words: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => add_words(group.stream(), words),
            TokenTree::Ident(word) => words.push(word.to_string()),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// The budget that an attribute sets.
pub(super) fn budget(attribute: &Attribute, file: &Arc<str>) -> Option<BudgetAttr> {
    if attribute.path().segments.last()?.ident != "query_budget" {
        return None;
    }
    let place = place_at(file, attribute.span().start());
    let mut budget = BudgetAttr { place, max: None, rows: None, time: None };
    let pairs = attribute
        .parse_args_with(syn::punctuated::Punctuated::<syn::MetaNameValue, syn::Token![,]>::parse_terminated);
    for pair in pairs.into_iter().flatten() {
        let limit = || match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(number), .. }) => {
                number.base10_parse().ok().map(Limit::Literal)
            }
            expression => Some(Limit::Expression(crate::rust::walk::excerpt::written(expression))),
        };
        if pair.path.is_ident("max") {
            budget.max = limit();
        } else if pair.path.is_ident("rows") {
            budget.rows = limit();
        } else if pair.path.is_ident("time")
            && let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(time), .. }) = &pair.value
        {
            budget.time = Some(time.value());
        }
    }
    Some(budget)
}
