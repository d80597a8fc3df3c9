//! What names in a file refer to: `use` declarations, renames and globs, by module and block.

use std::collections::{HashMap, HashSet};

use proc_macro2::TokenStream;
use syn::UseTree;

use super::neighbours::{Told, leads_out};
use crate::rust::walk::sql_text::{plain, segments};

/// The names that one module or block introduces.
#[derive(Debug, Default)]
struct Names {
    /// Whether it hides names of outer scopes, as a module does.
    is_module: bool,
    /// Full paths by local name.
    uses: HashMap<String, Vec<String>>,
    /// The names of a module that are imported from several places, for different ways to build.
    several: HashSet<String>,
    /// Paths imported with `*`.
    globs: Vec<Vec<String>>,
    /// Functions defined here.
    functions: HashSet<String>,
    /// Modules declared here.
    modules: HashSet<String>,
}

/// What the rules of a macro reveal about the query that they expand to.
#[derive(Debug, Clone, Default)]
pub(in crate::rust) struct Rules {
    /// The literal with the query's text, if the rules contain one.
    pub(in crate::rust) sql: Option<proc_macro2::Literal>,
    /// The method that runs it, if the rules call one.
    pub(in crate::rust) method: Option<String>,
    /// Whether the rules build its text from the arguments.
    pub(in crate::rust) joins: bool,
}

/// A macro of the project's own, by `macro_rules!`.
#[derive(Debug, Clone)]
pub(in crate::rust) struct Macro {
    /// Its rules as they are.
    pub(in crate::rust) rules: TokenStream,
    /// The query that they expand to, as far as they reveal it; `None` if they make none.
    pub(in crate::rust) query: Option<Rules>,
    /// Whether they wait for something.
    pub(in crate::rust) awaits: bool,
    /// Whether they may run their arguments more than once: in a loop or a closure, or where they name it twice.
    pub(in crate::rust) repeats: bool,
    /// Whether they may leave the function that uses it.
    pub(in crate::rust) leaves: bool,
    /// The macros that they may use.
    pub(in crate::rust) uses: Vec<String>,
}

impl Macro {
    /// Whether it may run a query, by itself or by one of the others that it uses.
    pub(in crate::rust) fn is_querying(&self, all: &HashMap<String, Macro>) -> bool {
        let mut seen: HashSet<&str> = HashSet::new();
        let mut left = vec![self];
        while let Some(of) = left.pop() {
            if of.query.is_some() || of.awaits {
                return true;
            }
            let new = of.uses.iter().filter_map(|name| all.get_key_value(name));
            left.extend(new.filter(|(name, _)| seen.insert(name)).map(|(_, of)| of));
        }
        false
    }
}

/// The scopes around the current position, outermost first.
#[derive(Debug)]
pub(in crate::rust) struct Imports {
    scopes: Vec<Names>,
    /// Macros defined anywhere in the file by `macro_rules!`, and those of other files that it uses.
    macros: HashMap<String, Macro>,
    /// Whether names may come from elsewhere, because only an item is read and not its file.
    partial: bool,
    /// What the file knows of other files.
    told: Told,
}

impl Imports {
    pub(in crate::rust) fn new(partial: bool) -> Imports {
        Imports { scopes: Vec::new(), macros: HashMap::new(), partial, told: Told::default() }
    }

    /// The imports of a file, with what it knows of other files.
    pub(in crate::rust) fn with(self, told: Told) -> Imports {
        Imports { told, ..self }
    }

    /// The original name of a crate that the manifest may rename.
    fn crate_name<'n>(&'n self, name: &'n str) -> &'n str {
        self.told.renamed.get(name).map_or(name, String::as_str)
    }

    /// Whether only a part of a file is read, so that its imports are unknown.
    pub(in crate::rust) fn partial(&self) -> bool {
        self.partial
    }

    /// Whether a macro of this project's that no import of the file names may be meant.
    pub(in crate::rust) fn may_be_ours(&self, name: &str) -> bool {
        !self.told.without_ours || self.glob_origin(name) == Origin::QueryBudget
    }

    /// The aliases that any file gives to functions and macros that make queries.
    pub(in crate::rust) fn aliases(&self) -> &HashSet<String> {
        &self.told.aliases
    }

    /// Notes a macro of the file, or one of another file that it uses.
    pub(in crate::rust) fn define_macro(&mut self, name: String, of: Macro) {
        self.macros.insert(name, of);
    }

    /// The macro of the project's own that a path names.
    fn own_macro(&self, path: &[String]) -> Option<&Macro> {
        let mut full = self.resolve(path);
        let is_own = |path: &[String]| match path {
            [first, _, ..] => is_of_crate(first) || self.told.crates.contains(first) || self.is_module(first),
            _ => true,
        };
        // The module may be imported too: `use crate::m; use m::exec;`.
        if !is_own(&full) {
            full = self.resolve(&full);
        }
        self.macros.get(full.last()?).filter(|_| is_own(&full))
    }

    /// Whether a name is that of a module that is declared here: `m` in `m::exec!(..)`.
    fn is_module(&self, name: &str) -> bool {
        self.visible().any(|names| names.modules.contains(name))
    }

    /// Whether a macro is one of the project's own that expand to a query, as its rules or its name say.
    pub(in crate::rust) fn wraps_query(&self, path: &[String]) -> bool {
        let Some(name) = path.last() else { return false };
        if let Some(of) = self.own_macro(path) {
            return of.query.is_some();
        }
        let full = self.resolve(path);
        let is_own = full.len() == 1 || is_of_crate(&full[0]);
        // A macro named like one of sqlx's, but from elsewhere, belongs to someone else.
        is_own
            && (name.contains("query") || name.contains("sql"))
            && !crate::rust::query_names::makes_query(name)
    }

    /// What the rules of a macro say of its query.
    pub(in crate::rust) fn rules(&self, path: &[String]) -> Option<Rules> {
        self.own_macro(path)?.query.clone()
    }

    /// The rules of a macro that may run a query, by itself or by a macro that it uses.
    pub(in crate::rust) fn querying_rules(&self, path: &[String]) -> Option<TokenStream> {
        self.own_macro(path).filter(|of| of.is_querying(&self.macros)).map(|of| of.rules.clone())
    }

    /// The rules of a macro that may repeat its arguments.
    pub(in crate::rust) fn repeating_rules(&self, path: &[String]) -> Option<TokenStream> {
        self.own_macro(path).filter(|of| of.repeats).map(|of| of.rules.clone())
    }

    /// The rules of a macro that may leave the function.
    pub(in crate::rust) fn leaving_rules(&self, path: &[String]) -> Option<TokenStream> {
        self.own_macro(path).filter(|of| of.leaves).map(|of| of.rules.clone())
    }

    /// Whether a macro waits for something, or makes a query.
    pub(in crate::rust) fn may_query(&self, path: &[String]) -> bool {
        self.own_macro(path).is_some_and(|of| of.awaits || of.query.is_some())
    }

    /// Whether the file itself defines a macro of this name.
    pub(in crate::rust) fn defines_macro(&self, name: &str) -> bool {
        self.macros.contains_key(name)
    }

    /// Gives a macro the further name that an import gives it: `pub(crate) use exec as run_sql;`.
    pub(in crate::rust) fn rename_macro(&mut self, name: &str, new: &str) {
        if let Some(of) = self.macros.get(name).filter(|_| !self.macros.contains_key(new)).cloned() {
            self.macros.insert(new.to_owned(), of);
        }
    }

    /// Enters a module or a block that contains these items.
    pub(in crate::rust) fn enter<'i>(&mut self, is_module: bool, items: impl Iterator<Item = &'i syn::Item>) {
        let mut names = Names { is_module, ..Names::default() };
        for item in items {
            match item {
                syn::Item::Use(item) => names.add(&mut Vec::new(), &item.tree),
                syn::Item::Fn(item) => {
                    names.functions.insert(plain(&item.sig.ident));
                }
                syn::Item::Mod(item) => {
                    names.modules.insert(plain(&item.ident));
                }
                // Another name of a type, in a block alone: that of a module is an item of it.
                syn::Item::Type(item) if !is_module => {
                    if let syn::Type::Path(of) = &*item.ty
                        && of.qself.is_none()
                    {
                        let path = segments(&of.path);
                        names.uses.insert(plain(&item.ident), path);
                    }
                }
                syn::Item::ExternCrate(item) => {
                    let name = item.ident.to_string();
                    let local = item.rename.as_ref().map_or(name.clone(), |(_, local)| local.to_string());
                    if item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_use")) {
                        names.globs.push(vec![name.clone()]);
                    }
                    names.uses.insert(local, vec![name]);
                }
                _ => {}
            }
        }
        self.scopes.push(names);
    }

    pub(in crate::rust) fn leave(&mut self) {
        self.scopes.pop();
    }

    /// The full path of a path as written, as far as this file determines it.
    pub(in crate::rust) fn resolve(&self, path: &[String]) -> Vec<String> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        let mut full: Vec<String> = match self.lookup(first) {
            // Which of them is meant is left to those who know all modules.
            Found::Use(full) if self.is_several(first) && !full.first().is_some_and(|of| leads_out(of)) => {
                path.to_vec()
            }
            Found::Use(full) => full.iter().chain(rest).cloned().collect(),
            Found::Local | Found::Unknown => path.to_vec(),
        };
        if let (Some(first), true) = (full.first_mut(), !self.told.renamed.is_empty()) {
            *first = self.crate_name(first).to_owned();
        }
        self.through_others(&full).unwrap_or(full)
    }

    /// The path of sqlx that a path, or its beginning, leads to through other files.
    fn through_others(&self, path: &[String]) -> Option<Vec<String>> {
        if self.told.handed.is_empty() {
            return None;
        }
        let is_local = matches!(path, [name, ..] if matches!(self.lookup(name), Found::Local));
        (1..=path.len()).rev().filter(|_| !is_local).find_map(|length| {
            let (known, rest) = path.split_at_checked(length)?;
            Some(self.told.handed.get(known)?.iter().chain(rest).cloned().collect())
        })
    }

    /// Whether a bare name, such as `query_as`, comes from sqlx or this project by a glob import, or may do
    /// so because its origin is not visible.
    pub(in crate::rust) fn glob_origin(&self, name: &str) -> Origin {
        match self.lookup(name) {
            Found::Use(_) | Found::Local => return Origin::Elsewhere,
            Found::Unknown => {}
        }
        let mut seen = Origin::Unknown;
        for names in self.visible() {
            for glob in &names.globs {
                match glob.first().map(|first| self.crate_name(first)) {
                    Some("sqlx") if glob.len() == 1 => return Origin::Sqlx,
                    Some("query_budget") => return Origin::QueryBudget,
                    Some("crate" | "super" | "self") => seen = Origin::ThisCrate,
                    _ => {}
                }
            }
        }
        seen
    }

    /// Whether a name is that of a function inside of the current one.
    pub(in crate::rust) fn is_of_block(&self, name: &str) -> bool {
        self.visible().any(|names| !names.is_module && names.functions.contains(name))
    }

    fn is_several(&self, name: &str) -> bool {
        let names = self.visible().find(|names| names.uses.contains_key(name));
        names.is_some_and(|names| names.is_module && names.several.contains(name))
    }

    fn lookup(&self, name: &str) -> Found<'_> {
        for names in self.visible() {
            if let Some(full) = names.uses.get(name) {
                return Found::Use(full);
            }
            if names.functions.contains(name) {
                return Found::Local;
            }
        }
        Found::Unknown
    }

    /// The scopes whose names are visible here, innermost first: up to the module, and beyond it where
    /// `use super::*` permits.
    fn visible(&self) -> impl Iterator<Item = &Names> {
        let mut open = true;
        self.scopes.iter().rev().take_while(move |names| {
            let visible = open;
            if names.is_module {
                open = names.globs.iter().any(|glob| glob.len() == 1 && glob[0] == "super");
            }
            visible
        })
    }
}

/// Whether a path that begins with this name leads into the crate.
fn is_of_crate(first: &str) -> bool {
    matches!(first, "crate" | "self" | "super")
}

/// The names that an import renames, each with its new name.
pub(in crate::rust) fn renamed(tree: &UseTree) -> Vec<(String, String)> {
    match tree {
        UseTree::Path(path) => renamed(&path.tree),
        UseTree::Rename(rename) => vec![(plain(&rename.ident), plain(&rename.rename))],
        UseTree::Group(group) => group.items.iter().flat_map(renamed).collect(),
        UseTree::Name(_) | UseTree::Glob(_) => Vec::new(),
    }
}

enum Found<'a> {
    Use(&'a [String]),
    Local,
    Unknown,
}

/// The origin of a name that is not imported explicitly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rust) enum Origin {
    Sqlx,
    QueryBudget,
    /// A glob import of a module of this crate may provide it.
    ThisCrate,
    /// Imported from elsewhere, or defined here.
    Elsewhere,
    Unknown,
}

impl Names {
    fn add(&mut self, prefix: &mut Vec<String>, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(plain(&path.ident));
                self.add(prefix, &path.tree);
                prefix.pop();
            }
            UseTree::Name(name) => {
                let name = plain(&name.ident);
                if name == "self" {
                    if let Some(last) = prefix.last() {
                        self.uses.insert(last.clone(), prefix.clone());
                    }
                } else {
                    self.insert(prefix, &name, name.clone());
                }
            }
            UseTree::Rename(rename) => {
                let name = plain(&rename.ident);
                let local = plain(&rename.rename);
                if name == "self" {
                    self.uses.insert(local, prefix.clone());
                } else {
                    self.insert(prefix, &name, local);
                }
            }
            UseTree::Glob(_) => self.globs.push(prefix.clone()),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add(prefix, tree)),
        }
    }

    fn insert(&mut self, prefix: &[String], name: &str, local: String) {
        let full: Vec<String> = prefix.iter().map(String::as_str).chain([name]).map(str::to_owned).collect();
        if self.uses.get(&local).is_some_and(|known| *known != full) {
            self.several.insert(local.clone());
        }
        self.uses.insert(local, full);
    }
}
