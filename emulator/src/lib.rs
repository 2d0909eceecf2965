//! An emulator of the Coralogix Incidents API: a real HTTP server on a loopback port, with incidents that calls really change,
//! and with faults on request.
//!
//! [`Emulator::start`] starts one with defaults; [`Emulator::builder`] configures incidents, API keys, faults, the style of the
//! JSON, the clock and the seed. Clients in any language can call it. It is also a program: `coralogix-incidents-emulator --help`.

mod builder;
mod data;
mod domain;
mod emulator;
mod error;
mod faults;
mod http;
mod log;
mod net;
mod proto_json;

pub use builder::EmulatorBuilder;
pub use data::samples::{DOCUMENTED_EVENT_IDS, DOCUMENTED_IDS, Sample, USERS};
pub use domain::clock::Clock;
pub use emulator::Emulator;
pub use error::StartError;
pub use faults::{
    model::{Fault, FaultBody},
    parse::{FAULT_GRAMMAR, ParseFaultError},
};
pub use http::{auth::Key, quirk::Quirk, response::GatewayStyle};
pub use log::{Answer, LoggedRequest};
pub use proto_json::json_writer::JsonStyle;

/// The examples of the README.
#[doc = include_str!("../README.md")]
#[cfg(doctest)]
pub struct Readme;
