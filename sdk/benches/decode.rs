//! Decoding a page of 10,000 incidents: the SDK against hand-written structs and against `serde_json::Value`, and the memory
//! that each takes. `cargo bench -p coralogix-incidents --bench decode`
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a benchmark prints, and has nothing to recover to")]

#[path = "support/plain.rs"]
mod plain;
#[path = "support/ratio.rs"]
mod ratio;

use std::{alloc::System, hint::black_box};

use coralogix_incidents::{
    types::{Incident, IncidentEvent, ListIncidentsResponse},
    wire,
};
use coralogix_incidents_emulator::Emulator;
use serde_json::Value;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::runtime::Runtime;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const INCIDENTS: usize = 10_000;

fn main() {
    let body = page();
    println!("{INCIDENTS} incidents, {:.1} MB of JSON", megabytes(body.len()));
    println!("an Incident has {} bytes, an IncidentEvent {}\n", size_of::<Incident>(), size_of::<IncidentEvent>());

    let sdk = || wire::from_slice::<ListIncidentsResponse>(&body).expect("decodes");
    let plain = || serde_json::from_slice::<plain::Response>(&body).expect("decodes");
    let value = || serde_json::from_slice::<Value>(&body).expect("decodes");
    let run = |rounds, names, goal, one: &dyn Fn(), other: &dyn Fn()| {
        ratio::print_cpu_time(names, rounds, goal, one, other);
    };
    run(60, ["sdk", "hand-written"], "at most 0.65", &|| drop(black_box(sdk())), &|| drop(black_box(plain())));
    run(20, ["sdk", "value"], "at most 0.3", &|| drop(black_box(sdk())), &|| drop(black_box(value())));
    println!();

    let json = body.len();
    memory("sdk", json, sdk, "at most 1.48: 26 MB for 17.6 MB of JSON");
    memory("hand-written", json, plain, "");
    memory("value", json, value, "");

    let hostile = format!("{{\"incidents\":[{{\"events\":[{}{{}}]}}]}}", "{},".repeat(1_000_000)).into_bytes();
    println!("\n1,000,000 empty events, {:.1} MB of JSON", megabytes(hostile.len()));
    let decode = || wire::from_slice::<ListIncidentsResponse>(&hostile).expect("decodes");
    memory("sdk", hostile.len(), decode, "at most 64, also while it is decoded");
}

/// The same incidents in each run: those that an emulator begins with.
fn page() -> Vec<u8> {
    let runtime = Runtime::new().expect("a runtime");
    let emulator = runtime.block_on(Emulator::builder().seeded(INCIDENTS, 1).start()).expect("starts");
    let incidents = emulator.incidents();
    assert_eq!(incidents.len(), INCIDENTS);
    serde_json::to_vec(&ListIncidentsResponse::default().with_incidents(incidents)).expect("encodes")
}

/// What is allocated for the result of `work`, and at most while it runs, as multiples of the JSON's size.
fn memory<T>(name: &str, json: usize, work: impl FnOnce() -> T, goal: &str) {
    let region = Region::new(ALLOCATOR);
    let value = black_box(work());
    let change = region.change();
    drop(value);
    // Decoding only adds: what it takes back is at most the spare room of its lists.
    let (peak, kept) = (change.bytes_allocated, change.bytes_allocated - change.bytes_deallocated);
    #[expect(clippy::cast_precision_loss, reason = "a ratio of two digits")]
    let of_json = |bytes: usize| bytes as f64 / json as f64;
    let (kept_of_json, peak_of_json) = (of_json(kept), of_json(peak));
    let goal = if goal.is_empty() { String::new() } else { format!("   goal {goal}") };
    println!(
        "{name:<14} keeps {:>6.1} MB, {kept_of_json:>5.2} of the JSON; at most {peak_of_json:>5.2} while decoding; {} allocations{goal}",
        megabytes(kept),
        change.allocations
    );
}

#[expect(clippy::cast_precision_loss, reason = "printed with one digit")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
