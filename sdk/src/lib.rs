//! Client for the Coralogix Incidents API: find, assign, unassign, acknowledge and resolve incidents.
//!
//! ```no_run
//! use coralogix_incidents::{ApiKey, Client, Region, types::UnassignIncidentsRequest};
//!
//! # async fn example() -> Result<(), coralogix_incidents::Error> {
//! let client = Client::builder()
//!     .api_key(ApiKey::new("cxup_...")?)
//!     .region(Region::Eu2)
//!     .build()?;
//! let request = UnassignIncidentsRequest::new(["incident_id_1", "incident_id_2"]);
//! match client.unassign_incidents(&request).await {
//!     Ok(response) => println!("{} incidents are unassigned", response.incidents.len()),
//!     Err(error) if error.is_permission_denied() => {
//!         println!("a personal key with incidents:assign is needed");
//!     }
//!     Err(error) => println!("{error}; anything changed? {:?}", error.effect()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! * [`Client`] has a method for each operation, and a `..._stream` method for each list. [`ClientBuilder`] configures the
//!   endpoint, timeouts and retries; [`CallOptions`] override them for single calls.
//! * [`Error`] classifies every failure, and [`Error::effect`] says whether anything was changed.
//! * [`bulk`] changes or reads any number of incidents and reports an outcome for every id.
//! * [`Client::open_incidents_of`], [`Client::hand_over`] and [`Client::wait_for_status`] are common tasks, ready to call.
//! * [`types`] has the messages. They follow protobuf's JSON mapping: an absent member and `null` mean the default value,
//!   unknown members are ignored, and unknown enum values are kept.
//!
//! # How a call flows
//!
//! ```text
//! client.unassign_incidents(&request)
//!     |
//!     |  limits of the API, generation, URL .......... InvalidRequest: nothing was sent
//!     v
//! one HTTP request
//!     |
//!     |<----------------------------------------.
//!     v                                         | again after a wait, if the failure is
//! an attempt                                    | transient, the operation idempotent, and
//!     |                                         | attempts, time and retry budget are left
//!     |  connect, send, read ...................+... Transport: no complete response
//!     |  status ................................+... Status: refused or failed
//!     v
//! a response with a success status
//!     |
//!     |  size ........................................ ResponseTooLarge
//!     |  JSON ........................................ UndecodableResponse
//!     v
//! ResponseValue<UnassignIncidentsResponse>
//! ```
//!
//! The names on the right are kinds of errors, [`ErrorKind`]. Each error also says whether anything was changed, by
//! [`Error::effect`]. The repository's `docs/faults.md` lists the error that each fault leads to, and `docs/benchmarks.md`
//! what a call costs.
//!
//! # Defaults
//!
//! | setting | default | set by |
//! | --- | --- | --- |
//! | endpoint | region EU1 | [`region`](ClientBuilder::region), [`domain`](ClientBuilder::domain), [`base_url`](ClientBuilder::base_url) |
//! | API generation | the one that the host answers in, V1 first | [`api_generation`](ClientBuilder::api_generation) |
//! | time limit of a call, retries included | 60 s | [`timeout`](ClientBuilder::timeout) |
//! | time limit of one attempt | 30 s | [`attempt_timeout`](ClientBuilder::attempt_timeout) |
//! | time limit without a byte received | 15 s | [`read_timeout`](ClientBuilder::read_timeout) |
//! | time limit to connect | 5 s | [`connect_timeout`](ClientBuilder::connect_timeout) |
//! | attempts | 3, with backoff of up to 0.2 s and 0.4 s, or a `Retry-After` of up to 30 s | [`retry_policy`](ClientBuilder::retry_policy) |
//! | retries of all clones together | [`RetryBudget`] of 100 tokens | [`retry_budget`](ClientBuilder::retry_budget) |
//! | largest response | 64 MiB | [`max_response_bytes`](ClientBuilder::max_response_bytes) |
//! | proxies | `HTTPS_PROXY` and the other variables that reqwest reads | [`http_client`](ClientBuilder::http_client) |
//!
//! # Other reqwest clients in your application
//!
//! If `reqwest::Client::new()` elsewhere in your application panics with "No provider set", see
//! [`ClientBuilder::http_client`] for the reason and the remedy. Clients of this crate are not affected.
//!
//! # Telemetry
//!
//! The client emits `tracing` spans with the target `coralogix_incidents`: a span `operation` for each call and in it a span
//! `request` for each attempt. They have the fields of OpenTelemetry's HTTP client conventions and `cx.correlation_id`, and
//! never contain bodies, ids, texts of the service, or the key. Member and enum names that this version does not know are
//! reported once each, as warnings with the target `coralogix_incidents::drift`. Decoding looks for them only while a
//! subscriber listens to that target.
//!
//! # Features
//!
//! * `rustls` (default): TLS by rustls, with ring.
//! * `native-tls`: TLS by the platform's library.
//! * `http2`: HTTP/2 where the server offers it.
//! * `schemars`: JSON Schemas of the [`types`].
//!
//! The client runs on tokio.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
pub mod bulk;
mod client;
mod correlation_id;
mod credentials;
mod endpoint;
mod error;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
#[rustfmt::skip]
#[allow(
    clippy::pedantic,
    clippy::unnecessary_to_owned,
    deprecated,
    reason = "generated code follows the document's names and progenitor's style"
)]
mod generated;
mod generation;
mod headers;
mod http_client;
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

pub use builder::ClientBuilder;
pub use client::CallOptions;
pub use credentials::ApiKey;
pub use error::{ConfigErrorKind, Effect, Error, ErrorKind, TransportErrorKind};
pub use generated::{client::Client, types};
pub use generation::ApiGeneration;
pub use incident::{Originator, Payload};
pub use operation::{Binding, Idempotency, JsonType, Operation, QueryParameter};
pub use region::Region;
pub use response::ResponseValue;
pub use retry::{RetryBudget, RetryPolicy};
pub use workflow::{HandOver, WaitError};

/// The examples of the README and of the guide are compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[doc = include_str!("../../docs/using.md")]
struct Guides;
