//! API keys: whose they are and what they allow. It knows nothing of HTTP or of what the operations do.

use std::{collections::BTreeSet, fmt};

use coralogix_incidents::Client;

/// An API key that the emulator accepts.
///
/// ```
/// use coralogix_incidents_emulator::Key;
///
/// let reader = Key::personal("cxup_reader", "dana.levi@example.com").with_permissions(["incidents:read"]);
/// let team = Key::team("cxtp_team", "payments");
/// # drop((reader, team));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    pub(crate) secret: String,
    pub(crate) owner: String,
    pub(crate) kind: Kind,
    pub(crate) permissions: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Personal,
    Team,
}

impl Key {
    /// A key that acts for a user, with all permissions.
    pub fn personal(secret: impl Into<String>, user_id: impl Into<String>) -> Self {
        Self::new(secret.into(), user_id.into(), Kind::Personal)
    }

    /// A key that belongs to a team, with all permissions. It is refused for assigning and acknowledging.
    pub fn team(secret: impl Into<String>, team: impl Into<String>) -> Self {
        Self::new(secret.into(), team.into(), Kind::Team)
    }

    fn new(secret: String, owner: String, kind: Kind) -> Self {
        Self { secret, owner, kind, permissions: all_permissions().map(str::to_owned).collect() }
    }

    /// Allows these and nothing else, by their names in the document, such as `incidents:read`.
    #[must_use]
    pub fn with_permissions<P: Into<String>>(mut self, permissions: impl IntoIterator<Item = P>) -> Self {
        self.permissions = permissions.into_iter().map(Into::into).collect();
        self
    }

    /// The user or the team that the key acts for.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    pub(crate) fn may_do_everything(&self) -> bool {
        self.kind == Kind::Personal && all_permissions().all(|permission| self.permissions.contains(permission))
    }
}

fn all_permissions() -> impl Iterator<Item = &'static str> {
    Client::operations().map(coralogix_incidents::Operation::permission)
}

/// Without the secret: a key in a test's output may be one of a real account.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secret: _, owner, kind, permissions } = self;
        f.debug_struct("Key")
            .field("owner", owner)
            .field("kind", kind)
            .field("permissions", permissions)
            .finish_non_exhaustive()
    }
}
