//! Any number of incidents, read or changed in requests of bounded size and number, with an account of every id.
//!
//! A run is a stream of outcomes. Its guarantees, which the property tests check:
//!
//! * **Every id given appears in exactly one outcome.** An id given twice counts once (96 bits of a keyed hash tell ids
//!   apart: for a million ids, the chance that two are taken for one is below 10⁻¹⁶).
//! * **No outcome says more than is known.** [`Fate::Updated`] only where the service returned the incident as changed;
//!   [`Fate::Failed`] only where nothing can have been changed. A reply that leaves open what became of the ids, because it
//!   has no body or holds none of the incidents, is settled by reading them. What a lost reply leaves open is
//!   [`Fate::Unknown`], which [`Bulk::reconcile`] settles.
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
//!         Fate::Failed(error) | Fate::Unknown(error) => {
//!             println!("{}: {error}", outcome.id);
//!         }
//!         fate => println!("{}: {fate}", outcome.id),
//!     }
//! }
//! println!("{:?}", run.summary());
//! # Ok(())
//! # }
//! ```

mod batch;
mod exchange;
mod fate;
mod run;
mod seen;

use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};

use self::exchange::Task;
pub use self::{
    fate::{Fate, Outcome, Summary},
    run::Run,
};
use crate::{
    Client, Operation,
    generated::operations,
    types::{Incident, IncidentStatus, UserDetails},
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
        Self::Assign(UserDetails::new(user_id))
    }

    /// The operation that does it.
    pub fn operation(&self) -> &'static Operation {
        match self {
            Self::Unassign => &operations::UNASSIGN_INCIDENTS,
            Self::Assign(_) => &operations::ASSIGN_INCIDENTS,
            Self::Acknowledge => &operations::ACKNOWLEDGE_INCIDENTS,
            Self::Resolve => &operations::RESOLVE_INCIDENTS,
            Self::Close => &operations::CLOSE_INCIDENTS,
        }
    }

    /// Whether an incident is as this verb leaves it. A resolved incident stays resolved when it is acknowledged: that counts.
    pub fn is_done(&self, incident: &Incident) -> bool {
        match self {
            Self::Unassign => incident.assignments.is_empty(),
            Self::Assign(user) => incident.is_assigned_to(&user.user_id),
            Self::Acknowledge => incident.status == IncidentStatus::Acknowledged || !incident.is_open(),
            Self::Resolve | Self::Close => !incident.is_open(),
        }
    }
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

    /// The most ids in one request, 1 to 10,000. Default: 100. Where the ids travel in the URL (unassigning in generation 5,
    /// and reading), a request also ends before its URL reaches 8 KiB: about 150 UUIDs.
    #[must_use]
    pub fn ids_per_request(mut self, ids: usize) -> Self {
        self.ids_per_request = ids.clamp(1, MAX_IDS_PER_REQUEST);
        self
    }

    /// Reads these incidents: [`Fate::Found`] for each that exists.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = coralogix_incidents_emulator::Emulator::start().await?;
    /// # let client = emulator.client()?;
    /// use coralogix_incidents::bulk::Fate;
    /// use futures::StreamExt;
    ///
    /// let mut run = client.bulk().get(["incident_id_1", "nobody"]);
    /// while let Some(outcome) = run.next().await {
    ///     match outcome.fate {
    ///         Fate::Found(incident) => println!("{} is {}", incident.id, incident.status),
    ///         fate => println!("{}: {fate}", outcome.id),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn get(&self, ids: impl Ids) -> Run {
        self.start(Task::Get, from_iterator(ids).boxed())
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
        self.start(Task::Change(verb), ids.boxed())
    }

    /// Settles ids whose fate is unknown, by reading the incidents: [`Fate::Updated`] where they are as `verb` leaves them,
    /// [`Fate::NotYetApplied`] where they are not, [`Fate::NotFound`] where they do not exist. Nothing is changed.
    pub fn reconcile(&self, verb: Verb, ids: impl Ids) -> Run {
        self.start(Task::Reconcile(verb), from_iterator(ids).boxed())
    }

    fn start(&self, task: Task, ids: BoxStream<'static, String>) -> Run {
        Run::new(self.client.clone(), task, self.concurrency, self.ids_per_request, ids)
    }
}

fn from_iterator(ids: impl Ids) -> impl Stream<Item = String> + Send + 'static {
    stream::iter(ids.into_iter().map(Into::into))
}

/// Ids for bulk work: a list, an array, or any other iterator over strings that owns what it yields.
pub trait Ids: IntoIterator<Item: Into<String> + 'static, IntoIter: Send + 'static> {}

impl<I: IntoIterator<Item: Into<String> + 'static, IntoIter: Send + 'static>> Ids for I {}
