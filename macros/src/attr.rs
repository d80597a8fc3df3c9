//! The arguments of `#[query_budget(..)]`, and `#[allow(lint = "reason")]`.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, ExprUnary, Ident, Lit, Meta, MetaNameValue, Token, UnOp};

use crate::emit::{Marked, Misuse};

/// The correct form of the attribute, for the help of an error.
pub(crate) const FORM: &str = "write `#[query_budget(max = 3)]`; `rows = 500` and `time = \"50ms\"` limit what is fetched and how long it takes, `repeats = 2` how often one statement runs";

/// A budget as written.
#[derive(Default)]
pub(crate) struct Budget {
    /// How many queries may run.
    pub(crate) max: Option<Expr>,
    /// The maximum number of rows fetched.
    pub(crate) rows: Option<Expr>,
    /// How often the same statement may run.
    pub(crate) repeats: Option<Expr>,
    /// The time limit.
    pub(crate) time: Option<Duration>,
    /// Whether the body has queries that are not written with `sql!` and related macros.
    pub(crate) has_raw_queries: bool,
    /// Whether it has a `COPY` that is not passed to `counted!`.
    pub(crate) has_copies: bool,
    /// Errors in it.
    pub(crate) misuses: Vec<Misuse>,
}

impl Budget {
    /// Parses the arguments of the attribute.
    pub(crate) fn parse(limits: TokenStream) -> Budget {
        let mut budget = Budget::default();
        if limits.is_empty() {
            budget.misuses.push(Misuse::new(Span::call_site(), "`#[query_budget]` without a limit", FORM));
            return budget;
        }
        let parser = |input: ParseStream<'_>| {
            if let Err(misuse) = budget.read(input) {
                budget.misuses.push(misuse);
            }
            // The rest has been reported already; a parser that leaves tokens would add another error.
            input.parse::<TokenStream>().map(drop)
        };
        if let Err(error) = parser.parse2(limits) {
            budget.misuses.push(Misuse::from_syn(&error, FORM));
        }
        budget
    }

    fn read(&mut self, input: ParseStream<'_>) -> Result<(), Misuse> {
        let mut seen: Vec<Ident> = Vec::new();
        while !input.is_empty() {
            if !input.peek(syn::Ident) || !input.peek2(Token![=]) {
                return Err(Misuse::new(input.span(), "a limit has a name and a value", FORM));
            }
            let name: Ident = input.parse().map_err(|error| Misuse::from_syn(&error, FORM))?;
            input.parse::<Token![=]>().map_err(|error| Misuse::from_syn(&error, FORM))?;
            let value: Expr = input.parse().map_err(|error| Misuse::from_syn(&error, FORM))?;
            if seen.contains(&name) {
                self.misuses.push(Misuse::new(
                    name.span(),
                    format!("`{name}` is given twice"),
                    format!("keep one `{name} = ..`"),
                ));
            } else if let Err(misuse) = self.set(&name, value) {
                self.misuses.push(misuse);
            }
            seen.push(name);
            if input.is_empty() {
                break;
            }
            input
                .parse::<Token![,]>()
                .map_err(|error| Misuse::new(error.span(), "expected a comma between two limits", FORM))?;
        }
        Ok(())
    }

    fn set(&mut self, name: &Ident, value: Expr) -> Result<(), Misuse> {
        match name.to_string().as_str() {
            "max" => {
                count(&value, "max", "`max = 0` allows no query at all, `max = 3` allows three")?;
                self.max = Some(value);
            }
            "rows" => {
                if count(&value, "rows", "write `rows = 500`")? == Some(0) {
                    return Err(Misuse::new(
                        value.span(),
                        "`rows = 0` lets no query return anything",
                        "write `rows = 500`, or `max = 0` for a function that runs no query",
                    ));
                }
                self.rows = Some(value);
            }
            "repeats" => {
                if count(&value, "repeats", "write `repeats = 2`")? == Some(0) {
                    return Err(Misuse::new(
                        value.span(),
                        "`repeats = 0` lets no query run",
                        "write `repeats = 1` for statements that run once, or `max = 0` for a function that runs no query",
                    ));
                }
                self.repeats = Some(value);
            }
            "time" => self.time = Some(time(&value)?),
            other => {
                return Err(Misuse::new(
                    name.span(),
                    format!("unknown limit `{other}`"),
                    "the limits are `max`, `rows`, `time` and `repeats`",
                ));
            }
        }
        Ok(())
    }
}

/// The number of a literal; `None` for an expression, which is only checked at run time.
pub(crate) fn literal(value: &Expr) -> Option<u64> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().ok(),
        Expr::Group(group) => literal(&group.expr),
        Expr::Paren(paren) => literal(&paren.expr),
        _ => None,
    }
}

/// Rejects literals that are not a count.
fn count(value: &Expr, name: &str, help: &str) -> Result<Option<u64>, Misuse> {
    let refused = |message: String| Err(Misuse::new(Marked::tokens(value), message, help));
    match value {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => match number.base10_parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => refused(format!("`{name}` is larger than any count")),
        },
        Expr::Lit(_) => refused(format!("`{name}` is not a number")),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), .. }) => refused(format!("`{name}` is negative")),
        _ => Ok(None),
    }
}

fn time(value: &Expr) -> Result<Duration, Misuse> {
    let help = "write a number and a unit: `time = \"50ms\"`, `\"1.5s\"`, `\"200us\"`";
    let Expr::Lit(ExprLit { lit: Lit::Str(written), .. }) = value else {
        return Err(Misuse::new(Marked::tokens(value), "`time` is not a duration in quotes", help));
    };
    match duration(&written.value()) {
        Some(Duration::ZERO) => Err(Misuse::new(written.span(), "`time` leaves no time for any query", help)),
        Some(duration) => Ok(duration),
        None => Err(Misuse::new(written.span(), format!("`{}` is not a duration", written.value()), help)),
    }
}

/// Parses `50ms`, `1.5 s`, `200us`, `1m`.
fn duration(written: &str) -> Option<Duration> {
    let written = written.trim();
    let unit_at = written.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = written.split_at_checked(unit_at)?;
    let seconds = match unit.trim_start() {
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()
}

const ALLOW: &str = "write `#[allow(missing_limit = \"admin export\")]`";

/// The items of an `#[allow(..)]`; `None` for another attribute.
pub(crate) fn metas_of_allow(attribute: &Attribute) -> Option<syn::Result<Vec<Meta>>> {
    if !attribute.path().is_ident("allow") {
        return None;
    }
    let metas = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    Some(metas.map(|metas| metas.into_iter().collect()))
}

/// Rejects an attribute before the SQL that is not `#[allow(..)]`, and an `#[allow(..)]` that cannot be
/// parsed.
pub(crate) fn before_sql(attribute: &Attribute) -> Result<(), Misuse> {
    let Some(metas) = metas_of_allow(attribute) else {
        return Err(Misuse::new(Marked::tokens(attribute), "only `#[allow(..)]` may precede the SQL", ALLOW));
    };
    for meta in metas.map_err(|error| Misuse::from_syn(&error, ALLOW))? {
        match &meta {
            Meta::Path(_) => {}
            Meta::NameValue(MetaNameValue { value: Expr::Lit(ExprLit { lit: Lit::Str(_), .. }), .. }) => {}
            Meta::NameValue(pair) => {
                return Err(Misuse::new(
                    Marked::tokens(&pair.value),
                    "the reason is not a string literal",
                    ALLOW,
                ));
            }
            Meta::List(list) => {
                return Err(Misuse::new(Marked::tokens(list), "the reason is not written after `=`", ALLOW));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (written, milliseconds) in
            [("50ms", 50), ("1.5s", 1500), ("2 s", 2000), ("1m", 60_000), ("2000us", 2)]
        {
            assert_eq!(duration(written), Some(Duration::from_millis(milliseconds)), "{written}");
        }
        for written in
            ["", "ms", "50", "abc", "-1s", "1.2.3s", "5 parsecs", "1e400s", "9999999999999999999999s", "µ"]
        {
            assert_eq!(duration(written), None, "{written}");
        }
    }
}
