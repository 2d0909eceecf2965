//! Decodes success responses. This module must not know of attempts.

use serde::de::Unexpected;
use serde_json::error::Category;

use super::attempt::Reply;
use crate::{
    Client, Effect, Error, Idempotency, ResponseValue,
    error::{Call, error_message},
    headers,
    telemetry::Drift,
    wire::{
        self,
        unknown::{self, Response},
    },
};

impl Client {
    /// Decodes a success response. A change may be answered without a body, which is a success with unknown content. A read
    /// without a body is an error.
    pub(super) fn decode<T: Response>(&self, mut call: Call, reply: Reply) -> Result<ResponseValue<T>, Error> {
        let shared = &self.inner.shared;
        let redact = |text| shared.api_key.redact(text);
        let Reply { status, headers, body } = reply;
        // Some servers send a byte order mark.
        let json = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&body);
        let decoded = if json.trim_ascii().is_empty() && call.operation.idempotency != Idempotency::Safe {
            Ok(None)
        } else if json.trim_ascii_start().starts_with(b"[") {
            // serde would decode an array as the members of the struct in their order.
            Err(serde::de::Error::invalid_type(Unexpected::Seq, &"an object"))
        } else if Drift::is_watched() {
            let (decoded, names) = unknown::collect(|| {
                unknown::record_members(T::MESSAGE, json);
                wire::from_slice(json)
            });
            shared.drift.report(call.operation, &redact, names);
            decoded.map(Some)
        } else {
            wire::from_slice(json).map(Some)
        };
        // A success without any member of the response may be an error that a gateway or a proxy sent with the wrong status.
        let is_empty = matches!(&decoded, Ok(Some(inner)) if *inner == T::default());
        if let Some(message) = is_empty.then(|| error_message(json)).flatten() {
            if call.operation.idempotency != Idempotency::Safe {
                call.effect = Effect::Unknown;
            }
            call.retryable = false;
            return Err(Error::incomplete(call, status, &format!("the body is an error: {}", redact(message))));
        }
        match decoded {
            Ok(inner) => Ok(ResponseValue {
                has_body: inner.is_some(),
                inner: inner.unwrap_or_default(),
                status,
                headers,
                generation: call.generation,
                correlation_id: call.correlation_id,
                attempts: call.attempts,
                uncertain: call.effect != Effect::None,
            }),
            Err(source) => {
                // Only a JSON object proves that the service answered: a proxy's sign-in page is a 200 too.
                let object = headers::is_json(&headers) && json.trim_ascii_start().starts_with(b"{");
                call.effect = match (call.operation.idempotency, source.classify()) {
                    (Idempotency::Safe, _) => Effect::None,
                    (_, Category::Data) if object => Effect::Applied,
                    _ => Effect::Unknown,
                };
                call.retryable = false;
                Err(Error::undecodable(call, status, &body, &source, redact))
            }
        }
    }
}
