//! Crates outside of the workspace, as somebody else's are.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The flags of `.cargo/config.toml`.
const FLAGS: [&str; 2] = ["--cfg", "trybuild_no_target"];

/// A command of cargo in the folder of such a crate; `temporary` is the `CARGO_TARGET_TMPDIR` of a test. It builds where the
/// workspace is built, so that dependencies with the same features (see `tests/outside-hack`) are not built again. Nothing is
/// fetched, and what the environment says to this workspace's build is kept from them.
pub fn outside_cargo(directory: &Path, temporary: &str) -> Command {
    let mut command = Command::new(env!("CARGO"));
    let target = Path::new(temporary).parent().expect("the target folder");
    command.current_dir(directory).env("CARGO_NET_OFFLINE", "true");
    command.env("CARGO_BUILD_BUILD_DIR", target).env("CARGO_TARGET_DIR", target.join("tests/outside"));
    command.env("CARGO_INCREMENTAL", "0").env("CARGO_PROFILE_DEV_DEBUG", "false");
    command.env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    for variable in ["RUSTFLAGS", "CARGO_BUILD_TARGET", "DATABASE_URL", "QUERY_BUDGET_CONFIG"] {
        command.env_remove(variable);
    }
    // Cargo sets these for a test. Build scripts that read them would run again, and what depends on them be built again.
    let of_test = ["CARGO_MANIFEST_", "CARGO_PKG_", "OUT_DIR"];
    for (variable, _) in std::env::vars_os() {
        if variable.to_str().is_some_and(|name| of_test.iter().any(|of_test| name.starts_with(of_test))) {
            command.env_remove(variable);
        }
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
