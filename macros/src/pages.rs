//! The expansion of `sql_page!` and related macros: a query that is read page by page, derived from that for
//! all rows.

use proc_macro2::TokenStream;
use query_budget_analysis::pages::{self, Pages, Statement};
use query_budget_analysis::sql::batch::Refusal;
use query_budget_analysis::sql::{self, Dialect};
use query_budget_analysis::types::{self, Described, SqlType, TypeKind};
use quote::quote;

use crate::arguments::{self, Held};
use crate::batch;
use crate::check::{self, Checked};
use crate::context::Context;
use crate::emit;
use crate::expand::refused;
use crate::fitted::{Fitted, fitted};
use crate::input::{MacroCall, MacroKind, Sql};
use crate::types::Types;

/// Expands a call; the user's expressions stay in the expansion even if there are errors.
pub(crate) fn expand(context: &mut Context, kind: MacroKind, tokens: TokenStream) -> TokenStream {
    let query = MacroCall::parse(kind, tokens.clone());
    let Some(sql) = query.sql.as_ref().filter(|_| query.misuses.is_empty()) else {
        return refused(&query, &emit::misuses(&query.misuses));
    };
    // A page is what is checked: first rows in an order, which an index should provide.
    let text = first_rows(context, sql);
    let checked = check::query_as(context, kind, tokens, sql, &text);
    let Checked { mut messages, is_refused, types, touching, .. } = checked;
    if is_refused {
        return refused(&query, &messages);
    }
    let package = context.package();
    let made = made(context, sql, types.as_ref().map(|(_, described)| described));
    let around = context.crate_around();
    let typed = types
        .map(|(dialect, described)| Types::new(&package.rust_types, dialect, described, sql.marked, around));
    let fitted = fitted(&query, sql, typed.as_ref(), made, &mut messages, is_refused);
    let Some(Fitted { made, parameters, plan }) = fitted else { return refused(&query, &messages) };
    let database = batch::database(made.dialect);
    let Held { statements, values } = arguments::hold(&query.arguments, &parameters);
    let site = site(&made.pages, &messages, &touching);
    let pages = statics(&made);
    let bound = quote!(::query_budget::__private::pages::page_query::<#database, _>(#site, #pages, #values));
    let read = batch::read(&query, &plan, &database, bound);
    quote!({ #statements #read })
}

/// The query with the LIMIT of a page; unchanged if it has one already, or has no ORDER BY, both of which are
/// errors.
fn first_rows(context: &mut Context, sql: &Sql) -> String {
    let project = context.project();
    let query = sql::resolve(&sql.text, project.dialect, None).ok();
    let root = query.as_ref().and_then(|query| query.root.map(|root| query.block(root)));
    let is_open = root.map(|root| !root.order_by.is_empty() && root.limit.is_none() && root.offset.is_none());
    match is_open {
        Some(true) => format!("{}\nLIMIT 50", sql.text.trim_end()),
        _ => sql.text.clone(),
    }
}

/// The pages, and how the values of their keys are sent.
struct Made {
    pages: Pages,
    kinds: Vec<TokenStream>,
    dialect: Dialect,
}

fn made(context: &mut Context, sql: &Sql, described: Option<&Described>) -> Result<Made, Refusal> {
    let project = context.project();
    let Some(schema) = project.schema.as_deref() else {
        return Err(Refusal {
            message: "without a snapshot of the schema no unique key is known".to_owned(),
            help: "write one: `cargo query-budget schema`".to_owned(),
        });
    };
    let query = sql::resolve(&sql.text, schema.dialect, Some(schema)).map_err(|_| Refusal {
        message: "this statement does not parse".to_owned(),
        help: "mend it first".to_owned(),
    })?;
    let type_of = |output: usize| {
        let column = described?.columns.get(output)?;
        column.ty.known()
    };
    let is_postgres = schema.dialect == Dialect::Postgres;
    let cast =
        |output: usize| type_of(output).filter(|_| is_postgres).and_then(types::row_type).map(|ty| ty.name);
    let pages = pages::pages(&sql.text, &query, schema, &cast)?;
    let kinds = pages.keys.iter().map(|key| match schema.dialect {
        Dialect::Sqlite => Ok(quote!(Any)),
        Dialect::MySql => Ok(mysql_kind(&key.ty)),
        Dialect::Postgres => type_of(key.output).and_then(postgres_kind).ok_or_else(|| {
            let name = type_of(key.output).map_or("unknown", |ty| ty.name.as_str());
            Refusal {
                message: format!("`{}` is of SQL type `{name}`, by which pages are not ordered", key.written),
                help: "order by numbers, text, dates, times or UUIDs".to_owned(),
            }
        }),
    });
    let kinds = kinds.collect::<Result<Vec<TokenStream>, Refusal>>()?;
    Ok(Made { pages, kinds, dialect: schema.dialect })
}

/// The values that MySQL compares with a type without converting the column, which would keep its index from being used.
fn mysql_kind(declared: &str) -> TokenStream {
    let word = declared.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    match word.to_ascii_lowercase().as_str() {
        "double" | "float" => quote!(Real),
        "bool" | "boolean" | "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint" | "year" => {
            quote!(Whole)
        }
        _ => quote!(Chars),
    }
}

/// How PostgreSQL sends values of a type, and the type's number, which is the same on every server.
fn postgres_kind(ty: &SqlType) -> Option<TokenStream> {
    match &ty.kind {
        TypeKind::Domain(base) => return postgres_kind(base),
        TypeKind::Builtin | TypeKind::Extension => {}
        _ => return None,
    }
    Some(match ty.name.as_str() {
        "bool" => quote!(Fixed(16, 1)),
        "int2" => quote!(Int(21, 2)),
        "int4" => quote!(Int(23, 4)),
        "int8" => quote!(Int(20, 8)),
        "oid" => quote!(Fixed(26, 4)),
        "float4" => quote!(Fixed(700, 4)),
        "float8" => quote!(Fixed(701, 8)),
        "numeric" => quote!(Numeric(1700)),
        "date" => quote!(Int(1082, 4)),
        "time" => quote!(Int(1083, 8)),
        "timestamp" => quote!(Int(1114, 8)),
        "timestamptz" => quote!(Int(1184, 8)),
        "uuid" => quote!(Fixed(2950, 16)),
        "bytea" => quote!(Bytes(17)),
        "varchar" | "bpchar" | "text" | "name" | "citext" => quote!(Text(25)),
        _ => return None,
    })
}

fn site(pages: &Pages, messages: &TokenStream, touching: &TokenStream) -> TokenStream {
    let (text, head) = (&pages.first.text, &pages.head);
    let fingerprint = sql::fingerprint(text);
    quote! {{
        static SITE: ::query_budget::__private::Site =
            ::query_budget::__private::Site::for_rows(#text, #head, #fingerprint) #touching;
        #messages
        &SITE
    }}
}

fn statics(made: &Made) -> TokenStream {
    let private = quote!(::query_budget::__private::pages);
    let Pages { first, after, last, before, keys, .. } = &made.pages;
    let statement = |Statement { text, binds }: &Statement| quote!(#private::PageStatement { text: #text, binds: &[#(#binds),*] });
    let fingerprint = sql::fingerprint(&first.text);
    let [first, after, last, before] = [first, after, last, before].map(statement);
    let outputs = keys.iter().map(|key| key.output);
    let kinds = &made.kinds;
    quote! {{
        static PAGES: #private::Pages = #private::Pages {
            first: #first,
            after: #after,
            last: #last,
            before: #before,
            keys: &[#((#outputs, #private::KeyKind::#kinds)),*],
            fingerprint: #fingerprint,
        };
        &PAGES
    }}
}
