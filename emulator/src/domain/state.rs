//! The service's rules: which incidents there are and what the verbs do to them. It knows nothing of HTTP, keys or JSON; time
//! and ids are given to it.

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

/// An incident, and what the service knows of it beyond the message.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) incident: types::Incident,
    /// When each of its events happened; the message does not say.
    pub(crate) event_times: Vec<DateTime<Utc>>,
}

/// What a verb does to an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Assign(String),
    Unassign,
    Acknowledge,
    Resolve,
    Close,
}

/// What came of a verb.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    /// The known ones among the incidents that were named, each once, as they are now.
    pub(crate) incidents: Vec<types::Incident>,
    /// Those that are not as they were before.
    pub(crate) ids: Vec<String>,
}

impl State {
    /// Of several incidents with one id the last counts.
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

    pub(crate) fn all(&self) -> &[Stored] {
        &self.incidents
    }

    pub(crate) fn ids(&self) -> &Ids {
        &self.ids
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Stored> {
        self.positions.get(id).and_then(|&position| self.incidents.get(position))
    }

    /// Does something to several incidents in a user's name. Unknown ids are passed over, and one that is named twice counts once.
    ///
    /// What is so already stays as it is and adds no event, so that repeating a request leaves the same state: assigning to
    /// the user who has it, unassigning what nobody has, acknowledging what is acknowledged or dealt with, resolving what is
    /// resolved, closing what has ended.
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
    /// Events of which only the incident is known are dated by what it says: from its creation to its last change of state.
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

    /// Whether anything changed.
    fn apply(&mut self, change: &Change, user: &str, now: DateTime<Utc>, ids: &mut Ids) -> bool {
        let incident = &mut self.incident;
        let by = || types::UserDetails::default().with_user_id(user);
        let event = match change {
            Change::Assign(assignee) => {
                if let [only] = incident.assignments.as_slice()
                    && only.assigned_to.as_ref().is_some_and(|to| to.user_id == *assignee)
                {
                    return false;
                }
                let to = types::UserDetails::default().with_user_id(assignee);
                let assignment = types::Assignment::default().with_assigned_to(to).with_assigned_by(by());
                incident.assignments = vec![assignment.clone()];
                types::IncidentEvent::default()
                    .with_incident_event_type(types::IncidentEventType::Assign)
                    .with_assignment(types::IncidentEventAssign::default().with_assignment(assignment))
            }
            Change::Unassign => {
                if incident.assignments.is_empty() {
                    return false;
                }
                incident.assignments.clear();
                types::IncidentEvent::default()
                    .with_incident_event_type(types::IncidentEventType::Unassign)
                    .with_unassign(types::IncidentEventUnassign::default())
            }
            Change::Acknowledge => {
                if matches!(incident.status, types::IncidentStatus::Acknowledged | types::IncidentStatus::Resolved) {
                    return false;
                }
                incident.status = types::IncidentStatus::Acknowledged;
                types::IncidentEvent::default()
                    .with_incident_event_type(types::IncidentEventType::Acknowledge)
                    .with_acknowledge(types::IncidentEventAcknowledge::default().with_acknowledged_by(by()))
            }
            Change::Resolve => {
                if incident.state == types::IncidentState::Resolved
                    && incident.status == types::IncidentStatus::Resolved
                {
                    return false;
                }
                let key = ids.next_key();
                incident.state = types::IncidentState::Resolved;
                incident.last_state_update_time = Some(now);
                incident.last_state_update_key = Some(key.clone());
                end(incident, now);
                let upsert = types::IncidentEventUpsertState::default()
                    .with_state_type(types::UpsertIncidentStateType::Resolved)
                    .with_payload(types::UpsertIncidentStatePayload::default().with_cx_event_key(key))
                    .with_is_muted(incident.is_muted.unwrap_or(false));
                types::IncidentEvent::default()
                    .with_incident_event_type(types::IncidentEventType::UpsertState)
                    .with_upsert_state(upsert)
            }
            Change::Close => {
                if incident.status == types::IncidentStatus::Resolved && incident.closed_at.is_some() {
                    return false;
                }
                end(incident, now);
                types::IncidentEvent::default()
                    .with_incident_event_type(types::IncidentEventType::Close)
                    .with_close(types::IncidentEventClose::default().with_closed_by(by()))
            }
        };
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

/// The work is over. Where it was over before, it stays over since then. `state` and when it last changed are the alert's:
/// closing leaves them alone, as the documented sample of closing shows.
fn end(incident: &mut types::Incident, now: DateTime<Utc>) {
    incident.status = types::IncidentStatus::Resolved;
    let closed_at = *incident.closed_at.get_or_insert(now);
    if incident.duration.is_none()
        && let Some(created_at) = incident.created_at
    {
        incident.duration = wire::Duration::from_time_delta(closed_at - created_at).ok();
    }
}
