//! `handover`: the open incidents of one user, assigned to another.

use coralogix_incidents::bulk::Verb;
use futures::TryStreamExt;

use super::Context;
use crate::{
    args::HandoverArgs,
    change::{self, Change},
    failure::{Exit, Failure, Stop, plain},
    ids::Ids,
    output::note,
};

/// The list first, then a change as any other: asked about, shown by `--dry-run`, stopped by Ctrl-C, accounted for.
pub(crate) async fn run(context: &Context<'_>, args: HandoverArgs) -> Result<Exit, Stop> {
    let HandoverArgs { from, to } = args;
    if from == to {
        return Err(Failure::usage("--from and --to are the same user").next("name two; nothing was sent").into());
    }
    let open = context.client.open_incidents_of(&from).map_ok(|incident| incident.id);
    let ids: Vec<String> = tokio::select! {
        ids = open.try_collect() => ids.map_err(|error| Failure::sdk(&error))?,
        () = change::interrupted() => return Err(Stop::Interrupted),
    };
    let plural = if ids.len() == 1 { "" } else { "s" };
    note(format!("{} has {} open incident{plural}", plain(&from), ids.len()));
    if ids.is_empty() {
        return Ok(Exit::Done);
    }
    let mut change = Change::new(Verb::assign_to(to));
    change.away_from = Some(from);
    change::run(context, &change, Ids::known(ids)).await
}
