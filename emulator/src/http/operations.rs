//! Connects each documented operation to the service's rules: decodes the request, calls the domain, encodes the response.

use axum::http::StatusCode;
use coralogix_incidents::{ApiGeneration, types};
use serde::{Deserialize, Serialize};

use super::{quirk::Quirk, request::RequestParts, response::HttpError, service::Service};
use crate::{
    domain::{
        operations,
        state::{Change, Changed},
    },
    proto_json::{
        json_writer,
        schema::{Described, Field, Kind, Message},
    },
};

/// Serves an authorized call of one operation.
pub(crate) type Handler = fn(&Call<'_>) -> Result<OperationResult, HttpError>;

/// An authorized call.
pub(crate) struct Call<'a> {
    pub(crate) service: &'a Service,
    pub(crate) generation: ApiGeneration,
    pub(crate) parts: &'a RequestParts,
    /// The owner of the API key.
    pub(crate) user: &'a str,
}

/// A response body, and the ids of the incidents that the call changed.
#[derive(Debug)]
pub(crate) struct OperationResult {
    pub(crate) json: Vec<u8>,
    pub(crate) changed: Vec<String>,
}

/// Where a request names incidents, for the request log.
#[derive(Debug, Clone, Copy)]
pub(crate) enum IncidentIds {
    /// The path's parameter is the id of an incident.
    Path,
    /// The ids are this member of the request message, given in both spellings.
    Member(&'static str, &'static str),
    /// The request names no incidents.
    None,
}

impl IncidentIds {
    pub(crate) fn of(self, parts: &RequestParts) -> Vec<String> {
        match self {
            Self::Path => parts.path_parameter.iter().cloned().collect(),
            Self::Member(name, proto_name) => parts.texts(name, proto_name),
            Self::None => Vec::new(),
        }
    }
}

/// The handler of an operation, and where its requests name incidents; `None` for an operation that has no handler yet.
pub(crate) fn handler(operation_id: &str) -> Option<(Handler, IncidentIds)> {
    const INCIDENT_IDS: IncidentIds = IncidentIds::Member("incidentIds", "incident_ids");
    Some(match operation_id {
        "unassignIncidents" => (unassign, INCIDENT_IDS),
        "assignIncidents" => (assign, INCIDENT_IDS),
        "acknowledgeIncidents" => (acknowledge, INCIDENT_IDS),
        "resolveIncidents" => (resolve, INCIDENT_IDS),
        "closeIncidents" => (close, INCIDENT_IDS),
        "batchGetIncident" => (batch_get, IncidentIds::Member("ids", "ids")),
        "getIncident" => (get_incident, IncidentIds::Path),
        "getIncidentEvents" => (get_incident_events, IncidentIds::Path),
        "listIncidents" => (list_incidents, IncidentIds::None),
        "getIncidentByEventId" => (
            |call| {
                let response = operations::get_incident_by_event_id(&call.service.read_state(), call.path_parameter())?;
                call.reply(&response)
            },
            IncidentIds::None,
        ),
        "acknowledgeIncidentByEventId" => (acknowledge_by_event, IncidentIds::None),
        "resolveIncidentByEventId" => (resolve_by_event, IncidentIds::None),
        "getFilterValues" => (
            |call| call.reply(&operations::filter_values(&call.service.read_state(), call.parts.message()?)?),
            IncidentIds::None,
        ),
        "listIncidentAggregations" => (
            |call| call.reply(&operations::aggregations(&call.service.read_state(), &call.parts.message()?)?),
            IncidentIds::None,
        ),
        "listIncidentEvents" => (
            |call| call.reply(&operations::list_events(&call.service.read_state(), &call.parts.message()?)?),
            IncidentIds::None,
        ),
        "listIncidentEventsTotalCount" => (
            |call| call.reply(&operations::count_events(&call.service.read_state(), &call.parts.message()?)),
            IncidentIds::None,
        ),
        "listIncidentEventsFilterValues" => (
            |call| call.reply(&operations::event_filter_values(&call.service.read_state(), call.parts.message()?)),
            IncidentIds::None,
        ),
        _ => return None,
    })
}

/// How many ids generation 5 accepts in one request.
const MAX_IDS: usize = 10_000;

impl Call<'_> {
    fn reply<T: Serialize + Described>(&self, message: &T) -> Result<OperationResult, HttpError> {
        self.reply_changed(message, Vec::new())
    }

    fn reply_changed<T: Serialize + Described>(
        &self,
        message: &T,
        changed: Vec<String>,
    ) -> Result<OperationResult, HttpError> {
        let json = json_writer::write(message, self.service.format)
            .map_err(|problem| HttpError::new(StatusCode::INTERNAL_SERVER_ERROR, problem.to_string()))?;
        Ok(OperationResult { json, changed })
    }

    /// Checks the number of ids: generation 5 documents 1 to 10,000. V1 documents no limit; there, no ids change nothing.
    /// The format of an id is not checked: generation 5 documents UUIDs, but the ids of the documented sample are none.
    fn check_count(&self, ids: Vec<String>) -> Result<Vec<String>, HttpError> {
        if self.generation == ApiGeneration::V5 && !(1..=MAX_IDS).contains(&ids.len()) {
            let count = ids.len();
            return Err(HttpError::bad_request(format!("incident_ids: {count} ids; allowed are 1 to {MAX_IDS}")));
        }
        if ids.is_empty() && self.service.has(Quirk::RefusedBodies) {
            return Err(HttpError::bad_request("incident_ids: at least one id is required"));
        }
        Ok(ids)
    }

    fn change(&self, change: &Change, ids: Vec<String>) -> Result<Changed, HttpError> {
        let ids = self.check_count(ids)?;
        let now = self.service.clock.now();
        Ok(self.service.write_state().apply(change, &ids, self.user, now))
    }

    /// Changes the incident that the event of the path belongs to.
    fn change_by_event(&self, change: &Change) -> Result<(types::Incident, Vec<String>), HttpError> {
        let now = self.service.clock.now();
        let mut state = self.service.write_state();
        let id = operations::find_by_event(&state, self.path_parameter())?.incident.id.clone();
        let Changed { mut incidents, ids } = state.apply(change, &[id], self.user, now);
        Ok((incidents.pop().unwrap_or_default(), ids))
    }

    fn path_parameter(&self) -> &str {
        self.parts.path_parameter.as_deref().unwrap_or_default()
    }
}

fn unassign(call: &Call<'_>) -> Result<OperationResult, HttpError> {
    let request: types::UnassignIncidentsRequest = call.parts.message()?;
    let changed = call.change(&Change::Unassign, request.incident_ids)?;
    call.reply_changed(&types::UnassignIncidentsResponse::default().with_incidents(changed.incidents), changed.ids)
}

fn assign(call: &Call<'_>) -> Result<OperationResult, HttpError> {
    let request: types::AssignIncidentsRequest = call.parts.message()?;
    if request.assigned_to.user_id.is_empty() && !request.incident_ids.is_empty() {
        return Err(HttpError::bad_request("assigned_to: a user id is required"));
    }
    let changed = call.change(&Change::Assign(request.assigned_to.user_id), request.incident_ids)?;
    call.reply_changed(&types::AssignIncidentsResponse::default().with_incidents(changed.incidents), changed.ids)
}

fn acknowledge(call: &Call<'_>) -> Result<OperationResult, HttpError> {
    let request: types::AcknowledgeIncidentsRequest = call.parts.message()?;
    let changed = call.change(&Change::Acknowledge, request.incident_ids)?;
    call.reply_changed(&types::AcknowledgeIncidentsResponse::default().with_incidents(changed.incidents), changed.ids)
}

fn resolve(call: &Call<'_>) -> Result<OperationResult, HttpError> {
    let request: types::ResolveIncidentsRequest = call.parts.message()?;
    let changed = call.change(&Change::Resolve, request.incident_ids)?;
    call.reply_changed(&types::ResolveIncidentsResponse::default().with_incidents(changed.incidents), changed.ids)
}

fn acknowledge_by_event(call: &Call<'_>) -> Result<OperationResult, HttpError> {
    let (incident, changed) = call.change_by_event(&Change::Acknowledge)?;
    call.reply_changed(&types::AcknowledgeIncidentByEventIdResponse::default().with_incident(incident), changed)
}

fn resolve_by_event(call: &Call<'_>) -> Result<OperationResult, HttpError> {
    let (incident, changed) = call.change_by_event(&Change::Resolve)?;
    call.reply_changed(&types::ResolveIncidentByEventIdResponse::default().with_incident(incident), changed)
}

fn close(call: &Call<'_>) -> Result<OperationResult, HttpError> {
    let request: types::CloseIncidentsRequest = call.parts.message()?;
    let changed = call.change(&Change::Close, request.incident_ids)?;
    call.reply_changed(&types::CloseIncidentsResponse::default().with_incidents(changed.incidents), changed.ids)
}

/// The document has no request message for this operation, whose ids always travel in the query.
#[derive(Deserialize)]
struct BatchGetRequest {
    #[serde(default)]
    ids: Vec<String>,
}

static BATCH_GET_REQUEST: Message =
    Message { name: "BatchGetRequest", fields: &[Field::list("ids", "ids", Kind::String)] };

impl Described for BatchGetRequest {
    const MESSAGE: &'static Message = &BATCH_GET_REQUEST;
}

fn batch_get(call: &Call<'_>) -> Result<OperationResult, HttpError> {
    let request: BatchGetRequest = call.parts.message()?;
    let ids = call.check_count(request.ids)?;
    let response = operations::batch_get(&call.service.read_state(), ids);
    call.reply(&response)
}

fn list_incidents(call: &Call<'_>) -> Result<OperationResult, HttpError> {
    let mut response = operations::list(&call.service.read_state(), &call.parts.message()?)?;
    let token = response.pagination.as_mut().filter(|_| call.service.has(Quirk::TopLevelPageToken));
    let token = token.and_then(|pagination| pagination.next_page_token.take());
    response.next_page_token = token;
    call.reply(&response)
}

fn get_incident(call: &Call<'_>) -> Result<OperationResult, HttpError> {
    let response = operations::get_incident(&call.service.read_state(), call.path_parameter())?;
    call.reply(&response)
}

fn get_incident_events(call: &Call<'_>) -> Result<OperationResult, HttpError> {
    let response = operations::get_incident_events(&call.service.read_state(), call.path_parameter())?;
    call.reply(&response)
}
