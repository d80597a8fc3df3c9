//! What the rows of a query become: a generated record, a value of the user's struct or tuple, a single
//! value, or sqlx's row.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{PathArguments, Type, TypeTuple};

use crate::arguments;
use crate::emit::Misuse;
use crate::input::{MacroCall, Rows, Sql};
use crate::output::{self, Declared, DeclaredType};
use crate::types::Types;

/// How rows are read.
pub(crate) enum Plan {
    /// As sqlx's rows, or by the given type: nothing is known about the columns.
    Untyped,
    /// There are no rows.
    None,
    /// Each becomes a record.
    Record(Vec<Column>),
    /// Each becomes a value of the given struct.
    Struct(Vec<Column>, Span),
    /// Each becomes a tuple of the given type.
    Tuple(Vec<Column>, Span),
    /// Each is one value of this type. If a type is given too, the two are compared.
    Scalar(TokenStream, Span),
}

/// An output column.
pub(crate) struct Column {
    /// Its position, counted from 0.
    at: usize,
    field: Ident,
    ty: ColumnType,
    /// Why it may be NULL, if it may and its name does not say so.
    why_null: Option<&'static str>,
    /// Its type in SQL, if known.
    sql_type: Option<String>,
    /// What to write for a field of another type.
    for_field: Vec<String>,
    /// Whether its field has its type as it is written, so that no message is needed.
    is_evident: bool,
}

enum ColumnType {
    Exact(TokenStream),
    /// The type of its field.
    OfField,
    /// The inner type of its field, which is an `Option`.
    OptionOfField,
}

/// How the rows of a query are read; an error if they cannot be.
pub(crate) fn plan(query: &MacroCall, sql: &Sql, types: Option<&Types>) -> Result<Plan, Vec<Misuse>> {
    let Some(types) = types.filter(|_| query.kind.rows != Rows::FromRow) else { return Ok(Plan::Untyped) };
    if let Some(why) = types.unknown() {
        let help = "name the columns, or read the rows by a type of yours with `sql_from_row!`";
        return Err(vec![Misuse::new(
            sql.marked,
            format!("the columns of this query are not known: {why}"),
            help,
        )]);
    }
    if types.has_no_columns() {
        return Ok(Plan::None);
    }
    let span = sql.marked.span();
    if query.kind.rows == Rows::Scalar {
        return scalar(query, sql, types).map(|ty| Plan::Scalar(ty, span)).map_err(|misuse| vec![misuse]);
    }
    let tuple = match &query.row {
        Some(Type::Tuple(tuple)) => Some(tuple),
        Some(Type::Path(_)) | None => None,
        Some(other) => {
            let help = "name a struct or a tuple, or use `sql_from_row!` with a type that implements `sqlx::FromRow`";
            return Err(vec![Misuse::new(
                crate::emit::Marked::tokens(other),
                format!("`{}!` makes structs and tuples", query.kind.called()),
                help,
            )]);
        }
    };
    let columns = columns(query, sql, types, tuple)?;
    Ok(match (query.kind.rows, tuple) {
        (Rows::Record, _) => Plan::Record(columns),
        (_, Some(_)) => Plan::Tuple(columns, span),
        (_, None) => Plan::Struct(columns, span),
    })
}

fn columns(
    query: &MacroCall,
    sql: &Sql,
    types: &Types,
    tuple: Option<&TypeTuple>,
) -> Result<Vec<Column>, Vec<Misuse>> {
    let names: Vec<&str> = types.names().collect();
    if let Some(tuple) = tuple.filter(|tuple| tuple.elems.len() != names.len()) {
        let message = format!(
            "the tuple has {}, the query has {}",
            counted(tuple.elems.len(), "type"),
            counted(names.len(), "column")
        );
        return Err(vec![Misuse::new(
            crate::emit::Marked::tokens(tuple),
            message,
            "name a type for each column",
        )]);
    }
    let is_record = query.kind.rows == Rows::Record;
    let mut misuses = Vec::new();
    let mut columns: Vec<Column> = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let read = match tuple {
            // Columns are matched by position: a name only matters for its overrides.
            Some(_) => output::declared(name, sql.marked.span())
                .or_else(|_| output::declared(&format!("column_{at}"), sql.marked.span())),
            None => output::declared(name, sql.marked.span()),
        };
        let read = read.map(|mut declared| {
            if is_record {
                // Lints on field names do not apply inside an expansion.
                declared.field.set_span(sql.marked.inside());
            }
            declared
        });
        let column = read
            .map_err(|why| unnamed(sql, at, &why))
            .and_then(|declared| column(at, declared, types, query, sql));
        match column {
            Ok(column) => match columns.iter().find(|other| tuple.is_none() && other.field == column.field) {
                Some(first) => misuses.push(called_alike(sql, first, &column)),
                None => columns.push(column),
            },
            Err(misuse) => misuses.push(misuse),
        }
        // One mistake often affects several columns: two messages are enough to see it.
        if misuses.len() == 2 {
            break;
        }
    }
    if misuses.is_empty() { Ok(columns) } else { Err(misuses) }
}

fn column(
    at: usize,
    declared: Declared,
    types: &Types,
    query: &MacroCall,
    sql: &Sql,
) -> Result<Column, Misuse> {
    let kind = query.kind;
    let is_record = kind.rows == Rows::Record;
    let nullable = declared.nullable.unwrap_or_else(|| types.is_nullable(at));
    let is_derived = declared.ty.is_none();
    let ty = match declared.ty {
        Some(DeclaredType::OfField) if is_record => {
            let message = format!(
                "column {} (`{}`) has the type of a field, and a record has none of its own",
                at + 1,
                declared.field
            );
            let help = format!(
                "name the type, `AS \"{}: T\"`, or use `{}!` with a struct",
                declared.field,
                kind.called_like("sql_as")
            );
            return Err(Misuse::new(sql.marked, message, help));
        }
        Some(DeclaredType::OfField) if nullable => ColumnType::OptionOfField,
        Some(DeclaredType::OfField) => ColumnType::OfField,
        Some(DeclaredType::Exact(ty)) => ColumnType::Exact(optional(quote!(#ty), nullable)),
        // Its field says as what it is decoded.
        None if !kind.checked && !is_record => ColumnType::OfField,
        None => ColumnType::Exact(optional(types.of_column(at)?, nullable)),
    };
    let is_evident = match (&query.row, &ty) {
        (Some(row), ColumnType::Exact(ty)) => types.is_evident(row, at, &declared.field, ty),
        _ => false,
    };
    let for_field = match is_derived && !is_evident && !is_record && kind.checked {
        // A record takes the types of the columns.
        true => {
            let field = declared.field.to_string();
            types.for_field(at, field.strip_prefix("r#").unwrap_or(&field), nullable)
        }
        false => Vec::new(),
    };
    let why_null = (nullable && declared.nullable.is_none()).then(|| types.why_null(at));
    let sql_type = types.sql_name(at);
    Ok(Column { at, field: declared.field, ty, why_null, sql_type, for_field, is_evident })
}

fn scalar(query: &MacroCall, sql: &Sql, types: &Types) -> Result<TokenStream, Misuse> {
    let mut names = types.names();
    let (Some(name), None) = (names.next(), names.next()) else {
        let message = format!("`{}!` of {}", query.kind.called(), counted(types.names().count(), "column"));
        return Err(Misuse::new(
            sql.marked,
            message,
            format!("select one column, or use `{}!` for a record of all", query.kind.called_like("sql")),
        ));
    };
    // A name that is not a valid field overrides nothing.
    let declared = output::declared(name, sql.marked.span()).ok();
    let is_field = declared.is_some();
    let nullable = declared.as_ref().and_then(|declared| declared.nullable);
    // If a type is given, the user relies on what is proven.
    let may_be_null = if query.row.is_some() { types.may_be_null(0) } else { types.is_nullable(0) };
    let nullable = nullable.unwrap_or(may_be_null);
    match declared.and_then(|declared| declared.ty) {
        Some(DeclaredType::OfField) => Ok(optional(quote!(_), nullable)),
        Some(DeclaredType::Exact(ty)) => Ok(optional(quote!(#ty), nullable)),
        None if query.kind.checked => Ok(optional(types.of_column(0)?, nullable)),
        // A column whose name is a field has its own type even where nothing is checked.
        None if is_field => Ok(types.of_column(0).map_or_else(|_| quote!(_), |ty| optional(ty, nullable))),
        None => Ok(quote!(_)),
    }
}

/// Warnings about columns that are read as values, since sqlx's macros read them so, although they may be
/// NULL. An explicit `AS "name!"` or `AS "name?"` is trusted.
pub(crate) fn doubts(query: &MacroCall, types: &Types) -> Vec<String> {
    if query.kind.rows == Rows::FromRow || !query.kind.checked {
        return Vec::new();
    }
    let doubt = |(at, name): (usize, &str)| {
        let why = types.unproven(at).filter(|_| !name.contains(['!', '?']))?;
        let field = name.split(':').next().unwrap_or_default();
        Some(format!(
            "column {} (`{field}`) may be NULL, and is read as if it could not be\n\
             help: write `AS \"{field}?\"` for an `Option`, or `AS \"{field}!\"` where it is never NULL\n\
             note: {why}; sqlx does not see it in the plan of this query",
            at + 1
        ))
    };
    types.names().enumerate().filter_map(doubt).take(2).collect()
}

fn optional(ty: TokenStream, nullable: bool) -> TokenStream {
    if nullable { quote!(::core::option::Option<#ty>) } else { ty }
}

fn unnamed(sql: &Sql, at: usize, why: &str) -> Misuse {
    let help = match why.contains("override") {
        true => "write `AS \"name!\"`, `AS \"name?\"` or `AS \"name: T\"`, where `T` is a Rust type",
        false => "name it in the SQL: `<expression> AS name`",
    };
    Misuse::new(sql.marked, format!("column {} of this query {why}", at + 1), help)
}

fn called_alike(sql: &Sql, first: &Column, second: &Column) -> Misuse {
    let message = format!(
        "columns {} and {} of this query are both called `{}`",
        first.at + 1,
        second.at + 1,
        first.field
    );
    Misuse::new(sql.marked, message, "give one of them another name: `<column> AS other_name`")
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

impl Plan {
    /// The query with its rows read this way; `bound` is the query, on `database`.
    pub(crate) fn applied(
        &self,
        query: &MacroCall,
        database: &TokenStream,
        bound: TokenStream,
    ) -> TokenStream {
        let row = query.row.as_ref();
        let given = row.map_or_else(|| quote!(_), |row| quote!(#row));
        match self {
            Plan::None => bound,
            Plan::Untyped => match query.kind.rows {
                Rows::Record => bound,
                Rows::Struct | Rows::FromRow => {
                    quote!(::query_budget::__private::read_as::<#database, #given>(#bound))
                }
                Rows::Scalar => quote!(::query_budget::__private::read_scalar::<#database, #given>(#bound)),
            },
            Plan::Scalar(ty, span) => {
                let scalar = row.map_or_else(|| ty.clone(), |row| quote!(#row));
                let asked =
                    row.map(|row| quote_spanned!(*span=> ::query_budget::__private::reads::<#ty, #row>();));
                quote!({ #asked ::query_budget::__private::read_scalar::<#database, #scalar>(#bound) })
            }
            Plan::Record(columns) => record(columns, &bound),
            Plan::Struct(columns, span) => {
                let read = columns.iter().map(|column| column.read(query.kind.checked, *span));
                let fields = columns.iter().map(|column| &column.field);
                let name = row.map(literal_path);
                mapped(&bound, &quote!(#name { #(#fields: #read),* }))
            }
            Plan::Tuple(columns, span) => {
                let read = columns.iter().map(|column| column.read(query.kind.checked, *span));
                let value = quote! {{
                    let value: #given = (#(#read,)*);
                    value
                }};
                mapped(&bound, &value)
            }
        }
    }
}

/// A record with a field for each column.
fn record(columns: &[Column], bound: &TokenStream) -> TokenStream {
    let fields: Vec<&Ident> = columns.iter().map(|column| &column.field).collect();
    let types = columns.iter().map(|column| match &column.ty {
        ColumnType::Exact(ty) => ty.clone(),
        ColumnType::OfField | ColumnType::OptionOfField => quote!(_),
    });
    // A name of their own: a constant with the name of a column would be a pattern.
    let values: Vec<Ident> = columns
        .iter()
        .map(|column| Ident::new(&format!("column_{}", column.at), Span::mixed_site()))
        .collect();
    let read = arguments::tuple(&values);
    // One call for all columns: each call of its own would be checked by the compiler.
    quote! {{
        #[derive(::core::fmt::Debug)]
        struct Record { #(#fields: #types),* }
        #bound.try_map(::query_budget::__private::record(|#read| Record { #(#fields: #values),* }))
    }}
}

fn mapped(bound: &TokenStream, value: &TokenStream) -> TokenStream {
    let row = Ident::new("row", Span::mixed_site());
    quote!(#bound.try_map(|#row| ::core::result::Result::Ok(#value)))
}

impl Column {
    /// The expression that reads it from `row` into a field; its errors are reported at `span`.
    fn read(&self, is_checked: bool, span: Span) -> TokenStream {
        let Column { at, ty, .. } = self;
        let row = Ident::new("row", Span::mixed_site());
        match ty {
            _ if !is_checked => quote_spanned!(span=> ::query_budget::__private::column(&#row, #at)?),
            ColumnType::Exact(ty) if self.is_evident => {
                let (ty, number) = (output::respanned(ty.clone(), span), at + 1);
                quote_spanned!(span=> ::query_budget::__private::converted::<#ty, #number, _, _>(&#row, #at)?)
            }
            ColumnType::Exact(ty) => {
                let name = Ident::new("ConvertedColumn", Span::call_site());
                let conversion = self.conversion(&name);
                let ty = output::respanned(ty.clone(), span);
                quote_spanned! {span=> {
                    #conversion
                    #name::converted(::query_budget::__private::column::<#ty, _>(&#row, #at)?)
                }}
            }
            ColumnType::OfField => quote_spanned!(span=> ::query_budget::__private::decoded(&#row, #at)?),
            ColumnType::OptionOfField => quote_spanned! {span=>
                ::query_budget::__private::decoded::<::core::option::Option<_>, _>(&#row, #at)?
            },
        }
    }
}

impl Column {
    /// A trait that converts the column's value for its field by `Into`. It is made anew for each column, so that the
    /// compiler's message names the column.
    fn conversion(&self, name: &Ident) -> TokenStream {
        let field = self.field.to_string();
        let field = field.strip_prefix("r#").unwrap_or(&field);
        // A brace would begin a parameter of the message.
        let ty = self.sql_type.as_deref().unwrap_or_default().replace('{', "{{").replace('}', "}}");
        let of_type = if ty.is_empty() { String::new() } else { format!(" of SQL type `{ty}`") };
        let label = match self.why_null {
            None => "is read as `{Self}`".to_owned(),
            Some(why) => format!("may be NULL: {why}"),
        };
        let is_read = if self.why_null.is_some() { "may be NULL: it is read as" } else { "is read as" };
        let message = format!(
            "column `{field}`{of_type} {is_read} `{{Self}}`, which does not fit its field of type `{{T}}`"
        );
        let label = format!("column {}, `{field}`, {label}", self.at + 1);
        let mut notes = vec!["give the field the type `{Self}`".to_owned()];
        if self.why_null.is_some() {
            notes.push(format!("or write `AS \"{field}!\"` in the SQL where it is never NULL"));
        }
        notes.extend(self.for_field.iter().cloned());
        quote! {
            #[diagnostic::on_unimplemented(message = #message, label = #label, #(note = #notes),*)]
            trait #name<T> {
                fn converted(self) -> T;
            }
            #[diagnostic::do_not_recommend]
            impl<C: ::core::convert::Into<T>, T> #name<T> for C {
                #[inline(always)]
                fn converted(self) -> T {
                    ::core::convert::Into::into(self)
                }
            }
        }
    }
}

/// A path at the start of a struct literal, where `Row<T>` would be a comparison.
fn literal_path(row: &Type) -> Type {
    let mut row = row.clone();
    if let Type::Path(path) = &mut row {
        for segment in &mut path.path.segments {
            if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
                arguments.colon2_token = Some(Default::default());
            }
        }
    }
    row
}
