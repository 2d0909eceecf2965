//! What the types are like to use, beside what they read and write.

use std::collections::BTreeMap;

use coralogix_incidents::{
    ApiGeneration, ApiKey, Client, Region, RetryPolicy,
    types::{Incident, ListIncidentsRequest, ListIncidentsResponse},
    wire::{self, StringMap},
};
use proptest::{collection::vec, prelude::*};
use serde_json::json;

proptest! {
    #[test]
    fn a_string_map_is_what_a_btree_map_is(
        entries in vec(("[a-d]{0,2}", "[a-z]{0,3}"), 0..12),
        changes in vec(("[a-d]{0,2}", proptest::option::of("[a-z]{0,3}")), 0..8),
    ) {
        let mut expected: BTreeMap<String, String> = entries.iter().cloned().collect();
        let mut map: StringMap = entries.iter().cloned().collect();
        let json: Vec<String> = entries.iter().map(|(name, value)| format!("{name:?}:{value:?}")).collect();
        let read: StringMap = serde_json::from_str(&format!("{{{}}}", json.join(","))).unwrap();
        prop_assert_eq!(&read, &map, "the last value of a name counts, whatever the order");
        prop_assert_eq!(&StringMap::from(expected.clone()), &map);
        let mut extended = StringMap::default();
        extended.extend(entries);
        prop_assert_eq!(&extended, &map);

        for (name, change) in changes {
            if let Some(value) = change {
                prop_assert_eq!(map.insert(&name, &value), expected.insert(name, value));
            } else {
                prop_assert_eq!(map.remove(&name), expected.remove(&name));
            }
        }
        for name in ["", "a", "bb", "d"] {
            prop_assert_eq!(map.get(name), expected.get(name).map(String::as_str));
            prop_assert_eq!(map.contains_key(name), expected.contains_key(name));
        }
        prop_assert_eq!((map.len(), map.is_empty()), (expected.len(), expected.is_empty()));
        prop_assert_eq!((map.iter().len(), map.clone().into_iter().len()), (expected.len(), expected.len()));
        prop_assert!(map.keys().eq(expected.keys()) && map.values().eq(expected.values()));
        prop_assert!(map.iter().eq(expected.iter().map(|(name, value)| (&**name, &**value))));
        prop_assert_eq!(format!("{map:?}"), format!("{expected:?}"));
        prop_assert_eq!(serde_json::to_string(&map).unwrap(), serde_json::to_string(&expected).unwrap());
        prop_assert_eq!(BTreeMap::from(map), expected);
    }
}

#[test]
fn values_are_shown_in_words_and_without_secrets() {
    let debug = |value: &dyn std::fmt::Debug| format!("{value:?}");
    let client = Client::builder().api_key(ApiKey::new("cxup_secret").unwrap()).build().unwrap();
    assert_eq!(debug(&ApiKey::new("cxup_secret").unwrap()), "ApiKey([redacted])");
    assert_eq!(
        debug(&client.bulk().unassign(["a"])),
        "Run { task: Change(Unassign), summary: Summary { found: 0, updated: 0, not_found: 0, failed: 0, unknown: 0, \
         not_sent: 0, duplicates: 0 }, .. }"
    );
    let items = debug(&client.list_incidents_stream(ListIncidentsRequest::default()));
    assert!(
        items.starts_with("Items { request: ListIncidentsRequest {") && items.ends_with("token: None, .. }"),
        "{items}"
    );
    assert_eq!(format!("{:>5}|{}", Region::Us2.to_string(), Region::Ap3), "  US2|AP3");
}

#[test]
fn names_of_generations_and_settings_are_read_back() {
    for (name, generation) in
        [("v1", ApiGeneration::V1), ("1", ApiGeneration::V1), (" V5 ", ApiGeneration::V5), ("5", ApiGeneration::V5)]
    {
        assert_eq!(name.parse::<ApiGeneration>().unwrap(), generation);
        assert_eq!(generation.to_string().parse::<ApiGeneration>().unwrap(), generation);
    }
    let unknown = "v\n3".parse::<ApiGeneration>().unwrap_err().to_string();
    assert_eq!(unknown, "unknown API generation `v\\n3`: it is v1 or v5");
    let attempts = [0, 1, 5].map(|attempts| RetryPolicy::default().with_max_attempts(attempts).max_attempts());
    assert_eq!((attempts, RetryPolicy::default().max_attempts()), ([1, 1, 5], 3));
}

#[test]
fn labels_are_set_and_asked_for_by_plain_text() {
    let incident = Incident::default().with_contextual_labels([("service", "checkout"), ("environment", "production")]);
    let labels = &incident.contextual_labels;
    assert_eq!((labels.get("service"), labels.get("pod")), (Some("checkout"), None));
    assert_eq!(labels, &StringMap::from([("environment", "production"), ("service", "checkout")]));
    let copied = Incident::default().with_contextual_labels(labels);
    assert_eq!(copied, incident, "labels of one incident are labels of another");
}

#[test]
fn lists_of_any_length_are_read_in_order_and_take_no_more_room_than_they_need() {
    for length in [0, 1, 2, 3, 4, 5, 7, 8, 20, 1000] {
        let ids: Vec<String> = (0..length).map(|number| number.to_string()).collect();
        let json = json!({ "incidents": ids.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>() });
        let response: ListIncidentsResponse = serde_json::from_value(json).unwrap();
        assert!(response.incidents.iter().map(|incident| &incident.id).eq(&ids), "{length}");
        assert_eq!(response.incidents.capacity(), length);
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_errors_where_they_are_read_and_ignored_in_unknown_members() {
    for text in [
        &b"\xff"[..],
        b"before \xf0\x9f after",
        b"\xff\xfe\xfd",
        b"\\\xff",
        b"\\\\\xff",
        b"\\u\xff",
        b"\\ud83d\xff",
        b"\xff\\udc00",
        b"\\\"\xff",
    ] {
        for (before, after) in [
            ("{\"id\":\"", "\"}"),
            ("{\"unknown\":\"", "\",\"id\":\"a\"}"),
            ("{\"unknown\":[{\"deep\":\"", "\"}],\"id\":\"a\"}"),
            ("{\"", "\":1}"),
            ("{\"id\":", "}"),
            ("{\"id\":\"a\"}", ""),
            ("{\"unknown\":\"\u{e9}", "\",\"id\":7}"),
        ] {
            let json = [before.as_bytes(), text, after.as_bytes()].concat();
            let case = String::from_utf8_lossy(&json);
            match (wire::from_slice::<Incident>(&json), serde_json::from_slice::<Incident>(&json)) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{case}"),
                (Err(found), Err(expected)) => assert_eq!(found.classify(), expected.classify(), "{case}"),
                (found, expected) => panic!("{found:?}, and by serde_json {expected:?}: {case}"),
            }
        }
    }
    for wrong in [&b"{\"id\":\"\xff\"}"[..], b"{\"id\":7}", b"{", b"{} {}", b""] {
        let expected = serde_json::from_slice::<Incident>(wrong).unwrap_err().to_string();
        assert_eq!(wire::from_slice::<Incident>(wrong).unwrap_err().to_string(), expected);
    }
}
