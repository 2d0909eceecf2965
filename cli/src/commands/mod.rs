//! What each command does, one file for each that is more than a change.

pub(crate) mod args;
pub(crate) mod change;
mod events;
mod get;
mod handover;
mod list;

use std::fmt::Display;

use clap::CommandFactory;
use coralogix_incidents::{Client, bulk::Verb};
use serde_json::{Map, Value};

use crate::{
    commands::args::{AssignArgs, Cli, Command, Format, Global, IdArgs},
    commands::change::{Change, unless_interrupted},
    config,
    input::ids,
    report::errors::{Exit, Stop},
    report::table,
    terminal::output::{Output, note},
};

/// What the commands work with.
pub(crate) struct Context<'a> {
    pub(crate) global: &'a Global,
    pub(crate) output: &'a Output,
    pub(crate) client: Client,
}

pub(crate) async fn run(cli: Cli, output: &Output) -> Result<Exit, Stop> {
    let Cli { global, command } = cli;
    match command {
        Command::Config => return config(&global, output).await,
        Command::Completions { shell } => return completions(shell, output),
        _ => {}
    }
    let connection = config::connect(&global).await?;
    if global.emulator {
        note("emulator: a fresh one inside this process, with 50 made-up incidents; nothing reaches Coralogix");
    }
    let context = Context { global: &global, output, client: connection.client.clone() };
    let (verb, ids) = match command {
        Command::Unassign(ids) => (Verb::Unassign, ids),
        Command::Assign(AssignArgs { to, ids }) => (Verb::assign_to(to), ids),
        Command::Acknowledge(ids) => (Verb::Acknowledge, ids),
        Command::Resolve(ids) => (Verb::Resolve, ids),
        Command::Close(ids) => (Verb::Close, ids),
        Command::Handover(args) => return handover::run(&context, args).await,
        Command::Get(ids) => return get::run(&context, ids).await,
        Command::Events(ids) => return events::run(&context, ids).await,
        Command::List(args) => return list::run(&context, *args).await,
        Command::Config | Command::Completions { .. } => return Ok(Exit::Done),
    };
    change::run(&context, &Change::new(verb), unless_interrupted(ids::open(ids)).await?).await
}

/// All ids of a command that changes nothing.
async fn all(ids: IdArgs) -> Result<Vec<String>, Stop> {
    unless_interrupted(async { ids::open(ids).await?.collect().await }).await
}

/// Says that a command that changes nothing was broken off, after showing so much.
fn broken_off(shown: impl Display) -> Exit {
    note(format!("interrupted: {shown} came before that"));
    Exit::Interrupted
}

async fn config(global: &Global, output: &Output) -> Result<Exit, Stop> {
    let settings = config::inspect(global).await?;
    let object = |setting: &config::Setting| {
        let members = [("setting", setting.name), ("value", &setting.value), ("from", setting.from)];
        let members = members.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value)));
        Value::Object(members.collect::<Map<_, _>>())
    };
    match output.format {
        Format::Json => output.json(&settings.iter().map(object).collect::<Vec<_>>())?,
        Format::Ndjson => settings.iter().try_for_each(|setting| output.ndjson(&object(setting)))?,
        Format::Table | Format::Ids => output.line(table::settings(output, &settings))?,
    }
    Ok(Exit::Done)
}

fn completions(shell: clap_complete::Shell, output: &Output) -> Result<Exit, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "cx-incidents", &mut script);
    output.raw(&script)?;
    Ok(Exit::Done)
}
