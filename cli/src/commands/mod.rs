//! The commands: one file each, with its arguments. Here the command line is described, and the command is run.

mod assign;
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
mod probe;
mod schema;
mod stats;
mod watch;

use clap::{Parser, Subcommand};

use crate::{
    action::Action,
    commands::by_event::{EventAction, EventOrIdArgs},
    config::{connect, options::GlobalOptions},
    context::Context,
    input::ids::IdArgs,
    report::errors::{Exit, Failure, Stop, counted},
    terminal::{output::Output, streams::write_stderr_line},
};

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
    Assign(assign::AssignArgs),
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

impl Command {
    /// Whether the command is refused where changes are forbidden.
    fn changes_incidents(&self) -> bool {
        match self {
            Self::Unassign(_)
            | Self::Assign(_)
            | Self::Acknowledge(_)
            | Self::Resolve(_)
            | Self::Close(_)
            | Self::Handover(_) => true,
            Self::Get(_)
            | Self::List(_)
            | Self::Events(_)
            | Self::Stats(_)
            | Self::Config(_)
            | Self::Doctor
            | Self::Completions(_)
            | Self::Man(_)
            | Self::Schema => false,
        }
    }
}

pub(crate) async fn run(cli: Cli, output: &Output) -> Result<Exit, Stop> {
    let Cli { options, command } = cli;
    match command {
        Command::Config(args) => return config::run(&options, &args, output).await,
        Command::Doctor => return doctor::run(&options, output).await,
        Command::Completions(args) => return completions::run(&args, output),
        Command::Man(args) => return man::run(&args, output),
        Command::Schema => return schema::run(output),
        _ => {}
    }
    let connection = connect(&options).await?;
    if let Some(source) = &connection.read_only
        && command.changes_incidents()
        && !options.dry_run
    {
        let failure = Failure::usage(format!("{source} forbids commands that change incidents"));
        return Err(failure.next("turn it off, or add --dry-run to see the requests; nothing was sent").into());
    }
    if options.emulator {
        write_stderr_line("emulator: a new one in this process, with 50 made-up incidents; nothing reaches Coralogix");
    }
    let context = Context { options: &options, output, client: connection.client.clone() };
    match command {
        Command::Unassign(ids) => change::run(&context, Action::Unassign, ids).await,
        Command::Assign(args) => assign::run(&context, args).await,
        Command::Acknowledge(args) => by_event::run(&context, EventAction::Acknowledge, args).await,
        Command::Resolve(args) => by_event::run(&context, EventAction::Resolve, args).await,
        Command::Close(ids) => change::run(&context, Action::Close, ids).await,
        Command::Get(args) => get::run(&context, args).await,
        Command::List(args) => list::run(&context, *args).await,
        Command::Events(args) => events::run(&context, *args).await,
        Command::Stats(args) => stats::run(&context, *args).await,
        Command::Handover(args) => handover::run(&context, args).await,
        Command::Config(_) | Command::Doctor | Command::Completions(_) | Command::Man(_) | Command::Schema => {
            Ok(Exit::Done)
        }
    }
}

/// Reports that a command that changes nothing was interrupted after showing so many incidents.
fn show_interrupted(incidents: usize) -> Exit {
    write_stderr_line(format!("interrupted: the output is incomplete; it has {}", counted(incidents)));
    Exit::Interrupted
}
