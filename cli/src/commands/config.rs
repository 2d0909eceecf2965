//! `config`: the configuration in effect, and where each value comes from.

use clap::Args;
use serde_json::{Value, json};

use crate::{
    commands::probe::probe,
    config::{self, Setting, options::GlobalOptions},
    report::{
        errors::{Exit, Failure, Stop},
        table,
    },
    terminal::{
        interrupts::unless_interrupted,
        output::{Format, Output},
    },
};

#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// Ask the service, by reading one incident, which API generation answers
    #[arg(long, conflicts_with = "dry_run")]
    check: bool,
}

pub(crate) async fn run(options: &GlobalOptions, args: &ConfigArgs, output: &Output) -> Result<Exit, Stop> {
    let connection = if args.check { config::connect(options).await? } else { config::inspect(options).await? };
    let mut settings = connection.settings;
    let mut failure = None;
    if args.check {
        match unless_interrupted(probe(&connection.client)).await? {
            Ok(probe) => settings.push(Setting::new("answering generation", probe.generation.as_str(), "the service")),
            Err(error) => failure = Some(Failure::sdk(&error)),
        }
    }
    match output.format {
        Format::Json => output.json(&settings.iter().map(document).collect::<Vec<_>>())?,
        Format::Ndjson => settings.iter().try_for_each(|setting| output.ndjson(&document(setting)))?,
        Format::Table | Format::Ids => {
            let rows = settings.into_iter().map(|Setting { name, value, from }| vec![name.to_owned(), value, from]);
            output.line(table::rows(output, &["SETTING", "VALUE", "FROM"], rows))?;
        }
    }
    failure.map_or(Ok(Exit::Done), |failure| Err(failure.into()))
}

fn document(setting: &Setting) -> Value {
    json!({ "setting": setting.name, "value": setting.value, "from": setting.from })
}
