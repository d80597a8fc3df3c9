//! The engine's findings about a query or function, as tokens.

use std::sync::Arc;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use query_budget_analysis::project::{self, Project};
use query_budget_analysis::rust::{self, Form, Function, LoopCall, Site, SiteSql};
use query_budget_analysis::schema::Schema;
use query_budget_analysis::sql::Dialect;
use query_budget_analysis::types::mysql::Server;
use query_budget_analysis::types::{self, Described, Planned};
use query_budget_analysis::{Finding, Level, NoticeKind, Place, Severity, render, sql};
use quote::quote;

use crate::context::{self, Context};
use crate::crates::Found;
use crate::emit::{self, Marked};
use crate::input::{MacroKind, Rows, Sql};
use crate::touches;

/// A checked query.
pub(crate) struct Checked {
    /// Its findings as items, the errors last.
    pub(crate) messages: TokenStream,
    /// Whether there is an error among them.
    pub(crate) is_refused: bool,
    /// The identity of the query at run time.
    pub(crate) fingerprint: u64,
    /// Its types, with their dialect; `None` without a schema, or if it could not be parsed.
    pub(crate) types: Option<(Dialect, Described)>,
    /// The tables that it reads and writes, as a method call on its site; empty if nothing uses them.
    pub(crate) touching: TokenStream,
}

/// Checks a call of `sql!` or a related macro with the arguments `tokens`.
pub(crate) fn query(context: &mut Context, kind: MacroKind, tokens: TokenStream, sql: &Sql) -> Checked {
    query_as(context, kind, tokens, sql, &sql.text)
}

/// Like [`query`], for a different text, which is the one that the call runs.
pub(crate) fn query_as(
    context: &mut Context,
    kind: MacroKind,
    tokens: TokenStream,
    sql: &Sql,
    text: &str,
) -> Checked {
    let mut messages = announcement(context, sql.marked);
    let project = context.project();
    let checker = project.checker();
    let found = found_around(context, kind, tokens, sql);
    let mut checked = match &found {
        Some((found, site)) => checker.site(&found.scan, site, text),
        None => checker.query(text, None),
    };
    let (errors, warnings): (Vec<&Finding>, Vec<&Finding>) =
        checked.findings.iter().partition(|finding| finding.level == Level::Deny);
    messages
        .extend(warnings.into_iter().chain(errors.iter().copied()).map(|found| finding(found, sql.marked)));
    let schema = project.schema.as_deref();
    let described = checked.described.take();
    let types = schema.zip(checked.query.as_ref().ok()).and_then(|(schema, query)| {
        let planned = context.package().planned;
        let derived = || types::describe_planned(query, schema, schema.dialect, planned);
        // What the lints have asked for is planned as sqlx 0.9 has it.
        let mut described = described.filter(|_| planned == Planned::ForAny).unwrap_or_else(derived);
        if schema.dialect == Dialect::MySql
            && let Some(server) = server(&project, schema)
        {
            types::mysql::complete(&mut described, query, schema, server);
        }
        // A command whose rows are not known is run or read as without a schema.
        let is_open = query.root.is_none() && described.unknown.is_some() && kind.rows != Rows::Struct;
        (!is_open).then_some((schema.dialect, described))
    });
    let touching = touches::of(&project, checked.query.as_ref().ok(), &sql.text);
    let fingerprint = sql::fingerprint(&sql.text);
    Checked { messages, is_refused: !errors.is_empty(), fingerprint, types, touching }
}

/// MySQL or MariaDB, if the project says which it uses.
fn server(project: &Project, schema: &Schema) -> Option<Server> {
    let by_name = project.is_mariadb().then_some(Server::MariaDb);
    by_name.or_else(|| types::mysql::server_of(schema, std::iter::empty()))
}

/// The site of a call, and the scan of its file, which includes the functions and loops around it.
fn found_around(
    context: &mut Context,
    kind: MacroKind,
    tokens: TokenStream,
    sql: &Sql,
) -> Option<(Arc<Found>, Site)> {
    let call = Span::call_site();
    if let Some(source) = context.source(call)
        && let Some(site) =
            source.found.scan.site_at(source.line, source.column).filter(|site| is_of(site, sql))
    {
        let site = site.clone();
        return Some((source.found, site));
    }
    // Inside `macro_rules!`, in some editors, or if the file has changed since, only the call itself is
    // available.
    let name = Ident::new(kind.name, call);
    let alone = quote!(fn query() { ::query_budget::#name!(#tokens); });
    let site = rust::scan_function(&context::file(call), alone, context::in_test())
        .ok()?
        .sites
        .into_iter()
        .next()?;
    Some((Arc::default(), Site { function: "".into(), ..site }))
}

fn is_of(site: &Site, sql: &Sql) -> bool {
    match (&site.sql, &sql.file) {
        (SiteSql::Literal(literal), None) => *literal.text == *sql.text,
        (SiteSql::File(path), Some(file)) => path == file,
        _ => false,
    }
}

pub(crate) struct CheckedFunction {
    /// Its findings, as items.
    pub(crate) messages: TokenStream,
    /// Whether it has queries that are not written with `sql!` and related macros.
    pub(crate) has_raw_queries: bool,
    /// Whether it has a `COPY`, which sqlx does not log.
    pub(crate) has_copies: bool,
}

/// Checks a function against its budget; `item` is the function as written, including the attribute.
pub(crate) fn function(context: &mut Context, item: TokenStream, name: &Ident) -> CheckedFunction {
    let marked = Marked::from(name.span());
    let mut messages = announcement(context, marked);
    let project = context.project();
    let checker = project.checker();
    let Some(Scanned { function, sites, calls }) = scanned(context, item.clone(), name) else {
        return CheckedFunction { messages, has_raw_queries: false, has_copies: false };
    };
    let (copies, others): (Vec<&Site>, Vec<&Site>) = sites.iter().partition(|site| is_copy(site));
    let has_raw_queries = others.iter().any(|site| site.form != Form::Checked);
    let has_copies = !copies.is_empty();
    let (findings, mut used) = checker.function(&function);
    for call in &calls {
        let (found, silenced) = checker.call(call, &function);
        let at = token_at(item.clone(), &call.call.place).map_or(marked, Marked::from);
        messages.extend(found.iter().map(|found| finding(found, at)));
        used.extend(silenced);
    }
    if !function.allows.is_empty() {
        used.extend(sites.iter().flat_map(|site| match &site.sql {
            SiteSql::Literal(literal) => checker.query(&literal.text, Some(site)).used,
            SiteSql::File(_) | SiteSql::Dynamic => Vec::new(),
        }));
    }
    let of_allows = checker.allows(&function.allows, Some(used.as_slice()));
    messages.extend(findings.iter().chain(&of_allows).map(|found| finding(found, marked)));
    CheckedFunction { messages, has_raw_queries, has_copies }
}

/// Whether it is a `COPY` from or to the client. One of a file on the server is an ordinary statement.
fn is_copy(site: &Site) -> bool {
    let SiteSql::Literal(literal) = &site.sql else { return false };
    let mut words = literal.text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    let is_copied = words.next().is_some_and(|word| word.eq_ignore_ascii_case("COPY"));
    let is_of_client = |word: &str| word.eq_ignore_ascii_case("STDIN") || word.eq_ignore_ascii_case("STDOUT");
    site.form != Form::Checked && is_copied && words.any(is_of_client)
}

/// The scan of a function.
struct Scanned {
    function: Function,
    /// Its queries.
    sites: Vec<Site>,
    /// Its calls in loops that reach a query.
    calls: Vec<LoopCall>,
}

/// The scan of a function: from its crate or file, which includes imports and comments, else from its tokens.
fn scanned(context: &mut Context, item: TokenStream, name: &Ident) -> Option<Scanned> {
    if let Some(source) = context.source(name.span()) {
        let scan = &source.found.scan;
        let at = scan.functions.iter().position(|function| {
            (function.place.line, function.place.column) == (source.line, source.column)
                && name == &function.name
        });
        if let Some((at, function)) = at.and_then(|at| Some((at, scan.functions.get(at)?))) {
            let sites = scan.sites.iter().filter(|site| site.function == function.path).cloned().collect();
            let calls =
                source.found.calls.iter().filter(|call| call.caller.function == at).cloned().collect();
            return Some(Scanned { function: function.clone(), sites, calls });
        }
    }
    let alone = rust::scan_function(&context::file(name.span()), item, context::in_test()).ok()?;
    Some(Scanned { function: alone.function, sites: alone.sites, calls: Vec::new() })
}

/// The span of the token that starts at a place.
fn token_at(tokens: TokenStream, place: &Place) -> Option<Span> {
    tokens.into_iter().find_map(|token| {
        let start = token.span().start();
        let column = u32::try_from(start.column).ok()?.checked_add(1)?;
        if (start.line, column) == (place.line as usize, place.column) {
            return Some(token.span());
        }
        match token {
            TokenTree::Group(group) => token_at(group.stream(), place),
            _ => None,
        }
    })
}

/// A finding as an item.
fn finding(finding: &Finding, marked: Marked) -> TokenStream {
    let text = render::rustc(finding);
    match finding.level {
        Level::Allow => TokenStream::new(),
        Level::Warn => emit::warning(finding.lint, &text, marked),
        Level::Deny => emit::error(&text, marked),
    }
}

/// The project's notices, and the files it was read from, which rustc has to watch: once per crate.
fn announcement(context: &mut Context, marked: Marked) -> TokenStream {
    if !context.announces() {
        return TokenStream::new();
    }
    let project = context.project();
    let mut said = TokenStream::new();
    for notice in &project.notices {
        let text = render::rustc_notice(notice);
        match notice.kind.severity() {
            Severity::Error => said.extend(emit::error(&text, marked)),
            Severity::Warning => said.extend(emit::warning(name(notice.kind), &text, marked)),
            Severity::Note => emit::note(&text),
        }
    }
    let mut variables = vec![project::CONFIG_VARIABLE];
    if project.config.dialect.is_none() {
        variables.push(project::URL_VARIABLE);
    }
    said.extend(variables.into_iter().map(|variable| {
        quote!(
            const _: ::core::option::Option<&str> = ::core::option_env!(#variable);
        )
    }));
    said.extend(project.read.iter().filter_map(|path| path.to_str()).map(|path| {
        quote!(
            const _: &[u8] = ::core::include_bytes!(#path);
        )
    }));
    said
}

/// The name that precedes a warning.
fn name(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::BrokenConfig => "broken_config",
        NoticeKind::BrokenSnapshot => "broken_snapshot",
        NoticeKind::MissingSnapshot => "missing_snapshot",
        NoticeKind::StaleSnapshot => "stale_snapshot",
        NoticeKind::SkippedStatement => "skipped_statement",
        NoticeKind::NoSnapshot => "no_snapshot",
    }
}
