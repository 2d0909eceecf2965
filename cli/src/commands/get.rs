//! `get`: incidents by id, in the order of the ids.

use chrono::Utc;
use coralogix_incidents::{Client, Error, types::Incident};
use futures::{StreamExt, stream};
use serde_json::Map;

use super::{Context, all, broken_off};
use crate::{
    commands::args::{Format, IdArgs},
    commands::change::interrupted,
    dry_run::{self, Input},
    report::errors::{Exit, Failure, Stop, plain, some},
    report::table,
};

/// The most ids in one request, and the most that their text may take: they travel in the URL, of which proxies take 8 KiB.
const IDS: usize = 50;
const TEXT: usize = 6 * 1024;

/// The ids, cut into requests.
fn chunks(ids: Vec<String>) -> Vec<Vec<String>> {
    let mut chunks: Vec<Vec<String>> = Vec::new();
    let mut length = 0;
    for id in ids {
        // Encoded, a character of an id that is no letter or digit takes three.
        let cost = id.len() * 3;
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < IDS && length + cost <= TEXT => {
                length += cost;
                chunk.push(id);
            }
            _ => {
                length = cost;
                chunks.push(vec![id]);
            }
        }
    }
    chunks
}

pub(crate) async fn run(context: &Context<'_>, ids: IdArgs) -> Result<Exit, Stop> {
    let chunks = chunks(all(ids).await?);
    let output = context.output;
    if context.global.dry_run {
        let requests =
            chunks.iter().map(|ids| dry_run::request(&context.client, "batchGetIncident", Input::Ids(ids, Map::new())));
        return dry_run::read(context, &requests.collect::<Result<Vec<_>, _>>()?);
    }
    let mut answers = stream::iter(chunks)
        .map(|ids| async { (fetch(&context.client, &ids).await, ids) })
        .buffered(context.global.concurrency())
        .take_until(Box::pin(interrupted()));
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    let mut count = 0_usize;
    let mut failed: Option<(Error, Vec<String>)> = None;
    while let Some((answer, ids)) = answers.next().await {
        match answer {
            Ok(incidents) => {
                for (id, incident) in ids.into_iter().zip(incidents) {
                    let Some(incident) = incident else {
                        missing.push(id);
                        continue;
                    };
                    count += 1;
                    match output.format {
                        Format::Ndjson => output.ndjson(&incident)?,
                        Format::Ids => output.line(plain(&incident.id))?,
                        Format::Json | Format::Table => found.push(incident),
                    }
                }
            }
            Err(error) => match &mut failed {
                Some((_, more)) => more.extend(ids),
                None => failed = Some((error, ids)),
            },
        }
    }
    match (output.format, found.as_slice()) {
        (Format::Json, _) => output.json(&found)?,
        (Format::Table, [only]) => output.line(table::incident(output, only, Utc::now()))?,
        (Format::Table, [_, ..]) => output.line(table::incidents(output, &found, Utc::now()))?,
        _ => {}
    }
    if answers.take_result().is_some() {
        return Ok(broken_off(count));
    }
    Ok(account(context, count, &missing, failed))
}

/// Says what is not there and why, and how that counts.
pub(crate) fn account(
    context: &Context<'_>,
    found: usize,
    missing: &[String],
    failed: Option<(Error, Vec<String>)>,
) -> Exit {
    let complete = missing.is_empty() && failed.is_none();
    let mut exit = Exit::Failed;
    if let Some((error, ids)) = failed {
        let failure = Failure::sdk(&error).which(&ids, "not read");
        context.output.failure(&failure);
        exit = failure.exit;
    }
    if !missing.is_empty() {
        let what = format!("the service does not know: {}", some(missing));
        let next = "check the ids, the region and the account: `cx-incidents list` shows the incidents there are";
        context.output.failure(&Failure::usage(what).next(next));
    }
    match (complete, found) {
        (true, _) => Exit::Done,
        (false, 0) => exit,
        (false, _) => Exit::Partial,
    }
}

/// The incidents in the order of their ids; `None` for those that the service does not know.
async fn fetch(client: &Client, ids: &[String]) -> Result<Vec<Option<Incident>>, Error> {
    match client.batch_get_incident(ids).await {
        Ok(response) => {
            let mut incidents = response.into_inner().incidents;
            Ok(ids.iter().map(|id| incidents.remove(id)).collect())
        }
        // One unknown id may be answered with 404 instead of a list of what was not found.
        Err(error) if error.is_not_found() && ids.len() == 1 => Ok(vec![None]),
        Err(error) => Err(error),
    }
}
