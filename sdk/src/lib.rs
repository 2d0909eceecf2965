//! Client for the Coralogix Incidents API: find, assign, unassign, acknowledge and resolve incidents.

pub mod bulk;
mod client;
mod credentials;
mod error;
#[rustfmt::skip]
#[allow(
    clippy::pedantic,
    clippy::unnecessary_to_owned,
    reason = "generated code follows the document's names and progenitor's style"
)]
mod generated;
mod incident;
mod operation;
pub mod paging;
mod region;
mod request;
mod response;
mod retry;
mod telemetry;
mod transport;
pub mod wire;
mod workflow;

pub use client::{ApiGeneration, CallOptions, ClientBuilder};
pub use credentials::ApiKey;
pub use error::{
    ApiError, ConfigError, Effect, Error, InvalidRequest, ResponseTooLarge, TransportError, TransportErrorKind,
    UndecodableResponse,
};
pub use generated::{client::Client, types};
pub use incident::{Originator, Payload};
pub use operation::{Binding, Idempotency, Operation};
pub use region::{ParseRegionError, Region};
pub use response::ResponseValue;
pub use retry::{RetryBudget, RetryPolicy};
pub use workflow::{HandOver, WaitError};
