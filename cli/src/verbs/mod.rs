//! What each command does, one file for each that is more than a change.

mod events;
mod get;
mod handover;
mod list;

use clap::CommandFactory;
use coralogix_incidents::{Client, bulk::Verb};
use serde_json::{Map, Value};

use crate::{
    args::{Cli, Command, Format, Global},
    change::{self, Change},
    config,
    failure::{Exit, Stop},
    ids,
    output::Output,
    table,
};

/// What every command works with.
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
        output.note("emulator: a fresh one inside this process, with 50 made-up incidents; nothing reaches Coralogix");
    }
    let context = Context { global: &global, output, client: connection.client.clone() };
    let changing = |verb| Change::new(verb);
    match command {
        Command::Unassign(args) => change::run(&context, &changing(Verb::Unassign), ids::open(args)?).await,
        Command::Assign(args) => change::run(&context, &changing(Verb::assign_to(args.to)), ids::open(args.ids)?).await,
        Command::Acknowledge(args) => change::run(&context, &changing(Verb::Acknowledge), ids::open(args)?).await,
        Command::Resolve(args) => change::run(&context, &changing(Verb::Resolve), ids::open(args)?).await,
        Command::Close(args) => change::run(&context, &changing(Verb::Close), ids::open(args)?).await,
        Command::Get(args) => get::run(&context, ids::open(args)?).await,
        Command::List(args) => list::run(&context, *args).await,
        Command::Events(args) => events::run(&context, ids::open(args)?).await,
        Command::Handover(args) => handover::run(&context, args).await,
        Command::Config | Command::Completions { .. } => Ok(Exit::Done),
    }
}

async fn config(global: &Global, output: &Output) -> Result<Exit, Stop> {
    let settings = config::inspect(global).await?;
    let object = |setting: &config::Setting| {
        let members = [("setting", setting.name), ("value", &setting.value), ("from", &setting.from)];
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
