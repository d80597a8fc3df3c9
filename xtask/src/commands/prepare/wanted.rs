//! Which queries need an entry, and in which folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use query_budget_analysis::Place;
use query_budget_analysis::project::{Project, read, read_migrations, workspace_root};
use query_budget_analysis::rust::{Form, Site, SiteSql};
use query_budget_analysis::sql::Dialect;

use super::{Version, form, named, version_of};
use crate::args::Prepare;
use crate::failure::Failure;
use crate::input::makers::{self, Maker};
use crate::input::{Batch, Loaded};

/// The folder for entries.
const SQLX_FOLDER: &str = ".sqlx";

/// A folder of entries, and the queries that need one in it.
pub(super) struct Folder {
    /// Its path.
    pub(super) dir: PathBuf,
    /// The version of sqlx that reads it.
    pub(super) version: Version,
    /// The queries, each text once, in the order of the source.
    pub(super) wanted: Vec<Wanted>,
    /// The names of its files that no query of the source has.
    pub(super) dead: Vec<String>,
    /// The other makers of queries, if there are entries without a call, which may come from them.
    pub(super) maker: Option<Maker>,
    /// The files that no `mod` names, each with the number of its queries, which have no entries.
    pub(super) unnamed: BTreeMap<Arc<str>, usize>,
}

/// A query that needs an entry.
pub(super) struct Wanted {
    /// Its exact text.
    pub(super) sql: Arc<str>,
    /// The place of its first occurrence.
    pub(super) place: Place,
    /// The project of its database.
    pub(super) project: Arc<Project>,
    /// The source of the schema.
    pub(super) source: Option<PathBuf>,
    /// The same text where another schema is asked, once for each.
    pub(super) elsewhere: Vec<Wanted>,
    /// Whether it only occurs in files that no `mod` names.
    unnamed: bool,
    /// Whether it only occurs in test code.
    in_test: bool,
}

/// The texts of the migrations or the snapshot that a schema was read from.
pub(super) fn scripts(source: Option<&Path>, base: &Path, dialect: Dialect) -> Result<Vec<String>, Failure> {
    match source {
        Some(source) if source.is_dir() => {
            let selected = read_migrations(source, base, Some(dialect))?;
            Ok(selected.migrations.into_iter().map(|migration| migration.sql).collect())
        }
        // The statements of code are known by the schema alone.
        Some(source) if source.extension().is_some_and(|end| end == "rs") => Ok(Vec::new()),
        Some(source) => Ok(vec![read(source)?]),
        None => Ok(Vec::new()),
    }
}

/// The folders to write, each with its queries.
pub(super) fn folders(
    loaded: &mut Loaded,
    arguments: &Prepare,
    scope: &Path,
    base: &Path,
) -> Result<Vec<Folder>, Failure> {
    let mut folders: BTreeMap<PathBuf, Folder> = BTreeMap::new();
    let crates: BTreeSet<PathBuf> = loaded
        .batches
        .iter()
        .flat_map(|batch| &batch.files)
        .map(|file| file.manifest_dir().to_path_buf())
        .collect();
    let unnamed = if arguments.input.queries.is_some() { Vec::new() } else { named::unnamed(scope, base)? };
    for batch in std::mem::take(&mut loaded.batches) {
        let project = Arc::new(batch.project.clone());
        for (dir, wanted) in queries(&batch, &project, &unnamed, arguments.input.queries.is_some()) {
            let folder = match &arguments.output {
                Some(output) => output.clone(),
                None => folder_of(&dir, crates.len() > 1 || arguments.workspace),
            };
            let made = || Folder {
                dir: folder.clone(),
                version: version_of(&project, &dir, batch.source.as_deref(), arguments),
                wanted: Vec::new(),
                dead: Vec::new(),
                maker: None,
                unnamed: BTreeMap::new(),
            };
            folders.entry(folder.clone()).or_insert_with(made).wanted.push(wanted);
        }
    }
    let mut folders: Vec<Folder> = folders.into_values().collect();
    for folder in &mut folders {
        once(&mut folder.wanted);
        let there = entries(&folder.dir)?;
        leave_out_tests(&mut folder.wanted, &there);
        let names: BTreeSet<String> =
            folder.wanted.iter().map(|wanted| form::file_name(&wanted.sql)).collect();
        leave_out_unnamed(folder, &there);
        // A folder above what was scanned also holds entries for other source.
        let is_whole = arguments.input.queries.is_none()
            && arguments.output.is_none()
            && folder.dir.parent().is_some_and(|dir| dir.starts_with(scope));
        if is_whole {
            folder.dead = there.into_iter().filter(|file| !names.contains(file)).collect();
            if !folder.dead.is_empty() {
                folder.maker = makers::find(scope)?;
            }
        }
    }
    Ok(folders)
}

/// The queries of sqlx's macros in a batch, each with the folder of its crate.
fn queries(batch: &Batch, project: &Arc<Project>, unnamed: &[String], given: bool) -> Vec<(PathBuf, Wanted)> {
    let wanted = |sql: Arc<str>, place: &Place, in_test| Wanted {
        sql,
        place: place.clone(),
        project: Arc::clone(project),
        source: batch.source.clone(),
        elsewhere: Vec::new(),
        unnamed: unnamed.iter().any(|file| **file == *place.file),
        in_test,
    };
    let mut queries = Vec::new();
    for file in &batch.files {
        for site in file.source.scan.sites.iter().filter(|site| is_macro(site)) {
            let sql = match &site.sql {
                SiteSql::Literal(literal) => literal.text.clone(),
                SiteSql::File(path) => match read(&file.manifest_dir().join(path)) {
                    Ok(text) => text.into(),
                    Err(_) => continue,
                },
                SiteSql::Dynamic => continue,
            };
            queries.push((file.manifest_dir().to_path_buf(), wanted(sql, &site.place, site.in_test)));
        }
    }
    // Entries of a `.sqlx` folder are not queries of the source: whether they have a call is the question.
    if given {
        let bare = batch.bare.iter();
        queries
            .extend(bare.map(|query| (project.root.clone(), wanted(query.sql.clone(), &query.place, false))));
    }
    queries
}

/// Whether sqlx's own macro makes the query.
fn is_macro(site: &Site) -> bool {
    site.form == Form::SqlxMacro
}

/// Keeps the first query with each text.
fn once(wanted: &mut Vec<Wanted>) {
    let tests_alone: BTreeSet<Arc<str>> = {
        let all = wanted.iter().filter(|it| it.in_test).map(|it| Arc::clone(&it.sql));
        let outside: BTreeSet<&str> = wanted.iter().filter(|it| !it.in_test).map(|it| &*it.sql).collect();
        all.filter(|sql| !outside.contains(&**sql)).collect()
    };
    let named = wanted.iter().filter(|it| !it.unnamed).map(|it| Arc::clone(&it.sql)).collect();
    let named: BTreeSet<Arc<str>> = named;
    let mut seen: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    for mut it in std::mem::take(wanted) {
        it.unnamed = !named.contains(&it.sql);
        it.in_test = tests_alone.contains(&it.sql);
        let Some(first) = seen.get(&it.sql).and_then(|&at| wanted.get_mut(at)) else {
            seen.insert(Arc::clone(&it.sql), wanted.len());
            wanted.push(it);
            continue;
        };
        if first.source != it.source && first.elsewhere.iter().all(|other| other.source != it.source) {
            first.elsewhere.push(it);
        }
    }
}

impl Folder {
    /// The queries of one schema, and the names of the entries that belong to queries of others alone.
    pub(super) fn of(&self, source: Option<&Path>) -> (Vec<&Wanted>, BTreeSet<String>) {
        let all = self.wanted.iter().flat_map(|it| std::iter::once(it).chain(&it.elsewhere));
        let (own, others): (Vec<&Wanted>, Vec<&Wanted>) = all.partition(|it| it.source.as_deref() == source);
        let names = |of: &[&Wanted]| of.iter().map(|it| form::file_name(&it.sql)).collect::<BTreeSet<_>>();
        let others = names(&others).difference(&names(&own)).cloned().collect();
        (own, others)
    }
}

/// Drops queries of files that no `mod` names, unless they have an entry.
fn leave_out_unnamed(folder: &mut Folder, there: &BTreeSet<String>) {
    let is_left = |it: &Wanted| it.unnamed && !there.contains(&form::file_name(&it.sql));
    for it in folder.wanted.iter().filter(|it| is_left(it)) {
        *folder.unnamed.entry(Arc::clone(&it.place.file)).or_default() += 1;
    }
    folder.wanted.retain(|it| !is_left(it));
}

/// Drops queries of test code if the folder was written without it: it has entries, and none of them is for
/// test code.
fn leave_out_tests(wanted: &mut Vec<Wanted>, there: &BTreeSet<String>) {
    let has_entry = |it: &Wanted| there.contains(&form::file_name(&it.sql));
    let with_tests = there.is_empty() || wanted.iter().any(|it| it.in_test && has_entry(it));
    wanted.retain(|it| with_tests || !it.in_test);
}

/// The names of the entries in a folder.
fn entries(dir: &Path) -> Result<BTreeSet<String>, Failure> {
    if !dir.exists() {
        return Ok(BTreeSet::new());
    }
    let failed = |error| Failure::new(format!("read `{}`", dir.display())).because(error);
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("query-") && name.ends_with(".json") {
            names.insert(name.into_owned());
        }
    }
    Ok(names)
}

/// The folder in which sqlx's macros look for a crate's entries: its own, else its workspace's.
fn folder_of(crate_dir: &Path, several: bool) -> PathBuf {
    let own = crate_dir.join(SQLX_FOLDER);
    let shared = workspace_root(crate_dir).join(SQLX_FOLDER);
    match own.is_dir() {
        false if shared.is_dir() || several => shared,
        _ => own,
    }
}
