//! The source of the crate being compiled, read once: if any of its functions has a budget, calls are
//! followed through the whole crate.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use query_budget_analysis::project;
use query_budget_analysis::rust::{
    self, LoopCall, Neighbour, Position, Scan, ScanError, SourceFile, Target, Told,
};

use crate::structs::Structs;

/// Whether a text contains the attribute that requires reading the whole crate. Its first letter is rare.
pub(crate) fn has_budgets(text: &str) -> bool {
    let mut begins = text.match_indices('q').map(|(at, _)| text.get(at..).unwrap_or_default());
    begins.any(|rest| rest.starts_with("query_budget("))
}

/// The result of scanning a file.
#[derive(Default)]
pub(crate) struct Found {
    /// Its queries and functions.
    pub(crate) scan: Scan,
    /// Its calls in loops that reach a query.
    pub(crate) calls: Vec<LoopCall>,
}

/// A scanned crate.
pub(crate) struct Crate {
    /// The result for each relevant file, by canonical path.
    found: HashMap<PathBuf, Arc<Found>>,
    /// The files that it was read from.
    pub(crate) files: Vec<PathBuf>,
    has_budgets: bool,
    /// Whether no module of it does without the names of the prelude.
    pub(crate) has_prelude: bool,
    /// Its structs, if it has queries that make structs.
    pub(crate) structs: Structs,
}

impl Crate {
    /// Reads the crate in `dir` that contains `file`; `shown` returns the displayed path of a file. A crate
    /// without budgets is not scanned: its queries are checked file by file.
    pub(crate) fn read(dir: &Path, file: &Path, in_test: bool, shown: &dyn Fn(&Path) -> String) -> Crate {
        let sources = project::sources(dir, file);
        let files: Vec<PathBuf> = sources.iter().map(|(path, _)| path.clone()).collect();
        let has_prelude = !sources.iter().any(|(_, text)| text.contains("no_implicit_prelude"));
        let mut structs = Structs::default();
        if sources.iter().any(|(_, text)| text.contains("_as!")) {
            sources.iter().for_each(|(_, text)| structs.read(text));
        }
        if !sources.iter().any(|(_, text)| has_budgets(text)) {
            return Crate { found: HashMap::new(), files, has_budgets: false, has_prelude, structs };
        }
        let targets = project::targets(dir);
        let given: Vec<(&Path, &str)> =
            sources.iter().map(|(path, text)| (path.as_path(), text.as_str())).collect();
        let texts: Vec<&str> = sources.iter().map(|(_, text)| text.as_str()).collect();
        // The crate's own library, which its other targets see.
        let library = std::env::var("CARGO_PKG_NAME").unwrap_or_default().replace('-', "_");
        let lib = targets.iter().find(|target| target.is_lib);
        let externs = lib.map(|lib| (library, lib.root.display().to_string())).into_iter().collect();
        let externs = Arc::new(externs);
        let positions = rust::positions(&targets, &given);
        let told = told(&positions, &targets, &texts, &externs);
        let parsed = positions.into_iter().zip(&sources).zip(rust::relevant(&texts)).zip(told);
        let (paths, mut sources): (Vec<&PathBuf>, Vec<SourceFile>) = parsed
            .filter_map(|(((position, (path, text)), relevant), told)| {
                let Position { target, module, in_test: declared } = position?;
                let target = targets.get(target)?;
                let in_test = in_test || declared || target.is_test;
                let scan = scan(&shown(path), &relevant, text, in_test, &told).ok()?;
                let (crate_name, externs) = (target.root.display().to_string(), Arc::clone(&externs));
                Some((path, SourceFile { crate_name, externs, module, scan }))
            })
            .unzip();
        let mut followed = rust::follow(&sources.iter().collect::<Vec<_>>());
        for (source, bounds) in sources.iter_mut().zip(followed.bounds) {
            source.set_bounds(bounds);
        }
        let found = sources.into_iter().enumerate().map(|(at, source)| {
            let calls = followed.loop_calls.extract_if(.., |call| call.caller.source == at).collect();
            Arc::new(Found { scan: source.scan, calls })
        });
        Crate {
            found: paths.into_iter().cloned().zip(found).collect(),
            files,
            has_budgets: true,
            has_prelude,
            structs,
        }
    }

    /// Whether a file, given by its canonical path, belongs to the crate, and nothing in the crate has a
    /// budget.
    pub(crate) fn is_without_budgets(&self, path: &Path) -> bool {
        !self.has_budgets && self.files.iter().any(|file| file.as_os_str() == path.as_os_str())
    }

    /// The result for a file, given by its canonical path.
    pub(crate) fn found(&self, path: &Path) -> Option<&Arc<Found>> {
        self.found.get(path)
    }
}

/// What each file of a crate knows of the others: macros, and re-exported names.
fn told(
    positions: &[Option<Position>],
    targets: &[Target],
    texts: &[&str],
    externs: &Arc<HashMap<String, String>>,
) -> Vec<Told> {
    let root =
        |position: &Position| targets.get(position.target).map(|target| target.root.display().to_string());
    let roots: Vec<String> =
        positions.iter().map(|it| it.as_ref().and_then(root).unwrap_or_default()).collect();
    let module =
        |position: &'_ Option<Position>| position.as_ref().map(|it| it.module.clone()).unwrap_or_default();
    let modules: Vec<Vec<String>> = positions.iter().map(module).collect();
    let files: Vec<Neighbour<'_>> = roots
        .iter()
        .zip(&modules)
        .zip(texts)
        .map(|((crate_name, module), text)| Neighbour { crate_name, externs, module, text })
        .collect();
    rust::told(&files)
}

/// Scans the relevant part of a file's text; the whole text if blanking removed what a macro needs.
pub(crate) fn scan(
    file: &str,
    relevant: &str,
    text: &str,
    in_test: bool,
    told: &Told,
) -> Result<Scan, ScanError> {
    rust::scan_detached(file, relevant, in_test, told)
        .or_else(|_| rust::scan_detached(file, text, in_test, told))
}
