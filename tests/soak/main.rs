//! A client that works for minutes against a service in which everything goes wrong now and then: does any call hang, report
//! a wrong effect, leak a connection, or leave memory behind? Exits with 1 if one does. The emulator is another process, so
//! that memory and sockets are the client's own.
//! `cargo run --release -p coralogix-incidents-tests --bin soak -- --minutes 2`
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a program that prints, and has nothing to recover to")]

mod emulator;
mod judge;
mod load;
mod process;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use coralogix_incidents::{ApiKey, Client, ClientBuilder, RetryPolicy};

use crate::{
    emulator::EmulatorProcess,
    judge::contradiction,
    load::{ATTEMPT_TIMEOUT, CONCURRENCY, SLACK, TIMEOUT, Tally, epoch},
};

const KEY: &str = "cxup_emulator";
/// After so long, no call is begun until all are done, and the emulator's log is held against them.
const EPOCH: Duration = Duration::from_secs(5);
/// The most that memory may grow between warm-up and end, in KiB.
const MAX_GROWTH: i64 = 8 * 1024;

fn main() -> ExitCode {
    if emulator::is_server() {
        emulator::serve();
        return ExitCode::SUCCESS;
    }
    let mut arguments = std::env::args().skip(1);
    let minutes: f64 = match (arguments.next().as_deref(), arguments.next().map(|minutes| minutes.parse())) {
        (None, _) => 2.0,
        (Some("--minutes"), Some(Ok(minutes))) if minutes > 0.0 => minutes,
        _ => {
            println!("usage: soak [--minutes N]");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(soak(Duration::from_secs_f64(minutes * 60.0)))
}

/// A client of the emulator at this URL, with the timeouts that calls are held against.
fn client(url: &str) -> ClientBuilder {
    Client::builder()
        .base_url(url)
        .api_key(ApiKey::new(KEY).expect("a key"))
        .timeout(TIMEOUT)
        .attempt_timeout(ATTEMPT_TIMEOUT)
        // The waits are short for the sake of many calls.
        .retry_policy(RetryPolicy::default().with_base_delay(Duration::from_millis(20)))
}

async fn soak(time: Duration) -> ExitCode {
    let before = process::sockets();
    let mut emulator = EmulatorProcess::start();
    let client = client(&emulator.url).build().expect("a client");

    let start = Instant::now();
    let mut tally = Tally::default();
    let mut contradictions = Vec::new();
    let mut warm = None;
    let mut most_sockets = Some(0);
    println!("seconds    calls  memory KiB  sockets");
    while start.elapsed() < time {
        let calls = epoch(&client, &mut tally, EPOCH.min(time)).await;
        // Connections that were given up take a moment to close.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let log = emulator.take_log();
        for call in &calls {
            let seen = log.get(&call.correlation_id).map(Vec::as_slice).unwrap_or_default();
            contradictions.extend(contradiction(call, seen));
        }
        drop((calls, log));
        let (memory, sockets) = (process::memory(), process::sockets());
        println!("{:7.0} {:8}  {:>10}  {:>7}", start.elapsed().as_secs_f64(), tally.calls, text(memory), text(sockets));
        most_sockets = most_sockets.max(sockets.zip(before).map(|(now, before)| now - before));
        if start.elapsed() >= time / 4 && warm.is_none() {
            warm = memory;
        }
    }
    let end = process::memory();
    drop(client);
    // The tasks of its connections end once they see that it is gone.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let after = process::sockets();
    drop(emulator);

    let per_second = f64::from(u32::try_from(tally.calls).unwrap_or(u32::MAX)) / start.elapsed().as_secs_f64();
    println!(
        "\n{} calls in {:.0?}, {per_second:.0} a second; {} more dropped half-way",
        tally.calls,
        start.elapsed(),
        tally.cancelled
    );
    println!("retries {}", tally.retries);
    for (outcome, count) in &tally.outcomes {
        println!("    {count:>8}  {outcome}");
    }
    for text in contradictions.iter().take(10) {
        println!("contradiction: {text}");
    }
    println!();
    let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let within = [
        limit("slowest call, ms", Some(millis(tally.slowest)), millis(TIMEOUT + SLACK)),
        limit("calls that hung", i64::try_from(tally.hung).ok(), 0),
        limit("outcomes against the emulator's log", i64::try_from(contradictions.len()).ok(), 0),
        limit("memory growth since warm-up, KiB", end.zip(warm).map(|(end, warm)| end - warm), MAX_GROWTH),
        // Idle ones wait for the next call. A call that is dropped while it connects leaves one more of them.
        limit("most sockets between calls", most_sockets, i64::try_from(2 * CONCURRENCY).unwrap_or(i64::MAX)),
        limit("sockets left without the client", after.zip(before).map(|(after, before)| after - before), 0),
    ];
    if within.iter().all(|within| *within) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints a figure beside its limit, and returns whether it is within. What this system does not report is not judged.
fn limit(name: &str, figure: Option<i64>, limit: i64) -> bool {
    let within = figure.is_none_or(|figure| figure <= limit);
    println!("{name:36} {:>8}   at most {limit}{}", text(figure), if within { "" } else { "   EXCEEDED" });
    within
}

fn text(figure: Option<i64>) -> String {
    figure.map_or_else(|| "unknown".to_owned(), |figure| figure.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_sockets_that_are_left_exceed_their_limits() {
        let (Some(memory_before), Some(sockets_before)) = (process::memory(), process::sockets()) else { return };
        // More than any allocator has lying about, and more sockets than the other tests may close meanwhile.
        let held = vec![1_u8; usize::try_from(8 * MAX_GROWTH * 1024).expect("a size")];
        let sockets_held: Vec<_> =
            (0..200).map(|_| std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket")).collect();
        let growth = process::memory().map(|now| now - memory_before);
        let leaked = process::sockets().map(|now| now - sockets_before);
        drop((std::hint::black_box(held), sockets_held));
        assert!(!limit("memory", growth, MAX_GROWTH), "{growth:?}");
        assert!(!limit("sockets", leaked, 64), "{leaked:?}");
        assert!(limit("memory", Some(0), MAX_GROWTH));
    }
}
