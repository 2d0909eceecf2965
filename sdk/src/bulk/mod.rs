//! Any number of incidents, changed in requests of bounded size and number, with an account of every id.
//!
//! A run is a stream of outcomes. Its guarantees, which the property tests check:
//!
//! * **Every id given appears in exactly one outcome.** An id given twice counts once (96 bits of a keyed hash tell ids
//!   apart: for a million ids, the chance that two are taken for one is below 10⁻¹⁶).
//! * **No outcome says more than is known.** [`Fate::Updated`] only where the service returned the incident in its reply;
//!   [`Fate::Failed`] only where nothing can have been changed; everything else is [`Fate::Unknown`], which
//!   [`Bulk::reconcile`] settles by reading.
//! * **Outcomes come as they happen.** A run that is dropped, or a process that dies, has told what it knew.
//! * **What is on the wire goes on** while the consumer is busy: requests run on tasks of the tokio runtime that the run is
//!   polled on, and end with the run.
//! * **Memory is bounded** by concurrency times the size of a request and its reply, plus at most 32 bytes for each distinct
//!   id, to know it again.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let emulator = coralogix_incidents_emulator::Emulator::start().await?;
//! # let client = emulator.client()?;
//! use coralogix_incidents::bulk::Fate;
//! use futures::StreamExt;
//!
//! let mut run = client.bulk().unassign(["incident_id_1", "incident_id_2", "nobody"]);
//! while let Some(outcome) = run.next().await {
//!     match outcome.fate {
//!         Fate::Updated(incident) => println!("{} is unassigned", incident.id),
//!         Fate::NotFound => println!("{} does not exist", outcome.id),
//!         Fate::Failed(error) | Fate::Unknown(error) => println!("{}: {error}", outcome.id),
//!         _ => println!("{} was not changed", outcome.id),
//!     }
//! }
//! println!("{:?}", run.summary());
//! # Ok(())
//! # }
//! ```

mod seen;

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    fmt,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use http::StatusCode;
use tokio::task::{self, JoinError, JoinSet};
use tracing::Instrument;

use self::seen::SeenIds;
use crate::{
    Client, Effect, Error, Operation,
    generated::operations,
    request,
    transport::MAX_URL,
    types::{
        AcknowledgeIncidentsRequest, AssignIncidentsRequest, CloseIncidentsRequest, Incident, IncidentStatus,
        ResolveIncidentsRequest, UnassignIncidentsRequest, UserDetails,
    },
};

const DEFAULT_CONCURRENCY: usize = 8;
const DEFAULT_IDS_PER_REQUEST: usize = 100;
/// Generation 5 documents this as the most; V1 leaves it open.
const MAX_IDS_PER_REQUEST: usize = 10_000;

/// What to do to each incident.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Verb {
    /// Remove the assignments.
    Unassign,
    /// Assign to a user.
    Assign(UserDetails),
    /// Acknowledge.
    Acknowledge,
    /// Resolve.
    Resolve,
    /// Close.
    Close,
}

impl Verb {
    /// Assign to the user with this id.
    pub fn assign_to(user_id: impl Into<String>) -> Self {
        Self::Assign(UserDetails::default().with_user_id(user_id))
    }

    fn operation(&self) -> &'static Operation {
        match self {
            Self::Unassign => &operations::UNASSIGN_INCIDENTS,
            Self::Assign(_) => &operations::ASSIGN_INCIDENTS,
            Self::Acknowledge => &operations::ACKNOWLEDGE_INCIDENTS,
            Self::Resolve => &operations::RESOLVE_INCIDENTS,
            Self::Close => &operations::CLOSE_INCIDENTS,
        }
    }

    /// Whether an incident is as this verb leaves it. A resolved incident stays so when it is acknowledged: that counts.
    pub fn is_done(&self, incident: &Incident) -> bool {
        match self {
            Self::Unassign => incident.assignments.is_empty(),
            Self::Assign(user) => incident.is_assigned_to(&user.user_id),
            Self::Acknowledge => incident.status == IncidentStatus::Acknowledged || !incident.is_open(),
            Self::Resolve | Self::Close => !incident.is_open(),
        }
    }

    /// Sends the ids.
    async fn send(&self, client: &Client, ids: &[String]) -> Result<Answer, Error> {
        let incident_ids = ids.to_vec();
        let reply = match self {
            Self::Unassign => {
                let request = UnassignIncidentsRequest { incident_ids };
                client.unassign_incidents(&request).await?.map(|reply| reply.incidents)
            }
            Self::Assign(user) => {
                let request = AssignIncidentsRequest { incident_ids, assigned_to: user.clone() };
                client.assign_incidents(&request).await?.map(|reply| reply.incidents)
            }
            Self::Acknowledge => {
                let request = AcknowledgeIncidentsRequest { incident_ids };
                client.acknowledge_incidents(&request).await?.map(|reply| reply.incidents)
            }
            Self::Resolve => {
                let request = ResolveIncidentsRequest { incident_ids };
                client.resolve_incidents(&request).await?.map(|reply| reply.incidents)
            }
            Self::Close => {
                let request = CloseIncidentsRequest { incident_ids };
                client.close_incidents(&request).await?.map(|reply| reply.incidents)
            }
        };
        // A reply may leave the id out; where one was sent, it is clear whose the incident is.
        if let ([id], [incident]) = (ids, reply.as_slice())
            && incident.id.is_empty()
        {
            let incidents = reply.into_inner().into_iter().map(|incident| (id.clone(), incident)).collect();
            return Ok(Answer { incidents, ..Answer::default() });
        }
        let sent: HashSet<&str> = ids.iter().map(String::as_str).collect();
        let what = if reply.status() == StatusCode::NO_CONTENT {
            Some("it has no body".to_owned())
        } else {
            let other = reply.iter().find(|incident| !sent.contains(incident.id.as_str()));
            other.map(|other| format!("the incident {:?} in it was not asked for", other.id))
        };
        let unclear = what.map(|what| client.unaccounted(self.operation(), &reply, what));
        let incidents = reply.into_inner().into_iter().map(|incident| (incident.id.clone(), incident)).collect();
        Ok(Answer { incidents, unclear, ..Answer::default() })
    }
}

/// What a reply says of the ids that were sent.
#[derive(Default)]
struct Answer {
    /// By id.
    incidents: BTreeMap<String, Incident>,
    /// Those that it says do not exist.
    not_found: HashSet<String>,
    /// Why an id that is in neither may exist all the same.
    unclear: Option<Error>,
}

/// Begins bulk work; made by [`Client::bulk`].
#[derive(Debug, Clone)]
pub struct Bulk {
    client: Client,
    concurrency: usize,
    ids_per_request: usize,
}

impl Client {
    /// Work on any number of incidents; see [`bulk`](crate::bulk).
    pub fn bulk(&self) -> Bulk {
        Bulk { client: self.clone(), concurrency: DEFAULT_CONCURRENCY, ids_per_request: DEFAULT_IDS_PER_REQUEST }
    }
}

impl Bulk {
    /// The most requests under way at once. Default: 8. 0 counts as 1.
    #[must_use]
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency.max(1);
        self
    }

    /// The most ids in one request, 1 to 10,000. Default: 100. Where the ids travel in the URL (unassign in generation 5, and
    /// reading back), a request also ends before its URL reaches 8 KiB: about 150 UUIDs.
    #[must_use]
    pub fn ids_per_request(mut self, ids: usize) -> Self {
        self.ids_per_request = ids.clamp(1, MAX_IDS_PER_REQUEST);
        self
    }

    /// Removes the assignments of these incidents.
    pub fn unassign(&self, ids: impl Ids) -> Run {
        self.run(Verb::Unassign, from_iterator(ids))
    }

    /// Assigns these incidents to a user.
    pub fn assign(&self, ids: impl Ids, user_id: impl Into<String>) -> Run {
        self.run(Verb::assign_to(user_id), from_iterator(ids))
    }

    /// Acknowledges these incidents.
    pub fn acknowledge(&self, ids: impl Ids) -> Run {
        self.run(Verb::Acknowledge, from_iterator(ids))
    }

    /// Resolves these incidents.
    pub fn resolve(&self, ids: impl Ids) -> Run {
        self.run(Verb::Resolve, from_iterator(ids))
    }

    /// Closes these incidents.
    pub fn close(&self, ids: impl Ids) -> Run {
        self.run(Verb::Close, from_iterator(ids))
    }

    /// Does `verb` to incidents whose ids come from a stream. A request is sent when it is full, when the stream ends, or,
    /// where nothing else is under way, with what there is.
    pub fn run(&self, verb: Verb, ids: impl Stream<Item = String> + Send + 'static) -> Run {
        Run::new(self, verb, Mode::Change, ids.boxed())
    }

    /// Settles ids whose fate is unknown, by reading the incidents back: [`Fate::Updated`] where they are as `verb` leaves
    /// them, [`Fate::NotApplied`] where they are not, [`Fate::NotFound`] where they don't exist. Nothing is changed.
    pub fn reconcile(&self, verb: Verb, ids: impl Ids) -> Run {
        Run::new(self, verb, Mode::Read, from_iterator(ids).boxed())
    }
}

fn from_iterator(ids: impl Ids) -> impl Stream<Item = String> + Send + 'static {
    stream::iter(ids.into_iter().map(Into::into))
}

/// Ids for bulk work: a list, an array, or any other iterator over strings that owns what it yields.
pub trait Ids: IntoIterator<Item: Into<String> + 'static, IntoIter: Send + 'static> {}

impl<I: IntoIterator<Item: Into<String> + 'static, IntoIter: Send + 'static>> Ids for I {}

/// What became of one id.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Outcome {
    /// The id as it was given.
    pub id: String,
    /// What became of it.
    pub fate: Fate,
}

/// What became of an id. Errors are shared by all ids of a request.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Fate {
    /// The service did it: the incident as the reply has it.
    Updated(Box<Incident>),
    /// The service does not know the id: it said so, or, which is its way of saying so of a change, left the id out of a reply
    /// in which there is nothing else.
    NotFound,
    /// It was refused, or never reached the service. Nothing was changed.
    Failed(Arc<Error>),
    /// It was sent, and no answer settled what became of it; [`Bulk::reconcile`] does. The same goes for an id that a reply
    /// leaves out while it holds incidents that were not asked for, or that have no id.
    Unknown(Arc<Error>),
    /// Read back, the incident is not as the verb leaves it: the change was not applied, or has been undone since.
    NotApplied(Box<Incident>),
    /// It was not sent: the run was stopped, or a refusal that every request would meet ended it.
    NotSent,
    /// The run was abandoned while it was under way.
    Abandoned,
}

/// How many ids met which fate. Each distinct id is counted once, under one of them, when its outcome is taken from the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Summary {
    /// [`Fate::Updated`].
    pub updated: u64,
    /// [`Fate::NotFound`].
    pub not_found: u64,
    /// [`Fate::Failed`] and [`Fate::NotApplied`].
    pub failed: u64,
    /// [`Fate::Unknown`] and [`Fate::Abandoned`].
    pub unknown: u64,
    /// [`Fate::NotSent`].
    pub not_sent: u64,
    /// How often an id was given again. These are in no outcome and not in [`total`](Self::total).
    pub duplicates: u64,
}

impl Summary {
    /// The distinct ids.
    pub fn total(&self) -> u64 {
        self.updated + self.not_found + self.failed + self.unknown + self.not_sent
    }

    fn count(&mut self, fate: &Fate) {
        let counter = match fate {
            Fate::Updated(_) => &mut self.updated,
            Fate::NotFound => &mut self.not_found,
            Fate::Failed(_) | Fate::NotApplied(_) => &mut self.failed,
            Fate::Unknown(_) | Fate::Abandoned => &mut self.unknown,
            Fate::NotSent => &mut self.not_sent,
        };
        *counter += 1;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Change,
    Read,
}

/// Bulk work under way: a stream of outcomes, in the order in which they become known. See [`bulk`](crate::bulk). To be
/// polled on a tokio runtime; elsewhere it panics, as tokio's own types do.
#[must_use = "streams do nothing unless polled"]
pub struct Run {
    client: Client,
    verb: Arc<Verb>,
    mode: Mode,
    concurrency: usize,
    limits: Limits,
    /// `None` once it has ended.
    source: Option<BoxStream<'static, String>>,
    known: SeenIds,
    next: Batch,
    /// An id that the URL of the request before had no more room for, and what it costs.
    held: Option<(String, usize)>,
    /// The ids of the requests under way.
    sent: HashMap<task::Id, Arc<[String]>>,
    /// On tasks of their own, so that a slow consumer of outcomes does not hold up what is on the wire.
    under_way: JoinSet<Result<Answer, Error>>,
    outcomes: VecDeque<Outcome>,
    stopped: bool,
    summary: Summary,
}

/// Repeated ids that are passed over at one go, so that a source of nothing else lets other work go on.
const REPEATS_AT_ONCE: usize = 256;

/// What taking ids from the source came to.
enum Filled {
    /// A request is full, outcomes are to be taken, or the source has ended.
    Enough,
    /// The source has to be waited for.
    Waiting,
    /// There may be more at hand: other work goes first, and the task is woken.
    Yielded,
}

/// The size of a request.
#[derive(Clone, Copy)]
struct Limits {
    ids: usize,
    /// What an id costs beside its own encoded text where it travels in the URL, and what all ids may cost.
    url: Option<(usize, usize)>,
}

#[derive(Default)]
struct Batch {
    ids: Vec<String>,
    url: usize,
}

impl Batch {
    fn add(&mut self, id: String, cost: usize) {
        self.url += cost;
        self.ids.push(id);
    }
}

impl Run {
    fn new(bulk: &Bulk, verb: Verb, mode: Mode, source: BoxStream<'static, String>) -> Self {
        let operation = match mode {
            Mode::Change => verb.operation(),
            Mode::Read => &operations::BATCH_GET_INCIDENT,
        };
        let binding = operation.binding(bulk.client.api_generation());
        let url = binding.and_then(|binding| {
            let rest = bulk.client.base_url().len() + binding.path().len();
            // `?name=id` and `&name=id` cost the same.
            Some((binding.query_list()?.len() + 2, MAX_URL.saturating_sub(rest)))
        });
        Self {
            client: bulk.client.clone(),
            verb: Arc::new(verb),
            mode,
            concurrency: bulk.concurrency,
            limits: Limits { ids: bulk.ids_per_request, url },
            source: Some(source),
            known: SeenIds::default(),
            next: Batch::default(),
            held: None,
            sent: HashMap::new(),
            under_way: JoinSet::new(),
            outcomes: VecDeque::new(),
            stopped: false,
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
        self.stopped = true;
    }

    /// As [`stop`](Self::stop), and drops the requests under way: their ids come out as [`Fate::Abandoned`].
    pub fn abandon(&mut self) {
        self.stopped = true;
        // What has been answered is known.
        while let Some(answer) = self.under_way.try_join_next_with_id() {
            self.settle(answer);
        }
        self.under_way.abort_all();
        for ids in std::mem::take(&mut self.sent).into_values() {
            self.outcomes.extend(ids.iter().map(|id| Outcome { id: id.clone(), fate: Fate::Abandoned }));
        }
    }

    /// Takes ids from the source until a request is full, the source has ended, or it has nothing at hand.
    fn fill(&mut self, cx: &mut Context<'_>) -> Filled {
        if let Some((id, cost)) = self.held.take() {
            self.next.add(id, cost);
        }
        let mut repeats = 0;
        // Outcomes wait while a request fills, so that ids that can't be sent don't cut it short; a stopped run fills none.
        let outcomes = if self.stopped { 1 } else { self.limits.ids };
        while let Some(source) = &mut self.source {
            if self.next.ids.len() >= self.limits.ids || self.outcomes.len() >= outcomes {
                break;
            }
            if repeats == REPEATS_AT_ONCE {
                cx.waker().wake_by_ref();
                return Filled::Yielded;
            }
            let id = if self.stopped {
                // tokio's channels also say "pending" when the task is to yield; here that would be taken for the end.
                pin!(task::unconstrained(source.next())).poll(cx)
            } else {
                source.poll_next_unpin(cx)
            };
            let id = match id {
                Poll::Ready(Some(id)) => id,
                Poll::Ready(None) => {
                    self.source = None;
                    break;
                }
                Poll::Pending => return Filled::Waiting,
            };
            if !self.known.add(&id) {
                self.summary.duplicates += 1;
                repeats += 1;
                continue;
            }
            if self.stopped {
                self.outcomes.push_back(Outcome { id, fate: Fate::NotSent });
            } else if let Err(error) = request::text("id", &id, request::Text::NotBlank) {
                self.outcomes.push_back(Outcome { id, fate: Fate::Failed(Arc::new(error)) });
            } else {
                let cost = self.limits.url.map_or(0, |(each, _)| each + encoded_len(&id));
                let fits = self.limits.url.is_none_or(|(_, all)| self.next.url + cost <= all);
                if !fits && !self.next.ids.is_empty() {
                    self.held = Some((id, cost));
                    break;
                }
                self.next.add(id, cost);
            }
        }
        Filled::Enough
    }

    fn send(&mut self) {
        let Batch { ids, .. } = std::mem::take(&mut self.next);
        let shared: Arc<[String]> = ids.into();
        let (client, verb, mode) = (self.client.clone(), Arc::clone(&self.verb), self.mode);
        let ids = Arc::clone(&shared);
        let exchange = async move {
            match mode {
                Mode::Change => verb.send(&client, &ids).await.or_else(|error| missing(&ids, error)),
                Mode::Read => read(&client, &ids).await,
            }
        };
        // A task of its own is in the caller's trace all the same.
        let task = self.under_way.spawn(exchange.in_current_span());
        self.sent.insert(task.id(), shared);
    }

    /// Turns an answer into outcomes.
    fn settle(&mut self, answer: Result<(task::Id, Result<Answer, Error>), JoinError>) {
        let number = answer.as_ref().map_or_else(JoinError::id, |(number, _)| *number);
        let Some(ids) = self.sent.remove(&number) else { return };
        match answer.map(|(_, answer)| answer) {
            // The runtime is shutting down.
            Err(_) => self.outcomes.extend(ids.iter().map(|id| Outcome { id: id.clone(), fate: Fate::Abandoned })),
            Ok(Ok(Answer { mut incidents, not_found, unclear })) => {
                let unclear = unclear.map(Arc::new);
                for id in &*ids {
                    let fate = match (incidents.remove(id).map(Box::new), &unclear) {
                        (None, Some(error)) if !not_found.contains(id) => Fate::Unknown(Arc::clone(error)),
                        (None, _) => Fate::NotFound,
                        (Some(incident), _) if self.mode == Mode::Read && !self.verb.is_done(&incident) => {
                            Fate::NotApplied(incident)
                        }
                        (Some(incident), _) => Fate::Updated(incident),
                    };
                    self.outcomes.push_back(Outcome { id: id.clone(), fate });
                }
            }
            Ok(Err(error)) => {
                // What refuses the key or the path refuses every request.
                self.stopped |= error.is_unauthorized() || error.is_permission_denied() || error.is_unknown_route();
                let certain = error.effect() == Effect::None && self.mode == Mode::Change;
                let error = Arc::new(error);
                for id in &*ids {
                    let error = Arc::clone(&error);
                    let fate = if certain { Fate::Failed(error) } else { Fate::Unknown(error) };
                    self.outcomes.push_back(Outcome { id: id.clone(), fate });
                }
            }
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
            if this.stopped {
                let unsent = std::mem::take(&mut this.next).ids.into_iter().chain(this.held.take().map(|(id, _)| id));
                this.outcomes.extend(unsent.map(|id| Outcome { id, fate: Fate::NotSent }));
            }
            // Whether the source has ended, or a stopped run has taken what was at hand.
            let mut done = this.source.is_none();
            while this.outcomes.is_empty() && (this.stopped || this.under_way.len() < this.concurrency) {
                match this.fill(cx) {
                    Filled::Enough if !this.next.ids.is_empty() => this.send(),
                    Filled::Enough => {
                        done = this.source.is_none();
                        break;
                    }
                    Filled::Waiting => {
                        if this.stopped {
                            this.source = None;
                            done = true;
                        } else if this.under_way.is_empty() && !this.next.ids.is_empty() {
                            this.send();
                        }
                        break;
                    }
                    Filled::Yielded => break,
                }
            }
            if !this.outcomes.is_empty() {
                continue;
            }
            match this.under_way.poll_join_next_with_id(cx) {
                Poll::Ready(Some(answer)) => this.settle(answer),
                Poll::Ready(None) if done => return Poll::Ready(None),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("verb", &self.verb).field("summary", &self.summary).finish_non_exhaustive()
    }
}

/// A 404 for the one id that was sent is an answer, if every attempt was refused.
fn missing(ids: &[String], error: Error) -> Result<Answer, Error> {
    if ids.len() == 1 && error.is_not_found() && error.effect() == Effect::None {
        Ok(Answer { not_found: ids.iter().cloned().collect(), ..Answer::default() })
    } else {
        Err(error)
    }
}

/// Reads incidents by id. A service may answer 404 where it does not know the one id that is asked for, or one of several.
async fn read(client: &Client, ids: &[String]) -> Result<Answer, Error> {
    let reply = match client.batch_get_incident(ids).await {
        Ok(reply) => reply,
        Err(error) if !error.is_not_found() => return Err(error),
        Err(error) if ids.len() == 1 => return missing(ids, error),
        Err(_) => {
            let mut answer = Answer::default();
            for id in ids {
                match Box::pin(read(client, std::slice::from_ref(id))).await {
                    Ok(one) => {
                        answer.incidents.extend(one.incidents);
                        answer.not_found.extend(one.not_found);
                        answer.unclear = answer.unclear.or(one.unclear);
                    }
                    // What was read stands.
                    Err(error) => {
                        answer.unclear = Some(error);
                        break;
                    }
                }
            }
            return Ok(answer);
        }
    };
    let not_found: HashSet<String> = reply.not_found_ids.iter().cloned().collect();
    let unclear = ids.iter().find(|id| !reply.incidents.contains_key(*id) && !not_found.contains(*id)).map(|id| {
        let what = format!("the incident {id:?} is neither in it nor in its `notFoundIds`");
        client.unaccounted(&operations::BATCH_GET_INCIDENT, &reply, what)
    });
    Ok(Answer { incidents: reply.into_inner().incidents, not_found, unclear })
}

/// The length of an id in a query, where most characters but letters and digits take three.
fn encoded_len(id: &str) -> usize {
    url::form_urlencoded::byte_serialize(id.as_bytes()).map(str::len).sum()
}
