//! Decoding a page of 10,000 incidents: the SDK against hand-written structs and against `serde_json::Value`.
//! `cargo bench -p coralogix-incidents --bench decode`. `memory.rs` measures what they take.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a benchmark prints, and has nothing to recover to")]

#[path = "support/page.rs"]
mod page;
#[path = "support/plain.rs"]
mod plain;
#[path = "support/ratio.rs"]
mod ratio;

use std::hint::black_box;

use coralogix_incidents::{types::ListIncidentsResponse, wire};
use serde_json::Value;

use self::page::{INCIDENTS, megabytes};

fn main() {
    let body = page::page();
    println!("{INCIDENTS} incidents, {:.1} MB of JSON", megabytes(body.len()));
    let sdk = || drop(black_box(wire::from_slice::<ListIncidentsResponse>(&body).expect("decodes")));
    let plain = || drop(black_box(serde_json::from_slice::<plain::Response>(&body).expect("decodes")));
    let value = || drop(black_box(serde_json::from_slice::<Value>(&body).expect("decodes")));
    ratio::print_cpu_time(["sdk", "hand-written"], 100, "at most 0.65", sdk, plain);
    ratio::print_cpu_time(["sdk", "value"], 20, "at most 0.3", sdk, value);
}
