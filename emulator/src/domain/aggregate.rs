//! Counts values of incidents and events, and groups incidents. It knows nothing of HTTP.

use std::collections::{BTreeMap, HashMap};

use coralogix_incidents::{types, wire::StringMap};

use super::{
    query::{Attribute, SortKey, assignees, position},
    state::Stored,
};

/// How often each value occurs.
struct Counter<T>(Vec<(T, usize)>);

impl<T: PartialEq + Clone> Counter<T> {
    fn new() -> Self {
        Self(Vec::new())
    }

    /// Returns the counts, in the order of these values.
    fn sorted(mut self, known: &[T]) -> impl Iterator<Item = (T, usize)> {
        self.0.sort_by_key(|(value, _)| position(value, known));
        self.0.into_iter()
    }

    fn add(&mut self, value: &T) {
        match self.0.iter_mut().find(|(known, _)| known == value) {
            Some((_, count)) => *count += 1,
            None => self.0.push((value.clone(), 1)),
        }
    }
}

/// Counts of filter values are signed 32-bit numbers, those of groups are unsigned ones.
fn int32(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn uint32(count: usize) -> i64 {
    u32::try_from(count).unwrap_or(u32::MAX).into()
}

/// How often each value of a label occurs, by the label's name.
type LabelCounts = BTreeMap<String, BTreeMap<String, usize>>;

fn count_labels(counts: &mut LabelCounts, labels: &StringMap) {
    for (name, value) in labels {
        if !counts.contains_key(name) {
            counts.insert(name.to_owned(), BTreeMap::new());
        }
        if let Some(values) = counts.get_mut(name) {
            match values.get_mut(value) {
                Some(count) => *count += 1,
                None => drop(values.insert(value.to_owned(), 1)),
            }
        }
    }
}

type MetaLabelCounts = BTreeMap<(Option<String>, Option<String>), usize>;

fn count_meta_labels(counts: &mut MetaLabelCounts, labels: &[types::MetaLabel]) {
    for label in labels {
        *counts.entry((label.key.clone(), label.value.clone())).or_default() += 1;
    }
}

fn meta_label((key, value): (Option<String>, Option<String>)) -> types::MetaLabel {
    let mut label = types::MetaLabel::default();
    label.key = key;
    label.value = value;
    label
}

/// The values that occur among incidents or events, with their counts.
pub(crate) struct FilterValues {
    assignees: BTreeMap<String, usize>,
    statuses: Counter<types::IncidentStatus>,
    states: Counter<types::IncidentState>,
    severities: Counter<types::IncidentSeverity>,
    contextual: LabelCounts,
    display: LabelCounts,
    meta: MetaLabelCounts,
}

impl FilterValues {
    pub(crate) fn new() -> Self {
        Self {
            assignees: BTreeMap::new(),
            statuses: Counter::new(),
            states: Counter::new(),
            severities: Counter::new(),
            contextual: BTreeMap::new(),
            display: BTreeMap::new(),
            meta: BTreeMap::new(),
        }
    }

    /// Counts an incident with this state and status: at the time of an event, they differ from the present ones.
    pub(crate) fn add<'a>(
        &mut self,
        incident: &types::Incident,
        state: &types::IncidentState,
        status: &types::IncidentStatus,
        assignees: impl Iterator<Item = &'a str>,
    ) {
        for user in assignees {
            *self.assignees.entry(user.to_owned()).or_default() += 1;
        }
        self.statuses.add(status);
        self.states.add(state);
        self.severities.add(&incident.severity);
        count_labels(&mut self.contextual, &incident.contextual_labels);
        count_labels(&mut self.display, &incident.display_labels);
        count_meta_labels(&mut self.meta, &incident.meta_labels);
    }

    pub(crate) fn into_message(self, operator: Option<types::FilterOperator>) -> types::IncidentQueryFiltersValues {
        let contextual = |(value, count)| {
            types::ContextualLabelValueWithCount::default().with_contextual_label_value(value).with_count(int32(count))
        };
        let display = |(value, count)| {
            types::DisplayLabelValueWithCount::default().with_display_label_value(value).with_count(int32(count))
        };
        types::IncidentQueryFiltersValues::default()
            .with_assignee_with_count(
                self.assignees.into_iter().map(|(user, count)| {
                    types::AssigneeWithCount::default().with_assignee(user).with_count(int32(count))
                }),
            )
            .with_status_with_count(self.statuses.sorted(types::IncidentStatus::KNOWN).map(|(status, count)| {
                types::IncidentStatusWithCount::default().with_status(status).with_count(int32(count))
            }))
            .with_state_with_count(self.states.sorted(types::IncidentState::KNOWN).map(|(state, count)| {
                types::IncidentStateWithCount::default().with_state(state).with_count(int32(count))
            }))
            .with_severity_with_count(self.severities.sorted(types::IncidentSeverity::KNOWN).map(
                |(severity, count)| {
                    types::IncidentSeverityWithCount::default().with_severity(severity).with_count(int32(count))
                },
            ))
            .with_contextual_labels(self.contextual.into_iter().map(|(name, values)| {
                let values = values.into_iter().map(contextual);
                (name, types::ContextualLabelValuesWithCount::default().with_values_with_count(values))
            }))
            .with_display_labels(self.display.into_iter().map(|(name, values)| {
                let values = values.into_iter().map(display);
                (name, types::DisplayLabelValuesWithCount::default().with_values_with_count(values))
            }))
            .with_meta_labels_with_count(self.meta.into_iter().map(|(label, count)| {
                let label = meta_label(label);
                types::IncidentMetaLabelsWithCount::default().with_meta_label(label).with_count(int32(count))
            }))
            .with_meta_labels_op(operator.unwrap_or_default())
    }
}

/// Groups incidents by attributes. Each group has its values as sort keys.
pub(crate) fn groups<'a>(
    incidents: impl Iterator<Item = &'a Stored>,
    by: &[Attribute],
) -> Vec<(Vec<SortKey>, Vec<&'a Stored>)> {
    let mut positions: HashMap<Vec<SortKey>, usize> = HashMap::new();
    let mut groups: Vec<(Vec<SortKey>, Vec<&Stored>)> = Vec::new();
    for stored in incidents {
        let keys: Vec<SortKey> = by.iter().map(|by| by.key(stored)).collect();
        let position = *positions.entry(keys.clone()).or_insert(groups.len());
        match groups.get_mut(position) {
            Some((_, members)) => members.push(stored),
            None => groups.push((keys, vec![stored])),
        }
    }
    groups
}

/// Summarizes a group.
pub(crate) fn aggregate(by: &[Attribute], members: &[&Stored]) -> types::IncidentAggregation {
    let mut states = Counter::new();
    let mut statuses = Counter::new();
    let mut severities = Counter::new();
    let mut users: BTreeMap<&str, usize> = BTreeMap::new();
    let mut meta = BTreeMap::new();
    for stored in members {
        let incident = &stored.incident;
        states.add(&incident.state);
        statuses.add(&incident.status);
        severities.add(&incident.severity);
        for user in assignees(incident) {
            *users.entry(user).or_default() += 1;
        }
        count_meta_labels(&mut meta, &incident.meta_labels);
    }
    let times = || members.iter().map(|stored| &stored.incident);
    let mut group = types::IncidentAggregation::default()
        .with_group_bys_value(members.first().into_iter().flat_map(|first| by.iter().map(|by| by.group_value(first))))
        .with_agg_state_count(
            states
                .sorted(types::IncidentState::KNOWN)
                .map(|(state, count)| types::IncidentStateCount::default().with_state(state).with_count(uint32(count))),
        )
        .with_agg_status_count(
            statuses.sorted(types::IncidentStatus::KNOWN).map(|(status, count)| {
                types::IncidentStatusCount::default().with_status(status).with_count(uint32(count))
            }),
        )
        .with_agg_severity_count(severities.sorted(types::IncidentSeverity::KNOWN).map(|(severity, count)| {
            types::IncidentSeverityCount::default().with_severity(severity).with_count(uint32(count))
        }))
        .with_agg_assignments_count(users.into_iter().map(|(user, count)| {
            let user = types::UserDetails::new(user);
            types::IncidentAssignmentCount::default().with_assigned_to(user).with_count(uint32(count))
        }))
        .with_agg_meta_labels_count(meta.into_iter().map(|(label, count)| {
            types::IncidentMetaLabelsCount::default().with_meta_label(meta_label(label)).with_count(uint32(count))
        }))
        .with_all_values_count(uint32(members.len()))
        .with_list_incidents_id(times().map(|incident| &incident.id));
    group.first_created_at = times().filter_map(|incident| incident.created_at).min();
    group.last_closed_at = times().filter_map(|incident| incident.closed_at).max();
    group.last_state_update_time = times().filter_map(|incident| incident.last_state_update_time).max();
    group
}
