//! Reads or changes any number of incidents, in requests of bounded size and number, and reports an outcome for every id.
//!
//! A run is a stream of outcomes. It guarantees the following, which property tests check:
//!
//! * **Every id appears in exactly one outcome.** Repeated ids are sent once. Ids are compared by 96 bits of a keyed hash: for
//!   a million ids, the probability that two are mistaken for one is below 10⁻¹⁶.
//! * **No outcome says more than is known.** [`Fate::Updated`] means that the service returned the changed incident, and
//!   [`Fate::Failed`] that nothing can have been changed. If a reply has no body or contains none of the incidents, the run
//!   reads them to find out. If a reply was lost, the outcome is [`Fate::Unknown`], which [`Bulk::reconcile`] can resolve.
//! * **Outcomes are yielded as soon as they are known.** If the run is dropped or the process dies, the outcomes yielded
//!   before remain true.
//! * **Requests make progress while the consumer is busy.** They run as tasks of the tokio runtime on which the run is polled,
//!   and are aborted when the run is dropped.
//! * **Memory is bounded** by the concurrency times the size of a request and its reply, plus at most 32 bytes for each
//!   distinct id.
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

use futures_core::{Stream, stream::BoxStream};
use futures_util::{StreamExt, stream};

use self::exchange::Task;
pub use self::{
    fate::{Fate, Outcome, Summary},
    run::Run,
};
use crate::{
    Client, Operation,
    generated::operations,
    incident::is_same_user,
    types::{Incident, IncidentStatus, UserDetails},
};

const DEFAULT_CONCURRENCY: usize = 8;
const DEFAULT_IDS_PER_REQUEST: usize = 100;

/// A change that is made to each incident of a run.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Verb {
    /// Remove the assignments.
    Unassign,
    /// Assign to a user.
    Assign(UserDetails),
    /// Assign incidents of one user to another. An incident that both of them have afterwards is not done.
    #[non_exhaustive]
    Reassign {
        /// The id of the user who has the incidents.
        from: String,
        /// The user who gets them.
        to: UserDetails,
    },
    /// Acknowledge.
    Acknowledge,
    /// Resolve.
    Resolve,
    /// Close.
    Close,
}

impl Verb {
    /// Assigns to the user with this id.
    pub fn assign_to(user_id: impl Into<String>) -> Self {
        Self::Assign(UserDetails::new(user_id))
    }

    /// Assigns incidents of the user with the id `from` to the user with the id `to`.
    pub fn reassign(from: impl Into<String>, to: impl Into<String>) -> Self {
        Self::Reassign { from: from.into(), to: UserDetails::new(to) }
    }

    /// The operation that makes the change.
    pub fn operation(&self) -> &'static Operation {
        match self {
            Self::Unassign => &operations::UNASSIGN_INCIDENTS,
            Self::Assign(_) | Self::Reassign { .. } => &operations::ASSIGN_INCIDENTS,
            Self::Acknowledge => &operations::ACKNOWLEDGE_INCIDENTS,
            Self::Resolve => &operations::RESOLVE_INCIDENTS,
            Self::Close => &operations::CLOSE_INCIDENTS,
        }
    }

    /// Whether an incident is in the state that this verb leads to. A resolved incident stays resolved when it is
    /// acknowledged, so it counts as acknowledged.
    pub fn is_done(&self, incident: &Incident) -> bool {
        match self {
            Self::Unassign => incident.assignments.is_empty(),
            Self::Assign(user) => incident.is_assigned_to(&user.user_id),
            Self::Reassign { to, .. } => incident.is_assigned_to(&to.user_id) && !self.is_refuted_by(incident),
            Self::Acknowledge => incident.status == IncidentStatus::Acknowledged || !incident.is_open(),
            Self::Resolve | Self::Close => !incident.is_open(),
        }
    }

    /// Whether an incident shows that the change was not made, even if the service reports success: the user who was to lose it
    /// has it still.
    pub(crate) fn is_refuted_by(&self, incident: &Incident) -> bool {
        matches!(self, Self::Reassign { from, to }
            if incident.assignees().any(|user| is_same_user(user, from) && user != to.user_id))
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
    /// Reads or changes any number of incidents; see [`bulk`](crate::bulk).
    pub fn bulk(&self) -> Bulk {
        Bulk { client: self.clone(), concurrency: DEFAULT_CONCURRENCY, ids_per_request: DEFAULT_IDS_PER_REQUEST }
    }
}

impl Bulk {
    /// Sets the maximum number of concurrent requests. Default: 8. 0 is taken as 1.
    #[must_use]
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency.max(1);
        self
    }

    /// Sets the maximum number of ids in a request. Default: 100. The minimum is 1, and the maximum is that of the operation,
    /// [`Binding::max_incident_ids`](crate::Binding::max_incident_ids); other values count as the nearer of these. If the ids are
    /// sent in the URL, as for unassigning in generation 5 and for reading, a request also has no more ids than fit a URL of
    /// 8 KiB: about 150 UUIDs.
    #[must_use]
    pub fn ids_per_request(mut self, ids: usize) -> Self {
        self.ids_per_request = ids.max(1);
        self
    }

    /// Reads these incidents. The fate of each that exists is [`Fate::Found`].
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

    /// Makes a change to the incidents whose ids a stream yields. A request is sent when it is full, when the stream ends, or
    /// when no other request is in flight and the stream has no further id ready.
    pub fn run(&self, verb: Verb, ids: impl Stream<Item = String> + Send + 'static) -> Run {
        self.start(Task::Change(verb), ids.boxed())
    }

    /// Resolves unknown fates by reading the incidents. The fate of an incident is [`Fate::Updated`] if it is in the state that
    /// `verb` leads to, [`Fate::NotYetApplied`] if it is not, and [`Fate::NotFound`] if it does not exist. Nothing is changed.
    pub fn reconcile(&self, verb: Verb, ids: impl Ids) -> Run {
        self.start(Task::Reconcile(verb), from_iterator(ids).boxed())
    }

    fn start(&self, task: Task, ids: BoxStream<'static, String>) -> Run {
        let max_ids = self.ids_per_request.min(task.operation().max_incident_ids());
        Run::new(self.client.clone(), task, self.concurrency, max_ids, ids)
    }
}

fn from_iterator(ids: impl Ids) -> impl Stream<Item = String> + Send + 'static {
    stream::iter(ids.into_iter().map(Into::into))
}

/// Ids for bulk work: a list, an array, or any other iterator over strings that owns what it yields.
pub trait Ids: IntoIterator<Item: Into<String> + 'static, IntoIter: Send + 'static> {}

impl<I: IntoIterator<Item: Into<String> + 'static, IntoIter: Send + 'static>> Ids for I {}
