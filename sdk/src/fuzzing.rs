//! What the fuzz targets reach of this crate beside its public interface. Only they see it: it exists under `cfg(fuzzing)`.
#![allow(missing_docs, reason = "not part of the public interface")]

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::{ApiKey, Error, error::Call};

/// The error that a response is made into; `None` where status or content type can't be HTTP's.
pub fn api_error(key: &ApiKey, status: u16, content_type: &[u8], body: &[u8]) -> Option<Error> {
    let status = StatusCode::from_u16(status).ok()?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_bytes(content_type).ok()?);
    let redact = |text| key.redact(text);
    Some(Error::status_error(Call::example(), status, &headers, &Bytes::copy_from_slice(body), redact))
}

/// What a client waits for after a response with this `Retry-After`.
pub fn retry_after(value: &[u8], now: SystemTime) -> Option<Duration> {
    let mut headers = HeaderMap::new();
    headers.insert(header::RETRY_AFTER, HeaderValue::from_bytes(value).ok()?);
    crate::headers::retry_after(&headers, now)
}
