//! A stand-in for the Coralogix Incidents API: real HTTP on a loopback port, real effects, and faults on request.
//!
//! Any client in any language can point at it. In Rust, [`Emulator::start`] is all it takes; [`Emulator::builder`] has incidents,
//! keys, faults, the style of the JSON, the clock and the seed. As a program: `coralogix-incidents-emulator --help`.

mod builder;
mod clock;
mod emulator;
mod enums;
mod events;
mod faults;
mod grammar;
mod http;
mod ids;
mod json;
mod keys;
mod log;
mod operations;
mod paging;
mod query;
mod reply;
mod request;
mod routes;
mod samples;
mod server;
mod service;
mod socket;
mod state;
mod statistics;
mod storage;

pub use builder::EmulatorBuilder;
pub use clock::Clock;
pub use emulator::{Emulator, StartError};
pub use faults::{Fault, FaultBody};
pub use grammar::{FAULT_GRAMMAR, ParseFaultError, parse_duration};
pub use json::JsonStyle;
pub use keys::Key;
pub use log::{Answer, LoggedRequest};
pub use reply::GatewayStyle;
pub use samples::{DOCUMENTED_IDS, Sample, USERS};

/// The examples of the README.
#[doc = include_str!("../README.md")]
#[cfg(doctest)]
pub struct Readme;
