//! `handover`: assigns the open incidents of one user to another.

use clap::Args;
use coralogix_incidents::types::{Incident, IncidentQueryFilter, IncidentStatus, ListIncidentsRequest};
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
    if from.to_lowercase() == to.to_lowercase() {
        write_stderr_line("warning: --from and --to differ in case only, and may be the same user");
    }
    let filter = IncidentQueryFilter::default()
        .with_assignee([from.as_str()])
        .with_status([IncidentStatus::Triggered, IncidentStatus::Acknowledged]);
    let listed = context.client.list_incidents_stream(ListIncidentsRequest::default().with_filter(filter));
    let listed = unless_interrupted(listed.try_collect::<Vec<Incident>>()).await;
    let action = Action::HandOver { from: from.clone(), to };
    let ids = match listed.map_err(Stop::from).and_then(|list| list.map_err(|error| Failure::sdk(&error).into())) {
        Ok(incidents) => ids_of(incidents, &from),
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

/// The ids of the open incidents of exactly this user. Those of a user of another spelling are reported, and left alone: a
/// service that ignores a filter must not hand over anybody else's incidents.
fn ids_of(incidents: Vec<Incident>, from: &str) -> Vec<String> {
    let open = incidents.into_iter().filter(Incident::is_open);
    let (exact, others): (Vec<_>, Vec<_>) = open.partition(|incident| incident.is_assigned_to(from));
    let spelling = |incident: &Incident| {
        let same = incident.assignees().find(|user| user.to_lowercase() == from.to_lowercase());
        same.map(sanitize_line)
    };
    let spellings: Vec<String> = others.iter().filter_map(spelling).collect();
    if let Some(first) = spellings.first() {
        let count = counted(spellings.len());
        write_stderr_line(format!("warning: {count} of `{first}` not handed over: --from is spelled otherwise"));
    }
    exact.into_iter().map(|incident| incident.id).collect()
}
