//! The result of scanning a file, and the file's position in the workspace.

use std::collections::HashMap;
use std::sync::Arc;

use proc_macro2::Span;

use super::databases::NamedDatabases;
use super::function::{Bound, Function};
use super::occasions::Occasion;
use super::site::{Allow, Site};
use super::type_ref::TypeRef;
use super::walk::purpose;
use crate::finding::Place;

/// The result of scanning a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// The query sites, by place.
    pub sites: Vec<Site>,
    /// The functions, in the order in which they end.
    pub functions: Vec<Function>,
    /// All allows of the file, including those above no query.
    pub allows: Vec<Allow>,
    /// The number of macros whose bodies mention queries and could not be parsed.
    pub unparsed_macros: usize,
    /// What the file declares and imports.
    pub items: Vec<ModuleItems>,
    /// The databases that it names.
    pub databases: NamedDatabases,
}

impl Scan {
    /// The site whose macro or call starts at this line and column, both counted from 1 as in [`Place`].
    pub fn site_at(&self, line: u32, column: u32) -> Option<&Site> {
        self.sites.iter().find(|site| site.place.line == line && site.place.column == column)
    }

    /// The function whose name is at this line and column, both counted from 1.
    pub fn function_at(&self, line: u32, column: u32) -> Option<&Function> {
        self.functions.iter().find(|function| function.place.line == line && function.place.column == column)
    }
}

/// A type parameter, with its trait bounds.
pub type Generic = (String, Vec<Vec<String>>);

/// The declarations and imports of one module of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleItems {
    /// The module's path inside the file; empty for the file itself.
    pub module: Vec<String>,
    /// Imported names with their paths.
    pub uses: Vec<(String, Vec<String>)>,
    /// Paths imported with `*`.
    pub globs: Vec<Vec<String>>,
    /// Functions named like one that makes a query, where only names are read.
    pub functions: Vec<String>,
    /// Structs with the types of their fields, and enums with those of their variants: `Pg::0`.
    pub types: Vec<(String, Vec<(String, TypeRef)>)>,
    /// Generic structs: their type parameters in order, with trait bounds.
    pub generics: Vec<(String, Vec<Generic>)>,
    /// Type aliases.
    pub aliases: Vec<(String, TypeRef)>,
    /// Traits, with their supertraits.
    pub traits: Vec<(String, Vec<Vec<String>>)>,
    /// `impl<T: A> B for T`: the required traits, and the implemented one.
    pub blankets: Vec<(Vec<Vec<String>>, Vec<String>)>,
    /// Types with the traits that are implemented for them.
    pub implemented: Vec<(TypeRef, Vec<String>)>,
    /// Types with their `Deref` targets.
    pub derefs: Vec<(TypeRef, TypeRef)>,
    /// The associated types of traits that are implemented, and what traits ask of those that they declare.
    pub associated: Vec<AssociatedType>,
    /// Types whose methods of a trait are those of the values in them, with the types of these: enums of `enum_dispatch`.
    pub dispatched: Vec<(String, Vec<TypeRef>)>,
}

/// An associated type of a type, or of what implements a trait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssociatedType {
    /// The type that implements the trait; in the trait's declaration, what implements it.
    pub of: TypeRef,
    /// The trait.
    pub of_trait: Vec<String>,
    /// Its name.
    pub name: String,
    /// What it is; in the trait's declaration, what is asked of it.
    pub ty: TypeRef,
}

/// One file of a workspace with its place in the module tree.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// An identifier of its crate, unique in the workspace.
    pub crate_name: String,
    /// The crates that its code can name, by their names in code: `docs_rs_database`.
    pub externs: Arc<HashMap<String, String>>,
    /// The file's module: `["db", "orders"]`; empty for `lib.rs` and `main.rs`.
    pub module: Vec<String>,
    /// The scan of the file.
    pub scan: Scan,
}

impl SourceFile {
    /// Sets the bounds of its functions, in their order.
    pub fn set_bounds(&mut self, bounds: Vec<Bound>) {
        for (function, bound) in self.scan.functions.iter_mut().zip(bounds) {
            function.bound = bound;
        }
    }

    /// Sets what following the calls has found out about its sites, each by its position.
    pub fn set_facts(&mut self, facts: Vec<(usize, SiteFact)>) {
        for (at, fact) in facts {
            let Some(site) = self.scan.sites.get_mut(at) else { continue };
            match fact {
                SiteFact::Aside(aside) => site.aside = Some(aside),
                SiteFact::Paged => site.is_paged = true,
                SiteFact::Kept(loops) => {
                    let outer = site.loops.iter_mut().take(loops);
                    outer.for_each(|around| around.exempt = around.exempt.or(Some(purpose::KEPT)));
                }
                SiteFact::Fixed(at) => {
                    let around = site.loops.get_mut(at);
                    around.into_iter().for_each(|it| it.exempt = it.exempt.or(Some(purpose::FIXED)));
                }
                SiteFact::Databases(at) => {
                    let around = site.loops.get_mut(at);
                    around.into_iter().for_each(|it| it.exempt = it.exempt.or(Some(purpose::DATABASES)));
                }
                SiteFact::Grows => site.grows = true,
                SiteFact::InTransaction => site.in_transaction = true,
                SiteFact::InSameIteration(statements) => site.in_same_iteration = statements,
                SiteFact::FollowUp(statements) => site.follow_up = statements,
                SiteFact::AtStart => site.occasions.push(Occasion::AtStart),
            }
        }
    }
}

/// What following the calls finds out about a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteFact {
    /// Why it is seldom worth a change in the loop that it is in.
    Aside(String),
    /// Its function is called page by page.
    Paged,
    /// A cache that is called in so many loops keeps what it reads.
    Kept(usize),
    /// The loop at this position goes through an array.
    Fixed(usize),
    /// The loop at this position works on a schema of its own in each iteration.
    Databases(usize),
    /// The loop around it goes through the rows of a query.
    Grows,
    /// It runs in a transaction.
    InTransaction,
    /// The texts of the other statements in the same iteration of the loop around it.
    InSameIteration(Vec<Option<Arc<str>>>),
    /// The texts of what may follow a DELETE of all rows.
    FollowUp(Vec<Arc<str>>),
    /// It runs while a program starts.
    AtStart,
}

/// A function of the graph: the position of its source, and its position among the functions of that source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FunctionId {
    /// Position among the sources.
    pub source: usize,
    /// Position among `scan.functions`.
    pub function: usize,
}

/// The result of scanning the tokens of one function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedFunction {
    /// The function itself.
    pub function: Function,
    /// The query sites in it.
    pub sites: Vec<Site>,
    /// The allows in it and above it.
    pub allows: Vec<Allow>,
    /// The number of macros whose bodies mention queries and could not be parsed.
    pub unparsed_macros: usize,
}

/// Why source could not be scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanError {
    /// Line, counted from 1; 0 when unknown.
    pub line: u32,
    /// Column in characters, counted from 1; 0 when unknown.
    pub column: u32,
    /// What is wrong, as a lowercase fragment.
    pub message: String,
}

impl ScanError {
    pub(super) fn at(span: Span, message: impl Into<String>) -> ScanError {
        let Place { line, column, .. } = crate::rust::place_at(&"".into(), span.start());
        ScanError { line, column, message: message.into() }
    }
}

impl ScanError {
    pub(super) fn gave_up() -> ScanError {
        ScanError { line: 0, column: 0, message: "the reader of Rust source gave up".to_owned() }
    }
}

impl From<syn::Error> for ScanError {
    fn from(error: syn::Error) -> ScanError {
        ScanError::at(error.span(), error.to_string())
    }
}

impl std::fmt::Display for ScanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => f.write_str(&self.message),
            line => write!(f, "line {line}, column {}: {}", self.column, self.message),
        }
    }
}

impl std::error::Error for ScanError {}
