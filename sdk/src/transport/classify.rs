//! Maps errors of reqwest to kinds of transport errors.

use std::io::ErrorKind;

use http::StatusCode;

use super::attempt::AttemptError;
use crate::TransportErrorKind;

impl AttemptError {
    /// Classifies an error of reqwest.
    pub(super) fn from_reqwest(error: reqwest::Error, status: Option<StatusCode>) -> Self {
        if error.is_builder() {
            return Self::Unsendable(error);
        }
        let kind = match (error.is_timeout(), error.is_connect()) {
            (true, true) => TransportErrorKind::ConnectTimeout,
            (true, false) => TransportErrorKind::Timeout,
            (false, true) if is_tls(&error) => TransportErrorKind::Tls,
            (false, true) => TransportErrorKind::Connect,
            (false, false) if is_protocol(&error) && !is_tls(&error) => TransportErrorKind::Protocol,
            (false, false) => TransportErrorKind::Reset,
        };
        // The URL may contain incident ids, and our error names the host.
        Self::Transport { kind, status, source: Some(error.without_url()) }
    }
}

fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |error| match error.downcast_ref::<std::io::Error>() {
        // An `io::Error` skips the error it wraps when asked for its source.
        Some(io) => io.get_ref().map(|inner| inner as _).or_else(|| error.source()),
        None => error.source(),
    })
}

fn is_tls(error: &reqwest::Error) -> bool {
    #[cfg(feature = "rustls")]
    if chain(error).any(<dyn std::error::Error>::is::<rustls::Error>) {
        return true;
    }
    // The error types of the platform's library are not in our dependencies, so its texts are searched.
    cfg!(feature = "native-tls")
        && chain(error).any(|error| error.to_string().contains("certificate") || error.to_string().contains("SSL"))
}

fn is_protocol(error: &reqwest::Error) -> bool {
    // An invalid head is a parse error, and an invalid chunk is invalid data. So are errors of TLS, which the caller excludes.
    let is_malformed =
        |error: &std::io::Error| matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::InvalidInput);
    chain(error).any(|error| {
        error.downcast_ref().is_some_and(hyper::Error::is_parse) || error.downcast_ref().is_some_and(is_malformed)
    })
}
