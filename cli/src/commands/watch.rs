//! `list --watch`: the same list again and again. In a terminal it is redrawn; elsewhere what is new or changed is written.

use std::{collections::HashMap, time::Duration};

use chrono::Utc;
use coralogix_incidents::types::{Incident, ListIncidentsRequest};
use futures::{StreamExt, TryStreamExt};
use tokio::time::sleep;

use crate::{
    context::Context,
    last_list::LastList,
    report::{
        Exit, Failure, Stop, counted, table,
        time::{duration, timestamp},
    },
    terminal::{Format, sanitize_line, unless_interrupted},
};

/// Lists until the program is interrupted or the service refuses. A transient failure is shown, and the list goes on.
pub(crate) async fn run(
    context: &Context<'_>,
    request: &ListIncidentsRequest,
    limit: Option<u32>,
    interval: Duration,
) -> Result<Exit, Stop> {
    if context.output.format == Format::Json {
        let failure = Failure::usage("--watch has no end, so it can't be one JSON document");
        return Err(failure.next("add --output ndjson; nothing was sent").into());
    }
    let mut known = HashMap::new();
    loop {
        let incidents = context.client.list_incidents_stream(request.clone());
        let incidents = incidents.take(limit.map_or(usize::MAX, |limit| limit as usize)).try_collect::<Vec<_>>();
        let pause = match unless_interrupted(incidents).await? {
            Ok(incidents) => {
                let mut last_list = LastList::default();
                for incident in &incidents {
                    last_list.add(incident);
                }
                last_list.save();
                show(context, incidents, &mut known, interval)?;
                interval
            }
            Err(error) if error.is_retryable() => {
                Failure::sdk(&error).show(context.output.verbose);
                interval.max(error.retry_after().unwrap_or_default())
            }
            Err(error) => return Err(error.into()),
        };
        unless_interrupted(sleep(pause)).await?;
    }
}

fn show(
    context: &Context<'_>,
    incidents: Vec<Incident>,
    known: &mut HashMap<String, Incident>,
    interval: Duration,
) -> Result<(), Stop> {
    let output = context.output;
    let now = Utc::now();
    let changed = incidents.iter().filter(|incident| known.get(&incident.id) != Some(*incident));
    match output.format {
        Format::Ndjson => changed.into_iter().try_for_each(|incident| output.ndjson(incident))?,
        Format::Ids => changed.into_iter().try_for_each(|incident| output.line(sanitize_line(&incident.id)))?,
        Format::Table | Format::Json => {
            if let Some(height) = output.redraw_height() {
                let every = chrono::TimeDelta::from_std(interval).map(duration).unwrap_or_default();
                let text = format!("{} at {}, every {every}\n\n", counted(incidents.len(), "incident"), timestamp(now))
                    + &table::incidents(output, &incidents, now);
                output.redraw(&fit(&text, height))?;
            } else {
                let changed: Vec<&Incident> = changed.collect();
                if !changed.is_empty() {
                    output.line(table::incidents(output, changed, now))?;
                }
            }
        }
    }
    *known = incidents.into_iter().map(|incident| (incident.id.clone(), incident)).collect();
    Ok(())
}

/// A text of no more lines than this.
fn fit(text: &str, height: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() <= height {
        return lines.join("\n");
    }
    let shown = height.saturating_sub(1);
    let hidden = lines.len() - shown;
    lines[..shown].join("\n") + &format!("\n({hidden} more lines)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_longer_than_the_terminal_ends_with_a_count() {
        assert_eq!(fit("a\nb\nc\n", 3), "a\nb\nc");
        assert_eq!(fit("a\nb\nc\nd", 3), "a\nb\n(2 more lines)");
    }
}
