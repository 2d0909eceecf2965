//! The operations of the service, from typed request to typed response. It knows nothing of HTTP or JSON.

use std::collections::BTreeMap;

use coralogix_incidents::types;

use crate::domain::{
    aggregate::{self, Snapshot},
    error::Rejection,
    events::{self, EventRow},
    paging::{PageLimit, page},
    query::{self, Attribute, SortKey},
    state::{State, Stored},
};

/// The service stops counting events here.
const COUNT_LIMIT: usize = 10_000;

/// Finds the one incident that a request asks for.
pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Stored, Rejection> {
    state.get(id).ok_or_else(|| Rejection::NotFound(format!("Not Found: incident {id} does not exist")))
}

/// Finds the incident that an event belongs to.
pub(crate) fn find_by_event<'s>(state: &'s State, event_id: &str) -> Result<&'s Stored, Rejection> {
    let has_event = |stored: &&Stored| {
        stored.incident.events.iter().any(|event| event.id == event_id || events::key(event) == event_id)
    };
    let found = state.all().iter().find(has_event);
    found.ok_or_else(|| Rejection::NotFound(format!("Not Found: no incident has the event {event_id}")))
}

pub(crate) fn batch_get(state: &State, ids: Vec<String>) -> types::BatchGetIncidentResponse {
    let mut response = types::BatchGetIncidentResponse::default();
    for id in ids {
        match state.get(&id) {
            Some(stored) => {
                response.incidents.insert(id, stored.incident.clone());
            }
            None if response.not_found_ids.contains(&id) => {}
            None => response.not_found_ids.push(id),
        }
    }
    response
}

pub(crate) fn list(
    state: &State,
    request: &types::ListIncidentsRequest,
    limit: PageLimit,
) -> Result<types::ListIncidentsResponse, Rejection> {
    let filter = query::Filter::new(request.filter.as_ref())?;
    let orders = query::orders(&request.order_bys)?;
    // The id comes last, so that no two incidents have equal keys.
    let descending: Vec<bool> = orders.iter().map(|(_, descends)| *descends).chain([false]).collect();
    let rows = state.all().iter().filter(|stored| filter.matches(stored)).map(|stored| {
        let id = SortKey::Text(stored.incident.id.clone());
        (orders.iter().map(|(by, _)| by.key(stored)).chain([id]).collect(), stored)
    });
    let query = (&request.filter, &request.order_bys);
    let (rows, pagination) = page(rows.collect(), &descending, request.pagination.as_ref(), limit, &query)?;
    let incidents = rows.into_iter().map(|stored| stored.incident.clone());
    Ok(types::ListIncidentsResponse::default().with_incidents(incidents).with_pagination(pagination))
}

pub(crate) fn filter_values(
    state: &State,
    request: types::GetFilterValuesRequest,
) -> Result<types::GetFilterValuesResponse, Rejection> {
    let filter = query::Filter::new(request.filter.as_ref())?;
    let incidents = state.all().iter().filter(|stored| filter.matches(stored)).map(|stored| &stored.incident);
    let snapshots: Vec<_> = incidents.map(Snapshot::now).collect();
    let values = aggregate::filter_values(&snapshots, request.filter.and_then(|filter| filter.meta_labels_op));
    Ok(types::GetFilterValuesResponse::default().with_filters_values(values))
}

pub(crate) fn aggregations(
    state: &State,
    request: &types::ListIncidentAggregationsRequest,
    limit: PageLimit,
) -> Result<types::ListIncidentAggregationsResponse, Rejection> {
    let filter = query::Filter::new(request.filter.as_ref())?;
    let mut by = Vec::with_capacity(request.group_bys.len());
    for group in &request.group_bys {
        let one = Attribute::new(group.incident_field.as_ref(), group.contextual_label.as_ref())?;
        by.push(one.ok_or_else(|| Rejection::invalid("group_bys: give incident_field or contextual_label"))?);
    }
    let descending: Vec<bool> =
        request.group_bys.iter().map(|group| query::descends(group.order_by_direction.as_ref())).collect();
    let mut groups: BTreeMap<Vec<SortKey>, Vec<&Stored>> = BTreeMap::new();
    for stored in state.all().iter().filter(|stored| filter.matches(stored)) {
        groups.entry(by.iter().map(|by| by.key(stored)).collect()).or_default().push(stored);
    }
    let groups = groups.into_iter().collect();
    let query = (&request.filter, &request.group_bys);
    let (groups, pagination) = page(groups, &descending, request.pagination.as_ref(), limit, &query)?;
    let groups = groups.iter().map(|members| aggregate::aggregate(&by, members));
    Ok(types::ListIncidentAggregationsResponse::default().with_incident_aggs(groups).with_pagination(pagination))
}

pub(crate) fn list_events(
    state: &State,
    request: &types::ListIncidentEventsRequest,
    limit: PageLimit,
) -> Result<types::ListIncidentEventsResponse, Rejection> {
    let filter = events::Filter::new(request.filter.as_ref());
    let descends = query::descends(request.order_by.as_ref().and_then(|order| order.direction.as_ref()));
    let rows = state.all().iter().flat_map(|stored| filter.select(stored)).map(|row| (row.keys(), row));
    let query = (&request.filter, &request.order_by);
    let (rows, pagination) = page(rows.collect(), &[descends; 3], request.pagination.as_ref(), limit, &query)?;
    let items = rows.iter().map(EventRow::to_message);
    Ok(types::ListIncidentEventsResponse::default().with_items(items).with_pagination(pagination))
}

pub(crate) fn count_events(
    state: &State,
    request: &types::ListIncidentEventsTotalCountRequest,
) -> types::ListIncidentEventsTotalCountResponse {
    let filter = events::Filter::new(request.filter.as_ref());
    let found = state.all().iter().flat_map(|stored| filter.select(stored)).take(COUNT_LIMIT + 1).count();
    let count = u64::try_from(found.min(COUNT_LIMIT)).unwrap_or(u64::MAX);
    types::ListIncidentEventsTotalCountResponse::default().with_count(count).with_reached_limit(found > COUNT_LIMIT)
}

pub(crate) fn event_filter_values(
    state: &State,
    request: types::ListIncidentEventsFilterValuesRequest,
) -> types::ListIncidentEventsFilterValuesResponse {
    let filter = events::Filter::new(request.filter.as_ref());
    let rows: Vec<_> = state.all().iter().flat_map(|stored| filter.select(stored)).collect();
    let snapshots: Vec<_> = rows.iter().map(EventRow::snapshot).collect();
    let operator = request.filter.and_then(|filter| filter.labels).and_then(|labels| labels.operator);
    let values = aggregate::filter_values(&snapshots, operator);
    types::ListIncidentEventsFilterValuesResponse::default().with_filters_values(values)
}
