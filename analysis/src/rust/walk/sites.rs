//! Creates the site of a macro or call that makes a query.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprCall, ExprLit, ExprMethodCall, ExprPath, Lit, Stmt, Token, Type};

use super::Walker;
use super::allows;
use super::built;
use super::elsewhere::Position;
use super::excerpt::written;
use super::fresh::yields_new;
use super::loops::Runs;
use super::purpose;
use super::spans;
use super::sql_text::{self, segments};
use super::variables;
use crate::rust::flow::Flow;
use crate::rust::lex::literal;
use crate::rust::place_at;
use crate::rust::query_names::{self, MacroForm};
use crate::rust::site::{Argument, Built, Call, Form, Site, SiteSql};

impl Walker<'_> {
    /// The site of `sql!`, `query_as!` and related macros; `None` for other macros.
    pub(in crate::rust) fn macro_site(&mut self, mac: &syn::Macro) -> Option<usize> {
        let path = segments(&mac.path);
        let Some(form) = query_names::macro_form(&self.imports, &path) else {
            return self.wrapper_site(mac, &path);
        };
        let parsed = (|input: ParseStream<'_>| MacroArguments::parse(input, form)).parse2(mac.tokens.clone());
        let Ok(arguments) = parsed else {
            // It is a query whose arguments cannot be parsed: it counts as built at run time.
            if form.by_name_only || is_rule(&mac.tokens) {
                return None;
            }
            self.unparsed_macros += 1;
            return Some(self.site(&mac.path, &path, form.form, SiteSql::Dynamic, Vec::new(), false));
        };
        let mut sql = sql_text::text(&arguments.sql, self);
        if form.file
            && let SiteSql::Literal(literal) = &sql
        {
            sql = SiteSql::File(literal.text.to_string());
        }
        let looks_right = match &sql {
            SiteSql::Literal(literal) => query_names::looks_like_sql(&literal.text),
            SiteSql::File(path) => path.ends_with(".sql"),
            SiteSql::Dynamic => false,
        };
        let is_of_rules = sql == SiteSql::Dynamic && is_rule(&mac.tokens);
        if form.by_name_only && !looks_right || is_of_rules {
            return None;
        }
        self.arguments(arguments.rows.iter().chain(&arguments.bound), &Runs::Once);
        let bound = arguments.bound.iter().map(|value| argument_of(value, self)).collect();
        let index = self.site(&mac.path, &path, form.form, sql, bound, arguments.complete);
        let inner = allows::of_attributes(&arguments.attributes, true, &self.file);
        self.allows.extend(inner.iter().cloned());
        if let Some(site) = self.sites.get_mut(index) {
            site.allows.extend(inner);
            site.row = arguments.row.as_ref().map(written).unwrap_or_default();
        }
        Some(index)
    }

    /// The site of a macro of the project that expands to a query, if its arguments are simple: values and
    /// types separated by commas, one of which is a text of SQL. The values after it are its arguments.
    fn wrapper_site(&mut self, mac: &syn::Macro, path: &[String]) -> Option<usize> {
        if !self.imports.wraps_query(path) {
            return None;
        }
        let rules = self.imports.rules(path);
        let plain = Punctuated::<Plain, Token![,]>::parse_terminated.parse2(mac.tokens.clone()).ok()?;
        let values: Vec<&Expr> = plain.iter().filter_map(|it| it.0.as_ref()).collect();
        let texts: Vec<SiteSql> = values.iter().map(|value| sql_text::text(value, self)).collect();
        let is_sql =
            |text: &SiteSql| matches!(text, SiteSql::Literal(sql) if query_names::looks_like_sql(&sql.text));
        let at = texts.iter().position(is_sql);
        let of_rules = || {
            rules.as_ref()?.sql.as_ref().and_then(|sql| literal::read(sql, &self.file)).map(SiteSql::Literal)
        };
        let sql = match at {
            _ if rules.as_ref().is_some_and(|rules| rules.joins) => SiteSql::Dynamic,
            Some(at) => texts.into_iter().nth(at)?,
            None => of_rules()?,
        };
        self.arguments(values.iter().copied(), &Runs::Once);
        let bound =
            values.iter().skip(at.map_or(0, |at| at + 1)).map(|value| argument_of(value, self)).collect();
        let index = self.site(&mac.path, path, Form::SqlxMacro, sql, bound, false);
        // A query that the rules run is run by the macro call.
        if let (Some(method), Some(site)) = (rules.and_then(|it| it.method), self.sites.get_mut(index)) {
            site.call = Some(Call { method, place: site.place.clone(), ..Call::default() });
        }
        Some(index)
    }

    /// The site of `sqlx::query(..)` and related functions.
    pub(in crate::rust) fn function_site(
        &mut self,
        function: &ExprPath,
        node: &ExprCall,
        with_arguments: bool,
    ) -> usize {
        let sql = node.args.first().map_or(SiteSql::Dynamic, |sql| sql_text::text(sql, self));
        let path = segments(&function.path);
        // A schema per iteration: the rest of the loop works on other tables than in the previous iteration.
        let sets_schema = node.args.first().is_some_and(|sql| written(sql).contains("search_path"));
        if let Some(around) = self.here.loops.last_mut().filter(|_| sets_schema) {
            around.exempt = around.exempt.or(Some(purpose::DATABASES));
        }
        let built = node.args.first().and_then(|sql| built::of(sql, self));
        let is_unknown = sql == SiteSql::Dynamic && built.is_none();
        let index = self.site(&function.path, &path, Form::SqlxFunction, sql, Vec::new(), !with_arguments);
        if let (Some(text), Some(site)) =
            (node.args.first().filter(|_| is_unknown), self.sites.get_mut(index))
        {
            site.text_names = variables::mentions(text);
        }
        self.note_built(index, built)
    }

    pub(super) fn note_built(&mut self, index: usize, built: Option<Built>) -> usize {
        if let Some(site) = self.sites.get_mut(index) {
            site.built = built;
        }
        index
    }

    /// The site of `QueryBuilder::new(..)`, with its initial text until more is pushed.
    pub(in crate::rust) fn builder_site(&mut self, function: &ExprPath, node: &ExprCall) -> usize {
        let path = segments(&function.path);
        let plain = path.last().is_some_and(|last| last == "new");
        let sql = match node.args.first() {
            Some(sql) if plain => sql_text::text(sql, self),
            _ => SiteSql::Dynamic,
        };
        let built = node.args.first().filter(|_| plain).and_then(|sql| built::of(sql, self));
        let index = self.site(&function.path, &path, Form::SqlxFunction, sql, Vec::new(), plain);
        self.make(index, false);
        self.note_built(index, built)
    }

    /// The site of `pool.execute("…")`.
    pub(in crate::rust) fn executor_site(
        &mut self,
        node: &ExprMethodCall,
        method: &str,
        sql: SiteSql,
    ) -> usize {
        let place = place_at(&self.file, node.method.span().start());
        let line = spans::of(&node.receiver).start().line;
        self.push_site(place, line, method.to_owned(), Form::SqlxFunction, sql, Vec::new(), true)
    }

    /// The site of another driver's method that takes SQL.
    pub(in crate::rust) fn driver_site(
        &mut self,
        node: &ExprMethodCall,
        method: &str,
        sql: SiteSql,
        arguments: Vec<Argument>,
        is_complete: bool,
    ) -> usize {
        let place = place_at(&self.file, node.method.span().start());
        let line = spans::of(&node.receiver).start().line;
        self.push_site(place, line, method.to_owned(), Form::Driver, sql, arguments, is_complete)
    }

    /// The site of another driver's function, struct or macro that takes SQL.
    pub(in crate::rust) fn text_site(
        &mut self,
        at: &syn::Path,
        path: &[String],
        sql: SiteSql,
        arguments: Vec<Argument>,
        is_complete: bool,
    ) -> usize {
        self.site(at, path, Form::Driver, sql, arguments, is_complete)
    }

    fn site(
        &mut self,
        path: &syn::Path,
        names: &[String],
        form: Form,
        sql: SiteSql,
        arguments: Vec<Argument>,
        complete: bool,
    ) -> usize {
        let start = spans::of_path(path).start();
        let bang = if matches!(form, Form::SqlxFunction | Form::Driver) { "" } else { "!" };
        let written = format!("{}{bang}", names.join("::"));
        self.push_site(place_at(&self.file, start), start.line, written, form, sql, arguments, complete)
    }

    #[expect(clippy::too_many_arguments, reason = "the one place where a site is put together")]
    fn push_site(
        &mut self,
        place: crate::finding::Place,
        line: usize,
        written: String,
        form: Form,
        sql: SiteSql,
        arguments: Vec<Argument>,
        arguments_complete: bool,
    ) -> usize {
        // The values bound to a query outside of the macro that expands to it are not known.
        let arguments_complete = arguments_complete && self.expanding.is_empty();
        let made_by = self.expanding.first().filter(|(at, _)| place_at(&self.file, at.start()) == place);
        let written = made_by.map_or(written, |(_, name)| name.clone());
        let mut allows = self.allows_at([u32::try_from(line).unwrap_or(0), place.line]);
        if let SiteSql::Literal(literal) = &sql {
            let mut lines: Vec<u32> = literal
                .parts
                .iter()
                .filter(|(_, part)| part.file == self.file)
                .map(|(_, part)| part.line)
                .collect();
            lines.dedup();
            for allow in lines.into_iter().flat_map(|line| self.comments.of_text(line)) {
                if !allows.contains(allow) {
                    allows.push(allow.clone());
                }
            }
        }
        let index = self.sites.len();
        let path = self.here.path.clone();
        let site = Site::new(place, form, written, sql, (arguments, arguments_complete), path);
        self.sites.push(Site { loops: self.loops_of_site(), allows, in_test: self.in_test, ..site });
        self.here.flow.push(Flow::Query(index));
        index
    }
}

/// A value that is bound, with what is known of its text.
pub(super) fn argument_of(value: &Expr, around: &Walker<'_>) -> Argument {
    Argument { is_infix: is_infix(value, around), ..argument(value) }
}

/// Whether a text begins with the wildcard of LIKE: `format!("%{name}%")`, or a variable that holds such.
pub(super) fn is_infix(value: &Expr, around: &Walker<'_>) -> bool {
    let held = |name: &String| around.here.locals.get(name).is_some_and(|local| local.is_infix);
    super::latches::whole(value).as_ref().is_some_and(held)
        || built::at(value, Position::here(around), 0).is_some_and(|text| text.begin.starts_with('%'))
}

/// A value that is bound.
pub(super) fn argument(value: &Expr) -> Argument {
    let mentions = variables::mentions(value);
    let is_constant = variables::mentions_of_constant(value).is_some();
    let is_new = !is_constant && yields_new(value, &mentions);
    Argument {
        written: written(value),
        mentions,
        is_constant,
        is_new,
        is_none: is_none(value),
        is_infix: false,
    }
}

/// Whether a value is `None`, with or without a type.
fn is_none(value: &Expr) -> bool {
    match value {
        Expr::Path(path) => path.path.segments.last().is_some_and(|segment| segment.ident == "None"),
        Expr::Cast(cast) => is_none(&cast.expr),
        Expr::Reference(reference) => is_none(&reference.expr),
        Expr::Paren(paren) => is_none(&paren.expr),
        Expr::Group(group) => is_none(&group.expr),
        _ => false,
    }
}

/// Whether tokens are in the rules of a macro, where `$sql` is unknown: its uses count instead.
fn is_rule(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '$'))
}

/// A value, or `None` for a type.
struct Plain(Option<Expr>);

impl Parse for Plain {
    fn parse(input: ParseStream<'_>) -> syn::Result<Plain> {
        let ahead = input.fork();
        if ahead.parse::<Expr>().is_ok() && (ahead.is_empty() || ahead.peek(Token![,])) {
            return Ok(Plain(Some(input.parse()?)));
        }
        input.parse::<Type>().map(|_| Plain(None))
    }
}

/// The arguments of a query macro.
struct MacroArguments {
    attributes: Vec<Attribute>,
    /// The type of the rows.
    row: Option<Type>,
    sql: Expr,
    /// The expression that yields the rows, for a query of many rows.
    rows: Option<Expr>,
    bound: Vec<Expr>,
    /// Whether all arguments could be parsed.
    complete: bool,
}

impl MacroArguments {
    fn parse(input: ParseStream<'_>, form: MacroForm) -> syn::Result<MacroArguments> {
        let attributes = input.call(Attribute::parse_outer)?;
        let mut row = None;
        if form.typed || form.form == Form::Checked && type_comes_first(input) {
            row = Some(input.parse()?);
            input.parse::<Token![,]>()?;
        }
        let sql = sql_expression(input)?;
        let mut arguments =
            MacroArguments { attributes, row, sql, rows: None, bound: Vec::new(), complete: true };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            match input.parse() {
                Ok(rows) if input.peek(Token![=>]) => {
                    input.parse::<Token![=>]>()?;
                    arguments.rows = Some(rows);
                    let values = input.parse::<Expr>().ok().and_then(values_of_row);
                    arguments.complete &= values.is_some();
                    arguments.bound.extend(values.into_iter().flatten());
                }
                Ok(expression) => arguments.bound.push(expression),
                Err(_) => {
                    // The rest has a custom syntax; the query is known all the same.
                    arguments.complete = false;
                    input.parse::<TokenStream>()?;
                }
            }
        }
        Ok(arguments)
    }
}

/// The values that a closure returns for a row: the elements of its tuple, or its single value.
fn values_of_row(closure: Expr) -> Option<Vec<Expr>> {
    let Expr::Closure(closure) = closure else { return None };
    let mut value = *closure.body;
    loop {
        value = match value {
            Expr::Tuple(tuple) => return Some(tuple.elems.into_iter().collect()),
            Expr::Paren(paren) => *paren.expr,
            Expr::Block(mut block) => match block.block.stmts.pop()? {
                Stmt::Expr(value, None) => value,
                _ => return None,
            },
            value => return Some(vec![value]),
        };
    }
}

/// Whether the column type precedes the SQL, as it may in `sql_scalar!`.
fn type_comes_first(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    input.cursor().literal().is_none() && ahead.parse::<Type>().is_ok() && ahead.peek(Token![,])
}

/// The SQL. A lone literal, the usual case, is taken directly: the parser would read it several times.
fn sql_expression(input: ParseStream<'_>) -> syn::Result<Expr> {
    let is_alone = input
        .cursor()
        .literal()
        .is_some_and(|(_, rest)| rest.eof() || rest.punct().is_some_and(|(next, _)| next.as_char() == ','));
    match is_alone {
        true => Ok(Expr::Lit(ExprLit { attrs: Vec::new(), lit: Lit::Verbatim(input.parse()?) })),
        false => Expr::parse(input),
    }
}
