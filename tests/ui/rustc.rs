//! `rustc` as cargo calls it for the UI cases themselves, with the flags that trybuild wants for them. For their dependencies
//! they would only cause a build of their own.

use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let rustc = arguments.next().expect("the first argument is the compiler");
    let mut command = Command::new(rustc);
    command.args(arguments);
    // Cargo first asks for the version, which takes no flags.
    if command.get_args().any(|argument| argument == "--crate-name") {
        command.args(["--verbose", "-Adead_code"]);
    }
    let status = command.status();
    ExitCode::from(u8::try_from(status.expect("the compiler runs").code().unwrap_or(1)).unwrap_or(1))
}
