//! `handover`: assigns the open incidents of one user to another.

use std::collections::BTreeSet;

use clap::Args;
use coralogix_incidents::{bulk::Verb, types::Incident};
use futures::TryStreamExt;

use crate::{
    commands::change,
    context::Context,
    dry_run,
    input::{Ids, names},
    report::{Exit, Failure, Report, Stop, counted},
    terminal::{sanitize_line, unless_interrupted, write_stderr_line},
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
        let failure = Failure::usage("--from and --to are the same user");
        return Err(failure.next("name two users; nothing was sent").into());
    }
    if differ_in_case_only(&from, &to) {
        write_stderr_line("warning: --from and --to differ in case only, and may be the same user");
    }
    let verb = Verb::reassign(&from, to);
    let listed = unless_interrupted(context.client.open_incidents_of(&from).try_collect::<Vec<Incident>>()).await;
    let incidents = match listed.map_err(Stop::from).and_then(|listed| Ok(listed?)) {
        Ok(incidents) => incidents,
        Err(stop) => {
            // A reader of JSON gets a document in any case.
            if context.options.dry_run {
                dry_run::show(context, &[])?;
            } else {
                Report::new(context.output, &verb).write_document()?;
            }
            return Err(stop);
        }
    };
    write_stderr_line(format!("{} has {} open", sanitize_line(&from), counted(incidents.len(), "incident")));
    let spellings = other_spellings(&incidents, &from);
    if !spellings.is_empty() {
        let spellings = spellings.join(", ");
        write_stderr_line(format!("warning: some are assigned to {spellings}, another spelling of --from"));
    }
    let ids = incidents.into_iter().map(|incident| incident.id).collect();
    change::apply(context, verb, Ids::known(ids)).await
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
