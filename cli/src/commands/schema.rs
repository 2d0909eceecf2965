//! `schema`: the JSON Schema of what the commands write as JSON.

use crate::{
    report::errors::{Exit, Stop},
    terminal::output::Output,
};

/// Held by a test that compares it with what every command writes.
const SCHEMA: &str = include_str!("output.schema.json");

pub(crate) fn run(output: &Output) -> Result<Exit, Stop> {
    output.bytes(SCHEMA.as_bytes())?;
    Ok(Exit::Done)
}
