//! Decodes success responses. This module must not know of attempts.

use serde::de::Unexpected;
use serde_json::error::Category;

use super::{Answers, attempt::Reply};
use crate::{
    Client, Effect, Error, Idempotency, ResponseValue,
    error::{Call, error_message},
    headers,
    telemetry::Drift,
    wire::{
        self,
        unknown::{self, Message, Response},
    },
};

/// The message of a response. [`Client::decode`] and its callers use it as a trait object, so that they are compiled once and not
/// for each message.
pub(super) trait Decode: Send {
    /// Decodes the message. If it fails, the message is what it was before.
    fn decode(&mut self, json: &[u8]) -> serde_json::Result<()>;
    /// The names of the message's members.
    fn described(&self) -> &'static Message;
    /// Whether no member is set.
    fn is_empty(&self) -> bool;
    /// Whether the message contains any of the incidents that the call named. `None` if it named none.
    fn answers(&self) -> Option<bool>;
}

/// What was received, and how to see whether it answers the call.
pub(super) struct Received<'a, T> {
    pub(super) message: T,
    pub(super) answers: Option<&'a Answers<'a, T>>,
}

impl<T: Response> Decode for Received<'_, T> {
    fn decode(&mut self, json: &[u8]) -> serde_json::Result<()> {
        self.message = wire::from_slice(json)?;
        Ok(())
    }

    fn described(&self) -> &'static Message {
        T::MESSAGE
    }

    fn is_empty(&self) -> bool {
        self.message == T::default()
    }

    fn answers(&self) -> Option<bool> {
        self.answers.map(|answers| answers(&self.message))
    }
}

impl Client {
    /// Decodes a success response. A change may be answered without a body, which is a success with unknown content. A read
    /// without a body is an error.
    pub(super) fn decode(
        &self,
        mut call: Call,
        reply: Reply,
        message: &mut dyn Decode,
    ) -> Result<ResponseValue<()>, Error> {
        let shared = &self.inner.shared;
        let redact = |text| shared.api_key.redact(text);
        let Reply { status, headers, body } = reply;
        // Some servers send a byte order mark.
        let json = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&body);
        let has_body = !json.trim_ascii().is_empty() || call.operation.idempotency == Idempotency::Safe;
        let decoded = if !has_body {
            Ok(())
        } else if json.trim_ascii_start().starts_with(b"[") {
            // serde would decode an array as the members of the struct in their order.
            Err(serde::de::Error::invalid_type(Unexpected::Seq, &"an object"))
        } else if Drift::is_watched() {
            let (decoded, names) = unknown::collect(|| {
                unknown::record_members(message.described(), json);
                message.decode(json)
            });
            shared.drift.report(call.operation, &redact, names);
            decoded
        } else {
            message.decode(json)
        };
        // A success without any member of the response may be an error that a gateway or a proxy sent with the wrong status.
        let is_empty = has_body && decoded.is_ok() && message.is_empty();
        if let Some(message) = is_empty.then(|| error_message(json)).flatten() {
            if call.operation.idempotency != Idempotency::Safe {
                call.effect = Effect::Unknown;
            }
            call.retryable = false;
            return Err(Error::incomplete(call, status, &format!("the body is an error: {}", redact(message))));
        }
        match decoded {
            Ok(()) => Ok(ResponseValue {
                inner: (),
                has_body,
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
