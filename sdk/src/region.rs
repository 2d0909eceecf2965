//! The regions of the service and their hosts.

use std::{fmt, str::FromStr};

use crate::{ConfigErrorKind, Error};

/// A region of the Coralogix platform. Use the one that your account is in.
/// [Source](https://coralogix.com/docs/user-guides/account-management/account-settings/coralogix-domain/).
///
/// ```
/// use coralogix_incidents::Region;
///
/// assert_eq!("us2".parse::<Region>()?, Region::Us2);
/// assert_eq!(Region::Us2.host(), "api.us2.coralogix.com");
/// # Ok::<(), coralogix_incidents::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum Region {
    /// Stockholm, the default. `api.coralogix.com` in the documentation is the older name of its host.
    #[default]
    Eu1,
    /// Europe, the second.
    Eu2,
    /// United States, the first.
    Us1,
    /// United States, the second.
    Us2,
    /// United States, the third.
    Us3,
    /// Asia Pacific, the first.
    Ap1,
    /// Asia Pacific, the second.
    Ap2,
    /// Asia Pacific, the third.
    Ap3,
}

impl Region {
    /// Every region.
    pub const ALL: &[Self] = &[Self::Eu1, Self::Eu2, Self::Us1, Self::Us2, Self::Us3, Self::Ap1, Self::Ap2, Self::Ap3];

    /// The region's name, such as `EU1`.
    pub fn as_str(self) -> &'static str {
        self.name_and_host().0
    }

    /// The host of the region's API.
    pub fn host(self) -> &'static str {
        self.name_and_host().1
    }

    fn name_and_host(self) -> (&'static str, &'static str) {
        match self {
            Self::Eu1 => ("EU1", "api.eu1.coralogix.com"),
            Self::Eu2 => ("EU2", "api.eu2.coralogix.com"),
            Self::Us1 => ("US1", "api.us1.coralogix.com"),
            Self::Us2 => ("US2", "api.us2.coralogix.com"),
            Self::Us3 => ("US3", "api.us3.coralogix.com"),
            Self::Ap1 => ("AP1", "api.ap1.coralogix.com"),
            Self::Ap2 => ("AP2", "api.ap2.coralogix.com"),
            Self::Ap3 => ("AP3", "api.ap3.coralogix.com"),
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Region {
    type Err = Error;

    /// Reads the name of a region, or its older name (`EUROPE1`, `USA1`, `APAC1` and so on), in any case. An unknown name is an
    /// error and never becomes part of a host name: a typing error must not send a key to an unknown host.
    fn from_str(name: &str) -> Result<Self, Error> {
        let given = name.trim().to_ascii_uppercase();
        let older = [("EUROPE", "EU"), ("USA", "US"), ("APAC", "AP")];
        let renamed = older.iter().find_map(|(old, new)| Some([new, given.strip_prefix(old)?].concat()));
        let given = renamed.unwrap_or(given);
        let region = Self::ALL.iter().copied().find(|region| region.as_str() == given);
        region.ok_or_else(|| {
            let name: String = name.chars().take(64).collect();
            let known: Vec<&str> = Self::ALL.iter().map(|region| region.as_str()).collect();
            let message = format!("unknown region `{}`: the regions are {}", name.escape_debug(), known.join(", "));
            Error::config(ConfigErrorKind::UnknownRegion, message)
        })
    }
}
