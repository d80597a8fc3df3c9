//! The queries of Rust files, and of the `.sqlx` folders that `cargo sqlx prepare` writes next to them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use query_budget_analysis::Place;
use query_budget_analysis::check::{TextFile, is_by_hand};
use query_budget_analysis::project::{Project, Roots, read, shown};
use query_budget_analysis::rust::{
    CallEdge, FunctionId, LoopCall, NamedFile, Neighbour, Occasions, Outline, STACK, Scan, ScanError,
    SourceFile, Told, Upper, follow, is_test_path, left_out, may_query, opens_database, outline, scan_here,
    scan_in, told,
};
use query_budget_analysis::schema::Coded;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use super::candidates;
use super::coded::{self, CodeFile};
use super::entries::Entries;
use super::included;
use super::workspace::{self, Sources, Standing};
use super::{Batch, FunctionKey, Loaded};
use super::{migrations, run_by};
use crate::failure::Failure;
use crate::progress::Progress;

/// A Rust file that may hold queries.
pub(crate) struct RustFile {
    /// Its scan, and its position in the workspace.
    pub(crate) source: SourceFile,
    /// Its calls in loops that reach a query.
    pub(crate) calls: Vec<LoopCall>,
    /// The calls of each of its functions that reach a query.
    pub(crate) callees: Vec<Vec<Callee>>,
    /// Whether it opens a database, as another file of its crate does.
    pub(crate) has_own_database: bool,
    /// The folders to which the paths it names are relative.
    folders: [PathBuf; 2],
}

impl RustFile {
    /// The text of a file that a query names, with its path relative to `base`: sqlx resolves paths relative
    /// to the crate, `include_str!` relative to the file.
    pub(crate) fn read_file(&self, path: &str, base: &Path) -> Option<TextFile> {
        self.folders.iter().find_map(|folder| {
            let path = folder.join(path);
            let text = read(&path).ok()?;
            let path = path.canonicalize().unwrap_or(path);
            Some(TextFile { path: shown(&path, base).into(), text: text.into() })
        })
    }

    /// Why a file that a query names is there and cannot be read; `None` if it can be, or if it is not there.
    pub(crate) fn unread_file(&self, path: &str) -> Option<String> {
        let found = self.folders.iter().map(|folder| folder.join(path)).find(|path| path.exists())?;
        read(&found).err().map(|error| error.to_string())
    }

    /// The folder of its crate, to which sqlx's macros resolve paths.
    pub(crate) fn manifest_dir(&self) -> &Path {
        let [manifest_dir, _] = &self.folders;
        manifest_dir
    }

    /// Whether it contains anything to check.
    fn matters(&self) -> bool {
        let scan = &self.source.scan;
        !scan.sites.is_empty()
            || !scan.allows.is_empty()
            || !self.calls.is_empty()
            || scan.functions.iter().any(|it| it.budget.is_some() || it.bound.upper != Upper::Finite(0))
    }
}

/// A call that reaches a query.
pub(crate) struct Callee {
    /// The place of the called function's name, which identifies it.
    pub(crate) function: Place,
    /// What the call is repeated over, as written; `None` outside a loop over data.
    pub(crate) over: Option<String>,
}

/// A file and its text.
pub(super) struct Text {
    /// The position of its crate.
    pub(super) owner: usize,
    /// The position of the file that includes it, if it is not a module itself.
    pub(super) included_by: Option<usize>,
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// Finds every query of the workspace, crate, folder or file at `path`, without reading the schemas. Paths
/// are shown relative to `base`.
pub(crate) fn find(path: &PathBuf, base: &Path) -> Result<Loaded, Failure> {
    find_in(std::slice::from_ref(path), &[], base)
}

/// Like [`find`], for several paths, or some of their packages: calls are followed through all of them.
pub(crate) fn find_in(paths: &[PathBuf], packages: &[String], base: &Path) -> Result<Loaded, Failure> {
    let crates = workspace::sources_of(paths)?;
    workspace::require_packages(&crates, packages)?;
    let is_chosen = |sources: &Sources| packages.is_empty() || sources.is_one_of(packages);
    let files = crates.iter().filter(|it| is_chosen(it)).map(|sources| sources.files.len()).sum();
    let mut loaded = Loaded { batches: Vec::new(), files, unread: Vec::new(), calls: Vec::new() };
    loaded.unread.extend(crates.iter().flat_map(|sources| sources.unlisted.iter().cloned()));
    let texts = texts(&crates, &mut loaded.unread);
    let standings = standings(&crates, &texts);
    let mut files = scanned(&crates, &texts, standings.clone(), base, &mut loaded.unread);
    loaded.calls = follow_calls(&mut files);
    tell_occasions(&crates, &texts, &standings, base, &mut files);
    let mut roots = Roots::default();
    let located = crates.iter().map(|it| Project::locate_in(&it.dir, base, &mut roots));
    let mut projects: Vec<Project> = located.collect();
    let text_of = |owner| -> Box<dyn Iterator<Item = &str>> {
        Box::new(of_crate(&texts, owner).iter().map(|text| text.text.as_str()))
    };
    migrations::find(&crates, &mut projects, &text_of, &|| {
        candidates::queries(files.iter().map(|(_, file)| file))
    });
    let sources = |owner| sources_of(&texts, &standings, owner);
    coded::find(&crates, &mut projects, &sources, base);
    run_by::tell(&crates, &mut projects, &sources);
    let in_folder: HashMap<PathBuf, Vec<Coded>> =
        projects.iter().zip(&crates).map(|(project, it)| (it.dir.clone(), project.coded.clone())).collect();
    let mut files = files.into_iter().peekable();
    for (owner, project) in projects.into_iter().enumerate() {
        let own = std::iter::from_fn(|| files.next_if(|(of, _)| *of == owner));
        let files: Vec<RustFile> = own.map(|(_, file)| file).filter(RustFile::matters).collect();
        if !crates.get(owner).is_some_and(is_chosen) {
            continue;
        }
        if !files.is_empty() {
            loaded.batches.push(Batch { project, source: None, files, bare: Vec::new() });
        }
    }
    if loaded.batches.is_empty() {
        // Even without queries, there may be a broken configuration or snapshot.
        loaded.batches.push(Batch {
            project: Project::locate(paths.first().map_or(base, PathBuf::as_path), base),
            source: None,
            files: Vec::new(),
            bare: Vec::new(),
        });
    }
    if !packages.is_empty() {
        // A `.sqlx` folder does not name the package of a query.
        return Ok(loaded);
    }
    let source = Entries { crates: &crates, texts: &texts, in_folder: &in_folder };
    source.add(&mut loaded, paths, &mut roots, base)?;
    Ok(loaded)
}

/// The texts of all files, in order.
fn texts(crates: &[Sources], unread: &mut Vec<String>) -> Vec<Text> {
    let files =
        crates.iter().enumerate().flat_map(|(owner, it)| it.files.iter().map(move |path| (owner, path)));
    let files: Vec<(usize, &PathBuf)> = files.collect();
    let read: Vec<_> = files.par_iter().map(|(_, path)| read(path)).collect();
    let mut texts = Vec::new();
    for ((owner, path), text) in files.into_iter().zip(read) {
        match text {
            Ok(text) => texts.push(Text { owner, included_by: None, path: path.clone(), text }),
            Err(error) => unread.push(error.to_string()),
        }
    }
    included::add(crates, &mut texts, unread);
    texts
}

/// The texts of a crate itself, which come first, in the order of the crates.
fn of_crate(texts: &[Text], owner: usize) -> &[Text] {
    let own = texts.partition_point(|text| text.included_by.is_none());
    let texts = texts.get(..own).unwrap_or_default();
    let first = texts.partition_point(|text| text.owner < owner);
    let end = texts.partition_point(|text| text.owner <= owner);
    texts.get(first..end).unwrap_or_default()
}

/// The files of a crate itself.
fn sources_of<'t>(texts: &'t [Text], standings: &[Standing], owner: usize) -> Vec<CodeFile<'t>> {
    let all = texts.iter().zip(standings).filter(|(text, _)| text.owner == owner);
    let source = |(text, standing): (&'t Text, &Standing)| CodeFile {
        path: &text.path,
        text: &text.text,
        in_test: standing.in_test,
    };
    all.map(source).collect()
}

/// The positions of all files, in order.
fn standings(crates: &[Sources], texts: &[Text]) -> Vec<Standing> {
    let mut standings: Vec<Standing> = crates
        .par_iter()
        .enumerate()
        .flat_map_iter(|(owner, sources)| {
            let files: Vec<(&Path, &str)> =
                of_crate(texts, owner).iter().map(|it| (it.path.as_path(), it.text.as_str())).collect();
            sources.standings(&files)
        })
        .collect();
    // An included file has the position of the file that includes it.
    let included: Vec<Standing> =
        texts.iter().filter_map(|text| standings.get(text.included_by?).cloned()).collect();
    standings.extend(included);
    standings
}

/// Scans the relevant files; each is returned with the position of its crate.
fn scanned(
    crates: &[Sources],
    texts: &[Text],
    standings: Vec<Standing>,
    base: &Path,
    unread: &mut Vec<String>,
) -> Vec<(usize, RustFile)> {
    let all: Vec<&str> = texts.iter().map(|text| text.text.as_str()).collect();
    if crates.iter().all(|it| it.renamed.is_empty()) && !may_query(&all) {
        return Vec::new();
    }
    let neighbours: Vec<Neighbour<'_>> = standings
        .iter()
        .zip(&all)
        .map(|(Standing { crate_name, externs, module, .. }, text)| Neighbour {
            crate_name,
            externs,
            module,
            text,
        })
        .collect();
    // Most files of a workspace reach no query, and parsing takes most of the time.
    let (told, (left_out, owned)) = rayon::join(
        || told(&neighbours),
        || {
            let outlines: Vec<Outline<'_>> = all.par_iter().map(|text| outline(text)).collect();
            (left_out(&outlines), own_databases(texts, &standings))
        },
    );
    let work: Vec<_> = standings.into_iter().zip(texts).zip(left_out).zip(owned).zip(told).collect();
    let progress = Mutex::new(Progress::new("reading", work.len()));
    // A thread for each file would cost as much as many files do.
    let pool = ThreadPoolBuilder::new().stack_size(STACK).build().ok();
    let scan: Scanner = if pool.is_some() { scan_here } else { scan_in };
    let scan_all = || -> Vec<Result<(usize, RustFile), String>> {
        work.into_par_iter()
            .map(|((((standing, text), left_out), has_own_database), told)| {
                let file = scan_file(scan, standing, text, &left_out.of(&text.text), told, crates, base);
                let file = file.map(|file| RustFile { has_own_database, ..file });
                progress.lock().unwrap_or_else(PoisonError::into_inner).step();
                file.map(|file| (text.owner, file))
            })
            .collect()
    };
    let scanned = match &pool {
        Some(pool) => pool.install(scan_all),
        None => scan_all(),
    };
    let mut files = Vec::new();
    for file in scanned {
        match file {
            Ok(file) => files.push(file),
            Err(why) => unread.push(why),
        }
    }
    files
}

/// For each file, whether it opens a database while another file of its crate, outside of test code, opens
/// one as well.
fn own_databases(texts: &[Text], standings: &[Standing]) -> Vec<bool> {
    let opens: Vec<bool> = texts.par_iter().map(|text| opens_database(&text.text)).collect();
    let mut openers: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, (text, standing)) in texts.iter().zip(standings).enumerate() {
        if opens.get(at) == Some(&true) && !standing.in_test {
            openers.entry(text.owner).or_default().push(at);
        }
    }
    let other = |owner: usize, at: usize| {
        openers.get(&owner).is_some_and(|openers| openers.iter().any(|opener| *opener != at))
    };
    let all = texts.iter().zip(opens).enumerate();
    all.map(|(at, (text, opens))| opens && other(text.owner, at)).collect()
}

/// Scans a file's source on this thread, or on one of its own.
type Scanner = fn(&str, &str, bool, &Told) -> Result<Scan, ScanError>;

fn scan_file(
    scan: Scanner,
    standing: Standing,
    Text { owner, path, text, .. }: &Text,
    relevant: &str,
    mut told: Told,
    crates: &[Sources],
    base: &Path,
) -> Result<RustFile, String> {
    let file = shown(path, base);
    let in_test = standing.in_test || is_test_path(&file);
    // If blanking removed what a macro needs, the whole file is read.
    let by_manifest = crates.get(*owner).map(|it| it.renamed.clone()).unwrap_or_default();
    told.renamed.values_mut().for_each(|name| {
        if let Some(known) = by_manifest.get(name) {
            name.clone_from(known);
        }
    });
    told.renamed.extend(by_manifest);
    let scan = scan(&file, relevant, in_test, &told)
        .or_else(|_| scan(&file, text, in_test, &told))
        .map_err(|error| format!("parse `{file}`: {error}"))?;
    let Standing { crate_name, externs, module, .. } = standing;
    let beside = path.parent().unwrap_or(path).to_path_buf();
    let manifest_dir = crates.get(*owner).map_or(beside.clone(), |it| it.manifest_dir().to_path_buf());
    let source = SourceFile { crate_name, externs, module, scan };
    let folders = [manifest_dir, beside];
    Ok(RustFile { source, calls: Vec::new(), callees: Vec::new(), has_own_database: false, folders })
}

/// Sets for the functions and queries of all files the occasions on which they run.
fn tell_occasions(
    crates: &[Sources],
    texts: &[Text],
    standings: &[Standing],
    base: &Path,
    files: &mut [(usize, RustFile)],
) {
    if files.is_empty() {
        return;
    }
    let shown: Vec<String> = texts.iter().map(|text| shown(&text.path, base)).collect();
    let named = texts.iter().zip(&shown).zip(standings);
    let named: Vec<NamedFile<'_>> = named
        .map(|((text, path), standing)| NamedFile {
            path,
            text: &text.text,
            crate_name: &standing.crate_name,
            externs: &standing.externs,
            in_test: standing.in_test || is_test_path(path),
            is_undeclared: standing.is_undeclared,
            is_test_support: crates.get(text.owner).is_some_and(|it| it.is_test_support),
            is_command: crates.get(text.owner).is_some_and(Sources::is_command),
        })
        .collect();
    let occasions = Occasions::of(&named, &is_by_hand);
    files.iter_mut().for_each(|(_, file)| occasions.tell(&mut file.source));
}

/// Follows the calls of all files to the queries they reach, and returns the call graph.
fn follow_calls(files: &mut [(usize, RustFile)]) -> Vec<(FunctionKey, FunctionKey)> {
    let sources: Vec<&SourceFile> = files.iter().map(|(_, file)| &file.source).collect();
    let followed = follow(&sources);
    let key = |id: FunctionId| -> Option<FunctionKey> {
        let function = sources.get(id.source)?.scan.functions.get(id.function)?;
        Some((Arc::clone(&function.place.file), Arc::clone(&function.path)))
    };
    let calls = followed.calls.iter().filter_map(|(from, to)| Some((key(*from)?, key(*to)?))).collect();
    let name_of = |id: FunctionId| {
        let functions = sources.get(id.source).map(|source| &source.scan.functions);
        functions.and_then(|functions| functions.get(id.function)).map(|it| it.place.clone())
    };
    let named = |edge: CallEdge| {
        Some(Callee { function: name_of(edge.to)?, over: edge.around.map(|around| around.over) })
    };
    let callees = followed.edges.into_iter().map(|functions| {
        functions.into_iter().map(|edges| edges.into_iter().filter_map(named).collect()).collect()
    });
    let callees: Vec<Vec<Vec<Callee>>> = callees.collect();
    for ((_, file), bounds) in files.iter_mut().zip(followed.bounds) {
        file.source.set_bounds(bounds);
    }
    for ((_, file), facts) in files.iter_mut().zip(followed.facts) {
        file.source.set_facts(facts);
    }
    for ((_, file), callees) in files.iter_mut().zip(callees) {
        file.callees = callees;
    }
    for call in followed.loop_calls {
        if let Some((_, file)) = files.get_mut(call.caller.source) {
            file.calls.push(call);
        }
    }
    calls
}
