//! Crates outside of the workspace, as somebody else's are.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::nested::build_with_workspace;

/// A command of cargo in the folder of such a crate; `temporary` is the `CARGO_TARGET_TMPDIR` of a test. It builds with the
/// workspace. Nothing is fetched, and what the environment says to this workspace's build is kept from it.
pub fn outside_cargo(directory: &Path, temporary: &str) -> Command {
    let mut command = Command::new(env!("CARGO"));
    build_with_workspace(&mut command, temporary);
    command.current_dir(directory).env("CARGO_NET_OFFLINE", "true");
    command.env("CARGO_TARGET_DIR", Path::new(temporary).with_file_name("tests").join("outside"));
    for variable in ["RUSTFLAGS", "CARGO_BUILD_TARGET", "DATABASE_URL", "QUERY_BUDGET_CONFIG"] {
        command.env_remove(variable);
    }
    command
}

/// The root of this workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_path_buf()
}

/// Copies a package of `fixtures` to a folder that it makes anew, with the versions of this workspace, and its dependency
/// on packages of this workspace by their full paths.
pub fn copy_fixture(fixture: &str, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    let workspace = workspace();
    copy(&workspace.join("tests/fixtures").join(fixture), to);
    let manifest = to.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest).expect("the manifest");
    let prefix = format!("path = \"{}/", workspace.display());
    std::fs::write(&manifest, text.replace("path = \"../../../", &prefix)).expect("the manifest is written");
    std::fs::copy(workspace.join("Cargo.lock"), to.join("Cargo.lock")).expect("a lock file");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("make the folder");
    for entry in std::fs::read_dir(from).expect("the fixture").flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("copy a file");
        }
    }
}
