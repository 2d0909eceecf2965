//! Removes the assignments of incidents.
//!
//! ```sh
//! cargo run -p coralogix-incidents --example unassign -- --emulator incident_id_1 incident_id_2
//! CORALOGIX_API_KEY=... CORALOGIX_REGION=EU1 cargo run -p coralogix-incidents --example unassign -- INCIDENT_ID...
//! ```
#![allow(clippy::print_stdout, reason = "an example prints")]

mod setup;

use coralogix_incidents::types::UnassignIncidentsRequest;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _emulator) = setup::client().await?;
    let request = UnassignIncidentsRequest::new(setup::arguments());
    let response = client.unassign_incidents(&request).await?;
    for incident in &response.incidents {
        println!("{} is unassigned: {}", incident.id, incident.name.as_deref().unwrap_or("(no name)"));
    }
    // An id that the service does not know is no error: it is missing from the reply.
    for id in request.incident_ids.iter().filter(|id| response.incidents.iter().all(|incident| incident.id != **id)) {
        println!("{id} does not exist");
    }
    Ok(())
}
