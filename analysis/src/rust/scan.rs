//! The entry point: scans source text, or the tokens of one item.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned;

use super::databases::NamedDatabases;
use super::drivers;
use super::graph::imports::Imports;
use super::graph::neighbours::Told;
use super::lex::guard;
use super::lex::outline::outline_of_queries;
use super::lex::own::Own;
use super::lex::relevant::with_unknown;
use super::site::Allow;
use super::source::{Scan, ScanError, ScannedFunction};
use super::straight;
use super::walk::Walker;
use super::walk::allows::Comments;
use super::walk::items::{is_test_path, macro_of};
use super::walk::made;

/// Scans a file's source; `file` is the displayed path, which also identifies test code.
///
/// The work is done on a separate thread, for its stack and so that no part of the source stays in memory.
pub fn scan(file: &str, source: &str) -> Result<Scan, ScanError> {
    scan_as(file, source, is_test_path(file))
}

/// Like [`scan`], if it is known whether the file is test code.
pub fn scan_as(file: &str, source: &str, in_test: bool) -> Result<Scan, ScanError> {
    scan_in(file, source, in_test, &Told::default())
}

/// Like [`scan_as`], with what the file knows of its crate and of other files.
pub fn scan_in(file: &str, source: &str, in_test: bool, told: &Told) -> Result<Scan, ScanError> {
    let read = guard::on_own_thread("scan", || read(file, source, in_test, told));
    read.unwrap_or_else(|| Err(ScanError::gave_up()))
}

/// Like [`scan_in`], on the current thread, whose stack has to be [`guard::STACK`] bytes: for a pool that
/// reads many files.
pub fn scan_here(file: &str, source: &str, in_test: bool, told: &Told) -> Result<Scan, ScanError> {
    let read = catch_unwind(AssertUnwindSafe(|| read(file, source, in_test, told)));
    // The thread would keep the text of all that it has read.
    proc_macro2::extra::invalidate_current_thread_spans();
    read.unwrap_or_else(|_| Err(ScanError::gave_up()))
}

/// Scans a file's source inside a procedural macro, where tokens would otherwise be the compiler's. A build
/// knows better than the path whether the file is test code.
pub fn scan_detached(file: &str, source: &str, in_test: bool, told: &Told) -> Result<Scan, ScanError> {
    /// Restores the compiler's tokens, even if reading ends early.
    struct Detached;
    impl Drop for Detached {
        fn drop(&mut self) {
            proc_macro2::fallback::unforce();
        }
    }
    proc_macro2::fallback::force();
    let _detached = Detached;
    let tokens = lex(source)?;
    // A thread per file costs more than most files do.
    if guard::check(&tokens, guard::COMPILER_THREAD).is_err() {
        return scan_in(file, source, in_test, told);
    }
    let read = catch_unwind(AssertUnwindSafe(|| read_tokens(file, source, tokens, in_test, told)));
    // An editor's macro server lives for hours, and would keep the text of all that it has read.
    proc_macro2::extra::invalidate_current_thread_spans();
    read.unwrap_or_else(|_| Err(ScanError::gave_up()))
}

/// The queries of a file alone, inside a procedural macro. What does not matter to them is left out of the functions.
/// If `knows_dialect`, that of a connection is not asked for.
pub fn scan_queries(file: &str, source: &str, in_test: bool, knows_dialect: bool) -> Result<Scan, ScanError> {
    let (outline, tokens) = outline_of_queries(source);
    let functions = &outline.functions;
    let known = knows_dialect.then(|| straight::read(&file.into(), source, &tokens, functions, in_test));
    let is_known =
        |at: usize| known.as_ref().is_some_and(|known| known.sites.get(at).is_some_and(Option::is_some));
    let mut scan = match &known {
        Some(known) if known.is_whole => Scan::default(),
        _ => {
            let rest = with_unknown(source, functions, (0..functions.len()).map(is_known));
            scan_detached(file, &rest, in_test, &Told::default())?
        }
    };
    scan.sites.extend(known.into_iter().flat_map(|known| known.sites).flatten().flatten());
    Ok(scan)
}

fn read(file: &str, source: &str, in_test: bool, told: &Told) -> Result<Scan, ScanError> {
    let tokens = lex(source)?;
    guard::check(&tokens, guard::OWN_THREAD)?;
    read_tokens(file, source, tokens, in_test, told)
}

/// The tokens of a source, without a byte order mark and a `#!` line; columns and lines do not change.
fn lex(source: &str) -> Result<TokenStream, ScanError> {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let skipped =
        match source.starts_with("#!") && !source.trim_start_matches("#!").trim_start().starts_with('[') {
            true => source.find('\n').unwrap_or(source.len()),
            false => 0,
        };
    let tokens = source.get(skipped..).unwrap_or_default().parse();
    tokens.map_err(|error: proc_macro2::LexError| ScanError::at(error.span(), error.to_string()))
}

fn read_tokens(
    file: &str,
    source: &str,
    tokens: TokenStream,
    in_test: bool,
    told: &Told,
) -> Result<Scan, ScanError> {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let comments = Comments::read(&file.into(), source, &tokens);
    let mut items = items(tokens)?;
    let imports = Imports::new(false).with(told.clone());
    let renamed = &told.renamed;
    made::spread(&mut items, told);
    let mut walker = Walker::new(file, comments, imports);
    walker.in_test = in_test;
    walker.own = told.own.clone().unwrap_or_else(|| Arc::new(Own::of(std::iter::once(source))));
    walker.knows_sqlx = source.contains("sqlx") || renamed.values().any(|name| name == "sqlx");
    walker.knows_drivers =
        drivers::is_named_in(source) || renamed.values().any(|name| drivers::is_driver(name));
    for (name, rules) in &told.macros {
        let rules = rules.parse().ok();
        rules
            .into_iter()
            .for_each(|rules| walker.imports.define_macro(name.clone(), macro_of(rules, &told.aliases)));
    }
    walker.knows_sqlx |=
        !told.handed.is_empty() || told.macros.iter().any(|(_, rules)| rules.contains("sqlx"));
    walker.prepare(&items, &mut Vec::new());
    walker.module(&items);
    let databases = NamedDatabases::of_source(source, renamed);
    Ok(Scan { databases, ..finish(walker) })
}

/// The items of a file. An item that is not valid Rust by itself, because an attribute macro reads it
/// (`pub impl`), is skipped without failing the file.
fn items(tokens: TokenStream) -> Result<Vec<syn::Item>, ScanError> {
    let error = match syn::parse2::<syn::File>(tokens.clone()) {
        Ok(file) => return Ok(file.items),
        Err(error) => error,
    };
    let mut items = Vec::new();
    let mut others = 0;
    for part in parts(tokens) {
        match syn::parse2::<syn::Item>(part.tokens.clone()) {
            Ok(syn::Item::Verbatim(_)) => others += 1,
            Ok(item) => items.push(item),
            Err(_) if let Some(module) = module(&part.tokens) => {
                others += 1;
                items.push(module);
            }
            // An item below an attribute may have a syntax of the attribute's own.
            Err(_) if part.has_attribute => others += 1,
            Err(_) => return Err(error.into()),
        }
    }
    if items.is_empty() || others == 0 { Err(error.into()) } else { Ok(items) }
}

/// A module whose items are read one by one, if some of them are not valid Rust by themselves.
fn module(tokens: &TokenStream) -> Option<syn::Item> {
    let mut tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let TokenTree::Group(body) = tokens.pop().filter(|_| tokens.iter().any(|it| is_word(it, "mod")))? else {
        return None;
    };
    let inner = items(body.stream()).ok()?;
    let mut empty = proc_macro2::Group::new(Delimiter::Brace, TokenStream::new());
    empty.set_span(body.span());
    tokens.push(TokenTree::Group(empty));
    let mut module = syn::parse2::<syn::ItemMod>(tokens.into_iter().collect()).ok()?;
    module.content.as_mut()?.1 = inner;
    Some(syn::Item::Mod(module))
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

/// The tokens of one item.
#[derive(Default)]
struct Part {
    tokens: TokenStream,
    has_attribute: bool,
}

/// The tokens of a file, item by item: each ends with its braces or a semicolon.
fn parts(tokens: TokenStream) -> Vec<Part> {
    let mut parts = vec![Part::default()];
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is =
            |token: &TokenTree, c: char| matches!(token, TokenTree::Punct(punct) if punct.as_char() == c);
        if is(&token, '#') && tokens.peek().is_some_and(|next| is(next, '!')) {
            // An inner attribute of the file.
            tokens.nth(1);
            continue;
        }
        let follows_semicolon = |next: Option<&TokenTree>| next.is_some_and(|next| is(next, ';'));
        let ends = is(&token, ';')
            || matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
                && !follows_semicolon(tokens.peek());
        if let Some(part) = parts.last_mut() {
            part.has_attribute |= is(&token, '#');
            part.tokens.extend([token]);
        }
        if ends {
            parts.push(Part::default());
        }
    }
    parts.retain(|part| !part.tokens.is_empty());
    parts
}

/// Scans one function from the tokens that an attribute macro receives: positions are the compiler's, and the
/// imports of its file are not visible.
pub fn scan_function(file: &str, item: TokenStream, in_test: bool) -> Result<ScannedFunction, ScanError> {
    guard::check(&item, guard::COMPILER_THREAD)?;
    let span = item.span();
    let mut walker = Walker::new(file, Comments::default(), Imports::new(true));
    walker.in_test = in_test;
    walker.knows_sqlx = true;
    // A trait method may have no body; all other functions parse alike, including those with `self`.
    let parsed: syn::TraitItemFn = match syn::parse2::<syn::ItemFn>(item.clone()) {
        Ok(function) => syn::TraitItemFn {
            attrs: function.attrs,
            modifiers: syn::FnModifiers::default(),
            sig: function.sig,
            default: Some(*function.block),
            semi_token: None,
        },
        Err(error) => syn::parse2(item).map_err(|_| ScanError::from(error))?,
    };
    walker.function(&parsed.attrs, &parsed.sig, parsed.default.as_ref());
    let mut scan = finish(walker).follow_alone().0;
    // Nested functions end before it does.
    let function = scan.functions.pop().ok_or_else(|| ScanError::at(span, "no function in it"))?;
    Ok(ScannedFunction {
        function,
        sites: scan.sites,
        allows: scan.allows,
        unparsed_macros: scan.unparsed_macros,
    })
}

fn finish(mut walker: Walker<'_>) -> Scan {
    let mut allows: Vec<Allow> = walker.comments.all().cloned().collect();
    allows.append(&mut walker.allows);
    allows.sort_by(|a, b| a.place.cmp(&b.place));
    // The scans of all files are kept until the last query is checked.
    walker.sites.shrink_to_fit();
    walker.functions.shrink_to_fit();
    walker.items.shrink_to_fit();
    Scan {
        sites: walker.sites,
        functions: walker.functions,
        allows,
        unparsed_macros: walker.unparsed_macros,
        items: walker.items,
        databases: NamedDatabases::default(),
    }
}
