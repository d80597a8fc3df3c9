//! Rewrites the text of a file so that its query macros come from another crate.

use std::collections::BTreeSet;

use query_budget_analysis::rust::{Form, Site};

use super::imports::{self, Import};

/// The macros that both crates provide.
const MACROS: [&str; 6] =
    ["query", "query_as", "query_scalar", "query_file", "query_file_as", "query_file_scalar"];

/// The source and target crates.
pub(crate) struct Direction {
    from: String,
    to: String,
    form: Form,
}

impl Direction {
    /// From sqlx to our crate, by the names that the package has for them.
    pub(crate) fn over(sqlx: &str, ours: &str) -> Direction {
        Direction { from: sqlx.to_owned(), to: ours.to_owned(), form: Form::SqlxMacro }
    }

    /// From our crate to sqlx, by the names that the package has for them.
    pub(crate) fn back(ours: &str, sqlx: &str) -> Direction {
        Direction { from: ours.to_owned(), to: sqlx.to_owned(), form: Form::Checked }
    }

    /// Whether a text may contain anything to migrate.
    pub(crate) fn may_concern(&self, text: &str) -> bool {
        // A module of the crate may re-export the names.
        let parts = [self.from.as_str(), "crate::", "super::", "self::"];
        text.contains("query") && parts.iter().any(|part| text.contains(part))
    }
}

/// The result for one text.
pub(crate) struct Rewritten {
    pub(crate) text: String,
    /// The number of migrated macros.
    pub(crate) macros: usize,
    /// The changed lines: number, before, after.
    pub(crate) changes: Vec<(usize, String, String)>,
    /// The lines with a macro that was not migrated, and why.
    pub(crate) left: Vec<(usize, &'static str)>,
}

/// A range of a text, and its replacement.
pub(super) type Edit = (std::ops::Range<usize>, String);

/// Migrates the macros at `sites`, which are all sites of the text.
pub(crate) fn rewritten(text: &str, sites: &[Site], direction: &Direction) -> Rewritten {
    let Direction { from, to, form } = direction;
    let starts: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let all = imports::all(text);
    let imports: Vec<&Import> = all.iter().filter(|import| import.is_from(from)).collect();
    let mut edits: Vec<Edit> = Vec::new();
    let mut bare: Vec<(usize, &str)> = Vec::new();
    let mut left = Vec::new();
    for site in sites.iter().filter(|site| site.form == *form) {
        let Some(at) = offset(text, &starts, site.place.line, site.place.column) else { continue };
        let rest = text.get(at..).unwrap_or_default();
        let path = rest.strip_prefix("::").unwrap_or(rest);
        let begins = at + rest.len() - path.len();
        if let Some(name) = path.strip_prefix(from.as_str()).and_then(|rest| rest.strip_prefix("::")) {
            if macro_name(name).is_some() {
                edits.push((begins..begins + from.len(), to.clone()));
            }
        } else if let Some(name) = macro_name(path) {
            bare.push((begins, name));
        } else if imports.iter().any(|import| import.renames(site.written.trim_end_matches('!'))) {
            left.push((site.place.line as usize, "it is imported under another name"));
        } else if site.written.trim_end_matches('!').rsplit("::").next().is_some_and(is_macro) {
            left.push((site.place.line as usize, "its path is not one that is followed here"));
        }
    }
    let macros = edits.len() + bare.len();
    let names: BTreeSet<&str> = bare.iter().map(|(_, name)| *name).collect();
    // A name that is also a function has to stay imported from its crate.
    let names: Vec<&str> = names.into_iter().filter(|name| !is_called_as_function(text, name)).collect();
    let is_direct = |name: &str| imports.iter().any(|import| import.can_move(name));
    // A module of the crate may re-export a macro.
    let hands_on = |import: &Import| {
        import.is_of_module() && names.iter().any(|name| !is_direct(name) && import.can_move(name))
    };
    let movable: Vec<&Import> =
        all.iter().filter(|import| import.is_from(from) || hands_on(import)).collect();
    let moved: BTreeSet<&str> =
        names.iter().copied().filter(|name| movable.iter().any(|import| import.can_move(name))).collect();
    let qualified = bare.iter().filter(|(_, name)| !moved.contains(name));
    edits.extend(qualified.map(|(at, _)| (*at..*at, format!("{to}::"))));
    edits.extend(imports::moved(text, &movable, &moved, to));
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let after = applied(text, &edits);
    let mut unseen = unseen(text, &edits, from);
    // The rules of a macro that names it without a path.
    let imported = MACROS.iter().filter(|name| is_direct(name) && !moved.contains(*name));
    unseen.extend(imported.flat_map(|name| in_rules(text, name)));
    left.extend(
        unseen.into_iter().map(|at| (line_of(&starts, at), "it is inside a macro definition or a string")),
    );
    left.sort_unstable();
    let changes = changed_lines(text, &edits, &starts);
    Rewritten { macros, changes, left, text: after }
}

fn is_macro(name: &str) -> bool {
    MACROS.contains(&name.strip_suffix("_unchecked").unwrap_or(name))
}

/// The name of the query macro at the start of a text.
fn macro_name(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    let (name, rest) = text.split_at(end);
    (is_macro(name) && rest.trim_start().starts_with('!')).then_some(name)
}

/// Whether `name(..)` or `name::<..>(..)` is called in a text, as a function and not as a method.
fn is_called_as_function(text: &str, name: &str) -> bool {
    words(text, name).any(|at| {
        let before = text.get(..at).unwrap_or_default().trim_end();
        let after = text.get(at + name.len()..).unwrap_or_default();
        let is_own = !before.ends_with(['.', ':']) && !before.ends_with("fn");
        is_own && (after.starts_with('(') || after.starts_with("::<"))
    })
}

/// The positions of a name in a text, as a whole word.
fn words<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = usize> + 't {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).map(|(at, _)| at).filter(move |at| {
        let before = text.get(..*at).and_then(|before| before.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// The positions of macros called by path that no edit covers.
fn unseen(text: &str, edits: &[Edit], from: &str) -> Vec<usize> {
    let named = words(text, from).filter(|at| {
        let rest = text.get(at + from.len()..).and_then(|rest| rest.strip_prefix("::"));
        rest.is_some_and(|rest| macro_name(rest).is_some())
    });
    named.filter(|at| !edits.iter().any(|(range, _)| range.start == *at)).collect()
}

/// The positions of a macro called by its name alone in the rules of another.
fn in_rules<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = usize> + 't {
    words(text, name).filter(move |at| {
        let before = text.get(..*at).unwrap_or_default();
        let is_alone = !before.trim_end().ends_with(':')
            && text.get(at + name.len()..).is_some_and(|it| it.starts_with('!'));
        let rules = before.rfind("macro_rules!").and_then(|from| before.get(from..)).unwrap_or_default();
        let (opened, closed) = (rules.matches('{').count(), rules.matches('}').count());
        is_alone && opened > closed
    })
}

fn offset(text: &str, starts: &[usize], line: u32, column: u32) -> Option<usize> {
    let start = *starts.get(usize::try_from(line).ok()?.checked_sub(1)?)?;
    let before = usize::try_from(column).ok()?.checked_sub(1)?;
    let rest = text.get(start..)?;
    rest.char_indices().nth(before).map(|(at, _)| start + at)
}

fn line_of(starts: &[usize], at: usize) -> usize {
    starts.partition_point(|start| *start <= at)
}

fn applied(text: &str, edits: &[Edit]) -> String {
    let mut after = String::with_capacity(text.len());
    let mut from = 0;
    for (range, new) in edits {
        after.push_str(text.get(from..range.start).unwrap_or_default());
        after.push_str(new);
        from = range.end;
    }
    after.push_str(text.get(from..).unwrap_or_default());
    after
}

/// The lines that edits touch, before and after, with the number of the first.
fn changed_lines(text: &str, edits: &[Edit], starts: &[usize]) -> Vec<(usize, String, String)> {
    let mut lines: Vec<(usize, usize, Vec<Edit>)> = Vec::new();
    for (range, new) in edits {
        let (first, last) = (line_of(starts, range.start), line_of(starts, range.end));
        match lines.last_mut() {
            Some((_, end, of_lines)) if *end >= first => {
                *end = last.max(*end);
                of_lines.push((range.clone(), new.clone()));
            }
            _ => lines.push((first, last, vec![(range.clone(), new.clone())])),
        }
    }
    let shown = lines.into_iter().filter_map(|(first, last, edits)| {
        let begin = *starts.get(first.checked_sub(1)?)?;
        let end = starts.get(last).map_or(text.len(), |next| next - 1);
        let edits: Vec<Edit> =
            edits.into_iter().map(|(range, new)| (range.start - begin..range.end - begin, new)).collect();
        let before = text.get(begin..end)?;
        Some((first, before.trim().to_owned(), applied(before, &edits).trim().to_owned()))
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use query_budget_analysis::rust::scan;

    use super::*;

    #[track_caller]
    fn check(before: &str, expected: &str) -> Rewritten {
        let sites = scan("src/lib.rs", before).expect("source").sites;
        let over = rewritten(before, &sites, &Direction::over("sqlx", "query_budget"));
        assert_eq!(over.text, expected);
        over
    }

    /// Checks the migration, and that migrating back restores the text.
    #[track_caller]
    fn check_both(before: &str, expected: &str) {
        check(before, expected);
        let sites = scan("src/lib.rs", expected).expect("source").sites;
        assert_eq!(rewritten(expected, &sites, &Direction::back("query_budget", "sqlx")).text, before);
    }

    #[test]
    fn paths() {
        check_both(
            "fn f() { sqlx::query!(\"SELECT 1\"); let x = ::sqlx::query_file_as_unchecked!(T, \"a.sql\"); }",
            "fn f() { query_budget::query!(\"SELECT 1\"); let x = ::query_budget::query_file_as_unchecked!(T, \"a.sql\"); }",
        );
    }

    #[test]
    fn imports_of_macros_alone() {
        check_both(
            "use sqlx::query_as;\nfn f() { query_as!(T, \"SELECT 1\") }",
            "use query_budget::query_as;\nfn f() { query_as!(T, \"SELECT 1\") }",
        );
        check_both(
            "use sqlx::{PgPool, query, query_as};\nfn f(db: PgPool) { query_as!(T, \"SELECT 1\"); query!(\"SELECT 1\") }",
            "use query_budget::{query, query_as};\nuse sqlx::PgPool;\nfn f(db: PgPool) { query_as!(T, \"SELECT 1\"); query!(\"SELECT 1\") }",
        );
    }

    #[test]
    fn attributes_of_an_import_hold_for_each_part() {
        check_both(
            "#[cfg(a)]\nuse sqlx::query;\nfn f() { query!(\"SELECT 1\") }",
            "#[cfg(a)]\nuse query_budget::query;\nfn f() { query!(\"SELECT 1\") }",
        );
        check(
            "use query_budget::sql;\n#[cfg(a)]\n#[cfg(b)]\nuse sqlx::{PgPool, query};\nfn f() { query!(\"SELECT 1\") }",
            "use query_budget::sql;\n#[cfg(a)]\n#[cfg(b)]\nuse query_budget::query;\n#[cfg(a)]\n#[cfg(b)]\nuse sqlx::PgPool;\nfn f() { query!(\"SELECT 1\") }",
        );
        check(
            "#[cfg_attr(\n    a, b\n)]\nuse sqlx::query;\nfn f() { query!(\"SELECT 1\") }",
            "#[cfg_attr(\n    a, b\n)]\nuse sqlx::query;\nfn f() { query_budget::query!(\"SELECT 1\") }",
        );
    }

    #[test]
    fn a_name_that_is_a_function_too_stays_imported() {
        check(
            "use sqlx::query;\nfn f() { query!(\"SELECT 1\"); query(\"SELECT 1\").bind(1); }",
            "use sqlx::query;\nfn f() { query_budget::query!(\"SELECT 1\"); query(\"SELECT 1\").bind(1); }",
        );
        check(
            "use sqlx::query;\nfn f(query: &str) { db.query(1); query!(\"SELECT 1\") }",
            "use query_budget::query;\nfn f(query: &str) { db.query(1); query!(\"SELECT 1\") }",
        );
    }

    #[test]
    fn everything_else_is_left() {
        let left = |text: &str| check(text, text).left.len();
        assert_eq!(
            left("// sqlx::query!(\"SELECT 1\")\nfn f() { sqlx::query(\"SELECT 1\"); sqlx::migrate!() }"),
            1
        );
        assert_eq!(left("macro_rules! q { ($s:literal) => { sqlx::query!($s) } }"), 1);
        assert_eq!(left("use sqlx::query;\nmacro_rules! q { ($s:literal) => { query!($s) } }"), 1);
        assert_eq!(left("use sqlx::query as q;\nfn f() { q!(\"SELECT 1\") }"), 1);
        assert_eq!(left("fn f() { query!(1) }"), 0);
    }
}
