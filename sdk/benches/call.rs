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
    let request = UnassignIncidentsRequest::default().with_incident_ids(["incident_id_1", "incident_id_2"]);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::new();
    let url = format!("{}/v1/incidents:unassign", server.url);

    let sdk = || async {
        black_box(client.unassign_incidents(&request).await.expect("answers").into_inner()).incidents.len()
    };
    let bare = || async {
        let response = http.post(&url).bearer_auth(KEY).json(&request).send().await.expect("answers");
        let body = response.bytes().await.expect("a body");
        black_box(serde_json::from_slice::<plain::Response>(&body).expect("decodes")).incidents.len()
    };
    assert_eq!(runtime.block_on(async { (sdk().await, bare().await) }), (2, 2), "both do the same");

    let mut criterion = Criterion::default().sample_size(50).configure_from_args();
    let mut group = criterion.benchmark_group("call");
    group.bench_function("sdk", |bencher| bencher.iter(|| runtime.block_on(sdk())));
    group.bench_function("reqwest", |bencher| bencher.iter(|| runtime.block_on(bare())));
    group.finish();
    criterion.final_summary();

    println!();
    let (one_sdk, one_bare) = (
        || {
            black_box(runtime.block_on(sdk()));
        },
        || {
            black_box(runtime.block_on(bare()));
        },
    );
    ratio::print(["sdk", "reqwest"], 20_000, "at most 1.05", one_sdk, one_bare);
    let many_sdk = || {
        black_box(runtime.block_on(join_all((0..64).map(|_| sdk()))));
    };
    let many_bare = || {
        black_box(runtime.block_on(join_all((0..64).map(|_| bare()))));
    };
    ratio::print(["64 of sdk", "64 of reqwest"], 1_500, "at most 1.05", many_sdk, many_bare);
}
