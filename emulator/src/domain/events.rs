//! The events of all incidents, each with the state of its incident at that time. It knows nothing of HTTP.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use coralogix_incidents::types::{self, IncidentState, IncidentStatus};
use fastrand::Rng;

use super::{
    aggregate::Snapshot,
    ids::{hash, uuid},
    query::{SortKey, in_range, labels_match, meta_labels_match, one_of},
    state::Stored,
};

/// An event, with the state of its incident right after it.
pub(crate) struct EventRow<'a> {
    stored: &'a Stored,
    event: &'a types::IncidentEvent,
    number: usize,
    time: DateTime<Utc>,
    state: IncidentState,
    status: IncidentStatus,
    assignee: Option<&'a str>,
    muted: bool,
}

/// Returns the key by which Coralogix identifies an event: that of the alert's event, or one that follows from its id.
pub(crate) fn key(event: &types::IncidentEvent) -> Cow<'_, str> {
    let payload = event.upsert_state.as_ref().and_then(|upsert| upsert.payload.as_ref());
    match payload.and_then(|payload| payload.cx_event_key.as_deref()) {
        Some(key) => key.into(),
        None => format!("{:016x}", hash(event.id.as_bytes())).into(),
    }
}

/// Returns the events of an incident, each with the state that it led to.
fn history(stored: &Stored) -> impl Iterator<Item = EventRow<'_>> {
    let mut state = IncidentState::Triggered;
    let mut status = IncidentStatus::Triggered;
    let mut assignee = None;
    let mut muted = stored.incident.is_muted.unwrap_or(false);
    let events = stored.incident.events.iter().zip(&stored.event_times);
    events.enumerate().map(move |(number, (event, time))| {
        if let Some(upsert) = &event.upsert_state {
            muted = upsert.is_muted.unwrap_or(muted);
            if upsert.state_type == types::UpsertIncidentStateType::Resolved {
                state = IncidentState::Resolved;
                status = IncidentStatus::Resolved;
            }
        } else if event.acknowledge.is_some() {
            status = IncidentStatus::Acknowledged;
        } else if event.close.is_some() {
            status = IncidentStatus::Resolved;
        } else if event.unassign.is_some() {
            assignee = None;
        } else if let Some(assignment) = event.assignment.as_ref().and_then(|event| event.assignment.as_ref()) {
            assignee = assignment.assigned_to.as_ref().map(|user| user.user_id.as_str());
        }
        EventRow { stored, event, number, time: *time, state: state.clone(), status: status.clone(), assignee, muted }
    })
}

impl EventRow<'_> {
    /// Events are sorted by time; events of the same time by incident, and then in the order of the incident's history.
    pub(crate) fn keys(&self) -> Vec<SortKey> {
        let number = i64::try_from(self.number).unwrap_or(i64::MAX);
        vec![SortKey::Time(self.time), SortKey::Text(self.stored.incident.id.clone()), SortKey::Number(number)]
    }

    pub(crate) fn snapshot(&self) -> Snapshot<'_> {
        let assignees = self.assignee.into_iter().collect();
        Snapshot { incident: &self.stored.incident, state: &self.state, status: &self.status, assignees }
    }

    pub(crate) fn to_message(&self) -> types::IncidentEventExtended {
        let incident = &self.stored.incident;
        let name = incident.name.clone().unwrap_or_default();
        // Incidents of one name come from one alert, so the name determines the alert's other attributes.
        let mut alert = Rng::with_seed(hash(name.as_bytes()));
        let metadata = types::IncidentEventExtendedMetadata::default()
            .with_alert_id(uuid(&mut alert))
            .with_alert_type(alert.choice(types::IncidentEventAlertType::KNOWN).cloned().unwrap_or_default())
            .with_alert_name(name)
            .with_incident_severity(incident.severity.clone())
            .with_incident_state(self.state.clone())
            .with_incident_status(self.status.clone())
            .with_is_muted(self.muted)
            .with_alert_group_by_fields(incident.contextual_labels.keys())
            .with_alert_labels(incident.meta_labels.iter().cloned())
            .with_incident_permutation(incident.contextual_labels.clone());
        types::IncidentEventExtended::default()
            .with_cx_event_key(key(self.event))
            .with_cx_event_timestamp(self.time)
            .with_incident_event(self.event.clone())
            .with_incident_event_extended_metadata(metadata)
    }
}

/// A filter of events.
pub(crate) struct Filter(types::IncidentEventQueryFilter);

impl Filter {
    pub(crate) fn new(filter: Option<&types::IncidentEventQueryFilter>) -> Self {
        Self(filter.cloned().unwrap_or_default())
    }

    /// Selects events of an incident.
    pub(crate) fn select<'a>(&self, stored: &'a Stored) -> impl Iterator<Item = EventRow<'a>> {
        let Self(filter) = self;
        let incident = &stored.incident;
        let labels = filter.labels.as_ref();
        let incident_matches = one_of(&filter.severity, &incident.severity)
            && filter.name.as_ref().is_none_or(|name| incident.name.as_ref() == Some(name))
            && labels_match(&filter.contextual_labels, &incident.contextual_labels, |one| &one.contextual_label_values)
            && labels_match(&filter.display_labels, &incident.display_labels, |one| &one.display_label_values)
            && labels.is_none_or(|labels| {
                meta_labels_match(&labels.meta_labels, labels.operator.as_ref(), &incident.meta_labels)
            });
        let rows = incident_matches.then(|| history(stored)).into_iter().flatten();
        rows.filter(move |row| {
            one_of(&filter.status, &row.status)
                && filter.is_muted.is_none_or(|muted| muted == row.muted)
                && filter.timestamp.as_ref().is_none_or(|range| in_range(Some(row.time), range))
        })
    }
}
