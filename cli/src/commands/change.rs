//! The commands that change incidents: the confirmation before the change, the run, Ctrl-C, and a report of every id.

use std::{collections::HashMap, pin::pin, time::Duration};

use coralogix_incidents::bulk::{Fate, Outcome, Run, Verb};
use futures::{
    FutureExt, StreamExt,
    stream::{self, BoxStream},
};
use indicatif::ProgressBar;
use tokio::time::sleep;
use url::Url;

use crate::{
    context::Context,
    dry_run,
    input::{IdArgs, Ids, ids},
    report::{Exit, Report, Stop},
    terminal::{Output, interrupts, progress, prompt, unless_interrupted, write_stderr_line},
    verb::name,
};

/// Changing more incidents than this requires confirmation.
const CONFIRM_THRESHOLD: usize = 20;

/// A run that takes less time than this shows no progress bar.
const PROGRESS_DELAY: Duration = Duration::from_millis(500);

pub(crate) async fn run(context: &Context<'_>, verb: Verb, args: IdArgs) -> Result<Exit, Stop> {
    let ids = unless_interrupted(ids::open(args)).await??;
    apply(context, verb, ids).await
}

/// Changes every id, and reports the outcome of each.
pub(crate) async fn apply(context: &Context<'_>, verb: Verb, ids: Ids) -> Result<Exit, Stop> {
    if context.options.dry_run {
        return unless_interrupted(dry_run::change(context, &verb, ids)).await?;
    }
    let (total, read_state) = (ids.total, ids.state.clone());
    let ids = confirm(context, &verb, ids).await?;
    let mut report = Report::new(context.output, &verb);
    let bar = progress::hidden(total, name(&verb));
    let mut run = context.bulk().run(verb.clone(), report.remember_order(ids));
    let mut unsettled = Vec::new();
    follow(context.output, &mut run, &bar, |outcome| match outcome.fate {
        // The service received the request and gave no answer: reading tells.
        Fate::Unknown(_) => unsettled.push(outcome),
        _ => report.record(outcome.id, Some(outcome.fate)),
    })
    .await;
    let duplicates = run.summary().duplicates;
    drop(run);
    let mut settled = HashMap::new();
    if interrupts::count() == 0 && !unsettled.is_empty() {
        let ids: Vec<String> = unsettled.iter().map(|outcome| outcome.id.clone()).collect();
        let mut run = context.bulk().reconcile(verb.clone(), ids);
        follow(context.output, &mut run, &bar, |outcome| {
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
        report.record(id, Some(fate));
    }
    bar.finish_and_clear();
    let read_state = read_state.borrow().clone();
    report.finish(duplicates, &read_state)
}

/// Takes the outcomes of a run. The first interrupt stops the run, the second abandons it.
async fn follow(output: &Output, run: &mut Run, bar: &ProgressBar, mut record: impl FnMut(Outcome)) {
    let mut stop = pin!(interrupts::reached(1).fuse());
    let mut abandon = pin!(interrupts::reached(2).fuse());
    let mut reveal = pin!(sleep(PROGRESS_DELAY).fuse());
    loop {
        tokio::select! {
            biased;
            () = &mut abandon => run.abandon(),
            () = &mut stop => {
                bar.suspend(|| write_stderr_line("stopping: requests under way will finish; Ctrl-C again abandons them"));
                run.stop();
            }
            () = &mut reveal => progress::reveal(bar, output),
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

/// The ids, once the person at the terminal has agreed to change so many.
pub(crate) async fn confirm(context: &Context<'_>, verb: &Verb, ids: Ids) -> Result<BoxStream<'static, String>, Stop> {
    let Ids { mut stream, total, .. } = ids;
    if context.options.yes || !prompt::is_possible() {
        return Ok(stream);
    }
    let first = (&mut stream).take(CONFIRM_THRESHOLD + 1).collect::<Vec<String>>();
    let agreed = match unless_interrupted(first).await {
        Ok(first) if first.len() <= CONFIRM_THRESHOLD => Some(first),
        Ok(first) => {
            let (initial, rest) = name(verb).split_at(1);
            let count = total.map_or_else(|| format!("more than {CONFIRM_THRESHOLD}"), |total| total.to_string());
            let endpoint = match Url::parse(context.client.base_url()) {
                Ok(url) if !context.options.emulator => url.authority().to_owned(),
                _ => "the emulator".to_owned(),
            };
            let question = format!("{}{rest} {count} incidents on {endpoint}?", initial.to_uppercase());
            prompt::confirm(question).await.then_some(first)
        }
        Err(_) => None,
    };
    if let Some(first) = agreed {
        return Ok(stream::iter(first).chain(stream).boxed());
    }
    write_stderr_line("nothing was sent");
    Err(Stop::Interrupted)
}
