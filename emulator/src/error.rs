//! The error of starting and configuring an emulator.

use std::{error, fmt, io, net::SocketAddr};

/// Why an emulator could not be started, or why a fault could not be injected.
#[derive(Debug)]
pub struct StartError {
    message: String,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

impl StartError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    pub(crate) fn with_source(
        message: impl Into<String>,
        source: impl Into<Box<dyn error::Error + Send + Sync>>,
    ) -> Self {
        Self { message: message.into(), source: Some(source.into()) }
    }

    /// An operation of the document that the emulator cannot serve.
    pub(crate) fn operation(id: &str, problem: &str) -> Self {
        Self::new(format!("cannot serve operation `{id}` of the OpenAPI document: {problem}"))
    }

    /// A failed operation on the listening socket: `verb` completes "cannot ... ADDRESS".
    pub(crate) fn socket(verb: &str, address: SocketAddr, source: io::Error) -> Self {
        Self::with_source(format!("cannot {verb} {address}"), source)
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for StartError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as _)
    }
}
