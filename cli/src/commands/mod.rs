//! The commands: one file each, with its arguments. Here the command line is described, and the command is run.

mod by_event;
mod change;
pub(crate) mod completions;
mod config;
mod doctor;
mod events;
mod fetch;
mod filters;
mod get;
mod handover;
mod list;
mod man;
mod stats;
mod watch;

use clap::{Parser, Subcommand};
use coralogix_incidents::bulk::Verb;

use crate::{
    commands::by_event::EventOrIdArgs,
    config::GlobalOptions,
    context::{Access, Context},
    input::{IdArgs, names},
    report::{Exit, Stop},
    terminal::Output,
};

/// The JSON Schema of what the commands write. A test compares them.
const SCHEMA: &str = include_str!("output.schema.json");

/// Each paragraph on one line: clap wraps it.
const LONG_HELP: &str = "\
The API key is read from the environment variable CORALOGIX_API_KEY, because an argument would be visible in `ps` and in \
the shell's history. Assigning and acknowledging need a personal key; use one for unassigning, too. CORALOGIX_REGION (or \
CORALOGIX_ENV), CORALOGIX_DOMAIN or CORALOGIX_URL set the location of the account, unless --region, --domain or --url does. NO_COLOR turns colors off.

What neither arguments nor these variables set is taken from the configuration of the vendor's command line: CX_API_KEY and \
CX_REGION, and then the profile that --profile, CX_PROFILE or `default_profile` in ~/.cx/config.toml names. CX_HOME moves \
~/.cx to another home. CX_READ_ONLY=1 or `read_only = true` in that file forbids every command that changes incidents. \
`cx-incidents config` shows where each value comes from.

Changing more than 20 incidents requires confirmation if there is a terminal to ask on; --yes gives it. Without a terminal, \
as in cron or CI, there is no question. Ctrl-C, SIGTERM and SIGHUP let the requests under way finish and send no more; a \
second one abandons them. In each case the outcome of every id is reported.

Exit codes:
  0    success
  1    the service refused or failed, or knows none of the ids
  2    wrong usage or configuration; nothing was sent
  3    partial success: standard error names the ids that failed
  130  interrupted, or the confirmation was refused";

const EXAMPLES: &str = "\
Examples:
  cx-incidents --emulator unassign incident_id_1 incident_id_2
  cx-incidents list --status triggered --severity critical --since 2h
  cx-incidents list --assignee alice@example.com --output ids | cx-incidents unassign -
  cx-incidents handover --from alice@example.com --to bob@example.com --dry-run
  cx-incidents acknowledge --event 4c46f1c8-acf6-4899-9079-8b3bcc2cc326
  cx-incidents doctor";

/// Find, assign, unassign, acknowledge, resolve and close Coralogix incidents.
#[derive(Debug, Parser)]
#[command(name = "cx-incidents", version, max_term_width = 110, after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{LONG_HELP}"))]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) options: GlobalOptions,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Remove all assignments of incidents
    Unassign(IdArgs),
    /// Assign incidents to a user
    Assign {
        /// Id of the user (usually an e-mail address)
        #[arg(long, value_name = "USER", value_parser = names::user)]
        to: String,
        #[command(flatten)]
        ids: IdArgs,
    },
    /// Acknowledge incidents
    Acknowledge(EventOrIdArgs),
    /// Resolve incidents
    Resolve(EventOrIdArgs),
    /// Close incidents
    Close(IdArgs),
    /// Show incidents by id, or by the id of an event
    Get(EventOrIdArgs),
    /// List incidents, all of them by default, the newest first
    List(Box<list::ListArgs>),
    /// Show the events of incidents, or all events that match a filter
    Events(Box<events::EventsArgs>),
    /// Count incidents by their values
    Stats(Box<stats::StatsArgs>),
    /// Assign the open incidents of one user to another
    Handover(handover::HandoverArgs),
    /// Show the configuration in effect, and where each value comes from
    Config(config::ConfigArgs),
    /// Check the key, the region, the network and the permission to read, and say what to do about each problem
    Doctor,
    /// Print a completion script
    Completions(completions::CompletionsArgs),
    /// Print a manual page, or write all of them to a folder
    Man(man::ManArgs),
    /// Print the JSON Schema of the documents of `--output json` and `ndjson`
    Schema,
}

pub(crate) async fn run(cli: Cli, output: &Output) -> Result<Exit, Stop> {
    let Cli { options, command } = cli;
    let connect = |access| Context::new(&options, output, access);
    match command {
        Command::Unassign(ids) => change::run(&connect(Access::Change).await?, Verb::Unassign, ids).await,
        Command::Assign { to, ids } => change::run(&connect(Access::Change).await?, Verb::assign_to(to), ids).await,
        Command::Acknowledge(args) => by_event::run(&connect(Access::Change).await?, Verb::Acknowledge, args).await,
        Command::Resolve(args) => by_event::run(&connect(Access::Change).await?, Verb::Resolve, args).await,
        Command::Close(ids) => change::run(&connect(Access::Change).await?, Verb::Close, ids).await,
        Command::Handover(args) => handover::run(&connect(Access::Change).await?, args).await,
        Command::Get(args) => get::run(&connect(Access::Read).await?, args).await,
        Command::List(args) => list::run(&connect(Access::Read).await?, *args).await,
        Command::Events(args) => events::run(&connect(Access::Read).await?, *args).await,
        Command::Stats(args) => stats::run(&connect(Access::Read).await?, *args).await,
        Command::Config(args) => config::run(&options, &args, output).await,
        Command::Doctor => doctor::run(&options, output).await,
        Command::Completions(args) => completions::run(&args, output),
        Command::Man(args) => man::run(&args, output),
        Command::Schema => {
            output.bytes(SCHEMA.as_bytes())?;
            Ok(Exit::Done)
        }
    }
}
