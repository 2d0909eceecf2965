//! The operations: decode a request, call the state, encode the reply. They know nothing of sockets, keys or faults.

use std::sync::{PoisonError, RwLockReadGuard};

use axum::http::StatusCode;
use coralogix_incidents::{ApiGeneration, types};
use serde::Serialize;

use crate::{
    domain::aggregate::{Values, aggregate, groups},
    domain::events,
    domain::paging::page,
    domain::query::{self, BadQuery, By, SortKey},
    domain::state::{Change, Changed, State, Stored},
    http::request::Parts,
    http::response::Refusal,
    proto_json::writer::encode,
    service::Service,
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

/// Where the service stops counting events.
const COUNT_LIMIT: usize = 10_000;

impl From<BadQuery> for Refusal {
    fn from(BadQuery(problem): BadQuery) -> Self {
        Self::bad_request(problem)
    }
}

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
    let request: types::ListIncidentsRequest = call.parts.body()?;
    let filter = query::Filter::new(request.filter.as_ref())?;
    let orders = query::orders(&request.order_bys)?;
    // Ids make equal keys distinct.
    let descending: Vec<bool> = orders.iter().map(|(_, descends)| *descends).chain([false]).collect();
    let state = call.state();
    let rows = state.all().iter().filter(|stored| filter.matches(stored)).map(|stored| {
        let id = SortKey::Text(stored.incident.id.clone());
        (orders.iter().map(|(by, _)| by.key(stored)).chain([id]).collect(), stored)
    });
    let query = (&request.filter, &request.order_bys);
    let (rows, pagination) = page(rows.collect(), &descending, request.pagination.as_ref(), &query)?;
    let incidents: Vec<_> = rows.into_iter().map(|stored| stored.incident.clone()).collect();
    drop(state);
    call.reply(&types::ListIncidentsResponse::default().with_incidents(incidents).with_pagination(pagination))
}

fn filter_values(call: &Call<'_>) -> Result<Done, Refusal> {
    let request: types::GetFilterValuesRequest = call.parts.body()?;
    let filter = query::Filter::new(request.filter.as_ref())?;
    let mut values = Values::new();
    for stored in call.state().all().iter().filter(|stored| filter.matches(stored)) {
        let incident = &stored.incident;
        values.add(incident, &incident.state, &incident.status, query::assignees(incident));
    }
    let values = values.into_message(request.filter.and_then(|filter| filter.meta_labels_op));
    call.reply(&types::GetFilterValuesResponse::default().with_filters_values(values))
}

fn aggregations(call: &Call<'_>) -> Result<Done, Refusal> {
    let request: types::ListIncidentAggregationsRequest = call.parts.body()?;
    let filter = query::Filter::new(request.filter.as_ref())?;
    let mut by = Vec::with_capacity(request.group_bys.len());
    for group in &request.group_bys {
        let one = By::new(group.incident_field.as_ref(), group.contextual_label.as_ref())?;
        by.push(one.ok_or_else(|| Refusal::bad_request("group_bys: give incident_field or contextual_label"))?);
    }
    let descending: Vec<bool> =
        request.group_bys.iter().map(|group| query::descends(group.order_by_direction.as_ref())).collect();
    let state = call.state();
    let groups = groups(state.all().iter().filter(|stored| filter.matches(stored)), &by);
    let query = (&request.filter, &request.group_bys);
    let (groups, pagination) = page(groups, &descending, request.pagination.as_ref(), &query)?;
    let groups: Vec<_> = groups.iter().map(|members| aggregate(&by, members)).collect();
    drop(state);
    call.reply(
        &types::ListIncidentAggregationsResponse::default().with_incident_aggs(groups).with_pagination(pagination),
    )
}

fn list_events(call: &Call<'_>) -> Result<Done, Refusal> {
    let request: types::ListIncidentEventsRequest = call.parts.body()?;
    let filter = events::Filter::new(request.filter.as_ref());
    let descends = query::descends(request.order_by.as_ref().and_then(|order| order.direction.as_ref()));
    let state = call.state();
    let rows = state.all().iter().flat_map(|stored| filter.select(stored)).map(|row| (row.keys(), row));
    let query = (&request.filter, &request.order_by);
    let (rows, pagination) = page(rows.collect(), &[descends; 3], request.pagination.as_ref(), &query)?;
    let items: Vec<_> = rows.iter().map(events::Row::to_message).collect();
    drop(state);
    call.reply(&types::ListIncidentEventsResponse::default().with_items(items).with_pagination(pagination))
}

fn count_events(call: &Call<'_>) -> Result<Done, Refusal> {
    let request: types::ListIncidentEventsTotalCountRequest = call.parts.body()?;
    let filter = events::Filter::new(request.filter.as_ref());
    let found = call.state().all().iter().flat_map(|stored| filter.select(stored)).take(COUNT_LIMIT + 1).count();
    let count = u64::try_from(found.min(COUNT_LIMIT)).unwrap_or(u64::MAX);
    let reached_limit = found > COUNT_LIMIT;
    call.reply(
        &types::ListIncidentEventsTotalCountResponse::default().with_count(count).with_reached_limit(reached_limit),
    )
}

fn event_filter_values(call: &Call<'_>) -> Result<Done, Refusal> {
    let request: types::ListIncidentEventsFilterValuesRequest = call.parts.body()?;
    let filter = events::Filter::new(request.filter.as_ref());
    let mut values = Values::new();
    for row in call.state().all().iter().flat_map(|stored| filter.select(stored)) {
        values.add(&row.stored.incident, &row.state, &row.status, row.assignee.into_iter());
    }
    let operator = request.filter.and_then(|filter| filter.labels).and_then(|labels| labels.operator);
    call.reply(
        &types::ListIncidentEventsFilterValuesResponse::default().with_filters_values(values.into_message(operator)),
    )
}
