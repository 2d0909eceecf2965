//! The memory that a decoded page of 10,000 incidents takes: the SDK, hand-written structs and `serde_json::Value`; and what a
//! hostile body takes. `cargo bench -p coralogix-incidents --bench memory`
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a benchmark prints, and has nothing to recover to")]

#[path = "support/page.rs"]
mod page;
#[path = "support/plain.rs"]
mod plain;

use std::{alloc::System, hint::black_box};

use coralogix_incidents::{
    types::{Incident, IncidentEvent, ListIncidentsResponse},
    wire,
};
use serde_json::Value;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

use self::page::{INCIDENTS, megabytes};

/// It counts, which takes time: times are measured by a benchmark of their own.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let body = page::page();
    let json = body.len();
    println!("{INCIDENTS} incidents, {:.1} MB of JSON", megabytes(json));
    println!("an Incident has {} bytes, an IncidentEvent {}", size_of::<Incident>(), size_of::<IncidentEvent>());
    let sdk = |json: &[u8]| wire::from_slice::<ListIncidentsResponse>(json).expect("decodes");
    let plain = || serde_json::from_slice::<plain::Response>(&body).expect("decodes");
    let value = || serde_json::from_slice::<Value>(&body).expect("decodes");
    memory("sdk", json, || sdk(&body), "at most 1.48: 26 MB for 17.6 MB of JSON");
    memory("hand-written", json, plain, "");
    memory("value", json, value, "");

    let hostile = format!("{{\"incidents\":[{{\"events\":[{}{{}}]}}]}}", "{},".repeat(1_000_000)).into_bytes();
    println!("\n1,000,000 empty events, {:.1} MB of JSON", megabytes(hostile.len()));
    memory("sdk", hostile.len(), || sdk(&hostile), "at most 64, also while it is decoded");
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
