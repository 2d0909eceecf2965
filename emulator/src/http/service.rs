//! What all requests of one emulator share. It knows nothing of routes.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use super::{auth::Key, response::GatewayStyle};
use crate::{
    domain::{clock::Clock, state::State},
    faults::schedule::FaultSchedule,
    log::Log,
    proto_json::json_writer::Format,
};

#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) state: RwLock<State>,
    pub(crate) keys: HashMap<String, Key>,
    pub(crate) faults: FaultSchedule,
    pub(crate) log: Log,
    pub(crate) clock: Clock,
    pub(crate) format: Format,
    pub(crate) gateway: GatewayStyle,
    pub(crate) latency: Duration,
    pub(crate) max_body_bytes: usize,
}

impl Service {
    pub(crate) fn read_state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write_state(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}
