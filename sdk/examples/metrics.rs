//! Counts calls and measures requests with OpenTelemetry, from the spans that the client already makes.
//!
//! ```sh
//! # A collector that listens for OTLP over HTTP; without one, the example still runs and says that nobody took the metrics.
//! OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 cargo run -p coralogix-incidents --example metrics -- --emulator
//! cargo test -p coralogix-incidents --test examples metrics
//! ```
#![allow(clippy::print_stdout, reason = "an example prints")]

mod setup;

use std::{fmt, time::Instant};

use coralogix_incidents::types::UnassignIncidentsRequest;
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram, Meter, MeterProvider},
};
use opentelemetry_otlp::MetricExporter;
use opentelemetry_sdk::{Resource, metrics::SdkMeterProvider};
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
    util::SubscriberInitExt,
};

/// Turns the client's spans into metrics when they end.
struct Metrics {
    /// Calls, by operation and kind of failure, retries included in the call.
    calls: Counter<u64>,
    /// Single requests, as OpenTelemetry's conventions for HTTP clients want them.
    requests: Histogram<f64>,
}

impl Metrics {
    fn new(meter: &Meter) -> Self {
        let requests = meter.f64_histogram("http.client.request.duration").with_unit("s");
        Self { calls: meter.u64_counter("coralogix.incidents.calls").build(), requests: requests.build() }
    }
}

/// What is remembered of a span while it is open.
struct Open {
    start: Instant,
    attributes: Vec<KeyValue>,
}

/// Keeps the fields that make good attributes: few values each, so neither ids nor numbers of ports.
impl Visit for Open {
    fn record_str(&mut self, field: &Field, value: &str) {
        if ["http.request.method", "url.template", "server.address", "error.type"].contains(&field.name()) {
            self.attributes.push(KeyValue::new(field.name(), value.to_owned()));
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "http.response.status_code" {
            self.attributes.push(KeyValue::new(field.name(), i64::try_from(value).unwrap_or(i64::MAX)));
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for Metrics {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut open = Open { start: Instant::now(), attributes: Vec::new() };
        attributes.record(&mut open);
        span.extensions_mut().insert(open);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            values.record(open);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(Open { start, attributes }) = span.extensions_mut().remove() else { return };
        match span.name() {
            "operation" => self.calls.add(1, &attributes),
            "request" => self.requests.record(start.elapsed().as_secs_f64(), &attributes),
            _ => {}
        }
    }
}

/// The layer, for the client's own spans and no others.
fn layer<S: Subscriber + for<'span> LookupSpan<'span>>(provider: &SdkMeterProvider) -> impl Layer<S> {
    let only = Targets::new().with_target("coralogix_incidents", tracing::Level::INFO);
    Metrics::new(&provider.meter("incident-desk")).with_filter(only)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The exporter has an HTTP client of its own. The SDK sets no TLS provider for the whole process, so the application does.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let exporter = MetricExporter::builder().with_http().build()?;
    let provider = SdkMeterProvider::builder()
        .with_resource(Resource::builder().with_service_name("incident-desk").build())
        .with_periodic_exporter(exporter)
        .build();
    tracing_subscriber::registry().with(layer(&provider)).init();

    let (client, _emulator) = setup::client().await?;
    let request = UnassignIncidentsRequest::new(["incident_id_1"]);
    let response = client.unassign_incidents(&request).await?;
    println!("unassigned {} incidents", response.incidents.len());

    match tokio::task::spawn_blocking(move || provider.shutdown()).await? {
        Ok(()) => println!("the metrics are with the collector"),
        Err(error) => println!("no collector took the metrics: {error}"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use coralogix_incidents_emulator::{Emulator, Fault};
    use opentelemetry_sdk::metrics::{
        InMemoryMetricExporter,
        data::{AggregatedMetrics, MetricData, ResourceMetrics, ScopeMetrics, SumDataPoint},
    };

    use super::*;

    #[tokio::test]
    async fn a_call_that_is_retried_is_one_call_and_two_requests() {
        let exporter = InMemoryMetricExporter::default();
        let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
        let guard = tracing_subscriber::registry().with(layer(&provider)).set_default();
        let emulator = Emulator::builder().fault(Fault::status(503).times(1)).start().await.unwrap();
        let request = UnassignIncidentsRequest::new(["incident_id_1"]);
        emulator.client().unwrap().unassign_incidents(&request).await.unwrap();
        drop(guard);

        provider.force_flush().unwrap();
        let finished = exporter.get_finished_metrics().unwrap();
        let scopes = finished.iter().flat_map(ResourceMetrics::scope_metrics);
        let (mut calls, mut statuses) = (0, Vec::new());
        for metric in scopes.flat_map(ScopeMetrics::metrics) {
            match metric.data() {
                AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                    calls += sum.data_points().map(SumDataPoint::value).sum::<u64>();
                }
                AggregatedMetrics::F64(MetricData::Histogram(histogram)) => {
                    for point in histogram.data_points() {
                        let mut attributes = point.attributes();
                        let status = attributes.find(|attribute| attribute.key.as_str() == "http.response.status_code");
                        statuses.push((status.unwrap().value.to_string(), point.count()));
                    }
                }
                other => panic!("{}: {other:?}", metric.name()),
            }
        }
        statuses.sort();
        assert_eq!(calls, 1);
        assert_eq!(statuses, [("200".to_owned(), 1), ("503".to_owned(), 1)]);
    }
}
