//! The generations of the service's API. It knows their names, and nothing of paths.

use std::{fmt, str::FromStr};

use crate::{ConfigErrorKind, Error};

/// Which of the service's paths a client speaks. The messages are the same.
///
/// V1 is the default, for it is the documented contract of this SDK and has all operations. The vendor's documentation of
/// today shows generation 5, which has ten of the fourteen; an account that no longer routes V1 answers with an error whose
/// [`is_unknown_route`](Error::is_unknown_route) holds and whose message names the other generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ApiGeneration {
    /// Paths below `/v1`: every operation.
    #[default]
    V1,
    /// Paths below `/5`: ten operations. The others are refused before a request is sent.
    V5,
}

impl ApiGeneration {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::V1 => Self::V5,
            Self::V5 => Self::V1,
        }
    }
}

impl fmt::Display for ApiGeneration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 => "v1",
            Self::V5 => "v5",
        })
    }
}

impl FromStr for ApiGeneration {
    type Err = Error;

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
