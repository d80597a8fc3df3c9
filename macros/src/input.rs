//! The arguments of `sql!`, `sql_as!` and `sql_scalar!`.
//!
//! What can be read is read even when something is wrong, so that the expansion still holds what the user wrote and
//! editors go on knowing its types.

use proc_macro2::{Literal, Span, TokenStream};
use query_budget_analysis::rust;
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Expr, Token, Type};

use crate::attr;
use crate::emit::{Marked, Misuse};

/// Which macro was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `sql!`.
    Rows,
    /// `sql_as!`.
    As,
    /// `sql_scalar!`.
    Scalar,
}

impl Kind {
    /// The macro's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Rows => "sql",
            Kind::As => "sql_as",
            Kind::Scalar => "sql_scalar",
        }
    }

    fn form(self) -> &'static str {
        match self {
            Kind::Rows => r#"write `sql!("SELECT id, name FROM events WHERE id = $1", id)`"#,
            Kind::As => r#"write `sql_as!(Event, "SELECT id, name FROM events WHERE id = $1", id)`"#,
            Kind::Scalar => r#"write `sql_scalar!("SELECT name FROM events WHERE id = $1", id)`"#,
        }
    }
}

/// A call of one of the macros.
pub(crate) struct Query {
    /// Which macro was called.
    pub(crate) kind: Kind,
    /// The type of a row or of its one column.
    pub(crate) row: Option<Type>,
    /// The SQL; `None` when there is none to read.
    pub(crate) sql: Option<Sql>,
    /// What is bound to the placeholders.
    pub(crate) arguments: Vec<Expr>,
    /// What is wrong with the call.
    pub(crate) misuses: Vec<Misuse>,
}

/// The SQL of a call.
#[derive(Debug)]
pub(crate) struct Sql {
    /// The text, escapes resolved and parts joined.
    pub(crate) text: String,
    /// Its literals.
    pub(crate) marked: Marked,
}

impl Query {
    /// Reads the arguments of a macro.
    pub(crate) fn parse(kind: Kind, tokens: TokenStream) -> Query {
        let mut query = Query { kind, row: None, sql: None, arguments: Vec::new(), misuses: Vec::new() };
        let parser = |input: ParseStream<'_>| {
            query.read(input);
            // What is left has been complained about; a parser that leaves tokens would complain once more.
            input.parse::<TokenStream>().map(drop)
        };
        if let Err(error) = parser.parse2(tokens) {
            query.misuses.push(Misuse::from_syn(&error, kind.form()));
        }
        query
    }

    fn read(&mut self, input: ParseStream<'_>) {
        if let Err(misuse) = self.read_parts(input) {
            self.misuses.push(misuse);
        }
    }

    fn read_parts(&mut self, input: ParseStream<'_>) -> Result<(), Misuse> {
        let form = self.kind.form();
        for attribute in input.call(Attribute::parse_outer).map_err(|error| Misuse::from_syn(&error, form))? {
            self.misuses.extend(attr::before_sql(&attribute).err());
        }
        if input.is_empty() {
            return Err(Misuse::new(Span::call_site(), format!("`{}!` without SQL", self.kind.name()), form));
        }
        self.read_type(input)?;
        self.sql = Some(read_sql(input, self.kind)?);
        self.read_arguments(input)
    }

    fn read_type(&mut self, input: ParseStream<'_>) -> Result<(), Misuse> {
        let form = self.kind.form();
        let literal = input.cursor().literal().is_some();
        match self.kind {
            Kind::As if literal => {
                return Err(Misuse::new(input.span(), "`sql_as!` without the type of its rows", form));
            }
            Kind::As => {}
            Kind::Scalar if !literal && type_comes_first(input) => {}
            Kind::Rows | Kind::Scalar => return Ok(()),
        }
        self.row = Some(input.parse().map_err(|error| Misuse::from_syn(&error, form))?);
        if input.is_empty() {
            return Err(Misuse::new(Span::call_site(), format!("`{}!` without SQL", self.kind.name()), form));
        }
        input.parse::<Token![,]>().map_err(|error| {
            Misuse::new(error.span(), "expected a comma between the type and the SQL", form)
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
            let mut argument = input.parse().map_err(|error| Misuse::from_syn(&error, self.kind.form()))?;
            if let Expr::Assign(assign) = argument {
                self.misuses.push(Misuse::new(
                    Marked::tokens(&assign),
                    "an argument has no name",
                    "write the value alone; values are bound to the placeholders in order",
                ));
                argument = *assign.right;
            }
            self.arguments.push(without_wildcard_cast(argument));
        }
        Ok(())
    }
}

/// Whether a type and a comma stand before the SQL; else what stands there is taken for the SQL.
fn type_comes_first(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.parse::<Type>().is_ok() && ahead.peek(Token![,])
}

fn read_sql(input: ParseStream<'_>, kind: Kind) -> Result<Sql, Misuse> {
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
    Ok(Sql { text, marked: Marked::tokens(&marked) })
}

fn not_a_literal(input: ParseStream<'_>, kind: Kind) -> Misuse {
    let marked =
        input.fork().parse::<Expr>().map_or_else(|_| input.span().into(), |found| Marked::tokens(&found));
    Misuse::new(
        marked,
        "the SQL is not a string literal",
        format!("{}; SQL that is made at run time is a matter for `sqlx::query`", kind.form()),
    )
}

/// sqlx accepts `value as _` to say that the type is not to be checked; there is nothing to check here.
fn without_wildcard_cast(argument: Expr) -> Expr {
    match argument {
        Expr::Cast(cast) if matches!(*cast.ty, Type::Infer(_)) => *cast.expr,
        Expr::Group(group) => without_wildcard_cast(*group.expr),
        other => other,
    }
}
