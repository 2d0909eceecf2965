//! What crosses crates, tested through public interfaces and real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::format_push_string,
    reason = "a test fails by panicking, and says with what"
)]

mod architecture;
mod bulk;
mod client;
mod contract;
mod document;
mod environment;
mod faults;
mod fleet;
mod generations;
mod guides;
mod operations;
mod outcomes;
mod repository;
mod responses;
mod scripted_server;
mod surface;
mod telemetry;
mod tour;
mod types;
mod wire;
mod workflow;
