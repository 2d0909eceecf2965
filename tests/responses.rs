//! How single responses are read: errors in every shape, encodings, limits of size, and whose response it is.

use coralogix_incidents::{ApiGeneration, ApiKey, Effect, ErrorKind, types::ListIncidentsRequest};
use tokio::time::Instant;

use crate::scripted_server::{GOOD, ScriptedServer, Step, empty, error_of, json, once, response, unassign};

#[tokio::test(start_paused = true)]
async fn no_more_of_an_error_body_is_read_than_is_needed() {
    for (sent, seconds) in [((64 << 10) - 1, 15), (64 << 10, 0), (96 << 10, 0)] {
        let head = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 1000000\r\n\r\n";
        let server = ScriptedServer::start([Step::Stall([&head[..], &vec![b' '; sent]].concat())]);
        let start = Instant::now();
        unassign(&server.client()).await.unwrap_err();
        assert_eq!(start.elapsed().as_secs(), seconds, "{sent}");
    }
}

#[tokio::test]
async fn the_error_of_a_read_names_its_operation_and_host_and_has_no_effect_whatever_happened() {
    for step in [Step::Reset(vec![]), empty("503 Service Unavailable"), json("200 OK", "{")] {
        let server = ScriptedServer::start([step]);
        let error = server.client().with_options(once()).get_incident("a").await.unwrap_err();
        assert_eq!(error.effect(), Effect::None, "{error}");
        assert_eq!(error.operation().unwrap().id(), "getIncident", "{error}");
        assert_eq!(error.host(), Some(server.address.to_string().as_str()), "{error}");
    }
    let error = ApiKey::new("").unwrap_err();
    assert_eq!((error.operation(), error.host()), (None, None));
}

#[tokio::test]
async fn a_refusal_that_does_not_say_why_is_not_given_a_reason() {
    let gzip = "\u{1f}\u{fffd}\u{8}\0\0\0\0\0\u{3}";
    for (status, header, body, expected, kept) in [
        (
            "403 Forbidden",
            "content-type: text/html",
            "<html>",
            "; the response is an HTML page, not an error",
            "<html>",
        ),
        (
            "403 Forbidden",
            "content-type: text/html",
            "<title>No</title>",
            ": an HTML page, \"No\"; that is not an error",
            "<title>No</title>",
        ),
        // What is compressed is never shown as text.
        ("403 Forbidden", "content-encoding: gzip", gzip, "; the response is encoded as `gzip`, which was not", ""),
        ("404 Not Found", "content-encoding: identity\r\ncontent-encoding: GZIP", gzip, "is encoded as `GZIP`", ""),
        ("400 Bad Request", "content-type: application/json", gzip, "is not text", gzip),
    ] {
        let server = ScriptedServer::start([Step::Reply(response(status, &format!("{header}\r\n"), body))]);
        let error = server.client().get_incident("a").await.unwrap_err();
        let shown = error.to_string();
        assert!(shown.contains(expected) && shown.contains(status), "{shown}");
        assert!(!shown.contains(char::is_control) && !shown.contains('\u{fffd}'), "{shown:?}");
        assert!(!error.is_not_found() && !error.is_permission_denied(), "{shown}");
        assert_eq!(error.body(), Some(kept), "{shown}");
    }
    for (length, shown) in [(300, "e".repeat(300)), (301, "e".repeat(300) + "…")] {
        let body = format!(r#"{{"code":3,"message":"{}"}}"#, "e".repeat(length));
        let error = error_of(json("400 Bad Request", &body)).await;
        assert!(error.summary().ends_with(&format!(": {shown}")), "{error}");
    }
}

#[tokio::test]
async fn messages_of_the_service_are_read_in_every_shape() {
    // Whether it is a word of the service, or one that says nothing: then the status counts.
    for (body, message, code, denied) in [
        (r#"{"code":7,"message":"no","details":[{"@type":"t","x":1}]}"#, Some("no"), Some(7), true),
        (r#"{"code":7,"message":"no","details":[],"traceId":"1"}"#, Some("no"), Some(7), true),
        (r#"{"error":"no","code":7,"message":"no"}"#, Some("no"), Some(7), true),
        (r#"{"error":{"message":"no","code":403}}"#, Some("no"), Some(403), true),
        (r#"{"error":"no"}"#, Some("no"), None, true),
        (r#"{"detail":"no"}"#, Some("no"), None, true),
        ("Forbidden: no", Some("Forbidden: no"), None, true),
        ("", None, None, true),
        ("{}", None, None, true),
        ("[]", None, None, true),
        ("{\"message\":", Some("{\"message\":"), None, true),
        ("\u{feff}{\"code\":7,\"message\":\"no\"}", Some("no"), Some(7), true),
        (r#"{"message":"Forbidden"}"#, Some("Forbidden"), None, false),
        (r#"{"status":403,"error":"Forbidden","path":"/v1"}"#, Some("Forbidden"), None, false),
        (r#"{"code":"AccessDenied","message":"no"}"#, Some("no"), None, false),
        (r#"["no"]"#, None, None, false),
        (r#""no""#, Some("no"), None, false),
        ("RBAC: access denied\n", Some("RBAC: access denied"), None, false),
        ("<html><title>403 no</title></html>", Some("an HTML page, \"403 no\""), None, false),
        ("\u{1}\u{2}", None, None, false),
    ] {
        let error = error_of(json("403 Forbidden", body)).await;
        assert_eq!((error.message(), error.code(), error.body()), (message, code, Some(body)), "{body}");
        assert_eq!((error.is_permission_denied(), error.status().unwrap().as_u16()), (denied, 403), "{body}");
        let shown = error.to_string();
        assert!(shown.contains("needs incidents:assign"), "{shown}");
        assert!(denied || shown.contains("a proxy or a firewall may have refused the request"), "{shown}");
        assert!(!shown.contains('\u{feff}') && !shown.chars().any(char::is_control), "{shown:?}");
    }
    let error = error_of(json("403 Forbidden", r#"{"details":[{"@type":"t","x":1}]}"#)).await;
    assert_eq!(error.details()[0].other_members["x"], 1);
    let error = error_of(json("400 Bad Request", &"é".repeat(20_000))).await;
    assert_eq!(error.body().unwrap().len(), 8192, "cut");
    assert!(error.to_string().len() < 1000, "short");
}

#[tokio::test]
async fn a_404_is_about_an_incident_only_if_the_call_names_one_and_the_service_says_so() {
    let kong = r#"{"message":"no Route matched with those values"}"#;
    let apigee = r#"{"fault":{"faultstring":"Unable to identify proxy","detail":{"errorcode":"x"}}}"#;
    let spring = r#"{"timestamp":"2026-01-01T00:00:00Z","status":404,"error":"No such page","path":"/v1"}"#;
    let service = r#"{"code":5,"message":"incident not found","details":[]}"#;
    // Not found and unknown route: of a call whose path names an incident, of one that is given ids, and of a list.
    let incident = [(true, false), (true, false), (false, false)];
    let open = [(false, false), (false, true), (false, true)];
    let route = [(false, true); 3];
    for (body, expected) in [
        (service, incident),
        ("Not Found: no such incident", incident),
        (r#"{"error":"incident not found"}"#, incident),
        (r#"{"error":{"message":"incident not found"}}"#, incident),
        (r#"{"detail":"incident not found"}"#, incident),
        ("", [(true, false), (false, true), (false, true)]),
        // A space that is none in JSON.
        ("\u{a0}", [(true, false), (false, true), (false, true)]),
        ("{}", [(true, false), (false, true), (false, true)]),
        (kong, open),
        (apigee, open),
        (spring, open),
        ("default backend - 404", open),
        (r#""gone""#, open),
        ("\u{1}\u{2}", open),
        (r#"{"code":5,"message":"Not Found","details":[]}"#, route),
        (r#"{"detail":"Not Found"}"#, route),
        ("404 page not found\n", route),
        ("<h1>Oops</h1>", route),
    ] {
        let server = ScriptedServer::start(vec![Step::Reply(response("404 Not Found", "", body)); 3]);
        let client = server.client();
        let all = ListIncidentsRequest::default();
        let errors = [
            client.get_incident("a").await.unwrap_err(),
            unassign(&client).await.unwrap_err(),
            client.list_incidents(&all).await.unwrap_err(),
        ];
        let seen = errors.each_ref().map(|error| (error.is_not_found(), error.is_unknown_route()));
        assert_eq!(seen, expected, "{body}");
        assert!(errors.iter().all(|error| error.effect() == Effect::None), "{body}");
        let both = "either there is no such incident, or the host does not know this path";
        assert_eq!(errors[0].to_string().contains(both), expected == open || body.len() < 3, "{}", errors[0]);
        let nothing_to_miss = "names no incident that could be missing";
        assert_eq!(errors[2].to_string().contains(nothing_to_miss), expected == incident, "{}", errors[2]);
    }
}

#[tokio::test]
async fn an_identity_coding_or_an_empty_body_with_a_coding_is_decoded() {
    for headers in [
        "content-encoding: Identity\r\n",
        "content-encoding: \r\n",
        "content-encoding: identity, ,IDENTITY\r\ncontent-encoding: identity\r\n",
    ] {
        let server = ScriptedServer::start([Step::Reply(response("200 OK", headers, GOOD))]);
        assert_eq!(unassign(&server.client()).await.unwrap().incidents.len(), 1, "{headers}");
    }
    let gzip = "content-encoding: gzip\r\n";
    let server = ScriptedServer::start([Step::Reply(format!("HTTP/1.1 204 No Content\r\n{gzip}\r\n").into_bytes())]);
    let reply = unassign(&server.client()).await.unwrap();
    assert_eq!((reply.status().as_u16(), reply.headers()["content-encoding"].as_bytes()), (204, &b"gzip"[..]));
    for headers in ["content-encoding: identity\r\ncontent-encoding: br\r\n", "content-encoding: IDENTITY,br\r\n"] {
        let error = error_of(Step::Reply(response("200 OK", headers, GOOD))).await;
        assert!(error.to_string().contains("encoded as `br`"), "{error}");
        assert_eq!((error.kind(), error.effect()), (ErrorKind::UndecodableResponse, Effect::Unknown));
    }
}

#[tokio::test]
async fn an_error_with_the_status_of_a_success_is_no_empty_answer() {
    for error in [
        r#"{"error":"the session has expired"}"#,
        r#"{"code":7,"message":"the session has expired","details":[]}"#,
        r#"{"error":{"code":16,"message":"the session has expired"}}"#,
        r#"{"detail":"the session has expired"}"#,
    ] {
        let server = ScriptedServer::start(vec![json("200 OK", error); 2]);
        let client = server.client();
        let list = client.list_incidents(&ListIncidentsRequest::default()).await.unwrap_err();
        assert_eq!((list.kind(), list.effect()), (ErrorKind::IncompleteResponse, Effect::None), "{error}");
        assert!(list.to_string().contains("200 OK, but the body is an error: the session has expired"), "{list}");
        let change = unassign(&client).await.unwrap_err();
        assert_eq!((change.kind(), change.effect()), (ErrorKind::IncompleteResponse, Effect::Unknown), "{error}");
        assert_eq!(server.requests().len(), 2, "neither is retried");
    }
    // None of these says that anything failed.
    for fine in [
        "{}",
        r#"{"newMember":{"code":7,"message":"x"}}"#,
        r#"{"error":null,"incidents":[]}"#,
        r#"{"error":"","incidents":null}"#,
        r#"{"code":0,"message":"OK"}"#,
        r#"{"incidents":[{"id":"a"}],"error":"one shard is late"}"#,
    ] {
        let server = ScriptedServer::start([json("200 OK", fine)]);
        let listed = server.client().list_incidents(&ListIncidentsRequest::default()).await;
        listed.unwrap_or_else(|error| panic!("{fine}: {error}"));
    }
}

#[tokio::test]
async fn a_byte_order_mark_before_a_response_is_ignored() {
    let server = ScriptedServer::start([
        json("200 OK", &format!("\u{feff}{GOOD}")),
        json("200 OK", "\u{feff}{\"incidents\":1}"),
    ]);
    let client = server.client();
    assert_eq!(unassign(&client).await.unwrap().incidents[0].id, "incident_id_1");
    assert_eq!(unassign(&client).await.unwrap_err().effect(), Effect::Applied);
}

#[tokio::test]
async fn an_unknown_route_is_an_error_with_what_to_change() {
    let error = error_of(empty("404 Not Found")).await;
    assert!(error.is_unknown_route() && error.to_string().contains("use API generation v5"), "{error}");
    let server = ScriptedServer::start([empty("404 Not Found"), empty("405 Method Not Allowed")]);
    let v5 = server.builder().api_generation(ApiGeneration::V5).build().unwrap();
    let error = unassign(&v5).await.unwrap_err();
    assert!(error.is_unknown_route(), "a service that knows the path says which id it lacks: {error}");
    // The only generation of this operation.
    let error = server.builder().build().unwrap().get_incident_by_event_id("a").await.unwrap_err();
    let expected = format!("; {} does not know this path: check the base URL", server.url());
    assert!(error.to_string().contains(&expected), "{error}");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_one_at_the_limit_is_read() {
    let server = ScriptedServer::start([json("200 OK", GOOD), json("200 OK", GOOD)]);
    let exact = server.builder().max_response_bytes(GOOD.len()).build().unwrap();
    assert_eq!(unassign(&exact).await.unwrap().incidents.len(), 1);
    let less = server.builder().max_response_bytes(GOOD.len() - 1).build().unwrap();
    let error = unassign(&less).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResponseTooLarge);
    assert!(error.to_string().contains("it took effect"), "{error}");
}

#[tokio::test]
async fn a_body_that_is_not_a_json_object_is_not_a_response_of_the_service() {
    for (kind, body, effect) in [
        ("application/json", r#"{"incidents":1}"#, Effect::Applied),
        ("Application/JSON; charset=utf-8", r#"{"incidents":1}"#, Effect::Applied),
        ("application/problem+json", r#"{"incidents":1}"#, Effect::Applied),
        ("application/jsonp", r#"{"incidents":1}"#, Effect::Unknown),
        ("text/html\r\ncontent-type: application/json", r#"{"incidents":1}"#, Effect::Unknown),
        ("application/json", "[]", Effect::Unknown),
        ("application/json", "null", Effect::Unknown),
        ("text/html", "\"OK\"", Effect::Unknown),
        ("text/plain", r#"{"incidents":1}"#, Effect::Unknown),
    ] {
        let error = error_of(Step::Reply(response("200 OK", &format!("content-type: {kind}\r\n"), body))).await;
        assert_eq!(error.kind(), ErrorKind::UndecodableResponse, "{body}: {error:?}");
        assert_eq!(error.effect(), effect, "{kind} {body}");
    }
}
