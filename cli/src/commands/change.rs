//! The commands that change incidents: the confirmation before the change, the run, Ctrl-C, and a report of every id.

use std::{collections::HashMap, pin::pin, time::Duration};

use coralogix_incidents::{
    Client,
    bulk::{Fate, Outcome, Run},
};
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use indicatif::ProgressBar;
use tokio::time::sleep;
use url::Url;

use crate::{
    action::Action,
    context::Context,
    dry_run,
    input::ids::{self, IdArgs, Ids},
    report::{
        errors::{Exit, Stop},
        outcomes::{IdOrder, Report},
    },
    terminal::{
        interrupts::{self, unless_interrupted},
        output::Output,
        progress, prompt,
        streams::write_stderr_line,
    },
};

/// Changing more incidents than this requires confirmation.
const CONFIRM_THRESHOLD: usize = 20;

/// A run that takes less time than this shows no progress bar.
const PROGRESS_DELAY: Duration = Duration::from_millis(500);

pub(crate) async fn run(context: &Context<'_>, action: Action, args: IdArgs) -> Result<Exit, Stop> {
    let ids = unless_interrupted(ids::open(args)).await??;
    apply(context, &action, ids).await
}

/// Applies an action to every id, and reports the outcome of each.
pub(crate) async fn apply(context: &Context<'_>, action: &Action, ids: Ids) -> Result<Exit, Stop> {
    if context.options.dry_run {
        return unless_interrupted(dry_run::change(context, action, ids)).await?;
    }
    let (total, read_progress) = (ids.total, ids.progress.clone());
    let Some(ids) = confirm(context, action, ids).await else {
        write_stderr_line("nothing was sent");
        return Err(Stop::Interrupted);
    };
    let order = IdOrder::default();
    let ids = if context.output.format.is_streamed() { ids } else { order.remember(ids).boxed() };
    let bar = progress::hidden(total, action.name());
    let mut report = Report::new(context.output, action);
    let bulk = context.client.bulk().concurrency(context.options.concurrency());
    let mut run = bulk.run(action.verb(), ids);
    let mut unsettled = Vec::new();
    follow(context.output, &mut run, &bar, |outcome| match outcome.fate {
        // The service received the request and gave no answer: reading tells.
        Fate::Unknown(_) => unsettled.push(outcome),
        _ => report.record(outcome.id, outcome.fate),
    })
    .await;
    let duplicates = run.summary().duplicates;
    drop(run);
    settle(context, action, unsettled, &mut report, &bar).await;
    bar.finish_and_clear();
    report.finish(&order, duplicates, interrupts::count() > 0, &read_progress.get())
}

/// Reads the incidents whose outcome is unknown, and records them in the same order.
async fn settle(
    context: &Context<'_>,
    action: &Action,
    unsettled: Vec<Outcome>,
    report: &mut Report<'_>,
    bar: &ProgressBar,
) {
    let mut settled = HashMap::new();
    if interrupts::count() == 0 && !unsettled.is_empty() {
        let ids: Vec<String> = unsettled.iter().map(|outcome| outcome.id.clone()).collect();
        let bulk = context.client.bulk().concurrency(context.options.concurrency());
        let mut run = bulk.reconcile(action.verb(), ids);
        follow(context.output, &mut run, bar, |outcome| {
            // A read that failed settles nothing. Nor does an incident that is not changed so far: a request whose reply was
            // lost may still be applied.
            if matches!(outcome.fate, Fate::Updated(_) | Fate::NotApplied(_) | Fate::NotYetApplied(_) | Fate::NotFound)
            {
                settled.insert(outcome.id, outcome.fate);
            }
        })
        .await;
    }
    for Outcome { id, fate, .. } in unsettled {
        let fate = settled.remove(&id).unwrap_or(fate);
        report.record(id, fate);
    }
}

/// Takes the outcomes of a run. The first interrupt stops the run, the second abandons it.
async fn follow(output: &Output, run: &mut Run, bar: &ProgressBar, mut record: impl FnMut(Outcome)) {
    let mut stop = pin!(interrupts::reached(1));
    let mut abandon = pin!(interrupts::reached(2));
    let mut reveal = pin!(sleep(PROGRESS_DELAY));
    let (mut stopped, mut abandoned, mut revealed) = (false, false, false);
    loop {
        tokio::select! {
            biased;
            () = &mut abandon, if !abandoned => {
                abandoned = true;
                run.abandon();
            }
            () = &mut stop, if !stopped => {
                stopped = true;
                bar.suspend(|| write_stderr_line("stopping: requests under way will finish; Ctrl-C again abandons them"));
                run.stop();
            }
            () = &mut reveal, if !revealed => {
                revealed = true;
                progress::reveal(bar, output);
            }
            outcome = run.next() => {
                let Some(outcome) = outcome else { break };
                bar.inc(1);
                record(outcome);
                if output.is_closed() {
                    // Nobody would learn of further changes.
                    run.stop();
                }
            }
        }
    }
}

/// The ids, once the person at the terminal has agreed to change so many. `None` if they refused or interrupted.
pub(crate) async fn confirm(context: &Context<'_>, action: &Action, ids: Ids) -> Option<BoxStream<'static, String>> {
    let Ids { mut stream, total, .. } = ids;
    if context.options.yes || !prompt::is_possible() {
        return Some(stream);
    }
    let first = (&mut stream).take(CONFIRM_THRESHOLD + 1).collect::<Vec<String>>();
    let first = unless_interrupted(first).await.ok()?;
    if first.len() > CONFIRM_THRESHOLD {
        let count = total.map_or_else(|| format!("more than {CONFIRM_THRESHOLD}"), |total| total.to_string());
        let endpoint = if context.options.emulator { "the emulator".to_owned() } else { authority(&context.client) };
        let question = format!("{} {count} incidents on {endpoint}?", capitalize(action.name()));
        if prompt::confirm(question).await != Ok(true) {
            return None;
        }
    }
    Some(stream::iter(first).chain(stream).boxed())
}

/// The host of the service, and its port if it is not the default one.
fn authority(client: &Client) -> String {
    Url::parse(client.base_url()).map(|url| url.authority().to_owned()).unwrap_or_default()
}

fn capitalize(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
