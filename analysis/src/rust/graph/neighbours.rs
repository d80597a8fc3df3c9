//! What each file needs to know of the others before it is walked: their macros, and the names of sqlx that
//! they re-export.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::modules::Modules;
use crate::rust::lex::handed;
use crate::rust::lex::own::Own;
use crate::rust::query_names::makes_query;
use crate::rust::source::{Scan, SourceFile};

/// The position of a file in the module tree, and its text.
#[derive(Debug, Clone)]
pub struct Neighbour<'t> {
    /// A name that only its crate has.
    pub crate_name: &'t str,
    /// The crates that code in it can name.
    pub externs: &'t Arc<HashMap<String, String>>,
    /// The path of its module, without the crate.
    pub module: &'t [String],
    /// The file's source.
    pub text: &'t str,
}

/// What a file knows of the other files.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// The crates that the manifest or the root of the crate renames, by their new name.
    pub renamed: HashMap<String, String>,
    /// The crates of the workspace that it can name.
    pub(in crate::rust) crates: HashSet<String>,
    /// The macros of other files that it uses, each with its rules.
    pub(in crate::rust) macros: Vec<(String, String)>,
    /// The aliases that any file gives to functions and macros that make queries.
    pub(in crate::rust) aliases: HashSet<String>,
    /// The paths of sqlx that paths in it lead to through re-exports of other files.
    pub(in crate::rust) handed: HashMap<Vec<String>, Vec<String>>,
    /// Whether a `sql!` is another's: a file imports or defines one, and none names this project.
    pub(in crate::rust) without_ours: bool,
    /// The project's methods that share a name with a library's; `None` if the file is read alone.
    pub(in crate::rust) own: Option<Arc<Own>>,
}

/// The rules of a macro that may query and of which nothing else is known: none of them fits.
const UNKNOWN: &str = "(@ unknown @) => { unknown.await }";

/// For each of these files, what it knows of the others.
pub fn told(files: &[Neighbour<'_>]) -> Vec<Told> {
    let mut told: Vec<Told> = files.iter().map(|_| Told::default()).collect();
    tell_crates(files, &mut told);
    tell_macros(files, &mut told);
    tell_names(files, &mut told);
    let own = Arc::new(Own::of(files.iter().map(|file| file.text)));
    let without_ours = !files.iter().any(|file| file.text.contains("query_budget"))
        && files.iter().any(|file| has_sql_of_its_own(file.text));
    for told in &mut told {
        told.own = Some(Arc::clone(&own));
        told.without_ours = without_ours;
    }
    told
}

/// Adds the crates that the root of the same crate renames.
fn tell_crates(files: &[Neighbour<'_>], told: &mut [Told]) {
    let roots = files.iter().filter(|file| file.module.is_empty());
    let renamed: HashMap<&str, Vec<(String, String)>> = roots
        .map(|file| (file.crate_name, handed::renamed_crates(file.text)))
        .filter(|(_, renamed)| !renamed.is_empty())
        .collect();
    for (file, told) in files.iter().zip(told) {
        told.renamed.extend(renamed.get(file.crate_name).cloned().unwrap_or_default());
    }
}

/// Adds the macros of the same crate, and those that other crates export; where a name means several, it is
/// not known which is meant.
fn tell_macros(files: &[Neighbour<'_>], told: &mut [Told]) {
    let defined: Vec<(usize, handed::Defined<'_>)> = files
        .iter()
        .enumerate()
        .flat_map(|(at, file)| handed::macros(file.text).into_iter().map(move |defined| (at, defined)))
        .filter(|(_, defined)| !makes_query(defined.name))
        .collect();
    if defined.is_empty() {
        return;
    }
    let mut by_name: HashMap<&str, Vec<&(usize, handed::Defined<'_>)>> = HashMap::new();
    defined.iter().for_each(|it| by_name.entry(it.1.name).or_default().push(it));
    for (at, (file, told)) in files.iter().zip(told).enumerate() {
        told.crates = file.externs.keys().cloned().collect();
        let mut left: Vec<&str> = used(file.text, &by_name);
        let mut seen: HashSet<&str> = HashSet::new();
        while let Some(name) = left.pop() {
            if !seen.insert(name) {
                continue;
            }
            let all = by_name.get(name).map(Vec::as_slice).unwrap_or_default();
            let crate_of = |of: usize| files.get(of).map_or("", |file| file.crate_name);
            let is_seen = |(of, it): &&&(usize, handed::Defined<'_>)| {
                it.is_exported && file.externs.values().any(|id| id == crate_of(*of))
            };
            let of_crate: Vec<_> = all.iter().filter(|(of, _)| crate_of(*of) == file.crate_name).collect();
            let visible = if of_crate.is_empty() { all.iter().filter(is_seen).collect() } else { of_crate };
            match visible.as_slice() {
                [(of, defined)] => {
                    // What its rules use in turn comes with it.
                    left.extend(used(defined.rules, &by_name));
                    if *of != at {
                        let id = crate_of(*of);
                        let name_of =
                            file.externs.iter().find(|(_, known)| *known == id && id != file.crate_name);
                        let rules = match name_of {
                            Some((name, _)) => defined.rules.replace("$crate", name),
                            None => defined.rules.to_owned(),
                        };
                        told.macros.push((name.to_owned(), rules));
                    }
                }
                several
                    if several
                        .iter()
                        .any(|(_, it)| it.rules.contains("await") || it.rules.contains("query")) =>
                {
                    told.macros.push((name.to_owned(), UNKNOWN.to_owned()));
                }
                _ => {}
            }
        }
    }
}

/// The names among these that a text has.
fn used<'n, V>(text: &str, names: &HashMap<&'n str, V>) -> Vec<&'n str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    // `name!(..)`, and `use crate::name as other;`.
    let ends = text.match_indices('!').chain(text.match_indices(" as "));
    let words = ends.filter_map(|(end, _)| text.get(..end)?.rsplit(|c| !is_part(c)).next());
    let mut found: Vec<&str> =
        words.filter_map(|word| names.get_key_value(word)).map(|(name, _)| *name).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether a text imports or defines a macro `sql!` that is not this project's.
fn has_sql_of_its_own(text: &str) -> bool {
    let imports = |line: &str| {
        let line = line.trim_start();
        line.strip_prefix("pub ").unwrap_or(line).starts_with("use ") && line.contains("::sql;")
    };
    text.contains("::sql;") && text.lines().any(imports)
        || text.contains("macro_rules! sql ")
        || text.contains("#[proc_macro]") && text.contains("pub fn sql(")
}

/// Whether a crate has what makes queries.
pub(super) fn leads_out(name: &str) -> bool {
    matches!(name, "sqlx" | "query_budget")
}

/// Adds the paths that lead to sqlx or to this project through imports of other files.
fn tell_names(files: &[Neighbour<'_>], told: &mut [Told]) {
    if !is_any_handed_on(files) {
        return;
    }
    let read: Vec<_> = files.iter().map(|file| handed::imports(file.text, &|_| false).0).collect();
    let sources: Vec<SourceFile> = files
        .iter()
        .zip(read)
        .map(|(file, items)| SourceFile {
            crate_name: file.crate_name.to_owned(),
            externs: Arc::clone(file.externs),
            module: file.module.to_vec(),
            scan: Scan { items, ..Scan::default() },
        })
        .collect();
    let names = names_of_queries(&sources);
    let mut modules = Modules::default();
    for source in &sources {
        for items in &source.scan.items {
            let module = modules.enter(source, &items.module);
            modules.declare(module, items);
        }
    }
    modules.follow_globs();
    let is_one = |name: &str| names.contains(name) || makes_query(name);
    let aliases: HashSet<String> =
        names.iter().filter(|name| !makes_query(name)).map(|name| (*name).to_owned()).collect();
    for ((file, source), told) in files.iter().zip(&sources).zip(told) {
        // Most files have none of the names.
        let all = ["query", "sql", "QueryBuilder"];
        let mentions = |text: &str| {
            all.iter().any(|name| text.contains(name)) || names.iter().any(|name| text.contains(name))
        };
        if !mentions(file.text) && !told.macros.iter().any(|(_, rules)| mentions(rules)) {
            continue;
        }
        let (_, called) = handed::imports(file.text, &is_one);
        let imported = source.scan.items.iter().flat_map(|items| {
            let paths = items.uses.iter().map(|(_, path)| path.iter().map(String::as_str).collect());
            paths.map(|path: Vec<&str>| (items.module.clone(), path))
        });
        let rules = told.macros.iter().flat_map(|(_, rules)| handed::imports(rules, &is_one).1);
        let paths: Vec<_> = called
            .into_iter()
            .chain(imported)
            .chain(rules)
            .map(|(inner, path)| {
                let path: Vec<String> = path.into_iter().map(str::to_owned).collect();
                (inner, path)
            })
            .collect();
        told.aliases.clone_from(&aliases);
        for (inner, path) in paths {
            // As it is written, and with the file's own imports applied.
            let own = source.scan.items.iter().find(|items| items.module == inner);
            let import = path.split_first().and_then(|(first, rest)| {
                let (_, full) = own?.uses.iter().find(|(name, _)| name == first)?;
                Some(full.iter().chain(rest).cloned().collect::<Vec<_>>())
            });
            let module = modules.find(source, &inner);
            let outside = |path: &[String]| module.and_then(|module| modules.outside(module, path));
            for path in import.into_iter().chain([path]) {
                hand_on(&path, &is_one, outside, &mut told.handed);
            }
        }
    }
}

/// Whether a file may have what makes queries by way of another module.
fn is_any_handed_on(files: &[Neighbour<'_>]) -> bool {
    let (mut imports, mut asks) = (false, false);
    files.iter().any(|file| {
        let handing = handed::handing(file.text);
        imports |= handing.imports;
        asks |= handing.asks;
        handing.hands_on || imports && asks
    })
}

/// The names under which queries are made: those of sqlx, of what leads out of a crate, and their aliases.
fn names_of_queries(sources: &[SourceFile]) -> HashSet<&str> {
    let mut names: HashSet<&str> = HashSet::new();
    let uses: Vec<(&str, &str)> = sources
        .iter()
        .flat_map(|source| &source.scan.items)
        .flat_map(|items| &items.uses)
        .filter_map(|(name, path)| Some((name.as_str(), path.last()?.as_str())))
        .collect();
    // An alias of an alias is found in the next round.
    loop {
        let before = names.len();
        let more = uses.iter().filter(|(_, of)| makes_query(of) || leads_out(of) || names.contains(of));
        let more: Vec<&str> = more.map(|(name, _)| *name).collect();
        names.extend(more);
        if names.len() == before {
            return names;
        }
    }
}

/// Adds a path that leads out of the crate, and those in front of it: a path to what a type or module of queries has
/// (`QueryBuilder::new`).
fn hand_on(
    path: &[String],
    is_one: &dyn Fn(&str) -> bool,
    outside: impl Fn(&[String]) -> Option<Vec<String>>,
    handed: &mut HashMap<Vec<String>, Vec<String>>,
) {
    for length in 1..=path.len() {
        let path = path.get(..length).filter(|path| path.first().is_some_and(|it| !leads_out(it)));
        let Some(path) = path else { continue };
        if handed.contains_key(path) || !path.last().is_some_and(|name| is_one(name)) {
            continue;
        }
        let led = outside(path).filter(|full| full.first().is_some_and(|first| leads_out(first)));
        handed.extend(led.map(|full| (path.to_vec(), full)));
    }
}

#[cfg(test)]
mod tests;
