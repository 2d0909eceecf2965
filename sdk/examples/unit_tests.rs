//! Code that decides what to do about incidents, with unit tests that need neither an emulator nor a trait: what decides takes
//! incidents, wherever they come from, and what calls the service is left to `main`.
//!
//! ```sh
//! cargo run -p coralogix-incidents --example unit_tests -- --emulator
//! CORALOGIX_API_KEY=... CORALOGIX_REGION=EU1 cargo run -p coralogix-incidents --example unit_tests
//! cargo test -p coralogix-incidents --test examples unit_tests
//! ```
#![allow(clippy::print_stdout, reason = "an example prints")]

mod setup;

use std::collections::BTreeMap;

use coralogix_incidents::types::{Incident, IncidentSeverity, ListIncidentsRequest};
use futures::{Stream, TryStreamExt};

/// Open incidents of each user; the grave ones of nobody are listed by id.
#[derive(Debug, Default, PartialEq)]
struct Load {
    open: BTreeMap<String, usize>,
    orphans: Vec<String>,
}

/// Counts incidents as they come. `E` is `coralogix_incidents::Error` in the program, and anything in a test.
async fn load<E>(incidents: impl Stream<Item = Result<Incident, E>>) -> Result<Load, E> {
    let count = |mut load: Load, incident: Incident| async move {
        if incident.is_open() {
            for user in incident.assignees() {
                *load.open.entry(user.to_owned()).or_default() += 1;
            }
            if incident.assignments.is_empty() && incident.severity.rank() >= IncidentSeverity::Error.rank() {
                load.orphans.push(incident.id);
            }
        }
        Ok(load)
    };
    incidents.try_fold(Load::default(), count).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _emulator) = setup::client().await?;
    let load = load(client.list_incidents_stream(ListIncidentsRequest::default())).await?;
    for (user, count) in &load.open {
        println!("{count:5} {user}");
    }
    println!("{} grave incidents are nobody's: {}", load.orphans.len(), load.orphans.join(" "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use coralogix_incidents::types::{Assignment, IncidentStatus, UserDetails};
    use futures::stream;

    use super::*;

    /// An incident has many members; a test names those that it is about.
    fn incident(id: &str, status: IncidentStatus, severity: IncidentSeverity, users: &[&str]) -> Incident {
        let assignment = |user: &&str| Assignment::default().with_assigned_to(UserDetails::new(*user));
        Incident::default()
            .with_id(id)
            .with_status(status)
            .with_severity(severity)
            .with_assignments(users.iter().map(assignment))
    }

    #[tokio::test]
    async fn only_open_incidents_are_listed_for_a_user() {
        let incidents = [
            incident("a", IncidentStatus::Triggered, IncidentSeverity::Info, &["dana", "mei"]),
            incident("b", IncidentStatus::Acknowledged, IncidentSeverity::Critical, &["mei"]),
            incident("c", IncidentStatus::Resolved, IncidentSeverity::Critical, &["mei"]),
        ];
        let load = load(stream::iter(incidents.map(Ok::<_, ()>))).await.unwrap();
        assert_eq!(load.open, BTreeMap::from([("dana".to_owned(), 1), ("mei".to_owned(), 2)]));
        assert!(load.orphans.is_empty());
    }

    #[tokio::test]
    async fn unassigned_critical_incidents_are_listed() {
        let incidents = [IncidentSeverity::Low, IncidentSeverity::Warning, IncidentSeverity::Error]
            .map(|severity| incident(&severity.to_string(), IncidentStatus::Triggered, severity, &[]));
        let load = load(stream::iter(incidents.map(Ok::<_, ()>))).await.unwrap();
        assert_eq!(load.orphans, ["INCIDENT_SEVERITY_ERROR"]);
    }

    #[tokio::test]
    async fn a_list_that_fails_in_the_middle_is_an_error_and_no_smaller_load() {
        let first = incident("a", IncidentStatus::Triggered, IncidentSeverity::Info, &["dana"]);
        let result = load(stream::iter([Ok(first), Err("the connection broke")])).await;
        assert_eq!(result, Err("the connection broke"));
    }
}
