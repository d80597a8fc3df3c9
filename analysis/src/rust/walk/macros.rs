//! Macros that make no query themselves: their arguments are walked as far as they are Rust.

use proc_macro2::TokenTree;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, Token};

use super::expand;
use super::loops::Runs;
use super::macro_body::{self, MacroBody};
use super::sql_text::segments;
use super::{Queries, Walker};
use crate::rust::flow::{Callee, Flow};

impl Walker<'_> {
    pub(in crate::rust) fn macro_call(&mut self, mac: &syn::Macro) -> Queries {
        if let Some(queries) = self.expanded(mac) {
            return queries;
        }
        if let Some(site) = self.macro_site(mac) {
            return vec![site];
        }
        if let Some(queries) = self.driver_macro(mac) {
            return queries;
        }
        let path = segments(&mac.path);
        self.grow_by_macro(mac);
        if let Some(queries) = self.not_run(mac, &path) {
            return queries;
        }
        let mut queries = Queries::new();
        match self.goes_on() || self.rules_of(mac, &path).is_none() {
            true => queries = self.macro_body(mac),
            // How often such rules repeat their arguments is not followed any further.
            false => {
                let body = self.sequence(|walker| queries = walker.macro_body(mac));
                let written = format!("code passed to {}!", path.join("::"));
                self.keep(super::spans::of_path(&mac.path), written, body);
            }
        }
        // What a macro does with a query passed to it is unknown.
        for &query in &queries {
            self.sites.get_mut(query).into_iter().for_each(|site| site.arguments_complete = false);
        }
        if self.imports.may_query(&path) {
            // What its rules run is not followed.
            let text = format!("{}!", path.join("::"));
            let span = super::spans::of_path(&mac.path);
            self.emit_call(span, text.clone(), Callee::Path(vec![text]), true, 0);
        }
        let name = mac.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        // One of the project's own may do so.
        let is_own = self.imports.defines_macro(&name);
        if leaves(&name) && !is_own {
            self.here.flow.push(Flow::Return);
        } else if leaves(&name) || may_leave(&name) || self.imports.leaving_rules(&path).is_some() {
            self.here.flow.push(Flow::Try);
        }
        queries
    }

    /// The rules of a macro of the project's own that may run a query, or repeat one that is passed to it.
    fn rules_of(&self, mac: &syn::Macro, path: &[String]) -> Option<proc_macro2::TokenStream> {
        let given = || mac.tokens.clone().into_iter().any(|token| matches!(token, TokenTree::Group(_)));
        let repeating = || self.imports.repeating_rules(path).filter(|_| given());
        self.imports.querying_rules(path).or_else(repeating)
    }

    /// Whether macros are still followed here.
    fn goes_on(&self) -> bool {
        /// The maximum depth of macros that use each other in their rules.
        const MAX_MACRO_DEPTH: usize = 16;
        /// How many may come of one use.
        const MAX_MACROS: usize = 200;
        self.expanding.len() < MAX_MACRO_DEPTH && self.expansions < MAX_MACROS
    }

    /// Walks what a macro of the project's own expands to, where that may run a query; `None` if it is not such a macro, or its rules
    /// are not understood.
    fn expanded(&mut self, mac: &syn::Macro) -> Option<Queries> {
        if self.expanding.is_empty() {
            self.expansions = 0;
        }
        let path = segments(&mac.path);
        let rules = self.rules_of(mac, &path).or_else(|| self.imports.leaving_rules(&path));
        let rules = rules.filter(|_| self.goes_on())?;
        self.expansions += 1;
        let (at, written) = self
            .expanding
            .first()
            .cloned()
            .unwrap_or_else(|| (super::spans::of_path(&mac.path), format!("{}!", path.join("::"))));
        let tokens = expand::expand(&rules, &mac.tokens, at)?;
        let stmts = syn::Block::parse_within.parse2(tokens).ok()?;
        self.expanding.push((at, written));
        let queries = self.block(&syn::Block { brace_token: syn::token::Brace::default(), stmts });
        self.expanding.pop();
        Some(queries)
    }

    /// Handles a library's macro that does not run the code that it is given: it becomes a text or tokens, or names the
    /// function that a link is for, whose arguments alone are computed. `None` for other macros.
    fn not_run(&mut self, mac: &syn::Macro, path: &[String]) -> Option<Queries> {
        let full = self.imports.resolve(path);
        let name = full.last().filter(|name| !self.imports.defines_macro(name))?;
        match name.as_str() {
            "stringify" | "quote" | "quote_spanned" | "parse_quote" | "parse_quote_spanned" => {}
            // Of Rocket.
            "uri" => {
                let parts =
                    Punctuated::<Expr, Token![,]>::parse_terminated.parse2(mac.tokens.clone()).ok()?;
                for part in &parts {
                    match part {
                        Expr::Call(link) => drop(self.arguments(link.args.iter(), &Runs::Once)),
                        part => drop(self.expr(part)),
                    }
                }
            }
            _ => return None,
        }
        Some(Queries::new())
    }

    /// Walks the arguments of a macro, as far as they are Rust.
    pub(in crate::rust) fn macro_body(&mut self, mac: &syn::Macro) -> Queries {
        let mut queries = Queries::new();
        // Without a delimiter inside there is no call, and without `?` no early exit.
        let calls = mac.tokens.clone().into_iter().any(|token| match token {
            TokenTree::Group(_) => true,
            TokenTree::Punct(punct) => punct.as_char() == '?',
            _ => false,
        });
        if !calls {
            return queries;
        }
        let name = mac.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        match macro_body::read(mac.tokens.clone(), &name) {
            MacroBody::Expressions(expressions) if matches!(name.as_str(), "join" | "try_join") => {
                for (position, future) in expressions.iter().enumerate() {
                    let flow = self.sequence(|walker| walker.awaited(future));
                    // An error of one may come before the next begins.
                    self.emit(if name == "join" || position == 0 { flow } else { flow.maybe() });
                }
            }
            MacroBody::Expressions(expressions) => {
                queries = self.arguments(expressions.iter(), &Runs::Once);
            }
            MacroBody::Statements(statements) => {
                let brace_token = syn::token::Brace::default();
                self.block(&syn::Block { brace_token, stmts: statements });
            }
            MacroBody::Arms(arms) => self.select(&arms),
            MacroBody::Pieces(pieces, lost) => {
                pieces.iter().for_each(|piece| drop(self.expr(piece)));
                if lost {
                    self.unparsed_macros += 1;
                }
            }
        }
        queries
    }

    /// `select!`: all futures start, one handler runs.
    fn select(&mut self, arms: &[macro_body::Arm]) {
        for arm in arms {
            let flow = self.sequence(|walker| {
                arm.condition.iter().chain(&arm.future).for_each(|part| walker.awaited(part));
            });
            self.emit(flow.maybe());
        }
        let handlers = arms
            .iter()
            .map(|arm| {
                self.sequence(|walker| {
                    walker.scoped(|walker| {
                        arm.pattern.iter().for_each(|pattern| walker.bind(pattern));
                        walker.expr(&arm.handler);
                    });
                })
            })
            .collect();
        self.emit_branch(handlers);
    }
}

/// Whether a library's macro of this name always leaves the function.
pub(super) fn leaves(name: &str) -> bool {
    matches!(name, "bail" | "panic" | "unreachable" | "todo" | "unimplemented")
}

/// Whether a library's macro of this name leaves the function where a condition does not hold: `ensure!(n > 0)`.
pub(super) fn may_leave(name: &str) -> bool {
    name.starts_with("ensure") || matches!(name, "whatever" | "ready")
}

/// Whether the rules of a macro may leave the function that uses it: by `return`, `?`, or a macro that does so.
pub(super) fn may_leave_by(rules: &proc_macro2::TokenStream) -> bool {
    let tokens: Vec<TokenTree> = rules.clone().into_iter().collect();
    let is = |at: Option<usize>, sign: char| {
        let token = at.and_then(|at| tokens.get(at));
        matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
    };
    // `$(..)?` and `$(..),?` are repeated at most once.
    let is_repeated = |group: Option<usize>| {
        let begins = group.and_then(|group| group.checked_sub(1));
        matches!(group.and_then(|at| tokens.get(at)), Some(TokenTree::Group(_))) && is(begins, '$')
    };
    let is_repetition = |at: usize| is_repeated(at.checked_sub(1)) || is_repeated(at.checked_sub(2));
    tokens.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Group(group) => may_leave_by(&group.stream()),
        TokenTree::Ident(name) if name == "return" => true,
        TokenTree::Ident(name) => {
            let name = name.to_string();
            is(Some(at + 1), '!') && (name == "bail" || may_leave(&name))
        }
        TokenTree::Punct(punct) => punct.as_char() == '?' && !is_repetition(at),
        TokenTree::Literal(_) => false,
    })
}
