//! The expansion of `sql_batch!` and related macros: one statement for many rows, derived from that for one.

mod input;

use proc_macro2::{Ident, Span, TokenStream};
use query_budget_analysis::sql::batch::{self, Gives, Piece, Refusal, RowType, Statement};
use query_budget_analysis::sql::query::Kind as Does;
use query_budget_analysis::sql::{self, Dialect};
use query_budget_analysis::types::{self, Described};
use quote::{format_ident, quote, quote_spanned};
use syn::Expr;

use crate::arguments::{self, Parameter};
use crate::check::{self, Checked};
use crate::context::Context;
use crate::emit;
use crate::fitted::{Fitted, fitted};
use crate::input::{MacroCall, MacroKind, Rows, Sql};
use crate::rows::Plan;
use crate::types::Types;

use input::Many;
pub(crate) use input::form;

/// Expands a call; the user's expressions stay in the expansion even if there are errors.
pub(crate) fn expand(context: &mut Context, kind: MacroKind, tokens: TokenStream) -> TokenStream {
    let Many { query, rows: given, misuses } = Many::parse(kind, &tokens);
    let (Some(sql), Some(given), []) = (query.sql.as_ref(), given, misuses.as_slice()) else {
        return refused(&emit::misuses(&misuses));
    };
    let Checked { mut messages, is_refused, types, touching, .. } = check::query(context, kind, tokens, sql);
    if is_refused {
        return refused(&messages);
    }
    let package = context.package();
    let described = types.as_ref().map(|(_, described)| described);
    let made = statement(context, sql, given.values, described);
    let around = context.crate_around();
    let typed = types
        .map(|(dialect, described)| Types::new(&package.rust_types, dialect, described, sql.marked, around));
    let Some(fitted) = fitted(&query, sql, typed.as_ref(), made, &mut messages, is_refused) else {
        return refused(&messages);
    };
    let Fitted { made, parameters, plan } = &fitted;
    let expansion = Expansion { query: &query, given: &given, made, parameters, touching: &touching };
    expansion.tokens(&messages, plan)
}

/// A statement for many rows, and its database.
struct Made {
    statement: Statement,
    does: Does,
    dialect: Dialect,
}

fn statement(
    context: &mut Context,
    sql: &Sql,
    row: usize,
    described: Option<&Described>,
) -> Result<Made, Refusal> {
    let project = context.project();
    let dialect = project.dialect;
    if project.dialect_is_guessed {
        return Err(Refusal {
            message: "the database of this crate is not known, and each has its own form for many rows"
                .to_owned(),
            help: "write `dialect = \"postgres\"` into `query-budget.toml`, or `mysql`, or `sqlite`"
                .to_owned(),
        });
    }
    let schema = project.schema.as_deref();
    let query = sql::resolve(&sql.text, dialect, schema).map_err(|_| Refusal {
        message: "this statement does not parse".to_owned(),
        help: "mend it first".to_owned(),
    })?;
    let parameters = described.map(|described| described.parameters.as_slice()).unwrap_or_default();
    let types: Vec<Option<RowType>> =
        parameters.iter().map(|parameter| parameter.ty.known().and_then(types::row_type)).collect();
    let statement = batch::statement(&sql.text, &query, dialect, schema, row, &types)?;
    Ok(Made { statement, does: query.kind, dialect })
}

struct Expansion<'a> {
    query: &'a MacroCall,
    given: &'a input::Given,
    made: &'a Made,
    parameters: &'a [Option<Parameter>],
    touching: &'a TokenStream,
}

impl Expansion<'_> {
    fn tokens(&self, messages: &TokenStream, plan: &Plan) -> TokenStream {
        let bound = self.bound(messages);
        let made = read(self.query, plan, &database(self.made.dialect), bound);
        let hold = self.hold();
        quote!({ #hold #made })
    }

    /// The storage for the values: a column for each value of a row, filled by the user's closure, and
    /// variables for the shared ones.
    fn hold(&self) -> TokenStream {
        let input::Given { rows, closure, before, values } = self.given;
        let columns: Vec<Ident> = (0..*values).map(column).collect();
        let (of_row, shared) = self.query.arguments.split_at(*values);
        let asked = |at: usize, name: &Ident| {
            let argument = self.query.arguments.get(at).filter(|argument| !argument.is_cast)?;
            let parameter = self.parameters.get(at)?.as_ref()?;
            let asked = arguments::ask(name, argument, parameter);
            Some(quote!(let _ = #asked;))
        };
        let held = of_row.iter().zip(&columns).enumerate().map(|(at, (argument, column))| {
            let name = value(at);
            let written = &argument.value;
            // For `&row.name`, the field is checked, as a plain query does: it may be an `Option`.
            let asked = asked(at, &name).map(|asked| match is_borrowed_place(written) {
                true => asked,
                false => quote!({ let #name = &#name; #asked }),
            });
            (quote!(let #name = #written;), quote!(#asked #column.push(#name);))
        });
        let (lets, pushes): (Vec<TokenStream>, Vec<TokenStream>) = held.unzip();
        let shared = shared.iter().enumerate().map(|(at, argument)| {
            let at = at + values;
            let (name, written) = (value(at), &argument.value);
            let asked = asked(at, &name);
            quote!(let #name = &(#written); #asked)
        });
        let pattern = closure.inputs.first();
        quote! {
            #(let mut #columns = ::std::vec::Vec::new();)*
            ::query_budget::__private::batch::each(#rows, |#pattern| { #(#before)* #(#lets)* #(#pushes)* });
            #(#shared)*
        }
    }

    /// The batch, without reading of rows.
    fn bound(&self, messages: &TokenStream) -> TokenStream {
        let Made { statement, does, dialect } = self.made;
        let private = quote!(::query_budget::__private::batch);
        let database = database(self.made.dialect);
        let Statement { most_rows, is_reversed, is_of_arrays, .. } = statement;
        let (is_write, is_numbered) = (*does != Does::Select, *dialect == Dialect::Postgres);
        let gives = match (statement.gives, does) {
            (Gives::Nothing, _) => quote!(NoRows),
            (Gives::OneEach, _) => quote!(EachRow),
            (Gives::Some, Does::Select) => quote!(Selected),
            (Gives::Some, _) => quote!(SomeRows),
        };
        let (wrapper, pieces, site) = self.site(*is_of_arrays);
        let touching = self.touching;
        let columns = (0..self.given.values).map(column);
        let shared = (self.given.values..self.query.arguments.len()).map(value);
        quote! {
            ::query_budget::__private::batch::batch::<#database, ::query_budget::#gives>(
                {
                    static SITE: ::query_budget::__private::Site = #site #touching;
                    #messages
                    &SITE
                },
                {
                    static STATEMENT: #private::Statement = #private::Statement {
                        pieces: &[#pieces],
                        most_rows: #most_rows,
                        is_reversed: #is_reversed,
                        is_write: #is_write,
                        is_numbered: #is_numbered,
                    };
                    &STATEMENT
                },
                &[#(&#private::#wrapper(&#columns)),*],
                &[#(&#private::Each(::core::slice::from_ref(#shared))),*],
            )
        }
    }

    /// How columns are bound, the pieces of the text if it depends on the number of rows, and the site.
    fn site(&self, is_of_arrays: bool) -> (TokenStream, TokenStream, TokenStream) {
        let Made { statement, dialect, .. } = self.made;
        let site = quote!(::query_budget::__private::Site);
        let text = statement.text_for(1, *dialect);
        let fingerprint = sql::fingerprint(&text);
        if is_of_arrays {
            return (quote!(Whole), quote!(), quote!(#site::here(#text, #fingerprint)));
        }
        let head = match statement.pieces.first() {
            Some(Piece::Text(head)) => head.as_str(),
            _ => "",
        };
        let pieces = pieces(&statement.pieces);
        (quote!(Each), pieces, quote!(#site::for_rows(#text, #head, #fingerprint)))
    }
}

/// The type that represents a database in sqlx.
pub(crate) fn database(dialect: Dialect) -> TokenStream {
    match dialect {
        Dialect::Postgres => quote!(::query_budget::__private::sqlx::Postgres),
        Dialect::MySql => quote!(::query_budget::__private::sqlx::MySql),
        Dialect::Sqlite => quote!(::query_budget::__private::sqlx::Sqlite),
    }
}

/// The bound batch, with its rows read by its `try_map`.
pub(crate) fn read(
    query: &MacroCall,
    plan: &Plan,
    database: &TokenStream,
    bound: TokenStream,
) -> TokenStream {
    match plan {
        Plan::Untyped if query.kind.rows == Rows::Record => {
            quote!(#bound.try_map(::core::result::Result::Ok))
        }
        Plan::None => bound,
        Plan::Untyped | Plan::Scalar(..) => decoded(query, plan, database, &bound),
        Plan::Record(_) | Plan::Struct(..) | Plan::Tuple(..) => plan.applied(query, database, bound),
    }
}

/// Rows read by a type: that of the only column, or one that decodes a whole row.
fn decoded(query: &MacroCall, plan: &Plan, database: &TokenStream, bound: &TokenStream) -> TokenStream {
    let row = query.row.as_ref();
    let private = quote!(::query_budget::__private);
    if let Plan::Scalar(ty, span) = plan {
        let scalar = row.map_or_else(|| ty.clone(), |row| quote!(#row));
        let asked = row.map(|row| quote_spanned!(*span=> #private::reads::<#ty, #row>();));
        return quote!({ #asked #bound.try_map(|row| #private::column::<#scalar, _>(&row, 0)) });
    }
    let given = row.map_or_else(|| quote!(_), |row| quote!(#row));
    let is_scalar = query.kind.rows == Rows::Scalar;
    let ty = if is_scalar { quote!((#given,)) } else { given };
    let of = quote!(<#ty as #private::sqlx::FromRow<'_, #private::RowOf<#database>>>::from_row(&row));
    let value = is_scalar.then(|| quote!(.map(|row| row.0)));
    quote!(#bound.try_map(|row| #of #value))
}

fn pieces(all: &[Piece]) -> TokenStream {
    let pieces = all.iter().map(|piece| {
        let piece = match piece {
            Piece::Text(text) => quote!(Text(#text)),
            Piece::Row(at) => quote!(Row(#at)),
            Piece::Shared(at) => quote!(Shared(#at)),
            Piece::Number => quote!(Number),
            Piece::Each(inside, between) => {
                let inside = pieces(inside);
                quote!(Each(&[#inside], #between))
            }
        };
        quote!(::query_budget::__private::batch::Piece::#piece)
    });
    quote!(#(#pieces),*)
}

/// Whether a value is a reference to a variable or a field.
fn is_borrowed_place(value: &Expr) -> bool {
    match value {
        Expr::Reference(reference) => matches!(*reference.expr, Expr::Field(_) | Expr::Path(_)),
        Expr::Group(group) => is_borrowed_place(&group.expr),
        _ => false,
    }
}

fn column(at: usize) -> Ident {
    format_ident!("column_{at}", span = Span::mixed_site())
}

fn value(at: usize) -> Ident {
    format_ident!("value_{at}", span = Span::mixed_site())
}

/// Only the errors. The compiler treats the whole as an error already reported, so that its uses cause no
/// further errors.
fn refused(messages: &TokenStream) -> TokenStream {
    quote!({ #messages })
}
