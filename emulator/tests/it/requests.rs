//! Requests as the document and a gRPC gateway judge them.

use std::io::Read;

use coralogix_incidents_emulator::{Emulator, GatewayStyle};
use serde_json::{Value, json};

use crate::{
    connection::{UNASSIGN, post, request},
    schema::Document,
};

/// A member of a request: where it is, and its schema.
pub(crate) type MemberPath = (Vec<String>, Value);

/// Every member that can be reached from a message. Lists are entered at their first item, maps at a key.
pub(crate) fn member_paths(schema: &str, inside: &[String], found: &mut Vec<MemberPath>) {
    for (name, member) in Document::get().properties(schema) {
        let mut path = inside.to_vec();
        path.push(name.clone());
        walk(member, path, found);
    }
}

fn walk(member: &Value, path: Vec<String>, found: &mut Vec<MemberPath>) {
    if let Some(reference) = member["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        let schema = &Document::get().yaml["components"]["schemas"][name];
        if schema.get("enum").is_none() {
            found.push((path.clone(), schema.clone()));
            return member_paths(name, &path, found);
        }
        return found.push((path, schema.clone()));
    }
    found.push((path.clone(), member.clone()));
    let inner = member.get("items").map(|items| ("0", items));
    let inner = inner.or_else(|| member.get("additionalProperties").map(|values| ("some-label", values)));
    if let Some((step, schema)) = inner {
        walk(schema, [path, vec![step.to_owned()]].concat(), found);
    }
}

/// A body that is empty but for one member.
pub(crate) fn body_with(path: &[String], value: &Value) -> Value {
    path.iter()
        .rev()
        .fold(value.clone(), |inner, step| if step == "0" { json!([inner]) } else { json!({ step: inner }) })
}

/// Every member of every request body, with the path of its operation.
fn all_member_paths() -> Vec<(String, MemberPath)> {
    let mut all = Vec::new();
    for (method, path, operation) in Document::get().operations() {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let Some(schema) = schema.as_str() else { continue };
        assert_eq!(method, "POST");
        let mut found = Vec::new();
        member_paths(schema.rsplit('/').next().unwrap(), &[], &mut found);
        all.extend(found.into_iter().map(|place| (path.to_owned(), place)));
    }
    assert!(all.len() > 300, "{} members found", all.len());
    all
}

#[tokio::test]
async fn an_invalid_value_anywhere_is_400() {
    let emulator = Emulator::start().await.unwrap();
    let (mut enums, mut times) = (0, 0);
    for (path, (place, schema)) in all_member_paths() {
        let (wrong, good) = match schema["type"].as_str() {
            Some("string") if schema.get("enum").is_some() => {
                enums += 1;
                // A number may stand for a value, but not in quotes.
                let wrong = json!([true, {}, [], "SOMETHING_NEWER", "0", "1", "4711", "-1"]);
                (wrong, json!([schema["enum"].get(1).unwrap_or(&schema["enum"][0]), 1, 4711]))
            }
            Some("string") if schema["format"] == "date-time" => {
                times += 1;
                let wrong = json!([
                    "yesterday",
                    5,
                    {},
                    "0000-01-01T00:00:00Z",
                    "10000-01-01T00:00:00Z",
                    "2026-03-14 08:12:30Z",
                    "2026-03-14T08:12:60Z",
                    "2026-03-14T08:12:30",
                    "2026-03-14T08:12:30.1234567890Z",
                ]);
                (wrong, json!(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2026-03-14T08:12:30+02:00"]))
            }
            Some("string") => (json!([5, true, {}, []]), json!([])),
            Some("integer") => (json!(["many", true, 1.5, []]), json!([])),
            Some("boolean") => (json!(["true", 1, {}]), json!([])),
            Some("array") => (json!(["one", {}, 1]), json!([])),
            Some("object") => (json!(["one", [], 1, true]), json!([])),
            other => panic!("{other:?} at {place:?}"),
        };
        for wrong in wrong.as_array().unwrap() {
            let reply = post(&emulator, &path, &body_with(&place, wrong)).expect(400);
            let message = reply["message"].as_str().unwrap();
            assert!(message.starts_with("invalid request body"), "{wrong} at {place:?}: {message}");
            if schema["format"] == "date-time" {
                assert!(message.contains(place.last().unwrap()), "{wrong} at {place:?}: {message}");
            } else if wrong == "SOMETHING_NEWER" {
                assert!(message.contains("\"SOMETHING_NEWER\""), "{place:?}: {message}");
            }
        }
        for good in good.as_array().unwrap() {
            // A number that is not known may come back as it is, in the filter's values.
            let reply = request(&emulator, "POST", &path).json(body_with(&place, good).to_string()).newer().send();
            // A group by nothing, or by a field that is none, is refused, but not for its name.
            let refused = place[0] == "groupBys" && reply.body.contains("give incident_field or contextual_label");
            assert!(reply.status == 200 || refused, "{good} at {place:?}: {}", reply.body);
        }
    }
    assert!(enums >= 20 && times >= 10, "{enums} enums and {times} times");
    for body in ["[]", "[[\"incident_id_1\"]]", "\"text\"", "5", "null", "{", "{\"incidentIds\":[\"a\"", "\u{0}"] {
        request(&emulator, "POST", UNASSIGN).json(body).send().expect(400);
    }
}

/// A member's name in protobuf's own spelling.
pub(crate) fn snake(name: &str) -> String {
    name.chars().fold(String::new(), |out, one| {
        if one.is_uppercase() { out + "_" + &one.to_lowercase().to_string() } else { out + &one.to_string() }
    })
}

#[tokio::test]
async fn a_key_twice_is_400_and_changes_nothing() {
    let emulator = Emulator::start().await.unwrap();
    for body in [
        r#"{"incidentIds":["incident_id_1"],"incidentIds":["incident_id_2"]}"#,
        r#"{"incidentIds":["incident_id_1"],"incident_ids":["incident_id_2"]}"#,
        r#"{"incidentIds":null,"incidentIds":["incident_id_2"]}"#,
        r#"{"incident_ids":["incident_id_1"],"incident_ids":["incident_id_1"]}"#,
    ] {
        let reply = request(&emulator, "POST", UNASSIGN).json(body).send();
        let message = reply.expect(400)["message"].clone();
        assert!(message.as_str().unwrap().contains("duplicate member"), "{body}: {message}");
    }
    assert!(emulator.requests().iter().all(|request| request.changed.is_empty()));
    // Everywhere: a member with the same value under both of its names, or twice under one.
    for (path, (place, _)) in all_member_paths() {
        let Some((name, inside)) = place.split_last().filter(|(name, _)| !["0", "some-label"].contains(&name.as_str()))
        else {
            continue;
        };
        for second in [name.clone(), snake(name)] {
            let twice = format!("{{{name:?}:null,{second:?}:null}}");
            let body = body_with(inside, &json!("@")).to_string().replace("\"@\"", &twice);
            let reply = request(&emulator, "POST", &path).json(body.as_str()).send();
            assert_eq!(reply.status, 400, "{body}: {}", reply.body);
        }
    }
    // In what is ignored anyway, nobody looks; the keys of a map are looked at.
    let send = |path: &str, body: &str| request(&emulator, "POST", path).json(body).send().status;
    assert_eq!(send(UNASSIGN, r#"{"new":1,"new":{"a":1,"a":2}}"#), 200);
    let labels = r#"{"filter":{"contextualLabels":{"service":{},"service":{}}}}"#;
    assert_eq!(send("/v1/incidents", labels), 400);
}

#[tokio::test]
async fn both_spellings_of_a_name_are_read() {
    let emulator = Emulator::start().await.unwrap();
    let mut compared = 0;
    for (path, (place, schema)) in all_member_paths() {
        // What is wrong under one name is wrong under the other: so both are read.
        let wrong = if schema["type"] == "boolean" || schema["type"] == "integer" { json!("x") } else { json!(true) };
        let names: Vec<String> = place
            .iter()
            .map(|step| if step == "0" || step == "some-label" { step.clone() } else { snake(step) })
            .collect();
        compared += usize::from(names != place);
        post(&emulator, &path, &body_with(&names, &wrong)).expect(400);
    }
    assert!(compared > 100, "{compared}");
    let body = json!({ "incident_ids": ["incident_id_1"], "assigned_to": { "user_id": "mei" } });
    post(&emulator, "/v1/incidents:assign", &body).expect(200);
    let logged = &emulator.requests().pop().unwrap();
    assert_eq!((&logged.ids, &logged.changed), (&vec!["incident_id_1".to_owned()], &vec!["incident_id_1".to_owned()]));
    for nobody in
        [json!({ "incidentIds": ["incident_id_1"] }), json!({ "incidentIds": ["incident_id_1"], "assignedTo": {} })]
    {
        post(&emulator, "/v1/incidents:assign", &nobody).expect(400);
    }
    // Other spellings are unknown members.
    let body = json!({ "IncidentIds": ["incident_id_2"], "incident_Ids": ["incident_id_2"] });
    assert_eq!(post(&emulator, UNASSIGN, &body).expect(200), json!({ "incidents": [] }));
}

#[tokio::test]
async fn integers_are_read_as_numbers_or_strings() {
    let emulator = Emulator::start().await.unwrap();
    let list = |size: Value| post(&emulator, "/v1/incidents", &json!({ "pagination": { "pageSize": size } }));
    for size in [json!(3), json!("3"), json!(3.0), json!("3.0"), json!("0.3e1")] {
        assert_eq!(list(size.clone()).expect(200)["incidents"].as_array().unwrap().len(), 3, "{size}");
    }
    for size in [json!(3.5), json!("3.5"), json!(" 3"), json!(""), json!("three"), json!(1e300)] {
        list(size).expect(400);
    }
}

#[tokio::test]
async fn two_members_of_a_oneof_are_400() {
    let emulator = Emulator::start().await.unwrap();
    let both = json!({ "incidentField": "INCIDENTS_FIELDS_NAME", "contextualLabel": "service" });
    for body in [json!({ "orderBys": [both] }), json!({ "filter": { "searchQuery": both } })] {
        let message = post(&emulator, "/v1/incidents", &body).expect(400)["message"].clone();
        assert!(message.as_str().unwrap().contains("exclude each other"), "{message}");
    }
    let one = json!({ "incidentField": "INCIDENTS_FIELDS_NAME", "contextualLabel": null });
    post(&emulator, "/v1/incidents", &json!({ "orderBys": [one] })).expect(200);
}

#[tokio::test]
async fn null_anywhere_but_in_a_list_is_as_good_as_absent() {
    let emulator = Emulator::start().await.unwrap();
    for (path, (place, _)) in all_member_paths() {
        let reply = post(&emulator, &path, &body_with(&place, &Value::Null));
        let in_collection = ["0", "some-label"].contains(&place.last().unwrap().as_str());
        let needs_more = path.ends_with(":assign")
            || path.ends_with("/all/by-user")
            || path.starts_with("/5/") && place[0] == "incidentIds";
        let needs_more = needs_more || place[0] == "groupBys" && place.len() > 1;
        match reply.status {
            200 => {}
            400 => assert!(in_collection || needs_more, "{place:?} of {path}: {}", reply.body),
            _ => panic!("{}", reply.body),
        }
    }
}

#[tokio::test]
async fn bodies_are_read_leniently() {
    let emulator = Emulator::start().await.unwrap();
    let send = |body: &str| request(&emulator, "POST", UNASSIGN).json(body).send().expect(200);
    let nothing = json!({ "incidents": [] });
    assert_eq!(send(""), nothing, "no body is an empty message");
    assert_eq!(send("  \n"), nothing);
    assert_eq!(send("{}"), nothing, "v1 leaves open how many ids there are");
    let ids = |reply: &Value| reply["incidents"][0]["id"].clone();
    assert_eq!(ids(&send(r#"{"incidentIds":["incident_id_1"],"newMember":{"deep":[1,null]}}"#)), "incident_id_1");
    assert_eq!(ids(&send(r#"{"incidentIds":["incident_id_1"]} and more"#)), "incident_id_1");
    assert_eq!(ids(&send(r#"{"incidentIds":["incident_\u0069d_1"]}"#)), "incident_id_1");
}

/// As grpc-gateway does, so that queries may be longer than a URL.
#[tokio::test]
async fn a_form_is_a_query_where_the_path_has_no_post_or_a_header_names_the_method() {
    const FORM: &str = "application/x-www-form-urlencoded";
    const FORM_WITH_CHARSET: &str = "application/x-www-form-urlencoded; charset=utf-8";
    let (get, json) = ("/v1/incidents/incident_id_1", r#"{"incidentIds":["incident_id_1"]}"#);
    let (delete, ids) = ("/5/incidents/incidents/v1/all/by-user", "incident_ids=incident_id_1");
    // The path, the content type, `X-HTTP-Method-Override`, the body, the status and the operation.
    let cases = [
        // The path has a POST, whose content type does not matter.
        (UNASSIGN, "", "", json, 200, "unassignIncidents"),
        (UNASSIGN, "text/plain;charset=UTF-8", "", json, 200, "unassignIncidents"),
        (UNASSIGN, "Application/JSON; charset=utf-8", "", json, 200, "unassignIncidents"),
        (UNASSIGN, FORM, "", json, 200, "unassignIncidents"),
        (UNASSIGN, FORM, "", "incidentIds=incident_id_1", 400, "unassignIncidents"),
        ("/5/incidents/incidents/v1?ids=incident_id_1", FORM, "", "{}", 200, "listIncidents"),
        // The path has a GET only.
        (get, FORM, "", "", 200, "getIncident"),
        (get, FORM_WITH_CHARSET, "", "", 501, ""),
        (get, "text/plain", "", "", 501, ""),
        (get, "application/json", "", "", 501, ""),
        // The header names the method.
        (delete, FORM, "DELETE", ids, 200, "unassignIncidents"),
        (delete, FORM, "delete", ids, 200, "unassignIncidents"),
        (delete, FORM_WITH_CHARSET, "DELETE", ids, 400, "assignIncidents"),
        (delete, "application/json", "DELETE", ids, 400, "assignIncidents"),
    ];
    for (path, content_type, method, body, status, operation) in cases {
        let emulator = Emulator::start().await.unwrap();
        let mut call = request(&emulator, "POST", path).body(body).newer();
        for (name, value) in [("Content-Type", content_type), ("X-HTTP-Method-Override", method)] {
            call = if value.is_empty() { call } else { call.header(name, value) };
        }
        let case = format!("{path} as {content_type:?}, {method:?}: {body}");
        assert_eq!(call.send().status, status, "{case}");
        let logged = &emulator.requests()[0];
        assert_eq!((logged.method.as_str(), logged.operation_id.unwrap_or_default()), ("POST", operation), "{case}");
        let changed = status == 200 && operation == "unassignIncidents";
        assert_eq!(logged.changed.len(), usize::from(changed), "{case}");
        assert!(!changed || logged.ids == ["incident_id_1"], "{case}");
    }
    // A POST whose message is its query reads both, the body first.
    let emulator = Emulator::start().await.unwrap();
    let path = "/v1/incidents:batchGet?ids=incident_id_2";
    for (content_type, found) in [(FORM, 2), (FORM_WITH_CHARSET, 2), ("application/json", 1)] {
        let call = request(&emulator, "POST", path).header("Content-Type", content_type);
        let reply = call.body("ids=missing&ids=incident_id_1").send().expect(200);
        assert_eq!(reply["incidents"].as_object().unwrap().len(), found, "{content_type}");
        assert_eq!(reply["notFoundIds"].as_array().unwrap().len(), found - 1, "{content_type}");
    }
}

/// As Go's HTTP server does, in front of every gateway.
#[tokio::test]
async fn a_path_with_an_invalid_escape_is_a_bad_request() {
    let emulator = Emulator::start().await.unwrap();
    for path in ["/v1/incidents/%", "/v1/incidents/%4", "/v1/incidents/%zz", "/v1/incidents/a%2", "/v1/incidents/%%33"]
    {
        let reply = request(&emulator, "GET", path).send();
        assert_eq!((reply.status, reply.body.as_str()), (400, "400 Bad Request"), "{path}");
        assert_eq!(reply.headers["content-type"], "text/plain; charset=utf-8");
        assert_eq!(reply.headers["connection"], "close");
    }
    assert!(emulator.requests().is_empty());
    request(&emulator, "GET", "/v1/incidents/incident_id_1?a=%zz").newer().send().expect(200);
}

#[tokio::test]
async fn escapes_in_a_path_are_decoded_before_it_is_routed() {
    let emulator = Emulator::start().await.unwrap();
    let body = json!({ "incidentIds": ["incident_id_1"] }).to_string();
    let path = "/v1/incidents%3Aunassign";
    request(&emulator, "POST", path).json(body).newer().send().expect(200);
    let logged = &emulator.requests()[0];
    assert_eq!(logged.operation_id, Some("unassignIncidents"));
    assert_eq!((logged.path.as_str(), logged.changed.len()), ("/mgmt/openapi/v1/incidents%3Aunassign", 1));
    for path in ["/v1/incident%73/incident%5Fid%5f1", "/%761/incidents/incident_id_1", "/v1%2Fincidents/incident_id_1"]
    {
        let reply = request(&emulator, "GET", path).newer().send().expect(200);
        assert_eq!(reply["incident"]["id"], "incident_id_1", "{path}");
    }
    // Decoded once, not twice.
    let reply = request(&emulator, "GET", "/v1/incidents/50%2525%20%C3%A9").newer().send().expect(404);
    assert_eq!(reply["message"], "Not Found: incident 50%25 \u{e9} does not exist");
}

#[tokio::test]
async fn query_ids_are_read_as_a_gateway_reads_them() {
    let emulator = Emulator::start().await.unwrap();
    let missing = |query: &str| {
        let reply = request(&emulator, "POST", &format!("/v1/incidents:batchGet?{query}")).send();
        let reply = reply.expect(200);
        let names = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let found = reply["incidents"].as_object().map(|found| found.keys().cloned().collect::<Vec<_>>());
        (found.unwrap_or_default(), names(&reply["notFoundIds"]))
    };
    let both = vec!["incident_id_1".to_owned(), "incident_id_2".to_owned()];
    assert_eq!(missing("ids=incident_id_1&ids=incident_id_2"), (both, vec![]));
    assert_eq!(missing("ids=incident_id_1,incident_id_2"), (vec![], vec![json!("incident_id_1,incident_id_2")]));
    assert_eq!(missing("ids[]=incident_id_1"), (vec!["incident_id_1".to_owned()], vec![json!("")]));
    assert_eq!(missing("id=incident_id_1&idsx=incident_id_1"), (vec![], vec![]), "unknown names are ignored");
    assert_eq!(missing("ids=a%20b&ids=a+b&ids=%3B"), (vec![], vec![json!("a b"), json!(";")]));
    for query in ["ids=a;ids=b", "ids=%zz", "ids=%2"] {
        request(&emulator, "POST", &format!("/v1/incidents:batchGet?{query}")).send().expect(400);
    }
}

#[tokio::test]
async fn generation_5_takes_1_to_10000_ids() {
    let emulator = Emulator::builder().max_body_bytes(2_000_000).start().await.unwrap();
    let ids = |count: usize| json!({ "incidentIds": vec!["x"; count], "assignedTo": { "userId": "dana" } });
    for verb in ["by-user", "acknowledge", "resolve", "closed"] {
        let path = format!("/5/incidents/incidents/v1/all/{verb}");
        assert_eq!(post(&emulator, &path, &ids(0)).expect(400)["code"], 400, "{verb}");
        post(&emulator, &path, &ids(1)).expect(200);
        post(&emulator, &path, &ids(10_000)).expect(200);
        post(&emulator, &path, &ids(10_001)).expect(400);
    }
    post(&emulator, "/v1/incidents:resolve", &ids(10_001)).expect(200);
    request(&emulator, "DELETE", "/5/incidents/incidents/v1/all/by-user").send().expect(400);
    request(&emulator, "DELETE", "/5/incidents/incidents/v1/all/by-user?incidentids=x").send().expect(400);
    request(&emulator, "GET", "/5/incidents/incidents/v1").send().expect(400);
}

#[tokio::test]
async fn an_empty_segment_of_a_path_is_an_empty_parameter() {
    let emulator = Emulator::start().await.unwrap();
    for (method, path, operation) in [
        ("GET", "/v1/incidents/", "getIncident"),
        ("GET", "/v1/incidents//events", "getIncidentEvents"),
        ("POST", "/5/incidents/events/v1//resolve", "resolveIncidentByEventId"),
    ] {
        emulator.clear_requests();
        let reply = request(&emulator, method, path).send().expect(404);
        assert!(reply["message"].as_str().unwrap().starts_with("Not Found: "), "{path}: {reply}");
        assert_eq!(emulator.requests()[0].operation_id, Some(operation), "{path}");
    }
    assert_eq!(post(&emulator, "/v1/incidents/", &json!({})).status, 501, "the path is known, and has no POST");
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_answered_as_each_gateway_does() {
    let unknown = [
        "/v2/incidents",
        "/v1/incidents:explode",
        "/v1/incidents/a/b/c",
        "",
        "/v1/incidents/a%2Fb",
        "/v1/incidents/a/",
        "/v1/incidents:unassign/",
        "/v1/incidents//a",
    ];
    let wrong = [("GET", UNASSIGN), ("PUT", "/v1/incidents"), ("DELETE", "/v1/incidents/a")];
    let cases = [
        (GatewayStyle::V1_6, 501, 501, r#""Not Implemented""#),
        (GatewayStyle::V2_10, 404, 501, r#""Not Found""#),
        (GatewayStyle::PlainText, 404, 405, "Not Found: Not Found"),
    ];
    for (gateway, not_found, not_allowed, text) in cases {
        let emulator = Emulator::builder().gateway(gateway).start().await.unwrap();
        for path in unknown {
            let reply = request(&emulator, "GET", path).newer().send();
            assert_eq!(reply.status, not_found, "{gateway:?} {path}");
            assert!(reply.body.contains(text), "{}", reply.body);
        }
        for (method, path) in wrong {
            let reply = request(&emulator, method, path).newer().send();
            assert_eq!(reply.status, not_allowed, "{gateway:?} {method} {path}");
            let allowed = if path == "/v1/incidents/a" { "GET" } else { "POST" };
            let allowed = (gateway == GatewayStyle::PlainText).then_some(allowed);
            assert_eq!(reply.headers.get("allow").map(String::as_str), allowed, "{gateway:?} {method} {path}");
        }
        let (mut head, call) =
            (String::new(), request(&emulator, "HEAD", "/v1/incidents/a").header("Connection", "close"));
        call.open().unwrap().read_to_string(&mut head).unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {not_allowed} ")), "{gateway:?}: a HEAD is no GET: {head}");
        let outside = emulator.requests();
        assert!(outside.iter().all(|request| request.operation_id.is_none() && request.changed.is_empty()));
        let colon = request(&emulator, "GET", "/v1/incidents/a:b").newer().send();
        assert_eq!(colon.status, if gateway == GatewayStyle::V1_6 { 501 } else { 404 });
        assert_eq!(colon.body.contains("a:b"), gateway != GatewayStyle::V1_6, "taken for a verb by the older one only");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_and_changes_nothing() {
    let emulator = Emulator::builder().max_body_bytes(1000).start().await.unwrap();
    let body = |padding: usize| format!(r#"{{"incidentIds":["incident_id_1"],"padding":"{}"}}"#, "x".repeat(padding));
    let exact = 1000 - body(0).len();
    let send = |padding| request(&emulator, "POST", UNASSIGN).json(body(padding)).send();
    for padding in [exact + 1, 5_000_000] {
        assert_eq!(send(padding).expect(413)["message"], "request body of more than 1000 bytes");
        assert_eq!(emulator.incident("incident_id_1").unwrap().assignments.len(), 1);
    }
    send(exact).expect(200);
}
