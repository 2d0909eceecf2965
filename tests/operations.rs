//! Every operation over real HTTP, in both generations. An operation without a case in `call` fails these tests with its name.

use coralogix_incidents::{
    ApiGeneration, ApiKey, Binding, Client, Error, ErrorKind, Operation,
    types::{
        AcknowledgeIncidentsRequest, AssignIncidentsRequest, CloseIncidentsRequest, GetFilterValuesRequest, GroupBy,
        Incident, IncidentFields, IncidentStatus, ListIncidentAggregationsRequest,
        ListIncidentEventsFilterValuesRequest, ListIncidentEventsRequest, ListIncidentEventsTotalCountRequest,
        ListIncidentsRequest, PaginationRequest, ResolveIncidentsRequest, UnassignIncidentsRequest,
    },
};
use coralogix_incidents_emulator::{Emulator, JsonStyle};

use crate::document::DOCUMENT;

/// Calls an operation and checks what it returns.
#[expect(clippy::too_many_lines, reason = "one arm for each operation")]
pub(crate) async fn call(id: &str, client: &Client) -> Result<(), Error> {
    let ids = ["incident_id_1", "incident_id_2"];
    match id {
        "unassignIncidents" => {
            let request = UnassignIncidentsRequest::new([ids[0], ids[1], "no-such-incident"]);
            let response = client.unassign_incidents(&request).await?;
            assert_eq!(response.incidents.len(), 2, "an unknown id is missing from the reply");
            assert!(response.incidents.iter().all(|incident| incident.assignments.is_empty()));
        }
        "assignIncidents" => {
            let request = AssignIncidentsRequest::new(ids, "someone@example.com");
            let response = client.assign_incidents(&request).await?;
            assert!(response.incidents.iter().all(|incident| incident.assignees().eq(["someone@example.com"])));
            assert_eq!(response.incidents.len(), 2);
        }
        "acknowledgeIncidents" => {
            let request = AcknowledgeIncidentsRequest::new(ids);
            let response = client.acknowledge_incidents(&request).await?;
            assert_eq!(response.incidents.len(), 2);
            assert!(response.incidents.iter().all(|incident| incident.status == IncidentStatus::Acknowledged));
        }
        "resolveIncidents" => {
            let response = client.resolve_incidents(&ResolveIncidentsRequest::new(ids)).await?;
            assert_eq!(response.incidents.len(), 2);
            assert!(response.incidents.iter().all(|incident| !incident.is_open()));
        }
        "closeIncidents" => {
            let response = client.close_incidents(&CloseIncidentsRequest::new(ids)).await?;
            assert_eq!(response.incidents.len(), 2);
            assert!(response.incidents.iter().all(|incident| !incident.is_open() && incident.closed_at.is_some()));
        }
        "getIncidentByEventId" => {
            let response = client.get_incident_by_event_id("event_id_1").await?;
            assert_eq!(response.incident.as_ref().unwrap().id, "incident_id_1");
            let error = client.get_incident_by_event_id("no-such-event").await.unwrap_err();
            assert!(error.is_not_found(), "{error}");
        }
        "acknowledgeIncidentByEventId" => {
            let response = client.acknowledge_incident_by_event_id("event_id_1").await?;
            let incident = response.incident.as_ref().unwrap();
            assert_eq!((incident.id.as_str(), &incident.status), ("incident_id_1", &IncidentStatus::Acknowledged));
        }
        "resolveIncidentByEventId" => {
            let response = client.resolve_incident_by_event_id("event_id_2").await?;
            let incident = response.incident.as_ref().unwrap();
            assert!(incident.id == "incident_id_2" && !incident.is_open(), "{incident:?}");
        }
        "listIncidents" => {
            let request =
                ListIncidentsRequest::default().with_pagination(PaginationRequest::default().with_page_size(5));
            let response = client.list_incidents(&request).await?;
            assert_eq!(response.incidents.len(), 5);
            let pagination = response.pagination.as_ref().unwrap();
            assert!(pagination.next_page_token.as_ref().is_some_and(|token| !token.is_empty()), "{pagination:?}");
        }
        "getIncident" => {
            let response = client.get_incident("incident_id_1").await?;
            assert_eq!(response.incident.as_ref().unwrap().id, "incident_id_1");
            let error = client.get_incident("no-such-incident").await.unwrap_err();
            assert!(error.is_not_found(), "{error}");
        }
        "batchGetIncident" => {
            let ids = ["incident_id_1", "no-such-incident"].map(str::to_owned);
            let response = client.batch_get_incident(&ids).await?;
            assert_eq!(response.incidents["incident_id_1"].id, "incident_id_1");
            assert_eq!(response.not_found_ids, ["no-such-incident"]);
        }
        "getIncidentEvents" => {
            let response = client.get_incident_events("incident_id_1").await?;
            assert!(response.incident_events.len() >= 2, "it was opened and assigned: {:?}", response.incident_events);
        }
        "listIncidentEvents" => {
            let response = client.list_incident_events(&ListIncidentEventsRequest::default()).await?;
            assert!(response.items.iter().any(|item| item.incident_event.is_some()));
        }
        "listIncidentEventsTotalCount" => {
            let response =
                client.list_incident_events_total_count(&ListIncidentEventsTotalCountRequest::default()).await?;
            assert!(response.count > Some(10), "{response:?}");
        }
        "listIncidentEventsFilterValues" => {
            let request = ListIncidentEventsFilterValuesRequest::default();
            let response = client.list_incident_events_filter_values(&request).await?;
            assert!(!response.filters_values.as_ref().unwrap().severity_with_count.is_empty(), "{response:?}");
        }
        "getFilterValues" => {
            let response = client.get_filter_values(&GetFilterValuesRequest::default()).await?;
            let values = response.filters_values.as_ref().unwrap();
            let counted: i64 = values.state_with_count.iter().filter_map(|state| state.count).map(i64::from).sum();
            assert!(counted >= 50, "{values:?}");
        }
        "listIncidentAggregations" => {
            // A list of messages is not sent in the query of generation 5.
            let request = ListIncidentAggregationsRequest::default();
            let by = GroupBy::default().with_incident_field(IncidentFields::Severity);
            let in_query = client.api_generation() == Some(ApiGeneration::V5);
            let request = if in_query { request } else { request.with_group_bys([by]) };
            let response = client.list_incident_aggregations(&request).await?;
            let counted: i64 = response.incident_aggs.iter().filter_map(|group| group.all_values_count).sum();
            assert!((in_query || response.incident_aggs.len() > 1) && counted >= 50, "{response:?}");
        }
        id => panic!("tests/operations.rs has no case for the operation {id}"),
    }
    Ok(())
}

pub(crate) fn client(emulator: &Emulator, generation: ApiGeneration) -> Client {
    let key = ApiKey::new(emulator.api_key()).unwrap();
    Client::builder().api_key(key).base_url(emulator.url()).api_generation(generation).build().unwrap()
}

pub(crate) fn operation(id: &str) -> &'static Operation {
    Client::operations().find(|operation| operation.id() == id).unwrap_or_else(|| panic!("no operation {id}"))
}

#[test]
fn the_table_of_operations_is_that_of_the_document() {
    let mut documented = 0;
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, stated) in item.as_object().unwrap() {
            documented += 1;
            let id = stated.get("x-binding-of").unwrap_or(&stated["operationId"]).as_str().unwrap();
            let (operation, method) = (operation(id), method.to_uppercase());
            let mut bindings = operation.bindings().iter();
            let binding = bindings.find(|binding| binding.path() == path && binding.method() == method);
            let binding = binding.unwrap_or_else(|| panic!("{id} has no binding {method} {path}"));
            assert_eq!(stated["x-api-generation"], binding.generation().as_str(), "{id}");
            assert_eq!(stated["x-permission"], operation.permission(), "{id}");
            assert_eq!(stated["x-idempotency"], format!("{:?}", operation.idempotency()).to_lowercase(), "{id}");
            if stated.get("x-binding-of").is_none() {
                assert_eq!(stated["x-personal-key"] == true, operation.requires_personal_key(), "{id}");
                assert_eq!(stated["x-incident-ids"].as_str(), operation.incident_ids(), "{id}");
            }
            // A parameter that is a message is sent as its scalar members, by their dotted paths.
            let parameters = stated["parameters"].as_array().into_iter().flatten();
            let parameters: Vec<_> = parameters.filter(|parameter| parameter["in"] == "query").collect();
            for query in binding.query() {
                let first = query.name().split('.').next();
                let parameter = parameters.iter().find(|parameter| parameter["name"].as_str() == first);
                let parameter = parameter.unwrap_or_else(|| panic!("{id} has no parameter {}", query.name()));
                let member = parameter.get("x-body-member").unwrap_or(&parameter["name"]).as_str();
                assert_eq!(query.member().split('.').next(), member, "{id}");
                if let Some(kind) = parameter["schema"].get("type") {
                    assert_eq!(query.is_list(), kind == "array", "{id} {}", query.name());
                }
            }
        }
    }
    assert_eq!(documented, Client::operations().map(|operation| operation.bindings().len()).sum::<usize>());
}

#[test]
fn a_binding_says_what_its_query_can_carry_and_what_its_path_is() {
    let [v1, v5] = [ApiGeneration::V1, ApiGeneration::V5]
        .map(|generation| operation("listIncidentAggregations").binding(generation).unwrap());
    assert_eq!(v1.excluded_members(), [""; 0]);
    let maps_and_lists_of_messages =
        ["filter.contextualLabels", "filter.displayLabels", "filter.metaLabels", "groupBys"];
    assert_eq!(v5.excluded_members(), maps_and_lists_of_messages);
    assert_eq!((v5.max_page_size(), v1.max_page_size()), (Some(10_000), None));
    let is_list = |name| v5.query().iter().find(|query| query.name() == name).unwrap().is_list();
    assert_eq!((is_list("filter.assignee"), is_list("filter.isMuted")), (true, false));

    let get = operation("getIncident");
    let path_of = |generation, id| get.binding(generation).unwrap().path_of(id).map_err(|error| error.to_string());
    assert_eq!(path_of(ApiGeneration::V1, "50%").unwrap(), "/v1/incidents/50%25");
    assert_eq!(path_of(ApiGeneration::V5, "-._~").unwrap(), "/5/incidents/incidents/v1/-._~");
    assert!(path_of(ApiGeneration::V1, "a/b").unwrap_err().starts_with("`id` contains `/`"));

    let generations = |id| operation(id).bindings().iter().map(Binding::generation).collect::<Vec<_>>();
    assert_eq!(generations("unassignIncidents"), [ApiGeneration::V1, ApiGeneration::V5]);
    assert_eq!(generations("getIncidentByEventId"), [ApiGeneration::V5]);
}

#[tokio::test]
async fn every_operation_works_in_both_generations_and_both_styles_of_json() {
    for style in [JsonStyle::DefaultsOmitted, JsonStyle::NullsPopulated] {
        for &generation in ApiGeneration::ALL {
            for operation in Client::operations() {
                let case = format!("{} {generation} {style:?}", operation.id());
                let emulator = Emulator::builder().json_style(style).start().await.unwrap();
                let outcome = call(operation.id(), &client(&emulator, generation)).await;
                let requests = emulator.requests();
                if operation.binding(generation).is_none() {
                    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::InvalidRequest, "{case}");
                    assert_eq!(requests, [], "{case}: refused before any request");
                    continue;
                }
                outcome.unwrap_or_else(|error| panic!("{case}: {error}"));
                for request in requests {
                    let seen = (request.operation_id, request.generation);
                    assert_eq!(seen, (Some(operation.id()), Some(generation)), "{case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn newer_values_and_fields_break_no_operation() {
    let emulator = Emulator::builder().unknown_values(true).start().await.unwrap();
    let client = client(&emulator, ApiGeneration::V1);
    let listed = client.list_incidents(&ListIncidentsRequest::default()).await.unwrap();
    let newer = |incident: &Incident| {
        incident.state.is_unrecognized() || incident.status.is_unrecognized() || incident.severity.is_unrecognized()
    };
    assert!(listed.incidents.iter().any(newer), "{listed:?}");
    call("getIncident", &client).await.unwrap();
    call("unassignIncidents", &client).await.unwrap();
}
