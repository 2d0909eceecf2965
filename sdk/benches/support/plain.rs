//! The documented sample's messages as one would write them by hand: closed, trusting, and as fast as serde is.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

macro_rules! message {
    ($name:ident { $($field:ident: $ty:ty),* $(,)? }) => {
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[allow(dead_code, clippy::struct_field_names, reason = "they are decoded, not used, and named as on the wire")]
        pub(crate) struct $name { $(pub(crate) $field: $ty),* }
    };
}

message!(Response { incidents: Vec<Incident> });
message!(Incident {
    id: String,
    name: Option<String>,
    state: State,
    status: Status,
    assignments: Vec<Assignment>,
    description: Option<String>,
    severity: Severity,
    contextual_labels: BTreeMap<String, String>,
    display_labels: BTreeMap<String, String>,
    events: Vec<Event>,
    created_at: Option<DateTime<Utc>>,
    closed_at: Option<DateTime<Utc>>,
    last_state_update_time: Option<DateTime<Utc>>,
    last_state_update_key: Option<String>,
    is_muted: Option<bool>,
    meta_labels: Vec<MetaLabel>,
    duration: Option<String>,
});
message!(Assignment { assigned_to: Option<User>, assigned_by: Option<User> });
message!(User { user_id: String });
message!(MetaLabel { key: Option<String>, value: Option<String> });
message!(Event {
    id: String,
    incident_event_type: EventType,
    snooze_indicator: Option<Snooze>,
    assignment: Option<Assign>,
    unassign: Option<Unassign>,
    upsert_state: Option<Upsert>,
    acknowledge: Option<Acknowledge>,
    close: Option<Close>,
    originator_type: Originator,
    administrative_event: Option<Administrative>,
    operational_event: Option<Operational>,
});
message!(Snooze { start_time: Option<DateTime<Utc>>, duration_minutes: Option<i32>, user_id: Option<String> });
message!(Assign { assignment: Option<Assignment> });
message!(Unassign {});
message!(Upsert { state_type: UpsertType, payload: Option<UpsertPayload>, is_muted: Option<bool> });
message!(UpsertPayload { cx_event_key: Option<String> });
message!(Acknowledge { acknowledged_by: Option<User> });
message!(Close { closed_by: Option<User> });
message!(Administrative { user_id: Option<String> });
message!(Operational { system_name: Option<String> });

macro_rules! names {
    ($name:ident { $($variant:ident = $wire:literal),* $(,)? }) => {
        #[derive(Debug, Deserialize)]
        pub(crate) enum $name { $(#[serde(rename = $wire)] $variant),* }
    };
}

names!(State { Unspecified = "INCIDENT_STATE_UNSPECIFIED", Triggered = "INCIDENT_STATE_TRIGGERED", Resolved = "INCIDENT_STATE_RESOLVED" });
names!(Status {
    Unspecified = "INCIDENT_STATUS_UNSPECIFIED",
    Triggered = "INCIDENT_STATUS_TRIGGERED",
    Acknowledged = "INCIDENT_STATUS_ACKNOWLEDGED",
    Resolved = "INCIDENT_STATUS_RESOLVED",
});
names!(Severity {
    Unspecified = "INCIDENT_SEVERITY_UNSPECIFIED",
    Info = "INCIDENT_SEVERITY_INFO",
    Warning = "INCIDENT_SEVERITY_WARNING",
    Error = "INCIDENT_SEVERITY_ERROR",
    Critical = "INCIDENT_SEVERITY_CRITICAL",
    Low = "INCIDENT_SEVERITY_LOW",
});
names!(EventType {
    Unspecified = "INCIDENT_EVENT_TYPE_UNSPECIFIED",
    UpsertState = "INCIDENT_EVENT_TYPE_UPSERT_STATE",
    Open = "INCIDENT_EVENT_TYPE_OPEN",
    Close = "INCIDENT_EVENT_TYPE_CLOSE",
    SnoozeIndicator = "INCIDENT_EVENT_TYPE_SNOOZE_INDICATOR",
    Assign = "INCIDENT_EVENT_TYPE_ASSIGN",
    Unassign = "INCIDENT_EVENT_TYPE_UNASSIGN",
    Acknowledge = "INCIDENT_EVENT_TYPE_ACKNOWLEDGE",
});
names!(UpsertType {
    Unspecified = "UPSERT_INCIDENT_STATE_TYPE_UNSPECIFIED",
    Triggered = "UPSERT_INCIDENT_STATE_TYPE_TRIGGERED",
    Resolved = "UPSERT_INCIDENT_STATE_TYPE_RESOLVED",
});
names!(Originator {
    Unspecified = "ORIGINATOR_TYPE_UNSPECIFIED",
    Operational = "ORIGINATOR_TYPE_OPERATIONAL",
    Administrative = "ORIGINATOR_TYPE_ADMINISTRATIVE",
});
