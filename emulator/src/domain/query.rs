//! Which incidents a filter selects, what they are sorted by, and how search and labels read them. It knows nothing of HTTP
//! or pages.
//!
//! `startTime`/`endTime` and their successor `incidentDurationRange` select incidents that were open at some time of the
//! period; `createdAtRange` selects by creation. Where the document leaves a meaning open, this is what the emulator does:
//! periods include their start and not their end. Names of applications and subsystems, which an incident's message does not
//! have, are its contextual labels `applicationName` and `subsystemName`. A search ignores case; without a field it looks at
//! name, description and id.

use chrono::{DateTime, SecondsFormat, Utc};
use coralogix_incidents::{
    types::{self, IncidentFields},
    wire::StringMap,
};
use serde::{Deserialize, Serialize};

use super::{error::Rejection, state::Stored};

const APPLICATION: &str = "applicationName";
const SUBSYSTEM: &str = "subsystemName";

/// A value to sort by. An unset value sorts before all others.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum SortKey {
    Unset,
    Number(i64),
    Time(DateTime<Utc>),
    Text(String),
}

/// An attribute of an incident: one of its members, or a contextual label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attribute {
    Field(IncidentFields),
    Label(String),
}

impl Attribute {
    /// Returns the attribute that a request names by its field or by its label. `None` if it names neither.
    pub(crate) fn new(field: Option<&IncidentFields>, label: Option<&String>) -> Result<Option<Self>, Rejection> {
        match (field, label) {
            (Some(_), Some(_)) => Err(Rejection::invalid("give incident_field or contextual_label, not both")),
            (Some(field), None) if *field == IncidentFields::Unspecified || field.is_unrecognized() => Ok(None),
            (Some(field), None) => Ok(Some(Self::Field(field.clone()))),
            (None, Some(label)) => Ok(Some(Self::Label(label.clone()))),
            (None, None) => Ok(None),
        }
    }

    pub(crate) fn key(&self, stored: &Stored) -> SortKey {
        let incident = &stored.incident;
        let time = |time: Option<DateTime<Utc>>| time.map_or(SortKey::Unset, SortKey::Time);
        let text = |text: Option<&str>| text.map_or(SortKey::Unset, |text| SortKey::Text(text.to_owned()));
        match self {
            Self::Label(name) => text(incident.contextual_labels.get(name)),
            Self::Field(field) => match field {
                IncidentFields::Id => text(Some(&incident.id)),
                IncidentFields::Name => text(incident.name.as_deref()),
                IncidentFields::Severity => SortKey::Number(severity_rank(&incident.severity)),
                IncidentFields::State => SortKey::Number(position(&incident.state, types::IncidentState::KNOWN)),
                IncidentFields::Status => SortKey::Number(position(&incident.status, types::IncidentStatus::KNOWN)),
                IncidentFields::CreatedTime => time(incident.created_at),
                IncidentFields::ClosedTime => time(incident.closed_at),
                IncidentFields::LastStateUpdateTime => time(incident.last_state_update_time),
                IncidentFields::ApplicationName => text(incident.contextual_labels.get(APPLICATION)),
                IncidentFields::SubsystemName => text(incident.contextual_labels.get(SUBSYSTEM)),
                IncidentFields::Duration => {
                    let duration = incident.duration.as_ref().and_then(|duration| duration.to_time_delta().ok());
                    duration.map_or(SortKey::Unset, |duration| SortKey::Number(duration.num_milliseconds()))
                }
                _ => SortKey::Unset,
            },
        }
    }

    /// Returns the text that a search looks at.
    fn text(&self, stored: &Stored) -> Option<String> {
        let incident = &stored.incident;
        match self {
            Self::Field(IncidentFields::Severity) => Some(incident.severity.to_string()),
            Self::Field(IncidentFields::State) => Some(incident.state.to_string()),
            Self::Field(IncidentFields::Status) => Some(incident.status.to_string()),
            Self::Field(IncidentFields::Duration) => incident.duration.as_ref().map(ToString::to_string),
            _ => match self.key(stored) {
                SortKey::Text(text) => Some(text),
                SortKey::Time(time) => Some(time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
                SortKey::Unset | SortKey::Number(_) => None,
            },
        }
    }

    /// Returns the value as the member of a group.
    pub(crate) fn group_value(&self, stored: &Stored) -> types::GroupByValues {
        let incident = &stored.incident;
        let label = |name: &str| incident.contextual_labels.get(name).map(str::to_owned);
        let field = match self {
            Self::Label(name) => {
                let mut labels = types::ContextualLabels::default().with_field_name(name);
                labels.field_value = label(name);
                return types::GroupByValues::default().with_contextual_labels(labels);
            }
            Self::Field(field) => field,
        };
        let mut one = types::IncidentFieldOneOf::default();
        match field {
            IncidentFields::Id => one.id = Some(incident.id.clone()),
            IncidentFields::Name => one.name.clone_from(&incident.name),
            IncidentFields::Severity => one.severity = Some(incident.severity.clone()),
            IncidentFields::State => one.state = Some(incident.state.clone()),
            IncidentFields::Status => one.status = Some(incident.status.clone()),
            IncidentFields::CreatedTime => one.created_at = incident.created_at,
            IncidentFields::ClosedTime => one.closed_at = incident.closed_at,
            IncidentFields::LastStateUpdateTime => one.last_state_update_time = incident.last_state_update_time,
            IncidentFields::ApplicationName => one.application_name = label(APPLICATION),
            IncidentFields::SubsystemName => one.subsystem_name = label(SUBSYSTEM),
            IncidentFields::Duration => one.duration.clone_from(&incident.duration),
            _ => {}
        }
        types::GroupByValues::default().with_incident_field(one)
    }
}

/// The rank of a severity. The protobuf numbers of severities are not in this order.
fn severity_rank(severity: &types::IncidentSeverity) -> i64 {
    match severity {
        types::IncidentSeverity::Low => 1,
        types::IncidentSeverity::Info => 2,
        types::IncidentSeverity::Warning => 3,
        types::IncidentSeverity::Error => 4,
        types::IncidentSeverity::Critical => 5,
        _ => 0,
    }
}

/// The position of a value in a list of known values.
pub(crate) fn position<E: PartialEq>(value: &E, known: &[E]) -> i64 {
    let position = known.iter().position(|known| known == value);
    position.and_then(|position| i64::try_from(position).ok()).unwrap_or(i64::MAX)
}

/// An attribute to sort by, and whether it sorts in descending order.
pub(crate) type Order = (Attribute, bool);

pub(crate) fn descends(direction: Option<&types::OrderByDirection>) -> bool {
    direction == Some(&types::OrderByDirection::Desc)
}

/// Returns the sort keys of a request. The default is the newest incident first.
pub(crate) fn orders(order_bys: &[types::OrderBy]) -> Result<Vec<Order>, Rejection> {
    let mut orders = Vec::new();
    for order in order_bys {
        if let Some(by) = Attribute::new(order.incident_field.as_ref(), order.contextual_label.as_ref())? {
            orders.push((by, descends(order.direction.as_ref())));
        }
    }
    if orders.is_empty() {
        orders.push((Attribute::Field(IncidentFields::CreatedTime), true));
    }
    Ok(orders)
}

/// A filter of incidents.
pub(crate) struct Filter {
    filter: types::IncidentQueryFilter,
    search: Option<(String, Vec<Attribute>)>,
}

impl Filter {
    pub(crate) fn new(filter: Option<&types::IncidentQueryFilter>) -> Result<Self, Rejection> {
        let filter = filter.cloned().unwrap_or_default();
        let search = match &filter.search_query {
            None => None,
            Some(search) => {
                let by = Attribute::new(search.incident_field.as_ref(), search.contextual_label.as_ref())?;
                let everywhere = || vec![Attribute::Field(IncidentFields::Name), Attribute::Field(IncidentFields::Id)];
                let text = search.query.as_deref().unwrap_or_default().to_lowercase();
                Some((text, by.map_or_else(everywhere, |by| vec![by])))
            }
        };
        Ok(Self { filter, search })
    }

    #[expect(deprecated, reason = "callers may still send `startTime` and `endTime`")]
    pub(crate) fn matches(&self, stored: &Stored) -> bool {
        let (filter, incident) = (&self.filter, &stored.incident);
        one_of(&filter.status, &incident.status)
            && one_of(&filter.state, &incident.state)
            && one_of(&filter.severity, &incident.severity)
            && (filter.assignee.is_empty()
                || assignees(incident).any(|user| filter.assignee.iter().any(|one| one == user)))
            && labels_match(&filter.contextual_labels, &incident.contextual_labels, |one| &one.contextual_label_values)
            && labels_match(&filter.display_labels, &incident.display_labels, |one| &one.display_label_values)
            && matches_label(&filter.application_name, incident.contextual_labels.get(APPLICATION))
            && matches_label(&filter.subsystem_name, incident.contextual_labels.get(SUBSYSTEM))
            && filter.is_muted.is_none_or(|muted| muted == incident.is_muted.unwrap_or(false))
            && was_open(incident, filter.start_time, filter.end_time)
            && filter
                .incident_duration_range
                .as_ref()
                .is_none_or(|range| was_open(incident, range.start_time, range.end_time))
            && filter.created_at_range.as_ref().is_none_or(|range| in_range(incident.created_at, range))
            && meta_labels_match(&filter.meta_labels, filter.meta_labels_op.as_ref(), &incident.meta_labels)
            && self.search.as_ref().is_none_or(|(text, by)| search(stored, text, by))
    }
}

pub(crate) fn assignees(incident: &types::Incident) -> impl Iterator<Item = &str> {
    incident.assignments.iter().filter_map(|one| one.assigned_to.as_ref()).map(|user| user.user_id.as_str())
}

pub(crate) fn one_of<T: PartialEq>(wanted: &[T], value: &T) -> bool {
    wanted.is_empty() || wanted.contains(value)
}

fn matches_label(wanted: &[String], value: Option<&str>) -> bool {
    wanted.is_empty() || value.is_some_and(|value| wanted.iter().any(|wanted| wanted == value))
}

pub(crate) fn labels_match<V>(
    wanted: &std::collections::BTreeMap<String, V>,
    labels: &StringMap,
    values: impl Fn(&V) -> &Vec<String>,
) -> bool {
    wanted.iter().all(|(name, wanted)| matches_label(values(wanted), labels.get(name)))
}

pub(crate) fn meta_labels_match(
    wanted: &[types::MetaLabel],
    operator: Option<&types::FilterOperator>,
    labels: &[types::MetaLabel],
) -> bool {
    let has = |wanted: &types::MetaLabel| {
        labels.iter().any(|label| {
            (wanted.key.is_none() || wanted.key == label.key) && (wanted.value.is_none() || wanted.value == label.value)
        })
    };
    let all = operator == Some(&types::FilterOperator::And);
    wanted.is_empty() || if all { wanted.iter().all(has) } else { wanted.iter().any(has) }
}

fn within(time: Option<DateTime<Utc>>, start: Option<DateTime<Utc>>, end: Option<DateTime<Utc>>) -> bool {
    match time {
        Some(time) => start.is_none_or(|start| time >= start) && end.is_none_or(|end| time < end),
        None => start.is_none() && end.is_none(),
    }
}

pub(crate) fn in_range(time: Option<DateTime<Utc>>, range: &types::TimeRange) -> bool {
    within(time, range.start_time, range.end_time)
}

/// Whether an incident was open at some time of a period.
fn was_open(incident: &types::Incident, start: Option<DateTime<Utc>>, end: Option<DateTime<Utc>>) -> bool {
    let began_before_end = end.is_none_or(|end| incident.created_at.is_some_and(|created| created < end));
    let ended_before_start = start.is_some_and(|start| incident.closed_at.is_some_and(|closed| closed < start));
    began_before_end && !ended_before_start
}

fn search(stored: &Stored, text: &str, by: &[Attribute]) -> bool {
    let found = |value: &str| value.to_lowercase().contains(text);
    // A search without an attribute also looks at the description, which no request can name.
    let description = || by.len() > 1 && stored.incident.description.as_deref().is_some_and(found);
    text.is_empty() || by.iter().filter_map(|by| by.text(stored)).any(|value| found(&value)) || description()
}
