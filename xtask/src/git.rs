//! Runs git in a folder.

use std::path::Path;
use std::process::Command;

/// The output of a command of git. A repository's configuration may name a program to run for its status, which is
/// disabled.
pub(crate) fn git(dir: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git")
        .current_dir(dir)
        .args(["-c", "core.fsmonitor=false"])
        .args(arguments)
        .output()
        .map_err(|error| format!("start git: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}
