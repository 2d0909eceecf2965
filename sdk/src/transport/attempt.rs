//! One attempt: sends a request and reads its response, with limits of time and size. This module must not know of retries.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::saturating_deadline;
use crate::{Client, TransportErrorKind, headers, retry::RetryClass};

/// How much of an error body is read, in bytes.
const MAX_ERROR_BODY: usize = 64 * 1024;
/// How much memory is reserved for a response in advance, in bytes.
const MAX_RESERVED: usize = 1024 * 1024;

/// A response with its complete body.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why an attempt has no usable success response.
pub(super) enum AttemptError {
    Transport {
        kind: TransportErrorKind,
        status: Option<StatusCode>,
        source: Option<reqwest::Error>,
    },
    /// A response with an error status.
    Status(Box<Reply>),
    /// The body exceeds the size limit. `json` is whether its content type is JSON: only then did the service send it.
    TooLarge {
        status: StatusCode,
        json: bool,
    },
    /// The body has this content coding, which was not accepted.
    Encoded(StatusCode, String),
    /// The application's own HTTP client followed a redirect to this URL.
    Redirected(StatusCode, String),
    /// The application's own HTTP client refused the request, for example because it allows only https.
    Unsendable(reqwest::Error),
}

impl AttemptError {
    pub(super) fn retry_class(&self) -> RetryClass {
        match self {
            Self::Transport { kind, .. } => RetryClass::Transport(*kind),
            Self::Status(reply) => RetryClass::of_response(reply.status, &reply.body),
            Self::TooLarge { .. } | Self::Encoded(..) | Self::Redirected(..) | Self::Unsendable(_) => {
                RetryClass::Unusable
            }
        }
    }
}

impl Client {
    /// Sends one request and reads its response. The attempt ends at `limit`.
    pub(super) async fn attempt(
        &self,
        response: impl Future<Output = reqwest::Result<reqwest::Response>>,
        url: &Url,
        limit: Instant,
    ) -> Result<Reply, AttemptError> {
        let mut response = self.with_read_timeout(limit, None, response).await?;
        let status = response.status();
        if response.url() != url {
            let to = response.url();
            return Err(AttemptError::Redirected(status, [to.authority(), to.path()].concat()));
        }
        let headers = std::mem::take(response.headers_mut());
        if status.is_success() {
            let body = self.read(&mut response, &headers, limit).await?;
            return Ok(Reply { status, headers, body });
        }
        // The status decides, so the body of an error response may be incomplete or late.
        let mut body = BytesMut::new();
        while let Ok(Some(chunk)) = self.with_read_timeout(limit, None, response.chunk()).await {
            body.extend_from_slice(&chunk);
            if body.len() >= MAX_ERROR_BODY {
                break;
            }
        }
        Err(AttemptError::Status(Box::new(Reply { status, headers, body: body.freeze() })))
    }

    /// Waits for the next part of the response until `limit`, but no longer than the read timeout.
    async fn with_read_timeout<T>(
        &self,
        limit: Instant,
        status: Option<StatusCode>,
        next: impl Future<Output = reqwest::Result<T>>,
    ) -> Result<T, AttemptError> {
        let limit = saturating_deadline(Instant::now(), self.inner.shared.read_timeout).min(limit);
        match timeout_at(limit, next).await {
            Ok(next) => next.map_err(|error| AttemptError::from_reqwest(error, status)),
            Err(_) => Err(AttemptError::Transport { kind: TransportErrorKind::Timeout, status, source: None }),
        }
    }

    /// Reads the body of a successful response, up to the size limit.
    async fn read(
        &self,
        response: &mut reqwest::Response,
        headers: &HeaderMap,
        until: Instant,
    ) -> Result<Bytes, AttemptError> {
        let status = response.status();
        let coding = headers::content_coding(headers);
        let limit = self.inner.shared.max_response_bytes;
        let expected = response.content_length().and_then(|length| usize::try_from(length).ok());
        let too_large = || AttemptError::TooLarge { status, json: headers::is_json(headers) };
        if coding.is_none() && expected.is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let mut first = Bytes::new();
        let mut body: Option<BytesMut> = None;
        while let Some(chunk) = self.with_read_timeout(until, Some(status), response.chunk()).await? {
            // The encoding of an empty body does not matter.
            if let Some(coding) = coding.as_ref().filter(|_| !chunk.is_empty()) {
                return Err(AttemptError::Encoded(status, coding.clone()));
            }
            let read = body.as_ref().map_or(first.len(), BytesMut::len);
            if chunk.len() > limit - read {
                return Err(too_large());
            }
            // Most bodies arrive in one chunk, which needs no copy.
            if read == 0 {
                first = chunk;
            } else {
                let body = body.get_or_insert_with(|| {
                    // The length that a server announces is not trusted beyond this limit.
                    let mut body = BytesMut::with_capacity(expected.unwrap_or(2 * read).min(MAX_RESERVED).max(read));
                    body.extend_from_slice(&first);
                    body
                });
                body.extend_from_slice(&chunk);
            }
        }
        Ok(body.map_or(first, BytesMut::freeze))
    }
}
