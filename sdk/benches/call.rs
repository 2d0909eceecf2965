//! One call against bare reqwest that posts the same body and decodes the same reply into hand-written types, one after the
//! other and 64 at once. The server is another process, which answers with an emulator's reply from memory, so that little of the
//! time is its own.
//! `cargo bench -p coralogix-incidents --bench call` measures times,
//! `cargo bench -p coralogix-incidents --bench call -- --instructions` counts instructions by valgrind, which must be installed.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a benchmark prints, and has nothing to recover to")]

#[path = "support/cpu.rs"]
mod cpu;
#[path = "support/plain.rs"]
mod plain;
#[path = "support/ratio.rs"]
mod ratio;
#[path = "support/server.rs"]
mod server;

use std::{env, hint::black_box, io, process::Command};

use axum::{Router, body::Bytes};
use coralogix_incidents::{ApiKey, Client, types::UnassignIncidentsRequest};
use coralogix_incidents_emulator::{Emulator, JsonStyle, Key, Sample};
use criterion::Criterion;
use futures::future::join_all;
use reqwest::{
    RequestBuilder,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use tokio::{net::TcpListener, runtime::Runtime, task::JoinHandle};

use self::server::{ROLE, Server};

const KEY: &str = "cxup_bench";
/// A way to make the call, and the number of calls to make by it, in the environment of a process that valgrind counts.
const CALLS: &str = "BENCH_CALLS";
const AT_ONCE: &str = "BENCH_AT_ONCE";
const URL: &str = "BENCH_URL";

/// The ways to make the call.
const SDK: &str = "sdk";
const BARE: &str = "reqwest";
/// Bare reqwest that sends the headers that the SDK sends.
const SAME_HEADERS: &str = "same headers";

struct Caller {
    client: Client,
    http: reqwest::Client,
    url: String,
    body: UnassignIncidentsRequest,
    headers: HeaderMap,
    same_headers: HeaderMap,
}

impl Caller {
    fn new(url: &str) -> Self {
        let client =
            Client::builder().base_url(url).api_key(ApiKey::new(KEY).expect("a key")).build().expect("a client");
        let _ = rustls::crypto::ring::default_provider().install_default();
        let same_headers = [
            ("accept", "application/json"),
            ("user-agent", "coralogix-incidents-rust/0.1.0"),
            ("x-cx-sdk-version", "0.1.0"),
            ("x-cx-sdk-language", "rust"),
            ("x-cx-correlation-id", "3f2b9c4e-7a61-4d0b-9f0e-52c1a7d8e6b3"),
        ];
        let same_headers =
            same_headers.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        Self {
            client,
            http: reqwest::Client::new(),
            url: format!("{url}/v1/incidents:unassign"),
            body: UnassignIncidentsRequest::new(["incident_id_1", "incident_id_2"]),
            headers: HeaderMap::new(),
            same_headers: same_headers.into_iter().collect(),
        }
    }

    /// A request of bare reqwest.
    fn request(&self, headers: &HeaderMap) -> RequestBuilder {
        self.http.post(&self.url).bearer_auth(KEY).headers(headers.clone()).json(&self.body)
    }

    /// Makes a call and returns the number of incidents in its response.
    async fn call(&self, way: &str) -> usize {
        let headers = match way {
            SDK => {
                let response = self.client.unassign_incidents(&self.body).await.expect("answers");
                return black_box(response.into_inner()).incidents.len();
            }
            SAME_HEADERS => &self.same_headers,
            _ => &self.headers,
        };
        let body = self.request(headers).send().await.expect("answers").bytes().await.expect("a body");
        black_box(serde_json::from_slice::<plain::Response>(&body).expect("decodes")).incidents.len()
    }

    async fn calls(&self, way: &str, at_once: usize) {
        for incidents in join_all((0..at_once).map(|_| self.call(way))).await {
            assert_eq!(incidents, 2, "all do the same");
        }
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn main() {
    match env::var(ROLE).as_deref() {
        Ok("server") => server::serve(serve_reply()),
        Ok(way) => {
            let number = |name| env::var(name).ok().and_then(|text| text.parse().ok()).expect("a number");
            let caller = Caller::new(&env::var(URL).expect("a URL"));
            let (calls, at_once): (usize, usize) = (number(CALLS), number(AT_ONCE));
            runtime().block_on(async {
                for _ in 0..calls / at_once {
                    caller.calls(way, at_once).await;
                }
            });
        }
        Err(_) if env::args().any(|argument| argument == "--instructions") => instructions(),
        Err(_) => times(),
    }
}

/// Starts a server that answers every request with the reply of an emulator to the documented request.
async fn serve_reply() -> (String, JoinHandle<io::Result<()>>) {
    let emulator = Emulator::builder()
        .incidents(["incident_id_1", "incident_id_2"].map(Sample::new))
        // Hand-written types insist on every member.
        .json_style(JsonStyle::NullsPopulated)
        .key(Key::personal(KEY, "bench@example.com"))
        .start()
        .await
        .expect("starts");
    let caller = Caller::new(emulator.url());
    let reply = caller.request(&caller.headers).send().await.expect("answers").bytes().await.expect("a body");
    let app = Router::new().fallback(move |_: Bytes| async { ([(CONTENT_TYPE, "application/json")], reply) });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    (url, tokio::spawn(axum::serve(listener, app).into_future()))
}

fn times() {
    let server = Server::start();
    let runtime = runtime();
    let caller = Caller::new(&server.url);
    let calls = |way: &'static str, at_once| {
        let (caller, runtime) = (&caller, &runtime);
        move || runtime.block_on(caller.calls(way, at_once))
    };

    let mut criterion = Criterion::default().sample_size(50).configure_from_args();
    let mut group = criterion.benchmark_group("call");
    for way in [SDK, BARE] {
        group.bench_function(way, |bencher| bencher.iter(calls(way, 1)));
    }
    group.finish();
    criterion.final_summary();

    println!();
    for (at_once, goal) in [(1, "at most 1.03"), (64, "at most 1.05")] {
        println!("{at_once} at once");
        let rounds = 20_000 / at_once.min(16);
        ratio::print([SDK, BARE], rounds, goal, calls(SDK, at_once), calls(BARE, at_once));
        ratio::print([SDK, SAME_HEADERS], rounds, "none", calls(SDK, at_once), calls(SAME_HEADERS, at_once));
    }
}

/// Counts the instructions of a call. They do not depend on what else the machine does.
fn instructions() {
    let server = Server::start();
    for at_once in [1, 64] {
        let [sdk, bare, same] = [SDK, BARE, SAME_HEADERS].map(|way| instructions_of(way, at_once, &server.url));
        println!(
            "{at_once:>2} at once: {sdk:.0} instructions a call, reqwest {bare:.0}, with the same headers {same:.0}   \
             ratio {:.3}   goal at most 1; of the same headers {:.3}",
            sdk / bare,
            sdk / same,
        );
    }
}

fn instructions_of(way: &str, at_once: usize, url: &str) -> f64 {
    // The difference of two runs is without what a process does once.
    const FEW: u32 = 640;
    const MANY: u32 = 2_560;
    let [few, many] = [FEW, MANY].map(|calls| {
        let name = format!("callgrind.{}.{at_once}.{calls}", way.replace(' ', "-"));
        let output = Command::new("valgrind")
            .arg("--tool=callgrind")
            .arg(format!("--callgrind-out-file={}/{name}", env!("CARGO_TARGET_TMPDIR")))
            .arg(env::current_exe().expect("this program"))
            .envs([(ROLE, way), (URL, url), (CALLS, &calls.to_string()), (AT_ONCE, &at_once.to_string())])
            .output()
            .expect("valgrind is installed");
        let report = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{report}");
        let count = report.split("Collected : ").nth(1).and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        count.unwrap_or(f64::NAN)
    });
    (many - few) / f64::from(MANY - FEW)
}
