//! Reads many things and shows them: by id for `get` and `events`, or page after page for `list` and `events`.

use std::sync::Arc;

use coralogix_incidents::{Client, Error, types::PaginationRequest};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use serde::Serialize;

use crate::{
    context::Context,
    report::{Exit, Failure, NOT_FOUND_HINT, Stop, abbreviate, counted, is_not_found},
    terminal::{Listing, interrupts, write_stderr_line},
};

/// The result of reading one id.
pub(crate) enum Fetched<T> {
    Found(T),
    NotFound,
    /// The service answered, and did not show it.
    Empty,
    Failed(Arc<Error>),
    /// Not read, because an earlier failure would meet every request.
    NotSent,
}

/// Calls the service for each id, several at a time. The results are in the order of the ids; one that is `None` belongs to a
/// runtime that is shutting down.
pub(crate) fn call_each<T, F>(
    context: &Context<'_>,
    ids: Vec<String>,
    call: impl Fn(Client, String) -> F,
) -> impl Stream<Item = (String, Option<T>)>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let results = stream::iter(ids).map(move |id| {
        // On a task, so that a slow reader of the output does not delay the answers.
        let task = tokio::spawn(call(context.client.clone(), id.clone()));
        async { (id, task.await.ok()) }
    });
    results.buffered(context.options.concurrency())
}

/// Reads each id, several at a time.
pub(crate) fn read_each<T, F>(
    context: &Context<'_>,
    ids: Vec<String>,
    read: impl Fn(Client, String) -> F,
) -> impl Stream<Item = (String, Fetched<T>)>
where
    T: Send + 'static,
    F: Future<Output = Result<Option<T>, Error>> + Send + 'static,
{
    call_each(context, ids, read).filter_map(async |(id, result)| {
        let fetched = match result? {
            Ok(Some(found)) => Fetched::Found(found),
            Ok(None) => Fetched::Empty,
            Err(error) if is_not_found(&error) => Fetched::NotFound,
            Err(error) => Fetched::Failed(Arc::new(error)),
        };
        Some((id, fetched))
    })
}

/// What was not read, and why.
#[derive(Default)]
pub(crate) struct Missing {
    found: usize,
    not_found: Vec<String>,
    /// Each distinct failure with its ids.
    failures: Vec<Failure>,
    not_sent: Vec<String>,
    interrupted: bool,
}

/// Takes results until all are there or the program is interrupted, and gives what was found to `found`.
pub(crate) async fn fetch<T>(
    results: impl Stream<Item = (String, Fetched<T>)>,
    mut found: impl FnMut(String, T) -> std::io::Result<()>,
) -> Result<Missing, Stop> {
    let mut results = Box::pin(results).take_until(Box::pin(interrupts::reached(1)));
    let mut missing = Missing::default();
    while let Some((id, result)) = results.next().await {
        match result {
            Fetched::Found(item) => {
                missing.found += 1;
                found(id, item)?;
            }
            Fetched::NotFound => missing.not_found.push(id),
            Fetched::NotSent => missing.not_sent.push(id),
            Fetched::Empty => {
                let failure = Failure::with_exit(Exit::Failed, "the service answered without showing the incident");
                missing.add(failure.next("try again later"), id);
            }
            Fetched::Failed(error) => missing.add(Failure::sdk(&error), id),
        }
    }
    missing.interrupted = results.take_result().is_some();
    Ok(missing)
}

impl Missing {
    fn add(&mut self, failure: Failure, id: String) {
        failure.ids(vec![id], "not read").add_to(&mut self.failures);
    }

    /// Reports what was not read, and says how the command ends.
    pub(crate) fn report(mut self, context: &Context<'_>) -> Exit {
        if self.interrupted {
            return show_interrupted(self.found, "incident");
        }
        let verbose = context.output.verbose;
        let complete = self.not_found.is_empty() && self.failures.is_empty();
        let exit = self.failures.first().map_or(Exit::Failed, |failure| failure.exit);
        if let Some(failure) = self.failures.first_mut() {
            failure.ids.extend(self.not_sent);
        }
        for failure in self.failures.iter().rev() {
            failure.show(verbose);
        }
        if !self.not_found.is_empty() {
            let summary = format!("the service does not know: {}", abbreviate(&self.not_found));
            Failure::usage(summary).next(NOT_FOUND_HINT).show(verbose);
        }
        match (complete, self.found) {
            (true, _) => Exit::Done,
            (false, 0) => exit,
            (false, _) => Exit::Partial,
        }
    }
}

fn show_interrupted(count: usize, noun: &str) -> Exit {
    write_stderr_line(format!("interrupted: the output is incomplete; it has {}", counted(count, noun)));
    Exit::Interrupted
}

/// The most items in one response.
const MAX_PAGE_SIZE: u32 = 200;

/// The pages of a list: as large as they may be, and no larger than the list.
pub(crate) fn pages(limit: Option<u32>) -> PaginationRequest {
    PaginationRequest::default().with_page_size(limit.map_or(MAX_PAGE_SIZE, |limit| limit.min(MAX_PAGE_SIZE)))
}

/// Shows the items of all pages as they are read, or at the end. The pages before one that failed are shown, too.
pub(crate) async fn show_pages<T: Serialize>(
    context: &Context<'_>,
    items: impl Stream<Item = Result<T, Error>>,
    noun: &str,
    id: impl Fn(&T) -> String,
    table: impl FnOnce(&[T]) -> String,
) -> Result<Exit, Stop> {
    let mut items = Box::pin(items).take_until(Box::pin(interrupts::reached(1)));
    let mut listing = Listing::new(context.output);
    let failure = loop {
        match items.try_next().await {
            Ok(Some(item)) => listing.add(&id(&item), [item])?,
            Ok(None) => break None,
            Err(error) => break Some(Failure::from(error)),
        }
    };
    listing.finish(table)?;
    let count = listing.count;
    if items.take_result().is_some() {
        return Ok(show_interrupted(count, noun));
    }
    match failure {
        None if count == 0 => write_stderr_line(format!("no {noun} matches the filter")),
        None => {}
        Some(failure) if count == 0 => return Err(failure.into()),
        Some(failure) => {
            failure.show(context.output.verbose);
            write_stderr_line(format!("the list is not complete: it has the first {count} {noun}s"));
            return Ok(Exit::Partial);
        }
    }
    Ok(Exit::Done)
}
