//! A build inside of a test, in the folder of the workspace's builds. The UI cases include this file too: their package does
//! not depend on this one.

use std::path::Path;
use std::process::Command;

/// The flags of `.cargo/config.toml`.
const FLAGS: [&str; 2] = ["--cfg", "trybuild_no_target"];

/// What cargo sets for a test. Build scripts that read these would run again, and what depends on them be built again.
const OF_TEST: [&str; 3] = ["CARGO_MANIFEST_", "CARGO_PKG_", "OUT_DIR"];

/// Has cargo, wherever the command calls it, build where the workspace is built and in the same way, so that dependencies with
/// the same features (see `tests/outside-hack`) are not built again. `temporary` is the `CARGO_TARGET_TMPDIR` of a test.
pub(crate) fn build_with_workspace(command: &mut Command, temporary: &str) {
    command.env("CARGO_BUILD_BUILD_DIR", Path::new(temporary).parent().expect("the target folder"));
    command.env("CARGO_INCREMENTAL", "0").env("CARGO_PROFILE_DEV_DEBUG", "false");
    command.env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    for (variable, _) in std::env::vars_os() {
        if variable.to_str().is_some_and(|name| OF_TEST.iter().any(|of_test| name.starts_with(of_test))) {
            command.env_remove(variable);
        }
    }
}
