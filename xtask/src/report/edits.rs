//! Maps the edits of findings to their files, as bytes, lines or patches require.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use query_budget_analysis::check::EditedFile;
use query_budget_analysis::project::read;
use query_budget_analysis::{Applicability, Finding};

use super::Report;

/// The texts of files, each read once.
#[derive(Default)]
pub(crate) struct Texts {
    texts: HashMap<Arc<str>, Option<Arc<str>>>,
}

impl Texts {
    /// The text of a file given by its displayed path, relative to `base`; `None` if it cannot be read.
    pub(crate) fn of(&mut self, file: &Arc<str>, base: &Path) -> Option<Arc<str>> {
        if file.is_empty() {
            return None;
        }
        let known = self.texts.entry(Arc::clone(file));
        known.or_insert_with(|| read(&base.join(&**file)).ok().map(Arc::from)).clone()
    }
}

impl Report {
    /// Maps the edits of all findings to their files.
    pub(super) fn place_edits(&mut self, base: &Path) {
        let mut of_file: HashMap<Arc<str>, Vec<&mut Finding>> = HashMap::new();
        for finding in &mut self.findings {
            let file = finding.edits.first().map(|edit| Arc::clone(&edit.start.file));
            if let Some(file) = file {
                of_file.entry(file).or_default().push(finding);
            }
        }
        for (file, findings) in of_file {
            if let Some(text) = Texts::default().of(&file, base) {
                let edited = EditedFile::new(&text);
                findings.into_iter().for_each(|finding| edited.place(finding));
            }
        }
    }

    /// The findings with an edit that can be applied as it is, with an applicability up to `limit`. A report
    /// shows them, or would with `--all`.
    pub(crate) fn fixable(&self, limit: Applicability) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| is_fixable(finding, limit))
    }
}

/// Whether a finding has an edit that can be applied as it is.
pub(crate) fn is_fixable(finding: &Finding, limit: Applicability) -> bool {
    finding.applicability().is_some_and(|it| it <= limit)
        && finding.edits.iter().all(|edit| edit.in_file.is_some())
}
