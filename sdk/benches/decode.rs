//! Decoding a reply of 10,000 incidents: the generated types against hand-written ones and against `serde_json::Value`, and
//! what they allocate. `cargo bench -p coralogix-incidents --bench decode`
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a benchmark prints, and has nothing to recover to")]

#[path = "support/plain.rs"]
mod plain;
#[path = "support/ratio.rs"]
mod ratio;

use std::{alloc::System, hint::black_box, time::Duration};

use coralogix_incidents::types::UnassignIncidentsResponse;
use criterion::{Criterion, Throughput};
use serde_json::Value;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const INCIDENTS: usize = 10_000;

/// Bytes allocated while `work` runs, for each incident.
fn allocated<T>(name: &str, work: impl FnOnce() -> T) {
    let region = Region::new(ALLOCATOR);
    let value = black_box(work());
    let change = region.change();
    let bytes = change.bytes_allocated + usize::try_from(change.bytes_reallocated.max(0)).unwrap_or(0);
    println!(
        "{name:<12} {:>6} bytes allocated per incident, {:>3} allocations",
        bytes / INCIDENTS,
        change.allocations / INCIDENTS
    );
    drop(value);
}

fn main() {
    let sample: Value =
        serde_json::from_str(include_str!("../../openapi/samples/unassign_incidents.response.json")).expect("JSON");
    let incidents = vec![sample["incidents"][0].clone(); INCIDENTS];
    let body = serde_json::to_vec(&serde_json::json!({ "incidents": incidents })).expect("JSON");

    let mut criterion =
        Criterion::default().sample_size(20).measurement_time(Duration::from_secs(6)).configure_from_args();
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("generated", |bencher| {
        bencher.iter_with_large_drop(|| {
            serde_json::from_slice::<UnassignIncidentsResponse>(black_box(&body)).expect("decodes")
        });
    });
    group.bench_function("handwritten", |bencher| {
        bencher.iter_with_large_drop(|| serde_json::from_slice::<plain::Response>(black_box(&body)).expect("decodes"));
    });
    group.bench_function("value", |bencher| {
        bencher.iter_with_large_drop(|| serde_json::from_slice::<Value>(black_box(&body)).expect("decodes"));
    });
    group.finish();
    criterion.final_summary();

    println!("\n{INCIDENTS} incidents, {} bytes", body.len());
    let generated = || drop(black_box(serde_json::from_slice::<UnassignIncidentsResponse>(&body)));
    let handwritten = || drop(black_box(serde_json::from_slice::<plain::Response>(&body)));
    let value = || drop(black_box(serde_json::from_slice::<Value>(&body)));
    ratio::print(["generated", "handwritten"], 60, "at most 1.05 (0.95 of the throughput)", generated, handwritten);
    ratio::print(["generated", "value"], 40, "at most 0.5 (twice the throughput)", generated, value);
    allocated("generated", || serde_json::from_slice::<UnassignIncidentsResponse>(&body));
    allocated("handwritten", || serde_json::from_slice::<plain::Response>(&body));
    allocated("value", || serde_json::from_slice::<Value>(&body));
}
