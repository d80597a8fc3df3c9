//! Reasons why a project cannot be checked in full: a broken configuration, a stale snapshot, no snapshot at
//! all.
//!
//! A notice is not a finding: no lint raises it, no comment allows it, and it is reported once rather than
//! once per query.

use crate::finding::{Excerpt, Place};

/// A problem with the project's set-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The kind of problem.
    pub kind: NoticeKind,
    /// The message: lowercase, no full stop, present tense.
    pub message: String,
    /// The file, with a line if one is to blame.
    pub place: Place,
    /// The line of the file.
    pub excerpt: Option<Excerpt>,
    /// Imperatives that name the edit or the command that fixes it.
    pub help: Vec<String>,
    /// Facts that explain the message.
    pub notes: Vec<String>,
}

/// The problems that are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// `query-budget.toml` cannot be read or understood; the defaults apply.
    BrokenConfig,
    /// The snapshot cannot be read or understood; schema lints are off.
    BrokenSnapshot,
    /// The configuration names a snapshot that does not exist; schema lints are off.
    MissingSnapshot,
    /// The migrations have changed since the snapshot was written.
    StaleSnapshot,
    /// A statement of the snapshot or of a migration cannot be replayed; everything else is known.
    SkippedStatement,
    /// No snapshot exists and none is configured; schema lints are off.
    NoSnapshot,
}

/// How serious a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing once.
    Note,
    /// The check may be wrong.
    Warning,
    /// A request of the user that cannot be met.
    Error,
}

impl NoticeKind {
    /// The name that a build shows.
    pub fn as_str(self) -> &'static str {
        match self {
            NoticeKind::BrokenConfig => "broken_config",
            NoticeKind::BrokenSnapshot => "broken_snapshot",
            NoticeKind::MissingSnapshot => "missing_snapshot",
            NoticeKind::StaleSnapshot => "stale_snapshot",
            NoticeKind::SkippedStatement => "skipped_statement",
            NoticeKind::NoSnapshot => "no_snapshot",
        }
    }

    /// How serious it is.
    pub fn severity(self) -> Severity {
        match self {
            NoticeKind::BrokenConfig | NoticeKind::BrokenSnapshot | NoticeKind::MissingSnapshot => {
                Severity::Error
            }
            NoticeKind::StaleSnapshot | NoticeKind::SkippedStatement => Severity::Warning,
            NoticeKind::NoSnapshot => Severity::Note,
        }
    }
}

impl Severity {
    /// The word in front of the message: `error`, `warning` or `note`.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl Notice {
    /// A notice with its message.
    pub fn new(kind: NoticeKind, message: impl Into<String>, place: Place) -> Notice {
        Notice { kind, message: message.into(), place, excerpt: None, help: Vec::new(), notes: Vec::new() }
    }

    /// Adds an imperative that names the edit or the command.
    pub fn help(mut self, help: impl Into<String>) -> Notice {
        self.help.push(help.into());
        self
    }

    /// Adds a fact.
    pub fn note(mut self, note: impl Into<String>) -> Notice {
        self.notes.push(note.into());
        self
    }
}
