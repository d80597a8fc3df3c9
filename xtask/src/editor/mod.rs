//! `check --message-format json`: findings in the format of cargo's compiler messages, together with those of
//! `cargo check`, for editors that read cargo's output.

mod cargo;
mod message;
mod span;

use std::path::{Path, PathBuf};

use query_budget_analysis::render::Style;
use query_budget_analysis::{Level, Severity};
use serde_json::json;

use crate::Outcome;
use crate::args::{Check, MessageFormat};
use crate::failure::Failure;
use crate::input;
use crate::output::Output;
use crate::report;
use cargo::{Compiler, Packages};
use message::Writer;

pub(crate) fn run(arguments: &Check, output: &mut Output) -> Result<Outcome, Failure> {
    let scope = input::scope(&arguments.input)?;
    let dir = if scope.is_dir() { scope.clone() } else { parent(&scope) };
    let packages = Packages::around(&dir);
    let base = packages.root().unwrap_or(&dir).to_path_buf();
    let colours = arguments.editor.message_format == Some(MessageFormat::JsonDiagnosticRenderedAnsi);
    // The compiler takes longer, so it starts first.
    let compiler = match (arguments.editor.no_cargo, packages.root()) {
        (false, Some(_)) => Some(Compiler::start(&dir, arguments, colours)?),
        _ => None,
    };
    let report = report::of(arguments, &base)?;
    let mut writer = Writer::new(&packages, &base, Style { color: colours });
    for notice in report.notices.iter().filter(|notice| notice.kind.severity() > Severity::Note) {
        output.exact(writer.notice(notice).to_string())?;
    }
    let is_broken = report.is_broken();
    let findings = if is_broken { &[] } else { report.findings() };
    for finding in findings {
        output.exact(writer.finding(finding).to_string())?;
    }
    output.flush()?;
    let compiles = match compiler {
        Some(compiler) => compiler.forward(findings, output)?,
        None => true,
    };
    let is_denied = findings.iter().any(|finding| finding.level == Level::Deny);
    let success = compiles && !is_denied && !is_broken;
    output.exact(json!({ "reason": "build-finished", "success": success }).to_string())?;
    Ok(match (is_broken, success) {
        (true, _) => Outcome::Broken,
        (false, true) => Outcome::Clean,
        (false, false) => Outcome::Findings,
    })
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(path).to_path_buf()
}
