//! Accepted findings. A finding is identified by its content, not its position, so edits above it do not
//! bring it back.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Place};
use crate::sql::fingerprint;
use crate::sql::text::LineIndex;

/// The version of the file format; a later version may read earlier ones.
const VERSION: u32 = 1;

/// The identity of a finding, without line or count. The same query twice in one function is one entry, so
/// that two branches that both add to the file merge cleanly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The file of the finding, as shown in reports.
    pub file: String,
    /// The name of the lint.
    pub lint: String,
    /// The function it is in, as a path inside the file; empty outside a function.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub function: String,
    /// The query with its white space normalised; empty if the finding is not about one query.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sql: String,
    /// The message of the finding.
    pub message: String,
}

impl Known {
    /// The identity of `finding`; `file` is the file's name as used in the baseline.
    pub fn of(finding: &Finding, file: impl Into<String>) -> Known {
        let words = finding.sql.as_deref().unwrap_or_default().split_whitespace();
        Known {
            file: file.into(),
            lint: finding.lint.to_owned(),
            function: finding.function.to_string(),
            sql: words.collect::<Vec<_>>().join(" "),
            message: finding.message.clone(),
        }
    }

    /// A hash of the identity, the same in every build.
    pub fn fingerprint(&self) -> u64 {
        let Known { file, lint, function, sql, message } = self;
        // A prefix with the length keeps adjacent parts apart.
        let part = |text: &str| format!("{} {text} ", text.len());
        fingerprint(&[file, lint, function, sql, message].map(|text| part(text)).concat())
    }
}

/// A file of accepted findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    /// The accepted findings, in order.
    pub findings: BTreeSet<Known>,
}

/// The file as toml reads and writes it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(default, rename = "finding", skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Known>,
}

/// The error for a text that is not a baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenBaseline {
    /// The position of the error.
    pub place: Place,
    /// What is wrong, as a lowercase fragment.
    pub message: String,
}

impl fmt::Display for BrokenBaseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "read the baseline `{}`: {}", self.place, self.message)
    }
}

impl std::error::Error for BrokenBaseline {}

impl Baseline {
    /// Parses a baseline; `file` is its name in error messages.
    ///
    /// # Errors
    ///
    /// If the text is not a baseline; includes the position.
    pub fn parse(text: &str, file: &str) -> Result<Baseline, BrokenBaseline> {
        let broken = |message: &str, at: usize| {
            let (line, column) = LineIndex::new(text).line_column(at);
            let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
            let place = Place { file: file.into(), line: number(line), column: number(column) };
            let message = message.lines().next().unwrap_or_default().to_owned();
            BrokenBaseline { place, message }
        };
        let read: File = toml::from_str(text)
            .map_err(|error| broken(error.message(), error.span().map_or(0, |span| span.start)))?;
        if read.version != VERSION {
            let message = format!("version {} is not known, {VERSION} is", read.version);
            return Err(broken(&message, 0));
        }
        Ok(Baseline { findings: read.findings.into_iter().collect() })
    }

    /// The text of the file: deterministic, with one block per finding, in order.
    pub fn write(&self) -> String {
        let file = File { version: VERSION, findings: self.findings.iter().cloned().collect() };
        // Serializing strings and a number cannot fail.
        let text = toml::to_string(&file).unwrap_or_default();
        format!(
            "# Findings that are accepted as they are; `cargo query-budget check --baseline <this file>` leaves them\n# out, and `--write-baseline` brings this file up to date.\n{text}"
        )
    }

    /// Accepted findings that were not found again; `seen` says whether this run covers an entry.
    pub fn gone<'b>(
        &'b self,
        found: &'b BTreeSet<Known>,
        seen: impl Fn(&Known) -> bool + 'b,
    ) -> impl Iterator<Item = &'b Known> {
        self.findings.difference(found).filter(move |known| seen(known))
    }

    /// A baseline that accepts what was `found` and keeps the entries that this run did not cover.
    pub fn updated(&self, found: BTreeSet<Known>, seen: impl Fn(&Known) -> bool) -> Baseline {
        let kept = self.findings.iter().filter(|known| !seen(known)).cloned();
        Baseline { findings: kept.chain(found.iter().cloned()).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(file: &str, sql: &str) -> Known {
        let mut finding = Finding::new("missing_limit", "nothing bounds \"this\"\nor that");
        finding.function = "list".into();
        finding.sql = Some(sql.into());
        Known::of(&finding, file)
    }

    #[test]
    fn what_is_written_is_read_again() {
        let findings = [known("b.rs", "SELECT 'é\\n' FROM t"), known("a.rs", "SELECT 1")];
        let baseline = Baseline { findings: findings.into() };
        let text = baseline.write();
        assert_eq!(Baseline::parse(&text, "b.toml").expect("it is one"), baseline, "{text}");
        assert!(text.find("a.rs") < text.find("b.rs"), "in order: {text}");
        assert_eq!(Baseline::parse(&Baseline::default().write(), "b"), Ok(Baseline::default()));
    }

    #[test]
    fn white_space_and_place_tell_nothing_apart() {
        assert_eq!(known("a.rs", "SELECT\n   1"), known("a.rs", "SELECT 1"));
        assert_ne!(known("a.rs", "SELECT 1"), known("a.rs", "SELECT 2"));
        assert_ne!(known("a.rs", "SELECT 1").fingerprint(), known("b.rs", "SELECT 1").fingerprint());
    }

    #[test]
    fn an_update_keeps_what_was_not_looked_at() {
        let (here, gone, elsewhere) = (known("a.rs", "1"), known("a.rs", "2"), known("b.rs", "1"));
        let old = Baseline { findings: [gone.clone(), elsewhere.clone()].into() };
        let seen = |known: &Known| known.file == "a.rs";
        let found = BTreeSet::from([here.clone()]);
        assert_eq!(old.gone(&found, seen).collect::<Vec<_>>(), [&gone]);
        assert_eq!(old.updated(found, seen).findings, [here, elsewhere].into());
    }

    #[test]
    fn a_broken_file_names_its_line() {
        for (text, line, says) in [
            ("version = 1\n[[finding]]\nlint = \"x\"\n", 2, "missing field"),
            ("version = 1\nfindings = 3\n", 2, "unknown field"),
            ("version = 2\n", 1, "version 2"),
            ("{", 1, ""),
        ] {
            let broken = Baseline::parse(text, "b.toml").expect_err("it is broken");
            assert_eq!(broken.place.line, line, "{broken}");
            assert!(broken.message.contains(says), "{broken}");
        }
    }
}
