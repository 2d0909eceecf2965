//! Filters of incidents: the arguments that `list` and `stats` share.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use coralogix_incidents::types::{
    ContextualLabelValues, IncidentFields, IncidentQueryFilter, IncidentSeverity, IncidentState, IncidentStatus,
    TimeRange,
};

use crate::{
    input::{names, time},
    report::Failure,
};

#[derive(Debug, Args)]
#[group(id = "filters", multiple = true)]
pub(crate) struct FilterArgs {
    /// Filter by assigned user; filters by value can be repeated and match any of the values
    #[arg(long, value_name = "USER", value_parser = names::user, help_heading = "Filters")]
    assignee: Vec<String>,
    /// Filter by status
    #[arg(long, value_parser = status(), ignore_case = true, help_heading = "Filters")]
    status: Vec<IncidentStatus>,
    /// Filter by state of the alert
    #[arg(long, value_parser = state(), ignore_case = true, help_heading = "Filters")]
    state: Vec<IncidentState>,
    /// Filter by severity
    #[arg(long, value_parser = severity(), ignore_case = true, help_heading = "Filters")]
    severity: Vec<IncidentSeverity>,
    /// Filter by contextual label
    #[arg(long, value_name = "KEY=VALUE", value_parser = names::label, help_heading = "Filters")]
    label: Vec<(String, String)>,
    /// Filter by application
    #[arg(long, value_name = "NAME", value_parser = names::value, help_heading = "Filters")]
    application: Vec<String>,
    /// Filter by subsystem
    #[arg(long, value_name = "NAME", value_parser = names::value, help_heading = "Filters")]
    subsystem: Vec<String>,
    /// Open at this time or later: `2h` (ago), `2026-03-14` or `2026-03-14T08:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = time::parse_moment, help_heading = "Filters")]
    since: Option<DateTime<Utc>>,
    /// Open before this time
    #[arg(long, value_name = "TIME", value_parser = time::parse_moment, help_heading = "Filters")]
    until: Option<DateTime<Utc>>,
    /// Created at this time or later
    #[arg(long, value_name = "TIME", value_parser = time::parse_moment, help_heading = "Filters")]
    created_since: Option<DateTime<Utc>>,
    /// Created before this time
    #[arg(long, value_name = "TIME", value_parser = time::parse_moment, help_heading = "Filters")]
    created_until: Option<DateTime<Utc>>,
}

impl FilterArgs {
    pub(crate) fn filter(self) -> Result<IncidentQueryFilter, Failure> {
        let mut filter = IncidentQueryFilter::default();
        filter.incident_duration_range = time_range("since", self.since, "until", self.until)?;
        filter.created_at_range = time_range("created-since", self.created_since, "created-until", self.created_until)?;
        filter.assignee = self.assignee;
        filter.status = self.status;
        filter.state = self.state;
        filter.severity = self.severity;
        filter.contextual_labels = labels(self.label);
        filter.application_name = self.application;
        filter.subsystem_name = self.subsystem;
        Ok(filter)
    }
}

/// The values of each label.
pub(crate) fn labels(given: Vec<(String, String)>) -> BTreeMap<String, ContextualLabelValues> {
    let mut labels: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, value) in given {
        labels.entry(key).or_default().push(value);
    }
    let values = |values| ContextualLabelValues::default().with_contextual_label_values(values);
    labels.into_iter().map(|(key, list)| (key, values(list))).collect()
}

/// A range of times. The service wants both ends, so one that is not given is the beginning of Unix time, or now.
pub(crate) fn time_range(
    since_name: &str,
    since: Option<DateTime<Utc>>,
    until_name: &str,
    until: Option<DateTime<Utc>>,
) -> Result<Option<TimeRange>, Failure> {
    let (start, end) = match (since, until) {
        (None, None) => return Ok(None),
        (Some(since), Some(until)) if until < since => {
            let summary = format!("--{until_name} is before --{since_name}");
            return Err(Failure::usage(summary).next("exchange the times; nothing was sent"));
        }
        (since, until) => {
            let start = since.unwrap_or_default();
            (start, until.unwrap_or_else(|| Utc::now().max(start)))
        }
    };
    Ok(Some(TimeRange::default().with_start_time(start.min(end)).with_end_time(end)))
}

/// Reads a status, in any case.
pub(crate) fn status() -> impl TypedValueParser<Value = IncidentStatus> {
    known("INCIDENT_STATUS_", IncidentStatus::KNOWN, IncidentStatus::as_str)
}

/// Reads a state of an alert, in any case.
fn state() -> impl TypedValueParser<Value = IncidentState> {
    known("INCIDENT_STATE_", IncidentState::KNOWN, IncidentState::as_str)
}

/// Reads a severity, in any case.
pub(crate) fn severity() -> impl TypedValueParser<Value = IncidentSeverity> {
    known("INCIDENT_SEVERITY_", IncidentSeverity::KNOWN, IncidentSeverity::as_str)
}

/// Reads one of the known values of an enum, by its name on the wire without the prefix. The service refuses other names, and
/// the first value, which is the default, means no restriction.
fn known<T: Clone + Default + Send + Sync>(
    prefix: &str,
    values: &'static [T],
    name: fn(&T) -> &str,
) -> impl TypedValueParser<Value = T> {
    let short = |value| name(value).strip_prefix(prefix).unwrap_or(name(value)).to_lowercase();
    let values: Vec<(String, T)> = values.iter().skip(1).map(|value| (short(value), value.clone())).collect();
    PossibleValuesParser::new(values.iter().map(|(name, _)| name.clone())).map(move |text| {
        let value = values.iter().find(|(name, _)| name.eq_ignore_ascii_case(&text));
        value.map(|(_, value)| value.clone()).unwrap_or_default()
    })
}

/// The fields that incidents are sorted and grouped by.
const FIELDS: [(&str, IncidentFields); 11] = [
    ("created", IncidentFields::CreatedTime),
    ("closed", IncidentFields::ClosedTime),
    ("updated", IncidentFields::LastStateUpdateTime),
    ("severity", IncidentFields::Severity),
    ("status", IncidentFields::Status),
    ("state", IncidentFields::State),
    ("name", IncidentFields::Name),
    ("id", IncidentFields::Id),
    ("application", IncidentFields::ApplicationName),
    ("subsystem", IncidentFields::SubsystemName),
    ("duration", IncidentFields::Duration),
];

/// The names of the fields, for help and errors.
pub(crate) fn field_names() -> String {
    FIELDS.map(|(name, _)| name).join(", ")
}

/// The field of this name.
pub(crate) fn parse_field(name: &str) -> Result<IncidentFields, String> {
    let known = FIELDS.into_iter().find(|(known, _)| *known == name);
    known.map(|(_, field)| field).ok_or_else(|| format!("the fields are {}", field_names()))
}
