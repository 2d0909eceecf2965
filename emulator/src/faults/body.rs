//! Response bodies that are chunked, cut off or stalled. It knows nothing of what they contain.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::time::{Sleep, sleep};

use crate::net::connection::{ConnectionControl, Disconnect};

/// A body, or the first part of one, that is sent in chunks unless a header announces its length.
pub(crate) struct ControlledBody {
    part: Option<Bytes>,
    ending: Ending,
    pause: Option<Pin<Box<Sleep>>>,
}

/// What follows the part of a body.
pub(crate) enum Ending {
    Complete,
    /// Nothing, and the connection is ended.
    Disconnect(Disconnect, ConnectionControl),
    /// Nothing, and the connection stays open.
    Stall,
}

impl ControlledBody {
    pub(crate) fn new(part: Bytes, ending: Ending) -> Self {
        Self { part: Some(part), ending, pause: None }
    }
}

/// How long the peer gets to read what was sent before a reset, which may discard what it has not read yet.
const RESET_DELAY: Duration = Duration::from_millis(20);

impl Body for ControlledBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Self { part, ending, pause } = &mut *self;
        if let Some(part) = part.take().filter(|part| !part.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        match ending {
            Ending::Complete => return Poll::Ready(None),
            Ending::Disconnect(how, connection) => {
                let delay = if *how == Disconnect::Reset { RESET_DELAY } else { Duration::ZERO };
                ready!(pause.get_or_insert_with(|| Box::pin(sleep(delay))).as_mut().poll(cx));
                connection.disconnect(*how);
                *ending = Ending::Stall;
            }
            Ending::Stall => {}
        }
        Poll::Pending
    }
}
