//! How many unassign requests a second the emulator serves while it holds 100,000 incidents. Run it with
//! `cargo bench -p coralogix-incidents-emulator`. It uses loopback only, and sends a fixed number of requests.
//!
//! Each request unassigns an incident that is assigned, so that each is a change with an event. The clients run on the same
//! machine and take their share of its cores.

use std::{
    env,
    error::Error,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use coralogix_incidents_emulator::{Emulator, Sample, USERS};

/// Requests a second that the emulator is to serve on two cores.
const GOAL: f64 = 5_000.0;
const CONNECTIONS: usize = 8;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]
async fn main() -> Outcome<()> {
    // `cargo test --benches` passes no `--bench`: then it is enough that it works.
    let measuring = env::args().any(|argument| argument == "--bench");
    let (held, requests) = if measuring { (100_000, 60_000) } else { (1_000, 400) };

    let began = Instant::now();
    let incidents = (0..held).map(|number| Sample::new(id(number)).assigned_to(USERS[0]));
    let emulator = Emulator::builder().incidents(incidents).start().await?;
    println!("incidents held       {} (ready after {:.1} s)", emulator.len(), began.elapsed().as_secs_f64());

    let began = Instant::now();
    let mut latencies = run(&emulator, requests)?;
    let seconds = began.elapsed().as_secs_f64();

    let mut stream = TcpStream::connect(emulator.address())?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let began_list = Instant::now();
    send(&mut stream, &emulator, "/v1/incidents", "{}")?;
    read_response(&mut reader)?;
    let list = began_list.elapsed();

    let unassigned = emulator.incidents().iter().filter(|incident| incident.assignments.is_empty()).count();
    if unassigned != requests {
        return Err(format!("{requests} requests unassigned {unassigned} incidents").into());
    }
    latencies.sort_unstable();
    let percentile = |percent: usize| latencies.get(latencies.len() * percent / 100).copied().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let rate = requests as f64 / seconds;
    println!("unassign requests    {requests} over {CONNECTIONS} connections in {seconds:.2} s");
    println!("requests a second    {rate:.0} (goal: {GOAL:.0} on two cores)");
    println!("time of a request    {:?} p50, {:?} p99", percentile(50), percentile(99));
    println!("first page of all    {list:?} (100 incidents, sorted by time)");
    if measuring && rate < GOAL {
        return Err("the goal is missed".into());
    }
    Ok(())
}

fn id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// Sends the requests and returns how long each took.
fn run(emulator: &Emulator, requests: usize) -> Outcome<Vec<Duration>> {
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CONNECTIONS)
            .map(|first| scope.spawn(move || client(emulator, (first..requests).step_by(CONNECTIONS))))
            .collect();
        let mut latencies = Vec::with_capacity(requests);
        for client in clients {
            latencies.extend(client.join().map_err(|_| "a client panicked")??);
        }
        Ok(latencies)
    })
}

fn client(emulator: &Emulator, numbers: impl Iterator<Item = usize>) -> Outcome<Vec<Duration>> {
    let mut stream = TcpStream::connect(emulator.address())?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::with_capacity(16 * 1024, stream.try_clone()?);
    let mut latencies = Vec::new();
    for number in numbers {
        let body = format!(r#"{{"incidentIds":["{}"]}}"#, id(number));
        let began = Instant::now();
        send(&mut stream, emulator, "/v1/incidents:unassign", &body)?;
        read_response(&mut reader)?;
        latencies.push(began.elapsed());
    }
    Ok(latencies)
}

fn send(stream: &mut TcpStream, emulator: &Emulator, path: &str, body: &str) -> Outcome<()> {
    let request = format!(
        "POST /mgmt/openapi{path} HTTP/1.1\r\nHost: emulator\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        emulator.api_key(),
        body.len()
    );
    Ok(stream.write_all(request.as_bytes())?)
}

fn read_response(reader: &mut impl BufRead) -> Outcome<()> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    if !line.starts_with("HTTP/1.1 200") {
        return Err(format!("unexpected answer: {}", line.trim()).into());
    }
    let mut length = None;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        match line.trim().split_once(": ") {
            Some(("content-length", value)) => length = Some(value.parse()?),
            Some(_) => {}
            None => break,
        }
    }
    if let Some(length) = length {
        return skip(reader, length);
    }
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let size = u64::from_str_radix(line.trim(), 16)?;
        skip(reader, size + 2)?;
        if size == 0 {
            return Ok(());
        }
    }
}

fn skip(reader: &mut impl BufRead, bytes: u64) -> Outcome<()> {
    let skipped = std::io::copy(&mut reader.take(bytes), &mut std::io::sink())?;
    if skipped == bytes { Ok(()) } else { Err("the answer ends early".into()) }
}
