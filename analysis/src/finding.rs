//! A finding is data until it is rendered: what is wrong, where, and what to type.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// The severity of a lint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The lint is off.
    Allow,
    /// The finding is shown; the build and the command succeed.
    Warn,
    /// The finding fails the build, and the command exits with 1.
    Deny,
}

impl Level {
    /// The word used in configuration and messages: `allow`, `warn` or `deny`.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Allow => "allow",
            Level::Warn => "warn",
            Level::Deny => "deny",
        }
    }
}

/// A position in a file that the user wrote.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// Path of the file, relative to the workspace root if that is known, with `/` as separator.
    pub file: Arc<str>,
    /// Line, counted from 1; 0 when unknown.
    pub line: u32,
    /// Column in characters, counted from 1; 0 when unknown.
    pub column: u32,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A place is printed on one line, and the name of a file may contain line breaks.
        let file = match self.file.contains(['\n', '\r']) {
            true => std::borrow::Cow::Owned(self.file.replace(['\n', '\r'], " ")),
            false => std::borrow::Cow::Borrowed(&*self.file),
        };
        match (self.line, self.column) {
            (0, _) => f.write_str(&file),
            (line, 0) => write!(f, "{file}:{line}"),
            (line, column) => write!(f, "{file}:{line}:{column}"),
        }
    }
}

/// A piece of source text that a finding points into: the SQL of a query, a line of Rust, or a line of configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The whole text, for instance the SQL of the query.
    pub text: Arc<str>,
    /// The part to point at, as a range of bytes of `text`; empty for the text as a whole.
    pub span: Range<usize>,
    /// The text under the caret; may be empty.
    pub label: String,
    /// The position of the span in its file, if it differs from the position of the finding: a finding about
    /// a whole query is reported at the call that runs it.
    pub place: Option<Place>,
}

/// Another place involved in a finding: the loop around a query, each query of a path over budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// Where it is.
    pub place: Place,
    /// What it is, as a lowercase fragment: ``the loop over `events` ``.
    pub message: String,
}

/// A replacement for a part of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What it changes.
    pub target: Target,
    /// What is replaced, as a range of bytes of the finding's `sql`; empty where the target is the file.
    pub span: Range<usize>,
    /// Start in the file; its line is 0 if the text does not appear verbatim in a file.
    pub start: Place,
    /// End in the file, exclusive.
    pub end: Place,
    /// What to put there.
    pub replacement: String,
    /// Whether a tool may apply it unattended.
    pub applicability: Applicability,
    /// The edit as bytes of its file, set by [`crate::check::EditedFile`]; `None` before that.
    pub in_file: Option<InFile>,
}

/// What an edit changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// The query's text, which may contain escapes in its file.
    Sql,
    /// The file itself, from `start` to `end`.
    File,
}

/// An edit as bytes of the file that it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InFile {
    /// What is replaced, as a range of bytes of the file.
    pub bytes: Range<usize>,
    /// The replacement, escaped for the literal around it.
    pub replacement: String,
}

/// How far an edit can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Applicability {
    /// The result is equivalent for all possible rows.
    Machine,
    /// The result may differ from what was intended: a person has to review it.
    Maybe,
    /// Only a part of the change: the Rust code around the query has to be changed by hand.
    Part,
}

impl Applicability {
    /// The word used in JSON: `machine`, `maybe` or `part`.
    pub fn as_str(self) -> &'static str {
        match self {
            Applicability::Machine => "machine",
            Applicability::Maybe => "maybe",
            Applicability::Part => "part",
        }
    }
}

/// Which of the two lists of a report a finding belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Tier {
    /// Certain and worth fixing: shown.
    #[default]
    Shown,
    /// True, but a matter of taste or context: counted, and listed on request.
    Listed,
}

/// Another occurrence of the same problem, since one cause is one finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Where it is.
    pub place: Place,
    /// The function it is in; empty outside a function.
    pub function: Arc<str>,
    /// The edits for this occurrence; see [`Finding::edits`].
    pub edits: Vec<Edit>,
}

/// One problem, found by one lint, at one place.
///
/// The message stands alone; `help` says what to type; `notes` are facts. `render` adds the note that names
/// the lint, its level and how to allow it, so that it is the same everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The name of the lint that found it.
    pub lint: &'static str,
    /// Its level here, after configuration.
    pub level: Level,
    /// What is wrong: lowercase, no full stop, present tense.
    pub message: String,
    /// The query's literal for a query, the function's name for a budget.
    pub place: Place,
    /// The function it is in, as a path inside the file; empty outside a function.
    pub function: Arc<str>,
    /// The full text of the query; `None` if the finding is not about a query.
    pub sql: Option<Arc<str>>,
    /// The SQL, with the offending part marked.
    pub excerpt: Option<Excerpt>,
    /// Imperatives that name the edit, each with text that can be pasted.
    pub help: Vec<String>,
    /// Facts that explain the message.
    pub notes: Vec<String>,
    /// Other places involved.
    pub related: Vec<Related>,
    /// The fix as edits of the source, to be applied together. Empty if the fix is described in words only.
    pub edits: Vec<Edit>,
    /// Whether it is shown or listed.
    pub tier: Tier,
    /// The highest level that applies without configuration: a problem that is not proven fails no build.
    pub ceiling: Level,
    /// What it has in common with findings of the same cause: the shortest index that would help, as a statement, or what
    /// a call in a loop runs.
    pub causes: Vec<Arc<str>>,
    /// The database of its query, by where the schema comes from, where several are checked at once.
    pub database: Option<Arc<Path>>,
    /// Other places with the same problem; see [`Sighting`].
    pub places: Vec<Sighting>,
}

impl Finding {
    /// A finding of `lint` with its message; the driver fills in level, place, function and SQL.
    pub fn new(lint: &'static str, message: impl Into<String>) -> Finding {
        Finding {
            lint,
            level: Level::Warn,
            message: message.into(),
            place: Place::default(),
            function: Arc::default(),
            sql: None,
            excerpt: None,
            help: Vec::new(),
            notes: Vec::new(),
            related: Vec::new(),
            edits: Vec::new(),
            tier: Tier::default(),
            ceiling: Level::Deny,
            causes: Vec::new(),
            database: None,
            places: Vec::new(),
        }
    }

    /// Adds an imperative that names the edit.
    pub fn help(mut self, help: impl Into<String>) -> Finding {
        self.help.push(help.into());
        self
    }

    /// Adds a fact.
    pub fn note(mut self, note: impl Into<String>) -> Finding {
        self.notes.push(note.into());
        self
    }

    /// Points at a part of the SQL.
    pub fn excerpt(
        mut self,
        text: impl Into<Arc<str>>,
        span: Range<usize>,
        label: impl Into<String>,
    ) -> Finding {
        self.excerpt = Some(Excerpt { text: text.into(), span, label: label.into(), place: None });
        self
    }

    /// Adds an edit of the query's text.
    pub fn edit(
        mut self,
        span: Range<usize>,
        replacement: impl Into<String>,
        applicability: Applicability,
    ) -> Finding {
        let (start, end) = (Place::default(), Place::default());
        let (target, replacement) = (Target::Sql, replacement.into());
        self.edits.push(Edit { target, span, start, end, replacement, applicability, in_file: None });
        self
    }

    /// Adds an edit of the file, from one place to another.
    pub fn file_edit(
        mut self,
        (start, end): (Place, Place),
        replacement: impl Into<String>,
        applicability: Applicability,
    ) -> Finding {
        let (target, replacement) = (Target::File, replacement.into());
        self.edits.push(Edit { target, span: 0..0, start, end, replacement, applicability, in_file: None });
        self
    }

    /// The query after its edits; `None` if it has no edits or there is no query.
    pub fn edited_sql(&self) -> Option<String> {
        let is_of_query = !self.edits.is_empty() && self.edits.iter().all(|edit| edit.target == Target::Sql);
        if is_of_query { self.edited(self.sql.as_deref()?) } else { None }
    }

    /// Applies the edits to `sql`; `None` if they do not fit it.
    pub(crate) fn edited(&self, sql: &str) -> Option<String> {
        let mut edits: Vec<&Edit> = self.edits.iter().collect();
        edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
        let mut edited = String::with_capacity(sql.len());
        let mut at = 0;
        for edit in edits {
            edited.push_str(sql.get(at..edit.span.start)?);
            edited.push_str(&edit.replacement);
            at = edit.span.end;
        }
        edited.push_str(sql.get(at..)?);
        Some(edited)
    }

    /// The lowest applicability of its edits; `None` if it has none.
    pub fn applicability(&self) -> Option<Applicability> {
        self.edits.iter().map(|edit| edit.applicability).max()
    }

    /// Keeps it from being an error by default.
    pub fn warns(mut self) -> Finding {
        self.ceiling = Level::Warn;
        self
    }

    /// Moves it to the list that is shown on request.
    pub fn listed(mut self) -> Finding {
        self.tier = Tier::Listed;
        self
    }

    /// Adds another place that is involved.
    pub fn related(mut self, place: Place, message: impl Into<String>) -> Finding {
        self.related.push(Related { place, message: message.into() });
        self
    }
}
