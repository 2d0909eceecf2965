//! Filters of incidents: the arguments that `list` and `stats` share.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};
use coralogix_incidents::types::{
    ContextualLabelValues, IncidentFields, IncidentQueryFilter, IncidentSeverity, IncidentState, IncidentStatus,
    TimeRange,
};

use crate::{
    input::{names, time},
    report::errors::Failure,
};

#[derive(Debug, Args)]
#[group(id = "filters", multiple = true)]
pub(crate) struct FilterArgs {
    /// Filter by assigned user; filters by value can be repeated and match any of the values
    #[arg(long, value_name = "USER", value_parser = names::user, help_heading = "Filters")]
    assignee: Vec<String>,
    /// Filter by status
    #[arg(long, value_enum, ignore_case = true, help_heading = "Filters")]
    status: Vec<Status>,
    /// Filter by state of the alert
    #[arg(long, value_enum, ignore_case = true, help_heading = "Filters")]
    state: Vec<State>,
    /// Filter by severity
    #[arg(long, value_enum, ignore_case = true, help_heading = "Filters")]
    severity: Vec<Severity>,
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
        filter.status = self.status.into_iter().map(Into::into).collect();
        filter.state = self.state.into_iter().map(Into::into).collect();
        filter.severity = self.severity.into_iter().map(Into::into).collect();
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

/// The statuses that this version knows: the service refuses a request with another name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Status {
    Triggered,
    Acknowledged,
    Resolved,
}

impl From<Status> for IncidentStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Triggered => Self::Triggered,
            Status::Acknowledged => Self::Acknowledged,
            Status::Resolved => Self::Resolved,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum State {
    Triggered,
    Resolved,
}

impl From<State> for IncidentState {
    fn from(state: State) -> Self {
        match state {
            State::Triggered => Self::Triggered,
            State::Resolved => Self::Resolved,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Severity {
    Low,
    Info,
    Warning,
    Error,
    Critical,
}

impl From<Severity> for IncidentSeverity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Low => Self::Low,
            Severity::Info => Self::Info,
            Severity::Warning => Self::Warning,
            Severity::Error => Self::Error,
            Severity::Critical => Self::Critical,
        }
    }
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

/// The field of this name.
pub(crate) fn parse_field(name: &str) -> Result<IncidentFields, String> {
    let known = FIELDS.into_iter().find(|(known, _)| *known == name);
    known.map(|(_, field)| field).ok_or_else(|| format!("the fields are {}", FIELDS.map(|(name, _)| name).join(", ")))
}
