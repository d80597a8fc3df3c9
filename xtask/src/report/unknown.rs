//! Says why nothing of a database is checked: its queries read no table that is known.

use std::collections::BTreeSet;
use std::path::Path;

use query_budget_analysis::index::Verdict;
use query_budget_analysis::project::{Project, shown};
use query_budget_analysis::sql::Dialect;
use query_budget_analysis::{Notice, NoticeKind, Place};

use super::{Query, counted};
use crate::input::RustFile;

/// The number of accesses from which on it is no accident that all are of unknown tables.
const SEVERAL: usize = 2;

/// How many tables are named.
const SHOWN: usize = 3;

/// A notice if every table that these queries read is unknown, although the schema has tables.
pub(super) fn notice<'q>(
    project: &Project,
    source: &Path,
    files: &[RustFile],
    queries: impl Iterator<Item = &'q Query>,
    base: &Path,
) -> Option<Notice> {
    let schema = project.schema.as_ref().filter(|schema| !schema.tables.is_empty())?;
    let (mut accesses, mut tables) = (0, BTreeSet::new());
    for access in queries.flat_map(|query| &query.checked.accesses) {
        if access.verdict != Verdict::Unknown {
            return None;
        }
        accesses += 1;
        tables.insert(format!("`{}`", access.table));
    }
    if accesses < SEVERAL {
        return None;
    }
    let why = match named(files).as_slice() {
        [only] if *only != schema.dialect => {
            format!("the schema is of {}, and the code names types of {only} alone", schema.dialect)
        }
        _ => {
            let first: Vec<String> = tables.iter().take(SHOWN).cloned().collect();
            let more = if tables.len() > SHOWN { " and others" } else { "" };
            format!("`{}` does not tell what {}{more} are", shown(source, base), first.join(", "))
        }
    };
    let message = format!("no table is known that the queries read: {why}");
    let notice = Notice::new(NoticeKind::NoSnapshot, message, Place::default())
        .help("name the schema of these queries: `--migrations <folder>` or `--schema <file>`")
        .help("or their database: `--dialect <dialect>`");
    Some(Notice {
        notes: vec![format!("{} not checked", counted(accesses, "access is", "accesses are"))],
        ..notice
    })
}

/// The databases that files name.
fn named(files: &[RustFile]) -> Vec<Dialect> {
    let all = files.iter().map(|file| &file.source.scan.databases);
    let all: Vec<Dialect> =
        all.flat_map(|named| named.of_sqlx.iter().chain(&named.of_drivers)).copied().collect();
    Dialect::ALL.into_iter().filter(|dialect| all.contains(dialect)).collect()
}
