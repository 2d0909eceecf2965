//! One request of a run and the outcome of each of its ids. It calls the public methods of the client and must not know of the run.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use super::{
    Fate, Verb,
    batch::{UrlLimit, split},
};
use crate::{
    Client, Effect, Error, Operation, ResponseValue,
    generated::operations,
    types::{
        AcknowledgeIncidentsRequest, AssignIncidentsRequest, CloseIncidentsRequest, Incident, ResolveIncidentsRequest,
        UnassignIncidentsRequest,
    },
};

/// What a run does with its ids.
#[derive(Debug)]
pub(super) enum Task {
    Get,
    Change(Verb),
    Reconcile(Verb),
}

impl Task {
    /// The operation that receives the ids.
    pub(super) fn operation(&self) -> &'static Operation {
        match self {
            Self::Change(verb) => verb.operation(),
            Self::Get | Self::Reconcile(_) => &operations::BATCH_GET_INCIDENT,
        }
    }
}

/// The fates of a request's ids, in their order.
pub(super) struct Answer {
    pub(super) fates: Vec<Fate>,
    /// Whether every further request would be refused for the same reason.
    pub(super) is_final: bool,
}

impl Answer {
    fn new(ids: &[String], fate: impl FnMut(&String) -> Fate) -> Self {
        Self { fates: ids.iter().map(fate).collect(), is_final: false }
    }

    /// The answer to a request that failed: all ids share its error.
    fn failed(ids: &[String], error: Error, may_have_changed: bool) -> Self {
        // These refuse the key or the path, and so every request.
        let is_final = error.is_unauthorized() || error.is_permission_denied() || error.is_unknown_route();
        let error = Arc::new(error);
        let fate = |_: &String| {
            let error = Arc::clone(&error);
            if may_have_changed { Fate::Unknown(error) } else { Fate::Failed(error) }
        };
        Self { is_final, ..Self::new(ids, fate) }
    }
}

/// Sends the ids. If the response leaves outcomes open, reads the incidents to find out.
pub(super) async fn perform(client: &Client, task: &Task, ids: &[String]) -> Answer {
    match task {
        Task::Change(verb) => change(client, verb, ids).await,
        Task::Get | Task::Reconcile(_) => match read(client, ids).await {
            Ok(mut read) => Answer::new(ids, |id| match (read.take(id), task) {
                (Ok(incident), Task::Reconcile(verb)) if verb.is_done(&incident) => Fate::Updated(incident),
                (Ok(incident), Task::Reconcile(_)) => Fate::NotYetApplied(incident),
                (Ok(incident), _) => Fate::Found(incident),
                // A read changes nothing.
                (Err(Fate::Unknown(error)), Task::Get) => Fate::Failed(error),
                (Err(fate), _) => fate,
            }),
            // If the read fails, outcomes that were unknown stay unknown.
            Err(error) => Answer::failed(ids, error, matches!(task, Task::Reconcile(_))),
        },
    }
}

async fn change(client: &Client, verb: &Verb, ids: &[String]) -> Answer {
    let reply = match send(client, verb, ids).await {
        Ok(reply) => reply,
        Err(error) if is_missing(ids, &error) => return Answer::new(ids, |_| Fate::NotFound),
        Err(error) => {
            let may_have_changed = error.effect() != Effect::None;
            return Answer::failed(ids, error, may_have_changed);
        }
    };
    // An earlier attempt, which was not answered, may still be in progress.
    let not_done = if reply.uncertain { Fate::NotYetApplied } else { Fate::NotApplied };
    let reported = |incident: Incident| {
        let fate = if verb.is_refuted_by(&incident) { not_done } else { Fate::Updated };
        fate(Box::new(incident))
    };
    if let ([_], [incident]) = (ids, reply.as_slice())
        && incident.id.is_empty()
    {
        // If only one id was sent, an incident without an id is still that one.
        let mut incident = reply.into_inner().remove(0);
        set_missing_id(&mut incident, &ids[0]);
        return Answer { fates: vec![reported(incident)], is_final: false };
    }
    let asked: HashSet<&str> = ids.iter().map(String::as_str).collect();
    if reply.iter().any(|incident| asked.contains(incident.id.as_str())) {
        let other = reply.iter().find(|incident| !asked.contains(incident.id.as_str()));
        let what = other.map(|other| format!("the incident {:?} in it was not asked for", other.id));
        let open = what.map(|what| Arc::new(client.incomplete_response(verb.operation(), &reply, what)));
        let reply = reply.into_inner().into_iter().map(|incident| (incident.id.clone(), incident));
        let mut answered: HashMap<String, Incident> = reply.collect();
        return Answer::new(ids, |id| match (answered.remove(id), &open) {
            (Some(incident), _) => reported(incident),
            (None, Some(error)) => Fate::Unknown(Arc::clone(error)),
            (None, None) => Fate::NotFound,
        });
    }
    // This shows neither that the ids are unknown nor that the change was made.
    let what = if !reply.has_body() {
        "it has no body"
    } else if reply.is_empty() {
        "it holds none of the incidents"
    } else {
        "none of the incidents in it was asked for"
    };
    let open = Arc::new(client.incomplete_response(verb.operation(), &reply, what.to_owned()));
    match read(client, ids).await {
        Ok(mut read) => Answer::new(ids, |id| match read.take(id) {
            Ok(incident) if verb.is_done(&incident) => Fate::Updated(incident),
            Ok(incident) => not_done(incident),
            Err(fate) => fate,
        }),
        Err(_) => Answer::new(ids, |_| Fate::Unknown(Arc::clone(&open))),
    }
}

async fn send(client: &Client, verb: &Verb, ids: &[String]) -> Result<ResponseValue<Vec<Incident>>, Error> {
    let incident_ids = ids.to_vec();
    Ok(match verb {
        Verb::Unassign => {
            let request = UnassignIncidentsRequest { incident_ids };
            client.unassign_incidents(&request).await?.map(|reply| reply.incidents)
        }
        Verb::Assign(user) | Verb::Reassign { to: user, .. } => {
            let request = AssignIncidentsRequest { incident_ids, assigned_to: user.clone() };
            client.assign_incidents(&request).await?.map(|reply| reply.incidents)
        }
        Verb::Acknowledge => {
            let request = AcknowledgeIncidentsRequest { incident_ids };
            client.acknowledge_incidents(&request).await?.map(|reply| reply.incidents)
        }
        Verb::Resolve => {
            let request = ResolveIncidentsRequest { incident_ids };
            client.resolve_incidents(&request).await?.map(|reply| reply.incidents)
        }
        Verb::Close => {
            let request = CloseIncidentsRequest { incident_ids };
            client.close_incidents(&request).await?.map(|reply| reply.incidents)
        }
    })
}

/// Whether the error says that the one id that was sent does not exist: a 404, and no attempt that may have changed something.
fn is_missing(ids: &[String], error: &Error) -> bool {
    ids.len() == 1 && error.is_not_found() && error.effect() == Effect::None
}

/// Sets the id of an incident that the reply shows without one.
fn set_missing_id(incident: &mut Incident, id: &str) {
    if incident.id.is_empty() {
        id.clone_into(&mut incident.id);
    }
}

/// The result of reading incidents.
#[derive(Default)]
struct Read {
    incidents: HashMap<String, Incident>,
    not_found: HashSet<String>,
    /// Why an id that is in neither of them may exist nevertheless.
    open: Option<Arc<Error>>,
}

impl Read {
    fn is_empty(&self) -> bool {
        self.incidents.is_empty() && self.not_found.is_empty()
    }

    fn take(&mut self, id: &str) -> Result<Box<Incident>, Fate> {
        match (self.incidents.remove(id), &self.open) {
            (Some(mut incident), _) => {
                set_missing_id(&mut incident, id);
                Ok(Box::new(incident))
            }
            (None, Some(error)) if !self.not_found.contains(id) => Err(Fate::Unknown(Arc::clone(error))),
            (None, _) => Err(Fate::NotFound),
        }
    }

    fn add(&mut self, client: &Client, ids: &[String], reply: ResponseValue<crate::types::BatchGetIncidentResponse>) {
        let left_out =
            ids.iter().find(|id| !reply.incidents.contains_key(id.as_str()) && !reply.not_found_ids.contains(id));
        if let Some(id) = left_out {
            let what = format!("the incident {id:?} is neither in it nor in its `notFoundIds`");
            let error = client.incomplete_response(&operations::BATCH_GET_INCIDENT, &reply, what);
            self.open.get_or_insert(Arc::new(error));
        }
        let reply = reply.into_inner();
        self.incidents.extend(reply.incidents);
        self.not_found.extend(reply.not_found_ids);
    }
}

/// Reads incidents by id, in as many requests as the length of URLs requires. A service may answer 404 if it does not know one of
/// several ids; then they are read one by one.
async fn read(client: &Client, ids: &[String]) -> Result<Read, Error> {
    let operation = &operations::BATCH_GET_INCIDENT;
    let mut read = Read::default();
    let mut queue: VecDeque<&[String]> = split(ids, UrlLimit::of(client, operation)).collect();
    while let Some(ids) = queue.pop_front() {
        match client.batch_get_incident(ids).await {
            Ok(reply) => read.add(client, ids, reply),
            Err(error) if is_missing(ids, &error) => read.not_found.extend(ids.iter().cloned()),
            Err(error) if error.is_not_found() => ids.chunks(1).rev().for_each(|id| queue.push_front(id)),
            Err(error) if read.is_empty() => return Err(error),
            // What was read so far is kept.
            Err(error) => {
                read.open = Some(Arc::new(error));
                break;
            }
        }
    }
    Ok(read)
}
