//! Finds the database of a crate's queries without configuration: by its own migrations, by those that its
//! code passes to sqlx, or by those of a dependency.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use query_budget_analysis::project::{Project, read};
use query_budget_analysis::rust::of_types;
use query_budget_analysis::schema::layouts;
use query_budget_analysis::sql::Dialect;

use super::candidates;
use super::workspace::Sources;

/// How many entries of a `.sqlx` folder are read for the name of their database.
const MOST_ENTRIES: usize = 20;

/// The macro that embeds a folder of migrations.
const MACRO: &str = "migrate!(\"";

/// Finds migrations and dialect for each crate's project that has none; `texts` returns the crate's source, `queries` the
/// queries of all crates.
pub(super) fn find<'t>(
    crates: &[Sources],
    projects: &mut [Project],
    texts: &dyn Fn(usize) -> Box<dyn Iterator<Item = &'t str> + 't>,
    queries: &dyn Fn() -> Vec<Arc<str>>,
) {
    for (owner, (sources, project)) in crates.iter().zip(projects.iter_mut()).enumerate() {
        if !is_found(project) || !project.migrations.as_deref().is_some_and(has_sql) {
            let embedded: BTreeSet<PathBuf> = texts(owner).flat_map(|text| embedded(text, sources)).collect();
            if let [only] = embedded.iter().collect::<Vec<_>>().as_slice() {
                project.migrations = Some((*only).clone());
            }
        }
        let prepared = prepared(sources.manifest_dir());
        project.dialect_hint = sources.dialect().or(prepared).or_else(|| {
            named(texts(owner).filter(|text| embeds(text, sources, project.migrations.as_deref())))
        });
        // Diesel and SeaORM do not name the folder.
        let orms = || texts(owner).filter(|text| ORMS.iter().any(|orm| text.contains(orm)));
        project.dialect_hint = project.dialect_hint.or_else(|| named(orms()));
        project.databases = sources.databases.clone();
        project.by_database = by_database(project, sources, texts(owner));
        if let Some(prepared) = prepared {
            project.databases.of_sqlx = vec![prepared];
        }
    }
    candidates::search(projects, queries);
    let own: HashMap<PathBuf, MigrationsOfCrate> = crates
        .iter()
        .zip(projects.iter())
        .filter_map(|(sources, project)| {
            let folder = project.migrations.clone()?;
            Some((sources.dir.clone(), MigrationsOfCrate { folder, dialect: project.dialect_hint }))
        })
        .collect();
    let by_dir = by_dir(crates);
    for (sources, project) in crates.iter().zip(projects.iter_mut()).filter(|(_, project)| !is_found(project))
    {
        let mut depended = BTreeSet::new();
        depended_on(sources, &by_dir, &mut depended);
        let fits = |own: &&MigrationsOfCrate| own.fits(project.dialect_hint);
        let found: BTreeSet<&PathBuf> =
            depended.iter().filter_map(|dir| own.get(*dir)).filter(fits).map(|own| &own.folder).collect();
        let all = || own.values().filter(fits).map(|own| &own.folder).collect();
        let found = if found.is_empty() { all() } else { found };
        if let [only] = found.iter().collect::<Vec<_>>().as_slice() {
            project.migrations = Some((**only).clone());
        }
    }
    divide(projects);
}

/// The migrations of each database of a crate, if it has several: the folders that its files embed, each named after the
/// database or in a file that names it alone; else those in its folder of migrations.
fn by_database<'t>(
    project: &Project,
    sources: &Sources,
    texts: impl Iterator<Item = &'t str>,
) -> Vec<(Dialect, PathBuf)> {
    let mut found: Vec<(Dialect, PathBuf)> = Vec::new();
    if project.config.migrations.is_some() {
        return found;
    }
    for text in texts.filter(|text| text.contains(MACRO)) {
        for folder in embedded(text, sources) {
            let name = folder.file_name().and_then(|name| name.to_str());
            let dialect =
                name.and_then(layouts::database_of_folder).or_else(|| Dialect::only_of(&of_types(text)));
            let pair = dialect.map(|dialect| (dialect, folder));
            found.extend(pair.filter(|pair| !found.contains(pair)));
        }
    }
    let inner = project.migrations.as_deref().filter(|dir| !files_in(dir).iter().any(|path| is_sql(path)));
    let of = |dialect: &Dialect| Some((*dialect, folder_of(inner?, *dialect)?));
    if found.len() < 2 {
        found = project.databases.of_sqlx.iter().filter_map(of).collect();
    }
    let is_one = |dialect: &Dialect| found.iter().filter(|(of, _)| of == dialect).count() < 2;
    if found.len() < 2 || !Dialect::ALL.iter().all(is_one) { Vec::new() } else { found }
}

/// Where crates of several databases read one folder that has a folder for each, each reads its own; one of which no database
/// is known reads the first.
fn divide(projects: &mut [Project]) {
    let of = |project: &Project| Some((project.migrations.clone()?, project.dialect_hint?));
    let all: Vec<(PathBuf, Dialect)> = projects.iter().filter_map(of).collect();
    for project in projects.iter_mut().filter(|project| project.config.migrations.is_none()) {
        let Some(folder) = project.migrations.clone() else { continue };
        let uses = |dialect: &Dialect| all.iter().any(|(other, hint)| *other == folder && hint == dialect);
        let used: Vec<Dialect> = Dialect::ALL.into_iter().filter(uses).collect();
        if used.len() > 1 && !files_in(&folder).iter().any(|path| is_sql(path)) {
            let dialect = project.dialect_hint.or(used.first().copied());
            project.migrations = dialect.and_then(|dialect| folder_of(&folder, dialect)).or(Some(folder));
        }
    }
}

/// A folder of migrations that the code of a crate names, and the database that it is for.
struct MigrationsOfCrate {
    folder: PathBuf,
    /// The crate's database.
    dialect: Option<Dialect>,
}

impl MigrationsOfCrate {
    /// Whether another crate, which uses `dialect`, may read them: where both databases are known, they are the same, or the
    /// folder has a folder for each.
    fn fits(&self, dialect: Option<Dialect>) -> bool {
        let (Some(own), Some(dialect)) = (self.dialect, dialect) else { return true };
        own == dialect || folder_of(&self.folder, dialect).is_some()
    }
}

/// The folder for a database in a folder of migrations.
fn folder_of(dir: &Path, dialect: Dialect) -> Option<PathBuf> {
    let is_of = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        path.is_dir() && name.and_then(layouts::database_of_folder) == Some(dialect)
    };
    let mut found = files_in(dir).into_iter().filter(is_of);
    found.next().filter(|_| found.next().is_none())
}

/// The database that the entries in a crate's own `.sqlx` name, if they agree: a crate may inherit sqlx with the
/// features of several.
fn prepared(dir: &Path) -> Option<Dialect> {
    let entries = std::fs::read_dir(dir.join(".sqlx")).ok()?.filter_map(Result::ok).take(MOST_ENTRIES);
    let named: BTreeSet<String> = entries
        .filter_map(|entry| read(&entry.path()).ok())
        .filter_map(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
        .filter_map(|entry| Some(entry.get("db_name")?.as_str()?.to_owned()))
        .collect();
    if named.len() > 1 {
        return None;
    }
    Dialect::from_name(named.first()?)
}

/// The libraries besides sqlx whose types name the database.
const ORMS: &[&str] = &["diesel", "sea_orm"];

/// Whether a text embeds these migrations: `sqlx::migrate!()`, or `migrate!("./migrations")`.
fn embeds(text: &str, sources: &Sources, migrations: Option<&Path>) -> bool {
    let Some(migrations) = migrations else { return false };
    let by_default = text.contains("migrate!()") && migrations == sources.dir.join("migrations");
    by_default || embedded(text, sources).iter().any(|folder| folder == migrations)
}

/// The database whose types texts name, if they name those of one alone. A crate may enable several and use one,
/// or use another in addition to the one that its migrations create.
fn named<'t>(texts: impl Iterator<Item = &'t str>) -> Option<Dialect> {
    let speaks = |text: &&str| text.contains("sqlx") || ORMS.iter().any(|orm| text.contains(orm));
    let mut found = texts.filter(speaks).flat_map(of_types);
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

/// Whether the source of the schema is known.
pub(super) fn is_found(project: &Project) -> bool {
    project.schema_path.is_some() || project.config.schema.is_some() || project.migrations.is_some()
}

/// Whether a folder, or one inside it, contains `.sql` files.
fn has_sql(dir: &Path) -> bool {
    let below = files_in(dir);
    below.iter().any(|path| is_sql(path))
        || below.iter().any(|below| below.is_dir() && files_in(below).iter().any(|path| is_sql(path)))
}

/// What a folder holds.
pub(super) fn files_in(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| entry.path()).collect()
}

pub(super) fn is_sql(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "sql")
}

/// The folders that a crate's source embeds.
fn embedded(text: &str, sources: &Sources) -> Vec<PathBuf> {
    let named = text.split(MACRO).skip(1).filter_map(|rest| rest.split('"').next());
    let folders = named.map(|folder| sources.manifest_dir().join(folder));
    folders.filter_map(|folder| folder.canonicalize().ok()).filter(|folder| has_sql(folder)).collect()
}

/// The crates by their folders.
pub(super) fn by_dir(crates: &[Sources]) -> HashMap<&Path, &Sources> {
    crates.iter().map(|it| (it.dir.as_path(), it)).collect()
}

/// The crates that a crate depends on, directly or transitively.
pub(super) fn depended_on<'s>(
    sources: &'s Sources,
    by_dir: &HashMap<&Path, &'s Sources>,
    found: &mut BTreeSet<&'s Path>,
) {
    for dir in sources.dependencies() {
        if found.insert(dir)
            && let Some(next) = by_dir.get(dir)
        {
            depended_on(next, by_dir, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_that_enables_several_databases_tells_by_types_which_it_uses() {
        let sqlite = "use sqlx::{sqlite::SqliteRow, FromRow, SqlitePool};";
        let postgres = "use sqlx::PgPool;\nfn on(db: &PgPool) {}";
        let generic = "use sqlx::{Pool, Sqlite};";
        assert_eq!(named([sqlite, generic, "struct Postgres;"].into_iter()), Some(Dialect::Sqlite));
        assert_eq!(named([postgres].into_iter()), Some(Dialect::Postgres));
        assert_eq!(named(["use sqlx::MySqlPool;"].into_iter()), Some(Dialect::MySql));
        assert_eq!(named([sqlite, postgres].into_iter()), None);
        assert_eq!(named(["use diesel::PgConnection;"].into_iter()), Some(Dialect::Postgres));
        let raw = "sea_orm::Statement::from_string(DbBackend::MySql, \"SELECT 1\")";
        assert_eq!(named([raw].into_iter()), Some(Dialect::MySql));
        assert_eq!(named(["use sqlx::AnyPool;"].into_iter()), None);
    }
}
