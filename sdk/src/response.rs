//! A decoded response.

use std::{
    fmt,
    ops::{Deref, DerefMut},
};

use http::{HeaderMap, StatusCode};

use crate::{ApiGeneration, correlation_id::CorrelationId};

/// The decoded body of a successful response, with its status and headers. It dereferences to the body.
#[derive(Clone)]
pub struct ResponseValue<T> {
    pub(crate) inner: T,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) has_body: bool,
    pub(crate) generation: ApiGeneration,
    pub(crate) correlation_id: CorrelationId,
    pub(crate) attempts: u32,
    /// Whether the service may still be processing an earlier attempt of the call.
    pub(crate) uncertain: bool,
}

impl<T> ResponseValue<T> {
    /// Returns the decoded body.
    pub fn into_inner(self) -> T {
        self.inner
    }

    pub(crate) fn map<U>(self, body: impl FnOnce(T) -> U) -> ResponseValue<U> {
        let Self { inner, status, headers, has_body, generation, correlation_id, attempts, uncertain } = self;
        ResponseValue { inner: body(inner), status, headers, has_body, generation, correlation_id, attempts, uncertain }
    }

    /// The HTTP status, of the 2xx class.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The response's headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Whether the response had a body. A gateway may answer a change with a success status and no body. The change was made,
    /// but this value is empty and says nothing about the incidents: read them to see their state.
    pub fn has_body(&self) -> bool {
        self.has_body
    }

    /// The API generation that answered.
    pub fn api_generation(&self) -> ApiGeneration {
        self.generation
    }

    /// The `x-cx-correlation-id` that the call was sent with, by which Coralogix support can find it.
    pub fn correlation_id(&self) -> &str {
        self.correlation_id.as_str()
    }

    /// How many requests were sent: one, plus one for each retry, plus one if another API generation was tried.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }
}

/// Omits the headers, because a gateway may repeat the headers of the request, and so the API key, in them.
impl<T: fmt::Debug> fmt::Debug for ResponseValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseValue")
            .field("inner", &self.inner)
            .field("status", &self.status)
            .field("correlation_id", &self.correlation_id)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

impl<T> Deref for ResponseValue<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> DerefMut for ResponseValue<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}
