//! The outcome of each id and the summary of a run. This module must not know of requests.

use std::{fmt, sync::Arc};

use crate::{Error, types::Incident};

/// The outcome of one id.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Outcome {
    /// The id as it was given.
    pub id: String,
    /// What became of it.
    pub fate: Fate,
}

/// What became of an id. `Display` writes it as a phrase. The ids of a request share its error.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Fate {
    /// The incident was read.
    Found(Box<Incident>),
    /// The incident was changed. It is the incident of the reply, or, if the reply did not contain it, as it was read
    /// afterwards.
    Updated(Box<Incident>),
    /// The service does not know the id: it said so, left the id out of a reply with other incidents of the request, or did not
    /// find it when it was read.
    NotFound,
    /// The request was refused, never reached the service, or was a read that failed. Nothing was changed.
    Failed(Arc<Error>),
    /// The request was sent, and no reply says whether the change was made; [`Bulk::reconcile`](super::Bulk::reconcile) reads
    /// the incident to find out. Also the fate of an id that is missing in a reply with incidents that were not requested or
    /// that have no id.
    Unknown(Arc<Error>),
    /// The service answered with success, but the incident, read afterwards, does not have the change: it was not applied, or
    /// has been undone since. Gateways that ignore the bodies of V1 requests behave like this; use API generation 5.
    NotApplied(Box<Incident>),
    /// The incident was read and does not have the change. A request whose reply was lost may still be in progress and may be
    /// applied later.
    NotYetApplied(Box<Incident>),
    /// The id was not sent, because the run was stopped or ended by an error that every further request would have.
    NotSent,
    /// The run was abandoned while the request was in flight.
    Abandoned,
}

impl Fate {
    /// The error of [`Failed`](Self::Failed) and [`Unknown`](Self::Unknown).
    pub fn error(&self) -> Option<&Error> {
        match self {
            Self::Failed(error) | Self::Unknown(error) => Some(error),
            _ => None,
        }
    }

    /// The incident, if it is known.
    pub fn incident(&self) -> Option<&Incident> {
        match self {
            Self::Found(incident)
            | Self::Updated(incident)
            | Self::NotApplied(incident)
            | Self::NotYetApplied(incident) => Some(incident),
            _ => None,
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(_) => f.write_str("found"),
            Self::Updated(_) => f.write_str("updated"),
            Self::NotFound => f.write_str("the service does not know this id"),
            Self::Failed(error) => write!(f, "failed, and nothing was changed: {error}"),
            Self::Unknown(error) => write!(f, "it is not known whether the change was applied: {error}"),
            Self::NotApplied(_) => f.write_str(
                "not applied: the service answered, but the incident is not changed; a gateway that drops the bodies of V1 \
                 requests answers so, and API generation 5 avoids that",
            ),
            Self::NotYetApplied(_) => {
                f.write_str("not applied so far: a request whose reply was lost may still be applied")
            }
            Self::NotSent => f.write_str("not sent"),
            Self::Abandoned => f.write_str("abandoned while it was under way: it may have been applied"),
        }
    }
}

/// The number of ids by fate. Each distinct id is counted once, when the run yields its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Summary {
    /// [`Fate::Found`].
    pub found: u64,
    /// [`Fate::Updated`].
    pub updated: u64,
    /// [`Fate::NotFound`].
    pub not_found: u64,
    /// [`Fate::Failed`] and [`Fate::NotApplied`].
    pub failed: u64,
    /// [`Fate::Unknown`], [`Fate::NotYetApplied`] and [`Fate::Abandoned`].
    pub unknown: u64,
    /// [`Fate::NotSent`].
    pub not_sent: u64,
    /// The number of repeated ids. They have no outcome of their own and are not part of [`total`](Self::total).
    pub duplicates: u64,
}

impl Summary {
    /// The number of distinct ids.
    pub fn total(&self) -> u64 {
        self.found + self.updated + self.not_found + self.failed + self.unknown + self.not_sent
    }

    pub(super) fn count(&mut self, fate: &Fate) {
        let counter = match fate {
            Fate::Found(_) => &mut self.found,
            Fate::Updated(_) => &mut self.updated,
            Fate::NotFound => &mut self.not_found,
            Fate::Failed(_) | Fate::NotApplied(_) => &mut self.failed,
            Fate::Unknown(_) | Fate::NotYetApplied(_) | Fate::Abandoned => &mut self.unknown,
            Fate::NotSent => &mut self.not_sent,
        };
        *counter += 1;
    }
}
