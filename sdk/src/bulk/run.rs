//! A run: takes ids, keeps requests in flight and yields outcomes. This module must not know the content of requests.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::{Stream, stream::BoxStream};
use futures_util::StreamExt;
use tokio::task::{self, JoinError, JoinSet};
use tracing::Instrument;

use super::{
    Fate, Outcome, Summary,
    batch::{Batch, UrlLimit},
    exchange::{Answer, Task, perform},
    seen::SeenIds,
};
use crate::{Client, request};

/// How many repeated ids are skipped before other tasks get a turn.
const REPEATS_AT_ONCE: usize = 256;

/// A stream of outcomes, in the order in which they become known. See [`bulk`](crate::bulk).
///
/// It must be polled on a tokio runtime. Like tokio's own types, it panics elsewhere.
#[must_use = "streams do nothing unless polled"]
pub struct Run {
    client: Client,
    task: Arc<Task>,
    concurrency: usize,
    state: State,
    seen: SeenIds,
    batch: Batch,
    /// The ids of the requests in flight.
    sent: HashMap<task::Id, Arc<[String]>>,
    /// Requests run as tasks, so that a slow consumer of outcomes does not delay them.
    in_flight: JoinSet<Answer>,
    outcomes: VecDeque<Outcome>,
    summary: Summary,
}

enum State {
    /// Ids are taken and sent.
    Running(BoxStream<'static, String>),
    /// No more requests are started. The ids that the source yields at once become `NotSent`.
    Stopping(BoxStream<'static, String>),
    /// There are no more ids. Requests in flight are awaited.
    Ended,
}

/// Why no more ids were taken from the source.
enum Taken {
    /// A request is full, or there are outcomes to yield.
    Enough,
    /// The source has no id ready.
    Waiting,
    /// There may be more ids, but other tasks get a turn first. The waker has been called.
    Yielded,
    /// The source has ended.
    End,
}

impl Run {
    pub(super) fn new(
        client: Client,
        task: Task,
        concurrency: usize,
        max_ids: usize,
        ids: BoxStream<'static, String>,
    ) -> Self {
        Self {
            client,
            task: Arc::new(task),
            concurrency,
            state: State::Running(ids),
            seen: SeenIds::default(),
            batch: Batch::new(max_ids),
            sent: HashMap::new(),
            in_flight: JoinSet::new(),
            outcomes: VecDeque::new(),
            summary: Summary::default(),
        }
    }

    /// The number of outcomes yielded so far, by fate. After the stream has ended it covers all ids.
    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// Starts no more requests. The outcomes of requests in flight are still yielded. Ids that were not sent become
    /// [`Fate::NotSent`], as far as the source yields them without waiting.
    pub fn stop(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Ended) {
            State::Running(source) | State::Stopping(source) => State::Stopping(source),
            State::Ended => State::Ended,
        };
        self.outcomes.extend(self.batch.drain().map(|id| Outcome { id, fate: Fate::NotSent }));
    }

    /// Does what [`stop`](Self::stop) does, and drops the requests in flight. Their ids become [`Fate::Abandoned`].
    pub fn abandon(&mut self) {
        // The outcomes of requests that were answered are known.
        while let Some(answer) = self.in_flight.try_join_next_with_id() {
            self.settle(answer);
        }
        self.stop();
        self.in_flight.abort_all();
        for ids in std::mem::take(&mut self.sent).into_values() {
            self.outcomes.extend(ids.iter().map(|id| Outcome { id: id.clone(), fate: Fate::Abandoned }));
        }
    }

    /// Takes ids from the source.
    fn take_ids(&mut self, cx: &mut Context<'_>) -> Taken {
        let limit = UrlLimit::of(&self.client, self.task.operation());
        let mut repeats = 0;
        loop {
            // Outcomes of invalid ids wait until the request is full, so that it is not sent with fewer ids. A stopped run yields each.
            let (id, most) = match &mut self.state {
                State::Running(_) if self.batch.is_full() => return Taken::Enough,
                State::Running(source) => (source.poll_next_unpin(cx), self.batch.max_ids),
                // The channels of tokio also return `Pending` when the task should yield, which would look like the end here.
                State::Stopping(source) => (pin!(task::unconstrained(source.next())).poll(cx), 1),
                State::Ended => return Taken::End,
            };
            match id {
                Poll::Ready(Some(id)) if self.seen.add(&id) => self.take_id(id, limit),
                Poll::Ready(Some(_)) => {
                    self.summary.duplicates += 1;
                    repeats += 1;
                }
                Poll::Ready(None) => return Taken::End,
                Poll::Pending => return Taken::Waiting,
            }
            if self.outcomes.len() >= most {
                return Taken::Enough;
            }
            if repeats == REPEATS_AT_ONCE {
                cx.waker().wake_by_ref();
                return Taken::Yielded;
            }
        }
    }

    fn take_id(&mut self, id: String, limit: Option<UrlLimit>) {
        if matches!(self.state, State::Stopping(_)) {
            self.outcomes.push_back(Outcome { id, fate: Fate::NotSent });
        } else if let Err(error) = request::check_text("id", &id, request::NOT_BLANK) {
            self.outcomes.push_back(Outcome { id, fate: Fate::Failed(Arc::new(error)) });
        } else {
            self.batch.add(id, limit);
        }
    }

    /// Starts as many requests as allowed, until there is an outcome to yield or nothing can go on without waiting.
    fn advance(&mut self, cx: &mut Context<'_>) {
        while self.outcomes.is_empty() {
            let can_send = self.in_flight.len() < self.concurrency;
            let is_running = matches!(self.state, State::Running(_));
            let has_ended = matches!(self.state, State::Ended);
            if can_send && (self.batch.is_full() || has_ended && !self.batch.is_empty()) {
                self.send();
                continue;
            }
            if has_ended || is_running && !can_send {
                return;
            }
            match self.take_ids(cx) {
                Taken::Enough => {}
                Taken::Yielded => return,
                Taken::Waiting if is_running => {
                    if self.in_flight.is_empty() && !self.batch.is_empty() {
                        self.send();
                    }
                    return;
                }
                Taken::Waiting | Taken::End => self.state = State::Ended,
            }
        }
    }

    fn send(&mut self) {
        let limit = UrlLimit::of(&self.client, self.task.operation());
        let ids: Arc<[String]> = self.batch.take(limit).into();
        let (client, task, sent) = (self.client.clone(), Arc::clone(&self.task), Arc::clone(&ids));
        let exchange = async move { perform(&client, &task, &sent).await };
        // The task stays in the trace of the caller.
        let task = self.in_flight.spawn(exchange.in_current_span());
        self.sent.insert(task.id(), ids);
    }

    /// Turns an answer into outcomes.
    fn settle(&mut self, answer: Result<(task::Id, Answer), JoinError>) {
        let task = answer.as_ref().map_or_else(JoinError::id, |(task, _)| *task);
        let Some(ids) = self.sent.remove(&task) else { return };
        let outcome = |(id, fate): (&String, Fate)| Outcome { id: id.clone(), fate };
        match answer {
            Ok((_, Answer { fates, is_final })) => {
                self.outcomes.extend(ids.iter().zip(fates).map(outcome));
                if is_final {
                    self.stop();
                }
            }
            // The runtime is shutting down.
            Err(_) => self.outcomes.extend(ids.iter().map(|id| outcome((id, Fate::Abandoned)))),
        }
    }
}

impl Stream for Run {
    type Item = Outcome;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Outcome>> {
        let this = &mut *self;
        loop {
            if let Some(outcome) = this.outcomes.pop_front() {
                this.summary.count(&outcome.fate);
                return Poll::Ready(Some(outcome));
            }
            this.advance(cx);
            if !this.outcomes.is_empty() {
                continue;
            }
            match this.in_flight.poll_join_next_with_id(cx) {
                Poll::Ready(Some(answer)) => this.settle(answer),
                Poll::Ready(None) if matches!(this.state, State::Ended) => return Poll::Ready(None),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("task", &self.task).field("summary", &self.summary).finish_non_exhaustive()
    }
}
