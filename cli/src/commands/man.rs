//! `man`: the manual page of the program or of one command.

use std::{fs, path::PathBuf};

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use crate::{
    commands::Cli,
    report::{Exit, Failure, Stop},
    terminal::Output,
};

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The command whose page is printed; without it, the page of the program
    command: Option<String>,
    /// Write the pages of the program and of all commands to this folder instead, such as ~/.local/share/man/man1
    #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
    directory: Option<PathBuf>,
}

pub(crate) fn run(args: &ManArgs, output: &Output) -> Result<Exit, Stop> {
    let mut program = Cli::command();
    program.build();
    if let Some(directory) = &args.directory {
        let written = fs::create_dir_all(directory).and_then(|()| clap_mangen::generate_to(program, directory));
        written.map_err(|error| Failure::usage(format!("{} can't be written: {error}", directory.display())))?;
        return Ok(Exit::Done);
    }
    let command = match &args.command {
        Some(name) => program.find_subcommand(name).cloned().ok_or_else(|| {
            Failure::usage(format!("there is no command `{}`", name.escape_debug())).next("see `cx-incidents --help`")
        })?,
        None => program,
    };
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    output.bytes(&page)?;
    Ok(Exit::Done)
}
