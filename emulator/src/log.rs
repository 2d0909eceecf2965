//! The log of received requests, for assertions. It knows nothing of how requests are answered.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
    entries: Mutex<VecDeque<Entry>>,
    limit: usize,
}

/// A request in the log.
#[derive(Debug, Clone)]
pub(crate) struct Entry(Arc<Mutex<LoggedRequest>>);

impl Entry {
    pub(crate) fn update(&self, update: impl FnOnce(&mut LoggedRequest)) {
        update(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn set_answer(&self, answer: Answer) {
        self.update(|request| request.answer = answer);
    }

    fn get(&self) -> LoggedRequest {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Log {
    pub(crate) fn new(limit: usize) -> Self {
        Self { entries: Mutex::default(), limit }
    }

    pub(crate) fn begin(&self, request: LoggedRequest) -> Entry {
        let entry = Entry(Arc::new(Mutex::new(request)));
        let mut entries = self.entries();
        if entries.len() == self.limit {
            entries.pop_front();
        }
        entries.push_back(entry.clone());
        entry
    }

    /// Returns the newest requests, the oldest of them first.
    pub(crate) fn newest(&self, limit: usize) -> Vec<LoggedRequest> {
        let entries = self.entries();
        let skipped = entries.len().saturating_sub(limit);
        entries.iter().skip(skipped).map(Entry::get).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries().len()
    }

    pub(crate) fn clear(&self) {
        self.entries().clear();
    }

    fn entries(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
