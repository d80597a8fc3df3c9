//! What of a workspace's source can matter, going by names alone: bodies of functions that come to no query are blanked
//! before anything is parsed.
//!
//! Names find more than the call graph will: a function is left in when it may make a query, or may call, and can wait
//! for, one of the same name as a function that is left in. Lines and columns stay what they are.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::outline::{Outline, Outlined, Waits, outline};

/// A function, by file and position.
type Id = (usize, usize);

/// What there is to parse of each of `texts`: all of it but for the bodies that do not matter.
pub fn relevant<'t>(texts: &[&'t str]) -> Vec<Cow<'t, str>> {
    let outlines: Vec<Outline<'_>> = texts.iter().map(|text| outline(text)).collect();
    let kept = functions(&outlines);
    let files = texts.iter().zip(&outlines).enumerate();
    files
        .map(|(file, (text, outline))| blanked(text, outline, |function| kept.contains(&(file, function))))
        .collect()
}

/// A text without the bodies that do not matter.
fn blanked<'t>(text: &'t str, outline: &Outline<'_>, is_left: impl Fn(usize) -> bool) -> Cow<'t, str> {
    let bodies = outline.functions.iter().enumerate().filter(|(at, _)| !is_left(*at));
    let mut out = String::new();
    let mut from = 0;
    for (_, Outlined { body, .. }) in bodies {
        let (Some(before), Some(inside)) = (text.get(from..body.start), text.get(body.clone())) else {
            continue;
        };
        out.push_str(before);
        // Columns are counted in characters.
        out.extend(inside.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        from = body.end;
    }
    match from {
        0 => Cow::Borrowed(text),
        _ => {
            out.push_str(text.get(from..).unwrap_or_default());
            Cow::Owned(out)
        }
    }
}

/// The functions that may come to a query: those that may make one, and those that may call, and wait for, another.
fn functions(outlines: &[Outline<'_>]) -> HashSet<Id> {
    let all = || {
        let files = outlines.iter().enumerate();
        files.flat_map(|(file, outline)| {
            (0..).zip(&outline.functions).map(move |(at, function)| ((file, at), function))
        })
    };
    let mut callers: HashMap<&str, Vec<(Id, &Outlined<'_>)>> = HashMap::new();
    for (id, function) in all().filter(|(_, function)| !function.queries) {
        for name in &function.calls {
            callers.entry(name).or_default().push((id, function));
        }
    }
    let mut new: Vec<_> = all().filter(|(_, function)| function.queries).collect();
    let mut found: HashSet<Id> = new.iter().map(|(id, _)| *id).collect();
    while let Some((_, function)) = new.pop() {
        // What a constructor starts goes on beside whoever called it.
        if function.waits == Waits::Itself && function.name == "new" {
            continue;
        }
        for (id, caller) in callers.get(function.name).into_iter().flatten() {
            let can_wait = caller.waits != Waits::Never || function.waits == Waits::Itself;
            if can_wait && found.insert(*id) {
                new.push((*id, caller));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks which functions keep their bodies, of a file or several.
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
            &["fn all() -> impl Stream { xs.map(load) } async fn load() { q().fetch(db) }"],
            &["all", "load"],
        );
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
    fn what_is_blanked_leaves_lines_and_columns() {
        let text = "fn a() {\n    let s = \"}\"; // ü {\n} async fn b() { query(\"x\") }";
        let left = relevant(&[text]).remove(0);
        assert_eq!(left.lines().count(), text.lines().count());
        assert_eq!(left.lines().next_back(), text.lines().next_back());
        assert_eq!(left.lines().nth(1).map(|line| line.chars().count()), Some(23));
        assert!(!left.contains("let"), "{left}");
    }

    #[test]
    fn text_that_is_no_rust_ends() {
        for text in
            ["fn", "fn f(", "fn f() {", "fn f() -> [u8; { 1 }] {{{", "}}} fn f() {}", "\"", "r#\"", "'"]
        {
            let _ = relevant(&[text]);
        }
    }
}
