//! Findings in the format of compiler messages.

use std::path::Path;

use query_budget_analysis::render::{Style, inert, text, text_notice};
use query_budget_analysis::{Applicability, Finding, InFile, Level, Notice, Place, Severity};
use serde_json::{Value, json};

use super::cargo::Packages;
use super::span::File;
use crate::report::edits::{Texts, is_fixable};

/// Writes messages.
pub(super) struct Writer<'a> {
    packages: &'a Packages,
    base: &'a Path,
    style: Style,
    texts: Texts,
}

impl<'a> Writer<'a> {
    /// A writer of paths relative to `base`.
    pub(super) fn new(packages: &'a Packages, base: &'a Path, style: Style) -> Writer<'a> {
        Writer { packages, base, style, texts: Texts::default() }
    }

    /// A finding as a message.
    pub(super) fn finding(&mut self, finding: &Finding) -> Value {
        let level = if finding.level == Level::Deny { "error" } else { "warning" };
        let label = finding.excerpt.as_ref().map_or("", |excerpt| excerpt.label.as_str());
        let label = inert(label, false);
        let spans = self.spans(&finding.place, |file, name| {
            let bytes = file.of_finding(finding);
            file.span(name, &bytes, (true, &label), None)
        });
        let mut children: Vec<Value> = Vec::new();
        let mut helps = finding.help.iter();
        if is_fixable(finding, Applicability::Maybe) {
            let title = helps.next().map_or("make the edit", String::as_str);
            children.push(child("help", without_replacement(title, finding), self.suggestion(finding)));
        }
        children.extend(helps.map(|help| child("help", help, Vec::new())));
        children.extend(finding.notes.iter().map(|note| child("note", note, Vec::new())));
        for related in &finding.related {
            let spans = self.spans(&related.place, |file, name| {
                file.span(name, &file.of_place(&related.place), (true, ""), None)
            });
            children.push(child("note", &related.message, spans));
        }
        let rendered = text(&[finding], true, self.style);
        self.wrap(
            &finding.place,
            json!({
                "$message_type": "diagnostic",
                "rendered": format!("{rendered}\n\n"),
                "level": level,
                "message": inert(&finding.message, false),
                "code": { "code": format!("query_budget::{}", finding.lint), "explanation": null },
                "spans": spans,
                "children": children,
            }),
        )
    }

    /// A notice as a message.
    pub(super) fn notice(&mut self, notice: &Notice) -> Value {
        let level = if notice.kind.severity() == Severity::Error { "error" } else { "warning" };
        let spans = self.spans(&notice.place, |file, name| {
            file.span(name, &file.of_place(&notice.place), (true, ""), None)
        });
        let children = notice.help.iter().map(|help| child("help", help, Vec::new()));
        self.wrap(
            &notice.place,
            json!({
                "$message_type": "diagnostic",
                "rendered": format!("{}\n\n", text_notice(notice, self.style)),
                "level": level,
                "message": inert(&notice.message, false),
                "code": { "code": format!("query_budget::{}", notice.kind.as_str()), "explanation": null },
                "spans": spans,
                "children": children.collect::<Vec<_>>(),
            }),
        )
    }

    /// The edits of a finding as suggestions.
    fn suggestion(&mut self, finding: &Finding) -> Vec<Value> {
        let mut spans = Vec::new();
        for edit in &finding.edits {
            let Some(InFile { bytes, replacement }) = &edit.in_file else { continue };
            let applicability = match edit.applicability {
                Applicability::Machine => "MachineApplicable",
                Applicability::Maybe => "MaybeIncorrect",
                Applicability::Part => "HasPlaceholders",
            };
            spans.extend(self.spans(&edit.start, |file, name| {
                let bytes = file.without_mark(bytes);
                file.span(name, &bytes, (true, ""), Some((replacement, applicability)))
            }));
        }
        spans
    }

    /// The span of a place in its file; empty if the file cannot be read.
    fn spans(&mut self, place: &Place, span: impl Fn(&File<'_>, &str) -> Value) -> Vec<Value> {
        let text = self.texts.of(&place.file, self.base);
        text.map(|text| span(&File::new(&text), &place.file)).into_iter().collect()
    }

    /// Wraps a message in an envelope with its package.
    fn wrap(&self, place: &Place, message: Value) -> Value {
        let mut value = self.packages.of(&self.base.join(&*place.file));
        value["reason"] = json!("compiler-message");
        value["message"] = message;
        value
    }
}

/// The title of a finding's only edit, without the text that it inserts: editors append that to the name of a quick fix.
fn without_replacement<'t>(title: &'t str, finding: &Finding) -> &'t str {
    let [edit] = &*finding.edits else { return title };
    let inserted = edit.in_file.as_ref().map(|file| format!(": `{}`", file.replacement));
    inserted.and_then(|text| title.strip_suffix(&text)).unwrap_or(title)
}

/// A message nested in another one.
fn child(level: &str, message: &str, spans: Vec<Value>) -> Value {
    json!({
        "message": inert(message, false),
        "code": null,
        "level": level,
        "spans": spans,
        "children": [],
        "rendered": null,
    })
}
