//! The fault matrix: each row does one thing to a call over a real socket and says what the caller sees. The table in
//! `docs/faults.md` is checked against what was observed; `UPDATE_DOCS=1 cargo test -p coralogix-incidents-tests faults` writes it.
//!
//! Time is tokio's paused clock: both ends run on one thread, so a wait takes no time and its length is exact.

use std::{fmt::Write, net::SocketAddr, ops::RangeInclusive};

use coralogix_incidents::{ApiKey, Client, Effect, Error, RetryBudget, RetryPolicy};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Duration, Instant},
};

use crate::{
    repository::documented,
    scripted_server::{GOOD, KEY, LOOPBACK, ScriptedServer, Step, empty, json, once, response, unassign},
};

struct Row {
    fault: &'static str,
    steps: fn() -> Vec<Step>,
    /// The error's kind, and the predicates that hold.
    seen: &'static str,
    effect: Effect,
    attempts: u32,
    seconds: RangeInclusive<f64>,
}

/// With the default policy, two waits of at most 0.2 s and 0.4 s.
const BACKOFF: RangeInclusive<f64> = 0.0..=0.61;
const AT_ONCE: RangeInclusive<f64> = 0.0..=0.05;

fn thrice(step: Step) -> Vec<Step> {
    vec![step; 3]
}

fn html(status: &str) -> Step {
    Step::Reply(response(status, "content-type: text/html\r\n", "<html><head><title>Oops</title></head></html>"))
}

fn text(status: &str, body: &str) -> Step {
    Step::Reply(response(status, "content-type: text/plain\r\n", body))
}

fn status(status: &str) -> Step {
    json(status, r#"{"code":13,"message":"something broke","details":[]}"#)
}

const NONE: Effect = Effect::None;
const UNKNOWN: Effect = Effect::Unknown;
const APPLIED: Effect = Effect::Applied;

#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { fault: "reset before the response", steps: || thrice(Step::Reset(vec![])), seen: "reset: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "closed before the response", steps: || thrice(Step::Close(vec![])), seen: "reset: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "reset in the middle of the body", steps: || thrice(Step::Reset(response("200 OK", "", GOOD)[..60].to_vec())), seen: "reset: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "body cut short of its content-length", steps: || thrice(Step::Close(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"inc".to_vec())), seen: "reset: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "chunked body without its end", steps: || thrice(Step::Close(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"inc\r\n".to_vec())), seen: "reset: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "a chunk that is none", steps: || vec![Step::Close(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfive\r\n{\"inc\r\n0\r\n\r\n".to_vec())], seen: "protocol: none", effect: UNKNOWN, attempts: 1, seconds: AT_ONCE },
    Row { fault: "no headers (stalled)", steps: || thrice(Step::Stall(vec![])), seen: "timeout: timeout, retryable", effect: UNKNOWN, attempts: 3, seconds: 45.0..=45.61 },
    Row { fault: "headers, then no body (stalled)", steps: || thrice(Step::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_vec())), seen: "timeout: timeout, retryable", effect: UNKNOWN, attempts: 3, seconds: 45.0..=45.61 },
    Row { fault: "not HTTP", steps: || thrice(Step::Close(b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec())), seen: "protocol: none", effect: UNKNOWN, attempts: 1, seconds: AT_ONCE },
    Row { fault: "429 with `Retry-After: 2`", steps: || thrice(Step::Reply(response("429 Too Many Requests", "retry-after: 2\r\n", ""))), seen: "429: rate_limited, retryable, retry_after", effect: NONE, attempts: 3, seconds: 4.0..=4.61 },
    Row { fault: "429 with a date 2 s after its `Date`, on a server whose clock differs", steps: || thrice(Step::Reply(response("429 Too Many Requests", "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nretry-after: Sun, 06 Nov 1994 08:49:39 GMT\r\n", ""))), seen: "429: rate_limited, retryable, retry_after", effect: NONE, attempts: 3, seconds: 4.0..=4.61 },
    Row { fault: "429 with a `google.rpc.RetryInfo` of 1.5 s", steps: || thrice(json("429 Too Many Requests", r#"{"code":8,"message":"slow down","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.500s"}]}"#)), seen: "429: rate_limited, retryable, retry_after", effect: NONE, attempts: 3, seconds: 3.0..=3.61 },
    Row { fault: "429 with `Retry-After: 3600`", steps: || vec![Step::Reply(response("429 Too Many Requests", "retry-after: 3600\r\n", ""))], seen: "429: rate_limited, retryable, retry_after", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "429 of a message that is too large", steps: || vec![json("429 Too Many Requests", r#"{"code":8,"message":"grpc: received message larger than max (5242880 vs. 4194304)","details":[]}"#)], seen: "429: none", effect: UNKNOWN, attempts: 1, seconds: AT_ONCE },
    Row { fault: "408", steps: || thrice(empty("408 Request Timeout")), seen: "408: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "425", steps: || thrice(empty("425 Too Early")), seen: "425: retryable", effect: NONE, attempts: 3, seconds: BACKOFF },
    Row { fault: "500 with JSON", steps: || thrice(status("500 Internal Server Error")), seen: "500: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "500 with HTML", steps: || thrice(html("500 Internal Server Error")), seen: "500: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "500 with text", steps: || thrice(text("500 Internal Server Error", "oops")), seen: "500: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "500 with nothing", steps: || thrice(empty("500 Internal Server Error")), seen: "500: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "501 with JSON (an old gateway's unknown route)", steps: || vec![json("501 Not Implemented", r#"{"error":"Not Implemented","code":12,"message":"Not Implemented"}"#)], seen: "501: unknown_route", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "501 with HTML", steps: || vec![html("501 Not Implemented")], seen: "501: unknown_route", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "501 with nothing", steps: || vec![empty("501 Not Implemented")], seen: "501: unknown_route", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "502 with JSON", steps: || thrice(status("502 Bad Gateway")), seen: "502: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "502 with HTML", steps: || thrice(html("502 Bad Gateway")), seen: "502: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "502 with text", steps: || thrice(text("502 Bad Gateway", "upstream")), seen: "502: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "502 with nothing", steps: || thrice(empty("502 Bad Gateway")), seen: "502: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "503 with JSON", steps: || thrice(status("503 Service Unavailable")), seen: "503: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "503 with HTML", steps: || thrice(html("503 Service Unavailable")), seen: "503: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "503 with text", steps: || thrice(text("503 Service Unavailable", "down")), seen: "503: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "503 with nothing", steps: || thrice(empty("503 Service Unavailable")), seen: "503: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "503 with `Retry-After: 1`", steps: || thrice(Step::Reply(response("503 Service Unavailable", "retry-after: 1\r\n", ""))), seen: "503: retryable, retry_after", effect: UNKNOWN, attempts: 3, seconds: 2.0..=2.61 },
    Row { fault: "504 with JSON", steps: || thrice(status("504 Gateway Timeout")), seen: "504: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "504 with HTML", steps: || thrice(html("504 Gateway Timeout")), seen: "504: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "504 with text", steps: || thrice(text("504 Gateway Timeout", "late")), seen: "504: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "504 with nothing", steps: || thrice(empty("504 Gateway Timeout")), seen: "504: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "500 whose body is cut short", steps: || thrice(Step::Close(b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 100\r\n\r\n{\"code".to_vec())), seen: "500: retryable", effect: UNKNOWN, attempts: 3, seconds: BACKOFF },
    Row { fault: "400 with JSON", steps: || vec![json("400 Bad Request", r#"{"code":3,"message":"invalid id","details":[]}"#)], seen: "400: none", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "401", steps: || vec![text("401 Unauthorized", "who are you")], seen: "401: unauthorized", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "403", steps: || vec![json("403 Forbidden", r#"{"error":{"message":"missing permission"}}"#)], seen: "403: permission_denied", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "403 with HTML (a firewall)", steps: || vec![html("403 Forbidden")], seen: "403: none", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "403 `{\"message\":\"Forbidden\"}` (a gateway's own words)", steps: || vec![json("403 Forbidden", r#"{"message":"Forbidden"}"#)], seen: "403: none", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "403 compressed, unasked", steps: || vec![Step::Reply(response("403 Forbidden", "content-encoding: gzip\r\n", "\u{1f}\u{8b}"))], seen: "403: none", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "404 `Not Found: no such incident`", steps: || vec![text("404 Not Found", "Not Found: no such incident")], seen: "404: not_found", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "404 `Not Found: Not Found`", steps: || vec![text("404 Not Found", "Not Found: Not Found")], seen: "404: unknown_route", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "404 `{\"code\":5,\"message\":\"Not Found\"}`", steps: || vec![json("404 Not Found", r#"{"code":5,"message":"Not Found","details":[]}"#)], seen: "404: unknown_route", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "404 `{\"code\":5,\"message\":\"not found\"}`", steps: || vec![json("404 Not Found", r#"{"code":5,"message":"not found","details":[]}"#)], seen: "404: not_found", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "404 `404 page not found`", steps: || vec![text("404 Not Found", "404 page not found\n")], seen: "404: unknown_route", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "404 `default backend - 404`", steps: || vec![text("404 Not Found", "default backend - 404")], seen: "404: unknown_route", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "404 `{\"message\":\"no Route matched with those values\"}`", steps: || vec![json("404 Not Found", r#"{"message":"no Route matched with those values"}"#)], seen: "404: unknown_route", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "404 with a byte order mark before its JSON", steps: || vec![json("404 Not Found", "\u{feff}{\"code\":5,\"message\":\"no such incident\"}")], seen: "404: not_found", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "404 with HTML", steps: || vec![html("404 Not Found")], seen: "404: unknown_route", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "499 (gRPC's cancelled)", steps: || vec![empty("499 Client Closed Request")], seen: "499: none", effect: UNKNOWN, attempts: 1, seconds: AT_ONCE },
    Row { fault: "403 whose body stalls", steps: || vec![Step::Stall(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 9\r\n\r\n{".to_vec())], seen: "403: permission_denied", effect: NONE, attempts: 1, seconds: 15.0..=15.1 },
    Row { fault: "303 to a page", steps: || vec![Step::Reply(response("303 See Other", "location: /done\r\n", ""))], seen: "303: none", effect: UNKNOWN, attempts: 1, seconds: AT_ONCE },
    Row { fault: "405", steps: || vec![empty("405 Method Not Allowed")], seen: "405: unknown_route", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "307 to another host", steps: || vec![Step::Reply(response("307 Temporary Redirect", "location: https://elsewhere.example/steal?x=1\r\n", ""))], seen: "307: none", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "503, then 401", steps: || vec![empty("503 Service Unavailable"), empty("401 Unauthorized")], seen: "401: unauthorized", effect: UNKNOWN, attempts: 2, seconds: BACKOFF },
    Row { fault: "200 with 1 GiB, chunked", steps: || vec![Step::Endless(1 << 30)], seen: "response_too_large: none", effect: APPLIED, attempts: 1, seconds: AT_ONCE },
    Row { fault: "200 with a content-length of 1 TiB", steps: || vec![Step::Stall(b"HTTP/1.1 200 OK\r\ncontent-length: 1099511627776\r\n\r\n".to_vec())], seen: "response_too_large: none", effect: UNKNOWN, attempts: 1, seconds: AT_ONCE },
    Row { fault: "200 compressed, unasked", steps: || vec![Step::Reply(response("200 OK", "content-encoding: gzip\r\n", "\u{1f}\u{8b}"))], seen: "undecodable_response: none", effect: UNKNOWN, attempts: 1, seconds: AT_ONCE },
    Row { fault: "200 compressed, by a second `Content-Encoding` line", steps: || vec![Step::Reply(response("200 OK", "content-encoding: Identity\r\ncontent-encoding: gzip\r\n", "\u{1f}\u{8b}"))], seen: "undecodable_response: none", effect: UNKNOWN, attempts: 1, seconds: AT_ONCE },
    Row { fault: "200 with invalid UTF-8", steps: || vec![Step::Reply([&b"HTTP/1.1 200 OK\r\ncontent-length: 33\r\n\r\n{\"incidents\":[{\"id\":\"incident_"[..], &[0xff], b"\"}]"].concat()[..].to_vec())], seen: "undecodable_response: none", effect: UNKNOWN, attempts: 1, seconds: AT_ONCE },
    Row { fault: "200 with JSON of the wrong shape", steps: || vec![json("200 OK", r#"{"incidents":"none"}"#)], seen: "undecodable_response: none", effect: APPLIED, attempts: 1, seconds: AT_ONCE },
    Row { fault: "200 with JSON of the wrong shape that calls itself `application/jsonp`", steps: || vec![Step::Reply(response("200 OK", "content-type: application/jsonp\r\n", r#"{"incidents":"none"}"#))], seen: "undecodable_response: none", effect: UNKNOWN, attempts: 1, seconds: AT_ONCE },
    Row { fault: "200 with HTML", steps: || vec![html("200 OK")], seen: "undecodable_response: none", effect: UNKNOWN, attempts: 1, seconds: AT_ONCE },
];

/// The error's kind, and the predicates that hold.
fn seen(error: &Error) -> String {
    let kind = error.kind();
    let predicates = [
        ("unauthorized", error.is_unauthorized()),
        ("permission_denied", error.is_permission_denied()),
        ("not_found", error.is_not_found()),
        ("unknown_route", error.is_unknown_route()),
        ("rate_limited", error.is_rate_limited()),
        ("timeout", error.is_timeout()),
        ("retryable", error.is_retryable()),
        ("retry_after", error.retry_after().is_some()),
    ];
    let holding: Vec<&str> = predicates.into_iter().filter_map(|(name, holds)| holds.then_some(name)).collect();
    format!("{kind}: {}", if holding.is_empty() { "none".to_owned() } else { holding.join(", ") })
}

#[tokio::test(start_paused = true)]
async fn every_fault_is_classified_and_the_next_call_succeeds() {
    let mut table = String::from(
        "| fault | what the caller sees | effect | attempts | seconds | Display |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    let met = [refused().await, silent().await, without_tls().await, without_budget().await];
    for (row, met) in WITHOUT_STEPS.iter().zip(met) {
        observe(&mut table, row, &met);
    }
    for row in ROWS {
        let server = ScriptedServer::start((row.steps)());
        let client = server.client();
        let met = Met::of(&client, server.address).await;
        assert_eq!(u32::try_from(server.requests().len()), Ok(row.attempts), "{}: requests that arrived", row.fault);
        // Steps for attempts that were rightly not made.
        let unused = server.steps_left();
        for _ in 0..unused {
            let _ = unassign(&client.with_options(once())).await;
        }
        let after = unassign(&client).await.unwrap_or_else(|error| panic!("after {}: {error}", row.fault));
        assert_eq!(after.incidents[0].id, "incident_id_1", "after {}", row.fault);
        observe(&mut table, row, &met);
    }
    assert!(documented("faults.md", &table) == table, "docs/faults.md is out of date: run with UPDATE_DOCS=1\n{table}");
}

/// A call that failed.
struct Met {
    error: Error,
    seconds: f64,
    address: SocketAddr,
}

impl Met {
    async fn of(client: &Client, address: SocketAddr) -> Self {
        let start = Instant::now();
        let error = unassign(client).await.unwrap_err();
        Self { error, seconds: start.elapsed().as_secs_f64(), address }
    }
}

/// Holds a failed call against its row, and adds its line to the table.
fn observe(table: &mut String, row: &Row, Met { error, seconds: elapsed, address }: &Met) {
    assert_eq!(seen(error), row.seen, "{}: {error:?}", row.fault);
    assert_eq!(error.effect(), row.effect, "{}", row.fault);
    assert_eq!(error.attempts(), row.attempts, "{}", row.fault);
    assert!(row.seconds.contains(elapsed), "{}: {elapsed} s", row.fault);
    assert!(!error.to_string().contains('\n'), "{}: one line", row.fault);
    let shown = error.to_string().replace(&address.to_string(), "HOST").replace("127.0.0.1", "HOST");
    let shown = shown.replace(error.correlation_id().unwrap(), "ID").replace('|', "\\|");
    let seconds = &row.seconds;
    let seconds =
        if *seconds == AT_ONCE { "at once".to_owned() } else { format!("{} to {:.1}", seconds.start(), seconds.end()) };
    writeln!(table, "| {} | {} | {:?} | {} | {seconds} | {shown} |", row.fault, row.seen, row.effect, row.attempts)
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn callers_with_the_same_retry_after_do_not_retry_at_the_same_time() {
    let server = ScriptedServer::start([Step::Reply(response("429 Too Many Requests", "retry-after: 1000\r\n", ""))]);
    let asked = Duration::from_secs(1000);
    let policy = RetryPolicy::default().with_base_delay(asked).with_max_delay(asked).with_max_retry_after(asked);
    let client = server.builder().retry_policy(policy).timeout(3 * asked).build().unwrap();
    let start = Instant::now();
    unassign(&client).await.unwrap();
    let waited = start.elapsed().as_secs_f64();
    // By chance it fails once in ten thousand times.
    assert!((1000.1..2000.1).contains(&waited), "what is asked for, and a random time after it: {waited} s");
}

/// Faults for which there is no server to play them, or no client with default settings to meet them.
#[rustfmt::skip]
const WITHOUT_STEPS: [Row; 4] = [
    Row { fault: "connection refused", steps: Vec::new, seen: "connect: retryable", effect: NONE, attempts: 3, seconds: BACKOFF },
    Row { fault: "a host that does not answer", steps: Vec::new, seen: "connect_timeout: timeout, retryable", effect: NONE, attempts: 3, seconds: 15.0..=15.61 },
    Row { fault: "no TLS where there should be", steps: Vec::new, seen: "tls: none", effect: NONE, attempts: 1, seconds: AT_ONCE },
    Row { fault: "503, and the retry budget is empty", steps: Vec::new, seen: "503: retryable", effect: UNKNOWN, attempts: 1, seconds: AT_ONCE },
];

async fn refused() -> Met {
    let server = ScriptedServer::start([]);
    let client = server.client();
    let address = server.address;
    drop(server);
    tokio::task::yield_now().await;
    let met = Met::of(&client, address).await;
    let _server = ScriptedServer::answering(address, [], || json("200 OK", GOOD));
    unassign(&client).await.expect("the same client, once the server is back");
    met
}

async fn silent() -> Met {
    // TEST-NET-1 of RFC 5737 would need a network: a full backlog on loopback does not answer either.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(LOOPBACK).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    for _ in 0..4 {
        let socket = std::net::TcpStream::connect_timeout(&address, std::time::Duration::from_millis(100));
        queued.extend(socket);
    }
    let client =
        Client::builder().api_key(ApiKey::new(KEY).unwrap()).base_url(format!("http://{address}")).build().unwrap();
    Met::of(&client, address).await
}

async fn without_tls() -> Met {
    let listener = tokio::net::TcpListener::bind(LOOPBACK).await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        // What an HTTP server says to a TLS handshake.
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut said = vec![0; 4096];
        let read = stream.read(&mut said).await.unwrap();
        stream.write_all(&response("400 Bad Request", "", "")).await.unwrap();
        said.truncate(read);
        said
    });
    let client =
        Client::builder().api_key(ApiKey::new(KEY).unwrap()).base_url(format!("https://{address}")).build().unwrap();
    let met = Met::of(&client, address).await;
    let said = server.await.unwrap();
    assert!(!String::from_utf8_lossy(&said).contains(KEY), "no key went out in the clear");
    met
}

async fn without_budget() -> Met {
    let log = crate::telemetry::Capture::start();
    let server = ScriptedServer::start([empty("503 Service Unavailable")]);
    let client = server.builder().retry_budget(RetryBudget::with_capacity(4)).build().unwrap();
    let met = Met::of(&client, server.address).await;
    assert!(log.text().contains("the retry budget is empty"), "the log says why: {}", log.text());
    unassign(&client).await.expect("the next call");
    met
}
