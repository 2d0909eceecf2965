//! What can be done to incidents, and the words for it. It does not know how it is done or shown.

use coralogix_incidents::bulk::Verb;

/// A change of incidents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Unassign,
    Assign {
        to: String,
    },
    Acknowledge,
    Resolve,
    Close,
    /// Assign incidents of one user to another.
    HandOver {
        from: String,
        to: String,
    },
}

impl Action {
    /// The name of the command, such as `unassign`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Unassign => "unassign",
            Self::Assign { .. } | Self::HandOver { .. } => "assign",
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
            Self::Close => "close",
        }
    }

    /// What an incident is afterwards, such as `unassigned`.
    pub(crate) fn participle(&self) -> &'static str {
        match self {
            Self::Unassign => "unassigned",
            Self::Assign { .. } | Self::HandOver { .. } => "assigned",
            Self::Acknowledge => "acknowledged",
            Self::Resolve => "resolved",
            Self::Close => "closed",
        }
    }

    /// The id of the operation that the service is asked for.
    pub(crate) fn operation(&self) -> &'static str {
        self.verb().operation().id()
    }

    pub(crate) fn verb(&self) -> Verb {
        match self {
            Self::Unassign => Verb::Unassign,
            Self::Assign { to } => Verb::assign_to(to),
            Self::HandOver { from, to } => Verb::reassign(from, to),
            Self::Acknowledge => Verb::Acknowledge,
            Self::Resolve => Verb::Resolve,
            Self::Close => Verb::Close,
        }
    }
}
