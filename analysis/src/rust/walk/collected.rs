//! Queries that are collected first and run later, and queries passed to a function that runs them.

use proc_macro2::Span;
use syn::{Expr, ExprMethodCall, Pat};

use super::handed::variable;
use super::{Queries, Walker};
use crate::rust::methods::{Yields, yields};
use crate::rust::place_at;
use crate::rust::query_names::is_executor;
use crate::rust::site::{Call, SiteSql};

impl Walker<'_> {
    /// The queries that a value has made since the site `first` and not run:
    /// `ids.iter().map(|id| query(..))`.
    pub(super) fn made_since(&self, first: usize, value: &Expr) -> Queries {
        if !matches!(value, Expr::MethodCall(_)) {
            return self.collected_in(value);
        }
        let made = (first..self.sites.len())
            .filter(|site| self.sites.get(*site).is_some_and(|it| it.call.is_none()));
        let made: Queries = made.collect();
        if made.is_empty() { self.collected_in(value) } else { made }
    }

    /// Adds queries to the collection that a method is called on: `queries.push(query(..))`.
    pub(super) fn collect(&mut self, node: &ExprMethodCall, queries: &[usize]) {
        let adds = yields(&node.method.to_string()) == Some(Yields::Growth) || node.method == "add";
        let collection = variable(&node.receiver).filter(|_| adds && !queries.is_empty());
        if let Some(local) = collection.and_then(|name| self.here.locals.get_mut(&name)) {
            local.collected.extend(queries);
        }
    }

    /// The queries in a collection, by reference or by iterator.
    pub(super) fn collected_in(&self, collection: &Expr) -> Queries {
        match collection {
            Expr::Reference(inner) => self.collected_in(&inner.expr),
            Expr::Paren(inner) => self.collected_in(&inner.expr),
            Expr::Try(inner) => self.collected_in(&inner.expr),
            Expr::MethodCall(call) => self.collected_in(&call.receiver),
            Expr::Call(call) if call.args.len() == 1 => {
                call.args.first().map(|inner| self.collected_in(inner)).unwrap_or_default()
            }
            Expr::Path(path) => {
                let local = path.path.get_ident().and_then(|name| self.here.locals.get(&name.to_string()));
                local.map(|local| local.collected.clone()).unwrap_or_default()
            }
            _ => Queries::new(),
        }
    }

    /// Assigns the queries of a value to the variables of its pattern, which are in scope already.
    pub(super) fn take_queries(&mut self, pattern: &Pat, queries: Queries) {
        if queries.is_empty() {
            return;
        }
        match pattern {
            Pat::Ident(name) => {
                if let Some(local) = self.here.locals.get_mut(&name.ident.to_string()) {
                    local.queries = queries;
                }
            }
            Pat::TupleStruct(node) => {
                node.elems.iter().for_each(|element| self.take_queries(element, queries.clone()));
            }
            // It is preceded by the number of a query, or its key.
            Pat::Tuple(node) => {
                node.elems.last().into_iter().for_each(|last| self.take_queries(last, queries.clone()));
            }
            Pat::Reference(node) => self.take_queries(&node.pat, queries),
            Pat::Type(node) => self.take_queries(&node.pat, queries),
            _ => {}
        }
    }

    /// Queries passed to a function: if it is awaited, it runs them, otherwise it may return them. What it
    /// does to a builder is unknown.
    pub(super) fn given<'e>(
        &mut self,
        queries: Queries,
        to: &str,
        span: Span,
        awaited: bool,
        arguments: impl Iterator<Item = &'e Expr>,
    ) -> Queries {
        let arguments: Vec<&Expr> = arguments.collect();
        let by_reference = arguments
            .iter()
            .any(|argument| matches!(argument, Expr::Reference(it) if it.mutability.is_some()));
        // A prepared statement may run in the function that it is passed to, and a builder in what is waited for.
        let is_run = |query: &usize| self.is_statement(*query) || awaited && self.made.contains_key(query);
        let queries = match queries.iter().all(is_run) {
            true => self.run_each(queries, &arguments),
            false => queries,
        };
        for &query in &queries {
            let Some(site) = self.sites.get_mut(query) else { continue };
            site.arguments_complete = false;
            if by_reference && site.written.contains("QueryBuilder") {
                site.sql = SiteSql::Dynamic;
            } else if awaited && site.call.is_none() && !is_executor(to) {
                let place = place_at(&self.file, span.start());
                site.call = Some(Call { method: to.to_owned(), place, ..Call::default() });
            }
        }
        if awaited { Queries::new() } else { queries }
    }

    /// Records that queries run in the function that they are passed to: each of the arguments, of which a
    /// variable may be one of several.
    fn run_each(&mut self, mut queries: Queries, arguments: &[&Expr]) -> Queries {
        let mut run = Queries::new();
        for argument in arguments {
            let local = variable(argument).and_then(|name| self.here.locals.get(&name));
            let Some(known) = local.map(|local| local.queries.clone()) else { continue };
            let (of_it, rest) = queries.into_iter().partition(|query| known.contains(query));
            queries = rest;
            run.extend(self.run_again(&of_it));
        }
        queries.into_iter().for_each(|query| run.extend(self.run_again(&[query])));
        run
    }
}
