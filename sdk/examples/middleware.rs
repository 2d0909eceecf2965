//! Middleware around the client: an HTTP client of your own with `tower` layers on its connections, and `tower` layers
//! around whole calls.
//!
//! ```sh
//! cargo run -p coralogix-incidents --example middleware -- --emulator incident_id_1 incident_id_2
//! CORALOGIX_API_KEY=... CORALOGIX_REGION=EU1 cargo run -p coralogix-incidents --example middleware -- INCIDENT_ID...
//! ```
//!
//! `reqwest-middleware` does not fit between the two: it wraps `reqwest::Client` in a type of its own, and what it repeats or
//! answers by itself would be missing from `Error::attempts` and make `Error::effect` say more than is known. Retries, spans and
//! deadlines are the SDK's own already; what is left is either about connections or about calls.
#![allow(clippy::print_stdout, reason = "an example prints")]

mod setup;

use std::time::Duration;

use coralogix_incidents::{Client, types::UnassignIncidentsRequest};
use tower::{Service, ServiceBuilder, ServiceExt, limit::ConcurrencyLimitLayer, service_fn};

/// An HTTP client with settings that the SDK's builder does not have.
fn http_client() -> reqwest::Result<reqwest::Client> {
    // The SDK sets no TLS provider for the whole process, and another reqwest client needs one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        // The SDK counts every request and follows no redirect: a client of your own must not do so behind its back.
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        // At most two connections are opened at a time, however many calls are waiting for one.
        .connector_layer(ConcurrencyLimitLayer::new(2))
        .pool_max_idle_per_host(4)
        .build()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, _emulator) = setup::client_with(|builder| Ok(builder.http_client(http_client()?))).await?;

    let unassign = |id: String| {
        let client: Client = client.clone();
        async move {
            let request = UnassignIncidentsRequest::new([id]);
            client.unassign_incidents(&request).await
        }
    };
    // Five calls a second at most, so that other users of the account are not in the way of its rate limit.
    let mut limited = ServiceBuilder::new().rate_limit(5, Duration::from_secs(1)).service(service_fn(unassign));
    for id in setup::arguments() {
        let response = limited.ready().await?.call(id.clone()).await?;
        println!("{id}: {} incident unassigned", response.incidents.len());
    }
    Ok(())
}
