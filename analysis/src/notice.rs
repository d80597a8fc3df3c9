//! What keeps a project from being checked in full: a broken configuration, a stale snapshot, no snapshot at all.
//!
//! A notice is not a finding: no lint made it, nothing allows it, and it is said once, not once per query.

use crate::finding::{Excerpt, Place};

/// A state of the project that its user has to know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Which state.
    pub kind: NoticeKind,
    /// What is the matter: lowercase, no full stop, present tense.
    pub message: String,
    /// The file, and the line where one is to blame.
    pub place: Place,
    /// The line of the file.
    pub excerpt: Option<Excerpt>,
    /// Imperatives that name the edit or the command that mends it.
    pub help: Vec<String>,
    /// Facts that explain the message.
    pub notes: Vec<String>,
}

/// The states that are spoken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoticeKind {
    /// `query-budget.toml` cannot be read or understood; the defaults hold.
    BrokenConfig,
    /// The snapshot exists and cannot be read or understood; schema lints are off.
    BrokenSnapshot,
    /// The configuration names a snapshot that does not exist; schema lints are off.
    MissingSnapshot,
    /// The snapshot was written from other migrations than those that are there now.
    StaleSnapshot,
    /// A statement of the snapshot or of a migration cannot be replayed; the rest is known.
    SkippedStatement,
    /// There is no snapshot, and none is configured; schema lints are off.
    NoSnapshot,
}

/// How serious a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing once.
    Note,
    /// What is checked may be wrong.
    Warning,
    /// What the user asked for cannot be done.
    Error,
}

impl NoticeKind {
    /// The name under which a build shows it.
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
