//! `completions`: a script by which a shell completes commands, options, regions, statuses, profiles and ids.
//!
//! The script calls the program for what to complete, so that it knows the ids of the last list.

use std::{env, io, path::Path};

use clap::{Args, CommandFactory};
use clap_complete::{CompleteEnv, Shell, env::Shells};

use crate::{
    commands::Cli,
    report::{Exit, Failure, Stop},
    terminal::Output,
};

/// The script sets this variable when it asks the program what to complete.
const VARIABLE: &str = "CX_INCIDENTS_COMPLETE";
const NAME: &str = "cx-incidents";

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell; for bash, add `source <(cx-incidents completions bash)` to ~/.bashrc
    shell: Shell,
}

/// Answers a completion script and ends the process, if one asks.
pub(crate) fn answer_script() {
    CompleteEnv::with_factory(Cli::command).var(VARIABLE).bin(NAME).complete();
}

pub(crate) fn run(args: &CompletionsArgs, output: &Output) -> Result<Exit, Stop> {
    let shells = Shells::builtins();
    let Some(shell) = shells.completer(&args.shell.to_string()) else {
        return Err(Failure::usage(format!("there are no completions for {}", args.shell)).into());
    };
    let mut script = Vec::new();
    shell.write_registration(VARIABLE, NAME, NAME, &program()?, &mut script)?;
    output.bytes(&script)?;
    Ok(Exit::Done)
}

/// How the script calls this program: as it was called now, but from every folder.
fn program() -> io::Result<String> {
    let called = env::args_os().next().unwrap_or_default();
    let is_path = Path::new(&called).components().count() > 1;
    let program = if is_path { std::path::absolute(called)? } else { NAME.into() };
    Ok(program.to_string_lossy().into_owned())
}
