//! The call of `with_sdk.rs`, made with bare reqwest and the same TLS.

use std::sync::Arc;

use rustls::{ClientConfig, crypto::ring};
use rustls_platform_verifier::BuilderVerifierExt;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    incident_ids: &'a [&'a str],
}

#[derive(Deserialize)]
struct Response {
    incidents: Vec<Incident>,
}

#[derive(Deserialize)]
struct Incident {
    id: String,
    status: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls).build()?;
    let request = Request { incident_ids: &["incident_id_1", "incident_id_2"] };
    let response = client
        .post("https://api.eu2.coralogix.com/mgmt/openapi/v1/incidents:unassign")
        .bearer_auth("cxup_...")
        .json(&request)
        .send()
        .await?;
    let body = response.bytes().await?;
    let response: Response = serde_json::from_slice(&body)?;
    for incident in &response.incidents {
        println!("{} {:?}", incident.id, incident.status);
    }
    Ok(())
}
