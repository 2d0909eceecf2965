//! API keys: who they belong to, what they allow, and whether a request may proceed. It knows nothing of what operations do.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
};

use axum::http::{HeaderMap, StatusCode, header};
use coralogix_incidents::{Client, Operation};

use super::response::HttpError;

/// An API key that the emulator accepts.
///
/// ```
/// use coralogix_incidents_emulator::Key;
///
/// let reader = Key::personal("cxup_reader", "dana.levi@example.com")
///     .with_permissions(["incidents:read"]);
/// let team = Key::team("cxtp_team", "payments");
/// # drop((reader, team));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    pub(crate) secret: String,
    owner: String,
    kind: Kind,
    permissions: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Personal,
    Team,
}

impl Key {
    /// Creates a key that acts for a user, with all permissions.
    pub fn personal(secret: impl Into<String>, user_id: impl Into<String>) -> Self {
        Self::new(secret.into(), user_id.into(), Kind::Personal)
    }

    /// Creates a key that belongs to a team, with all permissions. Operations that need a personal key, such as assigning and
    /// acknowledging, refuse it.
    pub fn team(secret: impl Into<String>, team: impl Into<String>) -> Self {
        Self::new(secret.into(), team.into(), Kind::Team)
    }

    fn new(secret: String, owner: String, kind: Kind) -> Self {
        Self { secret, owner, kind, permissions: all_permissions().map(str::to_owned).collect() }
    }

    /// Restricts the key to these permissions, named as in the OpenAPI document: `incidents:read`.
    #[must_use]
    pub fn with_permissions<P: Into<String>>(mut self, permissions: impl IntoIterator<Item = P>) -> Self {
        self.permissions = permissions.into_iter().map(Into::into).collect();
        self
    }

    /// Returns the user or the team that the key acts for.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    pub(crate) fn has_all_permissions(&self) -> bool {
        self.kind == Kind::Personal && all_permissions().all(|permission| self.permissions.contains(permission))
    }
}

fn all_permissions() -> impl Iterator<Item = &'static str> {
    Client::operations().map(Operation::permission)
}

/// Omits the secret: a key in the output of a test may be one of a real account.
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

/// Finds the key of a bearer token.
pub(crate) fn authenticate<'a>(keys: &'a HashMap<String, Key>, headers: &HeaderMap) -> Option<&'a Key> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") { keys.get(token.trim()) } else { None }
}

/// Checks that a key allows an operation.
pub(crate) fn authorize<'a>(key: Option<&'a Key>, operation: &Operation) -> Result<&'a Key, HttpError> {
    let Some(key) = key else { return Err(HttpError::new(StatusCode::UNAUTHORIZED, "invalid API key")) };
    let permission = operation.permission();
    if !key.permissions.contains(permission) {
        return Err(HttpError::new(StatusCode::FORBIDDEN, format!("the API key lacks the permission {permission}")));
    }
    if key.kind == Kind::Team && operation.requires_personal_key() {
        let message = format!("{} requires a personal API key; this key belongs to a team", operation.id());
        return Err(HttpError::new(StatusCode::FORBIDDEN, message));
    }
    Ok(key)
}
