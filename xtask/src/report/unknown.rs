//! Says why nothing of a database is checked: its queries read no table that is known, or run on another database.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use query_budget_analysis::index::Verdict;
use query_budget_analysis::project::{Project, shown};
use query_budget_analysis::schema::Schema;
use query_budget_analysis::sql::Dialect;
use query_budget_analysis::{Notice, NoticeKind, Place};

use super::{Query, counted};
use crate::input::RustFile;

/// The number of accesses from which on it is no accident that all are of unknown tables.
const SEVERAL: usize = 2;

/// How many tables or files are named.
const SHOWN: usize = 3;

/// What queries read of tables that are unknown.
pub(super) struct Others {
    accesses: usize,
    tables: BTreeSet<String>,
    places: BTreeSet<String>,
}

/// The unknown tables that queries read; `None` if they read a known one, or next to nothing.
pub(super) fn reads_others<'q>(queries: impl Iterator<Item = &'q Query>) -> Option<Others> {
    let mut others = Others { accesses: 0, tables: BTreeSet::new(), places: BTreeSet::new() };
    for query in queries {
        for access in &query.checked.accesses {
            if access.verdict != Verdict::Unknown {
                return None;
            }
            others.accesses += 1;
            others.tables.insert(format!("`{}`", access.table));
            others.places.insert(format!("`{}`", query.place.file));
        }
    }
    Some(others).filter(|others| others.accesses >= SEVERAL)
}

/// A notice if every table that these queries read is unknown, although the schema has tables.
pub(super) fn notice<'q>(
    project: &Project,
    source: &Path,
    files: &[RustFile],
    queries: impl Iterator<Item = &'q Query>,
    base: &Path,
) -> Option<Notice> {
    let schema = project.schema.as_ref().filter(|schema| !schema.tables.is_empty())?;
    let Others { accesses, tables, places } = reads_others(queries)?;
    let why = match named(files).as_slice() {
        [only] if *only != schema.dialect => {
            format!("the schema is of {}, and the code names types of {only} alone", schema.dialect)
        }
        _ => format!("`{}` does not tell what {} are", shown(source, base), first(&tables)),
    };
    let message = format!("no table is known that the queries read: {why}");
    let notice = Notice::new(NoticeKind::NoSnapshot, message, Place::default())
        .help("name the schema of these queries: `--migrations <folder>` or `--schema <file>`")
        .help("or their database: `--dialect <dialect>`");
    let accesses = counted(accesses, "access", "accesses");
    Some(Notice { notes: vec![format!("not checked: {accesses} in {}", first(&places))], ..notice })
}

/// The first of several names.
fn first(names: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    let more = if names.len() > SHOWN { " and others" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// Notices for queries of a database other than that of the schema, unless the user says which is checked.
pub(super) fn of_others<'q>(
    project: &Project,
    queries: impl Iterator<Item = &'q Query>,
    base: &Path,
) -> Vec<Notice> {
    let known = |schema: &&Arc<Schema>| !schema.tables.is_empty() && !project.dialect_is_told;
    let Some(schema) = project.schema.as_ref().filter(known) else { return Vec::new() };
    let reads_tables = |query: &&Query| query.checked.query.as_ref().is_ok_and(|it| !it.relations.is_empty());
    let queries: Vec<&Query> = queries.filter(reads_tables).collect();
    let others = Dialect::ALL.into_iter().filter(|dialect| *dialect != schema.dialect);
    let notice = |dialect: Dialect| {
        let of_other = || queries.iter().filter(|query| query.checked.dialect == dialect);
        let files: BTreeSet<String> = of_other().map(|query| format!("`{}`", query.place.file)).collect();
        let number = of_other().count();
        let message = format!(
            "{} of {dialect} in {} {} not checked: the schema is of {}",
            counted(number, "query", "queries"),
            first(&files),
            if number == 1 { "is" } else { "are" },
            schema.dialect
        );
        let folder = project.by_database.iter().find(|(of, _)| *of == dialect).map(|(_, folder)| folder);
        let folder = folder.map_or("<folder>".to_owned(), |folder| shown(folder, base));
        let help = format!("check them with `--dialect {dialect} --migrations {folder}`");
        let notice = Notice::new(NoticeKind::NoSnapshot, message, Place::default()).help(help);
        (!files.is_empty()).then_some(notice)
    };
    others.filter_map(notice).collect()
}

/// The databases that files name.
fn named(files: &[RustFile]) -> Vec<Dialect> {
    let all: Vec<Dialect> = files.iter().flat_map(|file| file.source.scan.databases.all()).collect();
    Dialect::ALL.into_iter().filter(|dialect| all.contains(dialect)).collect()
}
