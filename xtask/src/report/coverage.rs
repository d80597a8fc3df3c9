//! What was checked and what was not, as numbers and in words.

use query_budget_analysis::Severity;
use query_budget_analysis::index::Verdict;

use super::{Report, Subject};
use crate::args::Format;
use crate::failure::Failure;
use crate::output::Output;

impl Report {
    /// The number of queries, including those built at run time.
    pub(super) fn all_queries(&self) -> usize {
        self.queries.len() + self.dynamic
    }

    /// The number of checked queries.
    pub(super) fn checked(&self) -> usize {
        self.queries.len() - self.unparsed.len()
    }

    /// The number of table accesses with a verdict.
    pub(super) fn accesses_with(&self, verdict: Verdict) -> usize {
        let accesses = self.queries.iter().flat_map(|query| &query.checked.accesses);
        accesses.filter(|access| access.verdict == verdict).count()
    }

    /// The number of queries with parts that are not analysed.
    pub(super) fn unchecked(&self) -> usize {
        let parsed = self.queries.iter().filter_map(|query| query.checked.query.as_ref().ok());
        parsed.filter(|query| query.unchecked.is_some()).count()
    }

    /// The last line of a report: what was examined, and what could not be checked.
    pub(super) fn coverage(&self) -> String {
        let files = counted(self.files, "file", "files");
        let queries = counted(self.all_queries(), "query", "queries");
        let mut missing = vec![
            format!("{} not parsed", grouped(self.unparsed.len())),
            format!("{} built at run time", grouped(self.dynamic)),
        ];
        if !self.unread.is_empty() {
            missing.push(format!("{} not read", counted(self.unread.len(), "file", "files")));
        }
        if self.stale > 0 {
            missing.push(format!("{} left over in `.sqlx`", grouped(self.stale)));
        }
        if self.unchecked() > 0 {
            missing.push(format!("{} not looked into", grouped(self.unchecked())));
        }
        let unknown = self.accesses_with(Verdict::Unknown);
        let accesses = match self.subject {
            Subject::Everything => {
                missing.push(format!("{} with no bound", grouped(self.unbounded)));
                if self.uncertain > 0 {
                    let budgets = counted(self.uncertain, "budget", "budgets");
                    missing.push(format!("{budgets} not certain for unknown calls"));
                }
                if unknown > 0 {
                    missing.push(format!("{} of unknown tables", grouped(unknown)));
                }
                String::new()
            }
            Subject::Indexes => {
                missing.push(format!("{} of unknown tables", grouped(unknown)));
                let accesses = self.queries.iter().map(|query| query.checked.accesses.len()).sum();
                format!(" with {}", counted(accesses, "table access", "table accesses"))
            }
        };
        format!("read {files}, checked {queries}{accesses}: {}", missing.join(", "))
    }

    /// Writes to standard error what was checked and what was not, for formats that have no place for it: GCC's
    /// has one for what does not parse.
    pub(super) fn write_aside(&self, format: Format, output: &mut Output) -> Result<(), Failure> {
        output.flush()?;
        if self.is_broken() {
            return Ok(());
        }
        for why in &self.unread {
            output.aside(format!("warning: failed to {why}"));
        }
        if format != Format::Gcc {
            for query in &self.unparsed {
                output.aside(format!("not parsed: {}: {}", query.place, query.reason));
            }
        }
        output.aside(self.coverage());
        Ok(())
    }

    /// The reasons why the findings are unreliable, each with its place.
    pub(super) fn reasons(&self) -> Vec<(String, String)> {
        let errors = self.notices.iter().filter(|notice| notice.kind.severity() == Severity::Error);
        errors.map(|notice| (notice.place.to_string(), notice.message.clone())).collect()
    }
}

/// A number with its noun: `1 query`, `4,812 queries`.
pub(crate) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// A number with thousands separators.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (4_812_402, "4,812,402")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(
            [0, 1, 2].map(|number| counted(number, "query", "queries")),
            ["0 queries", "1 query", "2 queries"]
        );
    }
}
