//! `cx-incidents`: the Coralogix Incidents API from a shell. Here the command line is read and the exit code given.

mod commands;
mod config;
mod dry_run;
mod input;
mod report;
mod terminal;

use std::process::ExitCode;

use clap::Parser;
use tokio::runtime;

use crate::{
    commands::args::Cli,
    report::errors::{Exit, Failure, Stop},
    terminal::output::Output,
};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            // Help and version are told in the same way as a mistake.
            let usage = if told.use_stderr() { Exit::Usage } else { Exit::Done };
            return code(if told.print().is_ok() { usage } else { Exit::Failed });
        }
    };
    let output = Output::new(&cli.global);
    if cli.global.verbose {
        terminal::tracing::listen();
    }
    let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output.failure(&Failure::of(Exit::Failed, format!("the program can't start: {error}")));
            return code(Exit::Failed);
        }
    };
    let result = runtime.block_on(commands::run(cli, &output));
    // Neither a read of the keyboard nor anything else that can't be broken off may hold up the end.
    runtime.shutdown_background();
    code(match result {
        Ok(exit) => exit,
        Err(Stop::ClosedPipe) => Exit::Done,
        Err(Stop::Interrupted) => Exit::Interrupted,
        Err(Stop::Failure(failure)) => {
            output.failure(&failure);
            failure.exit
        }
    })
}

fn code(exit: Exit) -> ExitCode {
    ExitCode::from(exit as u8)
}
