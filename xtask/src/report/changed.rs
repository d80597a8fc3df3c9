//! `--since` and `--changed-files`: the findings that a change affects. A finding is kept if one of its
//! lines, its function or its query has changed, if its function calls one that has changed, or if its query
//! names a table that a changed SQL file names.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use query_budget_analysis::project::{read, shown};
use query_budget_analysis::render::inert;
use query_budget_analysis::sql::Dialect;
use query_budget_analysis::sql::lex::{Lexer, TokenKind, unquote};
use query_budget_analysis::sql::split;
use query_budget_analysis::{Finding, Place};

use super::Report;
use crate::args::Changed;
use crate::failure::Failure;
use crate::git::git;
use crate::input::FunctionKey;

/// The changes, by displayed file.
pub(crate) struct Changes {
    files: HashMap<String, Lines>,
    /// The tables and indexes named in changed statements of `.sql` files.
    names: HashSet<String>,
}

/// The changed lines of a file.
enum Lines {
    All,
    Some(Vec<RangeInclusive<u32>>),
}

impl Lines {
    fn touch(&self, lines: &RangeInclusive<u32>) -> bool {
        match self {
            Lines::All => true,
            Lines::Some(changed) => {
                changed.iter().any(|it| it.start() <= lines.end() && lines.start() <= it.end())
            }
        }
    }
}

impl Changes {
    /// Reads the changes that the arguments name; `None` if everything is reported. Paths are shown relative
    /// to `base`.
    pub(crate) fn read(arguments: &Changed, scope: &Path, base: &Path) -> Result<Option<Changes>, Failure> {
        if arguments.is_everything() {
            return Ok(None);
        }
        let dir = if scope.is_dir() { scope } else { scope.parent().unwrap_or(scope) };
        let files: BTreeMap<PathBuf, Lines> = match &arguments.since {
            Some(revision) => since(revision, dir)?,
            None => named(&arguments.changed_files, dir)?,
        };
        let mut changes = Changes { files: HashMap::new(), names: HashSet::new() };
        for (path, lines) in files {
            if path.extension().is_some_and(|end| end == "sql") {
                changes.names.extend(names_in(&path, &lines));
            }
            changes.files.insert(shown(&path, base), lines);
        }
        Ok(Some(changes))
    }

    fn touch(&self, file: &str, lines: &RangeInclusive<u32>) -> bool {
        self.files.get(file).is_some_and(|changed| changed.touch(lines))
    }

    fn touch_place(&self, place: &Place) -> bool {
        self.touch(&place.file, &(place.line..=place.line))
    }
}

impl Report {
    /// Removes the findings that a change does not affect.
    pub(super) fn keep_changed(&mut self, changes: &Changes) {
        let touched = self.touched_functions(changes);
        let named = self.queries_of(&changes.names);
        let is_touched = |finding: &Finding| {
            let key = (Arc::clone(&finding.place.file), Arc::clone(&finding.function));
            let sql = finding.sql.as_deref();
            let height = sql.map_or(0, |sql| u32::try_from(sql.matches('\n').count()).unwrap_or(0));
            let excerpt = finding.excerpt.as_ref().and_then(|excerpt| excerpt.place.as_ref());
            let begin = excerpt.map_or(finding.place.line, |place| place.line.min(finding.place.line));
            let last = finding.place.line.max(begin.saturating_add(height));
            changes.touch(&finding.place.file, &(begin..=last))
                || (!finding.function.is_empty() && touched.contains(&key))
                || finding.related.iter().any(|related| changes.touch_place(&related.place))
                || sql.is_some_and(|sql| named.contains(sql))
        };
        self.of_all = Some(self.findings.len());
        self.findings.retain(is_touched);
    }

    /// The changed functions, and those that call them, directly or indirectly.
    fn touched_functions(&self, changes: &Changes) -> HashSet<FunctionKey> {
        let differ = self.functions.iter().filter(|(key, lines)| changes.touch(&key.0, lines));
        let mut touched: HashSet<FunctionKey> = differ.map(|(key, _)| key.clone()).collect();
        let mut callers: HashMap<&FunctionKey, Vec<&FunctionKey>> = HashMap::new();
        for (caller, called) in &self.calls {
            callers.entry(called).or_default().push(caller);
        }
        let mut next: Vec<FunctionKey> = touched.iter().cloned().collect();
        while let Some(called) = next.pop() {
            for caller in callers.get(&called).into_iter().flatten() {
                if touched.insert((*caller).clone()) {
                    next.push((*caller).clone());
                }
            }
        }
        touched
    }

    /// The texts of queries that read or write one of these tables.
    fn queries_of(&self, names: &HashSet<String>) -> HashSet<Arc<str>> {
        let reads = |query: &super::Query| {
            let Ok(resolved) = &query.checked.query else { return false };
            resolved.relations.iter().any(|relation| match &relation.source {
                query_budget_analysis::sql::query::Source::Table(name)
                | query_budget_analysis::sql::query::Source::View(name, _) => {
                    names.contains(&name.name.to_ascii_lowercase())
                }
                _ => false,
            })
        };
        self.queries.iter().filter(|query| reads(query)).map(|query| Arc::clone(&query.sql)).collect()
    }
}

/// The names in the changed statements of a SQL file.
fn names_in(path: &Path, lines: &Lines) -> HashSet<String> {
    let Ok(text) = read(path) else { return HashSet::new() };
    let dialect = Dialect::Postgres;
    let mut names = HashSet::new();
    for piece in split::statements(&text, dialect) {
        let height = u32::try_from(piece.text.matches('\n').count()).unwrap_or(0);
        if !lines.touch(&(piece.line..=piece.line.saturating_add(height))) {
            continue;
        }
        names.extend(changed_by(piece.text, dialect));
    }
    names
}

/// The names whose queries a statement changes: of CREATE and ALTER TABLE the table alone, not those that its columns
/// refer to; of any other statement all of its words.
fn changed_by(statement: &str, dialect: Dialect) -> Vec<String> {
    let tokens = Lexer::new(statement, dialect);
    let texts: Vec<(TokenKind, String)> = tokens
        .map(|token| {
            let written = statement.get(token.span.range()).unwrap_or_default();
            (token.kind, unquote(written, dialect).trim_matches('`').to_ascii_lowercase())
        })
        .collect();
    let text_at = |at: usize| texts.get(at).map_or("", |(_, text)| text.as_str());
    let is_of_table = matches!((text_at(0), text_at(1)), ("create" | "alter", "table"));
    if is_of_table {
        let mut at = 2;
        while matches!(text_at(at), "if" | "not" | "exists" | "only") {
            at += 1;
        }
        while text_at(at + 1) == "." {
            at += 2;
        }
        // `ALTER TABLE .. RENAME TO` changes two.
        let renamed = (at..texts.len()).find(|at| text_at(*at) == "rename" && text_at(at + 1) == "to");
        let names = [Some(at), renamed.map(|at| at + 2)];
        return names.into_iter().flatten().map(|at| text_at(at).to_owned()).collect();
    }
    let named = texts.into_iter().filter(|(kind, _)| matches!(kind, TokenKind::Word | TokenKind::Name));
    named.map(|(_, text)| text).collect()
}

/// The given files, as changed entirely. git names them below the root of its repository, wherever it runs. A deleted
/// one changes nothing that exists; as it may be a slip as well, it is named.
fn named(files: &[PathBuf], dir: &Path) -> Result<BTreeMap<PathBuf, Lines>, Failure> {
    let here = crate::input::current_dir()?;
    let roots: Vec<&Path> =
        std::iter::once(here.as_path()).chain(repository(&here)).chain(repository(dir)).collect();
    let mut found = BTreeMap::new();
    for file in files.iter().filter(|file| !file.as_os_str().is_empty()) {
        match roots.iter().find_map(|root| root.join(file).canonicalize().ok()) {
            Some(path) => {
                found.insert(path, Lines::All);
            }
            None => {
                let line = format!("warning: the changed file `{}` does not exist", file.display());
                eprintln!("{}", inert(&line, false));
            }
        }
    }
    Ok(found)
}

/// The root of the repository around a folder.
fn repository(dir: &Path) -> Option<&Path> {
    dir.ancestors().find(|dir| dir.join(".git").exists())
}

/// The changes since a revision: in tracked files, and all of the untracked ones.
fn since(revision: &str, dir: &Path) -> Result<BTreeMap<PathBuf, Lines>, Failure> {
    let failed = |why: String| Failure::new(format!("see what has changed since `{revision}`")).because(why);
    // A revision that starts with a dash would be an option.
    let top = git(dir, &["rev-parse", "--show-toplevel"])
        .map_err(|_| failed("it is in no git repository".to_owned()))?;
    let commit = ["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{revision}^{{commit}}")];
    let commit = git(dir, &commit).map_err(|_| failed("no commit has this name".to_owned()))?;
    let top = PathBuf::from(top.trim_end()).canonicalize().map_err(|error| failed(error.to_string()))?;
    let options =
        ["--no-ext-diff", "--no-textconv", "--no-color", "--unified=0", "--no-renames", "--no-prefix"];
    let diff = [&["-c", "core.quotePath=false", "diff"][..], &options, &[commit.trim(), "--"]].concat();
    let mut files = hunks(&git(&top, &diff).map_err(failed)?, &top);
    let new = git(&top, &["ls-files", "-z", "--others", "--exclude-standard"]).map_err(failed)?;
    files.extend(new.split('\0').filter(|name| !name.is_empty()).map(|name| (top.join(name), Lines::All)));
    Ok(files)
}

/// The new lines of each hunk of a diff; for deleted lines, the lines around them.
fn hunks(diff: &str, top: &Path) -> BTreeMap<PathBuf, Lines> {
    let mut files: BTreeMap<PathBuf, Lines> = BTreeMap::new();
    let mut path = None;
    // A line of content may look like a header, so the remaining lines of the hunk are counted.
    let mut content = 0_u32;
    for line in diff.lines() {
        if content > 0 && line.starts_with(['+', '-']) {
            content -= 1;
        } else if let Some(name) = line.strip_prefix("+++ ") {
            path = Some(top.join(name.trim_end_matches('\t')));
        } else if let Some(hunk) = line.strip_prefix("@@ ") {
            let mut parts = hunk.split(' ');
            let (_, removed) = numbers(parts.next(), '-');
            let (start, added) = numbers(parts.next(), '+');
            content = removed + added;
            let lines = if added == 0 { start.max(1)..=start + 1 } else { start..=start + added - 1 };
            if let Some(path) = &path
                && let Lines::Some(all) = files.entry(path.clone()).or_insert(Lines::Some(Vec::new()))
            {
                all.push(lines);
            }
        }
    }
    files
}

/// Parses `+12,3` as a start and a number of lines.
fn numbers(part: Option<&str>, sign: char) -> (u32, u32) {
    let part = part.unwrap_or_default().trim_start_matches(sign);
    let (start, count) = part.split_once(',').unwrap_or((part, "1"));
    (start.parse().unwrap_or(0), count.parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_give_the_lines_that_are_new() {
        let diff = "diff --git a.rs a.rs\n--- a.rs\n+++ a.rs\n@@ -1,2 +1,3 @@ fn a() {\n-x\n--- y\n+x\n+++ z\n+w\n@@ -9,2 +10,0 @@\n-a\n-b\n\
                    diff --git b c.rs b c.rs\n--- /dev/null\n+++ b c.rs\t\n@@ -0,0 +1 @@\n+x\n";
        let files = hunks(diff, Path::new("/p"));
        let shown: Vec<String> = files
            .iter()
            .map(|(path, lines)| match lines {
                Lines::Some(lines) => format!("{} {lines:?}", path.display()),
                Lines::All => String::new(),
            })
            .collect();
        assert_eq!(shown, ["/p/a.rs [1..=3, 10..=11]", "/p/b c.rs [1..=1]"]);
    }

    #[test]
    fn a_table_that_another_refers_to_is_not_changed_with_it() {
        let check = |sql: &str, expected: &[&str]| {
            assert_eq!(changed_by(sql, Dialect::Postgres), expected, "{sql}");
        };
        check("CREATE TABLE IF NOT EXISTS app.\"Pages\" (id int, site int REFERENCES sites)", &["pages"]);
        check("ALTER TABLE ONLY pages ADD FOREIGN KEY (site) REFERENCES sites", &["pages"]);
        check("ALTER TABLE pages RENAME TO leaves", &["pages", "leaves"]);
        check(
            "CREATE INDEX pages_site ON pages (site)",
            &["create", "index", "pages_site", "on", "pages", "site"],
        );
    }
}
