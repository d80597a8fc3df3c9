//! The text of an expression: literals, `concat!`, `+`, constants, and text built at run time.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{BinOp, Expr, Lit, Token};

use super::elsewhere::{self, Position};
use crate::rust::lex::literal;
use crate::rust::methods::{Yields, yields};
use crate::rust::site::{SiteSql, SqlLiteral};

/// The maximum number of constants followed to a text.
const MAX_CONSTANTS: usize = 32;

/// What a file declares, by module and name: several of one path are for different ways to build it.
pub(in crate::rust) struct ByPath<T>(HashMap<Vec<String>, Vec<T>>);

impl<T> Default for ByPath<T> {
    fn default() -> ByPath<T> {
        ByPath(HashMap::new())
    }
}

/// The constants of a file, by module and name.
#[derive(Default)]
pub(in crate::rust) struct Constants<'f> {
    pub(in crate::rust) by_path: ByPath<&'f Expr>,
    /// By name alone, if the file has only one of that name.
    by_name: HashMap<String, Option<OfName<'f>>>,
    /// The paths of those that belong to a type or trait, which no name alone means.
    associated: HashSet<Vec<String>>,
}

/// The only constant of its name.
struct OfName<'f> {
    /// The module or type that has it.
    parent: Vec<String>,
    value: &'f Expr,
}

impl<'f> Constants<'f> {
    /// Adds a constant of a module, or of the type that `module` ends in.
    pub(in crate::rust) fn define(
        &mut self,
        mut module: Vec<String>,
        name: String,
        value: &'f Expr,
        is_associated: bool,
    ) {
        let only = OfName { parent: module.clone(), value };
        self.by_name.entry(name.clone()).and_modify(|known| *known = None).or_insert(Some(only));
        module.push(name);
        if is_associated {
            self.associated.insert(module.clone());
        }
        self.by_path.define(module, value);
    }

    /// The constant that a path names, resolved by the imports of the file and seen from `module` (which ends in the type, for
    /// `Self::NAME`).
    pub(in crate::rust) fn find(&self, file: &str, module: &[String], path: &[String]) -> Option<&'f Expr> {
        let name = path.last()?;
        for depth in (0..=module.len()).rev() {
            let here = module.get(..depth)?.iter().chain(path.iter().filter(|part| is_name(part)));
            let here: Vec<String> = here.cloned().collect();
            if path.len() == 1 && self.associated.contains(&here) {
                continue;
            }
            if let Some(value) = self.by_path.0.get(&here) {
                return value.last().copied();
            }
        }
        let OfName { parent, value } = self.by_name.get(name)?.as_ref()?;
        let is_associated =
            || self.associated.contains(&[parent.as_slice(), std::slice::from_ref(name)].concat());
        let is_it = match path.iter().nth_back(1).map(String::as_str) {
            // By a `*`, which shows no test's.
            None => !is_associated() && parent.last().is_none_or(|last| last != "tests"),
            Some("Self") => is_associated(),
            Some("self" | "super" | "crate") => parent.is_empty(),
            Some(owner) => match parent.last() {
                Some(parent) => parent == owner,
                None => module_of(file).is_some_and(|file| file.last() == Some(&owner)),
            },
        };
        is_it.then_some(*value)
    }
}

impl<T> ByPath<T> {
    pub(in crate::rust) fn define(&mut self, path: Vec<String>, value: T) {
        self.0.entry(path).or_default().push(value);
    }

    /// What a path certainly names, one for each way to build the file: seen from a module and the type or trait in it.
    pub(in crate::rust) fn certain(
        &self,
        file: &str,
        module: &[String],
        owner: Option<&str>,
        path: &[String],
    ) -> &[T] {
        let values = |path: &[String]| self.0.get(path).map_or(&[][..], Vec::as_slice);
        let Some((first, rest)) = path.split_first() else { return &[] };
        match first.as_str() {
            "Self" => match owner {
                Some(owner) => values(&[module, &[owner.to_owned()], rest].concat()),
                None => &[],
            },
            "self" => values(&[module, rest].concat()),
            "super" => match module.split_last() {
                Some((_, outer)) => match rest.first().is_some_and(|next| next == "super") {
                    true => self.certain(file, outer, owner, rest),
                    false => values(&[outer, rest].concat()),
                },
                None => &[],
            },
            "crate" => {
                let Some(file) = module_of(file) else { return &[] };
                let is_here = rest.len() >= file.len() && rest.iter().zip(&file).all(|(a, b)| a == b);
                if is_here { values(rest.get(file.len()..).unwrap_or_default()) } else { &[] }
            }
            _ => {
                let depths = (0..=module.len()).rev().filter_map(|depth| module.get(..depth));
                depths.map(|outer| values(&[outer, path].concat())).find(|it| !it.is_empty()).unwrap_or(&[])
            }
        }
    }
}

/// The module of its crate that a file is, judging by its path; `None` if that does not tell.
fn module_of(file: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    let (name, folders) = parts.split_last()?;
    match folders.iter().rposition(|folder| *folder == "src") {
        Some(src) => {
            let mut module = folders.get(src + 1..)?.to_vec();
            match (module.as_slice(), *name) {
                (["bin"], _) => return Some(Vec::new()),
                (["bin", ..], _) => return None,
                ([], "lib" | "main") | (_, "mod") => {}
                _ => module.push(name),
            }
            Some(module)
        }
        // Each of these, and a file that is read alone, is a crate.
        None => match folders.last() {
            None | Some(&("tests" | "benches" | "examples")) if *name != "mod" => Some(Vec::new()),
            _ => None,
        },
    }
}

fn is_name(part: &str) -> bool {
    !matches!(part, "self" | "Self" | "super" | "crate")
}

/// What is known at the position of an expression.
pub(in crate::rust) trait Surroundings {
    /// The text of a local variable; `None` if there is no such variable.
    fn local(&self, name: &str) -> Option<SiteSql>;
    /// The value of a constant.
    fn constant(&self, path: &[String]) -> Option<&Expr>;
    /// What a call gives of a function of the file, and where that is read; `None` if it is not known to be one expression.
    fn called(&self, call: &Expr) -> Option<(&Expr, Position<'_>)>;
    /// The display path of the file.
    fn file(&self) -> &Arc<str>;
    /// Whether a function of this name only rewrites the placeholders of the text that it is given.
    fn rewrites(&self, function: &str) -> bool;
}

/// The text of an expression that is used as SQL.
pub(in crate::rust) fn text(expression: &Expr, around: &dyn Surroundings) -> SiteSql {
    evaluate(expression, around, 0).unwrap_or(SiteSql::Dynamic)
}

fn evaluate(expression: &Expr, around: &dyn Surroundings, depth: usize) -> Option<SiteSql> {
    if depth > MAX_CONSTANTS {
        return None;
    }
    let next = |inner: &Expr| evaluate(inner, around, depth + 1);
    match expression {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Str(text) => literal::read(&text.token(), around.file()).map(SiteSql::Literal),
            Lit::Verbatim(text) => literal::read(text, around.file()).map(SiteSql::Literal),
            _ => None,
        },
        Expr::Reference(inner) => next(&inner.expr),
        Expr::Paren(inner) => next(&inner.expr),
        Expr::Group(inner) => next(&inner.expr),
        Expr::Block(block) => match block.block.stmts.as_slice() {
            [syn::Stmt::Expr(tail, None)] => next(tail),
            _ => None,
        },
        Expr::Path(path) => {
            let parts = segments(&path.path);
            if let [name] = parts.as_slice()
                && let Some(local) = around.local(name)
            {
                return Some(local);
            }
            next(around.constant(&parts)?)
        }
        Expr::Field(_) | Expr::Index(_) => next(elsewhere::named(expression, around)?),
        Expr::Unary(inner) if matches!(inner.op, syn::UnOp::Deref(_)) => next(&inner.expr),
        Expr::Macro(mac) => of_macro(&mac.mac, around, depth),
        Expr::Binary(binary) if matches!(binary.op, BinOp::Add(_)) => sum(binary, around, depth),
        Expr::Call(_) | Expr::MethodCall(_) if let Some(value) = elsewhere::made_once(expression) => {
            next(value)
        }
        Expr::Call(_) | Expr::MethodCall(_) if let Some((given, there)) = around.called(expression) => {
            evaluate(given, &there, depth + 1)
        }
        Expr::MethodCall(call) if call.args.is_empty() && keeps_text(&call.method) => next(&call.receiver),
        Expr::MethodCall(call) if let Some(separator) = separator(call) => {
            let separator = match separator {
                Some(separator) => only_literal(next(separator)?)?,
                None => literal::join([]),
            };
            let mut joined = Vec::new();
            for part in elsewhere::list(&call.receiver, around)? {
                let is_first = joined.is_empty();
                joined.extend((!is_first).then(|| separator.clone()));
                joined.push(only_literal(next(part)?)?);
            }
            Some(SiteSql::Literal(literal::join(joined)))
        }
        Expr::Call(call) if call.args.len() == 1 => {
            let Expr::Path(function) = call.func.as_ref() else { return None };
            let parts = segments(&function.path);
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            let wraps = matches!(
                parts.as_slice(),
                [.., "AssertSqlSafe"] | [.., "String", "from"] | [.., "SqlStr", "from_static"]
            );
            let rewrites = || match parts.as_slice() {
                [name] => around.local(name).is_none() && around.rewrites(name),
                [.., name] => around.rewrites(name),
                [] => false,
            };
            if wraps || rewrites() { next(call.args.first()?) } else { None }
        }
        _ => None,
    }
}

/// Whether a method gives the text that it is called on.
pub(super) fn keeps_text(method: &syn::Ident) -> bool {
    matches!(yields(&method.to_string()), Some(Yields::View | Yields::Copy | Yields::Text))
}

/// What joins the parts of a list, if a method does so: `[..].join(" ")`, `[..].concat()`.
pub(in crate::rust) fn separator(call: &syn::ExprMethodCall) -> Option<Option<&Expr>> {
    match (call.method.to_string().as_str(), call.args.len()) {
        ("join", 1) => Some(call.args.first()),
        ("concat", 0) => Some(None),
        _ => None,
    }
}

/// `"a" + "b" + "c"`: the left side is read without recursion.
fn sum(binary: &syn::ExprBinary, around: &dyn Surroundings, depth: usize) -> Option<SiteSql> {
    let mut literals = Vec::new();
    let mut left = binary;
    loop {
        literals.push(only_literal(evaluate(&left.right, around, depth + 1)?)?);
        match left.left.as_ref() {
            Expr::Binary(inner) if matches!(inner.op, BinOp::Add(_)) => left = inner,
            first => {
                literals.push(only_literal(evaluate(first, around, depth + 1)?)?);
                break;
            }
        }
    }
    literals.reverse();
    Some(SiteSql::Literal(literal::join(literals)))
}

fn of_macro(mac: &syn::Macro, around: &dyn Surroundings, depth: usize) -> Option<SiteSql> {
    let name = mac.path.segments.last()?.ident.to_string();
    if !matches!(name.as_str(), "concat" | "concatcp" | "indoc" | "include_str") {
        return None;
    }
    let arguments = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(mac.tokens.clone()).ok()?;
    match name.as_str() {
        "concat" | "concatcp" => {
            let literals: Option<Vec<SqlLiteral>> = arguments
                .iter()
                .map(|part| match part {
                    Expr::Lit(syn::ExprLit { lit: Lit::Int(number), .. }) => {
                        Some(SqlLiteral { text: number.base10_digits().into(), parts: Vec::new() })
                    }
                    part => only_literal(evaluate(part, around, depth + 1)?),
                })
                .collect();
            Some(SiteSql::Literal(literal::join(literals?)))
        }
        "indoc" if arguments.len() == 1 => {
            let literal = only_literal(evaluate(arguments.first()?, around, depth + 1)?)?;
            Some(SiteSql::Literal(unindent(&literal)))
        }
        "include_str" => match only_literal(evaluate(arguments.first()?, around, depth + 1)?)? {
            literal if arguments.len() == 1 => Some(SiteSql::File(literal.text.to_string())),
            _ => None,
        },
        _ => None,
    }
}

fn only_literal(text: SiteSql) -> Option<SqlLiteral> {
    match text {
        SiteSql::Literal(literal) => Some(literal),
        SiteSql::File(_) | SiteSql::Dynamic => None,
    }
}

/// What `indoc!` makes of a text: an empty first line is removed, and so is the indentation common to all
/// lines.
///
/// Places stay exact: each unindented line becomes a part of its own.
fn unindent(literal: &SqlLiteral) -> SqlLiteral {
    let lines: Vec<&str> = literal.text.split('\n').collect();
    let indent = lines
        .iter()
        .skip(1)
        .enumerate()
        .filter(|(index, line)| !line.trim().is_empty() || index + 2 == lines.len() && !line.is_empty())
        .map(|(_, line)| line.len() - line.trim_start_matches([' ', '\t']).len())
        .min()
        .unwrap_or(0);
    let mut kept = Vec::new();
    let mut at = 0;
    for (index, line) in lines.iter().enumerate() {
        let cut =
            if index == 0 { 0 } else { indent.min(line.len() - line.trim_start_matches([' ', '\t']).len()) };
        // The line break belongs to its line.
        let next = at + line.len() + 1;
        if index > 0 || !line.is_empty() || lines.len() == 1 {
            kept.push(literal.slice(at + cut..next.min(literal.text.len())));
        }
        at = next;
    }
    literal::join(kept)
}

/// The names of a path, without generic arguments.
pub(in crate::rust) fn segments(path: &syn::Path) -> Vec<String> {
    path.segments.iter().map(|segment| plain(&segment.ident)).collect()
}

/// A name without what makes a keyword one: `r#match` is the same as `match`, and `r#load` as `load`. `syn`'s own makes a second
/// identifier for it.
pub(in crate::rust) fn plain(ident: &syn::Ident) -> String {
    let name = ident.to_string();
    match name.strip_prefix("r#") {
        Some(plain) => plain.to_owned(),
        None => name,
    }
}
