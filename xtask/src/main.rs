//! Tasks of the maintainers of `coralogix-incidents`. It imports none of the workspace's crates, so that a broken SDK can
//! always be generated again.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line program prints")]

mod cargo;
mod ci;
mod fuzz;
mod generate;
mod licences;
mod lint;
mod model;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
// The modules of this program find them where their own are.
use xtask::{document, drift, enter_workspace, json_pointer, openapi};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Tasks of the maintainers of coralogix-incidents", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Write sdk/src/generated from openapi/incidents.yaml.
    Generate(generate::Arguments),
    /// Check the document and its samples for what the generator and the house need of them.
    Lint(lint::Arguments),
    /// Compare the document with an OpenAPI file that the vendor has published.
    Drift(drift::Arguments),
    /// Run every fuzz target for a short time. Needs nightly Rust and cargo-fuzz.
    Fuzz(fuzz::Arguments),
    /// Check the licences of all dependencies against the accepted ones.
    Licences,
    /// Run everything that has to hold before a change is merged.
    Ci(ci::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().verb {
        Verb::Generate(arguments) => generate::run(&arguments),
        Verb::Lint(arguments) => lint::run(&arguments),
        Verb::Drift(arguments) => drift::run(&arguments),
        Verb::Fuzz(arguments) => fuzz::run(&arguments),
        Verb::Licences => licences::run(),
        Verb::Ci(arguments) => ci::run(&arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
