//! A TCP connection that can be closed or reset on demand. It knows nothing of HTTP.

use std::{
    io,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// How a connection is ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Disconnect {
    /// With FIN: the peer sees the end of the stream.
    Close,
    /// With RST: the peer sees an error.
    Reset,
}

/// A handle to end a connection, shared between the connection and the handlers of its requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConnectionControl(Arc<OnceLock<Disconnect>>);

impl ConnectionControl {
    /// Ends the connection once everything written so far is sent.
    pub(crate) fn disconnect(&self, how: Disconnect) {
        // The first request to end the connection ends it.
        let _ = self.0.set(how);
    }
}

/// A TCP stream that obeys its [`ConnectionControl`].
#[derive(Debug)]
pub(crate) struct ControlledStream {
    stream: TcpStream,
    control: ConnectionControl,
}

impl ControlledStream {
    pub(crate) fn new(stream: TcpStream, control: ConnectionControl) -> Self {
        Self { stream, control }
    }
}

impl AsyncRead for ControlledStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for ControlledStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    /// hyper flushes whenever a request's handler or a response's body has nothing more for now. An error makes it drop the
    /// connection at once.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        let Some(&how) = self.control.0.get() else { return Poll::Ready(Ok(())) };
        if how == Disconnect::Reset {
            // Closing a socket with a linger time of zero sends a reset.
            self.stream.set_zero_linger()?;
        }
        Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
