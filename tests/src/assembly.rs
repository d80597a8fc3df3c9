//! `rustc` as cargo calls it for packages whose machine code is compared: it also writes their assembly, of one piece.

use std::env;
use std::path::Path;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let rustc = arguments.next().expect("the first argument is the compiler");
    let mut command = Command::new(rustc);
    command.args(arguments);
    // Cargo first asks about the compiler itself, and names no package.
    if let (Some(folder), Ok(package)) = (env::var_os("QUERY_BUDGET_ASSEMBLY"), env::var("CARGO_PKG_NAME")) {
        let file = Path::new(&folder).join(format!("{package}.s"));
        command.args(["-Ccodegen-units=1", &format!("--emit=asm={}", file.display())]);
    }
    let status = command.status().expect("the compiler runs");
    ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1))
}
