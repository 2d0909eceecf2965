//! Spans and events, by OpenTelemetry's conventions for HTTP clients. They never contain bodies, values or the key.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use tracing::{Level, Span, field::Empty};
use url::Url;

use crate::{Binding, ErrorKind, Operation, wire::unknown::Unknown};

/// The target of all spans and events of this crate.
pub(crate) const TARGET: &str = "coralogix_incidents";

pub(crate) fn operation_span(operation: &Operation, binding: &Binding, url: &Url, correlation_id: &str) -> Span {
    tracing::info_span!(
        target: TARGET,
        "operation",
        otel.name = operation.id,
        otel.kind = "internal",
        otel.status_code = Empty,
        url.template = binding.path,
        server.address = url.host_str(),
        cx.correlation_id = correlation_id,
        cx.attempts = Empty,
        error.type = Empty,
    )
}

pub(crate) fn attempt_span(binding: &Binding, url: &Url, correlation_id: &str, resends: u32) -> Span {
    let span = tracing::info_span!(
        target: TARGET,
        "request",
        otel.name = format_args!("{} {}", binding.method, binding.path),
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = binding.method,
        http.request.resend_count = Empty,
        http.response.status_code = Empty,
        url.template = binding.path,
        server.address = url.host_str(),
        server.port = url.port_or_known_default(),
        cx.correlation_id = correlation_id,
        error.type = Empty,
    );
    // By the convention, only requests that are sent again have this field.
    if resends > 0 {
        span.record("http.request.resend_count", resends);
    }
    span
}

/// Records that the call is sent in another generation.
pub(crate) fn changed_generation(span: &Span, binding: &Binding, reason: &str) {
    span.record("url.template", binding.path);
    tracing::debug!(target: TARGET, generation = %binding.generation, reason, "sending the call in another API generation");
}

pub(crate) fn failed(span: &Span, kind: ErrorKind) {
    span.record("error.type", kind.to_string());
    span.record("otel.status_code", "ERROR");
}

/// The unknown names that a client has reported, so that each is reported once.
#[derive(Debug, Default)]
pub(crate) struct Drift {
    seen: Mutex<BTreeSet<Unknown>>,
}

/// The longest name that is reported, in characters; longer ones are cut.
const MAX_NAME: usize = 128;
/// The maximum number of distinct names that are reported.
const MAX_SEEN: usize = 1024;

impl Drift {
    /// Whether a subscriber listens. If not, decoding does not look for unknown names.
    pub(crate) fn is_watched() -> bool {
        tracing::enabled!(target: "coralogix_incidents::drift", Level::WARN)
    }

    /// Reports the names that were not reported before. `redact` removes the key from names.
    pub(crate) fn report(&self, operation: &Operation, redact: &dyn Fn(String) -> String, names: BTreeSet<Unknown>) {
        for name in names {
            // Redact before cutting: half a key would not be found.
            let clean = |name| redact(name).chars().take(MAX_NAME).collect();
            let name = match name {
                Unknown::EnumValue(of, value) => Unknown::EnumValue(of, clean(value)),
                Unknown::Field(field) => Unknown::Field(clean(field)),
            };
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let new = seen.len() < MAX_SEEN && seen.insert(name.clone());
            drop(seen);
            if !new {
                continue;
            }
            match &name {
                Unknown::EnumValue(of, value) => tracing::warn!(
                    target: "coralogix_incidents::drift",
                    operation = operation.id,
                    cx.drift.kind = "enum_value",
                    cx.drift.enum = of,
                    cx.drift.name = value.as_str(),
                    "the service sent an enum value that this version of the SDK does not know",
                ),
                Unknown::Field(field) => tracing::warn!(
                    target: "coralogix_incidents::drift",
                    operation = operation.id,
                    cx.drift.kind = "field",
                    cx.drift.name = field.as_str(),
                    "the service sent a field that this version of the SDK does not know",
                ),
            }
        }
    }
}
