//! The generations of the API, and the one that a client has found. This module must not know of paths or connections.

use std::{
    fmt,
    str::FromStr,
    sync::atomic::{AtomicBool, AtomicU8, Ordering},
};

use crate::{ConfigErrorKind, Error};

/// A generation of the API's paths. Both generations have the same messages.
///
/// A client finds the generation by itself; see
/// [`ClientBuilder::api_generation`](crate::ClientBuilder::api_generation). An operation that only one generation has is always
/// sent in that generation; [`Operation::binding`](crate::Operation::binding) shows which operations those are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ApiGeneration {
    /// Paths below `/v1`, as the documented page of `POST /v1/incidents:unassign` has them.
    V1,
    /// Paths below `/5`, which the vendor's documentation and tools use today.
    V5,
}

impl ApiGeneration {
    /// All generations, in the order in which a client tries them.
    pub const ALL: &[Self] = &[Self::V1, Self::V5];

    /// The generation's name: `v1` or `v5`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V5 => "v5",
        }
    }
}

impl fmt::Display for ApiGeneration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ApiGeneration {
    type Err = Error;

    /// Parses `v1` or `v5`, or the number alone, in upper or lower case.
    fn from_str(name: &str) -> Result<Self, Error> {
        match name.trim().to_ascii_lowercase().as_str() {
            "v1" | "1" => Ok(Self::V1),
            "v5" | "5" => Ok(Self::V5),
            _ => {
                let message = format!("unknown API generation `{}`: it is v1 or v5", name.escape_debug());
                Err(Error::config(ConfigErrorKind::UnknownApiGeneration, message))
            }
        }
    }
}

/// The generation that a client and all its clones use.
#[derive(Debug)]
pub(crate) struct Generations {
    /// The generation set by the builder or by the base URL.
    fixed: Option<ApiGeneration>,
    /// The generation that answered last. Relaxed ordering is enough, because no other memory depends on the value.
    found: AtomicU8,
    v1_reads_bodies: AtomicBool,
}

const NOT_FOUND_YET: u8 = u8::MAX;

impl Generations {
    pub(crate) fn new(fixed: Option<ApiGeneration>) -> Self {
        Self { fixed, found: AtomicU8::new(NOT_FOUND_YET), v1_reads_bodies: AtomicBool::new(false) }
    }

    /// The generation in use. `None` if none has answered yet.
    pub(crate) fn current(&self) -> Option<ApiGeneration> {
        let found = self.found.load(Ordering::Relaxed);
        self.fixed.or_else(|| ApiGeneration::ALL.iter().copied().find(|generation| *generation as u8 == found))
    }

    /// Whether a call may be sent in another generation than the current one.
    pub(crate) fn may_change(&self) -> bool {
        self.fixed.is_none()
    }

    /// Remembers the generation that answered.
    pub(crate) fn answered(&self, generation: ApiGeneration) {
        self.found.store(generation as u8, Ordering::Relaxed);
    }

    /// Whether a V1 reply has contained incidents named in the body of its request, so that the gateway reads bodies.
    pub(crate) fn v1_reads_bodies(&self) -> bool {
        self.v1_reads_bodies.load(Ordering::Relaxed)
    }

    pub(crate) fn v1_has_read_a_body(&self) {
        self.v1_reads_bodies.store(true, Ordering::Relaxed);
    }
}
