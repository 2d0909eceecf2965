//! Response bodies that are chunked, cut off or stalled. It knows nothing of what they contain.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use crate::net::connection::{ConnectionControl, Disconnect};

/// A complete body whose length is not announced, so that it is sent in chunks.
pub(crate) struct ChunkedBody(Option<Bytes>);

impl ChunkedBody {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(Some(bytes.into()))
    }
}

impl Body for ChunkedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// What follows the first part of an incomplete body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Disconnect(Disconnect),
    Stall,
}

/// The first part of a body, followed by a disconnect or by nothing.
pub(crate) struct IncompleteBody {
    part: Option<Bytes>,
    ending: Ending,
    connection: ConnectionControl,
    pause: Option<Pin<Box<Sleep>>>,
}

impl IncompleteBody {
    pub(crate) fn new(part: Bytes, ending: Ending, connection: ConnectionControl) -> Self {
        Self { part: Some(part), ending, connection, pause: None }
    }
}

/// How long the peer gets to read what was sent before a reset, which may discard what it has not read yet.
const RESET_DELAY: Duration = Duration::from_millis(20);

impl Body for IncompleteBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(part) = self.part.take().filter(|part| !part.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        if let Ending::Disconnect(how) = self.ending {
            let pause = if how == Disconnect::Reset { RESET_DELAY } else { Duration::ZERO };
            ready!(self.pause.get_or_insert_with(|| Box::pin(sleep(pause))).as_mut().poll(cx));
            self.connection.disconnect(how);
            self.ending = Ending::Stall;
        }
        Poll::Pending
    }
}
