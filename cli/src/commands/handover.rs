//! `handover`: assigns the open incidents of one user to another.

use clap::Args;
use futures::TryStreamExt;

use crate::{
    action::Action,
    commands::change,
    context::Context,
    dry_run,
    input::{ids::Ids, names},
    report::{
        errors::{Exit, Failure, Stop, counted},
        outcomes::Report,
    },
    terminal::{interrupts::unless_interrupted, sanitize::sanitize_line, streams::write_stderr_line},
};

#[derive(Debug, Args)]
pub(crate) struct HandoverArgs {
    /// Id of the user who has the incidents now
    #[arg(long, value_name = "USER", value_parser = names::user)]
    from: String,
    /// Id of the user who gets them
    #[arg(long, value_name = "USER", value_parser = names::user)]
    to: String,
}

/// Lists the incidents, and then changes them as any other command does.
pub(crate) async fn run(context: &Context<'_>, args: HandoverArgs) -> Result<Exit, Stop> {
    let HandoverArgs { from, to } = args;
    if from == to {
        return Err(Failure::usage("--from and --to are the same user")
            .next("name two users; nothing was sent")
            .into());
    }
    let open = context.client.open_incidents_of(&from).map_ok(|incident| incident.id);
    let open = unless_interrupted(open.try_collect::<Vec<String>>()).await;
    let action = Action::HandOver { from: from.clone(), to };
    let ids = match open.map_err(Stop::from).and_then(|ids| ids.map_err(|error| Failure::sdk(&error).into())) {
        Ok(ids) => ids,
        Err(stop) => {
            // A reader of JSON gets a document in any case.
            if context.options.dry_run {
                dry_run::show(context, &[])?;
            } else {
                Report::new(context.output, &action).write_document()?;
            }
            return Err(stop);
        }
    };
    write_stderr_line(format!("{} has {} open", sanitize_line(&from), counted(ids.len())));
    change::apply(context, &action, Ids::known(ids)).await
}
