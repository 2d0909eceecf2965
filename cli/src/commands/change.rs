//! One way to change incidents, whatever the verb: the question before it, the run, Ctrl-C, and an account of every id.

use std::{collections::HashMap, future::pending, pin::pin, sync::Arc, time::Duration};

use coralogix_incidents::{
    Client, Error,
    bulk::{Fate, Outcome, Run, Verb},
};
use futures::{StreamExt, stream};
use indicatif::ProgressBar;
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};
use tokio::{signal::ctrl_c, time::sleep};

use crate::{
    commands::Context,
    dry_run,
    input::ids::Ids,
    report::errors::{Exit, Stop},
    report::outcomes::Account,
    terminal::output::{Output, note},
};

/// A question is asked before more incidents than this are changed.
const UNASKED: usize = 20;

/// What takes no longer than this needs no progress bar.
const UNSHOWN: Duration = Duration::from_millis(500);

/// What to do to each incident, and how that is said.
pub(crate) struct Change {
    pub(crate) verb: Verb,
    /// `unassign`
    pub(crate) name: &'static str,
    /// `unassigned`
    pub(crate) done: &'static str,
    pub(crate) operation: &'static str,
    /// Whoever must not have the incident any more afterwards.
    pub(crate) away_from: Option<String>,
}

impl Change {
    pub(crate) fn new(verb: Verb) -> Self {
        let (name, done, operation) = match verb {
            Verb::Assign(_) => ("assign", "assigned", "assignIncidents"),
            Verb::Acknowledge => ("acknowledge", "acknowledged", "acknowledgeIncidents"),
            Verb::Resolve => ("resolve", "resolved", "resolveIncidents"),
            Verb::Close => ("close", "closed", "closeIncidents"),
            _ => ("unassign", "unassigned", "unassignIncidents"),
        };
        Self { verb, name, done, operation, away_from: None }
    }
}

/// Does it, to every id, and accounts for each.
pub(crate) async fn run(context: &Context<'_>, change: &Change, ids: Ids) -> Result<Exit, Stop> {
    if context.global.dry_run {
        return unless_interrupted(dry_run::change(context, change, ids)).await;
    }
    let Context { client, output, .. } = context;
    let reading = ids.reading.clone();
    let total = ids.total;
    let Some(ids) = confirmed(context, change, ids).await else {
        note("nothing was sent");
        return Err(Stop::Interrupted);
    };
    let bar = Output::progress(total, change.name);
    let mut account = Account::new(output, change);
    let bulk = client.bulk().concurrency(context.global.concurrency());
    let mut run = bulk.run(change.verb.clone(), ids);
    let mut interrupts = Interrupts::default();
    let mut doubtful = Vec::new();
    interrupts
        .follow(output, &mut run, &bar, |outcome| match outcome {
            // What was sent without an answer is settled by reading, before it is told.
            Outcome { fate: Fate::Unknown(error), id, .. } => doubtful.push((id, error)),
            outcome => account.take(outcome),
        })
        .await;
    let duplicates = run.summary().duplicates;
    drop(run);
    settle(context, change, doubtful, &mut interrupts, &mut account, &bar).await;
    bar.finish_and_clear();
    account.finish(duplicates, interrupts.count > 0, &reading.get())
}

/// Reads back the incidents of which it is not known what became of them.
async fn settle(
    context: &Context<'_>,
    change: &Change,
    doubtful: Vec<(String, Arc<Error>)>,
    interrupts: &mut Interrupts,
    account: &mut Account<'_>,
    bar: &ProgressBar,
) {
    let mut errors: HashMap<_, _> = doubtful.into_iter().collect();
    if interrupts.count == 0 && !errors.is_empty() {
        let ids: Vec<String> = errors.keys().cloned().collect();
        let mut read =
            context.client.bulk().concurrency(context.global.concurrency()).reconcile(change.verb.clone(), ids);
        interrupts
            .follow(context.output, &mut read, bar, |outcome| {
                // A read that failed settles nothing: then the first error is the one to tell.
                if !matches!(outcome.fate, Fate::Unknown(_) | Fate::NotSent | Fate::Abandoned | Fate::Failed(_)) {
                    errors.remove(&outcome.id);
                    account.take(outcome);
                }
            })
            .await;
    }
    let mut rest: Vec<_> = errors.into_iter().collect();
    rest.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (id, error) in rest {
        account.unknown(id, &error);
    }
}

/// Ends when Ctrl-C is pressed, or the process is asked to end.
pub(crate) async fn interrupted() {
    // What can't be listened for ends the process, as it does without this.
    let ctrl_c = async {
        if ctrl_c().await.is_err() {
            pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => terminate.recv().await,
            Err(_) => pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = pending::<()>();
    tokio::select! {
        () = ctrl_c => {}
        _ = terminate => {}
    }
}

/// What `work` comes to, unless it is interrupted.
pub(crate) async fn unless_interrupted<T, E: Into<Stop>>(work: impl Future<Output = Result<T, E>>) -> Result<T, Stop> {
    tokio::select! {
        // So that a signal is listened for before the work begins.
        biased;
        () = interrupted() => Err(Stop::Interrupted),
        result = work => result.map_err(Into::into),
    }
}

/// Ctrl-C as it is meant: the first time stop, the second time abandon.
#[derive(Default)]
struct Interrupts {
    count: u32,
}

impl Interrupts {
    async fn follow(&mut self, output: &Output, run: &mut Run, bar: &ProgressBar, mut each: impl FnMut(Outcome)) {
        let mut interrupt = Box::pin(interrupted());
        let mut reveal = pin!(sleep(UNSHOWN));
        let mut revealed = false;
        loop {
            tokio::select! {
                biased;
                () = &mut reveal, if !revealed => {
                    revealed = true;
                    output.reveal(bar);
                }
                () = &mut interrupt => {
                    self.count += 1;
                    if self.count == 1 {
                        bar.suspend(|| note("stopping: what is under way finishes; Ctrl-C again abandons it"));
                        run.stop();
                    } else {
                        run.abandon();
                    }
                    interrupt = Box::pin(interrupted());
                }
                outcome = run.next() => {
                    let Some(outcome) = outcome else { break };
                    bar.inc(1);
                    each(outcome);
                    if output.is_closed() {
                        // Nobody reads the account any more: no more is begun that nobody would know of.
                        run.stop();
                    }
                }
            }
        }
    }
}

/// The ids, once whoever sits at the terminal has agreed to change as many. `None` if not.
async fn confirmed(context: &Context<'_>, change: &Change, ids: Ids) -> Option<stream::BoxStream<'static, String>> {
    let Ids { mut stream, total, .. } = ids;
    if context.global.yes || !context.output.can_ask() {
        return Some(stream);
    }
    let mut interrupt = pin!(interrupted());
    let mut first = Vec::new();
    while first.len() <= UNASKED {
        tokio::select! {
            id = stream.next() => match id {
                Some(id) => first.push(id),
                None => return Some(stream::iter(first).boxed()),
            },
            () = &mut interrupt => return None,
        }
    }
    let count = total.map_or_else(|| format!("more than {UNASKED}"), |total| total.to_string());
    let place = if context.global.emulator { "the emulator".to_owned() } else { host(&context.client) };
    let question = format!("{} {count} incidents on {place}?", capital(change.name));
    // A thread, for a read of the keyboard can't be broken off.
    let (sender, answer) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || sender.send(Output::ask(&question)));
    tokio::select! {
        answer = answer => answer.unwrap_or(false).then(|| stream::iter(first).chain(stream).boxed()),
        () = &mut interrupt => {
            note("");
            None
        }
    }
}

fn host(client: &Client) -> String {
    let url = client.base_url();
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest).to_owned()
}

fn capital(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
