//! The operations: decode a request, call the state, encode the reply. They know nothing of sockets, keys or faults.

use std::sync::{PoisonError, RwLockReadGuard};

use axum::http::StatusCode;
use coralogix_incidents::{ApiGeneration, types};
use serde::Serialize;

use crate::{
    json::encode,
    reply::Refusal,
    request::Parts,
    service::Service,
    state::{Change, Changed, State, Stored},
};

/// What one operation does.
pub(crate) type Handler = fn(&Call<'_>) -> Result<Done, Refusal>;

/// A call whose key is accepted.
pub(crate) struct Call<'a> {
    pub(crate) service: &'a Service,
    pub(crate) generation: ApiGeneration,
    /// Whether the ids travel in the query; the method says so.
    pub(crate) ids_in_query: bool,
    pub(crate) parts: &'a Parts,
    pub(crate) user: &'a str,
}

/// A reply, and the ids of the incidents that changed.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) json: Vec<u8>,
    pub(crate) changed: Vec<String>,
}

/// By `operationId`; `None` for one that is not written yet.
pub(crate) fn handler(operation_id: &str) -> Option<Handler> {
    Some(match operation_id {
        "unassignIncidents" => unassign,
        "assignIncidents" => assign,
        "acknowledgeIncidents" => acknowledge,
        "resolveIncidents" => resolve,
        "closeIncidents" => close,
        "getIncident" => get,
        "getIncidentEvents" => get_events,
        "batchGetIncident" => batch_get,
        "listIncidents" => list,
        "getFilterValues" => filter_values,
        "listIncidentAggregations" => aggregations,
        "listIncidentEvents" => list_events,
        "listIncidentEventsTotalCount" => count_events,
        "listIncidentEventsFilterValues" => event_filter_values,
        _ => return None,
    })
}

/// How many ids generation 5 takes at a time.
const MAX_IDS: usize = 10_000;

impl Call<'_> {
    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.service.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn reply<T: Serialize>(&self, message: &T) -> Result<Done, Refusal> {
        self.changed(message, Vec::new())
    }

    fn changed<T: Serialize>(&self, message: &T, changed: Vec<String>) -> Result<Done, Refusal> {
        let json = encode(message, self.service.format)
            .map_err(|problem| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, problem.to_string()))?;
        Ok(Done { json, changed })
    }

    /// Generation 5 documents 1 to 10,000 ids, each a UUID; v1 leaves it open, so that there no ids at all change nothing. The
    /// form of an id is not looked at: the documented ids are no UUIDs either.
    fn check_count(&self, ids: Vec<String>) -> Result<Vec<String>, Refusal> {
        if self.generation == ApiGeneration::V5 && !(1..=MAX_IDS).contains(&ids.len()) {
            let count = ids.len();
            return Err(Refusal::bad_request(format!("incident_ids: {count} ids, where 1 to {MAX_IDS} are allowed")));
        }
        Ok(ids)
    }

    fn apply(&self, change: &Change, ids: Vec<String>) -> Result<Changed, Refusal> {
        let ids = self.check_count(ids)?;
        let now = self.service.clock.now();
        let mut state = self.service.state.write().unwrap_or_else(PoisonError::into_inner);
        Ok(state.apply(change, &ids, self.user, now))
    }

    fn incident(&self, state: &RwLockReadGuard<'_, State>) -> Result<Stored, Refusal> {
        let id = self.parts.path_id.as_deref().unwrap_or_default();
        state
            .get(id)
            .cloned()
            .ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, format!("Not Found: incident {id} does not exist")))
    }
}

fn unassign(call: &Call<'_>) -> Result<Done, Refusal> {
    let ids = if call.ids_in_query {
        call.parts.query_values("incident_ids")?
    } else {
        call.parts.body::<types::UnassignIncidentsRequest>()?.incident_ids
    };
    let changed = call.apply(&Change::Unassign, ids)?;
    call.changed(&types::UnassignIncidentsResponse::default().with_incidents(changed.incidents), changed.ids)
}

fn assign(call: &Call<'_>) -> Result<Done, Refusal> {
    let request: types::AssignIncidentsRequest = call.parts.body()?;
    if request.assigned_to.user_id.is_empty() {
        return Err(Refusal::bad_request("assigned_to: a user id is required"));
    }
    let changed = call.apply(&Change::Assign(request.assigned_to.user_id), request.incident_ids)?;
    call.changed(&types::AssignIncidentsResponse::default().with_incidents(changed.incidents), changed.ids)
}

fn acknowledge(call: &Call<'_>) -> Result<Done, Refusal> {
    let request: types::AcknowledgeIncidentsRequest = call.parts.body()?;
    let changed = call.apply(&Change::Acknowledge, request.incident_ids)?;
    call.changed(&types::AcknowledgeIncidentsResponse::default().with_incidents(changed.incidents), changed.ids)
}

fn resolve(call: &Call<'_>) -> Result<Done, Refusal> {
    let request: types::ResolveIncidentsRequest = call.parts.body()?;
    let changed = call.apply(&Change::Resolve, request.incident_ids)?;
    call.changed(&types::ResolveIncidentsResponse::default().with_incidents(changed.incidents), changed.ids)
}

fn close(call: &Call<'_>) -> Result<Done, Refusal> {
    let request: types::CloseIncidentsRequest = call.parts.body()?;
    let changed = call.apply(&Change::Close, request.incident_ids)?;
    call.changed(&types::CloseIncidentsResponse::default().with_incidents(changed.incidents), changed.ids)
}

fn get(call: &Call<'_>) -> Result<Done, Refusal> {
    let stored = call.incident(&call.state())?;
    call.reply(&types::GetIncidentResponse::default().with_incident(stored.incident))
}

fn get_events(call: &Call<'_>) -> Result<Done, Refusal> {
    let stored = call.incident(&call.state())?;
    call.reply(&types::GetIncidentEventsResponse::default().with_incident_events(stored.incident.events))
}

fn batch_get(call: &Call<'_>) -> Result<Done, Refusal> {
    let ids = call.check_count(call.parts.query_values("ids")?)?;
    let mut response = types::BatchGetIncidentResponse::default();
    let state = call.state();
    for id in ids {
        match state.get(&id) {
            Some(stored) => {
                response.incidents.insert(id, stored.incident.clone());
            }
            None if response.not_found_ids.contains(&id) => {}
            None => response.not_found_ids.push(id),
        }
    }
    drop(state);
    call.reply(&response)
}

fn list(call: &Call<'_>) -> Result<Done, Refusal> {
    let _: types::ListIncidentsRequest = call.parts.body()?;
    let incidents: Vec<_> = call.state().all().iter().map(|stored| stored.incident.clone()).collect();
    call.reply(&types::ListIncidentsResponse::default().with_incidents(incidents))
}

fn todo(_: &Call<'_>) -> Result<Done, Refusal> {
    Err(Refusal::new(StatusCode::NOT_IMPLEMENTED, "not written yet"))
}

use self::{
    todo as filter_values, todo as aggregations, todo as list_events, todo as count_events, todo as event_filter_values,
};
