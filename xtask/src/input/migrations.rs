//! Finds the database of a crate's queries without configuration: by its own migrations, by those that its
//! code passes to sqlx, or by those of a dependency.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use query_budget_analysis::project::{Project, read, search_migrations};
use query_budget_analysis::sql::Dialect;

use super::workspace::Sources;

/// How many entries of a `.sqlx` folder are read for the name of their database.
const MOST_ENTRIES: usize = 20;

/// The macro that embeds a folder of migrations.
const MACRO: &str = "migrate!(\"";

/// Finds migrations and dialect for each crate's project that has none; `texts` returns the crate's source.
pub(super) fn find<'t>(
    crates: &[Sources],
    projects: &mut [Project],
    texts: &dyn Fn(usize) -> Box<dyn Iterator<Item = &'t str> + 't>,
) {
    for (owner, (sources, project)) in crates.iter().zip(projects.iter_mut()).enumerate() {
        if !is_found(project) || !project.migrations.as_deref().is_some_and(has_sql) {
            let embedded: BTreeSet<PathBuf> = texts(owner).flat_map(|text| embedded(text, sources)).collect();
            if let [only] = embedded.iter().collect::<Vec<_>>().as_slice() {
                project.migrations = Some((*only).clone());
            }
        }
        project.dialect_hint = sources.dialect().or_else(|| prepared(sources.manifest_dir())).or_else(|| {
            named(texts(owner).filter(|text| embeds(text, sources, project.migrations.as_deref())))
        });
        // Diesel and SeaORM do not name the folder.
        let orms = || texts(owner).filter(|text| ORMS.iter().any(|orm| text.contains(orm)));
        project.dialect_hint = project.dialect_hint.or_else(|| named(orms()));
    }
    search(projects);
    let own: HashMap<PathBuf, PathBuf> = crates
        .iter()
        .zip(projects.iter())
        .filter_map(|(sources, project)| Some((sources.dir.clone(), project.migrations.clone()?)))
        .collect();
    let by_dir: HashMap<&Path, &Sources> = crates.iter().map(|it| (it.dir.as_path(), it)).collect();
    let all: BTreeSet<&PathBuf> = own.values().collect();
    for (sources, project) in crates.iter().zip(projects.iter_mut()).filter(|(_, project)| !is_found(project))
    {
        let mut depended = BTreeSet::new();
        depended_on(sources, &by_dir, &mut depended);
        let found: BTreeSet<&PathBuf> = depended.iter().filter_map(|dir| own.get(*dir)).collect();
        let found = if found.is_empty() { &all } else { &found };
        if let [only] = found.iter().collect::<Vec<_>>().as_slice() {
            project.migrations = Some((**only).clone());
        }
    }
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

/// If no crate has conventionally named migrations, searches all folders of the workspace.
fn search(projects: &mut [Project]) {
    if projects.iter().any(is_found) {
        return;
    }
    let Some(root) = projects.first().map(|project| project.root.clone()) else { return };
    if let [only] = search_migrations(&root).as_slice() {
        projects.iter_mut().for_each(|project| project.migrations = Some(only.clone()));
    }
}

/// The libraries besides sqlx whose types tell the database.
const ORMS: &[&str] = &["diesel", "sea_orm"];

/// The words by which source names the types of sqlx, Diesel and SeaORM for each database.
const TYPES: &[(&[&str], Dialect)] = &[
    (
        &["AsyncPgConnection", "PgConnection", "PgExecutor", "PgPool", "PgPoolOptions", "PgRow", "Postgres"],
        Dialect::Postgres,
    ),
    (
        &[
            "AsyncMysqlConnection",
            "MySql",
            "MySqlConnection",
            "MySqlPool",
            "MySqlPoolOptions",
            "MySqlRow",
            "MysqlConnection",
        ],
        Dialect::MySql,
    ),
    (&["Sqlite", "SqliteConnection", "SqlitePool", "SqlitePoolOptions", "SqliteRow"], Dialect::Sqlite),
];

/// Whether a text embeds these migrations: `sqlx::migrate!()`, or `migrate!("./migrations")`.
fn embeds(text: &str, sources: &Sources, migrations: Option<&Path>) -> bool {
    let Some(migrations) = migrations else { return false };
    let by_default = text.contains("migrate!()") && migrations == sources.dir.join("migrations");
    by_default || embedded(text, sources).iter().any(|folder| folder == migrations)
}

/// The database whose types texts name, if they name those of one alone. A crate may enable several and use one,
/// or use another beside the one that its migrations make.
fn named<'t>(texts: impl Iterator<Item = &'t str>) -> Option<Dialect> {
    let mut found = BTreeSet::new();
    let speaks = |text: &&str| text.contains("sqlx") || ORMS.iter().any(|orm| text.contains(orm));
    for text in texts.filter(speaks) {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let words: BTreeSet<&str> =
            code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_')).collect();
        let is_named = |types: &[&str]| types.iter().any(|name| words.contains(name));
        found.extend(TYPES.iter().enumerate().filter(|(_, (types, _))| is_named(types)).map(|(at, _)| at));
    }
    let only = found.pop_first().filter(|_| found.is_empty())?;
    TYPES.get(only).map(|(_, dialect)| *dialect)
}

/// Whether the source of the schema is known.
fn is_found(project: &Project) -> bool {
    project.schema_path.is_some() || project.config.schema.is_some() || project.migrations.is_some()
}

/// Whether a folder, or one inside it, contains `.sql` files.
fn has_sql(dir: &Path) -> bool {
    let paths = |dir: &Path| {
        let entries = std::fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let is_sql = |path: &PathBuf| path.extension().is_some_and(|end| end == "sql");
    let below = paths(dir);
    below.iter().any(is_sql) || below.iter().any(|below| below.is_dir() && paths(below).iter().any(is_sql))
}

/// The folders that a crate's source embeds.
fn embedded(text: &str, sources: &Sources) -> Vec<PathBuf> {
    let named = text.split(MACRO).skip(1).filter_map(|rest| rest.split('"').next());
    let folders = named.map(|folder| sources.manifest_dir().join(folder));
    folders.filter_map(|folder| folder.canonicalize().ok()).filter(|folder| has_sql(folder)).collect()
}

/// The crates that a crate depends on, directly or transitively.
fn depended_on<'s>(
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
