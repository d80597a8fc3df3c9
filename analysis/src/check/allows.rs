//! Applies allows to findings, and checks the allows themselves.

use std::collections::HashSet;

use super::Checker;
use crate::allow;
use crate::config::LintKey;
use crate::finding::{Applicability, Finding, Level};
use crate::lints::{self, Lint, Trait};
use crate::rust::Allow;

impl Checker<'_> {
    /// Findings about the lint names in the configuration's `[lints]`.
    pub fn lint_keys(&self, keys: &[LintKey]) -> Vec<Finding> {
        let lint = &lints::UNKNOWN_LINT;
        let mut findings = Vec::new();
        for key in keys.iter().filter(|key| lints::by_name(&key.lint).is_none()) {
            self.ask(lint, &mut findings, |found| {
                let (message, help) = unknown_lint(&key.lint);
                let mut finding = Finding::new(lint.name, message).help(help);
                finding.place = key.place.clone();
                finding.excerpt = Some(key.excerpt.clone());
                found.push(finding);
            });
        }
        findings
    }

    /// Findings about the allows themselves. `used` are the allows that silenced something, if known. An
    /// allow of a lint that did not run, because it is off or there is no schema, is not reported as unused.
    pub fn allows(&self, allows: &[Allow], used: Option<&[Allow]>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let used: Option<HashSet<&Allow>> = used.map(|used| used.iter().collect());
        let mut report = |lint: &Lint, allow: &Allow, message: String, help: &str| {
            let level = self.level(lint);
            if level > Level::Allow {
                let mut finding = Finding::new(lint.name, message).help(help);
                finding.level = level;
                finding.place = allow.place.clone();
                if let Some(extent) = allow.extent.as_ref().filter(|_| lint.name == lints::UNUSED_ALLOW.name)
                {
                    finding = finding.file_edit(extent.clone(), "", Applicability::Machine);
                }
                findings.push(finding);
            }
        };
        for allow in allows {
            let name = &allow.lint;
            let Some(lint) = lints::by_name(name) else {
                if allow.may_be_rustcs {
                    continue;
                }
                let (message, help) = unknown_lint(name);
                report(&lints::UNKNOWN_LINT, allow, message, &help);
                continue;
            };
            if allow.reason.is_none() {
                let message = format!("`allow({name})` has no reason");
                let comment = allow::comment(&allow.place.file, name, "<why>");
                report(&lints::ALLOW_WITHOUT_REASON, allow, message, &format!("write {comment}"));
            }
            let asked =
                self.level(lint) > Level::Allow && (self.schema.is_some() || !lint.is(Trait::NeedsSchema));
            if asked && used.as_ref().is_some_and(|used| !used.contains(allow)) {
                let message = format!("`allow({name})` silences nothing");
                report(&lints::UNUSED_ALLOW, allow, message, "take it out");
            }
        }
        findings
    }
}

/// The message for an unknown lint name, and the help.
fn unknown_lint(name: &str) -> (String, String) {
    let names = lints::ALL.iter().map(|lint| lint.name);
    let help = match crate::sql::text::most_similar(name, names) {
        Some(similar) => format!("write `{similar}`"),
        None => "take it out; `docs/lints` lists the lints that exist".to_owned(),
    };
    (format!("no lint is named `{name}`"), help)
}

/// Removes allowed findings, and returns the allows that matched.
pub(super) fn apply(allows: &[Allow], findings: &mut Vec<Finding>) -> Vec<Allow> {
    let mut used = Vec::new();
    findings.retain(|finding| {
        let mut silenced = false;
        for allow in allows.iter().filter(|allow| allow.lint == finding.lint) {
            silenced = true;
            if !used.contains(allow) {
                used.push(allow.clone());
            }
        }
        !silenced
    });
    used
}
