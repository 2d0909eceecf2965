//! Requests as the document and a gRPC gateway judge them.

use coralogix_incidents_emulator::{Emulator, GatewayStyle};
use serde_json::{Value, json};

use crate::{
    document::Document,
    raw::{post, request},
};

/// A member of a request: where it is, and its schema.
type Place = (Vec<String>, Value);

/// Every member that can be reached from a message. Lists are entered at their first item, maps at a key.
fn places(schema: &str, inside: &[String], found: &mut Vec<Place>) {
    for (name, member) in Document::get().properties(schema) {
        let mut path = inside.to_vec();
        path.push(name.clone());
        walk(member, path, found);
    }
}

fn walk(member: &Value, path: Vec<String>, found: &mut Vec<Place>) {
    if let Some(reference) = member["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        let schema = &Document::get().yaml["components"]["schemas"][name];
        if schema.get("enum").is_none() {
            found.push((path.clone(), schema.clone()));
            return places(name, &path, found);
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
fn body_with(path: &[String], value: &Value) -> Value {
    path.iter()
        .rev()
        .fold(value.clone(), |inner, step| if step == "0" { json!([inner]) } else { json!({ step: inner }) })
}

/// Every member of every request body, with the path of its operation.
fn all_places() -> Vec<(String, Place)> {
    let mut all = Vec::new();
    for (method, path, operation) in Document::get().operations() {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let Some(schema) = schema.as_str() else { continue };
        assert_eq!(method, "POST");
        let mut found = Vec::new();
        places(schema.rsplit('/').next().unwrap(), &[], &mut found);
        all.extend(found.into_iter().map(|place| (path.to_owned(), place)));
    }
    assert!(all.len() > 300, "{} members found", all.len());
    all
}

#[tokio::test]
async fn a_wrong_json_type_anywhere_is_400() {
    let emulator = Emulator::start().await.unwrap();
    for (path, (place, schema)) in all_places() {
        let wrong: &[Value] = match schema["type"].as_str() {
            Some("string") if schema.get("enum").is_some() => &[json!(true), json!({}), json!([])],
            Some("string") if schema["format"] == "date-time" => &[json!("yesterday"), json!(5), json!({})],
            Some("string") => &[json!(5), json!(true), json!({}), json!([])],
            Some("integer") => &[json!("many"), json!(true), json!(1.5), json!([])],
            Some("boolean") => &[json!("true"), json!(1), json!({})],
            Some("array") => &[json!("one"), json!({}), json!(1)],
            Some("object") => &[json!("one"), json!([]), json!(1), json!(true)],
            other => panic!("{other:?} at {place:?}"),
        };
        for wrong in wrong {
            let reply = post(&emulator, &path, &body_with(&place, wrong));
            let message = reply.expect(400)["message"].clone();
            assert!(message.as_str().unwrap().starts_with("invalid request body"), "{wrong} at {place:?}: {message}");
        }
    }
    for body in ["[]", "[[\"incident_id_1\"]]", "\"text\"", "5", "null", "{", "{\"incidentIds\":[\"a\"", "\u{0}"] {
        request(&emulator, "POST", "/v1/incidents:unassign").json(body).send().expect(400);
    }
}

#[tokio::test]
async fn an_unlisted_enum_name_anywhere_is_400_and_a_number_is_not() {
    let emulator = Emulator::start().await.unwrap();
    let mut enums = 0;
    for (path, (place, schema)) in all_places() {
        if schema.get("enum").is_none() {
            continue;
        }
        enums += 1;
        let reply = post(&emulator, &path, &body_with(&place, &json!("SOMETHING_NEWER")));
        let message = reply.expect(400)["message"].clone();
        assert!(message.as_str().unwrap().contains("\"SOMETHING_NEWER\""), "{place:?}: {message}");
        for good in [schema["enum"][1].clone(), json!(1), json!(4711)] {
            let good = if good.is_null() { schema["enum"][0].clone() } else { good };
            // A number that is not known may come back as it is, in the filter's values.
            let reply = request(&emulator, "POST", &path).json(body_with(&place, &good).to_string()).newer().send();
            // A group by nothing, or by a field that is none, is refused, but not for its name.
            if reply.status != 200 {
                assert_eq!(place[0], "groupBys", "{}", reply.body);
                assert!(reply.body.contains("give incident_field or contextual_label"), "{}", reply.body);
            }
        }
    }
    assert!(enums >= 20, "{enums}");
}

#[tokio::test]
async fn null_anywhere_but_in_a_list_is_as_good_as_absent() {
    let emulator = Emulator::start().await.unwrap();
    for (path, (place, _)) in all_places() {
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
    let send = |body: &str| request(&emulator, "POST", "/v1/incidents:unassign").json(body).send().expect(200);
    assert_eq!(send(""), json!({}), "no body is an empty message");
    assert_eq!(send("  \n"), json!({}));
    assert_eq!(send("{}"), json!({}), "v1 leaves open how many ids there are");
    let ids = |reply: &Value| reply["incidents"][0]["id"].clone();
    assert_eq!(ids(&send(r#"{"incidentIds":["incident_id_1"],"newMember":{"deep":[1,null]}}"#)), "incident_id_1");
    assert_eq!(ids(&send(r#"{"incidentIds":["incident_id_1"]} and more"#)), "incident_id_1");
    assert_eq!(ids(&send(r#"{"incidentIds":["incident_\u0069d_1"]}"#)), "incident_id_1");
}

#[tokio::test]
async fn the_content_type_of_a_post_does_not_matter_where_the_path_has_a_post() {
    let form = "application/x-www-form-urlencoded";
    for content_type in [None, Some("text/plain;charset=UTF-8"), Some("Application/JSON; charset=utf-8"), Some(form)] {
        let emulator = Emulator::start().await.unwrap();
        let mut call =
            request(&emulator, "POST", "/v1/incidents:unassign").body(r#"{"incidentIds":["incident_id_1"]}"#);
        if let Some(content_type) = content_type {
            call = call.header("Content-Type", content_type);
        }
        call.send().expect(200);
        assert_eq!(emulator.requests()[0].changed, ["incident_id_1"], "{content_type:?}");
    }
    let emulator = Emulator::start().await.unwrap();
    let path = "/v1/incidents:unassign";
    let call = request(&emulator, "POST", path).header("Content-Type", form).body("incidentIds=incident_id_1");
    call.send().expect(400);
    // Generation 5 lists by POST and gets by GET at one path: the POST's own handler reads the body.
    let path = "/5/incidents/incidents/v1?ids=incident_id_1";
    let reply = request(&emulator, "POST", path).header("Content-Type", form).body("{}").send().expect(200);
    assert!(reply["incidents"].is_array());
}

#[tokio::test]
async fn a_form_becomes_a_get_where_the_path_has_no_post() {
    let emulator = Emulator::start().await.unwrap();
    let path = "/v1/incidents/incident_id_1";
    let post =
        |content_type: &str| request(&emulator, "POST", path).header("Content-Type", content_type).newer().send();
    let reply = post("application/x-www-form-urlencoded");
    assert_eq!((reply.status, &reply.json()["incident"]["id"]), (200, &json!("incident_id_1")));
    let logged = &emulator.requests()[0];
    assert_eq!((logged.method.as_str(), logged.operation_id), ("POST", Some("getIncident")));
    for other in ["application/x-www-form-urlencoded; charset=utf-8", "text/plain", "application/json"] {
        assert_eq!(post(other).status, 501, "{other}");
    }
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
async fn unknown_paths_and_wrong_methods_are_answered_as_each_gateway_does() {
    let unknown =
        ["/v2/incidents", "/v1/incidents:explode", "/v1/incidents/a/b/c", "", "/v1/incidents/a%2Fb", "/v1/incidents/"];
    let wrong = [
        ("GET", "/v1/incidents:unassign"),
        ("PUT", "/v1/incidents"),
        ("DELETE", "/v1/incidents/a"),
        ("HEAD", "/v1/incidents"),
    ];
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
            if method == "HEAD" {
                continue;
            }
            let reply = request(&emulator, method, path).newer().send();
            assert_eq!(reply.status, not_allowed, "{gateway:?} {method} {path}");
            let allowed = if path == "/v1/incidents/a" { "GET" } else { "POST" };
            let allowed = (gateway == GatewayStyle::PlainText).then_some(allowed);
            assert_eq!(reply.headers.get("allow").map(String::as_str), allowed, "{gateway:?} {method} {path}");
        }
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
    let send = |padding| request(&emulator, "POST", "/v1/incidents:unassign").json(body(padding)).send();
    for padding in [exact + 1, 5_000_000] {
        assert_eq!(send(padding).expect(413)["message"], "request body of more than 1000 bytes");
        assert_eq!(emulator.incident("incident_id_1").unwrap().assignments.len(), 1);
    }
    send(exact).expect(200);
}

#[tokio::test]
async fn assigning_to_nobody_is_400() {
    let emulator = Emulator::start().await.unwrap();
    for body in
        [json!({ "incidentIds": ["incident_id_1"] }), json!({ "incidentIds": ["incident_id_1"], "assignedTo": {} })]
    {
        post(&emulator, "/v1/incidents:assign", &body).expect(400);
    }
}
