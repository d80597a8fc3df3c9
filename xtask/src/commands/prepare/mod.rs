//! `prepare`: writes the `.sqlx` folder that sqlx's own macros read, from the schema alone, or reports what
//! is wrong with the existing one.

mod answer;
mod change;
mod form;
mod measured;
mod mysql;
mod named;
mod postgres;
#[cfg(feature = "live")]
mod sqlite;
#[cfg(not(feature = "live"))]
#[path = "sqlite_off.rs"]
mod sqlite;
#[cfg(feature = "live")]
mod sqlite_08;
mod version;
mod wanted;

use std::collections::BTreeSet;
use std::path::Path;

use query_budget_analysis::project::{Project, read, shown, workspace_root};
use query_budget_analysis::sql::Dialect;
use query_budget_analysis::{NoticeKind, Severity};
use serde_json::Value;

use crate::Outcome;
use crate::args::Prepare;
use crate::failure::Failure;
use crate::input::{self, current_dir};
use crate::output::Output;
use crate::progress::Progress;
use crate::replace::replace;
use crate::report::counted;
use answer::{Answer, Databases};
use form::Description;
pub(crate) use version::Version;
use wanted::{Folder, Wanted};

/// The state of one query's entry.
enum State {
    /// It exists and is correct.
    Current,
    /// It exists and is wrong.
    Stale(Vec<String>),
    /// It does not exist.
    Missing,
    /// Its content is uncertain; the flag says whether it exists or could be written anyway.
    Unsure { why: String, has_entry: bool },
}

pub(crate) fn run(arguments: &Prepare, output: &mut Output) -> Result<Outcome, Failure> {
    let base = current_dir()?;
    let mut input = arguments.input();
    if arguments.workspace {
        input.paths = vec![workspace_root(&input::scope(&input)?)];
    }
    if input.queries.is_some() && arguments.output.is_none() {
        return Err(Failure::new("tell where the entries of these queries go")
            .help("name a folder: `--output .sqlx`"));
    }
    let mut loaded = input::load(&input, &base)?;
    input::require_schema(&loaded)?;
    for why in &loaded.unread {
        output.line(format!("not read: {why}"))?;
    }
    if !notices(&loaded, output)? {
        return Ok(Outcome::Broken);
    }
    let folders = wanted::folders(&mut loaded, arguments, &input::scope(&input)?, &base)?;
    let mut tally = Tally::default();
    for folder in &folders {
        prepare(folder, arguments, &base, &mut tally, output)?;
    }
    tally.write(arguments.check, output)
}

/// Reports what makes a schema unknown; returns whether it is still usable.
fn notices(loaded: &input::Loaded, output: &mut Output) -> Result<bool, Failure> {
    let mut usable = true;
    let mut said = BTreeSet::new();
    for notice in loaded.batches.iter().flat_map(|batch| &batch.project.notices) {
        let is_error = notice.kind.severity() == Severity::Error;
        let matters = is_error || matches!(notice.kind, NoticeKind::SkippedStatement);
        if matters && said.insert(format!("{notice:?}")) {
            output.line(query_budget_analysis::render::text_notice(notice, output.style()))?;
        }
        usable &= !is_error;
    }
    Ok(usable)
}

/// The number of entries in each state.
#[derive(Default)]
struct Tally {
    current: usize,
    stale: usize,
    missing: usize,
    dead: usize,
    elsewhere: usize,
    removed: usize,
    unsure: usize,
    absent: usize,
}

impl Tally {
    fn write(&self, check: bool, output: &mut Output) -> Result<Outcome, Failure> {
        let Tally { current, stale, missing, dead, elsewhere, removed, unsure, absent } = *self;
        let kept = if elsewhere > 0 { format!(", {elsewhere} of macros") } else { String::new() };
        let entries = |count| counted(count, "entry", "entries");
        if check {
            output.line(format!(
                "{} up to date, {stale} stale, {missing} missing, {dead} dead, {unsure} uncertain{kept}",
                entries(current)
            ))?;
            let clean = stale + missing + dead + absent == 0;
            if stale + missing > 0 {
                output.line("write them with `cargo query-budget prepare`")?;
            }
            if dead > 0 {
                output.line("remove dead entries with `cargo query-budget prepare --prune`")?;
            }
            if absent > 0 {
                output
                    .line("ask a database for the uncertain ones without an entry: `cargo sqlx prepare`")?;
            }
            return Ok(if clean { Outcome::Clean } else { Outcome::Findings });
        }
        output.line(format!(
            "wrote {}: {missing} new, {stale} changed; {current} up to date, {removed} removed, {dead} without a \
             call, {unsure} uncertain{kept}",
            entries(stale + missing)
        ))?;
        Ok(Outcome::Clean)
    }
}

fn prepare(
    folder: &Folder,
    arguments: &Prepare,
    base: &Path,
    tally: &mut Tally,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut databases = Databases::of(folder, base);
    let mut progress = Progress::new("describing", folder.wanted.len());
    let name = shown(&folder.dir, base);
    for wanted in &folder.wanted {
        let state = entry(wanted, folder, arguments.check, &mut databases)?;
        progress.step();
        let file = form::file_name(&wanted.sql);
        let mut say = |state: &str, what: &str| {
            let (place, what) =
                (&wanted.place, if what.is_empty() { String::new() } else { format!(": {what}") });
            output.line(format!("{place}: {state}{what} (`{name}/{file}`)"))
        };
        match state {
            State::Current => tally.current += 1,
            State::Stale(changes) => {
                tally.stale += 1;
                say(if arguments.check { "stale" } else { "changed" }, &changes.join("; "))?;
            }
            State::Missing => {
                tally.missing += 1;
                if arguments.check {
                    say("missing", "")?;
                }
            }
            State::Unsure { why, has_entry } => {
                tally.unsure += 1;
                tally.absent += usize::from(!has_entry);
                say(if has_entry { "uncertain, the entry stays" } else { "uncertain, no entry" }, &why)?;
            }
        }
    }
    drop(progress);
    for (file, count) in &folder.unnamed {
        let queries = counted(*count, "query", "queries");
        output.line(format!("{file}: {queries} without an entry, since no `mod` names the file"))?;
    }
    dead(folder, arguments, base, tally, output)
}

/// Reports entries that no query of the source has, and removes them on request.
fn dead(
    folder: &Folder,
    arguments: &Prepare,
    base: &Path,
    tally: &mut Tally,
    output: &mut Output,
) -> Result<(), Failure> {
    let name = shown(&folder.dir, base);
    if let Some(maker) = &folder.maker {
        if !folder.dead.is_empty() {
            tally.elsewhere += folder.dead.len();
            let count = counted(folder.dead.len(), "entry", "entries");
            output.line(format!(
                "{count} of `{name}` without a call in the source: kept, since {} makes queries",
                maker.shown(base)
            ))?;
        }
        return Ok(());
    }
    for file in &folder.dead {
        if arguments.prune && !arguments.check {
            let path = folder.dir.join(file);
            std::fs::remove_file(&path)
                .map_err(|error| Failure::new(format!("remove `{}`", path.display())).because(error))?;
            tally.removed += 1;
            continue;
        }
        tally.dead += 1;
        output.line(format!("dead: no call makes the query of `{name}/{file}`"))?;
    }
    if tally.dead > 0 && !arguments.check {
        output.line(
            "entries without a call in the source may be those of other macros; `--prune` removes them",
        )?;
    }
    Ok(())
}

/// Determines the state of a query's entry, and writes it on request.
fn entry(
    wanted: &Wanted,
    folder: &Folder,
    check: bool,
    databases: &mut Databases<'_>,
) -> Result<State, Failure> {
    let path = folder.dir.join(form::file_name(&wanted.sql));
    let there = read(&path).ok();
    let project = &wanted.project;
    let version = folder.version;
    let committed: Option<Value> = there.as_deref().and_then(|text| serde_json::from_str(text).ok());
    for other in &wanted.elsewhere {
        if written(other, version, databases)? != written(wanted, version, databases)? {
            let why =
                format!("{} has the same text for a different schema, with different types", other.place);
            return Ok(State::Unsure { why, has_entry: there.is_some() });
        }
    }
    // It was written for a different database from the one whose schema is known.
    let of = committed.as_ref().and_then(|entry| entry["db_name"].as_str());
    if let Some(of) = of.filter(|of| *of != form::database(project.dialect)) {
        let why = format!("its entry is of {of}, and the schema of {}", form::database(project.dialect));
        return Ok(State::Unsure { why, has_entry: true });
    }
    let (mut description, doubts) = match databases.answer(wanted)? {
        Answer::Known(description, doubts) => (description, doubts),
        Answer::Unknown(why) => return Ok(State::Unsure { why, has_entry: there.is_some() }),
    };
    if let Some(committed) = &committed {
        change::keep_doubtful(&mut description, &doubts, committed);
        if project.dialect == Dialect::Sqlite && !version.has_origins() {
            change::keep_looser(&mut description, committed);
        }
    }
    let text = form::text(project.dialect, version, &wanted.sql, &description)
        .map_err(|error| Failure::new("write an entry").because(error))?;
    let made: Value =
        serde_json::from_str(&text).map_err(|error| Failure::new("read an entry").because(error))?;
    let unsure = || {
        let what = if project.dialect == Dialect::MySql { "the version of the server" } else { "the plan" };
        let why =
            format!("whether `{}` can be NULL depends on {what}", doubtful_names(&description, &doubts));
        State::Unsure { why, has_entry: there.is_some() }
    };
    // What depends on the plan is left to the server; there is no entry to keep.
    if project.dialect == Dialect::Postgres && committed.is_none() && !doubts.is_empty() {
        return Ok(unsure());
    }
    let state = match &committed {
        Some(committed) if *committed == made => State::Current,
        Some(committed) if change::is_of_older_form(committed, &made) => return Ok(State::Current),
        Some(committed)
            if project.dialect == Dialect::MySql && change::is_of_another_server(committed, &made) =>
        {
            return Ok(State::Current);
        }
        Some(committed) => State::Stale(change::between(committed, &made)),
        None if !doubts.is_empty() => unsure(),
        None => State::Missing,
    };
    if !check && there.as_deref() != Some(&text) {
        let failed = |error| Failure::new(format!("write `{}`", path.display())).because(error);
        std::fs::create_dir_all(&folder.dir).map_err(failed)?;
        replace(&path, &text).map_err(failed)?;
    } else if check && there.is_none() {
        return Ok(State::Missing);
    }
    Ok(state)
}

fn doubtful_names(description: &Description, doubts: &[usize]) -> String {
    let names = doubts.iter().filter_map(|&at| description.columns.get(at));
    names.map(|column| column.name.as_str()).collect::<Vec<_>>().join("`, `")
}

/// The entry that a query alone would have; `None` if it is not known.
fn written(
    wanted: &Wanted,
    version: Version,
    databases: &mut Databases<'_>,
) -> Result<Option<String>, Failure> {
    let Answer::Known(description, _) = databases.answer(wanted)? else { return Ok(None) };
    let text = form::text(wanted.project.dialect, version, &wanted.sql, &description);
    text.map(Some).map_err(|error| Failure::new("write an entry").because(error))
}

/// The project's own version of sqlx, else a form that every version reads. Queries of a file belong to the project
/// of their schema, wherever the command runs.
fn version_of(project: &Project, dir: &Path, source: Option<&Path>, arguments: &Prepare) -> Version {
    let around = || match (&arguments.input.queries, source) {
        (Some(_), Some(source)) => {
            let source = source.canonicalize().unwrap_or_else(|_| source.to_path_buf());
            Version::locked(&source).or_else(|| Version::required(&source))
        }
        _ => {
            let places = [dir, project.root.as_path()];
            let locked = places.into_iter().find_map(Version::locked);
            locked.or_else(|| places.into_iter().find_map(Version::required))
        }
    };
    arguments.sqlx.or_else(around).unwrap_or(Version::ANY)
}
