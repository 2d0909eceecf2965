//! `config`: the configuration in effect, and where each value comes from.

use serde_json::{Value, json};

use crate::{
    config::{self, Setting, options::GlobalOptions},
    report::{
        errors::{Exit, Stop},
        table,
    },
    terminal::output::{Format, Output},
};

pub(crate) async fn run(options: &GlobalOptions, output: &Output) -> Result<Exit, Stop> {
    let settings = config::inspect(options).await?.settings;
    match output.format {
        Format::Json => output.json(&settings.iter().map(document).collect::<Vec<_>>())?,
        Format::Ndjson => settings.iter().try_for_each(|setting| output.ndjson(&document(setting)))?,
        Format::Table | Format::Ids => {
            let rows = settings.into_iter().map(|Setting { name, value, from }| vec![name.to_owned(), value, from]);
            output.line(table::rows(output, &["SETTING", "VALUE", "FROM"], rows))?;
        }
    }
    Ok(Exit::Done)
}

fn document(setting: &Setting) -> Value {
    json!({ "setting": setting.name, "value": setting.value, "from": setting.from })
}
