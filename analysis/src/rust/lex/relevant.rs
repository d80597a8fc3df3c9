//! Finds the source of a workspace that can matter, judging by names: bodies of functions that reach no query
//! are blanked before parsing.
//!
//! Names match more than the call graph will. A function is kept if it may make a query, or if it may call,
//! and can wait for, a function with the name of one that is kept. Lines and columns do not change.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::outline::{ITERATES, Outline, Outlined, Waits, outline, outline_of_queries};
use crate::rust::{drivers, query_names};

/// A function, by file and position.
type Id = (usize, usize);

/// The text to parse for each of `texts`: everything but the bodies that do not matter.
pub fn relevant<'t>(texts: &[&'t str]) -> Vec<Cow<'t, str>> {
    let outlines: Vec<Outline<'_>> = texts.iter().map(|text| outline(text)).collect();
    texts.iter().zip(left_out(&outlines)).map(|(text, left)| left.of(text)).collect()
}

/// The bodies of a file that do not matter.
#[derive(Debug)]
pub struct LeftOut(Vec<Range<usize>>);

impl LeftOut {
    /// The text of the file without them.
    pub fn of(self, text: &str) -> Cow<'_, str> {
        blanked(text, self.0)
    }
}

/// The source that does not matter in each of the files with these outlines.
pub fn left_out(outlines: &[Outline<'_>]) -> Vec<LeftOut> {
    let kept = functions(outlines);
    let bodies = |(file, outline): (usize, &Outline<'_>)| {
        let functions = outline.functions.iter().enumerate();
        let left_out = functions.filter(|(at, _)| !kept.contains(&(file, *at)));
        LeftOut(left_out.map(|(_, function)| function.body.clone()).collect())
    };
    outlines.iter().enumerate().map(bodies).collect()
}

/// Whether any of `texts` may contain a query, or a directive to this tool. Unless sqlx or this crate is
/// renamed, each query uses one of their names or one of another driver somewhere in the workspace, or is
/// made by a macro with such a name.
pub fn may_query(texts: &[&str]) -> bool {
    let says = |text: &&str| {
        ["sqlx", "query_budget", "query-budget"].iter().any(|name| text.contains(name))
            || drivers::is_named_in(text)
    };
    let is_macro = |text: &str, end: usize| {
        let before = text.get(..end).unwrap_or_default();
        let name = before.rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next();
        name.is_some_and(query_names::makes_query)
    };
    let calls = |text: &&str| text.match_indices('!').any(|(end, _)| is_macro(text, end));
    texts.iter().any(says) || texts.iter().any(calls)
}

/// The text to parse for the queries of a file alone: functions without queries are blanked entirely.
pub fn with_queries(text: &str) -> Cow<'_, str> {
    with_unknown(text, &outline_of_queries(text).0.functions, std::iter::repeat(false))
}

/// [`with_queries`], which also blanks the functions whose queries are known: `is_known` in the order of `functions`.
pub(in crate::rust) fn with_unknown<'t>(
    text: &'t str,
    functions: &[Outlined<'_>],
    is_known: impl Iterator<Item = bool>,
) -> Cow<'t, str> {
    let others = functions.iter().zip(is_known).filter_map(|(function, is_known)| match function.queries {
        false => Some(function.whole.clone()),
        true => is_known.then(|| function.body.clone()),
    });
    blanked(text, others)
}

/// A text with some ranges blanked, in their order.
fn blanked(text: &str, parts: impl IntoIterator<Item = Range<usize>>) -> Cow<'_, str> {
    let mut out = String::new();
    let mut from = 0;
    for part in parts {
        let (Some(before), Some(inside)) = (text.get(from..part.start), text.get(part.clone())) else {
            continue;
        };
        out.push_str(before);
        // Columns count characters since the last line break.
        let (lines, last) = inside.rsplit_once('\n').map_or(("", inside), |(lines, last)| {
            out.push('\n');
            (lines, last)
        });
        out.push_str(&"\n".repeat(lines.matches('\n').count()));
        out.extend(std::iter::repeat_n(' ', last.chars().count()));
        from = part.end;
    }
    match from {
        0 => Cow::Borrowed(text),
        _ => {
            out.push_str(text.get(from..).unwrap_or_default());
            Cow::Owned(out)
        }
    }
}

/// The functions that may reach a query: those that may make one, and those that may call, and wait for,
/// another.
fn functions(outlines: &[Outline<'_>]) -> HashSet<Id> {
    // The expansions of macros come after the functions.
    let all = || {
        let files = outlines.iter().enumerate();
        files.flat_map(|(file, outline)| {
            let all = outline.functions.iter().chain(&outline.macros).chain(&outline.made);
            (0..).zip(all).map(move |(at, function)| ((file, at), function))
        })
    };
    let mut callers: HashMap<&str, Vec<(Id, &Outlined<'_>)>> = HashMap::new();
    for (id, function) in all().filter(|(_, function)| !function.queries) {
        for name in &function.calls {
            callers.entry(name).or_default().push((id, function));
        }
    }
    // A function is called by the names that imports give it as well, one after the other; and so is what makes queries.
    let mut renames: HashMap<&str, Vec<&str>> = HashMap::new();
    for (name, new) in outlines.iter().flat_map(|outline| &outline.renames) {
        renames.entry(name).or_default().push(new);
    }
    let made_by: HashSet<&str> = renames
        .keys()
        .filter(|name| query_names::makes_query(name))
        .flat_map(|name| names_of(name, &renames))
        .filter(|name| !query_names::makes_query(name))
        .collect();
    let makes = |function: &Outlined<'_>| function.calls.iter().any(|name| made_by.contains(name));
    // Code that a value is may be what queries. Without `.await`, it is if a driver blocks.
    let blocks = all().any(|(_, function)| function.blocks);
    let runs = |function: &Outlined<'_>| {
        function.queries || function.calls_code && (blocks || function.waits != Waits::Never)
    };
    let mut new: Vec<_> =
        all().filter(|(_, function)| runs(function) || !made_by.is_empty() && makes(function)).collect();
    let mut found: HashSet<Id> = new.iter().map(|(id, _)| *id).collect();
    // Functions with the same name have the same callers.
    let mut followed: HashSet<(&str, bool)> = HashSet::new();
    while let Some(((file, _), function)) = new.pop() {
        // Any function may run it. Names alone lead to most of them, so it counts if it waits for something by itself. What makes a value
        // that is dropped may outlive it, so only those that are read anyway say so.
        let unwritten = outlines.get(file).map_or(&[][..], |outline| &outline.unwritten);
        let waits = function.queries || function.waits == Waits::Itself;
        if waits && function.name != "drop" && unwritten.contains(&function.name) {
            let counts = outlines.iter().map(|outline| outline.functions.len()).enumerate();
            return counts.flat_map(|(file, count)| (0..count).map(move |at| (file, at))).collect();
        }
        let is_sync = function.waits == Waits::Itself || blocks && function.waits == Waits::Never;
        if !followed.insert((function.name, is_sync)) {
            continue;
        }
        // What a constructor spawns runs concurrently with its caller.
        if function.waits == Waits::Itself && function.name == "new" {
            continue;
        }
        // The loop over an iterator calls its `next`.
        let iterates = (is_sync && function.name == "next").then_some(ITERATES);
        for name in names_of(function.name, &renames).into_iter().chain(iterates) {
            for (id, caller) in callers.get(name).into_iter().flatten() {
                let can_wait = caller.waits != Waits::Never || is_sync;
                if can_wait && found.insert(*id) {
                    new.push((*id, caller));
                }
            }
        }
    }
    // A helper determines how often the function passed to it queries.
    let code = code_types(outlines);
    let takes_code = |function: &Outlined<'_>| {
        function.takes_functions || function.types.iter().any(|ty| code.contains(ty))
    };
    // What a query elsewhere may run.
    let is_kept = |function: &Outlined<'_>| {
        takes_code(function) || function.calls_code || function.gives_text || function.budgeted
    };
    found.extend(all().filter(|(_, function)| is_kept(function)).map(|(id, _)| id));
    found.retain(|(file, at)| outlines.get(*file).is_some_and(|outline| *at < outline.functions.len()));
    found
}

/// The names of types that are code: aliases of closures' types, directly and by other aliases.
fn code_types<'t>(outlines: &[Outline<'t>]) -> HashSet<&'t str> {
    let named = || outlines.iter().flat_map(|outline| &outline.code_types);
    let mut users: HashMap<&str, Vec<&'t str>> = HashMap::new();
    for (name, types) in named() {
        types.iter().for_each(|of| users.entry(of).or_default().push(name));
    }
    let is_code = |types: &[&str]| types.iter().any(|of| super::aliases::is_of_code(of));
    let mut new: Vec<&str> = named().filter(|(_, types)| is_code(types)).map(|(name, _)| *name).collect();
    let mut found = HashSet::new();
    while let Some(name) = new.pop() {
        if found.insert(name) {
            new.extend(users.get(name).into_iter().flatten());
        }
    }
    found
}

/// A name, and those that imports make of it, one after the other.
pub(in crate::rust) fn names_of<'t>(name: &'t str, renames: &HashMap<&str, Vec<&'t str>>) -> Vec<&'t str> {
    let mut names = vec![name];
    let mut at = 0;
    while let Some(name) = names.get(at).copied() {
        let new = renames.get(name).into_iter().flatten().filter(|new| !names.contains(new));
        let new: Vec<&str> = new.copied().collect();
        names.extend(new);
        at += 1;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks which functions keep their bodies, in one file or several.
    #[track_caller]
    fn check(texts: &[&str], expected: &[&str]) {
        let outlines: Vec<Outline<'_>> = texts.iter().map(|text| outline(text)).collect();
        let mut kept: Vec<Id> = functions(&outlines).into_iter().collect();
        kept.sort_unstable();
        let names: Vec<&str> = kept.iter().map(|(file, at)| outlines[*file].functions[*at].name).collect();
        assert_eq!(names, expected, "{texts:?}");
    }

    #[test]
    fn what_makes_a_query_and_what_may_wait_for_it_is_left() {
        check(
            &[
                "async fn load() { sqlx::query!(\"SELECT 1\").fetch_one(db).await } fn plain() { load2() }",
                "async fn page() { db.load().await } async fn other() { http().await } fn sync() { load(); }",
            ],
            &["load", "page"],
        );
        check(
            &["fn wait() { rt.block_on(async { sql!(\"SELECT 1\") }) } fn sync() { wait() }"],
            &["wait", "sync"],
        );
        check(
            &[
                "async fn fetch() { sqlx::query!(\"SELECT 1\").fetch_one(db).await }",
                "mod store; pub use store::{fetch as load, other as fetch};",
                "use crate::load as get; async fn page() { get().await } async fn other() { let x = a as get; }",
            ],
            &["fetch", "page"],
        );
        check(
            &["fn all() -> impl Stream { xs.map(load) } async fn load() { q().fetch(db) }"],
            &["all", "load"],
        );
    }

    #[test]
    fn a_workspace_without_a_name_of_ours_has_no_query() {
        assert!(!may_query(&[
            "fn f() { db.execute(\"SELECT 1\"); query(1); println!(\"sql\"); }",
            "use sql::query;"
        ]));
        for text in [
            "use a::sqlx as b;",
            "fn f() { b::query!(\"SELECT 1\") }",
            "sql_as!(A, \"\")",
            "// query-budget: allow(x)",
        ] {
            assert!(may_query(&["fn f() {}", text]), "{text}");
        }
    }

    #[test]
    fn functions_that_are_values_are_seen() {
        let one = "async fn one() { sqlx::query!(\"SELECT 1\").fetch_one(db).await }";
        for body in [
            "let h = if c { one } else { two }; h(1).await",
            "let h = if c { two } else { one }; h(1).await",
            "let h = match c { 1 => one, _ => two }; h(1).await",
            "let h = match c { 1 => two, _ => one }; h(1).await",
            "for h in [two, one] { h(1).await }",
            "for h in HANDLERS { h(1).await }",
            "for (_, h) in PAIRS.iter() { h(1).await }",
            "MAIN(1).await",
        ] {
            let constants = "const MAIN: fn(i64) = one; static HANDLERS: [fn(i64); 2] = [two, one]; const PAIRS: &[(&str, F)] = &[(\"a\", one)]; const N: usize = 1;";
            let other = "async fn other() { for i in 0..N { three(LIMIT).await } }";
            check(&[&format!("{one} {constants} {other} async fn f() {{ {body} }}")], &["one", "f"]);
        }
    }

    #[test]
    fn other_names_for_what_makes_queries_are_seen() {
        check(&["use sqlx::query as q; async fn f() { q(\"SELECT 1\"); }"], &["f"]);
        check(
            &[
                "macro_rules! user { ($s:expr) => { sqlx::query!($s) } } async fn f() { user!(\"SELECT 1\"); }",
            ],
            &["f"],
        );
    }

    #[test]
    fn a_constructor_takes_code_by_the_parameter_of_its_type() {
        let load = "async fn load() { query(\"x\").await }";
        for header in [
            "impl<F: Fn(i64)> Job<F>",
            "impl<F, Fut> Job<F> where F: Fn(i64) -> Fut, Fut: Future",
            "impl<F> Job<F> where F: Send, F: for<'a> FnOnce(&'a i64)",
        ] {
            let of =
                format!("{header} {{ fn new(run: F) -> Self {{ Self {{ run }} }} fn other(x: i64) {{}} }}");
            check(&[load, &of], &["load", "new"]);
        }
        check(&[load, "impl<F: Display> Job<F> { fn new(run: F) -> Self { Self { run } } }"], &["load"]);
    }

    #[test]
    fn a_helper_takes_code_by_an_alias_of_its_type() {
        let load = "async fn load() { query(\"x\").await }";
        for types in [
            "type Callback = Box<dyn Fn(i64) + Send>;",
            "type Inner<'a> = &'a mut dyn FnMut(i64); type Callback = Option<Inner<'static>>;",
            "type Callback = fn(i64);",
            "pub trait Callback: Fn(i64) -> bool {}",
            "trait Visit { type Callback: AsyncFnOnce(i64); }",
        ] {
            check(
                &[load, types, "fn each(f: Callback) { f(1) } fn other(f: Other) { f() }"],
                &["load", "each"],
            );
        }
    }

    #[test]
    fn what_macros_of_other_files_make_is_seen() {
        let user = "macro_rules! user { ($s:expr) => { sqlx::query!($s) } }";
        check(&[user, "async fn f() { user!(\"SELECT 1\"); } fn g() { other!(1); }"], &["f"]);
        let twice = "macro_rules! twice { ($s:expr) => { user!($s); user!($s) } }";
        check(&[user, twice, "async fn f() { crate::twice!(\"SELECT 1\"); }"], &["f"]);
        let load = "macro_rules! load { ($f:ident) => { async fn $f() { sqlx::query(\"SELECT 1\").fetch_one(db).await } } }";
        check(
            &[
                load,
                "load!(users); load! { teams }",
                "async fn f() { users().await } async fn g() { x().await }",
            ],
            &["f"],
        );
        let call =
            "macro_rules! call { ($d:expr) => { fetch($d).await } } async fn fetch() { query(\"x\").await }";
        check(&[call, "async fn f() { call!(db); }"], &["fetch", "f"]);
        check(
            &[
                "pub use sqlx::query as q;",
                "pub use a::q as r;",
                "async fn f() { b::r(\"SELECT 1\").await } fn g() { s() }",
            ],
            &["f"],
        );
    }

    #[test]
    fn what_is_blanked_leaves_lines_and_columns() {
        let text = "fn a() {\n    let s = \"}\"; // ü {\n} async fn b() { query(\"x\") }";
        let left = relevant(&[text]).remove(0);
        assert_eq!(left.lines().count(), text.lines().count());
        assert_eq!(left.lines().next_back(), text.lines().next_back());
        assert_eq!(left.lines().nth(1), Some(""));
        assert!(!left.contains("let"), "{left}");
        // Columns after a blanked range count characters, not bytes.
        let text = "fn a() {\n /* ü */ } async fn b() { query(\"x\") }";
        let left = relevant(&[text]).remove(0);
        let column = |text: &str| text.lines().nth(1).and_then(|line| line.chars().position(|c| c == 'y'));
        assert_eq!(column(&left), column(text));
        assert!(!left.contains('ü'), "{left}");
    }

    #[test]
    fn functions_without_a_query_are_left_out_as_a_whole() {
        let text = "use a::b;\n/// Adds.\n#[inline]\npub(crate) const unsafe extern \"C\" fn add() { 1 + 1 }\n\
            impl Db {\n    /// Loads.\n    async fn load(&self) { query(\"x\").await }\n    fn b() {} /* last */\n}\n";
        let left = with_queries(text);
        let lines: Vec<&str> = left.lines().map(str::trim_end).collect();
        let expected = [
            "use a::b;",
            "",
            "",
            "",
            "impl Db {",
            "    /// Loads.",
            "    async fn load(&self) { query(\"x\").await }",
            "              /* last */",
            "}",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn text_that_is_no_rust_ends() {
        for text in
            ["fn", "fn f(", "fn f() {", "fn f() -> [u8; { 1 }] {{{", "}}} fn f() {}", "\"", "r#\"", "'"]
        {
            let _ = (relevant(&[text]), with_queries(text));
        }
    }
}
