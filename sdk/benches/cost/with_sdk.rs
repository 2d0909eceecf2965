//! A program that makes one call with the SDK. It is built outside of the workspace, to see what the SDK costs.

use coralogix_incidents::{ApiKey, Client, Region, types::UnassignIncidentsRequest};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), coralogix_incidents::Error> {
    let client = Client::builder()
        .api_key(ApiKey::new("cxup_...")?)
        .region(Region::Eu2)
        .build()?;
    let request = UnassignIncidentsRequest::new(["incident_id_1", "incident_id_2"]);
    match client.unassign_incidents(&request).await {
        Ok(response) => println!("{} incidents are unassigned", response.incidents.len()),
        Err(error) if error.is_permission_denied() => {
            println!("a personal key with incidents:assign is needed");
        }
        Err(error) => println!("{error}; anything changed? {:?}", error.effect()),
    }
    Ok(())
}
