//! The kinds of errors. This module must not know of single calls.

use std::fmt;

use http::StatusCode;

/// The kind of an error, returned by [`Error::kind`](crate::Error::kind).
///
/// New kinds may be added in any release, so a `match` needs a wildcard arm. `Display` writes a short name of low cardinality,
/// such as `503` or `connect_timeout`, which is also the value of `error.type` in this crate's spans.
///
/// ```
/// use coralogix_incidents::{Client, ConfigErrorKind, ErrorKind};
///
/// let error = Client::builder().build().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Config(ConfigErrorKind::MissingApiKey));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client cannot be built as configured. Nothing was sent.
    Config(ConfigErrorKind),
    /// The request violates a limit of the API. Nothing was sent.
    InvalidRequest,
    /// No complete response was received.
    Transport(TransportErrorKind),
    /// The response has an error status. It comes from the service or from a proxy in front of it.
    Status(StatusCode),
    /// The response has a success status, but its body cannot be read.
    UndecodableResponse,
    /// The response has a success status and was read, but it does not say what became of the request.
    IncompleteResponse,
    /// The response has a success status, but its body is larger than
    /// [`max_response_bytes`](crate::ClientBuilder::max_response_bytes).
    ResponseTooLarge,
    /// An HTTP client given to [`http_client`](crate::ClientBuilder::http_client) followed a redirect, so the response is not
    /// from the host that was called.
    RedirectFollowed,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Config(_) => "config",
            Self::InvalidRequest => "invalid_request",
            Self::Transport(kind) => kind.as_str(),
            Self::Status(status) => status.as_str(),
            Self::UndecodableResponse => "undecodable_response",
            Self::IncompleteResponse => "incomplete_response",
            Self::ResponseTooLarge => "response_too_large",
            Self::RedirectFollowed => "redirect_followed",
        })
    }
}

/// Which part of a client's configuration is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// There is no API key.
    MissingApiKey,
    /// The API key is empty or cannot be sent in an HTTP header.
    InvalidApiKey,
    /// There is no region of this name.
    UnknownRegion,
    /// There is no API generation of this name.
    UnknownApiGeneration,
    /// The domain is not a domain name.
    InvalidDomain,
    /// The base URL is not valid.
    InvalidBaseUrl,
    /// The base URL is `http://` to another machine, and
    /// [`danger_allow_plain_http`](crate::ClientBuilder::danger_allow_plain_http) was not called.
    PlainHttp,
    /// Environment variables contradict each other.
    ConflictingVariables,
    /// An environment variable is not valid UTF-8.
    InvalidVariable,
    /// The suffix of the user agent cannot be sent in an HTTP header.
    InvalidUserAgent,
    /// TLS cannot be set up, or this build has none.
    Tls,
    /// The system has no root certificates, so no `https://` host can be trusted. Reported by calls, not by
    /// [`ClientBuilder::build`](crate::ClientBuilder::build).
    RootCertificates,
    /// The HTTP client cannot be built.
    HttpClient,
}

/// What went wrong before a complete response was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection: the host's name has no address, or the host refused the connection. Nothing was sent.
    Connect,
    /// No connection within the connect timeout. Nothing was sent.
    ConnectTimeout,
    /// No trusted TLS session. Nothing was sent.
    Tls,
    /// No complete response within the read, attempt or total timeout.
    Timeout,
    /// The connection ended before the response was complete.
    Reset,
    /// What was received is not valid HTTP.
    Protocol,
}

impl TransportErrorKind {
    /// The kind's name in telemetry (`error.type`), such as `connect_timeout`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::ConnectTimeout => "connect_timeout",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Protocol => "protocol",
        }
    }

    pub(crate) fn is_timeout(self) -> bool {
        matches!(self, Self::ConnectTimeout | Self::Timeout)
    }

    /// Whether it happened before a byte of the request was sent.
    pub(crate) fn is_unsent(self) -> bool {
        matches!(self, Self::Connect | Self::ConnectTimeout | Self::Tls)
    }
}

/// Whether a failed call changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing was changed: the request was never sent, or it was refused.
    None,
    /// Not known: a request was sent, or may have been sent, and no response says what became of it. The service may still be
    /// working on it, so an incident that is read now may change again.
    Unknown,
    /// The change was made: the service reported success in JSON.
    Applied,
}
