//! The way in: source text, or the tokens of one item, to what was found in it.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned;

use super::drivers;
use super::graph::imports::Imports;
use super::lex::guard;
use super::site::Allow;
use super::source::{Scan, ScanError, ScannedFunction};
use super::walk::Walker;
use super::walk::allows::Comments;
use super::walk::items::is_test_path;

/// Reads a file's source; `file` is the path shown to users, by which test code is recognised too.
///
/// The work is done on a thread of its own, for its stack and so that nothing of the source stays in memory.
pub fn scan(file: &str, source: &str) -> Result<Scan, ScanError> {
    scan_as(file, source, is_test_path(file))
}

/// The same where it is known whether the file is a test's.
pub fn scan_as(file: &str, source: &str, in_test: bool) -> Result<Scan, ScanError> {
    scan_in(file, source, in_test, &HashMap::new())
}

/// The same in a crate whose manifest gives crates other names: `qb = { package = "query-budget", .. }`, the crates by the
/// names that code has for them.
pub fn scan_in(
    file: &str,
    source: &str,
    in_test: bool,
    renamed: &HashMap<String, String>,
) -> Result<Scan, ScanError> {
    let read = guard::on_own_thread("scan", || read(file, source, in_test, renamed));
    read.unwrap_or_else(|| Err(ScanError::gave_up()))
}

/// Reads a file's source from inside a procedural macro, where tokens would else be the compiler's. A build knows better
/// than the path whether the file is a test's.
pub fn scan_detached(file: &str, source: &str, in_test: bool) -> Result<Scan, ScanError> {
    /// Gives the compiler its tokens back, also when the reading ends early.
    struct Detached;
    impl Drop for Detached {
        fn drop(&mut self) {
            proc_macro2::fallback::unforce();
        }
    }
    proc_macro2::fallback::force();
    let _detached = Detached;
    let tokens = lex(source)?;
    // A thread for each file costs more than most files do.
    if guard::check(&tokens, guard::COMPILER_THREAD).is_err() {
        return scan_as(file, source, in_test);
    }
    let read = catch_unwind(AssertUnwindSafe(|| read_tokens(file, source, tokens, in_test, &HashMap::new())));
    // An editor's macro process lives for hours, and would hold the text of all that it has read.
    proc_macro2::extra::invalidate_current_thread_spans();
    read.unwrap_or_else(|_| Err(ScanError::gave_up()))
}

fn read(
    file: &str,
    source: &str,
    in_test: bool,
    renamed: &HashMap<String, String>,
) -> Result<Scan, ScanError> {
    let tokens = lex(source)?;
    guard::check(&tokens, guard::OWN_THREAD)?;
    read_tokens(file, source, tokens, in_test, renamed)
}

/// The tokens of a source. A byte order mark and a `#!` line are none; columns and lines stay as they are.
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
    renamed: &HashMap<String, String>,
) -> Result<Scan, ScanError> {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let comments = Comments::read(&file.into(), source, &tokens);
    let items = items(tokens)?;
    let imports = Imports::new(false).with_renamed(renamed.clone());
    let mut walker = Walker::new(file, comments, imports);
    walker.in_test = in_test;
    walker.knows_sqlx = source.contains("sqlx") || renamed.values().any(|name| name == "sqlx");
    walker.knows_drivers =
        drivers::is_named_in(source) || renamed.values().any(|name| drivers::is_driver(name));
    walker.prepare(&items, &mut Vec::new());
    walker.module(&items);
    Ok(finish(walker))
}

/// The items of a file. One that is no Rust by itself, for an attribute macro takes it as it is written (`pub impl`),
/// costs itself and not the file.
fn items(tokens: TokenStream) -> Result<Vec<syn::Item>, ScanError> {
    let error = match syn::parse2::<syn::File>(tokens.clone()) {
        Ok(file) => return Ok(file.items),
        Err(error) => error,
    };
    let mut items = Vec::new();
    let mut others = 0;
    for part in parts(tokens) {
        match syn::parse2::<syn::Item>(part.tokens) {
            Ok(syn::Item::Verbatim(_)) => others += 1,
            Ok(item) => items.push(item),
            // What an attribute stands above is the attribute's to read.
            Err(_) if part.has_attribute => others += 1,
            Err(_) => return Err(error.into()),
        }
    }
    if items.is_empty() || others == 0 { Err(error.into()) } else { Ok(items) }
}

/// The tokens of one item.
#[derive(Default)]
struct Part {
    tokens: TokenStream,
    has_attribute: bool,
}

/// The tokens of a file, item by item: each ends with its braces, or with a semicolon.
fn parts(tokens: TokenStream) -> Vec<Part> {
    let mut parts = vec![Part::default()];
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is =
            |token: &TokenTree, c: char| matches!(token, TokenTree::Punct(punct) if punct.as_char() == c);
        if is(&token, '#') && tokens.peek().is_some_and(|next| is(next, '!')) {
            // An attribute of the file.
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

/// Reads one function from its tokens, as an attribute macro is given it: its positions are the compiler's, and what its
/// file imports is not seen.
pub fn scan_function(file: &str, item: TokenStream, in_test: bool) -> Result<ScannedFunction, ScanError> {
    guard::check(&item, guard::COMPILER_THREAD)?;
    let span = item.span();
    let mut walker = Walker::new(file, Comments::default(), Imports::new(true));
    walker.in_test = in_test;
    walker.knows_sqlx = true;
    // A method of a trait may have no body; all others are read alike, those with `self` included.
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
    // Functions inside it end before it does.
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
    Scan {
        sites: walker.sites,
        functions: walker.functions,
        allows,
        unparsed_macros: walker.unparsed_macros,
        items: walker.items,
    }
}
