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
    /// Whether no file of the workspace names this project, so that a `sql!` is another's.
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
    let without_ours = !files.iter().any(|file| file.text.contains("query_budget"));
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
mod tests {
    use super::*;

    /// Checks what the last of some files, each with its module, knows of a path.
    #[track_caller]
    fn check(files: &[(&str, &str)], path: &str, expected: Option<&str>) {
        let externs = Arc::default();
        let modules: Vec<Vec<String>> = files
            .iter()
            .map(|(module, _)| module.split("::").filter(|it| !it.is_empty()).map(str::to_owned).collect())
            .collect();
        let files: Vec<Neighbour<'_>> = files
            .iter()
            .zip(&modules)
            .map(|((_, text), module)| Neighbour { crate_name: "a", externs: &externs, module, text })
            .collect();
        let told = told(&files).pop().expect("there is a file");
        let path: Vec<String> = path.split("::").map(str::to_owned).collect();
        let found = told.handed.get(&path).map(|path| path.join("::"));
        assert_eq!(found.as_deref(), expected, "{files:?}");
    }

    #[test]
    fn names_are_followed_through_modules() {
        let db = ("db", "pub use sqlx::query as q;");
        check(&[db, ("", "use crate::db::q; fn f() { q(1) }")], "crate::db::q", Some("sqlx::query"));
        check(&[db, ("", "use db::q; fn f() { q(1) }")], "db::q", Some("sqlx::query"));
        check(&[db, ("a", "fn f() { super::db::q(1) }")], "super::db::q", Some("sqlx::query"));
        check(&[db, ("a", "use crate::db; fn f() { db::q(1) }")], "crate::db::q", Some("sqlx::query"));
        check(&[db, ("a", "use crate::db::*; fn f() { q(1) }")], "q", Some("sqlx::query"));
        check(&[db, ("a", "use crate::db::q as r; fn f() { r(1) }")], "crate::db::q", Some("sqlx::query"));
        let ours = ("db", "pub use query_budget::sql as run;");
        check(
            &[ours, ("a", "use crate::db::run; fn f() { run!(1) }")],
            "crate::db::run",
            Some("query_budget::sql"),
        );
        let prelude = ("prelude", "pub use crate::db::q as fetch;");
        check(
            &[db, prelude, ("a", "use crate::prelude::fetch; fn f() { fetch(1) }")],
            "crate::prelude::fetch",
            Some("sqlx::query"),
        );
        check(
            &[db, ("prelude", "pub use crate::db::*;"), ("a", "use crate::prelude::*; fn f() { q(1) }")],
            "q",
            Some("sqlx::query"),
        );
    }

    #[test]
    fn modules_have_the_private_imports_of_those_around_them() {
        let root = ("", "use sqlx::query; mod a;");
        let of_root = Some("sqlx::query");
        check(&[root, ("a", "use super::query; fn f() { query(1) }")], "super::query", of_root);
        check(&[root, ("a", "use crate::{query}; fn f() { query(1) }")], "crate::query", of_root);
        check(&[root, ("a::b", "fn f() { super::super::query(1) }")], "super::super::query", of_root);
        check(&[("", "use sqlx::query; fn f() { self::query(1) }")], "self::query", of_root);
        check(&[("", "use sqlx::query; mod a { use super::query; }")], "super::query", of_root);
        check(
            &[("", "use sqlx::query; include!(\"a.inc\");"), ("", "fn f() { query(1) }")],
            "query",
            of_root,
        );
        let of_a = ("a", "use super::query; fn f() { query(1) }");
        check(&[("", "use sqlx::query_as; fn query() {}"), of_a], "super::query", None);
        check(&[("", "use sqlx::*; fn query() {}"), of_a], "super::query", None);
        check(&[("", "use sqlx::*; impl A { fn query() {} }"), of_a], "super::query", of_root);
    }

    #[test]
    fn names_that_stay_the_same_are_followed() {
        check(
            &[("db", "pub use sqlx::query;"), ("a", "use crate::db::query; fn f() { query(1) }")],
            "crate::db::query",
            Some("sqlx::query"),
        );
        check(
            &[("db", "pub use sqlx::*;"), ("a", "use crate::db::*; fn f() { query_as(1) }")],
            "query_as",
            Some("sqlx::query_as"),
        );
        check(
            &[("db", "pub use sqlx as x;"), ("a", "fn f() { crate::db::x::query(1) }")],
            "crate::db::x::query",
            Some("sqlx::query"),
        );
        check(
            &[("db", "pub use sqlx::QueryBuilder as Qb;"), ("a", "use crate::db::Qb; fn f() { Qb::new(1) }")],
            "crate::db::Qb",
            Some("sqlx::QueryBuilder"),
        );
        check(
            &[
                ("db", "pub use other::query as q; pub use sqlx::Row as R;"),
                ("a", "use crate::db::q; fn f() { q(1) }"),
            ],
            "crate::db::q",
            None,
        );
        check(
            &[
                ("db", "pub use crate::db::q; pub use sqlx::query as r;"),
                ("a", "use crate::db::q; fn f() { q(1) }"),
            ],
            "crate::db::q",
            None,
        );
    }

    #[test]
    fn a_crate_that_the_root_renames_has_that_name_in_all_files() {
        let none = Arc::default();
        let a = ["a".to_owned()];
        let file = |crate_name, module, text| Neighbour { crate_name, externs: &none, module, text };
        let files = [
            file("app", &[][..], "extern crate sqlx as pg; mod a;"),
            file("app", &a[..], "fn f() { pg::query(1); crate::pg::query(1) }"),
            file("other", &[][..], "mod m { extern crate sqlx as inner; } fn f() { pg::query(1) }"),
        ];
        let told = told(&files);
        let renamed: Vec<Vec<&str>> =
            told.iter().map(|told| told.renamed.keys().map(String::as_str).collect()).collect();
        assert_eq!(renamed, [vec!["pg"], vec!["pg"], vec![]]);
        let path = ["crate", "pg", "query"].map(str::to_owned);
        let led = told.get(1).and_then(|told| told.handed.get(&path[..])).map(|path| path.join("::"));
        assert_eq!(led.as_deref(), Some("sqlx::query"));
        check(
            &[
                ("db", "use ::sqlx as s; pub mod q {}"),
                ("db::a", "mod inner { fn f() { super::super::s::query(1) } }"),
            ],
            "super::super::s::query",
            Some("sqlx::query"),
        );
    }

    #[test]
    fn macros_of_another_crate_name_it() {
        let externs: Arc<HashMap<String, String>> = Arc::new([("lib".to_owned(), "b".to_owned())].into());
        let none = Arc::default();
        let file = |crate_name, externs, text| Neighbour { crate_name, externs, module: &[], text };
        let library = "pub use sqlx::query as q; #[macro_export] macro_rules! get { ($d:expr) => { $crate::q(\"SELECT 1\") } }";
        let files = [file("b", &none, library), file("a", &externs, "fn f() { lib::get!(db) }")];
        let last = told(&files).pop().expect("there is a file");
        assert_eq!(last.macros, [("get".to_owned(), " ($d:expr) => { lib::q(\"SELECT 1\") } ".to_owned())]);
        assert_eq!(
            last.handed.get(&["lib".to_owned(), "q".to_owned()][..]).map(|path| path.join("::")).as_deref(),
            Some("sqlx::query")
        );
        let twice = [
            file("a", &none, "macro_rules! get { () => { a().await } }"),
            file("a", &none, "macro_rules! get { () => { b().await } }"),
            file("a", &none, "async fn f() { get!() }"),
        ];
        let last = told(&twice).pop().expect("there is a file");
        assert_eq!(last.macros, [("get".to_owned(), UNKNOWN.to_owned())]);
    }

    #[test]
    fn a_macro_of_the_same_name_is_anothers_where_nothing_names_this_project() {
        let externs = Arc::default();
        let sites = |other: &str| {
            let texts = ["fn f() { run(sql!(\"SELECT a FROM t WHERE id = ?1\"), 1); }", other];
            let files = texts.map(|text| Neighbour { crate_name: "a", externs: &externs, module: &[], text });
            let told = told(&files);
            let scan = crate::rust::scan_in("lib.rs", texts[0], false, &told[0]).expect("it is Rust");
            scan.sites.len()
        };
        assert_eq!(sites("use check::sql;"), 0);
        assert_eq!(sites("use query_budget::sql;"), 1);
    }

    #[test]
    fn macros_of_the_crate_are_told() {
        let externs: Arc<HashMap<String, String>> = Arc::new([("b".to_owned(), "b".to_owned())].into());
        let none = Arc::default();
        let file = |crate_name, externs, text| Neighbour { crate_name, externs, module: &[], text };
        let files = [
            file(
                "b",
                &none,
                "#[macro_export] macro_rules! out { () => { inner!() } } macro_rules! own { () => {} }",
            ),
            file("a", &externs, "macro_rules! inner { () => {} }"),
            file("a", &externs, "fn f() { b::out!(); own!(); inner!(); }"),
        ];
        let told = told(&files);
        let names: Vec<Vec<&str>> = told
            .iter()
            .map(|told| {
                let mut names: Vec<&str> = told.macros.iter().map(|(name, _)| name.as_str()).collect();
                names.sort_unstable();
                names
            })
            .collect();
        assert_eq!(names, [vec![], vec![], vec!["inner", "out"]]);
    }
}
