//! Connects each documented operation to the service's rules: decodes the request, calls the domain, encodes the response.

use axum::http::StatusCode;
use coralogix_incidents::{
    Binding,
    types::{self, Incident},
};
use serde::{Deserialize, Serialize};

use super::{quirk::Quirk, request::RequestParts, response::HttpError, service::Service};
use crate::{
    domain::{
        error::Rejection,
        operations,
        paging::PageLimit,
        state::{Change, Changed, State, Stored},
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
    pub(crate) binding: &'static Binding,
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

/// The handler of a change that needs nothing but the ids of incidents.
macro_rules! change {
    ($change:ident, $request:ident, $response:ident) => {
        |call| {
            let request: types::$request = call.parts.message()?;
            let changed = call.change(&Change::$change, request.incident_ids)?;
            call.reply_changed(&types::$response::default().with_incidents(changed.incidents), changed.ids)
        }
    };
}

/// The handler of an operation. `None` for an operation that has no handler yet.
pub(crate) fn handler(operation_id: &str) -> Option<Handler> {
    Some(match operation_id {
        "unassignIncidents" => change!(Unassign, UnassignIncidentsRequest, UnassignIncidentsResponse),
        "assignIncidents" => assign,
        "acknowledgeIncidents" => change!(Acknowledge, AcknowledgeIncidentsRequest, AcknowledgeIncidentsResponse),
        "resolveIncidents" => change!(Resolve, ResolveIncidentsRequest, ResolveIncidentsResponse),
        "closeIncidents" => change!(Close, CloseIncidentsRequest, CloseIncidentsResponse),
        "batchGetIncident" => batch_get,
        "getIncident" => |call| {
            let incident = call.find(operations::find)?;
            call.reply(&types::GetIncidentResponse::default().with_incident(incident))
        },
        "getIncidentEvents" => |call| {
            let events = call.find(operations::find)?.events;
            call.reply(&types::GetIncidentEventsResponse::default().with_incident_events(events))
        },
        "getIncidentByEventId" => |call| {
            let incident = call.find(operations::find_by_event)?;
            call.reply(&types::GetIncidentByEventIdResponse::default().with_incident(incident))
        },
        "acknowledgeIncidentByEventId" => |call| {
            let (incident, changed) = call.change_by_event(&Change::Acknowledge)?;
            call.reply_changed(&types::AcknowledgeIncidentByEventIdResponse::default().with_incident(incident), changed)
        },
        "resolveIncidentByEventId" => |call| {
            let (incident, changed) = call.change_by_event(&Change::Resolve)?;
            call.reply_changed(&types::ResolveIncidentByEventIdResponse::default().with_incident(incident), changed)
        },
        "listIncidents" => list_incidents,
        "getFilterValues" => |call| call.read(|state| Ok(operations::filter_values(state, call.parts.message()?)?)),
        "listIncidentAggregations" => {
            |call| call.read(|state| Ok(operations::aggregations(state, &call.parts.message()?, call.page_limit())?))
        }
        "listIncidentEvents" => {
            |call| call.read(|state| Ok(operations::list_events(state, &call.parts.message()?, call.page_limit())?))
        }
        "listIncidentEventsTotalCount" => {
            |call| call.read(|state| Ok(operations::count_events(state, &call.parts.message()?)))
        }
        "listIncidentEventsFilterValues" => {
            |call| call.read(|state| Ok(operations::event_filter_values(state, call.parts.message()?)))
        }
        _ => return None,
    })
}

/// The largest page where the document states no maximum.
const UNDOCUMENTED_MAX_PAGE_SIZE: usize = 1000;

impl Call<'_> {
    /// Responds with what an operation reads from the state. The response is encoded after the state is released.
    fn read<T: Serialize + Described>(
        &self,
        operation: impl FnOnce(&State) -> Result<T, HttpError>,
    ) -> Result<OperationResult, HttpError> {
        let response = operation(&self.service.read_state())?;
        self.reply(&response)
    }

    /// Finds the incident that the path names.
    fn find(&self, find: for<'s> fn(&'s State, &str) -> Result<&'s Stored, Rejection>) -> Result<Incident, HttpError> {
        Ok(find(&self.service.read_state(), self.path_parameter())?.incident.clone())
    }

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

    /// Checks the number of ids: at least one, and at most the documented maximum. Where no maximum is documented, as in V1, no
    /// ids change nothing. The format of an id is not checked: generation 5 documents UUIDs, but the ids of the documented sample are none.
    fn check_count(&self, ids: Vec<String>) -> Result<Vec<String>, HttpError> {
        if let Some(max) = self.binding.max_incident_ids()
            && !(1..=max).contains(&ids.len())
        {
            let count = ids.len();
            return Err(HttpError::bad_request(format!("incident_ids: {count} ids; allowed are 1 to {max}")));
        }
        if ids.is_empty() && self.service.has(Quirk::RefusedBodies) {
            return Err(HttpError::bad_request("incident_ids: at least one id is required"));
        }
        Ok(ids)
    }

    /// Pages larger than a documented maximum are rejected. V1 documents none.
    fn page_limit(&self) -> PageLimit {
        self.binding.max_page_size().map_or(PageLimit::Reduce(UNDOCUMENTED_MAX_PAGE_SIZE), PageLimit::Reject)
    }

    fn change(&self, change: &Change, ids: Vec<String>) -> Result<Changed, HttpError> {
        let ids = self.check_count(ids)?;
        let now = self.service.now();
        Ok(self.service.write_state().apply(change, &ids, self.user, now))
    }

    /// Changes the incident that the event of the path belongs to.
    fn change_by_event(&self, change: &Change) -> Result<(Incident, Vec<String>), HttpError> {
        let now = self.service.now();
        let mut state = self.service.write_state();
        let id = operations::find_by_event(&state, self.path_parameter())?.incident.id.clone();
        let Changed { mut incidents, ids } = state.apply(change, &[id], self.user, now);
        Ok((incidents.pop().unwrap_or_default(), ids))
    }

    fn path_parameter(&self) -> &str {
        self.parts.path_parameter.as_deref().unwrap_or_default()
    }
}

fn assign(call: &Call<'_>) -> Result<OperationResult, HttpError> {
    let request: types::AssignIncidentsRequest = call.parts.message()?;
    if request.assigned_to.user_id.is_empty() && !request.incident_ids.is_empty() {
        return Err(HttpError::bad_request("assigned_to: a user id is required"));
    }
    let changed = call.change(&Change::Assign(request.assigned_to.user_id), request.incident_ids)?;
    call.reply_changed(&types::AssignIncidentsResponse::default().with_incidents(changed.incidents), changed.ids)
}

/// The document has no request message for this operation, whose ids are always sent in the query.
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
    call.read(|state| Ok(operations::batch_get(state, ids)))
}

fn list_incidents(call: &Call<'_>) -> Result<OperationResult, HttpError> {
    call.read(|state| {
        let mut response = operations::list(state, &call.parts.message()?, call.page_limit())?;
        if call.service.has(Quirk::TopLevelPageToken)
            && let Some(pagination) = &mut response.pagination
        {
            response.next_page_token = pagination.next_page_token.take();
        }
        Ok(response)
    })
}
