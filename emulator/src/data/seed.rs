//! The incidents that an emulator begins with, kept so that it can begin anew. It knows nothing of HTTP.

use chrono::{DateTime, Utc};

use super::samples;
use crate::domain::{
    ids::Ids,
    state::{State, Stored},
};

/// Incidents to begin with.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Given(Vec<Stored>),
    /// So many realistic ones, from this seed.
    Seeded(usize, u64),
}

#[derive(Debug)]
pub(crate) struct Seed {
    pub(crate) contents: Vec<Content>,
    /// When the emulator was started: realistic incidents are dated by it.
    pub(crate) started: DateTime<Utc>,
    /// The source of ids as it was at the start.
    pub(crate) ids: Ids,
}

impl Seed {
    /// The state at the start.
    pub(crate) fn state(&self) -> State {
        let incidents = self.contents.iter().flat_map(|content| match content {
            Content::Given(incidents) => incidents.clone(),
            Content::Seeded(count, seed) => samples::seeded(*count, *seed, self.started),
        });
        State::new(incidents, self.ids.clone())
    }
}
