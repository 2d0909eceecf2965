//! A TCP connection that can be told to break. It knows nothing of HTTP.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// How a connection ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Break {
    /// In order (FIN): the peer sees the end of the stream.
    Close,
    /// With a reset (RST): the peer sees an error.
    Reset,
}

/// Tells a connection to break. Shared between the connection and whoever handles its requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line(Arc<AtomicU8>);

impl Line {
    /// Once everything written so far is sent, the connection breaks.
    pub(crate) fn break_off(&self, how: Break) {
        self.0.store(if how == Break::Close { 1 } else { 2 }, Ordering::Release);
    }

    fn ordered(&self) -> Option<Break> {
        match self.0.load(Ordering::Acquire) {
            0 => None,
            1 => Some(Break::Close),
            _ => Some(Break::Reset),
        }
    }
}

/// The connection's side of a [`Line`].
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    line: Line,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, line: Line) -> Self {
        Self { stream, line }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes whenever a request's handler or a response's body has nothing more for now. An error makes it drop the
    /// connection without another word, which is what was ordered.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        let Some(how) = self.line.ordered() else { return Poll::Ready(Ok(())) };
        if how == Break::Reset {
            // Closing a socket that lingers for no time at all sends a reset.
            self.stream.set_zero_linger()?;
        }
        Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
