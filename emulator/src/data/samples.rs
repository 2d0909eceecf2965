//! Realistic incidents. It knows nothing of HTTP, or of what happens to the incidents later.

use chrono::{DateTime, TimeDelta, Utc};
use coralogix_incidents::types::{self, IncidentSeverity};
use fastrand::Rng;

use crate::{
    domain::ids::{Ids, hash, uuid},
    domain::state::{Change, Stored},
};

/// The ids of the documented sample request. A seeded emulator has both, assigned to a user.
pub const DOCUMENTED_IDS: [&str; 2] = ["incident_id_1", "incident_id_2"];

/// The ids of the alerts' events that opened the incidents of [`DOCUMENTED_IDS`].
pub const DOCUMENTED_EVENT_IDS: [&str; 2] = ["event_id_1", "event_id_2"];

/// The users of the seeded incidents. The documented incidents are assigned to the first of them.
pub const USERS: [&str; 4] =
    ["dana.levi@example.com", "jonas.weber@example.com", "mei.tanaka@example.com", "priya.nair@example.com"];

/// An alert that opens incidents.
struct Alert {
    name: &'static str,
    description: &'static str,
    severity: IncidentSeverity,
    /// The application, the subsystem, the service and the team.
    labels: [&'static str; 4],
}

static ALERTS: [Alert; 8] = [
    Alert {
        name: "Checkout error ratio above 5 %",
        description: "More than 5 % of the checkout requests failed within 10 minutes.",
        severity: IncidentSeverity::Critical,
        labels: ["shop", "checkout", "checkout-api", "payments"],
    },
    Alert {
        name: "Payment provider latency above 2 s",
        description: "The payment provider took longer than 2 s to answer for 15 minutes.",
        severity: IncidentSeverity::Error,
        labels: ["shop", "payments", "payment-gateway", "payments"],
    },
    Alert {
        name: "Search index older than 30 minutes",
        description: "The search index was not refreshed for 30 minutes.",
        severity: IncidentSeverity::Warning,
        labels: ["shop", "search", "indexer", "discovery"],
    },
    Alert {
        name: "Disk usage above 85 %",
        description: "A volume of the log store is more than 85 % full.",
        severity: IncidentSeverity::Warning,
        labels: ["platform", "storage", "log-store", "infrastructure"],
    },
    Alert {
        name: "Login failures from one network",
        description: "More than 200 failed logins from one network within 5 minutes.",
        severity: IncidentSeverity::Critical,
        labels: ["identity", "login", "auth", "security"],
    },
    Alert {
        name: "Queue depth growing for 20 minutes",
        description: "The consumers of the order queue fall behind.",
        severity: IncidentSeverity::Error,
        labels: ["shop", "orders", "order-worker", "fulfilment"],
    },
    Alert {
        name: "Certificate expires within 14 days",
        description: "A certificate of the public gateway has to be renewed.",
        severity: IncidentSeverity::Low,
        labels: ["platform", "edge", "gateway", "infrastructure"],
    },
    Alert {
        name: "Nightly export finished late",
        description: "The nightly export took longer than its window.",
        severity: IncidentSeverity::Info,
        labels: ["reporting", "export", "exporter", "data"],
    },
];

/// Builds a realistic incident. An alert opened it and gave it a name, a severity and labels; its events record what was done
/// about it since.
///
/// ```
/// use coralogix_incidents::types::{Incident, IncidentStatus};
/// use coralogix_incidents_emulator::Sample;
///
/// let sample = Sample::new("3f2b9c4e").assigned_to("dana.levi@example.com");
/// let incident = Incident::from(sample.acknowledged());
/// assert_eq!(incident.status, IncidentStatus::Acknowledged);
/// assert_eq!(incident.events.len(), 4);
/// ```
#[derive(Debug, Clone)]
pub struct Sample {
    id: String,
    alert: usize,
    seed: u64,
    opened: DateTime<Utc>,
    name: Option<String>,
    severity: Option<IncidentSeverity>,
    environment: &'static str,
    muted: bool,
    steps: Vec<(Change, TimeDelta)>,
}

impl Sample {
    /// Creates an incident that an alert opened on 14 March 2026 at 08:12:30 UTC, and that nobody has worked on. The id
    /// determines the alert and the ids of the events.
    pub fn new(id: impl Into<String>) -> Self {
        let id = id.into();
        let seed = hash(id.as_bytes());
        Self {
            id,
            alert: Rng::with_seed(seed).usize(..ALERTS.len()),
            seed,
            opened: DateTime::from_timestamp(1_773_475_950, 0).unwrap_or_default(),
            name: None,
            severity: None,
            environment: "production",
            muted: false,
            steps: Vec::new(),
        }
    }

    /// Sets the time at which the alert opened the incident.
    #[must_use]
    pub fn opened_at(mut self, time: DateTime<Utc>) -> Self {
        self.opened = time;
        self
    }

    /// Sets the name, instead of the alert's.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the severity, instead of the alert's.
    #[must_use]
    pub fn with_severity(mut self, severity: IncidentSeverity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// Suppresses the incident's notifications.
    #[must_use]
    pub fn muted(mut self) -> Self {
        self.muted = true;
        self
    }

    /// Assigns the incident to a user, one minute after the previous step.
    #[must_use]
    pub fn assigned_to(self, user_id: impl Into<String>) -> Self {
        self.then(Change::Assign(user_id.into()), TimeDelta::minutes(1))
    }

    /// Acknowledges the incident, five minutes after the previous step.
    #[must_use]
    pub fn acknowledged(self) -> Self {
        self.then(Change::Acknowledge, TimeDelta::minutes(5))
    }

    /// Resolves the incident, this long after the previous step.
    #[must_use]
    pub fn resolved_after(self, while_open: TimeDelta) -> Self {
        self.then(Change::Resolve, while_open)
    }

    /// Closes the incident, this long after the previous step.
    #[must_use]
    pub fn closed_after(self, while_open: TimeDelta) -> Self {
        self.then(Change::Close, while_open)
    }

    fn then(mut self, change: Change, after: TimeDelta) -> Self {
        self.steps.push((change, after));
        self
    }

    pub(crate) fn build(self) -> Stored {
        let alert = &ALERTS[self.alert];
        let [application, subsystem, service, team] = alert.labels;
        let mut ids = Ids::new(self.seed, 0);
        let generated = ids.next_key();
        let documented = DOCUMENTED_IDS.iter().zip(DOCUMENTED_EVENT_IDS).find(|(id, _)| **id == self.id);
        let key = documented.map_or(generated, |(_, event_id)| event_id.to_owned());
        let by_alert = |event: types::IncidentEvent, id| {
            let system = types::IncidentEventOriginatorOperational::default().with_system_name("alerts");
            event.with_id(id).with_originator_type(types::OriginatorType::Operational).with_operational_event(system)
        };
        let opened = types::IncidentEvent::default().with_incident_event_type(types::IncidentEventType::Open);
        let triggered = types::IncidentEvent::default()
            .with_incident_event_type(types::IncidentEventType::UpsertState)
            .with_upsert_state(
                types::IncidentEventUpsertState::default()
                    .with_state_type(types::UpsertIncidentStateType::Triggered)
                    .with_payload(types::UpsertIncidentStatePayload::default().with_cx_event_key(&key))
                    .with_is_muted(self.muted),
            );
        let labels = [
            ("applicationName", application),
            ("subsystemName", subsystem),
            ("service", service),
            ("environment", self.environment),
        ];
        let incident = types::Incident::default()
            .with_id(&self.id)
            .with_name(self.name.unwrap_or_else(|| alert.name.to_owned()))
            .with_description(alert.description)
            .with_severity(self.severity.unwrap_or_else(|| alert.severity.clone()))
            .with_state(types::IncidentState::Triggered)
            .with_status(types::IncidentStatus::Triggered)
            .with_contextual_labels(labels)
            .with_display_labels([("Service", service)])
            .with_meta_labels([types::MetaLabel::default().with_key("team").with_value(team)])
            .with_events([by_alert(opened, ids.next_uuid()), by_alert(triggered, ids.next_uuid())])
            .with_created_at(self.opened)
            .with_last_state_update_time(self.opened)
            .with_last_state_update_key(key)
            .with_is_muted(self.muted);
        let mut stored = Stored::new(incident);
        let mut time = self.opened;
        let mut assignee = USERS[1].to_owned();
        for (change, after) in self.steps {
            time += after;
            // The assignee works on the incident; somebody else assigns it.
            let user = if matches!(change, Change::Assign(_)) { USERS[1] } else { &assignee };
            stored.apply(&change, user, time, &mut ids);
            if let Change::Assign(to) = change {
                assignee = to;
            }
        }
        stored
    }
}

impl From<Sample> for types::Incident {
    fn from(sample: Sample) -> Self {
        sample.build().incident
    }
}

/// Generates this many incidents of the last two weeks, the documented ones first. The same seed and time give the same
/// incidents.
pub(crate) fn seeded(count: usize, seed: u64, now: DateTime<Utc>) -> Vec<Stored> {
    let mut random = Rng::with_seed(seed);
    (0..count).map(|number| one(number, &mut random, now).build()).collect()
}

fn one(number: usize, random: &mut Rng, now: DateTime<Utc>) -> Sample {
    if let Some(&id) = DOCUMENTED_IDS.get(number) {
        let opened = now - TimeDelta::minutes(40) - TimeDelta::minutes(random.i64(0..10));
        let sample = Sample { alert: number, ..Sample::new(id) };
        return sample.opened_at(opened).assigned_to(USERS[0]).acknowledged();
    }
    let mut sample = Sample::new(uuid(random));
    sample.alert = random.usize(..ALERTS.len());
    sample.environment = if random.u8(..5) == 0 { "staging" } else { "production" };
    // Opened long enough ago that all of its steps are in the past.
    let opened =
        now - TimeDelta::minutes(random.i64(200..14 * 24 * 60)) - TimeDelta::milliseconds(random.i64(0..60_000));
    sample = sample.opened_at(opened);
    if random.u8(..10) == 0 {
        sample = sample.muted();
    }
    if random.u8(..10) < 6 {
        sample = sample.assigned_to(USERS[random.usize(..USERS.len())]);
    }
    match random.u8(..10) {
        0..=2 => sample,
        3..=5 => sample.acknowledged(),
        6..=8 => sample.acknowledged().resolved_after(TimeDelta::milliseconds(random.i64(60_000..9_000_000))),
        _ => sample.closed_after(TimeDelta::seconds(random.i64(60..9_000))),
    }
}
