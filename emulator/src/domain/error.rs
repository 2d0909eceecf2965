//! Why the service rejects a request. It knows nothing of HTTP.

/// A rejected request, with a message for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// A member of the request has a value that the service does not accept.
    InvalidArgument(String),
    /// The requested incident does not exist.
    NotFound(String),
}

impl Rejection {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidArgument(message.into())
    }
}
