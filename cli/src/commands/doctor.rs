//! `doctor`: looks at everything that a first call needs, one after the other, and names a remedy for what is wrong.

use chrono::{DateTime, TimeDelta, Utc};
use coralogix_incidents::{
    ApiGeneration, Client, Error,
    types::{ListIncidentsRequest, PaginationRequest},
};
use serde::Serialize;

use crate::{
    config::{self, Connection, GlobalOptions},
    report::{Exit, Failure, Stop, time},
    terminal::{Output, sanitize_line, unless_interrupted},
};

/// A clock that is off by more than this is reported: signatures, certificates and `Retry-After` dates depend on it.
const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::seconds(60);

/// The result of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Verdict {
    Ok,
    Warning,
    Failed,
    /// Not possible after an earlier failure.
    Skipped,
}

/// One check, as JSON has it.
#[derive(Debug, Serialize)]
struct Check {
    #[serde(rename = "check")]
    name: &'static str,
    result: Verdict,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Check {
    fn new(name: &'static str, result: Verdict, detail: impl Into<String>) -> Self {
        Self { name, result, detail: detail.into(), remedy: None }
    }

    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Verdict::Ok, detail)
    }

    fn warning(name: &'static str, detail: String, remedy: &str) -> Self {
        Self { remedy: Some(remedy.to_owned()), ..Self::new(name, Verdict::Warning, detail) }
    }

    fn skipped(name: &'static str, detail: &str) -> Self {
        Self::new(name, Verdict::Skipped, detail)
    }

    fn failed(name: &'static str, failure: Failure) -> Self {
        Self { remedy: failure.next, ..Self::new(name, Verdict::Failed, failure.summary) }
    }

    /// What a terminal shows.
    fn lines(&self) -> String {
        let result = match self.result {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Failed => "failed",
            Verdict::Skipped => "skipped",
        };
        let remedy = self.remedy.iter().map(|remedy| format!("\n{:25}next: {}", "", sanitize_line(remedy)));
        format!("{result:<8}  {:<13}  {}", self.name, sanitize_line(&self.detail)) + &remedy.collect::<String>()
    }
}

pub(crate) async fn run(options: &GlobalOptions, output: &Output) -> Result<Exit, Stop> {
    let checks = match config::inspect(options).await {
        Ok(connection) => {
            let mut checks =
                vec![key(&connection), endpoint(&connection), proxy(&connection), certificates(&connection)];
            checks.extend(match (&connection.key, options.dry_run) {
                (Err(_), _) => skipped_calls("needs a key"),
                (_, true) => skipped_calls("a dry run sends nothing"),
                _ => service(unless_interrupted(probe(&connection.client)).await?),
            });
            checks
        }
        // Without a client nothing else can be looked at.
        Err(failure) => vec![Check::failed("configuration", failure)],
    };
    output.documents(&checks, || checks.iter().map(Check::lines).collect::<Vec<_>>().join("\n"))?;
    let failed = checks.iter().any(|check| check.result == Verdict::Failed);
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

fn skipped_calls(reason: &str) -> [Check; 3] {
    ["service", "clock", "permission"].map(|name| Check::skipped(name, reason))
}

fn key(connection: &Connection) -> Check {
    let from = connection.source("api key");
    match &connection.key {
        Err(reason) => {
            let next = "set CORALOGIX_API_KEY (a personal key, to assign and acknowledge), or use --emulator";
            Check::failed("api key", Failure::usage(reason).next(next))
        }
        Ok(Some(problem)) => {
            let remedy = "copy the key alone, as the settings page of Coralogix shows it";
            Check::warning("api key", format!("the key of {from} {problem}"), remedy)
        }
        Ok(None) => Check::ok("api key", format!("it has the form of a key, from {from}")),
    }
}

fn endpoint(connection: &Connection) -> Check {
    let from = connection.source("base url");
    let detail = format!("{}, from {from}", connection.client.base_url());
    if from != config::DEFAULT {
        return Check::ok("endpoint", detail);
    }
    let detail = format!("{detail}: nothing says which region the account is in");
    Check::warning("endpoint", detail, "set CORALOGIX_REGION, or give --region, unless the account is in EU1")
}

fn proxy(connection: &Connection) -> Check {
    let url = connection.client.base_url();
    if connection.is_local() {
        return Check::ok("proxy", "none is used for this machine");
    }
    let scheme = if url.starts_with("https") { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
    let names = [scheme[0], scheme[1], "ALL_PROXY", "all_proxy"];
    match names.into_iter().find(|name| config::variable(name).is_some()) {
        // Its value may have a password in it.
        Some(name) => Check::ok("proxy", format!("{name} is set; NO_PROXY exempts hosts from it")),
        None => Check::ok("proxy", "none is set"),
    }
}

fn certificates(connection: &Connection) -> Check {
    let is_https = connection.client.base_url().starts_with("https");
    // Without root certificates there would be no client.
    let detail = if is_https { "the root certificates of the system are loaded" } else { "not needed for http" };
    Check::ok("certificates", detail)
}

/// What the answer of the service shows.
fn service(result: Result<Probe, Error>) -> [Check; 3] {
    let probe = match result {
        Ok(probe) => probe,
        Err(error) => {
            let skipped = |name| Check::skipped(name, "the service did not answer the read");
            let failed = |name| Check::failed(name, Failure::sdk(&error));
            return if error.is_permission_denied() {
                [Check::ok("service", "it answers"), skipped("clock"), failed("permission")]
            } else {
                [failed("service"), skipped("clock"), skipped("permission")]
            };
        }
    };
    let clock = match probe.clock_skew {
        None => Check::skipped("clock", "the answer has no date"),
        Some(skew) if skew.abs() > MAX_CLOCK_SKEW => {
            let direction = if skew > TimeDelta::zero() { "ahead of" } else { "behind" };
            let detail = format!("this machine is {} {direction} the service", time::duration(skew.abs()));
            Check::warning("clock", detail, "set the clock, for example by NTP")
        }
        Some(_) => Check::ok("clock", "it agrees with that of the service"),
    };
    let service = Check::ok("service", format!("API generation {} answers", probe.generation));
    [service, clock, Check::ok("permission", "incidents can be read; whether they can be changed is not tested")]
}

/// What an answer shows.
pub(crate) struct Probe {
    pub(crate) generation: ApiGeneration,
    /// By how much this machine's clock is ahead of the service's; `None` if the answer does not say when it was made.
    pub(crate) clock_skew: Option<TimeDelta>,
}

/// Lists at most one incident, to see who answers and how. It changes nothing, and needs the permission to read.
pub(crate) async fn probe(client: &Client) -> Result<Probe, Error> {
    let request = ListIncidentsRequest::default().with_pagination(PaginationRequest::default().with_page_size(1_u32));
    let sent = Utc::now();
    let response = client.list_incidents(&request).await?;
    let received = Utc::now();
    let date = response.headers().get("date").and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    // The answer was made somewhere between; HTTP dates have whole seconds.
    let clock_skew = date.map(|date| {
        let date = date.to_utc();
        if date < sent - TimeDelta::seconds(1) {
            sent - date
        } else if date > received {
            received - date
        } else {
            TimeDelta::zero()
        }
    });
    Ok(Probe { generation: response.api_generation(), clock_skew })
}
