//! `cx-incidents`: the Coralogix Incidents API from a shell. Reads the command line, and ends with the exit code.

mod commands;
mod config;
mod context;
mod dry_run;
mod input;
mod last_list;
mod report;
mod terminal;
mod verb;

use std::{io, process::ExitCode};

use clap::Parser;
use tokio::runtime;

use crate::{
    commands::Cli,
    report::{Exit, Failure, Stop},
    terminal::{Output, Stream, interrupts, wants_color, write_all},
};

fn main() -> ExitCode {
    commands::completions::answer_script();
    let (result, verbose) = match Cli::try_parse() {
        Ok(cli) => {
            let verbose = cli.options.verbose;
            (run(cli), verbose)
        }
        Err(message) => (show_message(&message), false),
    };
    ExitCode::from(match result {
        Ok(exit) => exit,
        Err(Stop::ClosedPipe) => Exit::Done,
        Err(Stop::Interrupted) => Exit::Interrupted,
        Err(Stop::Failure(failure)) => {
            failure.show(verbose);
            failure.exit
        }
    } as u8)
}

fn run(cli: Cli) -> Result<Exit, Stop> {
    let output = Output::new(cli.options.output.unwrap_or_default(), cli.options.verbose);
    if output.verbose {
        terminal::tracing::show_events();
    }
    // With a thread besides this one, requests and signals go on while this one waits for a slow reader.
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| cannot_start(&error))?;
    let result = runtime.block_on(async {
        interrupts::listen().map_err(|error| cannot_start(&error))?;
        commands::run(cli, &output).await
    });
    // Neither a read of the keyboard nor anything else that can't be cancelled may delay the end.
    runtime.shutdown_background();
    result
}

fn cannot_start(error: &io::Error) -> Stop {
    Failure::with_exit(Exit::Failed, format!("the program can't start: {error}")).into()
}

/// Shows what clap has to say: help, the version, or what is wrong with the arguments.
fn show_message(message: &clap::Error) -> Result<Exit, Stop> {
    use std::io::IsTerminal;

    let (stream, is_terminal, exit) = if message.use_stderr() {
        (Stream::Stderr, io::stderr().is_terminal(), Exit::Usage)
    } else {
        (Stream::Stdout, io::stdout().is_terminal(), Exit::Done)
    };
    let text = message.render();
    let text = if is_terminal && wants_color() { text.ansi().to_string() } else { text.to_string() };
    match (stream, write_all(stream, text.as_bytes())) {
        (Stream::Stdout, Err(error)) => Err(error.into()),
        // There is no other place to report it, and the arguments are wrong all the same.
        _ => Ok(exit),
    }
}
