//! The options that all commands share.

use std::{ffi::OsString, time::Duration};

use clap::Args;
use clap_complete::{ArgValueCandidates, CompletionCandidate};
use coralogix_incidents::{ApiGeneration, Region};

use crate::{config::profile, input::time, terminal::Format};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct GlobalOptions {
    #[arg(help = "Region of the account, EU1 to AP3 [env: CORALOGIX_REGION] [default: EU1]")]
    #[arg(long, global = true, value_name = "REGION", group = "endpoint", help_heading = "Connection options")]
    #[arg(add = ArgValueCandidates::new(|| candidates(Region::ALL.iter().map(|region| region.as_str()))))]
    pub(crate) region: Option<Region>,
    #[arg(help = "Your own domain, such as `example.com` [env: CORALOGIX_DOMAIN]")]
    #[arg(long, global = true, value_name = "DOMAIN", group = "endpoint", help_heading = "Connection options")]
    pub(crate) domain: Option<String>,
    #[arg(help = "Complete base URL, such as that of a proxy or an emulator [env: CORALOGIX_URL]")]
    #[arg(long, global = true, value_name = "URL", group = "endpoint", help_heading = "Connection options")]
    pub(crate) url: Option<String>,
    /// Use an emulator inside this process, with made-up incidents; no key is needed and nothing reaches Coralogix
    #[arg(long, global = true, group = "endpoint", help_heading = "Connection options")]
    pub(crate) emulator: bool,
    #[arg(help = "Profile of the vendor's command line in ~/.cx, for the region and the API key [env: CX_PROFILE]")]
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "emulator", help_heading = "Connection options")]
    #[arg(add = ArgValueCandidates::new(|| candidates(profile::names())))]
    pub(crate) profile: Option<String>,
    #[arg(
        help = "Generation of the API: auto, v1 or v5; auto uses the one that answers [env: CX_INCIDENTS_API_GENERATION] [default: auto]"
    )]
    #[arg(long, global = true, value_name = "GENERATION", value_parser = parse_generation, help_heading = "Connection options")]
    #[arg(add = ArgValueCandidates::new(|| candidates(["auto", "v1", "v5"])))]
    pub(crate) api_generation: Option<GenerationChoice>,
    /// Time limit of one call including its retries, such as `30s` [default: 60s]
    #[arg(long, global = true, value_name = "TIME", value_parser = time::parse_timeout, help_heading = "Request options")]
    pub(crate) timeout: Option<Duration>,
    /// Maximum number of concurrent requests, 1 to 256 [default: 8]
    #[arg(long, global = true, value_name = "N", value_parser = parse_concurrency, help_heading = "Request options")]
    pub(crate) concurrency: Option<usize>,
    /// Show requests instead of sending them; `handover` still lists the incidents of the user
    #[arg(long, global = true, help_heading = "Request options")]
    pub(crate) dry_run: bool,
    /// Do not ask for confirmation before more than 20 incidents are changed
    #[arg(long, short, global = true, help_heading = "Request options")]
    pub(crate) yes: bool,
    /// Format of standard output [default: table]
    #[arg(long, short, global = true, value_enum, value_name = "FORMAT", help_heading = "Output options")]
    pub(crate) output: Option<Format>,
    /// Show retries, attempts and correlation ids on standard error
    #[arg(long, short, global = true, help_heading = "Output options")]
    pub(crate) verbose: bool,
}

impl GlobalOptions {
    pub(crate) fn concurrency(&self) -> usize {
        self.concurrency.unwrap_or(8)
    }
}

fn candidates<T: Into<OsString>>(values: impl IntoIterator<Item = T>) -> Vec<CompletionCandidate> {
    values.into_iter().map(CompletionCandidate::new).collect()
}

/// The generation of the API that is used, or `None` for the one that answers.
pub(crate) type GenerationChoice = Option<ApiGeneration>;

pub(crate) fn parse_generation(text: &str) -> Result<GenerationChoice, String> {
    if text.trim().eq_ignore_ascii_case("auto") {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| "the generations are auto, v1 and v5".to_owned())
}

/// The concurrency, in the range that the SDK and a shell's limit of open files allow.
fn parse_concurrency(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=256) => Ok(number),
        _ => Err("give a number from 1 to 256".to_owned()),
    }
}
