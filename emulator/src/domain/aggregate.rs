//! Counts values of incidents and events, and summarizes groups of incidents. It knows nothing of HTTP.

use std::collections::BTreeMap;

use coralogix_incidents::{
    types::{self, IncidentSeverity, IncidentState, IncidentStatus},
    wire::StringMap,
};

use super::{
    query::{Attribute, assignees, position},
    state::Stored,
};

/// Counts how often each value occurs, in the order of the values.
fn count<T: Ord>(values: impl Iterator<Item = T>) -> BTreeMap<T, i32> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts
}

/// Counts how often each value of an enum occurs, in the order of the document.
fn count_enum<'a, T: PartialEq + Clone + 'a, M>(
    values: impl Iterator<Item = &'a T>,
    known: &[T],
    to_message: impl Fn(T, i32) -> M,
) -> Vec<M> {
    let mut counts: Vec<(&T, i32)> = Vec::new();
    for value in values {
        match counts.iter_mut().find(|(counted, _)| *counted == value) {
            Some((_, count)) => *count += 1,
            None => counts.push((value, 1)),
        }
    }
    counts.sort_by_key(|(value, _)| position(*value, known));
    counts.into_iter().map(|(value, count)| to_message(value.clone(), count)).collect()
}

fn count_meta_labels<'a>(
    incidents: impl Iterator<Item = &'a types::Incident>,
) -> impl Iterator<Item = (types::MetaLabel, i32)> {
    let labels = incidents.flat_map(|incident| &incident.meta_labels);
    count(labels.map(|label| (&label.key, &label.value))).into_iter().map(|((key, value), count)| {
        let mut label = types::MetaLabel::default();
        label.key.clone_from(key);
        label.value.clone_from(value);
        (label, count)
    })
}

/// The counted values of each label, by the label's name.
fn count_labels<'a, V>(
    labels: impl Iterator<Item = &'a StringMap>,
    to_message: impl Fn(&str, i32) -> V,
) -> BTreeMap<&'a str, Vec<V>> {
    let mut values: BTreeMap<_, Vec<V>> = BTreeMap::new();
    for ((name, value), count) in count(labels.flatten()) {
        values.entry(name).or_default().push(to_message(value, count));
    }
    values
}

/// An incident as it is now, or as it was right after an event.
pub(crate) struct Snapshot<'a> {
    pub(crate) incident: &'a types::Incident,
    pub(crate) state: &'a IncidentState,
    pub(crate) status: &'a IncidentStatus,
    pub(crate) assignees: Vec<&'a str>,
}

impl<'a> Snapshot<'a> {
    pub(crate) fn now(incident: &'a types::Incident) -> Self {
        Self { incident, state: &incident.state, status: &incident.status, assignees: assignees(incident).collect() }
    }
}

/// Returns the values that occur, with their counts.
pub(crate) fn filter_values(
    snapshots: &[Snapshot<'_>],
    operator: Option<types::FilterOperator>,
) -> types::IncidentQueryFiltersValues {
    let incidents = || snapshots.iter().map(|one| one.incident);
    let users = count(snapshots.iter().flat_map(|one| &one.assignees).copied()).into_iter();
    let users = users.map(|(user, count)| types::AssigneeWithCount::default().with_assignee(user).with_count(count));
    let states = snapshots.iter().map(|one| one.state);
    let statuses = snapshots.iter().map(|one| one.status);
    let severities = incidents().map(|incident| &incident.severity);
    let contextual = count_labels(incidents().map(|incident| &incident.contextual_labels), |value, count| {
        types::ContextualLabelValueWithCount::default().with_contextual_label_value(value).with_count(count)
    });
    let display = count_labels(incidents().map(|incident| &incident.display_labels), |value, count| {
        types::DisplayLabelValueWithCount::default().with_display_label_value(value).with_count(count)
    });
    types::IncidentQueryFiltersValues::default()
        .with_assignee_with_count(users)
        .with_status_with_count(count_enum(statuses, IncidentStatus::KNOWN, |status, count| {
            types::IncidentStatusWithCount::default().with_status(status).with_count(count)
        }))
        .with_state_with_count(count_enum(states, IncidentState::KNOWN, |state, count| {
            types::IncidentStateWithCount::default().with_state(state).with_count(count)
        }))
        .with_severity_with_count(count_enum(severities, IncidentSeverity::KNOWN, |severity, count| {
            types::IncidentSeverityWithCount::default().with_severity(severity).with_count(count)
        }))
        .with_contextual_labels(contextual.into_iter().map(|(name, values)| {
            (name, types::ContextualLabelValuesWithCount::default().with_values_with_count(values))
        }))
        .with_display_labels(
            display.into_iter().map(|(name, values)| {
                (name, types::DisplayLabelValuesWithCount::default().with_values_with_count(values))
            }),
        )
        .with_meta_labels_with_count(count_meta_labels(incidents()).map(|(label, count)| {
            types::IncidentMetaLabelsWithCount::default().with_meta_label(label).with_count(count)
        }))
        .with_meta_labels_op(operator.unwrap_or_default())
}

/// Summarizes a group.
pub(crate) fn aggregate(by: &[Attribute], members: &[&Stored]) -> types::IncidentAggregation {
    let incidents = || members.iter().map(|stored| &stored.incident);
    let users = count(incidents().flat_map(assignees));
    let states = incidents().map(|incident| &incident.state);
    let statuses = incidents().map(|incident| &incident.status);
    let severities = incidents().map(|incident| &incident.severity);
    let mut group = types::IncidentAggregation::default()
        .with_group_bys_value(members.first().into_iter().flat_map(|first| by.iter().map(|by| by.group_value(first))))
        .with_agg_state_count(count_enum(states, IncidentState::KNOWN, |state, count| {
            types::IncidentStateCount::default().with_state(state).with_count(count)
        }))
        .with_agg_status_count(count_enum(statuses, IncidentStatus::KNOWN, |status, count| {
            types::IncidentStatusCount::default().with_status(status).with_count(count)
        }))
        .with_agg_severity_count(count_enum(severities, IncidentSeverity::KNOWN, |severity, count| {
            types::IncidentSeverityCount::default().with_severity(severity).with_count(count)
        }))
        .with_agg_assignments_count(users.into_iter().map(|(user, count)| {
            let user = types::UserDetails::new(user);
            types::IncidentAssignmentCount::default().with_assigned_to(user).with_count(count)
        }))
        .with_agg_meta_labels_count(
            count_meta_labels(incidents()).map(|(label, count)| {
                types::IncidentMetaLabelsCount::default().with_meta_label(label).with_count(count)
            }),
        )
        .with_all_values_count(u32::try_from(members.len()).unwrap_or(u32::MAX))
        .with_list_incidents_id(incidents().map(|incident| &incident.id));
    group.first_created_at = incidents().filter_map(|incident| incident.created_at).min();
    group.last_closed_at = incidents().filter_map(|incident| incident.closed_at).max();
    group.last_state_update_time = incidents().filter_map(|incident| incident.last_state_update_time).max();
    group
}
