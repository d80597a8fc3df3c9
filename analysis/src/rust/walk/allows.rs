//! Allows: comments above a statement, and attributes of macros and functions.

use std::sync::Arc;

use proc_macro2::{TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Lit, Meta, Token};

use crate::allow;
use crate::finding::Place;
use crate::rust::site::Allow;

/// The allows of a file's comments, by the line to which they apply.
#[derive(Debug, Default)]
pub(in crate::rust) struct Comments {
    /// The first line under each run of comment lines, with the allows in it.
    by_line: Vec<(u32, Vec<Allow>)>,
    /// The first and last lines of the declarations that begin under one: `const PAGE: &str = ..;`, `let sql = ..;`.
    declared: Vec<(u32, u32)>,
}

impl Comments {
    /// Reads the comments of a source; `tokens` determine which lines are inside string literals.
    pub(in crate::rust) fn read(file: &Arc<str>, source: &str, tokens: &TokenStream) -> Comments {
        if !source.contains(allow::MARK) {
            return Comments::default();
        }
        let mut inside = Vec::new();
        literal_lines(tokens, &mut inside);
        let mut by_line: Vec<(u32, Vec<Allow>)> = Vec::new();
        let mut pending: Vec<Allow> = Vec::new();
        let mut lines = (1u32..).zip(source.lines()).peekable();
        while let Some((line, text)) = lines.next() {
            let trimmed = text.trim_start();
            let quoted = inside.iter().any(|(first, last)| (*first + 1..=*last).contains(&line));
            if trimmed.starts_with("//") && !quoted {
                let column = u32::try_from(text.chars().count() - trimmed.chars().count()).unwrap_or(0) + 1;
                let place = Place { file: file.clone(), line, column };
                let mut found = comment(trimmed, &place);
                // A comment that continues on the next line would lose its first line.
                let goes_on = |next: &str| {
                    next.trim_start()
                        .strip_prefix("//")
                        .is_some_and(|next| !next.trim_start().starts_with(allow::MARK))
                };
                if !lines.peek().is_some_and(|(_, next)| goes_on(next)) {
                    allow::set_extent(&mut found, trimmed);
                }
                pending.append(&mut found);
            } else if !pending.is_empty() && !trimmed.starts_with("#[") {
                by_line.push((line, std::mem::take(&mut pending)));
            }
        }
        if !pending.is_empty() {
            by_line.push((u32::MAX, pending));
        }
        let mut declared = Vec::new();
        let begins = |line: &u32| by_line.binary_search_by_key(line, |(below, _)| *below).is_ok();
        declarations(tokens, &begins, &mut declared);
        Comments { by_line, declared }
    }

    /// What the comments allow for a text that is written in this line: those directly above it, and above the declaration
    /// that it is in.
    pub(in crate::rust) fn of_text(&self, line: u32) -> impl Iterator<Item = &Allow> {
        let around = self.declared.iter().filter(move |(first, last)| (*first + 1..=*last).contains(&line));
        around.map(|(first, _)| *first).chain([line]).flat_map(|line| self.above(line))
    }

    /// What the comments directly above a line allow.
    pub(in crate::rust) fn above(&self, line: u32) -> &[Allow] {
        self.by_line
            .binary_search_by_key(&line, |(below, _)| *below)
            .ok()
            .and_then(|index| self.by_line.get(index))
            .map_or(&[], |(_, allows)| allows.as_slice())
    }

    /// All allow comments of the file, in the order of their lines.
    pub(in crate::rust) fn all(&self) -> impl Iterator<Item = &Allow> {
        self.by_line.iter().flat_map(|(_, allows)| allows)
    }
}

/// The first and last lines of multi-line literals.
fn literal_lines(tokens: &TokenStream, lines: &mut Vec<(u32, u32)>) {
    let mut streams = vec![tokens.clone().into_iter()];
    while let Some(stream) = streams.last_mut() {
        match stream.next() {
            None => {
                streams.pop();
            }
            Some(TokenTree::Group(group)) => streams.push(group.stream().into_iter()),
            Some(TokenTree::Literal(literal)) => {
                let (start, end) = (literal.span().start().line, literal.span().end().line);
                if start < end {
                    lines.push((u32::try_from(start).unwrap_or(0), u32::try_from(end).unwrap_or(0)));
                }
            }
            Some(_) => {}
        }
    }
}

/// The first and last lines of the declarations of a value that begin in a line of which `begins` is true.
fn declarations(tokens: &TokenStream, begins: &dyn Fn(&u32) -> bool, lines: &mut Vec<(u32, u32)>) {
    let line_of = |place: proc_macro2::LineColumn| u32::try_from(place.line).unwrap_or(0);
    let mut streams = vec![tokens.clone()];
    while let Some(stream) = streams.pop() {
        let mut first = None;
        for token in stream {
            match &token {
                TokenTree::Ident(word)
                    if word == "const" || word == "static" || word == "let" || word == "pub" =>
                {
                    first = first.or_else(|| Some(line_of(word.span().start())).filter(begins));
                }
                TokenTree::Punct(mark) if mark.as_char() == ';' => {
                    lines.extend(first.take().map(|first| (first, line_of(mark.span().end()))));
                }
                // `pub fn f() {` declares no value.
                TokenTree::Ident(word) if word == "fn" || word == "mod" || word == "impl" => first = None,
                _ => {}
            }
            if let TokenTree::Group(group) = token {
                streams.push(group.stream());
            }
        }
    }
}

/// The allows of one comment line, including its slashes.
fn comment(line: &str, place: &Place) -> Vec<Allow> {
    allow::parse(line.trim_start_matches('/').trim_start_matches('!'), place)
}

/// The allows of attributes: `#[allow(lint = "reason")]`, or `#[allow(lint, reason = "..")]`, the only form
/// that the compiler accepts on a function. `ours_alone` is false if the attribute also lists lints of rustc.
pub(in crate::rust) fn of_attributes(
    attributes: &[Attribute],
    ours_alone: bool,
    file: &Arc<str>,
) -> Vec<Allow> {
    let mut allows = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("allow")) {
        let Ok(metas) = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else {
            continue;
        };
        let shared = metas.iter().find(|meta| meta.path().is_ident("reason")).and_then(reason);
        for meta in metas.iter().filter(|meta| !meta.path().is_ident("reason")) {
            let lint = crate::rust::walk::sql_text::segments(meta.path()).join("::");
            let (reason, may_be_rustcs) = match meta {
                Meta::NameValue(_) => (reason(meta), false),
                Meta::Path(_) => (shared.clone(), !ours_alone),
                Meta::List(_) => continue,
            };
            let extent = (metas.len() == 1 || shared.is_some() && metas.len() == 2).then(|| {
                let close = attribute.bracket_token.span.close().end();
                let at = |place| crate::rust::place_at(file, place);
                (at(attribute.pound_token.span.start()), at(close))
            });
            let place = crate::rust::place_at(file, meta.span().start());
            allows.push(Allow { lint, reason, place, may_be_rustcs, extent });
        }
    }
    allows
}

/// The text after `=`, unless it is empty.
fn reason(meta: &Meta) -> Option<String> {
    let Meta::NameValue(pair) = meta else { return None };
    let Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) = &pair.value else { return None };
    Some(text.value().trim().to_owned()).filter(|reason| !reason.is_empty())
}
