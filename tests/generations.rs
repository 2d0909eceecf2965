//! Which API generation a client uses: found by itself, remembered by all clones, and the same in every way of calling.

use std::time::Duration;

use coralogix_incidents::{
    ApiGeneration, Client, Effect, RetryBudget,
    bulk::Fate,
    types::{
        AcknowledgeIncidentsRequest, DisplayLabelValues, GroupBy, IncidentQueryFilter, IncidentSeverity,
        IncidentStatus, ListIncidentAggregationsRequest, ListIncidentsRequest, PaginationRequest,
        UnassignIncidentsRequest,
    },
};
use coralogix_incidents_emulator::{Emulator, GatewayStyle, JsonStyle, Sample};
use futures::{StreamExt, TryStreamExt};

use crate::{
    operations::call,
    scripted_server::{GOOD, ScriptedServer, Step, empty, json, once, response, unassign},
};

async fn only(generation: ApiGeneration) -> Emulator {
    Emulator::builder().generations([generation]).start().await.unwrap()
}

fn unknown_routes(emulator: &Emulator) -> usize {
    emulator.requests().iter().filter(|request| request.operation_id.is_none()).count()
}

fn not_found() -> Step {
    json("404 Not Found", r#"{"code":5,"message":"Not Found","details":[]}"#)
}

#[tokio::test]
async fn every_operation_works_with_nothing_configured_where_one_generation_answers() {
    for gateway in [GatewayStyle::V2_10, GatewayStyle::V1_6] {
        for style in [JsonStyle::DefaultsOmitted, JsonStyle::NullsPopulated] {
            for &generation in ApiGeneration::ALL {
                for operation in Client::operations() {
                    let case = format!("{} {generation} {style:?} {gateway:?}", operation.id());
                    let emulator = Emulator::builder().generations([generation]).json_style(style).gateway(gateway);
                    let emulator = emulator.start().await.unwrap();
                    let client = emulator.client().unwrap();
                    // `call` asks which generation the client uses.
                    let _ = client.list_incidents(&ListIncidentsRequest::default()).await.unwrap();
                    let expected = usize::from(generation == ApiGeneration::V5);
                    assert_eq!(unknown_routes(&emulator), expected, "{case}");
                    let outcome = call(operation.id(), &client).await;
                    if operation.binding(generation).is_some() {
                        outcome.unwrap_or_else(|error| panic!("{case}: {error}"));
                        assert_eq!(unknown_routes(&emulator), expected, "{case}");
                    } else {
                        let error = outcome.unwrap_err();
                        assert!(error.is_unknown_route() && error.effect() == Effect::None, "{case}: {error}");
                    }
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_generation_that_answers_is_found_and_remembered_by_all_clones() {
    let v1 = (ApiGeneration::V1, "POST /mgmt/openapi/v1/incidents:unassign HTTP/1.1\r\n");
    let v5 =
        (ApiGeneration::V5, "DELETE /mgmt/openapi/5/incidents/incidents/v1/all/by-user?incident_ids=incident_id_1 ");
    // An unknown route is no retry: it takes no token of the budget.
    for (steps, tokens, (generation, line)) in [
        (vec![], 0, v1),
        (vec![not_found()], 0, v5),
        (vec![Step::Reply(response("404 Not Found", "content-type: text/plain\r\n", "Not Found: Not Found"))], 0, v5),
        (vec![json("501 Not Implemented", r#"{"code":12,"message":"Not Implemented"}"#)], 0, v5),
        (vec![json("405 Method Not Allowed", "")], 0, v5),
        // After a lost reply.
        (vec![Step::Reset(vec![]), not_found()], 5, v5),
        // A gateway that drops the bodies of V1 requests answers with none of the incidents.
        (vec![json("200 OK", "{}")], 0, v5),
    ] {
        let (attempts, case) = (steps.len() + 1, format!("{steps:?}"));
        let server = ScriptedServer::start(steps);
        let client = server.builder().retry_budget(RetryBudget::with_capacity(tokens)).build().unwrap();
        assert_eq!(client.api_generation(), None);
        let reply = unassign(&client).await.unwrap();
        assert_eq!(
            (reply.incidents.len(), reply.api_generation(), reply.attempts() as usize),
            (1, generation, attempts),
            "{case}"
        );
        assert_eq!(client.api_generation(), Some(generation), "{case}");
        unassign(&client.clone()).await.unwrap();
        let requests = server.requests();
        assert_eq!(requests.len(), attempts + 1, "the clone knows: {case}");
        assert!(requests[0].starts_with(v1.1), "the documented request is first: {case}");
        assert!(requests[0].ends_with("\r\n\r\n{\"incidentIds\":[\"incident_id_1\"]}"), "{case}");
        assert!(requests[attempts - 1..].iter().all(|request| request.starts_with(line)), "{case}");
        assert!(requests[..attempts].iter().all(|request| request.contains(reply.correlation_id())), "{case}");
    }
}

#[tokio::test]
async fn a_call_that_may_have_been_processed_is_not_sent_in_the_other_generation() {
    for refused in [
        json("403 Forbidden", r#"{"code":7,"message":"no"}"#),
        json("400 Bad Request", r#"{"code":3,"message":"no"}"#),
        json("404 Not Found", r#"{"code":5,"message":"incident does not exist"}"#),
        json("500 Internal Server Error", r#"{"code":13,"message":"no"}"#),
        Step::Reset(Vec::new()),
    ] {
        let server = ScriptedServer::start([refused]);
        let client = server.builder().build().unwrap().with_options(once());
        unassign(&client).await.unwrap_err();
        assert_eq!((server.requests().len(), client.api_generation()), (1, None), "a refusal shows no generation");
    }
}

#[tokio::test]
async fn an_operation_in_one_generation_shows_nothing_about_the_others() {
    let server = ScriptedServer::start([json("200 OK", r#"{"incident":{"id":"a"}}"#)]);
    let client = server.builder().build().unwrap();
    client.get_incident_by_event_id(&"e".repeat(64)).await.unwrap();
    assert_eq!(client.api_generation(), None);
    unassign(&client).await.unwrap();
    assert!(server.requests()[1].starts_with("POST /mgmt/openapi/v1/incidents:unassign "), "the documented request");
}

#[tokio::test]
async fn a_host_that_knows_neither_generation_is_reported_once_with_its_base_url() {
    let server = ScriptedServer::start([not_found(), not_found()]);
    let error = unassign(&server.builder().build().unwrap()).await.unwrap_err();
    assert!(error.is_unknown_route() && error.effect() == Effect::None && error.attempts() == 2, "{error}");
    let expected = format!("{} knows this path in no API generation: check the base URL", server.url());
    assert!(error.to_string().contains(&expected), "{error}");
}

#[tokio::test]
async fn a_404_that_may_be_about_an_incident_is_not_found_once_a_generation_has_answered() {
    let nothing = || empty("404 Not Found");
    let server = ScriptedServer::start([json("200 OK", GOOD), nothing()]);
    let client = server.builder().build().unwrap();
    unassign(&client).await.unwrap();
    assert!(client.get_incident("a").await.unwrap_err().is_not_found());
    assert_eq!(server.requests().len(), 2);
    // Before, it may be the route.
    let server = ScriptedServer::start([nothing(), json("200 OK", r#"{"incident":{"id":"a"}}"#)]);
    let reply = server.builder().build().unwrap().get_incident("a").await.unwrap();
    assert_eq!((reply.api_generation(), reply.attempts()), (ApiGeneration::V5, 2));
}

#[tokio::test]
async fn a_base_url_that_ends_in_generation_5_fixes_it() {
    let server = ScriptedServer::start([]);
    for end in ["/5", "/5/", "/4", "/latest/"] {
        let client = server.builder().base_url(server.url() + end).build().unwrap();
        assert_eq!(client.api_generation(), Some(ApiGeneration::V5));
        unassign(&client).await.unwrap();
        let end = end.trim_end_matches('/');
        let expected = format!("DELETE /mgmt/openapi{end}/incidents/incidents/v1/all/by-user?");
        assert!(server.requests().last().unwrap().starts_with(&expected), "{:?}", server.requests().last());
    }
}

#[tokio::test]
async fn bulk_streams_and_hand_over_work_with_nothing_configured() {
    for &generation in ApiGeneration::ALL {
        let ids: Vec<String> = (0..1000).map(|id| format!("00000000-0000-4000-8000-{id:012}")).collect();
        let incidents = ids.iter().map(|id| Sample::new(id).assigned_to("alice"));
        let emulator = Emulator::builder().generations([generation]).incidents(incidents).start().await.unwrap();
        let client = emulator.client().unwrap();
        let page = PaginationRequest::default().with_page_size(100);
        let listed = client.list_incidents_stream(ListIncidentsRequest::default().with_pagination(page));
        assert_eq!(listed.try_collect::<Vec<_>>().await.unwrap().len(), 1000);
        let report = client.hand_over("alice", "bob").await.unwrap();
        assert_eq!((report.moved.len(), report.is_complete()), (1000, true), "{generation}");
        let expected = usize::from(generation == ApiGeneration::V5);
        assert_eq!(unknown_routes(&emulator), expected, "{generation}");

        // Many connections at the start: none meets an unknown route twice.
        emulator.clear_requests();
        let client = emulator.client().unwrap();
        let mut run = client.bulk().concurrency(8).ids_per_request(10_000).unassign(ids);
        while let Some(outcome) = run.next().await {
            assert!(matches!(outcome.fate, Fate::Updated(_)), "{outcome:?}");
        }
        assert!(unknown_routes(&emulator) <= 8 * expected, "{generation}: {}", unknown_routes(&emulator));
        emulator.clear_requests();
        let (first, second) = ("00000000-0000-4000-8000-000000000000", Duration::from_secs(1));
        client.wait_for_status(first, &IncidentStatus::Triggered, second, second).await.unwrap();
        assert_eq!(unknown_routes(&emulator), 0);
    }
}

#[tokio::test]
async fn members_that_a_query_does_not_support_are_refused_before_anything_is_sent() {
    let emulator = only(ApiGeneration::V5).await;
    let client = crate::operations::client(&emulator, ApiGeneration::V5);
    let request = ListIncidentAggregationsRequest::default().with_group_bys([GroupBy::default()]);
    let error = client.list_incident_aggregations(&request).await.unwrap_err();
    assert!(error.to_string().starts_with("`groupBys` cannot be sent in the query"), "{error}");
    assert_eq!((error.effect(), error.attempts(), emulator.requests().len()), (Effect::None, 0, 0));
    let labels = IncidentQueryFilter::default().with_display_labels([("a", DisplayLabelValues::default())]);
    let request = ListIncidentAggregationsRequest::default().with_filter(labels);
    let error = client.list_incident_aggregations(&request).await.unwrap_err();
    assert!(error.to_string().starts_with("`filter.displayLabels` cannot be sent in the query"), "{error}");
    // An empty filter sends nothing.
    let request = ListIncidentAggregationsRequest::default().with_filter(IncidentQueryFilter::default());
    client.list_incident_aggregations(&request).await.unwrap();
    assert!(!emulator.requests()[0].path.contains('='), "{:?}", emulator.requests());
}

#[tokio::test]
async fn members_that_are_set_are_sent_in_the_query() {
    let server = ScriptedServer::start([json("200 OK", "{}")]);
    let client = server.builder().api_generation(ApiGeneration::V5).build().unwrap();
    let filter = IncidentQueryFilter::default()
        .with_assignee(["a b", "c"])
        .with_severity([IncidentSeverity::Critical])
        .with_is_muted(false);
    let page = PaginationRequest::default().with_page_size(5);
    let request = ListIncidentAggregationsRequest::default().with_filter(filter).with_pagination(page);
    client.list_incident_aggregations(&request).await.unwrap();
    let expected = "GET /mgmt/openapi/5/incidents/aggregations/v1?filter.assignee=a+b&filter.assignee=c\
                    &filter.severity=INCIDENT_SEVERITY_CRITICAL&filter.isMuted=false&pagination.pageSize=5 HTTP/1.1\r\n";
    assert!(server.requests()[0].starts_with(expected), "{:?}", server.requests());
}

/// The limit of 8 KiB holds for whole URLs: those that are built, those that bulk runs fill, and those of reading.
#[tokio::test]
async fn a_url_of_the_maximum_length_is_sent_and_a_longer_one_is_not() {
    let server = ScriptedServer::repeating(json("200 OK", "{}"));
    let client = server.builder().api_generation(ApiGeneration::V5).build().unwrap();
    let ids = |path: &str, parameter: &str, spare: usize| {
        let taken = server.url().len() + path.len() + 3 * (parameter.len() + 2);
        let left = 8192 - taken - spare;
        ["a".repeat(left / 3), "b".repeat(left / 3), "c".repeat(left - 2 * (left / 3))]
    };
    let fits = ids("/5/incidents/incidents/v1/all/by-user", "incident_ids", 0);
    client.unassign_incidents(&UnassignIncidentsRequest::new(fits.clone())).await.unwrap();
    let mut longer = fits.clone();
    longer[2].push('c');
    let error = client.unassign_incidents(&UnassignIncidentsRequest::new(longer.clone())).await.unwrap_err();
    assert!(error.to_string().contains("would be 8193 bytes long, and proxies commonly accept 8192"), "{error}");
    assert_eq!(server.requests().len(), 1);

    let sent = || server.requests().iter().filter(|request| request.starts_with("DELETE ")).count() - 1;
    client.bulk().unassign(fits).count().await;
    assert_eq!(sent(), 1, "they fill one request");
    client.bulk().unassign(longer).count().await;
    assert_eq!(sent(), 3, "and one byte more takes a second");

    let reads = || server.requests().iter().filter(|request| request.starts_with("GET ")).count();
    let before = reads();
    client.bulk().get(ids("/5/incidents/incidents/v1", "ids", 0)).count().await;
    assert_eq!(reads() - before, 1);
}

#[tokio::test]
async fn a_reply_with_none_of_the_incidents_is_believed_where_no_other_is_to_be_had() {
    // Where V1 has answered with what a body asked for, it reads bodies: then such a reply is believed.
    let server = ScriptedServer::start([json("200 OK", GOOD), json("200 OK", "{}")]);
    let client = server.builder().build().unwrap();
    unassign(&client).await.unwrap();
    let reply = unassign(&client).await.unwrap();
    assert_eq!((reply.incidents.len(), reply.attempts(), reply.api_generation()), (0, 1, ApiGeneration::V1));
    // Where generation 5 does not answer, the first reply stands.
    let server = ScriptedServer::start([json("200 OK", "{}"), not_found()]);
    let reply = unassign(&server.builder().build().unwrap()).await.unwrap();
    assert_eq!((reply.incidents.len(), reply.attempts(), reply.has_body()), (0, 2, true));
    // An answer without a body is one, too.
    let server = ScriptedServer::start([json("200 OK", "{}"), empty("204 No Content")]);
    let client = server.builder().build().unwrap();
    let reply = unassign(&client).await.unwrap();
    assert_eq!((reply.has_body(), client.api_generation()), (false, Some(ApiGeneration::V5)));
    // Where it may have done something, it does not.
    let server = ScriptedServer::start([json("200 OK", "{}"), json("503 Service Unavailable", "")]);
    let client = server.builder().build().unwrap().with_options(once());
    let error = unassign(&client).await.unwrap_err();
    assert_eq!((error.effect(), error.attempts()), (Effect::Unknown, 2));
}

#[tokio::test]
async fn a_change_without_a_body_is_a_success_and_a_read_without_one_is_none() {
    for silent in [response("204 No Content", "", ""), response("200 OK", "", ""), response("200 OK", "", " \n")] {
        let server = ScriptedServer::start([Step::Reply(silent.clone())]);
        let request = AcknowledgeIncidentsRequest::new(["a"]);
        let reply = server.builder().build().unwrap().acknowledge_incidents(&request).await.unwrap();
        assert!(!reply.has_body() && reply.incidents.is_empty() && reply.attempts() == 1);
        let server = ScriptedServer::start([Step::Reply(silent)]);
        let error = server.client().list_incidents(&ListIncidentsRequest::default()).await.unwrap_err();
        assert_eq!(error.effect(), Effect::None, "{error}");
    }
}

#[tokio::test]
async fn a_page_token_beside_the_list_is_followed() {
    let server = ScriptedServer::start([
        json("200 OK", r#"{"incidents":[{"id":"a"}],"nextPageToken":"t"}"#),
        json("200 OK", r#"{"incidents":[{"id":"b"}],"pagination":{"nextPageToken":""},"nextPageToken":""}"#),
    ]);
    let listed = server.client().list_incidents_stream(ListIncidentsRequest::default());
    let ids: Vec<String> = listed.map_ok(|incident| incident.id).try_collect().await.unwrap();
    assert_eq!(ids, ["a", "b"]);
    assert!(server.requests()[1].contains(r#""pageToken":"t""#), "{:?}", server.requests());
}
