//! `handover`: assigns the open incidents of one user to another.

use std::collections::BTreeSet;

use clap::Args;
use coralogix_incidents::types::Incident;
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
    if differ_in_case_only(&from, &to) {
        write_stderr_line("warning: --from and --to differ in case only, and may be the same user");
    }
    let listed = unless_interrupted(context.client.open_incidents_of(&from).try_collect::<Vec<Incident>>()).await;
    let action = Action::HandOver { from: from.clone(), to };
    let incidents = match listed.map_err(Stop::from).and_then(|list| list.map_err(|error| Failure::sdk(&error).into()))
    {
        Ok(incidents) => incidents,
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
    write_stderr_line(format!("{} has {} open", sanitize_line(&from), counted(incidents.len())));
    let spellings = other_spellings(&incidents, &from);
    if !spellings.is_empty() {
        write_stderr_line(format!(
            "warning: some are assigned to {}, another spelling of --from",
            spellings.join(", ")
        ));
    }
    let ids = incidents.into_iter().map(|incident| incident.id).collect();
    change::apply(context, &action, Ids::known(ids)).await
}

/// The spellings of the user in incidents that are not assigned to the user as given.
fn other_spellings(incidents: &[Incident], from: &str) -> Vec<String> {
    let is_exact = |incident: &&Incident| incident.assignees().any(|user| user == from);
    let users = incidents.iter().filter(|incident| !is_exact(incident)).flat_map(Incident::assignees);
    let spellings: BTreeSet<&str> = users.filter(|user| differ_in_case_only(user, from)).collect();
    spellings.into_iter().map(|user| format!("`{}`", sanitize_line(user))).collect()
}

fn differ_in_case_only(a: &str, b: &str) -> bool {
    a != b && a.to_lowercase() == b.to_lowercase()
}
