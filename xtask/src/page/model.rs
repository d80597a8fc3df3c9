//! A workspace as shown in the report: plain data, whose parts refer to each other by list position.

use std::collections::BTreeMap;

use serde::Serialize;

/// All data of a report.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Workspace {
    /// The version of this tool; first, so that the file is recognised as one of ours.
    #[serde(rename = "query_budget")]
    pub(crate) version: &'static str,
    /// The folder that was checked, as displayed.
    pub(crate) name: String,
    /// What was checked and what was not, as a sentence.
    pub(crate) coverage: String,
    /// The coverage as numbers.
    pub(crate) figures: Figures,
    pub(crate) databases: Vec<Database>,
    pub(crate) queries: Vec<Query>,
    /// The functions that reach a query or have a budget.
    pub(crate) functions: Vec<Function>,
    /// The roots of the call tree: no other function that reaches a query calls them.
    pub(crate) entry_points: Vec<usize>,
    pub(crate) findings: Vec<Finding>,
    /// The number of findings per lint that are a matter of taste or in code that runs once.
    pub(crate) more: BTreeMap<String, usize>,
    pub(crate) advice: Vec<Advice>,
    /// Reasons why projects cannot be checked in full.
    pub(crate) notices: Vec<String>,
    pub(crate) unparsed: Vec<Unparsed>,
    /// The files that could not be read or parsed, each with the reason.
    pub(crate) unread: Vec<String>,
}

/// What was examined, as numbers.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Figures {
    pub(crate) files: usize,
    pub(crate) queries: usize,
    pub(crate) not_parsed: usize,
    pub(crate) built_at_run_time: usize,
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
}

/// A database with its tables.
#[derive(Debug, Serialize)]
pub(crate) struct Database {
    /// The source of its schema.
    pub(crate) name: String,
    pub(crate) dialect: String,
    pub(crate) tables: Vec<Table>,
}

/// A table, with the queries that read and write it.
#[derive(Debug, Serialize)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// The number of rows, if the snapshot or the configuration has it.
    pub(crate) rows: Option<u64>,
    pub(crate) columns: usize,
    pub(crate) indexes: Vec<Index>,
    pub(crate) reads: Vec<Read>,
    pub(crate) writes: Vec<Write>,
}

/// An index of a table.
#[derive(Debug, Serialize)]
pub(crate) struct Index {
    /// Its name and keys: `events_user_id_idx (user_id, id DESC)`.
    pub(crate) name: String,
    pub(crate) on: String,
    pub(crate) unique: bool,
    /// How many accesses search it.
    pub(crate) uses: usize,
}

/// A query that reads a table.
#[derive(Debug, Serialize)]
pub(crate) struct Read {
    pub(crate) query: usize,
    pub(crate) verdict: &'static str,
    pub(crate) index: Option<String>,
}

/// A query that writes a table.
#[derive(Debug, Serialize)]
pub(crate) struct Write {
    pub(crate) query: usize,
    /// `insert`, `update`, `delete` or `merge`.
    pub(crate) action: &'static str,
}

/// How much a query reads as tables grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cost {
    /// It reads no table.
    NoTable,
    /// At most one row, by an index.
    OneRow,
    /// A number of rows bounded by its text or its arguments, or a small table.
    Bounded,
    /// As many rows as match, by an index.
    Growing,
    /// A whole table, because the query asks for it.
    WholeTable,
    /// A whole table, filtered row by row.
    Scan,
    /// Undetermined.
    Unknown,
}

impl Cost {
    /// All classes, cheapest first.
    pub(crate) const ALL: [Cost; 7] = [
        Cost::NoTable,
        Cost::OneRow,
        Cost::Bounded,
        Cost::Growing,
        Cost::WholeTable,
        Cost::Scan,
        Cost::Unknown,
    ];

    /// Its label.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Cost::NoTable => "no table",
            Cost::OneRow => "one row",
            Cost::Bounded => "bounded",
            Cost::Growing => "growing",
            Cost::WholeTable => "whole table",
            Cost::Scan => "scan",
            Cost::Unknown => "unknown",
        }
    }

    /// The meaning of the label.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Cost::NoTable => "reads no table",
            Cost::OneRow => "reads at most one row, by an index",
            Cost::Bounded => "reads a bounded number of rows, or small tables",
            Cost::Growing => "reads every row that matches, by an index",
            Cost::WholeTable => "reads a whole table, because it asks for all of it",
            Cost::Scan => "filters a whole table row by row",
            Cost::Unknown => "not parsed, or of a table that is not known",
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Query {
    pub(crate) sql: String,
    pub(crate) place: String,
    /// The function that contains it.
    pub(crate) function: Option<usize>,
    pub(crate) cost: Cost,
    /// `one`, `bounded` or `many`, and why; empty if the query could not be parsed.
    pub(crate) rows: &'static str,
    pub(crate) rows_reason: String,
    pub(crate) accesses: Vec<Access>,
    pub(crate) findings: Vec<usize>,
}

/// How a query reads one table.
#[derive(Debug, Serialize)]
pub(crate) struct Access {
    pub(crate) table: String,
    pub(crate) alias: String,
    pub(crate) verdict: &'static str,
    pub(crate) index: Option<String>,
    pub(crate) why: String,
}

/// A function with the number of queries it runs.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Function {
    /// Its path, prefixed by the modules of its crate.
    pub(crate) path: String,
    pub(crate) place: String,
    /// An identifier that is stable across revisions.
    #[serde(skip)]
    pub(crate) key: String,
    /// Its path inside its file.
    #[serde(skip)]
    pub(crate) local: String,
    pub(crate) lower: u64,
    /// `None` if unbounded; `why` then gives the reason.
    pub(crate) upper: Option<u64>,
    pub(crate) why: String,
    /// `0..∞`, `1..3 + unknown`.
    pub(crate) interval: String,
    /// Its budget as text; empty without one.
    pub(crate) budget: String,
    pub(crate) exceeded: bool,
    /// The unresolved calls that may query.
    pub(crate) unknown: String,
    pub(crate) queries: Vec<usize>,
    pub(crate) calls: Vec<Call>,
}

/// A call of a function that reaches a query.
#[derive(Debug, Serialize)]
pub(crate) struct Call {
    pub(crate) function: usize,
    /// What it is repeated over; `None` outside a loop over data.
    pub(crate) over: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) lint: &'static str,
    pub(crate) level: &'static str,
    pub(crate) message: String,
    pub(crate) place: String,
    pub(crate) function: String,
    /// Other places with the same finding.
    pub(crate) places: Vec<String>,
    pub(crate) help: Vec<String>,
    pub(crate) notes: Vec<String>,
    pub(crate) query: Option<usize>,
    /// An identifier that is stable across revisions.
    #[serde(skip)]
    pub(crate) key: String,
}

/// A suggested index.
#[derive(Debug, Serialize)]
pub(crate) struct Advice {
    pub(crate) ddl: String,
    /// The statements that drop what it replaces.
    pub(crate) drops: Vec<String>,
    pub(crate) serves: Vec<usize>,
    /// Whether it is for a foreign key.
    pub(crate) for_key: bool,
    /// How many queries write data that it indexes.
    pub(crate) writes: usize,
    pub(crate) extension: Option<&'static str>,
}

/// A query that could not be parsed.
#[derive(Debug, Serialize)]
pub(crate) struct Unparsed {
    pub(crate) place: String,
    pub(crate) reason: String,
    pub(crate) sql: String,
}

impl Table {
    /// Whether a query reads or writes it.
    pub(crate) fn is_used(&self) -> bool {
        !self.reads.is_empty() || !self.writes.is_empty()
    }
}
