//! The module trees of all crates: resolves paths through imports, re-exports and globs.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::globs;
use crate::rust::source::{FunctionId, SourceFile};
use crate::rust::type_ref::TypeRef;

/// The maximum number of steps to resolve a path.
const MAX_PATH_STEPS: usize = 24;

/// The maximum number of steps to follow imports of which several have one name.
pub(super) const MAX_STEPS: usize = 256;

/// The identity of a type or trait: its crate, module and name; if external, its path as imported.
pub(in crate::rust) type TypeKey = Arc<str>;

/// A module, by position.
pub(in crate::rust) type ModuleId = usize;

/// What a path resolves to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rust) enum PathTarget {
    Module(ModuleId),
    Type(TypeKey),
    Trait(TypeKey),
}

#[derive(Debug)]
pub(in crate::rust) struct Module<'a> {
    /// Its crate and path, separated by `::`.
    path: String,
    pub(super) parent: Option<ModuleId>,
    pub(super) root: ModuleId,
    pub(super) children: HashMap<&'a str, ModuleId>,
    /// The paths of each imported name: several for different ways to build, or for a function and a module of one name.
    pub(super) uses: HashMap<&'a str, Vec<&'a [String]>>,
    pub(super) globs: Vec<&'a [String]>,
    types: HashSet<&'a str>,
    traits: HashSet<&'a str>,
    /// Functions of its own that are named like one that makes a query.
    pub(super) own: HashSet<&'a str>,
    pub(in crate::rust) aliases: HashMap<&'a str, &'a TypeRef>,
    pub(in crate::rust) functions: HashMap<&'a str, Vec<FunctionId>>,
}

/// The modules of all crates.
#[derive(Debug, Default)]
pub(in crate::rust) struct Modules<'a> {
    pub(super) list: Vec<Module<'a>>,
    /// The root modules, by crate.
    roots: HashMap<&'a str, ModuleId>,
    /// The crates that code can name, by the root module of its own crate.
    externs: HashMap<ModuleId, &'a HashMap<String, String>>,
    /// The modules that declare or explicitly import each name.
    by_name: HashMap<&'a str, Vec<ModuleId>>,
    /// For each module, the group with the same globs.
    pub(super) groups: Vec<usize>,
    /// For each group, the modules whose names its globs import, nearest first.
    pub(super) reach: Vec<Vec<ModuleId>>,
    /// A cache of lookups.
    known: RefCell<HashMap<ModuleId, HashMap<String, Option<PathTarget>>>>,
    /// The lookups in progress, since imports may be cyclic.
    open: RefCell<HashSet<(ModuleId, String)>>,
    /// The lookups that found nothing while others were in progress.
    failed: RefCell<HashSet<(ModuleId, String)>>,
    /// How many cycles were met; a failed lookup that met one is not cached.
    circles: Cell<usize>,
}

impl<'a> Modules<'a> {
    /// The module of a source, or one inside it; creates it and its ancestors if necessary.
    pub(in crate::rust) fn enter(&mut self, source: &'a SourceFile, inner: &'a [String]) -> ModuleId {
        let mut at = match self.roots.get(source.crate_name.as_str()) {
            Some(root) => *root,
            None => {
                let root = self.add(source.crate_name.clone(), None);
                self.roots.insert(&source.crate_name, root);
                self.externs.insert(root, &source.externs);
                root
            }
        };
        for name in source.module.iter().chain(inner) {
            at = match self.list.get(at).and_then(|module| module.children.get(name.as_str())) {
                Some(child) => *child,
                None => {
                    let path = self
                        .list
                        .get(at)
                        .map(|module| format!("{}::{name}", module.path))
                        .unwrap_or_default();
                    let child = self.add(path, Some(at));
                    if let Some(module) = self.list.get_mut(at) {
                        module.children.insert(name, child);
                    }
                    child
                }
            };
        }
        at
    }

    fn add(&mut self, path: String, parent: Option<ModuleId>) -> ModuleId {
        let id = self.list.len();
        let root = parent.and_then(|parent| self.list.get(parent)).map_or(id, |parent| parent.root);
        self.list.push(Module {
            path,
            parent,
            root,
            children: HashMap::new(),
            uses: HashMap::new(),
            globs: Vec::new(),
            types: HashSet::new(),
            traits: HashSet::new(),
            own: HashSet::new(),
            aliases: HashMap::new(),
            functions: HashMap::new(),
        });
        id
    }

    /// Registers what a module declares and imports.
    pub(in crate::rust) fn declare(&mut self, id: ModuleId, items: &'a crate::rust::source::ModuleItems) {
        let Some(module) = self.list.get_mut(id) else { return };
        for (name, path) in &items.uses {
            module.uses.entry(name.as_str()).or_default().push(path.as_slice());
        }
        module.globs.extend(items.globs.iter().map(Vec::as_slice));
        module.own.extend(items.functions.iter().map(String::as_str));
        module.types.extend(items.types.iter().map(|(name, _)| name.as_str()));
        module.traits.extend(items.traits.iter().map(|(name, _)| name.as_str()));
        module.aliases.extend(items.aliases.iter().map(|(name, ty)| (name.as_str(), ty)));
    }

    /// Resolves all globs, once everything is declared. A glob whose path leads through another glob is
    /// resolved in a later round; there are as many rounds as steps to resolve a path.
    pub(in crate::rust) fn follow_globs(&mut self) {
        for (id, module) in self.list.iter().enumerate() {
            let names: HashSet<&&str> = module
                .children
                .keys()
                .chain(module.uses.keys())
                .chain(module.functions.keys())
                .chain(&module.types)
                .chain(&module.traits)
                .chain(module.aliases.keys())
                .collect();
            names.into_iter().for_each(|name| self.by_name.entry(name).or_default().push(id));
        }
        self.groups = (0..self.list.len()).collect();
        self.reach = vec![Vec::new(); self.list.len()];
        let mut targets: Vec<Vec<ModuleId>> = vec![Vec::new(); self.list.len()];
        let mut left: Vec<(ModuleId, &'a [String])> = Vec::new();
        for (id, module) in self.list.iter().enumerate() {
            left.extend(module.globs.iter().map(|glob| (id, *glob)));
        }
        for _ in 0..MAX_PATH_STEPS {
            let before = left.len();
            left.retain(|(id, glob)| match self.scope(*id, glob) {
                Some(PathTarget::Module(target)) => {
                    targets.get_mut(*id).into_iter().for_each(|targets| targets.push(target));
                    false
                }
                _ => true,
            });
            if left.len() == before {
                break;
            }
            (self.groups, self.reach) = globs::reach(&targets);
            self.known.borrow_mut().clear();
            if left.is_empty() {
                break;
            }
        }
    }

    /// The modules whose names the globs of a module import, and that define this name themselves.
    pub(super) fn through_globs(&self, id: ModuleId, name: &str) -> impl Iterator<Item = ModuleId> + '_ {
        // In the order of the modules.
        let candidates = self.by_name.get(name).map_or(&[][..], Vec::as_slice);
        let reached = self.groups.get(id).and_then(|group| self.reach.get(*group));
        let reached = if candidates.is_empty() { None } else { reached };
        let reached = reached.into_iter().flatten().copied();
        reached.filter(move |module| *module != id && candidates.binary_search(module).is_ok())
    }

    /// Registers a function of a module.
    pub(in crate::rust) fn add_function(&mut self, id: ModuleId, name: &'a str, function: FunctionId) {
        if let Some(module) = self.list.get_mut(id) {
            module.functions.entry(name).or_default().push(function);
        }
    }

    /// The key of a type or trait declared in a module.
    pub(in crate::rust) fn key(&self, module: ModuleId, name: &str) -> TypeKey {
        let path = self.list.get(module).map(|module| module.path.as_str()).unwrap_or_default();
        format!("{path}::{name}").into()
    }

    /// Resolves a path relative to a module.
    pub(in crate::rust) fn scope(&self, from: ModuleId, path: &[String]) -> Option<PathTarget> {
        self.scope_at(from, path, 0)
    }

    /// The same, once for each way to build in which the first name of the path is another.
    pub(in crate::rust) fn scopes(&self, from: ModuleId, path: &[String]) -> Vec<PathTarget> {
        let uses = path.first().and_then(|first| self.list.get(from)?.uses.get(first.as_str()));
        let Some(several) = uses.filter(|uses| uses.len() > 1) else {
            return self.scope(from, path).into_iter().collect();
        };
        let rest = path.get(1..).unwrap_or_default();
        let mut found = Vec::new();
        for of in several.iter().filter_map(|of| self.scope(from, &[*of, rest].concat())) {
            if !found.contains(&of) {
                found.push(of);
            }
        }
        found
    }

    /// The root of a crate that code of another crate names.
    pub(super) fn extern_root(&self, root: ModuleId, name: &str) -> Option<ModuleId> {
        let known = self.externs.get(&root)?.get(name)?;
        self.roots.get(known.as_str()).copied()
    }

    fn scope_at(&self, from: ModuleId, path: &[String], depth: usize) -> Option<PathTarget> {
        if depth > MAX_PATH_STEPS {
            return None;
        }
        let here = self.list.get(from)?;
        let Some((first, rest)) = path.split_first() else { return Some(PathTarget::Module(from)) };
        let mut at = match first.as_str() {
            "crate" => PathTarget::Module(here.root),
            "self" => PathTarget::Module(from),
            "super" => PathTarget::Module(here.parent?),
            first => match self.member(from, first, depth + 1) {
                Some(scope) => scope,
                None => PathTarget::Module(self.extern_root(here.root, first)?),
            },
        };
        for part in rest {
            let PathTarget::Module(module) = at else { return None };
            at = match part.as_str() {
                "super" => PathTarget::Module(self.list.get(module)?.parent?),
                part => self.member(module, part, depth + 1)?,
            };
        }
        Some(at)
    }

    /// The module, type or trait of this name in a module.
    fn member(&self, module: ModuleId, name: &str, depth: usize) -> Option<PathTarget> {
        if let Some(known) = self.known.borrow().get(&module).and_then(|names| names.get(name)) {
            return known.clone();
        }
        let key = (module, name.to_owned());
        let is_searched = depth <= MAX_PATH_STEPS && !self.failed.borrow().contains(&key);
        if !is_searched || !self.open.borrow_mut().insert(key.clone()) {
            self.circles.set(self.circles.get() + 1);
            return None;
        }
        let circles = self.circles.get();
        let found = self.find_member(module, name, depth);
        self.open.borrow_mut().remove(&key);
        // A success is valid whatever was met on the way; a failure may be due to a cycle.
        let is_outermost = self.open.borrow().is_empty();
        let is_certain = found.is_some() || self.circles.get() == circles || is_outermost;
        // A failure that is not certain holds until something else is found, or until the search ends.
        let mut failed = self.failed.borrow_mut();
        if found.is_some() || is_outermost {
            failed.clear();
        } else if !is_certain {
            failed.insert(key.clone());
        }
        if is_certain {
            self.known.borrow_mut().entry(module).or_default().insert(key.1, found.clone());
        }
        found
    }

    fn find_member(&self, id: ModuleId, name: &str, depth: usize) -> Option<PathTarget> {
        if let Some(found) = self.own_member(id, name, depth) {
            return Some(found);
        }
        let module = self.list.get(id)?;
        // Crates take precedence over globs. This holds at the start of a path, and for a bare name too.
        if module.uses.contains_key(name) || self.extern_root(module.root, name).is_some() {
            return None;
        }
        self.through_globs(id, name).find_map(|module| self.own_member(module, name, depth + 1))
    }

    /// Like `member`, among what the module declares or imports by name.
    fn own_member(&self, id: ModuleId, name: &str, depth: usize) -> Option<PathTarget> {
        let module = self.list.get(id)?;
        if module.types.contains(name) {
            return Some(PathTarget::Type(self.key(id, name)));
        }
        if module.traits.contains(name) {
            return Some(PathTarget::Trait(self.key(id, name)));
        }
        if let Some(child) = module.children.get(name) {
            return Some(PathTarget::Module(*child));
        }
        module.uses.get(name)?.iter().rev().find_map(|path| match *path {
            // `use name;` of a crate.
            [only] if only == name => self.extern_root(module.root, name).map(PathTarget::Module),
            path => self.scope_at(id, path, depth + 1),
        })
    }

    /// The module of a source, or one inside it, where it is known.
    pub(in crate::rust) fn find(&self, source: &SourceFile, inner: &[String]) -> Option<ModuleId> {
        let root = *self.roots.get(source.crate_name.as_str())?;
        source
            .module
            .iter()
            .chain(inner)
            .try_fold(root, |at, name| self.list.get(at)?.children.get(name.as_str()).copied())
    }

    /// What an alias of this name in a module stands for, or the type of a static, and the module that declares it.
    pub(in crate::rust) fn alias(&self, module: ModuleId, name: &str) -> Option<(ModuleId, &'a TypeRef)> {
        self.alias_at(module, name, &mut HashSet::new())
    }

    fn alias_at(
        &self,
        id: ModuleId,
        name: &str,
        seen: &mut HashSet<(ModuleId, String)>,
    ) -> Option<(ModuleId, &'a TypeRef)> {
        let is_new = seen.len() <= MAX_STEPS && seen.insert((id, name.to_owned()));
        let module = self.list.get(id).filter(|_| is_new)?;
        if let Some(alias) = module.aliases.get(name) {
            return Some((id, alias));
        }
        if module.types.contains(name) {
            return None;
        }
        if let Some(uses) = module.uses.get(name) {
            return uses.iter().rev().find_map(|path| {
                let (name, parents) = path.split_last()?;
                match self.scope(id, parents)? {
                    PathTarget::Module(module) => self.alias_at(module, name, seen),
                    _ => None,
                }
            });
        }
        let through = self.through_globs(id, name);
        through.filter_map(|of| Some((of, *self.list.get(of)?.aliases.get(name)?))).next()
    }

    /// The functions of this name in a module, including re-exported ones.
    pub(in crate::rust) fn functions(&self, module: ModuleId, name: &str) -> Vec<FunctionId> {
        self.functions_at(module, name, &mut HashSet::new())
    }

    fn functions_at(
        &self,
        id: ModuleId,
        name: &str,
        seen: &mut HashSet<(ModuleId, String)>,
    ) -> Vec<FunctionId> {
        let Some(module) = self.list.get(id).filter(|_| seen.insert((id, name.to_owned()))) else {
            return Vec::new();
        };
        if let Some(found) = module.functions.get(name) {
            return found.clone();
        }
        if let Some(uses) = module.uses.get(name) {
            let mut found = Vec::new();
            for path in uses {
                let Some((name, parents)) = path.split_last() else { continue };
                if let Some(PathTarget::Module(module)) = self.scope(id, parents) {
                    found.append(&mut self.functions_at(module, name, seen));
                }
            }
            return found;
        }
        self.through_globs(id, name)
            .map(|module| self.functions_at(module, name, seen))
            .find(|found| !found.is_empty())
            .unwrap_or_default()
    }
}
