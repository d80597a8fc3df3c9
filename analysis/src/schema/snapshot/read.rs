//! Reads a snapshot, or the output of `pg_dump --schema-only`, `.schema` or `mysqldump --no-data`.

use std::collections::BTreeMap;

use super::super::Unapplied;
use super::super::ddl::{self, Change};
use super::super::guess::{guess_dialect, is_of_sql_server};
use super::super::layouts::SQL_SERVER;
use super::super::model::{Name, Schema};
use super::super::replay::Replay;
use super::{
    CONVERSIONS, DIALECT, DIGEST, DOUBT, END, FOREIGN, GAP, HEAD, HOOK, LOOSE, LOOSE_INDEX, ROUTINE, ROWS,
    SEARCH_PATH, UNKNOWN, UNTYPED, out_of_comment,
};
use crate::sql::Dialect;
use crate::sql::split;

/// The content of a snapshot.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The schema that its statements create.
    pub schema: Schema,
    /// The digest of the migrations behind it; `None` for a dump of a database.
    pub digest: Option<String>,
    /// The statements that could not be applied.
    pub problems: Vec<Unapplied>,
    /// Why it is unusable, if it is: it is truncated, or its dialect is unknown. Otherwise everything missing
    /// from it would be reported as missing from the database.
    pub broken: Option<Unapplied>,
}

/// The message for a truncated snapshot.
const CUT: &str = "the snapshot ends early";

/// Reads a snapshot; `fallback` is the dialect of one that does not name its own.
pub fn read(text: &str, file: &str, fallback: Option<Dialect>) -> Snapshot {
    let ours = text.starts_with(HEAD);
    let head = Head::read(text);
    let problem = |line: usize, message: &str| {
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        Unapplied { file: file.to_owned(), line, message: message.to_owned() }
    };
    let mut problems = Vec::new();
    let mut broken = None;
    let known = if ours { head.dialect.and_then(Dialect::from_name) } else { None };
    let dialect = known.or(fallback).or_else(|| dialect_of_dump(text)).or_else(|| guess_dialect([text]));
    if ours && known.is_none() {
        broken = Some(problem(2, "the snapshot does not name its dialect"));
    }
    if !ours && is_of_sql_server(text) {
        let broken = Some(problem(0, &format!("the file {SQL_SERVER}")));
        return Snapshot { schema: Schema::new(Dialect::Postgres), digest: None, problems, broken };
    }
    let Some(dialect) = dialect else {
        let broken = broken.or_else(|| Some(problem(0, "the snapshot does not name its dialect")));
        return Snapshot { schema: Schema::new(Dialect::Postgres), digest: None, problems, broken };
    };
    if is_cut(text, ours) {
        broken = Some(problem(text.lines().count(), CUT));
    }
    let mut replay = Replay::new(dialect);
    for piece in split::statements(text, dialect) {
        replay.apply_piece(&piece, file);
    }
    replay.finish();
    let mut schema = replay.schema;
    problems.extend(replay.problems);
    if ours {
        head.complete(&mut schema);
    }
    Snapshot { schema, digest: head.digest.filter(|_| ours).map(str::to_owned), problems, broken }
}

/// The content of comments.
#[derive(Default)]
struct Head<'t> {
    dialect: Option<&'t str>,
    digest: Option<&'t str>,
    search_path: Option<&'t str>,
    unknown: Vec<&'t str>,
    gaps: Vec<&'t str>,
    /// Columns that any table may have, each with its type.
    loose: Vec<(&'t str, &'t str)>,
    /// Columns that are the first key of an index on some table.
    loose_indexes: Vec<&'t str>,
    /// Indexes that may be dropped, each with its table.
    doubtful: Vec<(&'t str, &'t str)>,
    /// Servers of foreign tables, each with the table.
    foreign: Vec<(&'t str, &'t str)>,
    /// Triggers and rules, each with its table.
    hooks: Vec<(&'t str, &'t str)>,
    routines: Vec<&'t str>,
    /// Whether there are user-defined casts or operators.
    conversions: bool,
    /// Columns of unknown type, each with its table.
    untyped: Vec<(&'t str, &'t str)>,
    /// Row estimates, each with the next line, which creates the table.
    rows: Vec<(u64, &'t str)>,
}

impl<'t> Head<'t> {
    fn read(text: &'t str) -> Head<'t> {
        let mut head = Head::default();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if !line.starts_with("-- ") {
                continue;
            }
            if let Some(rows) = line.strip_prefix(ROWS).and_then(|rows| rows.parse().ok()) {
                head.rows.push((rows, lines.next().unwrap_or("")));
            } else if line == CONVERSIONS {
                head.conversions = true;
            } else if let Some(gap) = line.strip_prefix(GAP) {
                head.gaps.push(gap);
            } else if let Some(column) = line.strip_prefix(LOOSE_INDEX) {
                head.loose_indexes.push(column);
            } else if let Some(index) = line.strip_prefix(DOUBT) {
                head.doubtful.extend(index.split_once(' '));
            } else if let Some(foreign) = line.strip_prefix(FOREIGN) {
                head.foreign.extend(foreign.split_once(' '));
            } else if let Some(loose) = line.strip_prefix(LOOSE) {
                head.loose.push(loose.split_once(' ').unwrap_or((loose, "")));
            } else if let Some(hook) = line.strip_prefix(HOOK) {
                head.hooks.extend(hook.split_once(": "));
            } else if let Some(routine) = line.strip_prefix(ROUTINE) {
                head.routines.push(routine);
            } else if let Some(untyped) = line.strip_prefix(UNTYPED) {
                head.untyped.extend(untyped.split_once(' '));
            } else if let Some(unknown) = line.strip_prefix(UNKNOWN) {
                head.unknown.push(unknown);
            } else if head.dialect.is_none() && line.starts_with(DIALECT) {
                head.dialect = line.strip_prefix(DIALECT).map(str::trim);
            } else if head.digest.is_none() && line.starts_with(DIGEST) {
                head.digest = line.strip_prefix(DIGEST).map(str::trim);
            } else if head.search_path.is_none() && line.starts_with(SEARCH_PATH) {
                head.search_path = line.strip_prefix(SEARCH_PATH);
            }
        }
        head
    }

    fn complete(&self, schema: &mut Schema) {
        schema.own_conversions |= self.conversions;
        schema.gaps.splice(0..0, self.gaps.iter().map(|gap| (*gap).to_owned()));
        let loose = self.loose.iter().map(|(column, ty)| (out_of_comment(column), (*ty).to_owned()));
        schema.loose_columns.extend(loose);
        schema.loose_indexes.extend(self.loose_indexes.iter().map(|column| out_of_comment(column)));
        for unknown in &self.unknown {
            let (name, reason) = unknown.split_once(": ").unwrap_or((unknown, ""));
            schema.opaque.insert(named(name), reason.to_owned());
        }
        for (column, name) in &self.untyped {
            let table = schema.tables.get_mut(&named(name));
            let columns = table.map(|table| table.columns.iter_mut()).into_iter().flatten();
            let column = out_of_comment(column);
            columns.filter(|it| it.name == column).for_each(|column| column.ty.clear());
        }
        for (server, name) in &self.foreign {
            if let Some(table) = schema.tables.get_mut(&named(name)) {
                table.module = Some(out_of_comment(server));
            }
        }
        for (index, name) in &self.doubtful {
            let Some(table) = schema.tables.get_mut(&named(name)) else { continue };
            let name = out_of_comment(index);
            table.indexes.iter_mut().filter(|it| it.name == name).for_each(|it| it.doubtful = true);
            let keys = table.foreign_keys.iter_mut().filter(|it| it.name.as_ref() == Some(&name));
            keys.for_each(|it| it.doubtful = true);
        }
        if let Some(path) = self.search_path {
            schema.search_path = path.split(',').map(|name| out_of_comment(name.trim())).collect();
        }
        let rows: BTreeMap<String, u64> = self
            .rows
            .iter()
            .filter_map(|(rows, line)| {
                let made = crate::schema::ddl::table_of(line, schema.dialect)?;
                Some((made.to_name().to_string(), *rows))
            })
            .collect();
        for table in schema.tables.values_mut() {
            table.rows = rows.get(&table.name.to_string()).copied();
        }
        self.complete_code(schema);
    }

    /// Adds the triggers and rules that run on writes, and the routines that they may call.
    fn complete_code(&self, schema: &mut Schema) {
        for (name, code) in &self.hooks {
            let name = named(name);
            let Ok(Change::Hook(_, hook)) = ddl::parse(code, schema.dialect) else { continue };
            if let Some(table) = schema.tables.get_mut(&name) {
                table.hooks.push(hook);
            } else if let Some(view) = schema.views.get_mut(&name) {
                view.hooks.push(hook);
            }
        }
        for code in &self.routines {
            if let Ok(Change::CreateFunction(function)) = ddl::parse(code, schema.dialect) {
                schema.functions.entry(function.name.to_name()).or_default().push(function.sql);
            }
        }
        schema.functions_by_name.forget();
    }
}

/// Parses a name from a comment.
fn named(text: &str) -> Name {
    match text.split_once('.') {
        Some((schema, name)) => Name::qualified(Some(&out_of_comment(schema)), out_of_comment(name)),
        None => Name::new(out_of_comment(text)),
    }
}

/// The dialect of the tool that wrote a dump, judging by its first comment.
fn dialect_of_dump(text: &str) -> Option<Dialect> {
    let start: String = text.chars().take(500).collect();
    if start.contains("PostgreSQL database dump") {
        Some(Dialect::Postgres)
    } else if start.contains("MySQL dump") || start.contains("MariaDB dump") {
        Some(Dialect::MySql)
    } else {
        None
    }
}

/// Whether the last line of every snapshot or dump is missing.
fn is_cut(text: &str, ours: bool) -> bool {
    if ours {
        return !text
            .lines()
            .rev()
            .take_while(|line| line.starts_with("--") || line.trim().is_empty())
            .any(|line| line == END);
    }
    let start: String = text.chars().take(500).collect();
    (start.contains("PostgreSQL database dump") && !text.contains("PostgreSQL database dump complete"))
        || ((start.contains("MySQL dump") || start.contains("MariaDB dump"))
            && !text.contains("-- Dump completed"))
}
