//! Methods on incidents and their events that the generated types do not have.

use chrono::{DateTime, TimeDelta, Utc};

use crate::types::{
    Incident, IncidentEvent, IncidentEventAcknowledge, IncidentEventAssign, IncidentEventClose,
    IncidentEventOriginatorAdministrative, IncidentEventOriginatorOperational, IncidentEventSnoozeIndicator,
    IncidentEventUnassign, IncidentEventUpsertState, IncidentSeverity, IncidentStatus,
};

impl Incident {
    /// The ids of the users that the incident is assigned to.
    pub fn assignees(&self) -> impl Iterator<Item = &str> {
        self.assignments.iter().filter_map(|assignment| Some(assignment.assigned_to.as_ref()?.user_id.as_str()))
    }

    /// Whether the incident is assigned to this user. The ids of users are compared without regard to case, as e-mail addresses
    /// are: a service may return another spelling than it was given.
    pub fn is_assigned_to(&self, user_id: &str) -> bool {
        self.assignees().any(|assignee| is_same_user(assignee, user_id))
    }

    /// Whether the incident is neither resolved nor closed. An incident whose alert has recovered (see `state`) is still open.
    pub fn is_open(&self) -> bool {
        self.closed_at.is_none() && self.status != IncidentStatus::Resolved
    }

    /// The time from `createdAt` to `now`; `None` if the service sent no `createdAt`.
    pub fn age(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        Some(now - self.created_at?)
    }

    /// How long the incident has lasted: its `duration` if the service sent it, otherwise the time from its creation until it was
    /// closed, or until `now` if it is open.
    pub fn elapsed(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        let stated = self.duration.as_ref().and_then(|duration| duration.to_time_delta().ok());
        stated.or_else(|| Some(self.closed_at.unwrap_or(now) - self.created_at?))
    }
}

/// Whether two ids name the same user.
pub(crate) fn is_same_user(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

impl IncidentSeverity {
    /// A number by which severities can be compared: unknown 0, low 1, info 2, warning 3, error 4, critical 5. The order of the
    /// values on the wire is a different one.
    ///
    /// ```
    /// use coralogix_incidents::types::IncidentSeverity;
    ///
    /// assert!(IncidentSeverity::Low.rank() < IncidentSeverity::Warning.rank());
    /// ```
    pub fn rank(&self) -> u8 {
        match self {
            Self::Unspecified | Self::Unrecognized(_) => 0,
            Self::Low => 1,
            Self::Info => 2,
            Self::Warning => 3,
            Self::Error => 4,
            Self::Critical => 5,
        }
    }
}

/// What happened in an event, borrowed from its members.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Payload<'a> {
    /// The incident was snoozed.
    Snooze(&'a IncidentEventSnoozeIndicator),
    /// It was assigned.
    Assign(&'a IncidentEventAssign),
    /// Its assignment was removed.
    Unassign(&'a IncidentEventUnassign),
    /// The alert set or renewed its state.
    UpsertState(&'a IncidentEventUpsertState),
    /// It was acknowledged.
    Acknowledge(&'a IncidentEventAcknowledge),
    /// It was closed.
    Close(&'a IncidentEventClose),
}

/// Who caused an event, borrowed from its members.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Originator<'a> {
    /// A user.
    Administrative(&'a IncidentEventOriginatorAdministrative),
    /// The system.
    Operational(&'a IncidentEventOriginatorOperational),
}

impl IncidentEvent {
    /// What happened. An event has at most one payload; the event that opens an incident has none. If there are several, as in the
    /// documented sample, the first in the order of the document is returned.
    pub fn payload(&self) -> Option<Payload<'_>> {
        let snooze = || self.snooze_indicator.as_deref().map(Payload::Snooze);
        let assign = || self.assignment.as_deref().map(Payload::Assign);
        let unassign = || self.unassign.as_ref().map(Payload::Unassign);
        let upsert = || self.upsert_state.as_deref().map(Payload::UpsertState);
        let acknowledge = || self.acknowledge.as_deref().map(Payload::Acknowledge);
        let close = || self.close.as_deref().map(Payload::Close);
        snooze().or_else(assign).or_else(unassign).or_else(upsert).or_else(acknowledge).or_else(close)
    }

    /// Who caused the event. If there are both a user and the system, the user is returned.
    pub fn originator(&self) -> Option<Originator<'_>> {
        let administrative = self.administrative_event.as_deref().map(Originator::Administrative);
        administrative.or_else(|| self.operational_event.as_deref().map(Originator::Operational))
    }
}
