//! Reads a migrations directory as its own tool does: which files count, in which order, and which part of
//! each.
//!
//! The layout is recognised by the file names, and by comments that split a file into an up and a down part.
//! Nothing has to be configured.

mod alternatives;
mod liquibase;
mod marks;
mod names;
mod placeholders;
mod plain;
mod program;

use std::borrow::Cow;

use super::Unapplied;
use super::guess::is_of_sql_server;
use super::migrations::Migration;
use crate::sql::Dialect;
use names::{Family, Named};
pub(crate) use plain::makes_something;
pub use program::sql_of_program;

/// The content of a migrations directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selected {
    /// The migrations in the order of application, each with its up part.
    pub migrations: Vec<Migration>,
    /// The tool whose conventions the files follow; `None` if any tool may use them.
    pub tool: Option<&'static str>,
    /// Files that were skipped, by their names as given, except down migrations.
    pub skipped: Vec<String>,
    /// Why there may be tables that the migrations do not make: a folder below that was skipped makes some. It may be of
    /// another database, or applied by other code.
    pub gap: Option<String>,
    /// The texts of those files, and of those for other databases.
    pub aside: Vec<String>,
    /// Columns that tables may have besides: programs among the migrations name them.
    pub loose: Vec<String>,
    /// Columns that indexes may begin with besides: programs among the migrations name them with an index.
    pub loose_indexes: Vec<String>,
    /// Problems with files.
    pub problems: Vec<Unapplied>,
}

/// A file: its path below the directory, with `/` as separator, and its text.
struct File {
    path: String,
    text: String,
}

/// The problem of a file that is written for a database that is not supported.
pub(crate) const SQL_SERVER: &str = "is written for SQL Server, and not read";

/// A description of what is looked for, for users without any.
pub const LOOKED_FOR: &str = "numbered files (`0001_users.sql`, `0002_events.up.sql`, `m0003-x.sql`), those of Flyway and \
     refinery (`V1__users.sql`), folders of Diesel and Prisma (`2024-01-01_users/up.sql`), and other `.sql` files that make tables";

/// The database that a folder of migrations is named after.
pub fn database_of_folder(name: &str) -> Option<Dialect> {
    names::database(name)
}

/// Files, each with what its name says.
type NamedFiles = Vec<(Named, File)>;

/// Selects the migrations among the files, and sorts them.
///
/// Takes each file's path below `folder`, with `/` as separator, and its content; problems show paths below
/// `folder`. If there are directories for several databases, those for `dialect` are used.
pub fn select(folder: &str, files: Vec<(String, Vec<u8>)>, dialect: Option<Dialect>) -> Selected {
    let mut selected = Selected::default();
    let shown = |path: &str| if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") };
    let mut texts = Vec::new();
    let (files, others) = names::of_dialect(files, dialect);
    for (path, bytes) in files {
        match String::from_utf8(bytes) {
            Ok(text) if is_of_sql_server(&text) => {
                let problem = Unapplied { file: shown(&path), line: 0, message: format!("it {SQL_SERVER}") };
                selected.gap.get_or_insert_with(|| format!("{} {SQL_SERVER}", problem.file));
                selected.problems.push(problem);
            }
            Ok(text) => texts.push(File { path, text }),
            Err(error) => selected.problems.push(not_utf8(shown(&path), &error)),
        }
    }
    let depth = names::common_depth(texts.iter().map(|file| file.path.as_str()));
    let mut named: Vec<(Named, File)> =
        texts.into_iter().map(|file| (names::read(&file.path, depth), file)).collect();
    names::settle_pairs(&mut named);
    named.retain(|(name, _)| !name.is_back);
    // No tool that numbers files as sqlx does looks into the folders beside them.
    let is_numbered = named.iter().any(|(name, _)| name.family == Family::Sqlx);
    let is_below = |file: &File| file.path.split('/').count() > depth + 1;
    let (below, named): (Vec<_>, Vec<_>) =
        named.into_iter().partition(|(_, file)| is_numbered && is_below(file));
    let family = names::family(named.iter().map(|(name, _)| name.family));
    let (mut chosen, mut rest): (Vec<_>, Vec<_>) = named.into_iter().partition(|(name, file)| match family {
        Family::Plain => plain::makes_something(&file.text),
        Family::Numbered => matches!(name.family, Family::Numbered | Family::Sqlx),
        family => name.family == family,
    });
    let mut first = Vec::new();
    if matches!(family, Family::Sqlx | Family::Numbered) {
        (first, rest) = without_number(rest, &chosen);
    }
    rest.extend(below);
    selected.skipped.extend(rest.iter().map(|(_, file)| shown(&file.path)));
    let aside = aside(&chosen, &rest);
    let folder = aside.first().and_then(|(_, file)| folder_of(file));
    let gap = folder.map(|folder| format!("the files in {} are not read", shown(folder)));
    selected.gap = selected.gap.or(gap);
    selected.aside = aside.iter().map(|(_, file)| file.text.clone()).collect();
    selected.aside.extend(others.into_iter().filter_map(|(_, bytes)| String::from_utf8(bytes).ok()));
    chosen.sort_by(|(a, _), (b, _)| a.key.cmp(&b.key));
    if family == Family::Flyway {
        chosen = names::forward(chosen);
    }
    if matches!(family, Family::Plain | Family::Numbered) {
        chosen = without_alternatives(chosen, &mut selected.problems, &shown);
    }
    if family == Family::Plain {
        chosen = plain::in_order(chosen);
    }
    chosen.splice(..0, plain::in_order(first));
    if let Some(start) = chosen.iter().rposition(|(_, file)| marks::is_checkpoint(&file.text)) {
        chosen.drain(..start);
    }
    selected.tool = names::tool(family, chosen.iter().map(|(name, _)| name));
    add_migrations(&mut selected, chosen, dialect, &shown);
    if family == Family::Sqlx {
        selected.problems.extend(used_twice(&selected.migrations));
    }
    selected
}

/// Adds the migrations of the files. The first one with the marks of a tool names the tool.
fn add_migrations(
    selected: &mut Selected,
    chosen: NamedFiles,
    dialect: Option<Dialect>,
    shown: &dyn Fn(&str) -> String,
) {
    let mut is_marked = false;
    for (place, (name, file)) in chosen.into_iter().enumerate() {
        let no_transaction = file.text.starts_with("-- no-transaction");
        let changes = liquibase::applied(&file.text, dialect);
        for (line, databases) in changes.iter().flat_map(|applied| &applied.others) {
            let message = format!("the changeset is not applied: it is for `{databases}`");
            selected.problems.push(Unapplied { file: shown(&file.path), line: *line, message });
        }
        let changes = changes.map(|applied| ("Liquibase", applied.sql));
        let sql = match changes.or_else(|| marks::way_up(&file.text)) {
            Some((tool, sql)) => {
                if !std::mem::replace(&mut is_marked, true) {
                    selected.tool = Some(tool);
                }
                sql
            }
            None => file.text,
        };
        let sql = match placeholders::without_schemas(&sql) {
            Cow::Borrowed(_) => sql,
            Cow::Owned(filled) => filled,
        };
        let version = name.number.unwrap_or_else(|| i64::try_from(place).unwrap_or(i64::MAX));
        let file = shown(&file.path);
        selected.migrations.push(Migration {
            version,
            description: name.description,
            file,
            sql,
            no_transaction,
        });
    }
}

/// Those of the files that no number orders and that the numbered ones build on, `init.sql` beside `upgrade_1.sql`; and the
/// others.
fn without_number(files: NamedFiles, numbered: &[(Named, File)]) -> (NamedFiles, NamedFiles) {
    let is_beside = |file: &File| numbered.iter().any(|(_, other)| folder_of(other) == folder_of(file));
    let (plain, mut others): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|(name, file)| name.family == Family::Plain && is_beside(file));
    let (first, rest) = plain::built_upon(plain, numbered);
    others.extend(rest);
    (first, others)
}

/// The folder of a file, below the one that was asked for.
fn folder_of(file: &File) -> Option<&str> {
    file.path.rsplit_once('/').map(|(folder, _)| folder)
}

/// The files that make something in folders of which nothing is read, in order.
fn aside<'f>(chosen: &[(Named, File)], rest: &'f [(Named, File)]) -> Vec<&'f (Named, File)> {
    let is_read = |folder: &str| chosen.iter().any(|(_, file)| folder_of(file) == Some(folder));
    let mut aside: Vec<&(Named, File)> = rest
        .iter()
        .filter(|(_, file)| plain::makes_something(&file.text))
        .filter(|(_, file)| folder_of(file).is_some_and(|folder| !is_read(folder)))
        .collect();
    aside.sort_by(|(a, _), (b, _)| a.key.cmp(&b.key));
    aside
}

/// The files that later ones do not replace; a problem names each of the others.
fn without_alternatives(
    files: Vec<(Named, File)>,
    problems: &mut Vec<Unapplied>,
    shown: &dyn Fn(&str) -> String,
) -> Vec<(Named, File)> {
    let replaced = alternatives::replaced(&files);
    for alternatives::Replaced { earlier, later } in &replaced {
        if let (Some((_, earlier)), Some((_, later))) = (files.get(*earlier), files.get(*later)) {
            let message = format!("the file is not read: {} creates the same tables", shown(&later.path));
            problems.push(Unapplied { file: shown(&earlier.path), line: 0, message });
        }
    }
    let is_replaced = |place: usize| replaced.iter().any(|replaced| replaced.earlier == place);
    let kept = files.into_iter().enumerate().filter(|(place, _)| !is_replaced(*place));
    kept.map(|(_, file)| file).collect()
}

impl Selected {
    /// Takes account of a migration in another language: it may make tables, and add the columns that it names.
    pub fn add_program(&mut self, file: String, text: &str) {
        let is_data = [".xml", ".yaml", ".yml", ".json"].iter().any(|end| file.ends_with(end));
        let what = if is_data { "not SQL" } else { "a program" };
        self.gap.get_or_insert_with(|| format!("{file} is {what}, and not read"));
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        // A quote alone begins a lifetime in Rust, and names stand without quotes in YAML.
        let quotes: &[char] = if file.ends_with(".rs") { &['"'] } else { &['"', '\'', '`'] };
        let quoted = quotes.iter().flat_map(|quote| text.split(*quote).skip(1).step_by(2));
        let is_plain = is_data && !file.ends_with(".xml");
        let plain = text.lines().filter(|_| is_plain).filter_map(|line| line.split_whitespace().next_back());
        for literal in quoted.chain(plain) {
            let names: Vec<&str> =
                literal.split(|c: char| !is_word(c)).filter(|word| !word.is_empty()).collect();
            let changes = names
                .iter()
                .any(|word| ["add", "alter", "rename"].iter().any(|it| word.eq_ignore_ascii_case(it)));
            let is_index = |word: &&str| ["index", "unique"].iter().any(|it| word.eq_ignore_ascii_case(it));
            if names.iter().any(is_index) {
                self.loose_indexes.extend(names.iter().map(|name| name.to_lowercase()));
            }
            if names.len() == 1 || changes {
                self.loose.extend(names.into_iter().map(str::to_lowercase));
            }
        }
        self.loose.sort();
        self.loose.dedup();
        let message = format!("it is {what}, which is not read: its changes are unknown");
        self.problems.push(Unapplied { file, line: 0, message });
    }

    /// A summary of what was read: `165 migrations of dbmate`, `3 files in the order of their names`.
    pub fn told(&self) -> String {
        let count = self.migrations.len();
        let plural = if count == 1 { "" } else { "s" };
        // The names of migrations that can be undone are those of both.
        let is_pair = |migration: &Migration| migration.file.ends_with(".up.sql");
        match self.tool {
            Some("sqlx") if self.migrations.iter().all(is_pair) => {
                format!("{count} migration{plural} of sqlx or golang-migrate")
            }
            Some(tool) => format!("{count} migration{plural} of {tool}"),
            None if count == 1 => "1 file".to_owned(),
            None => format!("{count} files in the order of their names"),
        }
    }

    /// What was skipped, as one problem of the directory; `None` if nothing was.
    pub fn unread(&self, folder: &str) -> Option<Unapplied> {
        const SHOWN: usize = 8;
        let names: Vec<String> = self.skipped.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
        let more = match self.skipped.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let (are, them) = if self.skipped.len() == 1 { ("is", "it") } else { ("are", "them") };
        let why = match (self.migrations.is_empty(), self.tool) {
            (true, _) => "it holds no `CREATE` and no `ALTER`".replace(
                "it holds",
                match self.skipped.len() {
                    1 => "it holds",
                    _ => "they hold",
                },
            ),
            (false, Some(tool)) => format!("{tool} does not apply {them}"),
            (false, None) => format!("the names of the others do not fit {them}"),
        };
        (!names.is_empty()).then(|| Unapplied {
            file: folder.to_owned(),
            line: 0,
            message: format!("{}{more} {are} not read: {why}", names.join(", ")),
        })
    }
}

/// Whether migrations build upon a file: it creates tables that they only change, as `schema.sql` beside a folder of upgrades.
pub fn build_upon(text: &str, migrations: &[Migration]) -> bool {
    plain::is_base(text, migrations.iter().map(|migration| migration.sql.as_str()))
}

fn not_utf8(file: String, error: &std::string::FromUtf8Error) -> Unapplied {
    let before = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let line = u32::try_from(line).unwrap_or(u32::MAX);
    Unapplied { file, line, message: "the file is not UTF-8".to_owned() }
}

/// sqlx rejects two migrations with the same version.
fn used_twice(migrations: &[Migration]) -> Vec<Unapplied> {
    let mut problems = Vec::new();
    for pair in migrations.windows(2) {
        if let [first, second] = pair
            && first.version == second.version
        {
            let message = format!("version {} is used by {} as well", second.version, first.file);
            problems.push(Unapplied { file: second.file.clone(), line: 0, message });
        }
    }
    problems
}

#[cfg(test)]
mod tests;
