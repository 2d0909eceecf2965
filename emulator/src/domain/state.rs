//! The incidents and the changes that can be made to them. It knows nothing of HTTP, API keys or JSON; its caller passes the
//! time in.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use coralogix_incidents::{types, wire};

use crate::domain::ids::Ids;

/// All incidents, in the order in which they were added.
#[derive(Debug)]
pub(crate) struct State {
    incidents: Vec<Stored>,
    positions: HashMap<String, usize>,
    ids: Ids,
}

/// An incident with what the service stores beside the message.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) incident: types::Incident,
    /// When each of its events happened, in the order of `incident.events`. The message itself has no such member.
    pub(crate) event_times: Vec<DateTime<Utc>>,
}

/// A change that a user makes to an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Assign(String),
    Unassign,
    Acknowledge,
    Resolve,
    Close,
}

/// The result of a change to several incidents.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    /// The requested incidents that exist, each once, after the change.
    pub(crate) incidents: Vec<types::Incident>,
    /// The ids of those that the change modified.
    pub(crate) ids: Vec<String>,
}

impl State {
    /// Creates a state. If several incidents have one id, the last of them is kept, in the place of the first.
    pub(crate) fn new(incidents: impl IntoIterator<Item = Stored>, ids: Ids) -> Self {
        let mut state = Self { incidents: Vec::new(), positions: HashMap::new(), ids };
        for stored in incidents {
            if let Some(&position) = state.positions.get(&stored.incident.id) {
                state.incidents[position] = stored;
            } else {
                state.positions.insert(stored.incident.id.clone(), state.incidents.len());
                state.incidents.push(stored);
            }
        }
        state
    }

    /// Replaces all incidents. New events go on getting new ids.
    pub(crate) fn replace(&mut self, incidents: impl IntoIterator<Item = Stored>) {
        *self = Self::new(incidents, self.ids.clone());
    }

    pub(crate) fn all(&self) -> &[Stored] {
        &self.incidents
    }

    pub(crate) fn ids(&self) -> &Ids {
        &self.ids
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Stored> {
        self.positions.get(id).and_then(|&position| self.incidents.get(position))
    }

    /// Applies a change to several incidents on behalf of a user. Unknown ids are skipped; an id that is given twice counts once.
    ///
    /// Repeating a change is a no-op and adds no event: assigning an incident to its assignee, unassigning one that has no
    /// assignee, acknowledging one that is acknowledged or resolved, resolving one that is resolved, closing one that has
    /// ended.
    pub(crate) fn apply(&mut self, change: &Change, ids: &[String], user: &str, now: DateTime<Utc>) -> Changed {
        let mut result = Changed::default();
        let mut seen = HashSet::with_capacity(ids.len());
        for id in ids {
            let Some(stored) = self.positions.get(id).and_then(|&position| self.incidents.get_mut(position)) else {
                continue;
            };
            if !seen.insert(id) {
                continue;
            }
            if stored.apply(change, user, now, &mut self.ids) {
                result.ids.push(id.clone());
            }
            result.incidents.push(stored.incident.clone());
        }
        result
    }
}

impl Stored {
    /// Stores an incident whose event times are unknown: they are derived from its creation and its last change of state.
    pub(crate) fn new(incident: types::Incident) -> Self {
        let opened = incident.created_at.unwrap_or_default();
        let settled = incident.last_state_update_time.or(incident.closed_at).unwrap_or(opened).max(opened);
        let is_resolution = |event: &types::IncidentEvent| {
            event
                .upsert_state
                .as_ref()
                .is_some_and(|upsert| upsert.state_type == types::UpsertIncidentStateType::Resolved)
        };
        let mut time = opened;
        let mut event_times = Vec::with_capacity(incident.events.len());
        for event in &incident.events {
            if is_resolution(event) {
                time = time.max(settled);
            } else if event.close.is_some() {
                time = time.max(incident.closed_at.unwrap_or(time));
            }
            event_times.push(time);
        }
        Self { incident, event_times }
    }

    /// Applies a change and returns whether anything changed.
    pub(crate) fn apply(&mut self, change: &Change, user: &str, now: DateTime<Utc>, ids: &mut Ids) -> bool {
        let incident = &mut self.incident;
        let event = match change {
            Change::Assign(assignee) => assign(incident, assignee, user),
            Change::Unassign => unassign(incident),
            Change::Acknowledge => acknowledge(incident, user),
            Change::Resolve => resolve(incident, now, ids),
            Change::Close => close(incident, user, now),
        };
        let Some(event) = event else { return false };
        incident.events.push(
            event
                .with_id(ids.next_uuid())
                .with_originator_type(types::OriginatorType::Administrative)
                .with_administrative_event(types::IncidentEventOriginatorAdministrative::default().with_user_id(user)),
        );
        self.event_times.push(now);
        true
    }
}

// Each change returns its event, or `None` if the incident is already in the state that the change asks for.

fn assign(incident: &mut types::Incident, assignee: &str, user: &str) -> Option<types::IncidentEvent> {
    if let [only] = incident.assignments.as_slice()
        && only.assigned_to.as_ref().is_some_and(|to| to.user_id == assignee)
    {
        return None;
    }
    let assignment = types::Assignment::default()
        .with_assigned_to(types::UserDetails::new(assignee))
        .with_assigned_by(types::UserDetails::new(user));
    incident.assignments = vec![assignment.clone()];
    let payload = types::IncidentEventAssign::default().with_assignment(assignment);
    Some(event(types::IncidentEventType::Assign).with_assignment(payload))
}

fn unassign(incident: &mut types::Incident) -> Option<types::IncidentEvent> {
    if incident.assignments.is_empty() {
        return None;
    }
    incident.assignments.clear();
    Some(event(types::IncidentEventType::Unassign).with_unassign(types::IncidentEventUnassign::default()))
}

fn acknowledge(incident: &mut types::Incident, user: &str) -> Option<types::IncidentEvent> {
    if matches!(incident.status, types::IncidentStatus::Acknowledged | types::IncidentStatus::Resolved) {
        return None;
    }
    incident.status = types::IncidentStatus::Acknowledged;
    let payload = types::IncidentEventAcknowledge::default().with_acknowledged_by(types::UserDetails::new(user));
    Some(event(types::IncidentEventType::Acknowledge).with_acknowledge(payload))
}

fn resolve(incident: &mut types::Incident, now: DateTime<Utc>, ids: &mut Ids) -> Option<types::IncidentEvent> {
    if incident.state == types::IncidentState::Resolved && incident.status == types::IncidentStatus::Resolved {
        return None;
    }
    let key = ids.next_key();
    incident.state = types::IncidentState::Resolved;
    incident.last_state_update_time = Some(now);
    incident.last_state_update_key = Some(key.clone());
    end(incident, now);
    let payload = types::IncidentEventUpsertState::default()
        .with_state_type(types::UpsertIncidentStateType::Resolved)
        .with_payload(types::UpsertIncidentStatePayload::default().with_cx_event_key(key))
        .with_is_muted(incident.is_muted.unwrap_or(false));
    Some(event(types::IncidentEventType::UpsertState).with_upsert_state(payload))
}

fn close(incident: &mut types::Incident, user: &str, now: DateTime<Utc>) -> Option<types::IncidentEvent> {
    if incident.status == types::IncidentStatus::Resolved && incident.closed_at.is_some() {
        return None;
    }
    end(incident, now);
    let payload = types::IncidentEventClose::default().with_closed_by(types::UserDetails::new(user));
    Some(event(types::IncidentEventType::Close).with_close(payload))
}

fn event(kind: types::IncidentEventType) -> types::IncidentEvent {
    types::IncidentEvent::default().with_incident_event_type(kind)
}

/// Ends the work on an incident. `closedAt` stays as it is if the work had ended before. `state` and `lastStateUpdateTime`
/// belong to the alert: closing leaves them alone, as the documented sample of closing shows.
fn end(incident: &mut types::Incident, now: DateTime<Utc>) {
    incident.status = types::IncidentStatus::Resolved;
    let closed_at = *incident.closed_at.get_or_insert(now);
    if incident.duration.is_none()
        && let Some(created_at) = incident.created_at
    {
        incident.duration = wire::Duration::from_time_delta(closed_at - created_at).ok();
    }
}
