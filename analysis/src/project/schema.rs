//! The schema of a project: read from its snapshot, which may be missing, broken or stale, or replayed from
//! migrations.

use std::path::Path;
use std::sync::Arc;

use super::files::sql_files;
use super::{Project, ReadError, SCHEMA_COMMAND, dialect_of_url, place, read, shown};
use crate::notice::{Notice, NoticeKind};
use crate::schema::layouts::{self, Selected};
use crate::schema::{Migration, Replay, Schema, Unapplied, certain_dialect, guess_dialect, replay, snapshot};
use crate::sql::Dialect;

/// Reads a migrations directory in the format of the tool that it was written for, in the order of
/// application. Paths are shown relative to `base`. If there are directories for several databases, those for
/// `dialect` are used.
///
/// # Errors
///
/// If the directory or one of its files cannot be read, or is not UTF-8.
pub fn read_migrations(dir: &Path, base: &Path, dialect: Option<Dialect>) -> Result<Selected, ReadError> {
    let found = sql_files(dir)?;
    let mut files = Vec::new();
    for (path, below) in found.files {
        files.push((below, read(&path)?.into_bytes()));
    }
    let mut programs = Vec::new();
    for (path, below) in found.code {
        let text = read(&path).unwrap_or_default();
        match layouts::sql_of_program(&below, &text) {
            Some(sql) => files.push((below, sql.into_bytes())),
            None => programs.push((path, text)),
        }
    }
    let folder = shown(dir, base);
    let mut selected = layouts::select(&folder, files, dialect);
    selected.problems.extend(selected.unread(&folder));
    if dir.join("atlas.sum").is_file() && matches!(selected.tool, None | Some("sqlx")) {
        selected.tool = Some("Atlas");
    }
    for (path, text) in &programs {
        selected.add_program(shown(path, base), text);
    }
    selected.problems.extend(found.special.iter().map(|path| Unapplied {
        file: shown(path, base),
        line: 0,
        message: "it is a pipe or a device, and not read".to_owned(),
    }));
    Ok(selected)
}

impl Project {
    /// Reads the located snapshot, or reports that there is none. Paths are shown relative to `base`.
    pub fn load_schema(&mut self, base: &Path) {
        match self.schema_path.clone() {
            Some(path) => {
                self.read_snapshot(&path, base);
                self.compare_with_migrations(base);
            }
            None => self.guess_without_schema(base),
        }
    }

    /// Reads the schema from a snapshot, or from the output of `pg_dump --schema-only`.
    pub fn read_snapshot(&mut self, path: &Path, base: &Path) {
        let file = shown(path, base);
        self.read.push(path.to_path_buf());
        let text = match read(path) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("failed to {error}");
                return self.broken_snapshot(message, &file, error.line);
            }
        };
        let told = self.config.dialect.or_else(dialect_of_url);
        let mut snapshot = snapshot::read(&text, &file, told);
        // The text of a dump is better evidence than what the crate enables, and may have no marks of a database.
        if let Some(hint) = self.dialect_hint.filter(|_| told.is_none() && snapshot.broken.is_some()) {
            snapshot = snapshot::read(&text, &file, Some(hint));
        }
        if let Some(problem) = snapshot.broken {
            if problem.message.ends_with(layouts::SQL_SERVER) {
                let notice = Notice::new(NoticeKind::BrokenSnapshot, problem.message, place(&file, None));
                return self
                    .notices
                    .push(notice.help("name a schema of PostgreSQL, MySQL, MariaDB or SQLite"));
            }
            self.broken_snapshot(problem.message, &file, usize::try_from(problem.line).ok());
            if self.config.dialect.is_none()
                && let Some(notice) = self.notices.last_mut()
            {
                notice.help.push(format!("or set its `dialect` in `{}`", crate::config::FILE_NAME));
            }
            return;
        }
        if let Some(configured) = self.config.dialect.filter(|dialect| *dialect != snapshot.schema.dialect) {
            let message = format!(
                "the snapshot is one of {}, the configuration says {configured}",
                snapshot.schema.dialect
            );
            return self.broken_snapshot(message, &file, None);
        }
        self.skipped(snapshot.problems);
        self.dialect = snapshot.schema.dialect;
        self.schema = Some(Arc::new(snapshot.schema));
        self.digest = snapshot.digest;
    }

    /// Reads the schema from migrations, and returns how many there are; without any, the schema stays
    /// unknown. Paths are shown relative to `base`.
    ///
    /// # Errors
    ///
    /// If the directory or one of its files cannot be read, or is not UTF-8.
    pub fn replay_migrations(&mut self, dir: &Path, base: &Path) -> Result<usize, ReadError> {
        let told = self.config.dialect.or_else(dialect_of_url);
        let selected = read_migrations(dir, base, told.or(self.dialect_hint))?;
        self.told = format!("{} in `{}`", selected.told(), shown(dir, base));
        let migrations = selected.migrations;
        self.skipped(selected.problems);
        // An empty database would look like a clean one.
        if migrations.is_empty() {
            return Ok(0);
        }
        // The database enabled in sqlx is better evidence than keywords: a column may be called `uuid`
        // anywhere.
        let own = own_dialects(&selected.skipped);
        let is_own = |dialect: &Dialect| own.contains(dialect);
        let spoken = told.or(self.dialect_hint).or_else(|| guess(&migrations).filter(is_own));
        let fits = || own.iter().copied().min_by_key(|dialect| replay(&migrations, *dialect).unread);
        let is_narrowed = own.len() < Dialect::ALL.len();
        let likely = spoken.or_else(|| is_narrowed.then(fits).flatten()).unwrap_or(Dialect::Postgres);
        let mut replayed = replay(&migrations, likely);
        // A crate may have a database other than the one that the migrations of its workspace create.
        if told.is_none() && replayed.unread > 0 {
            let marked = certain(&migrations).filter(|marked| *marked != likely);
            let other = marked.map(|marked| replay(&migrations, marked));
            replayed = other.filter(|other| other.unread < replayed.unread).unwrap_or(replayed);
        }
        // Keywords may mislead: try each dialect, and take the one that reads most of the migrations. What they do to a table
        // that exists already fails on any database.
        let is_certain = || certain(&migrations) == Some(likely);
        if told.or(self.dialect_hint).is_none() && replayed.unread > 0 && !is_certain() {
            for dialect in own.iter().copied().filter(|dialect| *dialect != likely) {
                let other = replay(&migrations, dialect);
                if other.unread < replayed.unread {
                    replayed = other;
                }
            }
        }
        let mut replayed = self.behind_code(replayed, &migrations);
        self.dialect = replayed.schema.dialect;
        self.dialect_is_guessed = spoken.is_none();
        self.skipped(replayed.problems);
        replayed.schema.gaps.extend(selected.gap);
        for name in selected.loose {
            replayed.schema.loose_columns.entry(name).or_default();
        }
        replayed.schema.loose_indexes.extend(selected.loose_indexes);
        self.add_code(&mut replayed.schema);
        allow_names(&mut replayed.schema, &selected.aside);
        self.schema = Some(Arc::new(replayed.schema));
        Ok(migrations.len())
    }

    fn broken_snapshot(&mut self, message: String, file: &str, line: Option<usize>) {
        let notice = Notice::new(NoticeKind::BrokenSnapshot, message, place(file, line));
        self.notices.push(notice.help(format!("write it again with `{SCHEMA_COMMAND}`")));
    }

    fn skipped(&mut self, problems: Vec<Unapplied>) {
        self.notices.extend(problems.into_iter().map(|problem| {
            let place = place(&problem.file, usize::try_from(problem.line).ok());
            Notice::new(NoticeKind::SkippedStatement, problem.message, place)
        }));
    }

    fn compare_with_migrations(&mut self, base: &Path) {
        let (Some(digest), Some(dir), Some(path)) = (&self.digest, &self.migrations, &self.schema_path)
        else {
            return;
        };
        let file = shown(path, base);
        let files = sql_files(dir).unwrap_or_default().files;
        self.read.extend(files.into_iter().map(|(path, _)| path));
        let notice = match read_migrations(dir, base, Some(self.dialect)) {
            Ok(selected) if snapshot::digest(&selected.migrations) == *digest => return,
            Ok(_) => {
                let message = format!(
                    "the snapshot was not written from the current content of `{}`",
                    shown(dir, base)
                );
                Notice::new(NoticeKind::StaleSnapshot, message, place(&file, None))
            }
            Err(error) => {
                Notice::new(NoticeKind::StaleSnapshot, format!("failed to {error}"), place(&file, None))
            }
        };
        self.notices.push(notice.help(format!("write it again with `{SCHEMA_COMMAND}`")));
    }

    /// Determines the dialect without a schema: from the configuration, else from `DATABASE_URL`, else from
    /// sqlx's features, else from keywords in the migrations; else it is guessed for each query.
    pub fn settle_dialect(&mut self, base: &Path) {
        let dialect = self.config.dialect.or_else(dialect_of_url);
        let selected = self.migrations.as_deref().and_then(|dir| read_migrations(dir, base, dialect).ok());
        let dialect = dialect.or(self.dialect_hint).or_else(|| guess(&selected?.migrations));
        self.dialect_is_guessed = dialect.is_none();
        self.dialect = dialect.unwrap_or(self.dialect);
    }

    fn guess_without_schema(&mut self, base: &Path) {
        self.settle_dialect(base);
        if self.config.schema.is_none() {
            let message = "there is no snapshot of the schema: tables, columns and indexes are not checked";
            let notice = Notice::new(NoticeKind::NoSnapshot, message, place("", None));
            let folder = if self.migrations.is_some() { "" } else { " --migrations <folder>" };
            self.notices.push(
                notice
                    .help(format!("write one with `{SCHEMA_COMMAND}{folder}`"))
                    .help("the rows of `sql!` have fields with it, `row.id`, and are sqlx's own without it"),
            );
        }
    }
}

/// Whether the files of a folder only change tables that a schema of another tool creates.
pub(super) fn is_built_upon(path: &Path, dir: &Path) -> bool {
    if !path.is_file() || !dir.is_dir() {
        return false;
    }
    let Some(text) = read(path).ok().filter(|text| !snapshot::is_snapshot(text)) else { return false };
    read_migrations(dir, dir, None).is_ok_and(|read| layouts::build_upon(&text, &read.migrations))
}

/// Whether the first of the migrations of a folder is a schema in it, and more follow.
pub(super) fn begins_with(folder: &Path, path: &Path) -> bool {
    let selected = read_migrations(folder, folder, None).unwrap_or_default();
    let name = path.file_name().map(|name| name.to_string_lossy());
    let is_first = |first: &Migration| Some(&*first.file) == name.as_deref();
    selected.migrations.len() > 1 && selected.migrations.first().is_some_and(is_first)
}

/// The dialects that migrations may be in, the more common one first: not those of the databases after which the folders beside
/// them are named, whose files no tool applies with them.
fn own_dialects(skipped: &[String]) -> Vec<Dialect> {
    let folder = |path: &String| path.rsplit('/').nth(1).and_then(layouts::database_of_folder);
    let others: Vec<Dialect> = skipped.iter().filter_map(folder).collect();
    if others.is_empty() {
        return Dialect::ALL.to_vec();
    }
    let own = [Dialect::Sqlite, Dialect::MySql, Dialect::Postgres].into_iter();
    own.filter(|dialect| !others.contains(dialect)).collect()
}

/// The dialect of migrations, judging by keywords.
pub(super) fn guess(migrations: &[Migration]) -> Option<Dialect> {
    guess_dialect(migrations.iter().map(|migration| migration.sql.as_str()))
}

/// The dialect of migrations, if marks of one database alone are in them.
fn certain(migrations: &[Migration]) -> Option<Dialect> {
    certain_dialect(migrations.iter().map(|migration| migration.sql.as_str()))
}

/// Adds what files that are not read make: columns of the schema's tables, and tables that it lacks. A query may mean
/// their database.
fn allow_names(schema: &mut Schema, files: &[String]) {
    let mut other = Replay::new(schema.dialect);
    for text in files {
        other.apply(text, "");
    }
    for (name, table) in &other.schema.tables {
        let Some(own) = schema.tables.get(name) else {
            if schema.views.contains_key(name) || schema.opaque(name.schema.as_deref(), &name.name).is_some()
            {
                continue;
            }
            schema.opaque.insert(name.clone(), "files make it that are not read".to_owned());
            continue;
        };
        let more = table.columns.iter().filter(|column| own.column(&column.name).is_none());
        let more: Vec<String> = more.map(|column| column.name.clone()).collect();
        schema.loose_columns.extend(more.into_iter().map(|name| (name, String::new())));
    }
}
