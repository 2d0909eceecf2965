//! `config`: the configuration in effect, and where each value comes from.

use clap::Args;

use crate::{
    commands::doctor::probe,
    config::{self, GlobalOptions, Setting},
    report::{Exit, Stop, table},
    terminal::{Output, unless_interrupted},
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
            Err(error) => failure = Some(error),
        }
    }
    output.documents(&settings, || {
        let rows =
            settings.iter().map(|Setting { name, value, from }| vec![(*name).to_owned(), value.clone(), from.clone()]);
        table::rows(output, &["SETTING", "VALUE", "FROM"], rows)
    })?;
    failure.map_or(Ok(Exit::Done), |error| Err(error.into()))
}
