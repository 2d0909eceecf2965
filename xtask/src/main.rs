//! The maintainers' commands. This program depends on none of the workspace's other crates, so that it can regenerate an SDK
//! that does not compile.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line program prints")]

mod cargo;
mod ci;
mod fuzz;
mod generate;
mod licenses;
mod lint;
mod model;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
// Lets this program's own modules refer to these as `crate::...`.
use xtask::{document, drift, enter_workspace, json_pointer, keywords, openapi, references};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Maintain coralogix-incidents", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Generate sdk/src/generated from openapi/incidents.yaml.
    Generate(generate::Arguments),
    /// Check openapi/incidents.yaml and its samples.
    Lint(lint::Arguments),
    /// Compare openapi/incidents.yaml with an OpenAPI file that Coralogix publishes.
    Drift(drift::Arguments),
    /// Run the fuzz targets for a limited time. Requires nightly Rust and cargo-fuzz.
    Fuzz(fuzz::Arguments),
    /// Check that all dependencies have accepted licenses.
    Licenses,
    /// Run all checks that a change must pass before it is merged.
    Ci(ci::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().verb {
        Verb::Generate(arguments) => generate::run(&arguments),
        Verb::Lint(arguments) => lint::run(&arguments),
        Verb::Drift(arguments) => drift::run(&arguments),
        Verb::Fuzz(arguments) => fuzz::run(&arguments),
        Verb::Licenses => licenses::run(),
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
