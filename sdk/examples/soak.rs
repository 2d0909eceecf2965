//! A client that works for minutes against a service in which everything goes wrong now and then: does any call hang, lie
//! about what it did, leak a connection, or leave memory behind? Exits with 1 where one does. The emulator is another
//! process, so that memory and sockets are the client's own.
//! `cargo run --release -p coralogix-incidents --example soak -- --minutes 2`
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a program that prints, and has nothing to recover to")]

use std::{
    collections::{BTreeMap, HashMap},
    io::{BufRead, BufReader, Write},
    process::{ChildStdin, ChildStdout, Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use coralogix_incidents::{
    ApiKey, Client, Effect, Error, ErrorKind, ResponseValue, RetryPolicy,
    types::{AssignIncidentsRequest, ListIncidentsRequest, PaginationRequest, UnassignIncidentsRequest, UserDetails},
};
use coralogix_incidents_emulator::{Answer, Emulator, Fault, LoggedRequest, Sample};

const KEY: &str = "cxup_emulator";
/// So many that the events, of which each change adds one, stay few for each: replies that grow would look like a leak.
const INCIDENTS: usize = 10_000;
const CONCURRENCY: usize = 32;
const TIMEOUT: Duration = Duration::from_secs(3);
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(250);
/// A call that takes this much longer than its timeout hangs. Schedulers of busy machines need some of it.
const SLACK: Duration = Duration::from_millis(500);
/// After so long, no call is begun until all are done, and the emulator's log is held against them.
const EPOCH: Duration = Duration::from_secs(5);
/// The most that memory may grow between warm-up and end, in KiB.
const GROWTH: i64 = 8 * 1024;

/// Every kind of fault, each with the probability that it hits a request.
const FAULTS: &[&str] = &[
    "*:delay=20ms:p=0.05",
    "*:rate=5:p=0.01",
    "*:lost:p=0.01",
    "*:reset:p=0.01",
    "*:reset=40:p=0.01",
    "*:truncate=40:p=0.01",
    "*:truncate-chunked=40:p=0.01",
    "*:stall:p=0.004",
    "*:stall=40:p=0.004",
    "*:408:p=0.005",
    "*:425:p=0.005",
    "*:429:p=0.01:retry-after=1s",
    "*:429:p=0.005:retry-after-date=1s",
    "*:429:p=0.002:retry-after=60s",
    "*:500:p=0.01:body=error",
    "*:500:p=0.005:after-effect:body=error-message",
    "*:502:p=0.01:body=html",
    "*:503:p=0.01:body=empty",
    "*:503:p=0.005:after-effect:body=text",
    "*:504:p=0.01:body=detail",
    "*:401:p=0.002",
    "*:404:p=0.002",
    "*:501:p=0.002:body=html",
];

fn main() -> ExitCode {
    if std::env::var_os("SOAK_ROLE").is_some() {
        serve();
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

/// Runs the emulator; for each line that comes in, what it has logged since goes out.
fn serve() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let incidents = (0..INCIDENTS).map(|number| Sample::new(id(number)).assigned_to("alice"));
    let mut builder = Emulator::builder().incidents(incidents).seed(fastrand::u64(..));
    for fault in FAULTS {
        builder = builder.fault(fault.parse::<Fault>().expect("a fault"));
    }
    let emulator = runtime.block_on(builder.start()).expect("starts");
    println!("{}", emulator.url());
    while std::io::stdin().read_line(&mut String::new()).is_ok_and(|read| read > 0) {
        let requests = emulator.requests();
        // Before the answer: after it, calls begin again.
        emulator.clear_requests();
        for request in &requests {
            println!("{}", line(request));
        }
        println!();
    }
}

/// A request as a line of the emulator's answer.
fn line(request: &LoggedRequest) -> String {
    let (whole, status) = match request.answer {
        Answer::Status(status) => (true, status),
        answer => (false, answer.status().unwrap_or(0)),
    };
    let correlation_id = request.correlation_id.as_deref().unwrap_or_default();
    format!("{correlation_id} {status} {whole} {}", !request.changed.is_empty())
}

fn id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// A request as the emulator saw it.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// 0 where nothing was answered.
    status: u16,
    whole: bool,
    changed: bool,
}

/// A call as its caller saw it.
struct Done {
    correlation_id: String,
    attempts: u32,
    outcome: Result<(), Failure>,
}

struct Failure {
    /// Of an answer that was an error.
    refused: Option<u16>,
    name: String,
    effect: Effect,
    text: String,
}

#[derive(Default)]
struct Tally {
    calls: u64,
    cancelled: u64,
    retries: u64,
    slowest: Duration,
    hung: u64,
    outcomes: BTreeMap<String, u64>,
    contradictions: Vec<String>,
}

async fn soak(time: Duration) -> ExitCode {
    let before = sockets();
    let program = std::env::current_exe().expect("this program");
    let server = Command::new(program).env("SOAK_ROLE", "server").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut server = server.expect("starts");
    let mut ask = server.stdin.take().expect("piped");
    let mut answers = BufReader::new(server.stdout.take().expect("piped"));
    let mut url = String::new();
    answers.read_line(&mut url).expect("its URL");

    let client = Client::builder()
        .base_url(url.trim())
        .api_key(ApiKey::new(KEY).expect("a key"))
        .timeout(TIMEOUT)
        .attempt_timeout(ATTEMPT_TIMEOUT)
        // The waits are short for the sake of many calls.
        .retry_policy(RetryPolicy::default().with_base_delay(Duration::from_millis(20)))
        .build()
        .expect("a client");

    let start = Instant::now();
    let mut tally = Tally::default();
    let mut warm = None;
    let mut most_sockets = Some(0);
    println!("seconds    calls  memory KiB  sockets");
    while start.elapsed() < time {
        let calls = epoch(&client, &mut tally, EPOCH.min(time)).await;
        // What was given up is noted by the emulator once it sees the connection closed.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let log = taken(&mut ask, &mut answers);
        for call in &calls {
            let seen = log.get(&call.correlation_id).map(Vec::as_slice).unwrap_or_default();
            tally.contradictions.extend(contradiction(call, seen));
        }
        drop((calls, log));
        let (memory, sockets) = (memory(), sockets());
        println!("{:7.0} {:8}  {:>10}  {:>7}", start.elapsed().as_secs_f64(), tally.calls, text(memory), text(sockets));
        most_sockets = most_sockets.max(sockets.zip(before).map(|(now, before)| now - before));
        if start.elapsed() >= time / 4 && warm.is_none() {
            warm = memory;
        }
    }
    let end = memory();
    drop(client);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let after = sockets();
    drop(ask);
    let _ = server.wait();

    let growth = end.zip(warm).map(|(end, warm)| end - warm);
    let leaked = after.zip(before).map(|(after, before)| after - before);
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
    for text in tally.contradictions.iter().take(10) {
        println!("contradiction: {text}");
    }
    println!();
    let within = [
        limit("slowest call, ms", i64::try_from(tally.slowest.as_millis()).ok(), millis(TIMEOUT + SLACK)),
        limit("calls that hung", i64::try_from(tally.hung).ok(), 0),
        limit("outcomes against the emulator's log", i64::try_from(tally.contradictions.len()).ok(), 0),
        limit("memory growth since warm-up, KiB", growth, GROWTH),
        // Idle ones wait for the next call. A call that is dropped while it connects leaves one more of them.
        limit("most sockets between calls", most_sockets, i64::try_from(2 * CONCURRENCY).unwrap_or(i64::MAX)),
        limit("sockets left without the client", leaked, 0),
    ];
    if within.iter().all(|within| *within) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// Prints a figure beside its limit, and answers whether it is within. What this system does not tell is not judged.
fn limit(name: &str, figure: Option<i64>, limit: i64) -> bool {
    let within = figure.is_none_or(|figure| figure <= limit);
    println!("{name:36} {:>8}   at most {limit}{}", text(figure), if within { "" } else { "   BROKEN" });
    within
}

fn text(figure: Option<i64>) -> String {
    figure.map_or_else(|| "unknown".to_owned(), |figure| figure.to_string())
}

/// Calls from several tasks for a time. All of them are over when it returns.
async fn epoch(client: &Client, tally: &mut Tally, time: Duration) -> Vec<Done> {
    let end = Instant::now() + time;
    let workers = (0..CONCURRENCY).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            let (mut tally, mut calls) = (Tally::default(), Vec::new());
            while Instant::now() < end {
                let start = Instant::now();
                // Some callers lose patience: dropping the future must leave the client usable, and no connection behind.
                let patience =
                    if fastrand::u8(..100) < 3 { Duration::from_millis(fastrand::u64(..30)) } else { TIMEOUT + SLACK };
                let call = tokio::time::timeout(patience, any_call(&client)).await;
                let took = start.elapsed();
                match call {
                    Ok(call) => {
                        tally.calls += 1;
                        tally.retries += u64::from(call.attempts.saturating_sub(1));
                        tally.slowest = tally.slowest.max(took);
                        let name =
                            call.outcome.as_ref().map_or_else(|failure| failure.name.clone(), |()| "ok".to_owned());
                        *tally.outcomes.entry(name).or_default() += 1;
                        calls.push(call);
                    }
                    Err(_) if patience > TIMEOUT => tally.hung += 1,
                    Err(_) => tally.cancelled += 1,
                }
            }
            (tally, calls)
        })
    });
    let mut calls = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        let (one, done) = worker.await.expect("a worker does not panic");
        tally.calls += one.calls;
        tally.cancelled += one.cancelled;
        tally.retries += one.retries;
        tally.hung += one.hung;
        tally.slowest = tally.slowest.max(one.slowest);
        for (outcome, count) in one.outcomes {
            *tally.outcomes.entry(outcome).or_default() += count;
        }
        calls.extend(done);
    }
    calls
}

async fn any_call(client: &Client) -> Done {
    let ids = || (0..fastrand::usize(1..5)).map(|_| id(fastrand::usize(..INCIDENTS)));
    match fastrand::u8(..20) {
        0..5 => done(client.unassign_incidents(&UnassignIncidentsRequest::default().with_incident_ids(ids())).await),
        5..10 => {
            let user = UserDetails::default().with_user_id("bob");
            let request = AssignIncidentsRequest::default().with_incident_ids(ids()).with_assigned_to(user);
            done(client.assign_incidents(&request).await)
        }
        // The dearest for the emulator, so the rarest.
        10 => {
            let page = PaginationRequest::default().with_page_size(20);
            done(client.list_incidents(&ListIncidentsRequest::default().with_pagination(page)).await)
        }
        11..15 => done(client.get_incident(&id(fastrand::usize(..INCIDENTS))).await),
        _ => done(client.batch_get_incident(&ids().collect::<Vec<_>>()).await),
    }
}

fn done<T>(result: Result<ResponseValue<T>, Error>) -> Done {
    match result {
        Ok(value) => {
            Done { correlation_id: value.correlation_id().to_owned(), attempts: value.attempts(), outcome: Ok(()) }
        }
        Err(error) => {
            let kind = error.kind();
            let refused = match kind {
                ErrorKind::Status(status) => Some(status.as_u16()),
                _ => None,
            };
            Done {
                correlation_id: error.correlation_id().unwrap_or_default().to_owned(),
                attempts: error.attempts(),
                outcome: Err(Failure {
                    refused,
                    name: format!("{kind}, effect {:?}", error.effect()),
                    effect: error.effect(),
                    text: error.to_string(),
                }),
            }
        }
    }
}

/// What the emulator logged since it was last asked, by correlation id.
fn taken(ask: &mut ChildStdin, answers: &mut BufReader<ChildStdout>) -> HashMap<String, Vec<Seen>> {
    writeln!(ask, "take").expect("the emulator listens");
    log(answers.lines().map(|line| line.expect("a line")).take_while(|line| !line.is_empty()))
}

fn log(lines: impl Iterator<Item = String>) -> HashMap<String, Vec<Seen>> {
    let mut log: HashMap<String, Vec<Seen>> = HashMap::new();
    for line in lines {
        let mut words = line.split(' ');
        let correlation_id = words.next().unwrap_or_default();
        let status = words.next().and_then(|word| word.parse().ok()).expect("a status");
        let (whole, changed) = (words.next() == Some("true"), words.next() == Some("true"));
        log.entry(correlation_id.to_owned()).or_default().push(Seen { status, whole, changed });
    }
    log
}

/// How what the caller was told differs from what the emulator did.
fn contradiction(call: &Done, seen: &[Seen]) -> Option<String> {
    // An attempt that was given up may reach a busy emulator after the one that followed it, so the order says nothing.
    let answered = |status| seen.iter().any(|seen| seen.status == status);
    let complaint = match &call.outcome {
        _ if seen.len() > call.attempts as usize => "more requests than attempts".to_owned(),
        Ok(()) if !seen.iter().any(|seen| seen.status == 200 && seen.whole) => "succeeded without an answer".to_owned(),
        Err(failure) if failure.refused.is_some_and(|status| !answered(status)) => {
            format!("another answer: {}", failure.text)
        }
        Err(failure) if failure.effect == Effect::None && seen.iter().any(|seen| seen.changed) => {
            format!("it changed something: {}", failure.text)
        }
        Err(failure) if failure.effect == Effect::Applied && !answered(200) => {
            format!("it did not take effect: {}", failure.text)
        }
        _ => return None,
    };
    Some(format!("{}: {complaint}; {} attempts, the emulator saw {seen:?}", call.correlation_id, call.attempts))
}

/// The memory of this process, in KiB, where the system tells.
fn memory() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.split_whitespace().next()?.parse().ok()
}

/// The open sockets of this process, where the system tells.
fn sockets() -> Option<i64> {
    let open = std::fs::read_dir("/proc/self/fd").ok()?;
    let links = open.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
    i64::try_from(links.filter(|link| link.to_string_lossy().starts_with("socket:")).count()).ok()
}

/// What the soak finds when it is there to be found.
#[cfg(test)]
mod tests {
    use tokio::sync::Mutex;

    use super::*;

    /// Memory and sockets are the whole process's: the tests take turns.
    static TURN: Mutex<()> = Mutex::const_new(());

    fn client(url: &str) -> coralogix_incidents::ClientBuilder {
        Client::builder().base_url(url).api_key(ApiKey::new(KEY).expect("a key"))
    }

    #[tokio::test]
    async fn a_log_that_says_otherwise_is_a_contradiction() {
        let _turn = TURN.lock().await;
        let mut builder = Emulator::builder().incidents((0..INCIDENTS).map(|number| Sample::new(id(number))));
        // Errors enough for a short run.
        for fault in FAULTS.iter().chain(&["*:401:p=0.1"]) {
            builder = builder.fault(fault.parse().expect("a fault"));
        }
        let emulator = builder.start().await.expect("starts");
        let client =
            client(emulator.url()).timeout(TIMEOUT).attempt_timeout(ATTEMPT_TIMEOUT).build().expect("a client");
        let mut tally = Tally::default();
        let calls = epoch(&client, &mut tally, Duration::from_secs(1)).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let log = log(emulator.requests().iter().map(line));
        assert!(tally.calls > 100 && tally.retries > 0 && tally.hung == 0, "{} calls", tally.calls);

        let complaints = |forge: fn(&mut Seen)| {
            let judged = calls.iter().map(|call| {
                let mut seen: Vec<Seen> = log.get(&call.correlation_id).into_iter().flatten().copied().collect();
                seen.iter_mut().for_each(forge);
                contradiction(call, &seen)
            });
            judged.flatten().collect::<Vec<_>>()
        };
        assert_eq!(complaints(|_| {}), [""; 0], "the true log");
        let said = |complaints: &[String], what: &str| complaints.iter().any(|complaint| complaint.contains(what));
        assert!(said(&complaints(|seen| seen.whole = false), "succeeded without an answer"));
        assert!(said(&complaints(|seen| seen.status = 418), "another answer"));
        assert!(said(&complaints(|seen| seen.changed = true), "it changed something"));
    }

    #[test]
    fn more_requests_than_attempts_and_an_effect_that_was_none_are_contradictions() {
        let seen = Seen { status: 503, whole: true, changed: false };
        let call = |attempts, effect| {
            let failure = Failure { refused: Some(503), name: String::new(), effect, text: "error".to_owned() };
            Done { correlation_id: "id".to_owned(), attempts, outcome: Err(failure) }
        };
        assert_eq!(contradiction(&call(2, Effect::None), &[seen; 2]), None);
        let complaint = contradiction(&call(1, Effect::None), &[seen; 2]).expect("a contradiction");
        assert!(complaint.contains("more requests than attempts"), "{complaint}");
        let complaint = contradiction(&call(1, Effect::Applied), &[seen]).expect("a contradiction");
        assert!(complaint.contains("it did not take effect"), "{complaint}");
    }

    #[tokio::test]
    async fn a_call_that_outlasts_its_timeout_has_hung() {
        let _turn = TURN.lock().await;
        let emulator = Emulator::builder().fault("*:stall".parse().expect("a fault")).start().await.expect("starts");
        // Without the limits that the soak relies on.
        let client = client(emulator.url()).timeout(Duration::MAX).attempt_timeout(Duration::MAX).build();
        let mut tally = Tally::default();
        epoch(&client.expect("a client"), &mut tally, Duration::from_millis(1)).await;
        assert!(tally.hung > 0 && tally.calls == 0, "{} hung, {} done", tally.hung, tally.calls);
    }

    #[test]
    fn what_is_left_behind_is_seen_and_breaks_its_limit() {
        let _turn = TURN.blocking_lock();
        let (Some(memory_before), Some(sockets_before)) = (memory(), sockets()) else { return };
        // More than any allocator has lying about.
        let held = vec![1_u8; usize::try_from(8 * GROWTH * 1024).expect("a size")];
        let sockets_held: Vec<_> =
            (0..200).map(|_| std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket")).collect();
        let growth = memory().map(|now| now - memory_before);
        let leaked = sockets().map(|now| now - sockets_before);
        drop((std::hint::black_box(held), sockets_held));
        assert!(!limit("memory", growth, GROWTH), "{growth:?}");
        assert!(!limit("sockets", leaked, 64), "{leaked:?}");
        assert!(limit("memory", Some(0), GROWTH));
    }
}
