//! `get`: incidents by id, in the order of the ids.

use std::collections::HashMap;

use coralogix_incidents::{
    bulk::{Fate, Outcome, Run},
    types::Incident,
};
use futures::{Stream, StreamExt, stream};
use serde_json::json;

use crate::{
    commands::{
        by_event::{self, EventOrIdArgs},
        fetch::{Fetched, show_incidents},
    },
    context::Context,
    dry_run,
    input::ids,
    report::errors::{Exit, Stop},
};

pub(crate) async fn run(context: &Context<'_>, args: EventOrIdArgs) -> Result<Exit, Stop> {
    if !args.events.is_empty() {
        return by_event::get(context, args.events).await;
    }
    let ids = ids::read_all(args.ids).await?;
    if context.options.dry_run {
        return dry_run::read(context, &dry_run::batches(&context.client, "batchGetIncident", &ids, json!({}))?);
    }
    let run = context.bulk().get(ids.clone());
    let results = in_order(ids, run).map(|Outcome { id, fate, .. }| (id, fetched(fate)));
    show_incidents(context, results).await
}

fn fetched(fate: Fate) -> Fetched<Incident> {
    match fate {
        Fate::Found(incident) => Fetched::Found(*incident),
        Fate::NotFound => Fetched::NotFound,
        Fate::Failed(error) | Fate::Unknown(error) => Fetched::Failed(error),
        _ => Fetched::NotSent,
    }
}

/// The outcomes of a run in the order of its ids. Those that arrive earlier wait for their turn.
fn in_order(ids: Vec<String>, run: Run) -> impl Stream<Item = Outcome> {
    let state = (ids.into_iter(), run, HashMap::<String, Outcome>::new());
    stream::unfold(state, |(mut ids, mut run, mut early)| async move {
        let id = ids.next()?;
        loop {
            if let Some(outcome) = early.remove(&id) {
                return Some((outcome, (ids, run, early)));
            }
            let outcome = run.next().await?;
            early.insert(outcome.id.clone(), outcome);
        }
    })
}
