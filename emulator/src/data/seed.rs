//! The incidents and the clock that an emulator starts with, kept so that it can be reset. It knows nothing of HTTP.

use chrono::{DateTime, Utc};

use super::samples;
use crate::domain::{
    clock::Clock,
    ids::Ids,
    state::{State, Stored},
};

/// Incidents to start with.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Given(Vec<Stored>),
    /// This many realistic ones, generated from a seed.
    Seeded(usize, u64),
}

#[derive(Debug)]
pub(crate) struct Seed {
    pub(crate) contents: Vec<Content>,
    /// When the emulator was started. Realistic incidents are dated relative to it.
    pub(crate) started: DateTime<Utc>,
    pub(crate) clock: Clock,
    /// The source of ids at the start.
    pub(crate) ids: Ids,
}

impl Seed {
    /// Creates the state at the start.
    pub(crate) fn state(&self) -> State {
        let incidents = self.contents.iter().flat_map(|content| match content {
            Content::Given(incidents) => incidents.clone(),
            Content::Seeded(count, seed) => samples::seeded(*count, *seed, self.started),
        });
        State::new(incidents, self.ids.clone())
    }
}
