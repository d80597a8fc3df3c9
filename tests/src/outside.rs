//! Crates outside of the workspace, as somebody else's are.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The flags of `tests/ui/tests/cases.rs`. As there, they hold for the target alone and not for macros and build scripts,
/// because the target is named.
const FLAGS: [&str; 5] = ["--cfg", "trybuild", "--verbose", "-Adead_code", "--diagnostic-width=140"];

/// A command of cargo in the folder of such a crate. All of them build alike, with the flags and in the target folder of the UI
/// cases, so that what several of them depend on is built once; `temporary` is the `CARGO_TARGET_TMPDIR` of a test. Nothing
/// is fetched, and what the environment says to this workspace's build is kept from them.
pub fn outside_cargo(directory: &Path, temporary: &str) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(directory).env("CARGO_NET_OFFLINE", "true");
    command.env("CARGO_TARGET_DIR", Path::new(temporary).with_file_name("tests").join("trybuild"));
    command.env("CARGO_INCREMENTAL", "0").env("CARGO_PROFILE_DEV_DEBUG", "false");
    command
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"))
        .env("CARGO_BUILD_TARGET", env!("QUERY_BUDGET_TARGET"));
    for variable in ["RUSTFLAGS", "DATABASE_URL", "QUERY_BUDGET_CONFIG"] {
        command.env_remove(variable);
    }
    command
}

/// The root of this workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_path_buf()
}

/// Copies a package of `fixtures` to a folder that it makes anew, with the versions of this workspace, and its dependency
/// on the runtime crate by its full path.
pub fn copy_fixture(fixture: &str, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    let workspace = workspace();
    copy(&workspace.join("tests/fixtures").join(fixture), to);
    let manifest = to.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest).expect("the manifest");
    let runtime = workspace.join("runtime").display().to_string();
    std::fs::write(&manifest, text.replace("../../../runtime", &runtime)).expect("the manifest is written");
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
