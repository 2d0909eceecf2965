//! 100,000 and 1,000,000 ids in bulk, against an emulator that takes about 20 ms for each request: how near the throughput is to
//! what concurrency and latency allow, and the peak memory of the client's process. The emulator is another process. The latency
//! is measured with bare reqwest, by requests for one incident, one after the other.
//! `cargo bench -p coralogix-incidents --bench bulk`
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a benchmark prints, and has nothing to recover to")]

#[path = "support/cpu.rs"]
mod cpu;
#[path = "support/server.rs"]
mod server;

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use coralogix_incidents::{ApiKey, Client};
use coralogix_incidents_emulator::{Emulator, Key, Sample};
use futures::StreamExt;

use self::server::{ROLE, Server};

const KEY: &str = "cxup_bench";
/// tokio's timer counts whole milliseconds and rounds up, so that a request takes almost 2 ms longer.
const LATENCY: Duration = Duration::from_millis(18);
const CONCURRENCY: usize = 8;
const PER_REQUEST: usize = 100;
/// How many of the ids exist: the emulator is not what is measured.
const EXISTING: usize = 100_000;

fn id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn main() {
    match std::env::var(ROLE).as_deref() {
        Ok("server") => serve(),
        Ok(ids) => run(ids.parse().expect("a number")),
        Err(_) => {
            let small = child("100000");
            let large = child("1000000");
            let grown = (large - small) * 1024.0 / 900_000.0;
            println!("memory grew by {grown:.1} bytes for each further id   goal at most 32");
        }
    }
}

/// Runs this program as a client of its own and returns its peak memory in KiB.
fn child(ids: &str) -> f64 {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program).env(ROLE, ids).stderr(Stdio::inherit()).output().expect("runs");
    let text = String::from_utf8_lossy(&output.stdout);
    print!("{text}");
    text.split("peak ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok()).unwrap_or(f64::NAN)
}

fn serve() {
    let emulator = Emulator::builder()
        .incidents((0..EXISTING).map(|number| Sample::new(id(number)).assigned_to("alice")))
        .key(Key::personal(KEY, "bench@example.com"))
        .latency(LATENCY);
    server::serve(async {
        let emulator = emulator.start().await.expect("starts");
        (emulator.url().to_owned(), emulator)
    });
}

fn run(ids: usize) {
    let server = Server::start();
    let client =
        Client::builder().base_url(&server.url).api_key(ApiKey::new(KEY).expect("a key")).build().expect("a client");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");

    let latency = runtime.block_on(latency(&server.url));
    let cpu_before = (cpu::time_of_process("self"), server.cpu_time());
    let start = Instant::now();
    let summary = runtime.block_on(async {
        let mut run = client.bulk().concurrency(CONCURRENCY).ids_per_request(PER_REQUEST).unassign((0..ids).map(id));
        while run.next().await.is_some() {}
        run.summary()
    });
    let time = start.elapsed();
    let cpu_after = (cpu::time_of_process("self"), server.cpu_time());
    assert_eq!(
        (summary.updated + summary.not_found, summary.total()),
        (ids as u64, ids as u64),
        "every id is accounted for"
    );
    let requests = ids.div_ceil(PER_REQUEST);
    let rounds = u32::try_from(requests.div_ceil(CONCURRENCY)).expect("few");
    let of_ideal = (latency * rounds).as_secs_f64() / time.as_secs_f64();
    println!(
        "{ids} ids: {requests} requests, {CONCURRENCY} at once, each answered after {latency:.2?}: {time:.2?}, {of_ideal:.3} of the ideal   \
         goal at least 0.92; peak {} KiB   goal below 65536",
        peak(),
    );
    let share = |before: Option<Duration>, after: Option<Duration>| match (before, after) {
        (Some(before), Some(after)) => {
            format!("{:.0} %", 100.0 * after.saturating_sub(before).as_secs_f64() / time.as_secs_f64())
        }
        _ => "an unknown share".to_owned(),
    };
    println!(
        "    of one core the client took {}, the server {}",
        share(cpu_before.0, cpu_after.0),
        share(cpu_before.1, cpu_after.1)
    );
}

/// The median time of a request for one incident.
async fn latency(url: &str) -> Duration {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::new();
    let mut times = Vec::new();
    for number in 0..50 {
        let request = http.post(format!("{url}/v1/incidents:unassign")).bearer_auth(KEY);
        let request = request.json(&serde_json::json!({ "incidentIds": [id(number)] }));
        let start = Instant::now();
        let response = request.send().await.and_then(reqwest::Response::error_for_status).expect("answers");
        response.bytes().await.expect("a body");
        times.push(start.elapsed());
    }
    times.sort();
    times[times.len() / 2]
}

/// The most memory that this process has had, in KiB, where the system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()).unwrap_or("unknown").to_owned()
}
