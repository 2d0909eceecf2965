//! Every operation over real HTTP, in both generations. The table of cases comes from the document by `build.rs`: an operation
//! without a function in `case` fails the build with its name.

use coralogix_incidents::{ApiGeneration, ApiKey, Client, Error, ErrorKind};
use coralogix_incidents_emulator::{Emulator, JsonStyle};
use futures::future::BoxFuture;

use crate::document::document;

pub(crate) struct Case {
    pub(crate) id: &'static str,
    pub(crate) run: fn(&Client) -> BoxFuture<'_, Result<(), Error>>,
}

include!(concat!(env!("OUT_DIR"), "/cases.rs"));

mod case {
    use coralogix_incidents::{
        ApiGeneration, Client, Error,
        types::{
            AcknowledgeIncidentsRequest, AssignIncidentsRequest, CloseIncidentsRequest, GetFilterValuesRequest,
            GroupBy, IncidentFields, IncidentStatus, ListIncidentAggregationsRequest,
            ListIncidentEventsFilterValuesRequest, ListIncidentEventsRequest, ListIncidentEventsTotalCountRequest,
            ListIncidentsRequest, PaginationRequest, ResolveIncidentsRequest, UnassignIncidentsRequest,
        },
    };

    const IDS: [&str; 2] = ["incident_id_1", "incident_id_2"];

    pub(super) async fn unassign_incidents(client: &Client) -> Result<(), Error> {
        let request = UnassignIncidentsRequest::new(["incident_id_1", "incident_id_2", "no-such-incident"]);
        let response = client.unassign_incidents(&request).await?;
        assert_eq!(response.incidents.len(), 2, "an unknown id is missing from the reply");
        assert!(response.incidents.iter().all(|incident| incident.assignments.is_empty()));
        Ok(())
    }

    pub(super) async fn assign_incidents(client: &Client) -> Result<(), Error> {
        let request = AssignIncidentsRequest::new(IDS, "someone@example.com");
        let response = client.assign_incidents(&request).await?;
        assert!(response.incidents.iter().all(|incident| incident.assignees().eq(["someone@example.com"])));
        assert_eq!(response.incidents.len(), 2);
        Ok(())
    }

    pub(super) async fn acknowledge_incidents(client: &Client) -> Result<(), Error> {
        let request = AcknowledgeIncidentsRequest::new(IDS);
        let response = client.acknowledge_incidents(&request).await?;
        assert_eq!(response.incidents.len(), 2);
        assert!(response.incidents.iter().all(|incident| incident.status == IncidentStatus::Acknowledged));
        Ok(())
    }

    pub(super) async fn resolve_incidents(client: &Client) -> Result<(), Error> {
        let response = client.resolve_incidents(&ResolveIncidentsRequest::new(IDS)).await?;
        assert_eq!(response.incidents.len(), 2);
        assert!(response.incidents.iter().all(|incident| !incident.is_open()));
        Ok(())
    }

    pub(super) async fn close_incidents(client: &Client) -> Result<(), Error> {
        let response = client.close_incidents(&CloseIncidentsRequest::new(IDS)).await?;
        assert_eq!(response.incidents.len(), 2);
        assert!(response.incidents.iter().all(|incident| !incident.is_open() && incident.closed_at.is_some()));
        Ok(())
    }

    pub(super) async fn get_incident_by_event_id(client: &Client) -> Result<(), Error> {
        let response = client.get_incident_by_event_id("event_id_1").await?;
        assert_eq!(response.incident.as_ref().unwrap().id, "incident_id_1");
        let error = client.get_incident_by_event_id("no-such-event").await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
        Ok(())
    }

    pub(super) async fn acknowledge_incident_by_event_id(client: &Client) -> Result<(), Error> {
        let response = client.acknowledge_incident_by_event_id("event_id_1").await?;
        let incident = response.incident.as_ref().unwrap();
        assert_eq!((incident.id.as_str(), &incident.status), ("incident_id_1", &IncidentStatus::Acknowledged));
        Ok(())
    }

    pub(super) async fn resolve_incident_by_event_id(client: &Client) -> Result<(), Error> {
        let response = client.resolve_incident_by_event_id("event_id_2").await?;
        let incident = response.incident.as_ref().unwrap();
        assert!(incident.id == "incident_id_2" && !incident.is_open(), "{incident:?}");
        Ok(())
    }

    pub(super) async fn list_incidents(client: &Client) -> Result<(), Error> {
        let request = ListIncidentsRequest::default().with_pagination(PaginationRequest::default().with_page_size(5));
        let response = client.list_incidents(&request).await?;
        assert_eq!(response.incidents.len(), 5);
        let pagination = response.pagination.as_ref().unwrap();
        assert!(pagination.next_page_token.as_ref().is_some_and(|token| !token.is_empty()), "{pagination:?}");
        Ok(())
    }

    pub(super) async fn get_incident(client: &Client) -> Result<(), Error> {
        let response = client.get_incident("incident_id_1").await?;
        assert_eq!(response.incident.as_ref().unwrap().id, "incident_id_1");
        let error = client.get_incident("no-such-incident").await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
        Ok(())
    }

    pub(super) async fn batch_get_incident(client: &Client) -> Result<(), Error> {
        let ids = ["incident_id_1", "no-such-incident"].map(str::to_owned);
        let response = client.batch_get_incident(&ids).await?;
        assert_eq!(response.incidents["incident_id_1"].id, "incident_id_1");
        assert_eq!(response.not_found_ids, ["no-such-incident"]);
        Ok(())
    }

    pub(super) async fn get_incident_events(client: &Client) -> Result<(), Error> {
        let response = client.get_incident_events("incident_id_1").await?;
        assert!(response.incident_events.len() >= 2, "it was opened and assigned: {:?}", response.incident_events);
        Ok(())
    }

    pub(super) async fn list_incident_events(client: &Client) -> Result<(), Error> {
        let response = client.list_incident_events(&ListIncidentEventsRequest::default()).await?;
        assert!(response.items.iter().any(|item| item.incident_event.is_some()));
        Ok(())
    }

    pub(super) async fn list_incident_events_total_count(client: &Client) -> Result<(), Error> {
        let response = client.list_incident_events_total_count(&ListIncidentEventsTotalCountRequest::default()).await?;
        assert!(response.count > Some(10), "{response:?}");
        Ok(())
    }

    pub(super) async fn list_incident_events_filter_values(client: &Client) -> Result<(), Error> {
        let request = ListIncidentEventsFilterValuesRequest::default();
        let response = client.list_incident_events_filter_values(&request).await?;
        assert!(!response.filters_values.as_ref().unwrap().severity_with_count.is_empty(), "{response:?}");
        Ok(())
    }

    pub(super) async fn get_filter_values(client: &Client) -> Result<(), Error> {
        let response = client.get_filter_values(&GetFilterValuesRequest::default()).await?;
        let values = response.filters_values.as_ref().unwrap();
        let counted: i64 = values.state_with_count.iter().filter_map(|state| state.count).map(i64::from).sum();
        assert!(counted >= 50, "{values:?}");
        Ok(())
    }

    pub(super) async fn list_incident_aggregations(client: &Client) -> Result<(), Error> {
        // A list of messages is not sent in the query of generation 5.
        let request = ListIncidentAggregationsRequest::default();
        let by = GroupBy::default().with_incident_field(IncidentFields::Severity);
        let in_query = client.api_generation() == Some(ApiGeneration::V5);
        let request = if in_query { request } else { request.with_group_bys([by]) };
        let response = client.list_incident_aggregations(&request).await?;
        let counted: i64 = response.incident_aggs.iter().filter_map(|group| group.all_values_count).sum();
        assert!((in_query || response.incident_aggs.len() > 1) && counted >= 50, "{response:?}");
        Ok(())
    }
}

pub(crate) fn client(emulator: &Emulator, generation: ApiGeneration) -> Client {
    let key = ApiKey::new(emulator.api_key()).unwrap();
    Client::builder().api_key(key).base_url(emulator.url()).api_generation(generation).build().unwrap()
}

#[test]
fn there_is_a_case_for_each_operation() {
    let cases: Vec<&str> = CASES.iter().map(|case| case.id).collect();
    let operations: Vec<&str> = Client::operations().map(coralogix_incidents::Operation::id).collect();
    assert_eq!(cases, operations);
}

#[test]
fn the_table_of_operations_is_that_of_the_document() {
    let paths = document()["paths"].as_object().unwrap();
    let methods = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| (path, method.to_uppercase(), operation))
    });
    let mut documented = 0;
    for (path, method, stated) in methods {
        documented += 1;
        let id = stated.get("x-binding-of").unwrap_or(&stated["operationId"]).as_str().unwrap();
        let operation = Client::operations().find(|operation| operation.id() == id).unwrap();
        let binding = operation.bindings().iter().find(|binding| binding.path() == path && binding.method() == method);
        let binding = binding.unwrap_or_else(|| panic!("{id} has no binding {method} {path}"));
        assert_eq!(stated["x-api-generation"], binding.generation().as_str(), "{id}");
        assert_eq!(stated["x-permission"], operation.permission(), "{id}");
        assert_eq!(stated["x-idempotency"], format!("{:?}", operation.idempotency()).to_lowercase(), "{id}");
        if stated.get("x-binding-of").is_none() {
            let is_personal = stated.get("x-personal-key").is_some_and(|personal| personal == true);
            assert_eq!(is_personal, operation.requires_personal_key(), "{id}");
            let ids = stated.get("x-incident-ids").and_then(|ids| ids.as_str());
            assert_eq!(ids, operation.incident_ids(), "{id}");
        }
        // A parameter that is a message is sent as its scalar members, by their dotted paths.
        let parameters = stated.get("parameters").and_then(|all| all.as_array()).into_iter().flatten();
        let parameters: Vec<_> = parameters.filter(|parameter| parameter["in"] == "query").collect();
        for query in binding.query() {
            let parameter =
                parameters.iter().find(|parameter| query.name().split('.').next() == parameter["name"].as_str());
            let parameter = parameter.unwrap_or_else(|| panic!("{id} has no parameter {}", query.name()));
            let member = parameter.get("x-body-member").unwrap_or(&parameter["name"]).as_str();
            assert_eq!(query.member().split('.').next(), member, "{id}");
            if let Some(kind) = parameter["schema"].get("type") {
                assert_eq!(query.is_list(), kind == "array", "{id} {}", query.name());
            }
        }
    }
    assert_eq!(documented, Client::operations().map(|operation| operation.bindings().len()).sum::<usize>());

    let aggregations = Client::operations().find(|operation| operation.id() == "listIncidentAggregations").unwrap();
    let excluded = |generation| aggregations.binding(generation).unwrap().excluded_members();
    assert_eq!(excluded(ApiGeneration::V1), [""; 0]);
    let maps_and_lists_of_messages =
        ["filter.contextualLabels", "filter.displayLabels", "filter.metaLabels", "groupBys"];
    assert_eq!(excluded(ApiGeneration::V5), maps_and_lists_of_messages);

    let v5 = aggregations.binding(ApiGeneration::V5).unwrap();
    assert_eq!(
        (v5.max_page_size(), aggregations.binding(ApiGeneration::V1).unwrap().max_page_size()),
        (Some(10_000), None)
    );
    let is_list = |name| v5.query().iter().find(|query| query.name() == name).unwrap().is_list();
    assert_eq!((is_list("filter.assignee"), is_list("filter.isMuted")), (true, false));

    let get = Client::operations().find(|operation| operation.id() == "getIncident").unwrap();
    let path_of = |generation, id| get.binding(generation).unwrap().path_of(id).map_err(|error| error.to_string());
    assert_eq!(path_of(ApiGeneration::V1, "50%").unwrap(), "/v1/incidents/50%25");
    assert_eq!(path_of(ApiGeneration::V5, "-._~").unwrap(), "/5/incidents/incidents/v1/-._~");
    assert!(path_of(ApiGeneration::V1, "a/b").unwrap_err().starts_with("`id` contains `/`"));
}

#[tokio::test]
async fn every_operation_works_in_both_generations_and_both_styles_of_json() {
    for style in [JsonStyle::DefaultsOmitted, JsonStyle::NullsPopulated] {
        for &generation in ApiGeneration::ALL {
            for case in CASES {
                let emulator = Emulator::builder().json_style(style).start().await.unwrap();
                let client = client(&emulator, generation);
                let operation = Client::operations().find(|operation| operation.id() == case.id).unwrap();
                let outcome = (case.run)(&client).await;
                let requests = emulator.requests();
                if operation.binding(generation).is_none() {
                    let error = outcome.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{}: {error}", case.id);
                    assert_eq!(requests, [], "{}: refused before any request", case.id);
                    continue;
                }
                outcome.unwrap_or_else(|error| panic!("{} {generation} {style:?}: {error}", case.id));
                assert!(
                    requests.iter().all(|request| request.generation == Some(generation)),
                    "{}: {requests:?}",
                    case.id
                );
                assert!(
                    requests.iter().all(|request| request.operation_id == Some(case.id)),
                    "{}: {requests:?}",
                    case.id
                );
            }
        }
    }
}

#[tokio::test]
async fn newer_values_and_fields_break_no_operation() {
    use coralogix_incidents::types::{ListIncidentsRequest, UnassignIncidentsRequest};

    let emulator = Emulator::builder().unknown_values(true).start().await.unwrap();
    let client = client(&emulator, ApiGeneration::V1);
    let listed = client.list_incidents(&ListIncidentsRequest::default()).await.unwrap();
    let newer = |incident: &coralogix_incidents::types::Incident| {
        incident.state.is_unrecognized() || incident.status.is_unrecognized() || incident.severity.is_unrecognized()
    };
    assert!(listed.incidents.iter().any(newer), "{listed:?}");
    let request = UnassignIncidentsRequest::new(["incident_id_1", "incident_id_2"]);
    assert_eq!(client.unassign_incidents(&request).await.unwrap().incidents.len(), 2);
    client.get_incident("incident_id_1").await.unwrap();
}
