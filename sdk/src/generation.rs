//! The generations of the service's API, and how a client finds the one that its account is served by. It knows their names,
//! and nothing of paths or connections.

use std::{
    fmt,
    str::FromStr,
    sync::atomic::{AtomicBool, AtomicU8, Ordering},
};

use crate::{ConfigErrorKind, Error};

/// A generation of the service's paths. The messages of both are the same.
///
/// A client finds out by itself which one the service answers: see
/// [`ClientBuilder::api_generation`](crate::ClientBuilder::api_generation). Operations that exist in one generation only are
/// sent there; [`Operation::binding`](crate::Operation::binding) shows which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ApiGeneration {
    /// Paths below `/v1`, as the documented page of `POST /v1/incidents:unassign` has them.
    V1,
    /// Paths below `/5`, which the vendor's documentation and tools use today.
    V5,
}

impl ApiGeneration {
    /// Every generation, in the order in which a client tries them.
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

    /// Reads `v1` or `v5`, or the bare number, in any case.
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

/// Which generation a client and all its clones use.
#[derive(Debug)]
pub(crate) struct Generations {
    /// As configured, by the builder or by the base URL.
    fixed: Option<ApiGeneration>,
    /// The last that answered. They stand alone: no other memory is published with them.
    found: AtomicU8,
    v1_reads_bodies: AtomicBool,
}

const NOT_FOUND_YET: u8 = 0;

impl Generations {
    pub(crate) fn new(fixed: Option<ApiGeneration>) -> Self {
        Self { fixed, found: AtomicU8::new(NOT_FOUND_YET), v1_reads_bodies: AtomicBool::new(false) }
    }

    /// The generation in use; `None` as long as none has answered.
    pub(crate) fn current(&self) -> Option<ApiGeneration> {
        let found = || self.found.load(Ordering::Relaxed);
        self.fixed.or_else(|| ApiGeneration::ALL.iter().copied().find(|generation| code(*generation) == found()))
    }

    /// Whether a call may go to another generation than the current one.
    pub(crate) fn may_change(&self) -> bool {
        self.fixed.is_none()
    }

    /// Remembers the generation that answered.
    pub(crate) fn answered(&self, generation: ApiGeneration) {
        self.found.store(code(generation), Ordering::Relaxed);
    }

    /// Whether a V1 reply has held incidents that a body asked for: then the gateway does not drop bodies.
    pub(crate) fn v1_reads_bodies(&self) -> bool {
        self.v1_reads_bodies.load(Ordering::Relaxed)
    }

    pub(crate) fn v1_has_read_a_body(&self) {
        self.v1_reads_bodies.store(true, Ordering::Relaxed);
    }
}

fn code(generation: ApiGeneration) -> u8 {
    match generation {
        ApiGeneration::V1 => 1,
        ApiGeneration::V5 => 5,
    }
}
