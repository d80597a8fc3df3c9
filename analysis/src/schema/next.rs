//! The next migration of a directory: its files' names, and what their tool wants in them.

use std::time::SystemTime;

use super::numbering::Numbering;

/// The first line of SQL that has to run outside of a transaction.
const NO_TRANSACTION: &str = "-- no-transaction\n";

/// How the migrations of a directory are named and written.
#[derive(Debug, Clone)]
pub struct Convention {
    tool: &'static str,
    names: Names,
}

/// A file to write: its path below the directory, with `/` as separator, and its text.
pub type Written = (String, String);

/// The parts of a migration's name: `V1.4__users.sql` has the number 4 between `V1.` and `__`.
#[derive(Debug, Clone)]
struct Names {
    /// The folder with its `/`, or nothing.
    folder: String,
    before: String,
    numbering: Numbering,
    /// `None` if the names are nothing but numbers.
    between: Option<String>,
    ends: Ends,
}

/// How the names of the files end.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ends {
    /// A file, and one for the way back.
    Files { up: String, down: Option<Down> },
    /// A folder for each migration, with this file.
    Folder { up: &'static str },
}

/// Where the way back is written.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Down {
    /// The same name with another end.
    End(String),
    /// The same name in the folder beside.
    Folder(String),
    /// The same name with `.undo.` in place of `.do.`.
    Undo,
}

impl Convention {
    /// The convention of the migrations with these paths below the directory, in the order of application, which `tool`
    /// applies; `is_there` says whether the directory has a file. An empty directory gets pairs for sqlx. `None` if the names
    /// have no number to continue.
    pub fn of(
        tool: Option<&'static str>,
        files: &[&str],
        is_there: &dyn Fn(&str) -> bool,
        now: SystemTime,
    ) -> Option<Convention> {
        // Atlas writes digests of its files beside them.
        let has_sums = is_there("atlas.sum");
        let tool = if has_sums { "Atlas" } else { tool.unwrap_or("") };
        if files.is_empty() {
            let down = Some(Down::End(".down.sql".to_owned()));
            let names = Names {
                folder: String::new(),
                before: String::new(),
                numbering: Numbering::of_times(now),
                between: Some("_".to_owned()),
                ends: Ends::Files { up: ".up.sql".to_owned(), down },
            };
            return Some(Convention { tool: if has_sums { "Atlas" } else { "sqlx" }, names });
        }
        let mut names = files.iter().rev().find_map(|file| Names::read(file, is_there, now))?;
        if tool == "Prisma" {
            names.numbering = Numbering::of_times(now);
        }
        Some(Convention { tool, names })
    }

    /// The files of the next migration; `None` after the highest number.
    pub fn next(&mut self, description: &str, up: &str, down: &str) -> Option<Vec<Written>> {
        let number = self.names.numbering.next()?;
        let Names { folder, before, between, ends, .. } = &self.names;
        let title = match between {
            Some(between) => format!("{before}{number}{between}{description}"),
            None => format!("{before}{number}"),
        };
        let is_alone = up.starts_with(NO_TRANSACTION);
        let (up, down) = (self.way(up), self.way(down));
        if let Some(text) = self.in_one(description, is_alone, &up, &down) {
            let end = match ends {
                Ends::Files { up, .. } => up.clone(),
                Ends::Folder { up } => format!("/{up}"),
            };
            return Some(vec![(format!("{folder}{title}{end}"), text)]);
        }
        let head = if is_alone { self.no_transaction() } else { "" };
        let mut files = Vec::new();
        match ends {
            Ends::Folder { up: file } => {
                files.push((format!("{folder}{title}/{file}"), format!("{head}{up}")));
                if *file == "up.sql" {
                    files.push((format!("{folder}{title}/down.sql"), format!("{head}{down}")));
                }
                if self.tool == "Diesel" && is_alone {
                    let metadata = "run_in_transaction = false\n".to_owned();
                    files.push((format!("{folder}{title}/metadata.toml"), metadata));
                }
            }
            Ends::Files { up: end, down: back } => {
                files.push((format!("{folder}{title}{end}"), format!("{head}{up}")));
                let path = back.as_ref().map(|back| match back {
                    Down::End(end) => format!("{folder}{title}{end}"),
                    Down::Folder(folder) => format!("{folder}{title}{end}"),
                    Down::Undo => format!("{folder}{}{end}", title.replacen(".do.", ".undo.", 1)),
                });
                files.extend(path.map(|path| (path, format!("{head}{down}"))));
            }
        }
        Some(files)
    }

    /// How to apply what was written.
    pub fn command(&self) -> &'static str {
        match self.tool {
            "sqlx" => "apply them with `sqlx migrate run`",
            "Diesel" => "apply them with `diesel migration run`",
            "Prisma" => "apply them with `prisma migrate deploy`",
            "Flyway" => "apply them with `flyway migrate`",
            "refinery" => "apply them with `refinery migrate`",
            "Flyway or refinery" => "apply them with `flyway migrate` or `refinery migrate`",
            "Atlas" => "apply them with `atlas migrate hash` and `atlas migrate apply`",
            "dbmate" => "apply them with `dbmate up`",
            "goose" => "apply them with `goose up`",
            "sql-migrate" => "apply them with `sql-migrate up`",
            "micrate" => "apply them with `micrate up`",
            "rambler" => "apply them with `rambler apply --all`",
            "node-pg-migrate" => "apply them with `node-pg-migrate up`",
            "tern" => "apply them with `tern migrate`",
            "MyBatis" => "apply them with `migrate up`",
            _ => "apply them as the migrations before",
        }
    }

    /// The first lines that keep the tool from opening a transaction.
    fn no_transaction(&self) -> &'static str {
        match self.tool {
            "Atlas" => "-- atlas:txmode none\n\n",
            "refinery" | "Flyway or refinery" => "-- refinery:noTransaction\n",
            // Flyway sees by itself that a statement must run alone; Diesel reads it in `metadata.toml`; Prisma opens none.
            "Flyway" | "Diesel" | "Prisma" => "",
            _ => NO_TRANSACTION,
        }
    }

    /// SQL as the tool can run it: without the line about transactions, and in one if the tool always opens one.
    fn way(&self, sql: &str) -> String {
        let Some(sql) = sql.strip_prefix(NO_TRANSACTION) else { return sql.to_owned() };
        let opens_one = ["node-pg-migrate", "micrate", "rambler", "Play", "shmig", "MyBatis", "marks"]
            .contains(&self.tool);
        if !opens_one {
            return sql.to_owned();
        }
        let lines = sql.lines().map(|line| {
            for verb in ["CREATE INDEX", "DROP INDEX"] {
                if let Some(rest) =
                    line.strip_prefix(verb).and_then(|rest| rest.strip_prefix(" CONCURRENTLY"))
                {
                    return format!("{verb}{rest}\n");
                }
            }
            format!("{line}\n")
        });
        lines.collect()
    }

    /// Both ways in one file, for a tool that divides its files by marks.
    fn in_one(&self, description: &str, is_alone: bool, up: &str, down: &str) -> Option<String> {
        let only = |text: &'static str| if is_alone { text } else { "" };
        Some(match self.tool {
            "dbmate" => {
                let option = only(" transaction:false");
                format!("-- migrate:up{option}\n{up}\n-- migrate:down{option}\n{down}")
            }
            "goose" => {
                let first = only("-- +goose NO TRANSACTION\n");
                format!("{first}-- +goose Up\n{up}\n-- +goose Down\n{down}")
            }
            "sql-migrate" => {
                let option = only(" notransaction");
                format!("-- +migrate Up{option}\n{up}\n-- +migrate Down{option}\n{down}")
            }
            "tern" => {
                let first = only("---- tern: disable-tx ----\n");
                format!("{first}{up}\n---- create above / drop below ----\n\n{down}")
            }
            "MyBatis" => format!("-- // {}\n{up}\n-- //@UNDO\n{down}", description.replace('_', " ")),
            "micrate" => format!("-- +micrate Up\n{up}\n-- +micrate Down\n{down}"),
            "rambler" => format!("-- rambler up\n{up}\n-- rambler down\n{down}"),
            "Play" => format!("-- !Ups\n{up}\n-- !Downs\n{down}"),
            "node-pg-migrate" => format!("-- Up Migration\n{up}\n-- Down Migration\n{down}"),
            "shmig" => format!("-- ==== UP ====\n{up}\n-- ==== DOWN ====\n{down}"),
            "marks" => format!("-- Up\n{up}\n-- Down\n{down}"),
            _ => return None,
        })
    }
}

impl Names {
    /// The parts of a file's path; `None` if it has no number.
    fn read(path: &str, is_there: &dyn Fn(&str) -> bool, now: SystemTime) -> Option<Names> {
        let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
        let inner = ["up.sql", "migration.sql"].into_iter().find(|file| *file == name);
        if let (Some(up), false) = (inner, folder.is_empty()) {
            let (outer, title) =
                folder.rsplit_once('/').map_or(("", folder), |(outer, title)| (outer, title));
            let (before, number, rest) = divided(title, true)?;
            let between = Some(between(rest).unwrap_or("_").to_owned());
            let numbering = Numbering::after(number, now)?;
            let folder = with_slash(outer);
            let before = before.to_owned();
            return Some(Names { folder, before, numbering, between, ends: Ends::Folder { up } });
        }
        let stem = name.strip_suffix(".sql")?;
        let (title, end) = ending(folder, stem, is_there);
        let (before, number, rest) = flyway(title).or_else(|| divided(title, false))?;
        let numbering = Numbering::after(number, now)?;
        let is_do = rest.starts_with(".do.");
        let between = if is_do { Some(".do.") } else { between(rest) };
        // Atlas lets a migration with a time have no name.
        let between = between.or((rest.is_empty() && number.len() == 14).then_some("_"));
        let down = match DOWN.iter().find(|(up, _)| !end.is_empty() && *up == end) {
            Some((_, down)) => Some(Down::End(format!("{down}.sql"))),
            None if is_do => Some(Down::Undo),
            None => {
                let outer =
                    folder.strip_suffix("up").filter(|outer| outer.is_empty() || outer.ends_with('/'));
                let beside = outer.map(|outer| format!("{outer}down/"));
                beside.filter(|beside| is_there(&format!("{beside}{name}"))).map(Down::Folder)
            }
        };
        Some(Names {
            folder: with_slash(folder),
            // A baseline is followed by versions.
            before: if before == "B" { "V".to_owned() } else { before.to_owned() },
            numbering,
            between: between.map(str::to_owned),
            ends: Ends::Files { up: format!("{end}.sql"), down },
        })
    }
}

/// The ends of names that have a file for the way back, and the end of that one.
const DOWN: [(&str, &str); 3] = [(".up", ".down"), ("_up", "_down"), ("-up", "-down")];

/// A name without its `.up`, and that end. Words may end like it too, so the down migration has to be there
/// if there is no period.
fn ending<'t>(folder: &str, stem: &'t str, is_there: &dyn Fn(&str) -> bool) -> (&'t str, &'static str) {
    let found = DOWN.into_iter().find_map(|(up, down)| {
        let title = stem.strip_suffix(up)?;
        let is_pair = up.starts_with('.') || is_there(&format!("{}{title}{down}.sql", with_slash(folder)));
        is_pair.then_some((title, up))
    });
    found.unwrap_or((stem, ""))
}

fn with_slash(folder: &str) -> String {
    if folder.is_empty() { String::new() } else { format!("{folder}/") }
}

/// `V1.4__users` as `V1.`, `4` and `__users`.
fn flyway(title: &str) -> Option<(&str, &str, &str)> {
    let (head, _) = title.split_once("__")?;
    let version = head.strip_prefix(['V', 'U', 'B'])?;
    let is_version = version
        .split(['.', '_'])
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let start = head.rfind(|char: char| !char.is_ascii_digit())? + 1;
    is_version.then(|| (title.get(..start), head.get(start..), title.get(head.len()..))).and_then(all)
}

/// `m0003-users` as `m`, `0003` and `-users`. In the name of a folder, a date may have dashes.
fn divided(title: &str, may_dash: bool) -> Option<(&str, &str, &str)> {
    let behind = title.trim_start_matches(char::is_alphabetic);
    let behind = behind.strip_prefix(['-', '_', '.']).unwrap_or(behind);
    let end = behind.find(|char: char| !(char.is_ascii_digit() || may_dash && char == '-'));
    let number = behind.get(..end.unwrap_or(behind.len()))?.trim_end_matches('-');
    let start = title.len() - behind.len();
    let parts = (title.get(..start), Some(number), behind.get(number.len()..));
    all(parts).filter(|_| !number.is_empty())
}

fn all<'t>(
    parts: (Option<&'t str>, Option<&'t str>, Option<&'t str>),
) -> Option<(&'t str, &'t str, &'t str)> {
    Some((parts.0?, parts.1?, parts.2?))
}

/// What separates the number from the words after it; `None` if there are none.
fn between(rest: &str) -> Option<&str> {
    let end = rest.find(char::is_alphanumeric)?;
    rest.get(..end).filter(|between| !between.is_empty())
}

#[cfg(test)]
#[path = "next_tests.rs"]
mod tests;
