//! The arguments of `sql!` and related macros.
//!
//! As much as possible is parsed even if there are errors, so that the expansion still contains the user's
//! code and editors keep showing its types.

use std::path::Path;

use proc_macro2::{Literal, Span, TokenStream};
use query_budget_analysis::{project, rust};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Expr, Token, Type};

use crate::attr;
use crate::context::Context;
use crate::emit::{Marked, Misuse};

/// What the rows of a query become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// A record with a field for each column: `sql!`.
    Record,
    /// A value of a struct with a field for each column: `sql_as!`.
    Struct,
    /// A value of a type that decodes a whole row: `sql_from_row!`.
    FromRow,
    /// The value of the only column: `sql_scalar!`.
    Scalar,
}

/// Which macro was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MacroKind {
    /// The macro's own name. Each has two, this and sqlx's.
    pub(crate) name: &'static str,
    /// What the rows become.
    pub(crate) rows: Rows,
    /// Whether the SQL is in a separate file.
    pub(crate) in_file: bool,
    /// Whether the types of arguments and columns are checked against the database's.
    pub(crate) checked: bool,
}

impl MacroKind {
    /// The macro `name`, with the SQL in a literal and types checked.
    pub(crate) const fn new(name: &'static str, rows: Rows) -> MacroKind {
        MacroKind { name, rows, in_file: false, checked: true }
    }

    /// The variant with the SQL in a file.
    pub(crate) const fn in_file(self) -> MacroKind {
        MacroKind { in_file: true, ..self }
    }

    /// The variant without type checks.
    pub(crate) const fn unchecked(self) -> MacroKind {
        MacroKind { checked: false, ..self }
    }

    /// Its name as messages have it: sqlx's if the call has that.
    pub(crate) fn called(self) -> String {
        self.called_like(self.name)
    }

    /// The name of another macro, ours or sqlx's like that of this call.
    pub(crate) fn called_like(self, name: &str) -> String {
        let written = Span::call_site().source_text().unwrap_or_default();
        let path = written.split('!').next().unwrap_or_default();
        let is_sqlx = path.rsplit("::").next().is_some_and(|name| name.trim() == sqlx_name(self.name));
        if is_sqlx { sqlx_name(name) } else { name.to_owned() }
    }

    /// Its syntax.
    pub(crate) fn form(self) -> String {
        if let Some(form) = crate::batch::form(self) {
            return form;
        }
        let row = if matches!(self.rows, Rows::Struct | Rows::FromRow) { "Event, " } else { "" };
        let sql = match (self.in_file, self.rows) {
            (true, _) => "queries/event.sql",
            (false, Rows::Scalar) => "SELECT name FROM events WHERE id = $1",
            (false, _) if self.name.starts_with("sql_page") => {
                "SELECT id, name FROM events WHERE user_id = $1 ORDER BY id"
            }
            (false, _) => "SELECT id, name FROM events WHERE id = $1",
        };
        format!("write `{}!({row}\"{sql}\", id)`", self.called())
    }
}

/// sqlx's name for one of our macros.
fn sqlx_name(ours: &str) -> String {
    ours.replacen("sql", "query", 1)
}

/// A call of one of the macros.
pub(crate) struct MacroCall {
    /// Which macro was called.
    pub(crate) kind: MacroKind,
    /// The type of a row, or of its only column.
    pub(crate) row: Option<Type>,
    /// The SQL, or the path of its file; `None` if it cannot be parsed.
    pub(crate) sql: Option<Sql>,
    /// The values for the placeholders.
    pub(crate) arguments: Vec<Argument>,
    /// Errors in the call.
    pub(crate) misuses: Vec<Misuse>,
}

/// The SQL of a call.
#[derive(Debug)]
pub(crate) struct Sql {
    /// The text, with escapes resolved and parts joined.
    pub(crate) text: String,
    /// Its literals.
    pub(crate) marked: Marked,
    /// The path as written, if the text is in a file.
    pub(crate) file: Option<String>,
}

/// The value for a placeholder.
pub(crate) struct Argument {
    pub(crate) value: Expr,
    /// Whether the user takes responsibility for its type: `value as T`, or `value as _` for any type.
    pub(crate) is_cast: bool,
}

impl Argument {
    /// An argument without a cast.
    pub(crate) fn of(value: Expr) -> Argument {
        let is_cast = is_cast(&value);
        Argument { value: without_wildcard_cast(value), is_cast }
    }
}

impl MacroCall {
    /// Parses the arguments of a macro.
    pub(crate) fn parse(kind: MacroKind, tokens: TokenStream) -> MacroCall {
        let mut query = MacroCall { kind, row: None, sql: None, arguments: Vec::new(), misuses: Vec::new() };
        let parser = |input: ParseStream<'_>| {
            query.read(input);
            // The rest has been reported already; a parser that leaves tokens would add another error.
            input.parse::<TokenStream>().map(drop)
        };
        if let Err(error) = parser.parse2(tokens) {
            query.misuses.push(Misuse::from_syn(&error, kind.form()));
        }
        query
    }

    /// Reads the file that contains the SQL, and returns code that makes the compiler watch it.
    pub(crate) fn read_file(&mut self, context: &Context) -> TokenStream {
        let Some(sql) = self.sql.as_mut().filter(|_| self.kind.in_file) else { return TokenStream::new() };
        let written = std::mem::take(&mut sql.text);
        let misuse = |message: String, help: &str| Misuse::new(sql.marked, message, help);
        if Path::new(&written).is_absolute() {
            let help = "write it from the package's folder: `queries/event.sql`";
            self.misuses.push(misuse(format!("`{written}` is a path of this machine alone"), help));
            return TokenStream::new();
        }
        let path = context.in_package(&written);
        match project::read(&path) {
            Ok(text) => {
                sql.text = text;
                sql.file = Some(written);
                let path = path.to_string_lossy();
                quote!(
                    const _: &[u8] = ::core::include_bytes!(#path);
                )
            }
            Err(mut error) => {
                error.path = written.into();
                let help = "paths are from the package's folder, where its `Cargo.toml` is";
                self.misuses.push(misuse(format!("failed to {error}"), help));
                TokenStream::new()
            }
        }
    }

    fn read(&mut self, input: ParseStream<'_>) {
        if let Err(misuse) = self.read_parts(input) {
            self.misuses.push(misuse);
        }
    }

    fn read_parts(&mut self, input: ParseStream<'_>) -> Result<(), Misuse> {
        let kind = self.kind;
        for attribute in
            input.call(Attribute::parse_outer).map_err(|error| Misuse::from_syn(&error, kind.form()))?
        {
            self.misuses.extend(attr::before_sql(&attribute).err());
        }
        if input.is_empty() {
            return Err(self.without_sql());
        }
        self.read_type(input)?;
        self.sql = Some(read_sql(input, self.kind)?);
        self.read_arguments(input)
    }

    fn without_sql(&self) -> Misuse {
        let what = if self.kind.in_file { "the path of its SQL" } else { "SQL" };
        Misuse::new(Span::call_site(), format!("`{}!` without {what}", self.kind.called()), self.kind.form())
    }

    fn read_type(&mut self, input: ParseStream<'_>) -> Result<(), Misuse> {
        let kind = self.kind;
        let literal = input.cursor().literal().is_some();
        match kind.rows {
            Rows::Struct | Rows::FromRow if literal => {
                let message = format!("`{}!` without the type of its rows", kind.called());
                return Err(Misuse::new(input.span(), message, kind.form()));
            }
            Rows::Struct | Rows::FromRow => {}
            Rows::Scalar if !literal && type_comes_first(input) => {}
            Rows::Record | Rows::Scalar => return Ok(()),
        }
        self.row = Some(ungrouped(input.parse().map_err(|error| Misuse::from_syn(&error, kind.form()))?));
        if input.is_empty() {
            return Err(self.without_sql());
        }
        input.parse::<Token![,]>().map_err(|error| {
            Misuse::new(error.span(), "expected a comma between the type and the SQL", kind.form())
        })?;
        Ok(())
    }

    fn read_arguments(&mut self, input: ParseStream<'_>) -> Result<(), Misuse> {
        while !input.is_empty() {
            input.parse::<Token![,]>().map_err(|error| {
                Misuse::new(
                    error.span(),
                    "expected a comma between the SQL and its arguments",
                    self.kind.form(),
                )
            })?;
            if input.is_empty() {
                break;
            }
            let mut value = input.parse().map_err(|error| Misuse::from_syn(&error, self.kind.form()))?;
            if let Expr::Assign(assign) = value {
                self.misuses.push(Misuse::new(
                    Marked::tokens(&assign),
                    "an argument has no name",
                    "write the value alone; values are bound to the placeholders in order",
                ));
                value = *assign.right;
            }
            self.arguments.push(Argument::of(value));
        }
        Ok(())
    }
}

/// A type without the group that a macro's `$t:ty` puts around it, or parentheses.
fn ungrouped(mut ty: Type) -> Type {
    loop {
        ty = match ty {
            Type::Group(group) => *group.elem,
            Type::Paren(paren) => *paren.elem,
            other => return other,
        }
    }
}

/// Whether a type and a comma precede the SQL; otherwise the first argument is taken as the SQL.
fn type_comes_first(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.parse::<Type>().is_ok() && ahead.peek(Token![,])
}

fn read_sql(input: ParseStream<'_>, kind: MacroKind) -> Result<Sql, Misuse> {
    let mut text = String::new();
    let mut marked = TokenStream::new();
    loop {
        let part = input.cursor().literal().and_then(|(literal, _)| rust::text_of(&literal));
        let Some(part) = part else { return Err(not_a_literal(input, kind)) };
        let Ok(literal) = input.parse::<Literal>() else { return Err(not_a_literal(input, kind)) };
        text.push_str(&part);
        literal.to_tokens(&mut marked);
        if input.parse::<Option<Token![+]>>().ok().flatten().is_none() {
            break;
        }
    }
    Ok(Sql { text, marked: Marked::tokens(&marked), file: None })
}

fn not_a_literal(input: ParseStream<'_>, kind: MacroKind) -> Misuse {
    let marked =
        input.fork().parse::<Expr>().map_or_else(|_| input.span().into(), |found| Marked::tokens(&found));
    let form = kind.form();
    if kind.in_file {
        return Misuse::new(marked, "the path of the SQL is not a string literal", form);
    }
    Misuse::new(
        marked,
        "the SQL is not a string literal",
        format!("{form}; for SQL built at run time, use `sqlx::query`"),
    )
}

/// Whether the value has a cast, possibly inside groups added by the parser or an outer macro.
fn is_cast(value: &Expr) -> bool {
    match value {
        Expr::Cast(_) => true,
        Expr::Group(group) => is_cast(&group.expr),
        _ => false,
    }
}

/// `value as _` turns off the type check; to the compiler it would have another meaning.
fn without_wildcard_cast(argument: Expr) -> Expr {
    match argument {
        Expr::Cast(cast) if matches!(*cast.ty, Type::Infer(_)) => *cast.expr,
        Expr::Group(group) => without_wildcard_cast(*group.expr),
        other => other,
    }
}
