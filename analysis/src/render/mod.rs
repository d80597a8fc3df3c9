//! Renders findings as text: for a build, a terminal or a machine. The words are the finding's own. Only the
//! note that names the lint and says how to allow it is added here, so that it is the same everywhere.

mod excerpt;
pub mod gcc;
mod github;
mod gitlab;
mod inert;
pub mod json;
mod rustc;
pub mod sarif;
mod text;
pub mod xml;

pub use github::{github, github_notice};
pub use gitlab::{fingerprint, gitlab, gitlab_notice};
pub use inert::{inert, written_out};
pub use rustc::{rustc, rustc_notice};
pub use text::{Style, text, text_notice};

use crate::allow;
use crate::finding::{Excerpt, Finding, Place, Related};
use crate::notice::Notice;

/// The common parts of findings and notices for display.
struct Body<'a> {
    message: &'a str,
    /// Each place with its SQL.
    shown: Vec<(&'a Place, Option<&'a Excerpt>)>,
    /// The texts of `help` and `note`, in display order.
    footers: Vec<(Footer, String)>,
}

#[derive(Clone, Copy)]
enum Footer {
    Help,
    Note,
}

impl Footer {
    fn as_str(self) -> &'static str {
        match self {
            Footer::Help => "help",
            Footer::Note => "note",
        }
    }
}

impl<'a> Body<'a> {
    /// The body of a finding; with `about_lint`, the last note names the lint, its level and how to allow it.
    fn of_finding(finding: &'a Finding, about_lint: bool) -> Body<'a> {
        let related = finding.related.iter().map(related_note);
        let notes =
            finding.notes.iter().cloned().chain(related).chain(about_lint.then(|| lint_note(finding)));
        Body {
            message: &finding.message,
            shown: vec![(&finding.place, finding.excerpt.as_ref())],
            footers: footers(&finding.help, notes),
        }
    }

    fn of_notice(notice: &'a Notice) -> Body<'a> {
        Body {
            message: &notice.message,
            shown: vec![(&notice.place, notice.excerpt.as_ref())],
            footers: footers(&notice.help, notice.notes.iter().cloned()),
        }
    }
}

fn footers(help: &[String], notes: impl Iterator<Item = String>) -> Vec<(Footer, String)> {
    let help = help.iter().map(|help| (Footer::Help, help.clone()));
    help.chain(notes.map(|note| (Footer::Note, note))).collect()
}

fn related_note(related: &Related) -> String {
    format!("{}: {}", related.place, related.message)
}

/// The note that names the lint, its level and how to allow it.
fn lint_note(finding: &Finding) -> String {
    let lint = finding.lint;
    let how = allow::comment_for(finding).unwrap_or_else(|| {
        // There is no place for a comment here.
        format!("`{lint} = \"allow\"` in `[lints]` of `{}`", crate::config::FILE_NAME)
    });
    format!("`{lint}` is at level {}; to allow it: {how}", finding.level.as_str())
}
