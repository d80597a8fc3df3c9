//! Walks modules, `impl` blocks and functions, down to sites and functions; bodies are walked in `expressions`.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, Item};

use super::allows;
use super::expand;
use super::locals::Local;
use super::origin;
use super::outputs::listed;
use super::shape;
use super::signature;
use super::sql_text::{plain, segments};
use super::variables;
use super::{Owner, Walker};
use crate::rust::flow::Flow;
use crate::rust::function::{Bound, Function};
use crate::rust::graph::imports::{self, Macro, Rules};
use crate::rust::place_at;
use crate::rust::type_ref::{self, TypeRef};

impl<'f> Walker<'f> {
    /// Collects the constants and macros of a file before its code is walked, since they may be used above
    /// their definition.
    pub(in crate::rust) fn prepare(&mut self, items: &'f [Item], module: &mut Vec<String>) {
        for item in items {
            match item {
                Item::Const(item) => {
                    self.constants.define(module.clone(), item.ident.to_string(), &item.expr, false)
                }
                Item::Static(item) => {
                    self.constants.define(module.clone(), item.ident.to_string(), &item.expr, false)
                }
                Item::Fn(item) => self.output(module, &item.sig, &item.block, None),
                Item::Macro(item) => {
                    if let Some(name) = &item.ident {
                        let of = macro_of(item.mac.tokens.clone(), self.imports.aliases());
                        self.imports.define_macro(name.to_string(), of);
                    }
                }
                Item::Use(item) => {
                    let renamed = imports::renamed(&item.tree);
                    renamed.iter().for_each(|(name, new)| self.imports.rename_macro(name, new));
                }
                Item::Mod(item) => {
                    if let Some((_, items)) = &item.content {
                        module.push(plain(&item.ident));
                        self.prepare(items, module);
                        module.pop();
                    }
                }
                Item::Impl(item) => {
                    module.push(type_name(&item.self_ty));
                    for inner in &item.items {
                        match inner {
                            syn::ImplItem::Const(inner) => {
                                self.constants.define(
                                    module.clone(),
                                    inner.ident.to_string(),
                                    &inner.expr,
                                    true,
                                );
                            }
                            syn::ImplItem::Fn(inner) => {
                                self.output(module, &inner.sig, &inner.block, Some(&item.generics));
                            }
                            _ => {}
                        }
                    }
                    module.pop();
                }
                _ => {}
            }
        }
    }

    /// Walks the items of a file or module.
    pub(in crate::rust) fn module(&mut self, items: &[Item]) {
        self.imports.enter(true, items.iter());
        self.declare(items);
        items.iter().for_each(|item| self.item(item));
        self.imports.leave();
    }

    /// Walks one item.
    pub(in crate::rust) fn item(&mut self, item: &Item) {
        match item {
            Item::Fn(item) => self.function(&item.attrs, &item.sig, Some(&item.block)),
            Item::Mod(item) => {
                if let Some((_, items)) = &item.content {
                    let was_test = self.enter_test(&item.attrs);
                    self.module.push(plain(&item.ident));
                    self.module(items);
                    self.module.pop();
                    self.in_test = was_test;
                }
            }
            Item::Impl(item) => {
                let was_test = self.enter_test(&item.attrs);
                let parameters = type_ref::parameters(&item.generics, &self.imports);
                let parameters = std::mem::replace(&mut self.parameters, parameters);
                let constants = item.generics.const_params().map(|it| it.ident.to_string()).collect();
                let constants = std::mem::replace(&mut self.const_parameters, constants);
                let owner = Owner {
                    name: Some(type_name(&item.self_ty)),
                    ty: self.type_ref(&item.self_ty),
                    implements: item.trait_.as_ref().map(|(path, _)| self.imports.resolve(&segments(path))),
                };
                let outer = std::mem::replace(&mut self.owner, owner);
                for inner in &item.items {
                    match inner {
                        syn::ImplItem::Fn(inner) => {
                            self.function(&inner.attrs, &inner.sig, Some(&inner.block))
                        }
                        syn::ImplItem::Const(inner) => self.value(&inner.expr),
                        _ => {}
                    }
                }
                self.owner = outer;
                self.parameters = parameters;
                self.const_parameters = constants;
                self.in_test = was_test;
            }
            Item::Trait(item) => {
                let was_test = self.enter_test(&item.attrs);
                let name = plain(&item.ident);
                let ty = TypeRef::Implements(vec![vec![name.clone()]]);
                let owner = Owner { name: Some(name), ty, implements: None };
                let outer = std::mem::replace(&mut self.owner, owner);
                for inner in &item.items {
                    if let syn::TraitItem::Fn(inner) = inner {
                        self.function(&inner.attrs, &inner.sig, inner.default.as_ref());
                    }
                }
                self.owner = outer;
                self.in_test = was_test;
            }
            Item::Const(item) => self.value(&item.expr),
            Item::Static(item) => self.value(&item.expr),
            Item::Macro(item) => {
                let flow = std::mem::take(&mut self.here.flow);
                self.macro_body(&item.mac);
                self.here.flow = flow;
            }
            _ => {}
        }
    }

    /// Walks the value of a constant, which may contain closures.
    fn value(&mut self, value: &syn::Expr) {
        let flow = std::mem::take(&mut self.here.flow);
        self.expr(value);
        self.here.flow = flow;
    }

    fn enter_test(&mut self, attributes: &[Attribute]) -> bool {
        let was_test = self.in_test;
        self.in_test |= attributes.iter().any(is_test);
        was_test
    }

    /// Walks a function, separately from the code around it.
    pub(in crate::rust) fn function(
        &mut self,
        attributes: &[Attribute],
        sig: &syn::Signature,
        body: Option<&syn::Block>,
    ) {
        let was_test = self.enter_test(attributes);
        let name = plain(&sig.ident);
        let outer_path = self.here.path.clone();
        // A nested function is not a method of the enclosing type.
        let owner = if outer_path.is_empty() { self.owner.clone() } else { Owner::default() };
        let owner = std::mem::replace(&mut self.owner, owner);
        let path = self.path_of(&outer_path, &name);
        let place = place_at(&self.file, sig.ident.span().start());
        let mut allowed = allows::of_attributes(attributes, false, &self.file);
        self.allows.extend(allowed.iter().cloned());
        let first = attributes.first().map_or(sig.fn_token.span, |attribute| attribute.pound_token.span);
        for line in [first.start().line, sig.fn_token.span.start().line] {
            let above = self.comments.above(u32::try_from(line).unwrap_or(0));
            let new: Vec<_> = above.iter().filter(|allow| !allowed.contains(allow)).cloned().collect();
            allowed.extend(new);
        }
        let mut parameters = self.parameters.clone();
        parameters.extend(type_ref::parameters(&sig.generics, &self.imports));
        let takes = type_ref::taken(sig, &self.imports, &parameters);
        let parameters = std::mem::replace(&mut self.parameters, parameters);
        let returns = match &sig.output {
            syn::ReturnType::Type(_, ty) => self.type_ref(ty),
            syn::ReturnType::Default => TypeRef::Unknown,
        };
        let outer = self.enter_function(path.clone(), allowed.clone());
        let kept_names = Rc::new(body.map(super::caches::Names::of_block).unwrap_or_default());
        self.here.kept_names = kept_names.clone();
        self.declare_inputs(sig);
        let mut flow = match body {
            Some(body) => self.sequence(|walker| {
                walker.block(body);
            }),
            None => Flow::EMPTY,
        };
        self.settle(&mut flow);
        let last_line = body.map_or(0, |body| body.brace_token.span.close().end().line);
        self.leave_function(outer);
        self.parameters = parameters;
        self.functions.push(Function {
            path,
            name,
            module: self.module.clone(),
            self_type: self.owner.name.clone(),
            owner: self.owner.ty.clone(),
            implements: self.owner.implements.clone(),
            returns,
            place,
            last_line: u32::try_from(last_line).unwrap_or(0),
            is_async: sig.asyncness.is_some() || type_ref::gives_future(&sig.output),
            has_body: body.is_some(),
            is_blank: body.is_some_and(|body| body.stmts.is_empty()),
            is_cached: super::caches::reads_through(attributes, body, &kept_names),
            changes: sig.inputs.iter().any(|input| self.is_changed(input)),
            runs_given: sig.inputs.iter().any(|input| self.is_code(input)),
            lists: body.and_then(listed).is_some(),
            inputs: variables::inputs(sig),
            takes,
            awaits: self.futures(sig),
            kept: body.map(|body| variables::kept(sig, body)).unwrap_or_default(),
            in_test: self.in_test,
            budget: attributes.iter().find_map(|attribute| signature::budget(attribute, &self.file)),
            allows: allowed,
            occasions: Vec::new(),
            bound: Bound::default(),
            flow: if flow.runs_something() { flow } else { Flow::EMPTY },
        });
        self.owner = owner;
        self.in_test = was_test;
    }

    /// The path of a function in this one, if it is in one, or in this module or type.
    fn path_of(&self, outer: &str, name: &str) -> Arc<str> {
        if !outer.is_empty() {
            return format!("{outer}::{name}").into();
        }
        let parents = self.module.iter().map(String::as_str).chain(self.owner.name.as_deref());
        parents.chain([name]).collect::<Vec<_>>().join("::").into()
    }

    /// The variables that the inputs of a function are, and its constants.
    fn declare_inputs(&mut self, sig: &syn::Signature) {
        // What a caller chooses hides the constants of the module.
        let constants = sig.generics.const_params().map(|it| it.ident.to_string());
        let constants: Vec<String> = self.const_parameters.iter().cloned().chain(constants).collect();
        constants.into_iter().for_each(|name| self.here.locals.push(Local::new(name, 0)));
        for (position, input) in sig.inputs.iter().enumerate() {
            if let syn::FnArg::Typed(input) = input {
                let parameter = matches!(*input.pat, syn::Pat::Ident(_)).then_some(position);
                for name in variables::bindings(&input.pat) {
                    self.here.locals.push(Local {
                        shape: shape::of_type(&input.ty),
                        parameter,
                        origins: vec![origin::of_parameter(input, position)],
                        ..Local::new(name, 0)
                    });
                }
                let ty = self.type_ref(&input.ty);
                self.type_pattern(&input.pat, ty);
            }
        }
    }
}

/// The name of a type, without references and generics.
fn type_name(ty: &syn::Type) -> String {
    match ty {
        syn::Type::Path(path) => path.path.segments.last().map(|last| plain(&last.ident)).unwrap_or_default(),
        syn::Type::Reference(reference) => type_name(&reference.elem),
        syn::Type::Paren(inner) => type_name(&inner.elem),
        syn::Type::Group(inner) => type_name(&inner.elem),
        _ => String::new(),
    }
}

/// A macro by its rules; `aliases` are names that make queries as well.
pub(in crate::rust) fn macro_of(rules: TokenStream, aliases: &HashSet<String>) -> Macro {
    let mut uses = Vec::new();
    used(&rules, &mut uses);
    let awaits = names_any(&rules, &|name| name == "await" || aliases.contains(name));
    let repeats = names_any(&rules, &|name| matches!(name, "for" | "while" | "loop" | "for_each" | "map"))
        || expand::uses_twice(&rules);
    Macro {
        query: rules_of(&rules),
        awaits,
        repeats,
        leaves: super::macros::may_leave_by(&rules),
        uses,
        rules,
    }
}

/// The macros that rules may use.
fn used(rules: &TokenStream, found: &mut Vec<String>) {
    let tokens: Vec<TokenTree> = rules.clone().into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match (token, tokens.get(at + 1)) {
            (TokenTree::Group(group), _) => used(&group.stream(), found),
            (TokenTree::Ident(name), Some(TokenTree::Punct(bang))) if bang.as_char() == '!' => {
                found.push(name.to_string());
            }
            _ => {}
        }
    }
}

/// What the rules of a macro reveal about the query that they expand to: `sqlx::query!(..)`,
/// `query_as(..).fetch_all(..)`.
fn rules_of(rules: &TokenStream) -> Option<Rules> {
    let mut found = None;
    read_rules(rules, &mut found);
    found
}

/// The argument that consists of a literal alone.
fn whole_text(arguments: TokenStream) -> Option<proc_macro2::Literal> {
    let is_comma = |token: Option<&TokenTree>| {
        token.is_none_or(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ','))
    };
    let tokens: Vec<TokenTree> = arguments.into_iter().collect();
    tokens.iter().enumerate().find_map(|(at, token)| match token {
        TokenTree::Literal(literal)
            if is_comma(tokens.get(at + 1)) && is_comma(at.checked_sub(1).and_then(|at| tokens.get(at))) =>
        {
            Some(literal.clone())
        }
        _ => None,
    })
}

/// Whether arguments concatenate a text: `$a + ".."`, `concat!($a, "..")`.
fn joins(arguments: TokenStream) -> bool {
    arguments.into_iter().any(|token| match token {
        TokenTree::Punct(punct) => punct.as_char() == '+',
        TokenTree::Ident(name) => name == "concat" || name == "format",
        _ => false,
    })
}

/// Whether the rules of a macro contain one of these names.
fn names_any(rules: &TokenStream, is_one: &dyn Fn(&str) -> bool) -> bool {
    rules.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => names_any(&group.stream(), is_one),
        TokenTree::Ident(name) => is_one(&name.to_string()),
        _ => false,
    })
}

fn read_rules(rules: &TokenStream, found: &mut Option<Rules>) {
    let tokens: Vec<TokenTree> = rules.clone().into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => read_rules(&group.stream(), found),
            TokenTree::Ident(name) => {
                let name = name.to_string();
                let next = tokens.get(at + 1);
                let arguments = tokens.iter().skip(at + 1).take(2).find_map(|token| match token {
                    TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Parenthesis => {
                        Some(group.stream())
                    }
                    _ => None,
                });
                let is_called = match next {
                    Some(TokenTree::Punct(punct)) => matches!(punct.as_char(), '!' | ':'),
                    Some(TokenTree::Group(_)) => arguments.is_some(),
                    _ => false,
                };
                if is_called && crate::rust::query_names::makes_query(&name) {
                    let rules = found.get_or_insert_default();
                    rules.joins |= arguments.clone().is_some_and(joins);
                    rules.sql = rules.sql.take().or_else(|| arguments.and_then(whole_text));
                } else if crate::rust::query_names::is_executor(&name)
                    && matches!(at.checked_sub(1).and_then(|at| tokens.get(at)), Some(TokenTree::Punct(dot)) if dot.as_char() == '.')
                    && let Some(rules) = found
                {
                    rules.method.get_or_insert(name);
                }
            }
            _ => {}
        }
    }
}

/// Whether an attribute makes an item test code: `#[test]`, `#[tokio::test]`, `#[cfg(test)]`.
fn is_test(attribute: &Attribute) -> bool {
    let Some(last) = attribute.path().segments.last() else { return false };
    match last.ident.to_string().as_str() {
        "test" | "rstest" | "bench" | "test_case" => true,
        "cfg" => attribute.meta.require_list().is_ok_and(|list| asks_for_test(list.tokens.clone())),
        _ => false,
    }
}

fn asks_for_test(tokens: TokenStream) -> bool {
    let mut negated = false;
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => {
            negated = ident == "not";
            ident == "test"
        }
        TokenTree::Group(group) => !std::mem::take(&mut negated) && asks_for_test(group.stream()),
        _ => false,
    })
}

/// Whether a path names test code: `tests/`, `benches/`, `src/tests.rs`. Directories above `src` do not
/// belong to the crate, and are ignored.
pub fn is_test_path(file: &str) -> bool {
    let mut parts = file.rsplit('/');
    let stem = parts.next().and_then(|name| name.strip_suffix(".rs"));
    let is_test = |part: &str| {
        matches!(part, "tests" | "benches" | "testing" | "test_utils" | "test_util" | "test_helpers")
    };
    stem.is_some_and(|stem| stem == "test" || is_test(stem))
        || parts.take_while(|part| *part != "src").any(is_test)
}
