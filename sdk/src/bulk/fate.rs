//! What became of each id, and how many ids met which fate. It knows nothing of requests.

use std::{fmt, sync::Arc};

use crate::{Error, types::Incident};

/// What became of one id.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Outcome {
    /// The id as it was given.
    pub id: String,
    /// What became of it.
    pub fate: Fate,
}

/// What became of an id. `Display` says it in a sentence. Errors are shared by all ids of a request.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Fate {
    /// It was read: the incident as the service has it.
    Found(Box<Incident>),
    /// The service did it: the incident as the reply has it, or, where the reply left that open, as it was read back.
    Updated(Box<Incident>),
    /// The service does not know the id. It said so, left it out of a reply that holds others of the request, or did not have
    /// it when it was read back.
    NotFound,
    /// It was refused, or never reached the service. Nothing was changed.
    Failed(Arc<Error>),
    /// It was sent, and no answer settled what became of it; [`Bulk::reconcile`](super::Bulk::reconcile) does. The same goes
    /// for an id that a reply leaves out while it holds incidents that were not asked for, or that have no id.
    Unknown(Arc<Error>),
    /// The service answered, and the incident, read back, is not as the verb leaves it: the change was not applied, or has
    /// been undone since. A gateway that drops the bodies of V1 requests behaves so; generation 5 is the way out.
    NotApplied(Box<Incident>),
    /// Read back, the incident is not as the verb leaves it. A request whose reply was lost may still be under way, and be
    /// applied later.
    NotYetApplied(Box<Incident>),
    /// It was not sent: the run was stopped, or a refusal that every request would meet ended it.
    NotSent,
    /// The run was abandoned while it was under way.
    Abandoned,
}

impl Fate {
    /// The error, where there is one.
    pub fn error(&self) -> Option<&Error> {
        match self {
            Self::Failed(error) | Self::Unknown(error) => Some(error),
            _ => None,
        }
    }

    /// The incident, where it is known.
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

/// How many ids met which fate. Each distinct id is counted once, under one of them, when its outcome is taken from the run.
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
    /// How often an id was given again. These are in no outcome and not in [`total`](Self::total).
    pub duplicates: u64,
}

impl Summary {
    /// The distinct ids.
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
