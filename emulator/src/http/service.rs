//! What all requests of one emulator share. It knows nothing of routes.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use chrono::{DateTime, Utc};
use coralogix_incidents::ApiGeneration;

use super::{auth::Key, quirk::Quirk, response::GatewayStyle};
use crate::{
    data::seed::Seed,
    domain::{clock::Clock, state::State},
    faults::schedule::FaultSchedule,
    log::Log,
    proto_json::json_writer::Format,
};

#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) seed: Seed,
    pub(crate) state: RwLock<State>,
    pub(crate) generations: Vec<ApiGeneration>,
    pub(crate) keys: HashMap<String, Key>,
    pub(crate) faults: FaultSchedule,
    pub(crate) log: Log,
    pub(crate) clock: RwLock<Clock>,
    pub(crate) format: Format,
    pub(crate) gateway: GatewayStyle,
    pub(crate) quirks: Vec<Quirk>,
    pub(crate) latency: Duration,
    pub(crate) max_body_bytes: usize,
}

impl Service {
    pub(crate) fn read_state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    pub(crate) fn write_state(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_clock(&self, clock: Clock) {
        *self.clock.write().unwrap_or_else(PoisonError::into_inner) = clock;
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock().now()
    }

    /// Goes back to the incidents that the emulator was started with.
    pub(crate) fn reset(&self) {
        let state = self.seed.state();
        *self.write_state() = state;
    }
}
