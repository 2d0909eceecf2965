//! `handover`: the open incidents of one user, assigned to another.

use coralogix_incidents::bulk::Verb;
use futures::TryStreamExt;

use super::Context;
use crate::{
    commands::args::HandoverArgs,
    commands::change::{self, Change, unless_interrupted},
    dry_run,
    input::ids::Ids,
    report::errors::{Exit, Failure, Stop, plain},
    report::outcomes::Account,
    terminal::output::note,
};

/// The list first, then a change as any other: asked about, shown by `--dry-run`, stopped by Ctrl-C, accounted for.
pub(crate) async fn run(context: &Context<'_>, args: HandoverArgs) -> Result<Exit, Stop> {
    let HandoverArgs { from, to } = args;
    if from == to {
        return Err(Failure::usage("--from and --to are the same user").next("name two; nothing was sent").into());
    }
    let open = context.client.open_incidents_of(&from).map_ok(|incident| incident.id);
    let mut change = Change::new(Verb::assign_to(to));
    let open = open.map_err(|error| Failure::sdk(&error)).try_collect::<Vec<String>>();
    let ids = match unless_interrupted(open).await {
        Ok(ids) => ids,
        Err(stop) => {
            // Whoever reads JSON gets a document all the same.
            if context.global.dry_run {
                dry_run::show(context, &[])?;
            } else {
                Account::new(context.output, &change).write()?;
            }
            return Err(stop);
        }
    };
    let plural = if ids.len() == 1 { "" } else { "s" };
    note(format!("{} has {} open incident{plural}", plain(&from), ids.len()));
    change.away_from = Some(from);
    change::run(context, &change, Ids::known(ids)).await
}
