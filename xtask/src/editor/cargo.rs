//! Runs cargo: which package a file belongs to, and the messages of `cargo check`.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use cargo_metadata::{MetadataCommand, Package};
use query_budget_analysis::Finding;
use serde_json::{Value, json};

use crate::args::Check;
use crate::failure::Failure;
use crate::output::Output;

/// The packages of a workspace.
pub(super) struct Packages {
    root: Option<PathBuf>,
    packages: Vec<(PathBuf, Package)>,
}

impl Packages {
    /// The packages of the workspace around a folder; empty without a manifest.
    pub(super) fn around(dir: &Path) -> Packages {
        let metadata =
            MetadataCommand::new().no_deps().other_options(["--offline".to_owned()]).current_dir(dir).exec();
        let Ok(metadata) = metadata else { return Packages { root: None, packages: Vec::new() } };
        let root = metadata.workspace_root.canonicalize().ok();
        let of = |package: Package| {
            let dir = package.manifest_path.parent()?.canonicalize().ok()?;
            Some((dir, package))
        };
        let mut packages: Vec<(PathBuf, Package)> = metadata.packages.into_iter().filter_map(of).collect();
        // The innermost first.
        packages.sort_by_key(|(dir, _)| std::cmp::Reverse(dir.components().count()));
        Packages { root, packages }
    }

    /// The root of the workspace.
    pub(super) fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// The package and target fields of a message about a file: those of the nearest package.
    pub(super) fn of(&self, path: &Path) -> Value {
        let nearest = self.packages.iter().find(|(dir, _)| path.starts_with(dir));
        let Some((dir, package)) = nearest.or(self.packages.last()) else {
            return json!({
                "package_id": "query-budget",
                "manifest_path": "Cargo.toml",
                "target": {
                    "kind": ["lib"], "crate_types": ["lib"], "name": "query-budget", "src_path": path,
                    "edition": "2024", "doc": false, "doctest": false, "test": false,
                },
            });
        };
        let shares = |target: &cargo_metadata::Target| {
            let folder = target.src_path.parent().and_then(|folder| folder.canonicalize().ok());
            let folder = folder.unwrap_or_else(|| dir.clone());
            if path.starts_with(&folder) { folder.components().count() } else { 0 }
        };
        // If a folder contains several targets, the library.
        let target = package
            .targets
            .iter()
            .max_by_key(|target| (target.src_path.as_std_path() == path, shares(target), target.is_lib()));
        json!({ "package_id": package.id, "manifest_path": package.manifest_path, "target": target })
    }
}

/// A running `cargo check`.
pub(super) struct Compiler {
    child: Child,
}

impl Compiler {
    /// Starts it in a folder.
    pub(super) fn start(dir: &Path, arguments: &Check, colours: bool) -> Result<Compiler, Failure> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let format = if colours { "json-diagnostic-rendered-ansi" } else { "json" };
        let mut command = Command::new(cargo);
        command.current_dir(dir).args(["check", "--all-targets", "--keep-going"]);
        command.arg(format!("--message-format={format}"));
        match arguments.input.packages.as_slice() {
            [] => {
                command.arg("--workspace");
            }
            packages => packages.iter().for_each(|package| {
                command.args(["--package", package]);
            }),
        }
        command.args(&arguments.editor.cargo).stdin(Stdio::null()).stdout(Stdio::piped());
        let child = command.spawn().map_err(|error| {
            let failure = Failure::new("start `cargo check`").because(error);
            failure.help("`--no-cargo` leaves it out")
        })?;
        Ok(Compiler { child })
    }

    /// Forwards its messages as they arrive, except those that repeat a finding; returns whether everything
    /// compiled.
    pub(super) fn forward(mut self, findings: &[Finding], output: &mut Output) -> Result<bool, Failure> {
        let failed = || Failure::new("read the output of `cargo check`");
        if let Some(stdout) = self.child.stdout.take() {
            for line in BufReader::new(stdout).split(b'\n') {
                let line = line.map_err(|error| failed().because(error))?;
                let line = String::from_utf8_lossy(&line);
                let message: Option<Value> = serde_json::from_str(&line).ok();
                let is_end = |message: &Value| message["reason"] == "build-finished";
                let is_known = |message: &Value| findings.iter().any(|finding| says(message, finding));
                if message.is_none_or(|message| !is_end(&message) && !is_known(&message)) {
                    output.exact(line.trim_end_matches('\r'))?;
                    output.flush()?;
                }
            }
        }
        let status = self.child.wait().map_err(|error| failed().because(error))?;
        Ok(status.success())
    }
}

/// Whether a compiler message repeats a finding, which `sql!` reported when it was expanded.
fn says(message: &Value, finding: &Finding) -> bool {
    let diagnostic = &message["message"];
    let text = diagnostic["message"].as_str().unwrap_or_default();
    let is_here = |span: &Value| {
        span["file_name"].as_str().is_some_and(|file| file.replace('\\', "/").ends_with(&*finding.place.file))
    };
    text.contains(finding.lint)
        && text.contains(&finding.message)
        && diagnostic["spans"].as_array().is_some_and(|spans| spans.iter().any(is_here))
}
