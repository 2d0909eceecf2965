//! Closes open incidents that nothing has happened to for some days: a job to run every night.
//!
//! ```sh
//! cargo run -p coralogix-incidents --example close_stale -- --emulator --dry-run 1
//! cargo run -p coralogix-incidents --example close_stale -- --emulator 1
//! CORALOGIX_API_KEY=... CORALOGIX_REGION=EU1 cargo run -p coralogix-incidents --example close_stale -- DAYS
//! ```
//!
//! It can be run again at any time, and ends with exit status 1 if an incident was not closed, so a Kubernetes `CronJob`
//! retries it:
//!
//! ```yaml
//! apiVersion: batch/v1
//! kind: CronJob
//! metadata: { name: close-stale-incidents }
//! spec:
//!   schedule: "0 3 * * *"
//!   concurrencyPolicy: Forbid
//!   jobTemplate:
//!     spec:
//!       backoffLimit: 3
//!       activeDeadlineSeconds: 900
//!       template:
//!         spec:
//!           restartPolicy: Never
//!           containers:
//!             - name: close-stale
//!               image: registry.example.com/close-stale:1
//!               args: ["30"]
//!               env:
//!                 - { name: CORALOGIX_REGION, value: EU1 }
//!                 - name: CORALOGIX_API_KEY
//!                   valueFrom: { secretKeyRef: { name: coralogix, key: api-key } }
//! ```
#![allow(clippy::print_stdout, reason = "an example prints")]

mod setup;

use std::{
    process::ExitCode,
    time::{Duration, SystemTime},
};

use chrono::{DateTime, Utc};
use coralogix_incidents::{
    Client,
    bulk::Fate,
    types::{Incident, IncidentQueryFilter, IncidentStatus, ListIncidentsRequest},
};
use futures::{StreamExt, TryStreamExt};

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let (client, _emulator) = setup::client().await?;
    let arguments = setup::arguments();
    let [days] = arguments.as_slice() else { return Err("say after how many days an incident is stale".into()) };
    let age = Duration::from_secs(24 * 60 * 60).checked_mul(days.parse()?).ok_or("that many days cannot be counted")?;
    let limit = SystemTime::now().checked_sub(age).ok_or("that is before time began")?;

    let stale = stale_incidents(&client, limit.into()).await?;
    if setup::has_flag("--dry-run") {
        for incident in &stale {
            println!("{} would be closed: {}", incident.id, incident.name.as_deref().unwrap_or("(no name)"));
        }
        return Ok(ExitCode::SUCCESS);
    }
    Ok(if close(&client, stale).await { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Open incidents whose last change is older than `limit`.
async fn stale_incidents(client: &Client, limit: DateTime<Utc>) -> Result<Vec<Incident>, coralogix_incidents::Error> {
    let filter = IncidentQueryFilter::default().with_status([IncidentStatus::Triggered, IncidentStatus::Acknowledged]);
    let incidents = client.list_incidents_stream(ListIncidentsRequest::default().with_filter(filter));
    let is_stale = |incident: &Incident| {
        let changed = incident.last_state_update_time.or(incident.created_at);
        // An incident without either time is left to a person.
        std::future::ready(incident.is_open() && changed.is_some_and(|changed| changed < limit))
    };
    incidents.try_filter(is_stale).try_collect().await
}

/// Closes these incidents and says what became of each. Returns whether all of them are closed.
async fn close(client: &Client, incidents: Vec<Incident>) -> bool {
    let mut run = client.bulk().close(incidents.into_iter().map(|incident| incident.id));
    let mut complete = true;
    while let Some(outcome) = run.next().await {
        match outcome.fate {
            Fate::Updated(incident) => println!("{} is closed", incident.id),
            // Somebody else was faster.
            Fate::NotFound => println!("{} does not exist any more", outcome.id),
            fate => {
                complete = false;
                println!("{} is not known to be closed: {fate:?}", outcome.id);
            }
        }
    }
    println!("{} incidents closed", run.summary().updated);
    complete
}
