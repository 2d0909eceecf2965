//! The emulator as a program: its options, its banner and its shutdown. It knows nothing of how requests are served.

use std::{
    error::Error,
    io::{self, Write as _},
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{
    Parser,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use coralogix_incidents::{ApiGeneration, ApiKey};
use coralogix_incidents_emulator::{
    DOCUMENTED_IDS, Emulator, FAULT_GRAMMAR, Fault, GatewayStyle, JsonStyle, Key, Quirk, USERS,
};

/// An emulator of the Coralogix Incidents API.
#[derive(Debug, Parser)]
#[command(name = "coralogix-incidents-emulator", version, after_help = format!("A fault is {FAULT_GRAMMAR}"))]
struct Options {
    /// Address to listen on. The emulator is not secured: do not expose it to a network.
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// Port to listen on; 0 lets the system choose.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Number of realistic incidents to start with, up to 1000000.
    #[arg(long, default_value_t = 50, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    incidents: u32,
    /// Seed of the incidents, of new ids, and of faults with a probability.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// API key to accept: a personal key with all permissions.
    #[arg(long, default_value = "cxup_emulator", value_name = "KEY", value_parser = key)]
    key: String,
    /// Delay of every response, such as 20ms.
    #[arg(long, default_value = "0ms", value_parser = parse_latency)]
    latency: Duration,
    /// Fault to inject, such as `unassignIncidents:503:p=0.1`; may be given several times. The grammar is below.
    #[arg(long, value_name = "FAULT")]
    fault: Vec<Fault>,
    /// File to load the incidents from, if it exists, and to save them to at the start and at the end.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Which members responses show.
    #[arg(long, default_value = "emit-unpopulated", value_parser = choice(STYLES))]
    json_style: JsonStyle,
    /// How unknown paths and wrong methods are answered.
    #[arg(long, default_value = "v2.10", value_parser = choice(GATEWAYS))]
    gateway: GatewayStyle,
    /// Known deviation from the documented behavior; may be given several times.
    #[arg(long, value_name = "QUIRK", value_parser = choice(QUIRKS))]
    quirk: Vec<Quirk>,
    /// API generations to serve; a path of the other one is an unknown route.
    #[arg(long, default_value = "both", value_parser = choice(GENERATIONS))]
    generations: &'static [ApiGeneration],
    /// Leave out the administration API under /_emulator and the page at /.
    #[arg(long)]
    no_admin: bool,
    /// Add enum values and members that no document lists to responses, as a newer service might.
    #[arg(long)]
    unknown_values: bool,
}

/// A key that a client can send.
fn key(text: &str) -> Result<String, coralogix_incidents::Error> {
    ApiKey::new(text).map(|_| text.to_owned())
}

/// The values of an option: the name and the help of each.
type Choices<T> = [(&'static str, &'static str, T)];

const STYLES: &Choices<JsonStyle> = &[
    (
        "emit-unpopulated",
        "Every member, as grpc-gateway 2 does; of a oneof, only the member that is set",
        JsonStyle::EmitUnpopulated,
    ),
    ("defaults-omitted", "Only members that are set", JsonStyle::DefaultsOmitted),
    ("nulls-populated", "Every member; an unset one is null", JsonStyle::NullsPopulated),
];

const GATEWAYS: &Choices<GatewayStyle> = &[
    ("v1.6", "501 for both, as grpc-gateway 1.6 does", GatewayStyle::V1_6),
    ("v2.10", "404 and 501, as grpc-gateway 2.10 does", GatewayStyle::V2_10),
    ("plain-text", "404 and 405 in plain text", GatewayStyle::PlainText),
];

const QUIRKS: &Choices<Quirk> = &[
    ("top-level-page-token", "A list of incidents has `nextPageToken` at its top level", Quirk::TopLevelPageToken),
    ("empty-responses", "Calls that change incidents are answered with 200 and an empty body", Quirk::EmptyResponses),
    ("ignored-bodies", "V1 calls that change incidents read the query and ignore the body", Quirk::IgnoredBodies),
    ("refused-bodies", "As ignored-bodies, but a call without ids in the query is 400", Quirk::RefusedBodies),
];

const GENERATIONS: &Choices<&[ApiGeneration]> =
    &[("v1", "", &[ApiGeneration::V1]), ("v5", "", &[ApiGeneration::V5]), ("both", "", ApiGeneration::ALL)];

fn choice<T: Copy + Send + Sync + 'static>(choices: &'static Choices<T>) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(choices.iter().map(|(name, help, _)| {
        let value = PossibleValue::new(*name);
        if help.is_empty() { value } else { value.help(*help) }
    }))
    .try_map(|text| choices.iter().find(|(name, ..)| *name == text).map(|(.., value)| *value).ok_or("an unknown value"))
}

fn parse_latency(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "write a time such as `20ms`, `1.5s` or `2m`".to_owned())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let source = problem.source().map(|source| format!(": {source}")).unwrap_or_default();
            // If standard error is closed, the exit code has to suffice.
            let _ = writeln!(io::stderr(), "error: {problem}{source}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    // Installed before the emulator starts, so that no signal is missed.
    let stopped = stop_signal()?;
    let mut builder = Emulator::builder()
        .address(SocketAddr::new(options.host, options.port))
        .seed(options.seed)
        .key(Key::personal(&options.key, USERS[1]))
        .latency(options.latency)
        .json_style(options.json_style)
        .gateway(options.gateway)
        .generations(options.generations.iter().copied())
        .unknown_values(options.unknown_values);
    for quirk in &options.quirk {
        builder = builder.quirk(*quirk);
    }
    if options.no_admin {
        builder = builder.without_administration();
    }
    for fault in &options.fault {
        builder = builder.fault(fault.clone());
    }
    builder = match &options.state {
        Some(file) if file.try_exists()? => builder.incidents_json(file),
        _ => builder.seeded(usize::try_from(options.incidents)?, options.seed),
    };
    let emulator = builder.start().await?;
    // If the file cannot be written, report it now and not after a day's work.
    save(&emulator, &options)?;
    banner(&emulator, &options)?;
    stopped.await;
    // Requests that finish during the shutdown change incidents, so the file is written last.
    let emulator = emulator.drain().await;
    save(&emulator, &options)?;
    if let Some(file) = &options.state {
        writeln!(io::stdout(), "saved {} incidents to {}", emulator.len(), file.display())?;
    }
    Ok(())
}

fn save(emulator: &Emulator, options: &Options) -> Result<(), String> {
    let Some(file) = &options.state else { return Ok(()) };
    emulator.save(file).map_err(|problem| format!("cannot save incidents to {}: {problem}", file.display()))
}

fn banner(emulator: &Emulator, options: &Options) -> io::Result<()> {
    let (url, key, count) = (emulator.url(), emulator.api_key(), emulator.len());
    let mut out = io::stdout().lock();
    writeln!(out, "Coralogix Incidents emulator with {count} incidents (seed {})\n", options.seed)?;
    writeln!(out, "  URL       {url}")?;
    writeln!(out, "  API key   {key}")?;
    writeln!(out, "  listening {}", emulator.address())?;
    if !options.no_admin {
        writeln!(out, "  page      {}/", emulator.origin())?;
    }
    writeln!(out, "  document  {}/openapi.yaml", emulator.origin())?;
    for fault in &options.fault {
        writeln!(out, "  fault     {fault}")?;
    }
    writeln!(out, "\nTry:\n")?;
    writeln!(out, "  curl -sS {url}/v1/incidents:unassign \\")?;
    writeln!(out, "    -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\")?;
    writeln!(out, "    -d '{{\"incidentIds\":[\"{}\",\"{}\"]}}'\n", DOCUMENTED_IDS[0], DOCUMENTED_IDS[1])?;
    writeln!(out, "Ctrl-C stops it.")?;
    out.flush()
}

/// Completes at the first Ctrl-C or SIGTERM.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Completes at the first Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a handler, the system itself ends the program.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
