//! The Rust types of a query's columns and parameters, as sqlx's own macros choose them.

use std::collections::BTreeSet;
use std::sync::Arc;

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use query_budget_analysis::project::Dependency;
use query_budget_analysis::sql::Dialect;
use query_budget_analysis::sql::lex::{self, Lexer};
use query_budget_analysis::types::{
    self, Column, Described, Known, NoRustType, Origin, RustTypes, SqlType, TypeKind,
};
use quote::{ToTokens, quote};
use syn::{Expr, Type, TypePath};

use crate::advice::{self, Asked, Given};
use crate::arguments::{Advice, Parameter};
use crate::crates::Crate;
use crate::emit::{Marked, Misuse};
use crate::input::Argument;
use crate::structs;

/// The types of one query.
pub(crate) struct Types<'p> {
    rust_types: &'p RustTypes,
    dialect: Dialect,
    described: Described,
    marked: Marked,
    around: Option<Arc<Crate>>,
}

impl<'p> Types<'p> {
    /// The types of a query in the crate `around`; their messages point at `marked`.
    pub(crate) fn new(
        rust_types: &'p RustTypes,
        dialect: Dialect,
        described: Described,
        marked: Marked,
        around: Option<Arc<Crate>>,
    ) -> Types<'p> {
        Types { rust_types, dialect, described, marked, around }
    }

    /// The type that represents the database in sqlx.
    pub(crate) fn database(&self) -> TokenStream {
        match self.dialect {
            Dialect::Postgres => quote!(::query_budget::__private::sqlx::Postgres),
            Dialect::MySql => quote!(::query_budget::__private::sqlx::MySql),
            Dialect::Sqlite => quote!(::query_budget::__private::sqlx::Sqlite),
        }
    }

    /// Why the columns as a whole are unknown, if they are.
    pub(crate) fn unknown(&self) -> Option<&str> {
        self.described.unknown.as_deref()
    }

    /// Whether there are no columns to read.
    pub(crate) fn has_no_columns(&self) -> bool {
        self.described.columns.iter().all(|column| column.ty.known().is_some_and(|ty| ty.name == "void"))
    }

    /// The names of the columns, including overrides.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.described.columns.iter().map(|column| column.name.as_str())
    }

    /// Whether sqlx's macros treat a column as nullable; if that depends on a plan, or the project prefers proof, whether it is
    /// unproven that the column is never NULL.
    pub(crate) fn is_nullable(&self, at: usize) -> bool {
        self.column(at).is_none_or(|column| match column.nullable {
            _ if self.rust_types.is_proven => !column.proven_not_null,
            Some(nullable) if column.nullable_certain => nullable,
            Some(_) => !column.proven_not_null,
            None => true,
        })
    }

    /// Whether it is unproven that a column is never NULL.
    pub(crate) fn may_be_null(&self, at: usize) -> bool {
        self.is_nullable(at) && self.column(at).is_none_or(|column| !column.proven_not_null)
    }

    /// Why a column that sqlx's macros treat as not nullable may be NULL after all.
    pub(crate) fn unproven(&self, at: usize) -> Option<&str> {
        let column = self.column(at).filter(|column| !self.is_nullable(at) && !column.proven_not_null)?;
        Some(&column.why)
    }

    /// Why a nullable column is nullable.
    pub(crate) fn why_null(&self, at: usize) -> &'static str {
        match self.column(at) {
            Some(Column { origin: Origin::Table { .. }, why, .. }) if why.contains("join") => {
                "an outer join returns NULL where nothing matches"
            }
            Some(Column { origin: Origin::Table { .. }, .. }) => "the table's column has no NOT NULL",
            _ => "it is an expression, of which the database does not say that it is not",
        }
    }

    /// The Rust type of a column, ignoring NULL.
    pub(crate) fn of_column(&self, at: usize) -> Result<TokenStream, Misuse> {
        let Some(column) = self.column(at) else {
            return Err(Misuse::new(self.marked, format!("there is no column {}", at + 1), "select it"));
        };
        // An unnamed expression may be named by its text.
        let name = column.name.split([':', '!', '?']).next().unwrap_or_default();
        let name = if name.chars().all(|c| c.is_alphanumeric() || c == '_') { name } else { "" };
        let called = if name.is_empty() { String::new() } else { format!(" (`{name}`)") };
        match &column.ty {
            Known::Unknown(why) => Err(Misuse::new(
                self.marked,
                format!("the type of column {}{called} is not known: {why}", at + 1),
                match (if name.is_empty() { "name" } else { name }, why == types::mysql::WIDTHS) {
                    // A cast to an integer has no width either.
                    (name, true) => format!("name its Rust type: `AS \"{name}: i64\"`"),
                    (name, false) => format!("{}, or name its Rust type: `AS \"{name}: T\"`", self.cast()),
                },
            )),
            Known::Is(_) => {
                let chosen = self.rust_types.of_column(self.dialect, column);
                chosen.map(|path| tokens(&path)).map_err(|missing| {
                    let name = if name.is_empty() { "name" } else { name };
                    let (message, help) = without_rust_type(&missing, &format!("`AS \"{name}: T\"`"));
                    Misuse::new(self.marked, format!("column {}{called} {message}", at + 1), help)
                })
            }
        }
    }

    /// What the parameters of these arguments accept, if known; errors for types without a Rust type.
    pub(crate) fn parameters(
        &self,
        arguments: &[Argument],
        sql: &str,
    ) -> Result<Vec<Option<Parameter>>, Vec<Misuse>> {
        if arguments.len() != self.described.parameters.len() {
            // Which argument is superfluous is unknown.
            return Ok(Vec::new());
        }
        if let Some((number, argument)) =
            (1..).zip(arguments).find(|(number, _)| self.leaves_out(sql, *number))
        {
            let message = format!("the query has no ${number}, and PostgreSQL derives no type for it");
            let help = "number the placeholders without a gap, and leave out the argument";
            return Err(vec![Misuse::new(Marked::tokens(&argument.value), message, help)]);
        }
        let mut misuses = Vec::new();
        let asked = self.described.parameters.iter().zip(arguments).enumerate();
        let parameters = asked.map(|(at, (parameter, argument))| {
            // Types that the database does not check, or for which the user takes responsibility, are not
            // checked here.
            let ty =
                parameter.ty.known().filter(|_| self.dialect == Dialect::Postgres && !argument.is_cast)?;
            match self.rust_types.of_parameter(self.dialect, ty) {
                Ok(path) => {
                    let number = at + 1;
                    let value = &argument.value;
                    let sql_type = sql_name(ty);
                    if is_none(value) {
                        let path = path.replace("DateTime<_>", "DateTime<sqlx::types::chrono::Utc>");
                        let message =
                            format!("the type of `None` is not known: parameter ${number} takes `{path}`");
                        let help = format!("write `None::<{path}>`");
                        misuses.push(Misuse::new(Marked::tokens(value), message, help));
                    }
                    let for_list = self.for_list(sql, number);
                    let asked = Asked { value, rust: &path, sql_type: &sql_type, number, for_list };
                    let advice = match advice::is_of_runtime(&asked) {
                        true => Advice::OfRuntime,
                        false => Advice::Notes(advice::for_argument(&asked)),
                    };
                    Some(Parameter { number, ty: parameter_type(&path)?, sql_type, advice })
                }
                Err(missing) => {
                    let (message, help) = without_rust_type(&missing, "the argument `as _`");
                    let marked = Marked::tokens(&argument.value);
                    misuses.push(Misuse::new(marked, format!("parameter ${} {message}", at + 1), help));
                    None
                }
            }
        });
        let parameters = parameters.collect();
        misuses.truncate(2);
        if misuses.is_empty() { Ok(parameters) } else { Err(misuses) }
    }

    /// Whether a parameter's number is in a gap between those of the text.
    fn leaves_out(&self, sql: &str, number: usize) -> bool {
        let is_unknown = |parameter: &types::Parameter| parameter.ty.known().is_none();
        if self.dialect != Dialect::Postgres
            || !self.described.parameters.get(number - 1).is_some_and(is_unknown)
        {
            return false;
        }
        let numbers = Lexer::new(sql, self.dialect).filter(|token| token.kind == lex::TokenKind::Parameter);
        let mut numbers =
            numbers.filter_map(|token| sql.get(token.span.range())?.strip_prefix('$')?.parse::<usize>().ok());
        !numbers.any(|written| written == number)
    }

    /// `IN` and what compares with an array, if the parameter is the only element of a list.
    fn for_list(&self, sql: &str, number: usize) -> Option<(&'static str, &'static str)> {
        let placeholder = format!("${number}");
        // Reading the whole text is slow in an unoptimised macro.
        if !sql.contains(&format!("({placeholder})")) && !sql.contains(&format!("( {placeholder} )")) {
            return None;
        }
        let tokens: Vec<&str> =
            Lexer::new(sql, self.dialect).filter_map(|token| sql.get(token.span.range())).collect();
        let at = tokens.windows(4).position(|window| {
            matches!(window, [list, "(", only, ")"] if list.eq_ignore_ascii_case("in") && *only == placeholder)
        })?;
        let is_not =
            at.checked_sub(1).and_then(|at| tokens.get(at)).is_some_and(|it| it.eq_ignore_ascii_case("not"));
        Some(if is_not { ("NOT IN", "<> ALL") } else { ("IN", "= ANY") })
    }

    /// Whether a field has a type as it is written: that of a struct, or of a tuple by position.
    pub(crate) fn is_evident(&self, row: &Type, at: usize, field: &Ident, ty: &TokenStream) -> bool {
        let ty = ty.to_string();
        match row {
            Type::Tuple(tuple) => tuple
                .elems
                .get(at)
                .is_some_and(|it| structs::are_alike(&it.to_token_stream().to_string(), &ty)),
            Type::Path(path) if path.qself.is_none() => {
                let last = path.path.segments.last().filter(|last| last.arguments.is_none());
                last.zip(self.around.as_ref()).is_some_and(|(last, around)| {
                    around.structs.has_field(&last.ident.to_string(), &field.to_string(), &ty)
                })
            }
            _ => false,
        }
    }

    /// The type of a column in SQL, if known.
    pub(crate) fn sql_name(&self, at: usize) -> Option<String> {
        Some(sql_name(self.column(at)?.ty.known()?))
    }

    /// What to write for a field whose type differs from its column's, if the column's own type is read.
    pub(crate) fn for_field(&self, at: usize, field: &str, nullable: bool) -> Vec<String> {
        let given = self.column(at).and_then(|column| {
            let rust = self.rust_types.of_column(self.dialect, column).ok()?;
            let of_table = match &column.origin {
                Origin::Table { column, .. } if is_word(column) => Some(column.as_str()),
                _ => None,
            };
            let sql_type = column.ty.known()?.name.as_str();
            let (nullable, dialect) = (nullable, self.dialect);
            Some(advice::for_column(&Given {
                field,
                column: of_table,
                rust: &rust,
                sql_type,
                nullable,
                dialect,
            }))
        });
        given.unwrap_or_default()
    }

    fn column(&self, at: usize) -> Option<&Column> {
        self.described.columns.get(at)
    }

    /// The SQL syntax for casting an expression.
    fn cast(&self) -> &'static str {
        match self.dialect {
            Dialect::Postgres => "cast it in the SQL: `<expression>::<type>`",
            Dialect::MySql | Dialect::Sqlite => "cast it in the SQL: `CAST(<expression> AS <type>)`",
        }
    }
}

/// Whether a value is `None` without a type.
fn is_none(value: &Expr) -> bool {
    match value {
        Expr::Group(group) => is_none(&group.expr),
        // `Option::<T>::None` has one, and `Status::None` is no `Option`.
        Expr::Path(path) if path.qself.is_none() => {
            let mut segments = path.path.segments.iter().rev();
            let mut is =
                |name: &str| segments.next().is_some_and(|it| it.ident == name && it.arguments.is_none());
            is("None") && (path.path.segments.len() == 1 || is("Option"))
        }
        _ => false,
    }
}

/// Whether a name needs no quotes.
fn is_word(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// The description of a type without a Rust type, and the remedy; `written` is where the user may name one.
fn without_rust_type(missing: &NoRustType, written: &str) -> (String, String) {
    let NoRustType { sql, features } = missing;
    match features {
        [] => (
            format!("is of SQL type `{sql}`, which has no Rust type"),
            format!(
                "write {written}, or name one for all of them: `[types] \"{sql}\" = \"crate::T\"` in `query-budget.toml`"
            ),
        ),
        features => {
            let features: Vec<String> = features.iter().map(|feature| format!("`{feature}`")).collect();
            let help = format!("turn it on in the dependency on `sqlx`, or write {written}");
            (
                format!(
                    "is of SQL type `{sql}`, whose Rust type needs the feature {}",
                    features.join(" or ")
                ),
                help,
            )
        }
    }
}

/// The features of sqlx that affect types: those enabled by a package's dependencies, and those that reach
/// this crate from anywhere else.
pub(crate) fn features(dependencies: [Option<&Dependency>; 2]) -> BTreeSet<String> {
    let [_, sqlx] = dependencies;
    let mut features: BTreeSet<String> = dependencies
        .into_iter()
        .flatten()
        .flat_map(|dependency| dependency.features.iter().cloned())
        .collect();
    if sqlx.is_some_and(|sqlx| sqlx.default_features) {
        features.insert("json".to_owned());
    }
    let passed_on = [
        ("bigdecimal", cfg!(feature = "bigdecimal")),
        ("bit-vec", cfg!(feature = "bit-vec")),
        ("chrono", cfg!(feature = "chrono")),
        ("ipnet", cfg!(feature = "ipnet")),
        ("ipnetwork", cfg!(feature = "ipnetwork")),
        ("json", cfg!(feature = "json")),
        ("mac_address", cfg!(feature = "mac_address")),
        ("rust_decimal", cfg!(feature = "rust_decimal")),
        ("time", cfg!(feature = "time")),
        ("uuid", cfg!(feature = "uuid")),
    ];
    features.extend(passed_on.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name.to_owned()));
    features
}

/// A Rust type as tokens: sqlx through the runtime crate, and names of the prelude by full path, since they
/// may be shadowed.
fn tokens(written: &str) -> TokenStream {
    // Most types are one word, and parsing is slow in an unoptimised macro.
    if matches!(written, "i64" | "i32" | "i16" | "f64" | "f32" | "bool" | "u8" | "u32" | "u64" | "i8" | "u16")
    {
        return Ident::new(written, Span::call_site()).into_token_stream();
    }
    if written == "String" {
        return quote!(::std::string::String);
    }
    // Anything that the project wrote and is not a type is left to the compiler to reject.
    written
        .parse()
        .map(rooted)
        .unwrap_or_else(|_| Ident::new("unreadable", Span::call_site()).into_token_stream())
}

/// The type that a parameter accepts.
fn parameter_type(written: &str) -> Option<Type> {
    let tokens = tokens(written);
    match tokens.clone().into_iter().collect::<Vec<_>>().as_slice() {
        [TokenTree::Ident(ident)] => {
            Some(Type::Path(TypePath { attrs: Vec::new(), qself: None, path: ident.clone().into() }))
        }
        _ => syn::parse2(tokens).ok(),
    }
}

fn rooted(tokens: TokenStream) -> TokenStream {
    let mut after_colon = false;
    let rooted = tokens.into_iter().map(|token| {
        let is_first = !std::mem::replace(&mut after_colon, false);
        match token {
            TokenTree::Punct(punct) => {
                after_colon = punct.as_char() == ':';
                punct.into_token_stream()
            }
            TokenTree::Ident(ident) if is_first => match ident.to_string().as_str() {
                "sqlx" => quote!(::query_budget::__private::sqlx),
                "String" => quote!(::std::string::String),
                "Vec" => quote!(::std::vec::Vec),
                _ => ident.into_token_stream(),
            },
            TokenTree::Group(group) => {
                Group::new(group.delimiter(), self::rooted(group.stream())).into_token_stream()
            }
            token => token.into_token_stream(),
        }
    });
    rooted.collect()
}

/// The database type as messages name it.
fn sql_name(ty: &SqlType) -> String {
    match &ty.kind {
        TypeKind::Array(element) => format!("{}[]", element.name),
        _ => ty.name.clone(),
    }
}
