//! What can be said on the command line. It knows nothing of what is done about it.

use std::{path::PathBuf, time::Duration};

use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use coralogix_incidents::{
    ApiGeneration, Region,
    types::{IncidentFields, IncidentSeverity, IncidentState, IncidentStatus, OrderByDirection},
};

use crate::input::time;

/// Each paragraph on one line: clap wraps it.
const AFTER_HELP: &str = "\
The API key is read from CORALOGIX_API_KEY and from nowhere else: an argument would show in `ps` and in the shell's \
history. Assigning, unassigning and acknowledging need a personal key. CORALOGIX_REGION, CORALOGIX_DOMAIN or \
CORALOGIX_URL say where the account is, unless --region, --domain or --url does. NO_COLOR turns colours off.

More than 20 incidents are changed only after a question, where there is a terminal to ask on; --yes answers it. Without \
a terminal (cron, CI) nothing is asked. Ctrl-C lets the requests under way finish and begins no more; a second one \
abandons them. Either way every id is accounted for.

Exit codes:
  0    done
  1    the service refused or failed, or knows none of the ids
  2    usage or configuration; nothing was sent
  3    done in part: standard error says which ids were not
  130  interrupted, or the question was answered with no";

const EXAMPLES: &str = "\
Examples:
  cx-incidents --emulator unassign incident_id_1 incident_id_2
  cx-incidents list --status triggered --severity critical --since 2h
  cx-incidents list --assignee alice@example.com --output ids | cx-incidents unassign -
  cx-incidents handover --from alice@example.com --to bob@example.com --dry-run";

/// Find, assign, unassign, acknowledge, resolve and close Coralogix incidents.
#[derive(Debug, Parser)]
#[command(name = "cx-incidents", version, max_term_width = 110, after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{AFTER_HELP}"))]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct Global {
    #[arg(
        help = "Region of the account, EU1 to AP3 [env: CORALOGIX_REGION] [default: EU1]",
        long,
        global = true,
        value_name = "REGION",
        group = "place",
        help_heading = "Where"
    )]
    pub(crate) region: Option<Region>,
    #[arg(
        help = "A domain of your own, such as `example.com` [env: CORALOGIX_DOMAIN]",
        long,
        global = true,
        value_name = "DOMAIN",
        group = "place",
        help_heading = "Where"
    )]
    pub(crate) domain: Option<String>,
    #[arg(
        help = "A whole base URL, such as that of a proxy or an emulator [env: CORALOGIX_URL]",
        long,
        global = true,
        value_name = "URL",
        group = "place",
        help_heading = "Where"
    )]
    pub(crate) url: Option<String>,
    /// Use an emulator inside this process, with made-up incidents; nothing reaches Coralogix and no key is needed
    #[arg(long, global = true, group = "place", help_heading = "Where")]
    pub(crate) emulator: bool,
    #[arg(
        help = "Paths of the service to speak: v1 or v5 [env: CX_INCIDENTS_API_GENERATION] [default: v1]",
        long,
        global = true,
        value_name = "GENERATION",
        help_heading = "Where"
    )]
    pub(crate) api_generation: Option<ApiGeneration>,
    /// The longest that one call may take with its retries, such as `30s` [default: 60s]
    #[arg(long, global = true, value_name = "TIME", value_parser = time::parse_timeout, help_heading = "How")]
    pub(crate) timeout: Option<Duration>,
    /// The most requests under way at once [default: 8]
    #[arg(long, global = true, value_name = "N", value_parser = parse_concurrency, help_heading = "How")]
    pub(crate) concurrency: Option<usize>,
    /// Show what would be sent, and send nothing that changes an incident
    #[arg(long, global = true, help_heading = "How")]
    pub(crate) dry_run: bool,
    /// Don't ask before more than 20 incidents are changed
    #[arg(long, short, global = true, help_heading = "How")]
    pub(crate) yes: bool,
    /// Format of standard output [default: table]
    #[arg(long, short, global = true, value_enum, value_name = "FORMAT", help_heading = "Output")]
    pub(crate) output: Option<Format>,
    /// Tell of retries, attempts and correlation ids, on standard error
    #[arg(long, short, global = true, help_heading = "Output")]
    pub(crate) verbose: bool,
}

impl Global {
    pub(crate) fn concurrency(&self) -> usize {
        self.concurrency.unwrap_or(8)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people: columns, as wide as the terminal
    #[default]
    Table,
    /// One JSON document at the end
    Json,
    /// One JSON document on each line, as things happen
    Ndjson,
    /// Ids alone, one on each line: what `-` of the other commands reads
    Ids,
}

impl Format {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Ids => "ids",
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Remove the assignments of incidents
    Unassign(IdArgs),
    /// Assign incidents to a user
    Assign(AssignArgs),
    /// Acknowledge incidents
    Acknowledge(IdArgs),
    /// Resolve incidents
    Resolve(IdArgs),
    /// Close incidents
    Close(IdArgs),
    /// Show incidents by id
    Get(IdArgs),
    /// List incidents, by default all of them, the newest first
    List(Box<ListArgs>),
    /// Show what happened to incidents
    Events(IdArgs),
    /// Assign the open incidents of one user to another
    Handover(HandoverArgs),
    /// Show what is in effect and where it comes from
    Config,
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct IdArgs {
    /// Ids of incidents; `-` reads them from standard input, one on each line
    #[arg(value_name = "ID", required_unless_present = "from_file")]
    pub(crate) ids: Vec<String>,
    /// Read ids from a file, one on each line; blank lines and lines that begin with `#` are passed over
    #[arg(long, value_name = "FILE")]
    pub(crate) from_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct AssignArgs {
    /// The user, by id (usually an e-mail address)
    #[arg(long, value_name = "USER", value_parser = parse_user)]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) ids: IdArgs,
}

#[derive(Debug, Args)]
pub(crate) struct HandoverArgs {
    /// The user whose open incidents they are
    #[arg(long, value_name = "USER", value_parser = parse_user)]
    pub(crate) from: String,
    /// The user who gets them
    #[arg(long, value_name = "USER", value_parser = parse_user)]
    pub(crate) to: String,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Assigned to this user; may be given more than once, as all filters by value may: any of them is enough
    #[arg(long, value_name = "USER", help_heading = "Filters")]
    pub(crate) assignee: Vec<String>,
    /// How far people are
    #[arg(long, value_enum, ignore_case = true, help_heading = "Filters")]
    pub(crate) status: Vec<Status>,
    /// What the alert says
    #[arg(long, value_enum, ignore_case = true, help_heading = "Filters")]
    pub(crate) state: Vec<State>,
    /// How grave it is
    #[arg(long, value_enum, ignore_case = true, help_heading = "Filters")]
    pub(crate) severity: Vec<Severity>,
    /// Contextual label
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_label, help_heading = "Filters")]
    pub(crate) label: Vec<(String, String)>,
    /// Name of the application
    #[arg(long, value_name = "NAME", help_heading = "Filters")]
    pub(crate) application: Vec<String>,
    /// Name of the subsystem
    #[arg(long, value_name = "NAME", help_heading = "Filters")]
    pub(crate) subsystem: Vec<String>,
    /// Start of the period searched: `2h` (ago), `2026-03-14` or `2026-03-14T08:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = time::parse_moment, help_heading = "Filters")]
    pub(crate) since: Option<DateTime<Utc>>,
    /// End of the period searched
    #[arg(long, value_name = "TIME", value_parser = time::parse_moment, help_heading = "Filters")]
    pub(crate) until: Option<DateTime<Utc>>,
    /// Created at this time or later
    #[arg(long, value_name = "TIME", value_parser = time::parse_moment, help_heading = "Filters")]
    pub(crate) created_since: Option<DateTime<Utc>>,
    /// Created before this time
    #[arg(long, value_name = "TIME", value_parser = time::parse_moment, help_heading = "Filters")]
    pub(crate) created_until: Option<DateTime<Utc>>,
    /// Sort by a field, with `:asc` or `:desc`; may be given more than once
    #[arg(long, value_name = "FIELD[:DIRECTION]", value_parser = parse_order, default_value = "created:desc")]
    pub(crate) order: Vec<Order>,
    /// The most incidents to show
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
}

/// The known statuses: a request with another name would be refused.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Status {
    Triggered,
    Acknowledged,
    Resolved,
}

impl From<Status> for IncidentStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Triggered => Self::Triggered,
            Status::Acknowledged => Self::Acknowledged,
            Status::Resolved => Self::Resolved,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum State {
    Triggered,
    Resolved,
}

impl From<State> for IncidentState {
    fn from(state: State) -> Self {
        match state {
            State::Triggered => Self::Triggered,
            State::Resolved => Self::Resolved,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Severity {
    Low,
    Info,
    Warning,
    Error,
    Critical,
}

impl From<Severity> for IncidentSeverity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Low => Self::Low,
            Severity::Info => Self::Info,
            Severity::Warning => Self::Warning,
            Severity::Error => Self::Error,
            Severity::Critical => Self::Critical,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    pub(crate) field: IncidentFields,
    pub(crate) direction: OrderByDirection,
}

const FIELDS: [(&str, IncidentFields); 11] = [
    ("created", IncidentFields::CreatedTime),
    ("closed", IncidentFields::ClosedTime),
    ("updated", IncidentFields::LastStateUpdateTime),
    ("severity", IncidentFields::Severity),
    ("status", IncidentFields::Status),
    ("state", IncidentFields::State),
    ("name", IncidentFields::Name),
    ("id", IncidentFields::Id),
    ("application", IncidentFields::ApplicationName),
    ("subsystem", IncidentFields::SubsystemName),
    ("duration", IncidentFields::Duration),
];

fn parse_order(text: &str) -> Result<Order, String> {
    let (name, direction) = text.split_once(':').unwrap_or((text, "asc"));
    let direction = match direction {
        "asc" => OrderByDirection::Asc,
        "desc" => OrderByDirection::Desc,
        _ => return Err("the direction is `asc` or `desc`".to_owned()),
    };
    match FIELDS.into_iter().find(|(known, _)| *known == name) {
        Some((_, field)) => Ok(Order { field, direction }),
        None => Err(format!("the fields are {}", FIELDS.map(|(name, _)| name).join(", "))),
    }
}

fn parse_label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE".to_owned()),
    }
}

fn parse_user(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("the user is blank".to_owned()) } else { Ok(text.to_owned()) }
}

fn parse_concurrency(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=256) => Ok(number),
        _ => Err("give a number from 1 to 256".to_owned()),
    }
}
