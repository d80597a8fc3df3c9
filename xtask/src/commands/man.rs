//! `man`: the manual pages, from the same definitions as `--help`.

use std::path::Path;

use clap::{Command, CommandFactory};

use crate::Outcome;
use crate::args::{Cli, Man};
use crate::failure::Failure;
use crate::output::Output;
use crate::replace::replace;

/// The name of the program that cargo looks for.
const PROGRAM: &str = "cargo-query-budget";

pub(crate) fn run(arguments: &Man, output: &mut Output) -> Result<Outcome, Failure> {
    let main = Cli::command().name(PROGRAM).bin_name("cargo query-budget");
    let Some(dir) = &arguments.output else {
        output.exact(page(main)?.trim_end_matches('\n'))?;
        return Ok(Outcome::Clean);
    };
    std::fs::create_dir_all(dir)
        .map_err(|error| Failure::new(format!("make `{}`", dir.display())).because(error))?;
    let commands: Vec<Command> = main.get_subcommands().filter(|it| !it.is_hide_set()).cloned().collect();
    write(dir, PROGRAM, &page(main)?, output)?;
    for command in commands {
        let name = format!("{PROGRAM}-{}", command.get_name());
        let text = page(command.display_name(name.clone()))?;
        write(dir, &name, &text, output)?;
    }
    Ok(Outcome::Clean)
}

fn page(command: Command) -> Result<String, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|error| Failure::new("write a manual page").because(error))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn write(dir: &Path, name: &str, page: &str, output: &mut Output) -> Result<(), Failure> {
    let path = dir.join(format!("{name}.1"));
    replace(&path, page)
        .map_err(|error| Failure::new(format!("write `{}`", path.display())).because(error))?;
    output.line(format!("wrote `{}`", path.display()))
}
