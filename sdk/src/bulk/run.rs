//! Bulk work under way: takes ids, keeps requests on the wire, and yields outcomes. It knows nothing of what a request says.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use futures::{Stream, StreamExt, stream::BoxStream};
use tokio::task::{self, JoinError, JoinSet};
use tracing::Instrument;

use super::{
    Fate, Outcome, Summary,
    batch::{Batch, UrlLimit},
    exchange::{Answer, Task, perform},
    seen::SeenIds,
};
use crate::{Client, request};

/// Repeated ids that are passed over at one go, so that a source of nothing else lets other work go on.
const REPEATS_AT_ONCE: usize = 256;

/// Bulk work under way: a stream of outcomes, in the order in which they become known. See [`bulk`](crate::bulk). To be
/// polled on a tokio runtime; elsewhere it panics, as tokio's own types do.
#[must_use = "streams do nothing unless polled"]
pub struct Run {
    client: Client,
    task: Arc<Task>,
    concurrency: usize,
    max_ids: usize,
    state: State,
    seen: SeenIds,
    batch: Batch,
    /// The ids of the requests under way.
    sent: HashMap<task::Id, Arc<[String]>>,
    /// On tasks of their own, so that a slow consumer of outcomes does not hold up what is on the wire.
    under_way: JoinSet<Answer>,
    outcomes: VecDeque<Outcome>,
    summary: Summary,
}

enum State {
    /// Ids are taken and sent.
    Running(BoxStream<'static, String>),
    /// No more requests are started. The ids that the source has at hand come out as not sent.
    Stopping(BoxStream<'static, String>),
    /// There are no more ids: what is under way is waited for.
    Ended,
}

/// What taking ids from the source came to.
enum Taken {
    /// There is enough for now: a request is full, or outcomes are to be yielded.
    Enough,
    /// The source has to be waited for.
    Waiting,
    /// There may be more at hand: other work goes first, and the task is woken.
    Yielded,
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
            max_ids,
            state: State::Running(ids),
            seen: SeenIds::default(),
            batch: Batch::new(max_ids),
            sent: HashMap::new(),
            under_way: JoinSet::new(),
            outcomes: VecDeque::new(),
            summary: Summary::default(),
        }
    }

    /// The account of the outcomes taken so far; of all ids once the stream has ended.
    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// Starts no more requests. Those under way are waited for. Ids that were not sent come out as [`Fate::NotSent`]: those
    /// that the source yields at once, to its end or until it has to be waited for.
    pub fn stop(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Ended) {
            State::Running(source) | State::Stopping(source) => State::Stopping(source),
            State::Ended => State::Ended,
        };
        self.outcomes.extend(self.batch.drain().map(|id| Outcome { id, fate: Fate::NotSent }));
    }

    /// As [`stop`](Self::stop), and drops the requests under way: their ids come out as [`Fate::Abandoned`].
    pub fn abandon(&mut self) {
        // What has been answered is known.
        while let Some(answer) = self.under_way.try_join_next_with_id() {
            self.settle(answer);
        }
        self.stop();
        self.under_way.abort_all();
        for ids in std::mem::take(&mut self.sent).into_values() {
            self.outcomes.extend(ids.iter().map(|id| Outcome { id: id.clone(), fate: Fate::Abandoned }));
        }
    }

    /// Takes ids from the source.
    fn take_ids(&mut self, cx: &mut Context<'_>) -> Taken {
        let limit = UrlLimit::of(&self.client, self.task.operation());
        let mut repeats = 0;
        loop {
            // Outcomes wait while a request fills, so that ids that can't be sent don't cut it short; a stopped run fills none.
            let (id, most) = match &mut self.state {
                State::Running(_) if self.batch.is_full() => return Taken::Enough,
                State::Running(source) => (source.poll_next_unpin(cx), self.max_ids),
                // tokio's channels also say "pending" when the task is to yield; here that would be taken for the end.
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
        } else if let Err(error) = request::text("id", &id, request::NOT_BLANK) {
            self.outcomes.push_back(Outcome { id, fate: Fate::Failed(Arc::new(error)) });
        } else {
            self.batch.add(id, limit);
        }
    }

    /// Starts requests, as many as may be under way, until there is an outcome to yield or something has to be waited for.
    fn advance(&mut self, cx: &mut Context<'_>) {
        while self.outcomes.is_empty() {
            let has_room = self.under_way.len() < self.concurrency;
            let is_running = matches!(self.state, State::Running(_));
            let has_ended = matches!(self.state, State::Ended);
            if has_room && (self.batch.is_full() || has_ended && !self.batch.is_empty()) {
                self.send();
                continue;
            }
            if has_ended || is_running && !has_room {
                return;
            }
            match self.take_ids(cx) {
                Taken::Enough => {}
                Taken::Yielded => return,
                Taken::Waiting if is_running => {
                    if self.under_way.is_empty() && !self.batch.is_empty() {
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
        // A task of its own is in the caller's trace all the same.
        let task = self.under_way.spawn(exchange.in_current_span());
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
            match this.under_way.poll_join_next_with_id(cx) {
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
