//! Where paths lead outside of the workspace's crates: `crate::db::q` to `sqlx::query`.

use std::collections::HashSet;

use super::modules::{MAX_STEPS, ModuleId, Modules};
use super::neighbours::leads_out;
use crate::rust::query_names::makes_query;

/// What has been looked up on the way: a module, a path, and whether the path begins there.
type Steps = HashSet<(ModuleId, Vec<String>, bool)>;

impl Modules<'_> {
    /// The path outside of all crates that a path leads to through imports, seen from a module: `crate::db::q` to
    /// `sqlx::query`.
    pub(in crate::rust) fn outside(&self, from: ModuleId, path: &[String]) -> Option<Vec<String>> {
        self.outside_at(from, path, true, &mut HashSet::new())
    }

    /// [`outside`](Self::outside) from a step of the path; `begins` at its first name, which may be that of a crate.
    fn outside_at(
        &self,
        id: ModuleId,
        path: &[String],
        begins: bool,
        seen: &mut Steps,
    ) -> Option<Vec<String>> {
        // Imports of each other make a path ever longer.
        if seen.len() > MAX_STEPS || !seen.insert((id, path.to_vec(), begins)) {
            return None;
        }
        let module = self.list.get(id)?;
        let (first, rest) = path.split_first()?;
        let inner = match first.as_str() {
            "crate" if begins => Some(module.root),
            "self" if begins => Some(id),
            "super" => Some(module.parent?),
            first => module.children.get(first).copied(),
        };
        if let Some(inner) = inner {
            return self.outside_at(inner, rest, false, seen);
        }
        if let Some(found) = self.outside_by_import(id, first, rest, seen) {
            return Some(found);
        }
        if module.uses.contains_key(first.as_str()) {
            return None;
        }
        if begins && let Some(root) = self.extern_root(module.root, first) {
            return self.outside_at(root, rest, false, seen);
        }
        if begins && leads_out(first) && !rest.is_empty() {
            return Some(path.to_vec());
        }
        let through = self.through_globs(id, first).find_map(|of| {
            match self.list.get(of)?.children.get(first.as_str()) {
                Some(child) => self.outside_at(*child, rest, false, seen),
                None => self.outside_by_import(of, first, rest, seen),
            }
        });
        through.or_else(|| self.outside_by_globs(id, path))
    }

    /// The path outside of all crates that an import of a module by this name leads to.
    fn outside_by_import(
        &self,
        id: ModuleId,
        name: &str,
        rest: &[String],
        seen: &mut Steps,
    ) -> Option<Vec<String>> {
        self.list.get(id)?.uses.get(name)?.iter().rev().find_map(|path| {
            let whole = [path, rest].concat();
            match path {
                [only] if only == name => Some(whole),
                _ => self.outside_at(id, &whole, true, seen),
            }
        })
    }

    /// [`outside`](Self::outside) for a single name that a glob import of sqlx brings.
    fn outside_by_globs(&self, id: ModuleId, path: &[String]) -> Option<Vec<String>> {
        let [name] = path else { return None };
        if !makes_query(name) {
            return None;
        }
        let reached = self.groups.get(id).and_then(|group| self.reach.get(*group)).into_iter().flatten();
        let all = std::iter::once(&id).chain(reached).filter_map(|id| self.list.get(*id));
        if all.clone().any(|module| module.own.contains(name.as_str())) {
            return None;
        }
        let glob =
            all.flat_map(|module| &module.globs).find(|glob| glob.first().is_some_and(|it| leads_out(it)))?;
        Some(glob.iter().chain([name]).cloned().collect())
    }
}
