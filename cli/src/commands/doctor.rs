//! `doctor`: looks at everything that a first call needs, one after the other, and names a remedy for what is wrong.

use chrono::TimeDelta;
use serde::Serialize;

use crate::{
    commands::probe::{Probe, probe},
    config::{self, Connection, options::GlobalOptions},
    report::{
        errors::{Exit, Failure, Stop},
        time,
    },
    terminal::{
        interrupts::unless_interrupted,
        output::{Format, Output},
        sanitize::sanitize_line,
    },
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

    fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    fn failed(name: &'static str, failure: &Failure) -> Self {
        let failed = Self::new(name, Verdict::Failed, failure.summary());
        Self { remedy: failure.next_step().map(str::to_owned), ..failed }
    }
}

pub(crate) async fn run(options: &GlobalOptions, output: &Output) -> Result<Exit, Stop> {
    let checks = match config::inspect(options).await {
        Ok(connection) => {
            let mut checks =
                vec![key(&connection), endpoint(&connection), proxy(&connection), certificates(&connection)];
            let reason = match connection.missing_key() {
                Some(_) => Some("needs a key"),
                None => options.dry_run.then_some("a dry run sends nothing"),
            };
            match reason {
                Some(reason) => checks
                    .extend(["service", "clock", "permission"].map(|name| Check::new(name, Verdict::Skipped, reason))),
                None => checks.extend(service(unless_interrupted(probe(&connection.client)).await?)),
            }
            checks
        }
        // Without a client nothing else can be looked at.
        Err(failure) => vec![Check::failed("configuration", &failure)],
    };
    show(&checks, output)?;
    let failed = checks.iter().any(|check| check.result == Verdict::Failed);
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

fn show(checks: &[Check], output: &Output) -> Result<(), Stop> {
    match output.format {
        Format::Json => output.json(&checks)?,
        Format::Ndjson => checks.iter().try_for_each(|check| output.ndjson(check))?,
        Format::Table | Format::Ids => {
            for Check { name, result, detail, remedy } in checks {
                let result = match result {
                    Verdict::Ok => "ok",
                    Verdict::Warning => "warning",
                    Verdict::Failed => "failed",
                    Verdict::Skipped => "skipped",
                };
                output.line(format_args!("{result:<8}  {name:<13}  {}", sanitize_line(detail)))?;
                if let Some(remedy) = remedy {
                    output.line(format_args!("{:25}next: {}", "", sanitize_line(remedy)))?;
                }
            }
        }
    }
    Ok(())
}

fn key(connection: &Connection) -> Check {
    let from = connection.setting("api key").map(|setting| setting.from.as_str()).unwrap_or_default();
    match (connection.missing_key(), connection.key_problem) {
        (Some(reason), _) => Check::new("api key", Verdict::Failed, reason)
            .remedy("set CORALOGIX_API_KEY (a personal key, to assign and acknowledge), or use --emulator"),
        (None, Some(problem)) => Check::new("api key", Verdict::Warning, format!("the key of {from} {problem}"))
            .remedy("copy the key alone, as the settings page of Coralogix shows it"),
        (None, None) => Check::new("api key", Verdict::Ok, format!("it has the form of a key, from {from}")),
    }
}

fn endpoint(connection: &Connection) -> Check {
    let from = connection.setting("base url").map(|setting| setting.from.as_str()).unwrap_or_default();
    let detail = format!("{}, from {from}", connection.client.base_url());
    if from == config::DEFAULT {
        return Check::new(
            "endpoint",
            Verdict::Warning,
            format!("{detail}: nothing says which region the account is in"),
        )
        .remedy("set CORALOGIX_REGION, or give --region, unless the account is in EU1");
    }
    Check::new("endpoint", Verdict::Ok, detail)
}

fn proxy(connection: &Connection) -> Check {
    let url = connection.client.base_url();
    if connection.is_local() {
        return Check::new("proxy", Verdict::Ok, "none is used for this machine");
    }
    let scheme = if url.starts_with("https") { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
    let names = [scheme[0], scheme[1], "ALL_PROXY", "all_proxy"];
    match names.into_iter().find(|name| config::profile::variable(name).is_some()) {
        // Its value may have a password in it.
        Some(name) => Check::new("proxy", Verdict::Ok, format!("{name} is set; NO_PROXY exempts hosts from it")),
        None => Check::new("proxy", Verdict::Ok, "none is set"),
    }
}

fn certificates(connection: &Connection) -> Check {
    if connection.client.base_url().starts_with("https") {
        // Otherwise there would be no client.
        Check::new("certificates", Verdict::Ok, "the root certificates of the system are loaded")
    } else {
        Check::new("certificates", Verdict::Ok, "not needed for http")
    }
}

/// What the answer of the service shows.
fn service(result: Result<Probe, coralogix_incidents::Error>) -> Vec<Check> {
    let probe = match result {
        Ok(probe) => probe,
        Err(error) => {
            let failure = Failure::sdk(&error);
            let (service, permission) = if error.is_permission_denied() {
                (Check::new("service", Verdict::Ok, "it answers"), Check::failed("permission", &failure))
            } else {
                let skipped = Check::new("permission", Verdict::Skipped, "the service did not answer the read");
                (Check::failed("service", &failure), skipped)
            };
            return vec![
                service,
                Check::new("clock", Verdict::Skipped, "the service did not answer the read"),
                permission,
            ];
        }
    };
    let clock = match probe.clock_skew {
        None => Check::new("clock", Verdict::Skipped, "the answer has no date"),
        Some(skew) if skew.abs() > MAX_CLOCK_SKEW => {
            let direction = if skew > TimeDelta::zero() { "ahead of" } else { "behind" };
            let detail = format!("this machine is {} {direction} the service", time::duration(skew.abs()));
            Check::new("clock", Verdict::Warning, detail).remedy("set the clock, for example by NTP")
        }
        Some(_) => Check::new("clock", Verdict::Ok, "it agrees with that of the service"),
    };
    let detail = format!("API generation {} answers", probe.generation);
    let permission = "incidents can be read; whether they can be changed is not tested";
    vec![Check::new("service", Verdict::Ok, detail), clock, Check::new("permission", Verdict::Ok, permission)]
}
