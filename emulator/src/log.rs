//! The log of received requests, for assertions. It knows nothing of how requests are answered.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use coralogix_incidents::ApiGeneration;

/// A request that the emulator received.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedRequest {
    /// When it was received, by the emulator's clock.
    pub received_at: DateTime<Utc>,
    /// The `operationId` of the operation. `None` for a path or method that no operation has.
    pub operation_id: Option<&'static str>,
    /// The API generation of the path.
    pub generation: Option<ApiGeneration>,
    /// The HTTP method.
    pub method: String,
    /// The path with its query, as received.
    pub path: String,
    /// The header `x-cx-correlation-id`.
    pub correlation_id: Option<String>,
    /// The incident ids that the request names, in its order, also if it was rejected.
    pub ids: Vec<String>,
    /// The owner of its API key, if the key is known.
    pub key_owner: Option<String>,
    /// The ids of the incidents that it changed. Empty if it repeated a change.
    pub changed: Vec<String>,
    /// How it was answered.
    pub answer: Answer,
}

/// How a request was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Answer {
    /// Not yet: it is being processed, or the client disconnected before it was answered.
    Pending,
    /// With a complete response of this status.
    Status(u16),
    /// With a response of this status whose body a fault cut off or stalled.
    Broken(u16),
    /// Never: a fault lost the response.
    Lost,
}

impl Answer {
    /// Returns the status, if one was sent.
    pub fn status(self) -> Option<u16> {
        match self {
            Self::Status(status) | Self::Broken(status) => Some(status),
            Self::Pending | Self::Lost => None,
        }
    }
}

/// The newest requests, up to a limit, because an emulator may run for days.
#[derive(Debug)]
pub(crate) struct Log {
    entries: Mutex<Entries>,
    limit: usize,
}

#[derive(Debug, Default)]
struct Entries {
    requests: VecDeque<LoggedRequest>,
    dropped: usize,
}

/// Identifies an entry until it is dropped from the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EntryId(usize);

impl Log {
    pub(crate) fn new(limit: usize) -> Self {
        Self { entries: Mutex::default(), limit: limit.max(1) }
    }

    pub(crate) fn begin(&self, request: LoggedRequest) -> EntryId {
        self.with(|entries| {
            if entries.requests.len() == self.limit {
                entries.requests.pop_front();
                entries.dropped += 1;
            }
            entries.requests.push_back(request);
            EntryId(entries.dropped + entries.requests.len() - 1)
        })
    }

    pub(crate) fn update(&self, EntryId(id): EntryId, update: impl FnOnce(&mut LoggedRequest)) {
        self.with(|entries| {
            if let Some(request) = id.checked_sub(entries.dropped).and_then(|index| entries.requests.get_mut(index)) {
                update(request);
            }
        });
    }

    /// Returns the newest requests, the oldest of them first.
    pub(crate) fn newest(&self, limit: usize) -> Vec<LoggedRequest> {
        self.with(|entries| {
            let skipped = entries.requests.len().saturating_sub(limit);
            entries.requests.iter().skip(skipped).cloned().collect()
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.with(|entries| entries.requests.len())
    }

    pub(crate) fn clear(&self) {
        self.with(|entries| {
            entries.dropped += entries.requests.len();
            entries.requests.clear();
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut Entries) -> T) -> T {
        work(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
