//! The real binary as a person uses it: in pipes and in a terminal, against the emulator.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::format_collect,
    reason = "a panic is how a test fails; speed is not the point"
)]

mod both;
mod by_event;
mod changes;
mod completions;
mod configuration;
mod doctor;
mod exit_codes;
mod faults;
mod gate;
mod generations;
mod lists;
mod output;
mod profiles;
mod schema;
mod stats;
mod streams;
mod support;
mod terminal;
mod watch;
