//! What names mean in a file: `use` declarations, renames and globs, by module and block.

use std::collections::{HashMap, HashSet};

use syn::UseTree;

/// The names that one module or block brings into scope.
#[derive(Debug, Default)]
struct Names {
    /// Whether names of the scopes further out are hidden, as in a module.
    is_module: bool,
    /// Full paths by local name.
    uses: HashMap<String, Vec<String>>,
    /// Paths whose names are all in scope.
    globs: Vec<Vec<String>>,
    /// Functions defined here.
    functions: HashSet<String>,
}

/// What the rules of a macro say of the query that they expand to.
#[derive(Debug, Clone, Default)]
pub(in crate::rust) struct Rules {
    /// The literal that the query is made of, where the rules hold it.
    pub(in crate::rust) sql: Option<proc_macro2::Literal>,
    /// The method that runs it, where the rules call it.
    pub(in crate::rust) method: Option<String>,
    /// Whether they put its text together of what they are given.
    pub(in crate::rust) joins: bool,
}

/// The scopes around the place that is being read, outermost first.
#[derive(Debug)]
pub(in crate::rust) struct Imports {
    scopes: Vec<Names>,
    /// Macros defined anywhere in the file by `macro_rules!`.
    macros: HashSet<String>,
    /// Those of them that expand to a query, with what their rules say of it.
    wrappers: HashMap<String, Rules>,
    /// Those of them that wait for something.
    awaiting: HashSet<String>,
    /// Whether names may come from elsewhere: only an item is read, not its file.
    partial: bool,
    /// The crates that the manifest gives another name, by that name.
    renamed: HashMap<String, String>,
}

impl Imports {
    pub(in crate::rust) fn new(partial: bool) -> Imports {
        let (macros, wrappers, awaiting) = (HashSet::new(), HashMap::new(), HashSet::new());
        Imports { scopes: Vec::new(), macros, wrappers, awaiting, partial, renamed: HashMap::new() }
    }

    /// The same where the manifest gives crates other names.
    pub(in crate::rust) fn with_renamed(self, renamed: HashMap<String, String>) -> Imports {
        Imports { renamed, ..self }
    }

    /// The name of a crate itself, whatever the manifest calls it.
    fn crate_name<'n>(&'n self, name: &'n str) -> &'n str {
        self.renamed.get(name).map_or(name, String::as_str)
    }

    /// Whether only a part of a file is read, so that its imports are unknown.
    pub(in crate::rust) fn partial(&self) -> bool {
        self.partial
    }

    /// Notes a macro of the file, with what its rules say of the query that they expand to.
    pub(in crate::rust) fn define_macro(&mut self, name: String, rules: Option<Rules>, awaits: bool) {
        if awaits {
            self.awaiting.insert(name.clone());
        }
        if let Some(rules) = rules {
            self.wrappers.insert(name.clone(), rules);
        }
        self.macros.insert(name);
    }

    /// Whether a macro is one of the project's own that expand to a query, as the rules in this file or its name say.
    pub(in crate::rust) fn wraps_query(&self, path: &[String]) -> bool {
        let Some(name) = path.last() else { return false };
        if self.macros.contains(name) && path.len() == 1 {
            return self.wrappers.contains_key(name);
        }
        let full = self.resolve(path);
        let is_own = full.len() == 1 || matches!(full[0].as_str(), "crate" | "self" | "super");
        // What is named like sqlx's own macros and is none of them is somebody else's.
        is_own
            && (name.contains("query") || name.contains("sql"))
            && !crate::rust::query_names::makes_query(name)
    }

    /// What the rules of a macro of this file say of its query.
    pub(in crate::rust) fn rules(&self, path: &[String]) -> Option<Rules> {
        let [name] = path else { return None };
        self.wrappers.get(name).cloned()
    }

    /// Whether a macro of this file waits for something, or makes a query.
    pub(in crate::rust) fn may_query(&self, path: &[String]) -> bool {
        matches!(path, [name] if self.awaiting.contains(name) || self.wrappers.contains_key(name))
    }

    /// Whether the file defines a macro of this name itself.
    pub(in crate::rust) fn defines_macro(&self, name: &str) -> bool {
        self.macros.contains(name)
    }

    /// Enters a module or a block with these items in it.
    pub(in crate::rust) fn enter<'i>(&mut self, is_module: bool, items: impl Iterator<Item = &'i syn::Item>) {
        let mut names = Names { is_module, ..Names::default() };
        for item in items {
            match item {
                syn::Item::Use(item) => names.add(&mut Vec::new(), &item.tree),
                syn::Item::Fn(item) => {
                    names.functions.insert(item.sig.ident.to_string());
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

    /// The full path of a path as written, as far as this file tells.
    pub(in crate::rust) fn resolve(&self, path: &[String]) -> Vec<String> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        let mut full: Vec<String> = match self.lookup(first) {
            Found::Use(full) => full.iter().chain(rest).cloned().collect(),
            Found::Local | Found::Unknown => path.to_vec(),
        };
        if let (Some(first), true) = (full.first_mut(), !self.renamed.is_empty()) {
            *first = self.crate_name(first).to_owned();
        }
        full
    }

    /// Whether a name alone, such as `query_as`, is one of sqlx's or this project's by a glob import, or may be because
    /// its origin is not to be seen from here.
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

    /// The scopes whose names are visible here, innermost first: out to the module, and on to the module around it
    /// where `use super::*` says so.
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

enum Found<'a> {
    Use(&'a [String]),
    Local,
    Unknown,
}

/// Where a name that is not imported by itself comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rust) enum Origin {
    Sqlx,
    QueryBudget,
    /// A glob import of a module of this crate may bring it.
    ThisCrate,
    /// Imported from elsewhere, or defined here.
    Elsewhere,
    Unknown,
}

impl Names {
    fn add(&mut self, prefix: &mut Vec<String>, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.add(prefix, &path.tree);
                prefix.pop();
            }
            UseTree::Name(name) => {
                let name = name.ident.to_string();
                if name == "self" {
                    if let Some(last) = prefix.last() {
                        self.uses.insert(last.clone(), prefix.clone());
                    }
                } else {
                    self.insert(prefix, &name, name.clone());
                }
            }
            UseTree::Rename(rename) => {
                let name = rename.ident.to_string();
                let local = rename.rename.to_string();
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
        let full = prefix.iter().map(String::as_str).chain([name]).map(str::to_owned).collect();
        self.uses.insert(local, full);
    }
}
