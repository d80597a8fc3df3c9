//! The text of a [`Report`]: the exceeded limits, the statements as a table, and a remedy for repeated ones.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::{ParameterSets, Report, Statement};

/// The maximum number of statements listed; the rest is one line.
const LISTED: usize = 10;
/// The maximum length of a statement shown, in characters.
const SHOWN: usize = 200;

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.headline(f)?;
        write!(f, "\n  --> {}:{}:{}", self.location.file(), self.location.line(), self.location.column())?;
        if !self.counted {
            return write!(
                f,
                "\nhelp: enable the feature `count` of `query-budget` to count in a release build"
            );
        }
        self.table(f)?;
        self.help(f)
    }
}

impl Report {
    /// The usage and limit; one line for each limit that was exceeded.
    fn headline(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        if !self.counted {
            return write!(f, "`{name}` ran queries that are not counted in this build");
        }
        let (queries, rows, time) = (self.queries(), self.rows(), self.time());
        let until = if self.cancelled { " before it was cancelled" } else { "" };
        let mut lines = Vec::new();
        if let Some(limit) = self.limits.queries.filter(|limit| queries > *limit) {
            lines.push(format!(
                "`{name}` ran {}{until}; its budget is {limit}",
                plural(queries, "query", "queries")
            ));
        }
        if let Some(limit) = self.limits.rows.filter(|limit| rows > *limit) {
            lines.push(format!(
                "`{name}` fetched {}{until}; its budget is {limit}",
                plural(rows, "row", "rows")
            ));
        }
        if let Some(limit) = self.limits.time.filter(|limit| time > *limit) {
            let (time, limit) = (Milliseconds(time), Milliseconds(limit));
            lines.push(format!("`{name}` spent {time} in queries{until}; its budget is {limit}"));
        }
        if let Some(limit) = self.limits.repeats.filter(|limit| self.most_repeated() > *limit) {
            let times = self.most_repeated();
            lines
                .push(format!("`{name}` ran one query {times} times{until}; its budget is {limit} for each"));
        }
        if lines.is_empty() {
            let (queries, rows) = (plural(queries, "query", "queries"), plural(rows, "row", "rows"));
            lines.push(format!(
                "`{name}` ran {queries}{until}, fetched {rows}, spent {} in them",
                Milliseconds(time)
            ));
        }
        f.write_str(&lines.join("\n"))
    }

    fn table(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.statements.is_empty() {
            return Ok(());
        }
        write!(f, "\n\n{:>9}{:>9}{:>12}", "queries", "rows", "time")?;
        for statement in self.statements.iter().take(LISTED) {
            let time = Milliseconds(statement.time()).to_string();
            write!(
                f,
                "\n{:>9}{:>9}{time:>12}  {}",
                statement.count(),
                statement.rows(),
                statement.on_one_line()
            )?;
            write!(f, "\n{:>32}{}", "", statement.at_place())?;
        }
        let rest = self.statements.get(LISTED..).unwrap_or_default();
        if !rest.is_empty() {
            let count: usize = rest.iter().map(Statement::count).sum();
            let statements = plural(rest.len(), "statement", "statements");
            write!(f, "\n{count:>9}{:>21}  in {statements} more", "")?;
        }
        Ok(())
    }

    /// The remedies for repeated statements.
    fn help(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut repeated = self.repeated().peekable();
        if repeated.peek().is_some() {
            writeln!(f)?;
        }
        for statement in repeated.take(LISTED) {
            let (which, count, time) = (statement.name(), statement.count(), Milliseconds(statement.time()));
            let remedy = remedy(statement);
            write!(f, "\nhelp: run {which} once, not {count} times ({time}): {remedy}")?;
        }
        Ok(())
    }
}

impl Statement {
    /// Its place, for the line below its text.
    pub(crate) fn at_place(&self) -> String {
        self.place().map_or_else(|| "not written with `sql!`".to_owned(), |place| format!("at {place}"))
    }

    /// Its name in a sentence.
    pub(crate) fn name(&self) -> String {
        match self.place() {
            Some(place) => format!("the query at {place}"),
            None => format!("`{}`", self.on_one_line()),
        }
    }

    /// Its text on one line, truncated if it is long.
    pub(crate) fn on_one_line(&self) -> impl Display {
        OneLine(self.sql())
    }
}

/// The remedy for a repeated statement.
fn remedy(statement: &Statement) -> String {
    let batch = batch(statement);
    match statement.parameters() {
        ParameterSets::Same => {
            "its parameters stay the same, move it out of the loop or cache its result".to_owned()
        }
        ParameterSets::Different => format!("its parameters differ, batch it with {batch}"),
        ParameterSets::Several(sets) => {
            format!("it has only {sets} sets of parameters, run it once for each, or batch it with {batch}")
        }
        ParameterSets::Unknown => {
            format!("batch it with {batch}, or move it out of the loop where its parameters stay the same")
        }
    }
}

/// How one statement does the work of many, in terms of its database.
fn batch(statement: &Statement) -> &'static str {
    let verb = statement.sql().split_whitespace().next().unwrap_or_default();
    let inserts = verb.eq_ignore_ascii_case("insert") || verb.eq_ignore_ascii_case("replace");
    match (statement.database(), inserts) {
        ("PostgreSQL", true) => "`INSERT … SELECT … FROM UNNEST($1, …)`",
        (_, true) => "one row of `VALUES` for each element",
        ("PostgreSQL", false) => "`= ANY($1)`",
        ("SQLite", false) => "`IN (SELECT value FROM json_each($1))`",
        (_, false) => "`IN (?, …)`",
    }
}

struct OneLine<'a>(&'a str);

impl Display for OneLine<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let line = self.0.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(SHOWN) {
            Some((end, _)) => write!(f, "{}…", line.get(..end).unwrap_or(&line)),
            None => f.write_str(&line),
        }
    }
}

/// A duration in milliseconds, as data: in whole microseconds, since further digits are noise.
#[cfg(any(feature = "tracing", feature = "stats"))]
pub(crate) fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// A duration in milliseconds, with up to three significant digits.
struct Milliseconds(Duration);

impl Display for Milliseconds {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let milliseconds = self.0.as_secs_f64() * 1e3;
        let decimals = match milliseconds {
            below if below < 10.0 => 2,
            below if below < 100.0 => 1,
            _ => 0,
        };
        write!(f, "{milliseconds:.decimals$} ms")
    }
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
