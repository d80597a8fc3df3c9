//! What a file name reveals: the tool, the position, and the direction of the migration.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::File;
use crate::sql::Dialect;

/// Layouts, distinguished by file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    /// `2024-01-01-000000_users/up.sql`, `20240101000000_users/migration.sql`.
    Folders,
    /// `V1.1__users.sql`, `U1__users.sql`, `R__view.sql`, `B5__base.sql`.
    Flyway,
    /// `20240101000000_users.sql`, `1_users.up.sql`.
    Sqlx,
    /// Any other name with a number: `m0001-users.sql`, `001.do.users.sql`, `2024/01-users.sql`.
    Numbered,
    /// A name without a number.
    Plain,
}

/// The parts of a name.
pub(super) struct Named {
    pub(super) family: Family,
    /// The sort key.
    pub(super) key: Key,
    pub(super) number: Option<i64>,
    /// A description of the migration, from its name.
    pub(super) description: String,
    /// Whether it is a down migration.
    pub(super) is_back: bool,
    /// Flyway's letter.
    letter: Option<char>,
    /// The file's name inside the migration's directory: `up`, `migration`.
    stem: String,
}

/// The sort key of a file: the parts of its name, with numbers compared by value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Digits without leading zeros.
    Number(String),
    Text(String),
}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Part) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Part {
    fn cmp(&self, other: &Part) -> Ordering {
        match (self, other) {
            (Part::Number(a), Part::Number(b)) => (a.len(), a).cmp(&(b.len(), b)),
            (Part::Text(a), Part::Text(b)) => a.cmp(b),
            (Part::Number(_), Part::Text(_)) => Ordering::Less,
            (Part::Text(_), Part::Number(_)) => Ordering::Greater,
        }
    }
}

/// Splits a name so that numbers compare by value, and everything else by letters.
fn natural(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_digit = first.is_ascii_digit();
        let end = rest.find(|char: char| char.is_ascii_digit() != is_digit).unwrap_or(rest.len());
        let (part, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        parts.push(match is_digit {
            true => Part::Number(part.trim_start_matches('0').to_owned()),
            false => Part::Text(part.to_lowercase()),
        });
        rest = after;
    }
    parts
}

/// The name of a migration's directory, with the dashes removed from its version as Diesel does:
/// `2017-08-31-230457_users` comes after `20140924113530_first`, and so does `2017-08-31-230457`, which has no name.
fn without_dashes(folder: &str) -> String {
    let (version, rest) = folder.split_at(folder.find('_').unwrap_or(folder.len()));
    let is_version = !version.is_empty() && version.chars().all(|c| c.is_ascii_digit() || c == '-');
    if is_version { format!("{}{rest}", version.replace('-', "")) } else { folder.to_owned() }
}

/// How many leading directories the paths share. The last directory of `x/up.sql` belongs to the migration.
pub(super) fn common_depth<'p>(paths: impl Iterator<Item = &'p str>) -> usize {
    let mut common: Option<Vec<&str>> = None;
    for path in paths {
        let mut folders: Vec<&str> = path.split('/').collect();
        let own = folders.pop().is_some_and(|name| ["up.sql", "down.sql", "migration.sql"].contains(&name));
        if own {
            folders.pop();
        }
        common = Some(match common {
            None => folders,
            Some(common) => {
                common.into_iter().zip(folders).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
            }
        });
    }
    common.map_or(0, |common| common.len())
}

/// A file that is not read yet: its path and content.
type Unread = (String, Vec<u8>);

/// If directories or files are named after databases, the files for one of them (`dialect`, else the first one), and those for the
/// others.
pub(super) fn of_dialect(files: Vec<Unread>, dialect: Option<Dialect>) -> (Vec<Unread>, Vec<Unread>) {
    let (files, twins) = without_twins(files, dialect);
    let (files, mut others) = of_named_dialect(files, dialect);
    others.extend(twins);
    (files, others)
}

/// Of two files whose names differ by the name of a database alone, `create_sqlite_table.sql` and `create_table.sql`, leaves out the one
/// that is for another database than `dialect`: both make the same tables.
fn without_twins(files: Vec<Unread>, dialect: Option<Dialect>) -> (Vec<Unread>, Vec<Unread>) {
    let names: BTreeSet<String> = files.iter().map(|(path, _)| path.clone()).collect();
    // The file, its twin without the name, and the database.
    let twin = |path: &str| {
        let (folders, name) =
            path.rsplit_once('/').map_or((None, path), |(folders, name)| (Some(folders), name));
        let (stem, end) = name.split_once('.')?;
        let words: Vec<&str> = stem.split('_').collect();
        let (at, of) = words.iter().enumerate().find_map(|(at, word)| Some((at, database(word)?)))?;
        let rest: Vec<&str> =
            words.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, it)| *it).collect();
        let other = format!("{}.{end}", rest.join("_"));
        let other = folders.map_or(other.clone(), |folders| format!("{folders}/{other}"));
        names.contains(&other).then_some((other, of))
    };
    let twins: BTreeMap<String, (String, Dialect)> =
        names.iter().filter_map(|path| Some((path.clone(), twin(path)?))).collect();
    let left_out: BTreeSet<&String> =
        twins.iter().map(|(path, (other, of))| if dialect == Some(*of) { other } else { path }).collect();
    files.into_iter().partition(|(path, _)| !left_out.contains(path))
}

/// Like `of_dialect`, for names of which a folder or a part is that of a database.
fn of_named_dialect(files: Vec<Unread>, dialect: Option<Dialect>) -> (Vec<Unread>, Vec<Unread>) {
    let of = |path: &str| {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let of_folder = folders.split('/').find_map(database);
        // pop and others put it into the name: `20200101000000_a.postgres.up.sql`.
        of_folder.or_else(|| name.split('.').skip(1).find_map(database))
    };
    let found: BTreeSet<u8> = files.iter().filter_map(|(path, _)| of(path)).map(place_of).collect();
    let wanted = match (found.len(), dialect.map(place_of)) {
        (0 | 1, _) => return (files, Vec::new()),
        (_, Some(dialect)) if found.contains(&dialect) => Some(dialect),
        _ => found.first().copied(),
    };
    // The others are for all databases.
    files.into_iter().partition(|(path, _)| of(path).is_none_or(|it| Some(place_of(it)) == wanted))
}

/// A position in the order of `Dialect::ALL`.
fn place_of(dialect: Dialect) -> u8 {
    match dialect {
        Dialect::Postgres => 0,
        Dialect::MySql => 1,
        Dialect::Sqlite => 2,
    }
}

/// The database that a directory is named after.
pub(super) fn database(folder: &str) -> Option<Dialect> {
    let folder = folder.to_ascii_lowercase();
    Some(match folder.as_str() {
        "postgres" | "postgresql" | "pg" | "pgsql" | "psql" | "cockroachdb" => Dialect::Postgres,
        "mysql" | "mariadb" => Dialect::MySql,
        "sqlite" | "sqlite3" => Dialect::Sqlite,
        _ => return None,
    })
}

/// Parses a path, ignoring the first `depth` directories.
pub(super) fn read(path: &str, depth: usize) -> Named {
    let parts: Vec<&str> = path.split('/').skip(depth).collect();
    let (name, folders) = match parts.split_last() {
        Some((name, folders)) => (*name, folders),
        None => (path, &[] as &[&str]),
    };
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let mut named = Named {
        family: Family::Plain,
        key: Key(natural(&parts.join("/"))),
        number: None,
        description: stem.trim_end_matches(".up").replace('_', " "),
        is_back: leads_back(stem, folders),
        letter: None,
        stem: stem.to_lowercase(),
    };
    let in_folder = folders.last().filter(|_| ["up", "down", "migration"].contains(&named.stem.as_str()));
    if let Some(folder) = in_folder {
        named.family = Family::Folders;
        let outer = folders.split_last().map_or_else(String::new, |(_, outer)| outer.join("/"));
        named.key = Key(natural(&format!("{outer}/{}", without_dashes(folder))));
        named.description = folder.trim_start_matches(|c: char| !c.is_alphabetic()).replace('_', " ");
    } else if let Some((letter, version, description)) = flyway(stem) {
        named.family = Family::Flyway;
        named.letter = Some(letter);
        named.description = description.replace('_', " ");
        named.number = version.parse().ok();
        let mut key = vec![Part::Number(if letter == 'R' { "1" } else { "" }.to_owned())];
        key.extend(version.split(['.', '_']).flat_map(natural));
        // `9` comes before `9.1`.
        key.extend([Part::Number(String::new()), Part::Text(String::new())]);
        key.extend(natural(description));
        named.key = Key(key);
    } else if let Some((number, rest)) = stem.split_once('_')
        && let Ok(version) = number.parse::<i64>()
    {
        named.description = rest.trim_end_matches(".up").replace('_', " ");
        named.number = Some(version);
        named.family = if folders.is_empty() { Family::Sqlx } else { Family::Numbered };
        if folders.is_empty() {
            let mut key = natural(number);
            // Two files with the same version are applied by name.
            key.push(Part::Text(name.to_owned()));
            named.key = Key(key);
        }
    } else if stem.len() == 14 && is_digits(stem) && folders.is_empty() {
        // Atlas lets a migration have no name.
        named.family = Family::Sqlx;
        named.number = stem.parse().ok();
        named.key = Key(vec![Part::Number(stem.to_owned()), Part::Text(name.to_owned())]);
    } else if is_numbered(stem) || folders.iter().any(|folder| is_numbered(folder)) {
        named.family = Family::Numbered;
        let digits: String =
            stem.chars().skip_while(|char| !char.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        named.number = digits.parse().ok().filter(|_| folders.is_empty());
    }
    named
}

/// Reads `V1.1__description`.
fn flyway(stem: &str) -> Option<(char, &str, &str)> {
    let (head, description) = stem.split_once("__")?;
    let letter = head.chars().next().filter(|letter| matches!(letter, 'V' | 'U' | 'B' | 'R'))?;
    let version = head.get(1..)?;
    let is_version = !version.is_empty() && version.split(['.', '_']).all(is_digits);
    (is_version || (letter == 'R' && version.is_empty())).then_some((letter, version, description))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether it starts with a number, possibly after a word.
fn is_numbered(stem: &str) -> bool {
    let behind = stem.trim_start_matches(|char: char| char.is_alphabetic());
    let behind = behind.strip_prefix(['-', '_', '.']).unwrap_or(behind);
    behind.starts_with(|char: char| char.is_ascii_digit())
}

const BACK: &[&str] = &["down", "undo", "rollback", "revert"];

/// Whether a separate part of the name or a directory marks a down migration: `x.down.sql`, `001.undo.x.sql`,
/// `down/x.sql`.
fn leads_back(stem: &str, folders: &[&str]) -> bool {
    let is_back = |word: &str| BACK.iter().any(|back| word.eq_ignore_ascii_case(back));
    stem.split('.').skip(1).any(is_back) || folders.iter().copied().any(is_back) || is_back(stem)
}

/// `x_down.sql` is a down migration if there is an `x_up.sql`; alone, the name may have another meaning.
pub(super) fn settle_pairs(named: &mut [(Named, File)]) {
    let other = |path: &str| {
        let stem = path.strip_suffix(".sql")?;
        BACK.iter().find_map(|back| {
            let before = stem.strip_suffix(back)?;
            let before = before.strip_suffix(['-', '_'])?;
            Some([format!("{before}-up.sql"), format!("{before}_up.sql"), format!("{before}.sql")])
        })
    };
    let paths: BTreeSet<String> = named.iter().map(|(_, file)| file.path.clone()).collect();
    for (name, file) in named {
        let has_other = other(&file.path).is_some_and(|others| others.iter().any(|it| paths.contains(it)));
        name.is_back |= has_other;
    }
}

/// The most frequent layout; in a tie, the more specific one.
pub(super) fn family(families: impl Iterator<Item = Family>) -> Family {
    let mut counts = [0usize; 4];
    for family in families {
        match family {
            Family::Folders => counts[0] += 1,
            Family::Flyway => counts[1] += 1,
            Family::Sqlx => counts[2] += 1,
            Family::Numbered => counts[3] += 1,
            Family::Plain => {}
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    let families = [Family::Folders, Family::Flyway, Family::Sqlx, Family::Numbered];
    let found = families.into_iter().zip(counts).find(|(_, count)| *count == most && most > 0);
    found.map_or(Family::Plain, |(family, _)| family)
}

/// Of Flyway's and refinery's files, those that run on an empty database. `U1__x` is the undo of `V1__x`; if
/// there is none, it is refinery's, and runs. The last baseline replaces all versions up to its own.
pub(super) fn forward(named: Vec<(Named, File)>) -> Vec<(Named, File)> {
    let version = |name: &Named| {
        let Key(parts) = &name.key;
        parts.iter().take_while(|part| matches!(part, Part::Number(_))).cloned().collect::<Vec<_>>()
    };
    let versioned: BTreeSet<Key> = named
        .iter()
        .filter(|(name, _)| name.letter == Some('V'))
        .map(|(name, _)| Key(version(name)))
        .collect();
    let baseline =
        named.iter().rev().find(|(name, _)| name.letter == Some('B')).map(|(name, _)| Key(version(name)));
    named
        .into_iter()
        .filter(|(name, _)| {
            let own = Key(version(name));
            match name.letter {
                Some('U') => !versioned.contains(&own),
                Some('B') => Some(&own) == baseline.as_ref(),
                Some('V') => baseline.as_ref().is_none_or(|baseline| own > *baseline),
                _ => true,
            }
        })
        .collect()
}

/// The tool that uses such names.
pub(super) fn tool<'n>(family: Family, mut names: impl Iterator<Item = &'n Named>) -> Option<&'static str> {
    match family {
        Family::Folders => Some(if names.any(|name| name.stem == "migration") { "Prisma" } else { "Diesel" }),
        Family::Flyway => {
            let letters: BTreeSet<char> = names.filter_map(|name| name.letter).collect();
            Some(match (letters.contains(&'U'), letters.contains(&'R') || letters.contains(&'B')) {
                (true, _) => "refinery",
                (_, true) => "Flyway",
                _ => "Flyway or refinery",
            })
        }
        Family::Sqlx => Some("sqlx"),
        Family::Numbered | Family::Plain => None,
    }
}
