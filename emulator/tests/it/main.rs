//! The emulator as its users meet it: over real sockets, through its public interface.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a panic is how a test fails, also in its helpers"
)]

mod admin;
mod clients;
mod connection;
mod faults;
mod life;
mod page;
mod program;
mod queries;
mod query;
mod quirks;
mod requests;
mod schema;
mod service;
mod verbs;
