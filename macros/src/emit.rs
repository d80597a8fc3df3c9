//! Errors and warnings as tokens: the only file that knows how a macro reports to rustc.
//!
//! On stable Rust a macro has no diagnostics of its own. An error is a `compile_error!`; a warning is the use
//! of a deprecated macro, with the text as its note. The macro has the lint's name, so that the message
//! starts with it, and unlike an item it is not shown with the path of the enclosing function. No lint level
//! is set here, so the user's level of `deprecated` applies.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

/// The part of the user's code that a message is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marked {
    first: Span,
    last: Span,
}

impl Marked {
    /// From the first to the last token of `tokens`; the whole invocation if there are none.
    pub(crate) fn tokens(tokens: &impl quote::ToTokens) -> Marked {
        let mut spans = tokens.to_token_stream().into_iter().map(|token| token.span());
        let first = spans.next().unwrap_or_else(Span::call_site);
        Marked { first, last: spans.last().unwrap_or(first) }
    }

    /// Its start, with the user's hygiene.
    pub(crate) fn span(self) -> Span {
        self.first
    }

    /// The same place, with the hygiene of the expansion: lints on written code do not apply there.
    pub(crate) fn inside(self) -> Span {
        Span::call_site().located_at(self.first)
    }
}

impl From<Span> for Marked {
    fn from(span: Span) -> Marked {
        Marked { first: span, last: span }
    }
}

/// Misuse of a macro: what is wrong, and the correct form.
#[derive(Debug)]
pub(crate) struct Misuse {
    marked: Marked,
    text: String,
}

impl Misuse {
    /// `message` says what is wrong, `help` what to write.
    pub(crate) fn new(
        marked: impl Into<Marked>,
        message: impl std::fmt::Display,
        help: impl std::fmt::Display,
    ) -> Misuse {
        Misuse { marked: marked.into(), text: format!("{message}\nhelp: {help}") }
    }

    /// An error of the parser, with the correct form.
    pub(crate) fn from_syn(error: &syn::Error, help: impl std::fmt::Display) -> Misuse {
        Misuse::new(error.span(), error, help)
    }
}

/// All misuses as items or statements.
pub(crate) fn misuses(misuses: &[Misuse]) -> TokenStream {
    misuses.iter().map(|misuse| error(&misuse.text, misuse.marked)).collect()
}

/// An error as an item or a statement.
pub(crate) fn error(text: &str, marked: Marked) -> TokenStream {
    let path = quote_spanned!(marked.first=> ::core::compile_error);
    quote_spanned!(marked.last=> #path ! { #text })
}

/// A warning as a statement; `name` starts the message.
///
/// The definition is placed inside the expansion, where style lints do not apply; its use has the user's
/// span, which rustc shows.
pub(crate) fn warning(name: &str, text: &str, marked: Marked) -> TokenStream {
    let inside = marked.inside();
    let definition = Ident::new(name, inside);
    let used = Ident::new(name, marked.first);
    let definition =
        quote_spanned!(inside=> #[deprecated(note = #text)] macro_rules! #definition { () => {} });
    let used = quote_spanned!(marked.last=> #used!(););
    quote!({ #definition #used })
}

/// A note about the crate as a whole: a line in cargo's output, which cargo repeats for a crate that is up to
/// date.
///
/// It is not a warning, because it must not fail a build that denies warnings, and does not concern those who
/// only depend on the crate.
pub(crate) fn note(text: &str) {
    if std::env::var_os("CARGO_PRIMARY_PACKAGE").is_some() {
        let of = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
        eprintln!("note: {of}: {}", text.replace('\n', "\n  "));
    }
}
