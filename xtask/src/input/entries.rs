//! The entries of the `.sqlx` folders that `cargo sqlx prepare` writes, as far as they are no queries of the source.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use query_budget_analysis::project::{Project, Roots, read, shown};
use query_budget_analysis::rust::{Form, Makers, SiteSql};
use query_budget_analysis::schema::Coded;

use super::makers::{makes_queries, package};
use super::queries::read_sqlx_folder;
use super::rust_files::Text;
use super::workspace::Sources;
use super::{Batch, Loaded};
use crate::failure::Failure;

/// The folder that `cargo sqlx prepare` writes.
const SQLX_FOLDER: &str = ".sqlx";

/// The source that entries are compared with.
pub(super) struct Entries<'t> {
    pub(super) crates: &'t [Sources],
    pub(super) texts: &'t [Text],
    /// The statements of code that create tables, by the folder of their crate.
    pub(super) in_folder: &'t HashMap<PathBuf, Vec<Coded>>,
}

impl Entries<'_> {
    /// Adds a batch for each folder.
    pub(super) fn add(
        &self,
        loaded: &mut Loaded,
        paths: &[PathBuf],
        roots: &mut Roots,
        base: &Path,
    ) -> Result<(), Failure> {
        let (mut made, mut is_plain): (Option<Makers>, Option<bool>) = (None, None);
        let written: HashSet<Arc<str>> = loaded.batches.iter().flat_map(literals).collect();
        for folder in sqlx_folders(self.crates, paths, roots) {
            let mut bare = read_sqlx_folder(&folder, base, &mut loaded.unread)?;
            // An entry for a query of the source is that query; the others come from other macros.
            bare.retain(|query| !written.contains(query.sql.trim()));
            if bare.is_empty() {
                continue;
            }
            // All of the source was read, calls macros that have entries, and nothing in it makes queries of its own.
            let is_stale = loaded.batches.iter().any(calls_macros)
                && loaded.unread.is_empty()
                && *is_plain.get_or_insert_with(|| {
                    !self.texts.iter().any(|text| makes_queries(&text.text)) && package(&folder).is_none()
                });
            let makers = made.get_or_insert_with(|| makers(self.texts, base));
            for query in &mut bare {
                query.is_entry = true;
                query.maker = makers.maker(&query.sql).cloned();
                query.is_stale = is_stale && query.maker.is_none();
            }
            if let Some(dir) = folder.parent() {
                let coded = self.in_folder.get(dir).cloned().unwrap_or_default();
                let project = Project { coded, ..Project::locate(dir, base) };
                let batch = Batch { project, source: None, files: Vec::new(), bare };
                loaded.batches.extend(super::databases::by_entry(batch));
            }
        }
        Ok(())
    }
}

/// The macros and derives that make queries which do not appear literally in the source.
fn makers(texts: &[Text], base: &Path) -> Makers {
    let shown: Vec<String> = texts.iter().map(|text| shown(&text.path, base)).collect();
    Makers::of(shown.iter().map(String::as_str).zip(texts.iter().map(|text| text.text.as_str())))
}

/// Whether the source calls a macro of sqlx.
fn calls_macros(batch: &Batch) -> bool {
    let mut sites = batch.files.iter().flat_map(|file| &file.source.scan.sites);
    sites.any(|site| site.form == Form::SqlxMacro && !site.is_of_own_macro())
}

/// The SQL in the source: literals, and the files that macros name.
fn literals(batch: &Batch) -> impl Iterator<Item = Arc<str>> {
    let sites =
        batch.files.iter().flat_map(|file| file.source.scan.sites.iter().map(move |site| (file, site)));
    sites.filter_map(|(file, site)| match &site.sql {
        SiteSql::Literal(literal) => Some(literal.text.trim().into()),
        SiteSql::File(path) => Some(read(&file.manifest_dir().join(path)).ok()?.trim().into()),
        SiteSql::Dynamic => None,
    })
}

/// The `.sqlx` folders of the crates and of their workspaces inside `paths`: one further up also holds queries
/// of source that was not read.
fn sqlx_folders(crates: &[Sources], paths: &[PathBuf], roots: &mut Roots) -> BTreeSet<PathBuf> {
    let whole = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    let paths: Vec<PathBuf> = paths.iter().map(whole).collect();
    let dirs = crates.iter().flat_map(|sources| [sources.dir.clone(), roots.of(&sources.dir)]);
    let folders: BTreeSet<PathBuf> = dirs.map(|dir| dir.join(SQLX_FOLDER)).collect();
    let is_inside = |folder: &PathBuf| paths.iter().any(|path| folder.starts_with(path));
    folders.into_iter().filter(|folder| is_inside(folder) && folder.is_dir()).collect()
}
