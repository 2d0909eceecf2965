//! One call against bare reqwest that posts the same body and decodes the same reply into hand-written types, one after the
//! other and 64 at once. The server is another process, so that both have the same to themselves.
//! `cargo bench -p coralogix-incidents --bench call`
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a benchmark prints, and has nothing to recover to")]

#[path = "support/plain.rs"]
mod plain;
#[path = "support/ratio.rs"]
mod ratio;

use std::{
    hint::black_box,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use coralogix_incidents::{ApiKey, Client, types::UnassignIncidentsRequest};
use coralogix_incidents_emulator::{Emulator, JsonStyle, Key, Sample};
use criterion::Criterion;
use futures::future::join_all;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::runtime::Runtime;

const KEY: &str = "cxup_bench";

/// This program again, as the server; it ends with its standard input.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start() -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut child = Command::new(program)
            .env("BENCH_SERVER", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut url = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut url).expect("its URL");
        Self { child, url: url.trim().to_owned() }
    }

    fn serve() {
        let runtime = Runtime::new().expect("a runtime");
        let emulator = Emulator::builder()
            .incidents(["incident_id_1", "incident_id_2"].map(Sample::new))
            // Hand-written types insist on every member.
            .json_style(JsonStyle::NullsPopulated)
            .key(Key::personal(KEY, "bench@example.com"));
        let emulator = runtime.block_on(emulator.start()).expect("starts");
        println!("{}", emulator.url());
        let _ = std::io::stdin().read_line(&mut String::new());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn main() {
    if std::env::var_os("BENCH_SERVER").is_some() {
        return Server::serve();
    }
    let server = Server::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let client =
        Client::builder().base_url(&server.url).api_key(ApiKey::new(KEY).expect("a key")).build().expect("a client");
    let request = UnassignIncidentsRequest::new(["incident_id_1", "incident_id_2"]);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::new();
    let url = format!("{}/v1/incidents:unassign", server.url);

    let sdk = || async {
        black_box(client.unassign_incidents(&request).await.expect("answers").into_inner()).incidents.len()
    };
    let post = |headers: HeaderMap| async {
        let response = http.post(&url).bearer_auth(KEY).headers(headers).json(&request).send().await.expect("answers");
        let body = response.bytes().await.expect("a body");
        black_box(serde_json::from_slice::<plain::Response>(&body).expect("decodes")).incidents.len()
    };
    let bare = || post(HeaderMap::new());
    // What the SDK's headers cost by themselves, on the way out and in the server.
    let same: HeaderMap = [
        ("accept", "application/json"),
        ("user-agent", "coralogix-incidents-rust/0.1.0"),
        ("x-cx-sdk-version", "0.1.0"),
        ("x-cx-sdk-language", "rust"),
        ("x-cx-correlation-id", "3f2b9c4e-7a61-4d0b-9f0e-52c1a7d8e6b3"),
    ]
    .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
    .into_iter()
    .collect();
    let alike = || post(same.clone());
    let counts = runtime.block_on(async { [sdk().await, bare().await, alike().await] });
    assert_eq!(counts, [2; 3], "all do the same");

    let mut criterion = Criterion::default().sample_size(50).configure_from_args();
    let mut group = criterion.benchmark_group("call");
    group.bench_function("sdk", |bencher| bencher.iter(|| runtime.block_on(sdk())));
    group.bench_function("reqwest", |bencher| bencher.iter(|| runtime.block_on(bare())));
    group.finish();
    criterion.final_summary();

    println!();
    for at_once in [1, 64] {
        println!("{at_once} at once");
        let rounds = 20_000 / at_once.min(16);
        let many_sdk = || drop(black_box(runtime.block_on(join_all((0..at_once).map(|_| sdk())))));
        let many_bare = || drop(black_box(runtime.block_on(join_all((0..at_once).map(|_| bare())))));
        let many_alike = || drop(black_box(runtime.block_on(join_all((0..at_once).map(|_| alike())))));
        ratio::print(["sdk", "reqwest"], rounds, "at most 1.05", many_sdk, many_bare);
        ratio::print(["sdk", "same headers"], rounds, "none", many_sdk, many_alike);
    }
}
