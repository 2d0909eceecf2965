//! The id by which the service's logs name a call. This module must not know of calls.

use std::fmt;

use http::HeaderValue;
use uuid::fmt::Hyphenated;

/// A random UUID as text. It is copied with a call, which a `String` would allocate for.
#[derive(Clone, Copy)]
pub(crate) struct CorrelationId([u8; Hyphenated::LENGTH]);

impl CorrelationId {
    /// The id only has to be unique, not secret, so that a fast random number generator will do.
    pub(crate) fn random() -> Self {
        let uuid = uuid::Builder::from_random_bytes(fastrand::u128(..).to_ne_bytes()).into_uuid();
        let mut text = [0; Hyphenated::LENGTH];
        uuid.hyphenated().encode_lower(&mut text);
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The id as a header value. Hexadecimal digits and hyphens are allowed there.
    pub(crate) fn header_value(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.0).unwrap_or(HeaderValue::from_static(""))
    }
}

impl fmt::Debug for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
