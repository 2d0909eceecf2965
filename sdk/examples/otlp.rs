//! Sends the client's spans to an OpenTelemetry collector.
//!
//! ```sh
//! # A collector that listens for OTLP over HTTP; without one, the example still runs and says that nobody took the spans.
//! OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 cargo run -p coralogix-incidents --example otlp -- --emulator
//! ```
#![allow(clippy::print_stdout, reason = "an example prints")]

mod setup;

use coralogix_incidents::types::UnassignIncidentsRequest;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The exporter has an HTTP client of its own. The SDK sets no TLS provider for the whole process, so the application does.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let exporter = SpanExporter::builder().with_http().build()?;
    let provider = SdkTracerProvider::builder()
        .with_resource(Resource::builder().with_service_name("incident-desk").build())
        .with_batch_exporter(exporter)
        .build();
    // The client's own spans and no more: the exporter's HTTP client is traced too, and would export itself.
    let only = Targets::new().with_target("coralogix_incidents", tracing::Level::INFO);
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("incident-desk"));
    tracing_subscriber::registry().with(only).with(layer).init();

    let (client, _emulator) = setup::client().await?;
    let request = UnassignIncidentsRequest::new(["incident_id_1"]);
    let response = client.unassign_incidents(&request).await?;
    println!("unassigned {} incidents, correlation id {}", response.incidents.len(), response.correlation_id());

    match tokio::task::spawn_blocking(move || provider.shutdown()).await? {
        Ok(()) => println!("the spans are with the collector"),
        Err(error) => println!("no collector took the spans: {error}"),
    }
    Ok(())
}
