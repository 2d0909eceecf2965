//! The wire rules of `openapi/incidents.yaml` (info.description), one by one, on the generated types.

use chrono::{DateTime, TimeDelta, Utc};
use coralogix_incidents::{
    Originator, Payload,
    types::{
        FilterOperator, Incident, IncidentEvent, IncidentEventAlertType, IncidentEventOrderByFieldType, IncidentFields,
        IncidentQueryFiltersValues, IncidentSeverity, IncidentState, IncidentStatus,
        ListIncidentEventsTotalCountResponse, PaginationRequest, PaginationResponse, Status, UnassignIncidentsResponse,
    },
    wire::Duration,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::document::{SAMPLES, Sample, TYPES, Type, problems};

fn documented() -> Value {
    Sample::named("unassign_incidents.response.json").value()
}

#[track_caller]
fn incident_with(pointer: &str, value: Value) -> Incident {
    let mut sample = documented();
    *sample.pointer_mut(&format!("/incidents/0{pointer}")).unwrap() = value;
    let response: UnassignIncidentsResponse = serde_json::from_value(sample).unwrap();
    response.incidents.into_iter().next().unwrap()
}

#[track_caller]
fn decode<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

#[test]
fn the_empty_object_is_every_response() {
    for ty in TYPES.iter().filter(|ty| ty.name.ends_with("Response")) {
        let encoded = (ty.round_trip)(&json!({})).unwrap_or_else(|error| panic!("{}: {error}", ty.name));
        assert_eq!(problems(ty.name, &encoded), [""; 0], "{}", ty.name);
    }
}

#[test]
fn every_member_of_every_message_may_be_null_or_absent() {
    for sample in SAMPLES.iter() {
        let round_trip = Type::named(&sample.schema).round_trip;
        for (parent, name) in members(&sample.value(), "") {
            let read = |change: fn(&mut Map<String, Value>, &str)| {
                let mut value = sample.value();
                change(value.pointer_mut(&parent).unwrap().as_object_mut().unwrap(), &name);
                round_trip(&value).unwrap_or_else(|error| panic!("{}: {parent}/{name}: {error}", sample.file))
            };
            let null = read(|members, name| drop(members.insert(name.to_owned(), Value::Null)));
            let absent = read(|members, name| drop(members.remove(name)));
            assert_eq!(null, absent, "{}: {parent}/{name}: null and absent mean the same", sample.file);
        }
    }
}

/// The members in a message and in those below, each as the pointer of its message and its name. Keys of maps are no members.
fn members(value: &Value, pointer: &str) -> Vec<(String, String)> {
    const MAPS: [&str; 4] = ["contextualLabels", "displayLabels", "incidentPermutation", "incidents"];

    let is_map = MAPS.iter().any(|name| pointer.ends_with(&format!("/{name}")));
    match value {
        Value::Object(object) => {
            let here = object.keys().filter(|_| !is_map).map(|name| (pointer.to_owned(), name.clone()));
            let below = object
                .iter()
                .flat_map(|(name, member)| members(member, &format!("{pointer}/{}", name.replace('/', "~1"))));
            here.chain(below).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(index, item)| members(item, &format!("{pointer}/{index}"))).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn an_unknown_field_is_not_an_error() {
    let mut sample = documented();
    sample["incidents"][0]["notInTheDocument"] = json!(true);
    sample["somethingNew"] = json!({ "deep": [1, 2, { "er": null }] });
    let response: UnassignIncidentsResponse = decode(sample);
    assert_eq!(response.incidents[0].id, "incident_id");
}

#[test]
fn null_absent_and_the_zero_name_of_an_enum_mean_the_same() {
    for value in [Value::Null, json!("INCIDENT_SEVERITY_UNSPECIFIED")] {
        assert_eq!(incident_with("/severity", value).severity, IncidentSeverity::Unspecified);
    }
    assert_eq!(decode::<Incident>(json!({})).severity, IncidentSeverity::Unspecified);
    assert_eq!(decode::<IncidentState>(Value::Null), IncidentState::Unspecified);
}

#[test]
fn enum_names_are_clean_and_survive_display_and_parse() {
    assert_eq!(IncidentStatus::Acknowledged.to_string(), "INCIDENT_STATUS_ACKNOWLEDGED");
    assert_eq!("INCIDENT_STATUS_ACKNOWLEDGED".parse(), Ok(IncidentStatus::Acknowledged));
    assert_eq!(FilterOperator::default(), FilterOperator::Or);
    assert_eq!(IncidentEventAlertType::default(), IncidentEventAlertType::Standard);
    assert_eq!(IncidentEventOrderByFieldType::default(), IncidentEventOrderByFieldType::Timestamp);
    assert_eq!(IncidentFields::CreatedTime.as_str(), "INCIDENTS_FIELDS_CREATED_TIME");
    for (text, number) in [("17", Some(17)), ("-1", Some(-1)), ("+17", None), ("017", None), ("NEW", None)] {
        let Ok(IncidentStatus::Unrecognized(value)) = text.parse() else { panic!("{text}") };
        assert_eq!(value.as_number(), number, "{text}");
        assert_eq!(format!("{value} {value:?}"), format!("{text} UnrecognizedValue({text:?})"));
    }
}

#[test]
fn a_value_of_another_type_is_refused_with_what_was_expected() {
    for (json, expected) in [
        (r#"{"assignments":1}"#, "invalid type: integer `1`, expected an array"),
        (
            r#"{"state":true}"#,
            "invalid type: boolean `true`, expected the name or the number of a value of IncidentState",
        ),
        (r#"{"createdAt":true}"#, "invalid type: boolean `true`, expected an RFC 3339 time"),
        (r#"{"contextualLabels":true}"#, "invalid type: boolean `true`, expected a map of strings"),
    ] {
        let error = read_in_every_way::<Incident>(json).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
    let error = read_in_every_way::<PaginationResponse>(r#"{"totalSize":true}"#).unwrap_err();
    assert!(
        error.starts_with("invalid type: boolean `true`, expected an integer, as a number or as a string"),
        "{error}"
    );
    assert_eq!(read_in_every_way(r#"{"assignments":null}"#), Ok(Incident::default()));
}

#[test]
fn timestamps_have_0_3_6_or_9_digits_and_the_years_1_to_9999() {
    for text in [
        "2024-01-01T00:00:00Z",
        "2024-01-01T00:00:00.100Z",
        "2024-01-01T00:00:00.000001Z",
        "2024-01-01T00:00:00.000000001Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999999Z",
        "2016-12-31T23:59:60Z",
    ] {
        let time = incident_with("/createdAt", json!(text)).created_at;
        assert_eq!(time, Some(text.parse::<DateTime<Utc>>().unwrap()), "{text}");
        let encoded = serde_json::to_value(Incident::default().with_created_at(time.unwrap())).unwrap();
        assert_eq!(encoded["createdAt"], *text);
    }
    for text in ["2024-01-01T02:00:00+02:00", "2024-01-01 00:00:00Z"] {
        assert_eq!(incident_with("/createdAt", json!(text)).created_at, Some("2024-01-01T00:00:00Z".parse().unwrap()));
    }
    for text in [
        "2024-13-01T00:00:00Z",
        "2024-02-30T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:00",
        "2024-01-01T00:00:00.Z",
        "",
    ] {
        assert!(serde_json::from_value::<Incident>(json!({ "createdAt": text })).is_err(), "{text}");
    }
    assert_eq!(incident_with("/createdAt", Value::Null).created_at, None);
}

#[test]
fn durations_convert_over_their_whole_range_with_their_sign() {
    let cases = [
        ("3600s", TimeDelta::hours(1)),
        ("0.000000001s", TimeDelta::nanoseconds(1)),
        ("-1.500s", TimeDelta::milliseconds(-1500)),
        ("2.000001s", TimeDelta::microseconds(2_000_001)),
        ("-0.500s", TimeDelta::milliseconds(-500)),
        ("315576000000.999999999s", TimeDelta::seconds(315_576_000_000) + TimeDelta::nanoseconds(999_999_999)),
        ("-315576000000.999999999s", -(TimeDelta::seconds(315_576_000_000) + TimeDelta::nanoseconds(999_999_999))),
    ];
    for (text, delta) in cases {
        assert_eq!(Duration::new(text).to_time_delta(), Ok(delta), "{text}");
        assert_eq!(Duration::from_time_delta(delta).unwrap().to_string(), text);
    }
    let malformed = ["", "s", "1", "1.s", ".5s", "+1s", "1e3s", "1 s", "--1s"];
    let out_of_range = ["1.0000000001s", "315576000001s", "99999999999999999999s"];
    for text in malformed.iter().chain(&out_of_range) {
        assert!(Duration::new(*text).to_time_delta().is_err(), "{text}");
    }
    let error = Duration::new("<string>").to_time_delta().unwrap_err();
    assert_eq!(error.to_string(), "`<string>` is not a duration: it must end in `s`");
    assert!(Duration::from_time_delta(TimeDelta::MAX).is_err());
}

proptest! {
    /// The common form of a time is read by the SDK itself, all others by chrono: nothing must tell them apart.
    #[test]
    fn a_time_is_read_as_chrono_reads_it(
        text in "[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9]([.,][0-9]{0,10})?(Z|z|[+-][0-9]{2}:[0-9]{2})?",
        garbage in ".{0,40}",
    ) {
        for text in [text, garbage] {
            let expected = text.parse::<DateTime<Utc>>().ok();
            let read = serde_json::from_value::<Incident>(json!({ "createdAt": text })).ok();
            prop_assert_eq!(read.map(|incident| incident.created_at.unwrap()), expected, "{}", text);
        }
    }

    #[test]
    fn any_duration_survives_the_way_there_and_back(seconds in -315_576_000_000_i64..=315_576_000_000, nanos in 0_i64..1_000_000_000) {
        let delta = TimeDelta::seconds(seconds) + TimeDelta::nanoseconds(if seconds < 0 { -nanos } else { nanos });
        let text = Duration::from_time_delta(delta).unwrap();
        prop_assert_eq!(text.to_time_delta(), Ok(delta));
    }

    #[test]
    fn any_text_in_the_place_of_a_duration_or_an_enum_is_kept(text in ".*") {
        let incident = incident_with("/duration", json!(text));
        prop_assert_eq!(&serde_json::to_value(&incident).unwrap()["duration"], &json!(text));
        let _ = incident.duration.unwrap().to_time_delta();
        let state: IncidentState = decode(json!(text));
        prop_assert_eq!(serde_json::to_value(&state).unwrap(), json!(text));
        prop_assert_eq!(state.as_str(), text);
    }

    #[test]
    fn any_64_bit_count_is_read_from_text_and_from_a_number(count: u64) {
        for value in [json!(count.to_string()), json!(count)] {
            let response: ListIncidentEventsTotalCountResponse = decode(json!({ "count": value }));
            prop_assert_eq!(response.count, Some(count));
            prop_assert_eq!(serde_json::to_value(response).unwrap(), json!({ "count": count.to_string() }));
        }
    }
}

/// What a member is read as, in each way in which serde can hand it over: from text, from bytes, from a reader, from a
/// `Value`, and from the buffer of an untagged enum.
fn read_in_every_way<T: serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(json: &str) -> Result<T, String> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Buffered<T> {
        Message(T),
    }
    let results =
        [serde_json::from_str(json), serde_json::from_slice(json.as_bytes()), serde_json::from_reader(json.as_bytes())];
    let [result, others @ ..] = results.map(|result| result.map_err(|error: serde_json::Error| error.to_string()));
    for other in others {
        // What they say of the position differs.
        assert_eq!(other.as_ref().ok(), result.as_ref().ok(), "{json}: {other:?} {result:?}");
    }
    if let Ok(value) = serde_json::from_str::<Value>(json) {
        // Without `arbitrary_precision`, a `Value` and a buffer hold a number with a fraction or an exponent as a float.
        let value: Option<T> = serde_json::from_value(value).ok();
        let buffered = serde_json::from_str(json).map(|Buffered::Message(message): Buffered<T>| message).ok();
        assert_eq!(value, buffered, "{json}");
        let number = json.split_once(':').unwrap().1;
        let digits = number.bytes().filter(u8::is_ascii_digit).count();
        if digits <= 15 || !number.contains(['.', 'e', 'E']) || cfg!(feature = "arbitrary-precision") {
            assert_eq!(value.as_ref(), result.as_ref().ok(), "{json}");
        }
    }
    result
}

fn quoted_and_not(number: &str) -> [String; 2] {
    [number.to_owned(), format!("\"{number}\"")]
}

#[test]
fn a_whole_number_is_read_exactly_in_every_notation_of_json() {
    for (number, expected) in [
        ("0", 0),
        ("-0", 0),
        ("-0.0", 0),
        ("0e99999999999999999999", 0),
        ("7", 7),
        ("-7", -7),
        ("2.0", 2),
        ("2.5e1", 25),
        ("1e3", 1000),
        ("1E+3", 1000),
        ("-1e03", -1000),
        ("1200e-2", 12),
        ("1e18", 1_000_000_000_000_000_000),
        ("9007199254740993", 9_007_199_254_740_993),
        ("9007199254740993.0", 9_007_199_254_740_993),
        ("9.223372036854775807e18", i64::MAX),
        ("-9223372036854775808", i64::MIN),
        ("-9223372036854775808.000", i64::MIN),
    ] {
        for written in quoted_and_not(number) {
            let read = read_in_every_way::<PaginationResponse>(&format!("{{\"totalSize\":{written}}}"));
            assert_eq!(read.map(|page| page.total_size), Ok(Some(expected)), "{written}");
            let Ok(expected) = u64::try_from(expected) else { continue };
            let read = read_in_every_way::<ListIncidentEventsTotalCountResponse>(&format!("{{\"count\":{written}}}"));
            assert_eq!(read.map(|response| response.count), Ok(Some(expected)), "{written}");
        }
    }
    for number in ["18446744073709551615", "1.8446744073709551615e19"].map(quoted_and_not).as_flattened() {
        let read = read_in_every_way::<ListIncidentEventsTotalCountResponse>(&format!("{{\"count\":{number}}}"));
        assert_eq!(read.map(|response| response.count), Ok(Some(u64::MAX)), "{number}");
    }
    assert_eq!(read_in_every_way(r#"{"totalSize":null}"#), Ok(PaginationResponse::default()));
}

#[test]
fn invalid_and_large_integers_are_refused_with_the_reason() {
    let refused = |json: String, words: &str| {
        for error in [
            read_in_every_way::<PaginationResponse>(&json).unwrap_err(),
            serde_json::from_str::<PaginationRequest>(&json.replace("totalSize", "pageSize")).unwrap_err().to_string(),
        ] {
            assert!(error.contains(words), "{json}: {error}");
        }
    };
    for number in ["0.5", "7.5", "1e-1", "-1.5e0", "1e-99999999999999999999", "12e-2"] {
        for written in quoted_and_not(number) {
            refused(format!("{{\"totalSize\":{written}}}"), &format!("`{number}` is not an integer"));
        }
    }
    for number in ["9223372036854775808", "-9223372036854775809", "1e19", "9.3e18", "99999999999999999999", "1e300"] {
        for written in quoted_and_not(number) {
            refused(format!("{{\"totalSize\":{written}}}"), "is out of range");
        }
    }
    refused(r#"{"totalSize":"1e99999999999999999999"}"#.to_owned(), "is out of range");
    let texts =
        ["", " 7", "7 ", "+1", "01", "-", ".5", "1.", "1e", "e3", "1e+", "0x1", "1_000", "NaN", "Infinity", "seven"];
    for text in texts {
        refused(format!("{{\"totalSize\":\"{text}\"}}"), &format!("`{text}` is not an integer"));
    }
    for (value, words) in
        [("true", "boolean `true`"), ("false", "boolean `false`"), ("{\"a\":1}", "map"), ("[1]", "sequence")]
    {
        refused(format!("{{\"totalSize\":{value}}}"), words);
    }
    assert!(
        read_in_every_way::<ListIncidentEventsTotalCountResponse>(r#"{"count":-1}"#).unwrap_err().contains("range")
    );
    assert!(read_in_every_way::<Status>(r#"{"code":2147483648}"#).unwrap_err().contains("range"));
    assert!(read_in_every_way::<ListIncidentEventsTotalCountResponse>(r#"{"count":-0}"#).is_ok());
}

#[test]
fn the_number_of_an_enum_value_is_read_in_every_notation_of_json() {
    for (written, number) in [("17", 17), ("17.0", 17), ("1.7e1", 17), ("-3", -3), ("-0", 0)] {
        let incident = read_in_every_way::<Incident>(&format!("{{\"state\":{written}}}")).unwrap();
        let IncidentState::Unrecognized(value) = &incident.state else { panic!("{written}: {:?}", incident.state) };
        assert_eq!((value.as_number(), value.as_str()), (Some(number), number.to_string().as_str()), "{written}");
        assert_eq!(serde_json::to_value(&incident).unwrap()["state"], json!(number), "{written}");
    }
    let text: IncidentStatus = decode(json!("17"));
    assert_eq!(serde_json::to_value(text).unwrap(), json!("17"), "a name stays a name");
    for wrong in ["1.5", "1e300", "18446744073709551615", "true", "{}", "{\"a\":\"1\"}", "[]"] {
        assert!(read_in_every_way::<Incident>(&format!("{{\"state\":{wrong}}}")).is_err(), "{wrong}");
    }
}

#[test]
fn integers_are_written_as_numbers_and_those_of_64_bits_as_text() {
    let (page, count) = (PaginationRequest::default(), ListIncidentEventsTotalCountResponse::default());
    assert_eq!(serde_json::to_value(page.with_page_size(50)).unwrap(), json!({ "pageSize": 50 }));
    assert_eq!(serde_json::to_value(count.with_count(50_u64)).unwrap(), json!({ "count": "50" }));
    let counts: IncidentQueryFiltersValues = decode(json!({ "assigneeWithCount": [{ "assignee": "a", "count": -1 }] }));
    assert_eq!(counts.assignee_with_count[0].count, Some(-1), "signed in filter values");
}

#[test]
fn an_event_may_carry_every_payload_at_once_and_none() {
    let response: UnassignIncidentsResponse = decode(documented());
    let event = &response.incidents[0].events[0];
    assert!(matches!(event.payload(), Some(Payload::Snooze(_))), "the first in the document's order");
    assert!(matches!(event.originator(), Some(Originator::Administrative(_))));
    let open: IncidentEvent = decode(json!({ "id": "e", "incidentEventType": "INCIDENT_EVENT_TYPE_OPEN" }));
    assert_eq!((open.payload(), open.originator()), (None, None));
}

#[test]
fn an_empty_message_is_not_an_absent_one() {
    let present: IncidentEvent = decode(json!({ "unassign": {} }));
    let absent: IncidentEvent = decode(json!({}));
    let null: IncidentEvent = decode(json!({ "unassign": null }));
    assert!(matches!(present.payload(), Some(Payload::Unassign(_))));
    assert_eq!((absent.unassign.as_ref(), null.unassign.as_ref()), (None, None));
    assert_eq!(serde_json::to_value(&present).unwrap()["unassign"], json!({}));
    assert_eq!(serde_json::to_value(&absent).unwrap().get("unassign"), None);
}

#[test]
fn severities_are_in_order_of_severity() {
    use IncidentSeverity::{Critical, Error, Info, Low, Unspecified, Warning};
    let ranks = [Unspecified, Low, Info, Warning, Error, Critical].map(|severity| severity.rank());
    assert!(ranks.windows(2).all(|pair| pair[0] < pair[1]), "{ranks:?}");
}

#[test]
fn text_may_be_escaped_in_any_way() {
    let plain: Incident = serde_json::from_str(r#"{"name":"<a> é"}"#).unwrap();
    let escaped: Incident = serde_json::from_str(" {\"name\" : \"\\u003ca\\u003e \\u00e9\"}\n").unwrap();
    assert_eq!(plain, escaped);
}

#[test]
fn an_incident_has_assignees_an_age_and_a_duration() {
    let now: DateTime<Utc> = "2024-01-01T01:00:00Z".parse().unwrap();
    let response: UnassignIncidentsResponse = decode(documented());
    let incident = &response.incidents[0];
    assert_eq!(incident.assignees().collect::<Vec<_>>(), ["user_id"]);
    assert!(incident.is_assigned_to("user_id") && !incident.is_assigned_to("someone"));
    assert_eq!(incident.age(now), Some(TimeDelta::hours(1)));
    assert_eq!(
        incident.elapsed(now),
        Some(TimeDelta::zero()),
        "the placeholder is not a duration, so it is closed minus created"
    );
    assert!(!incident.is_open(), "it has a closing time");
    let open = Incident::default().with_created_at(now - TimeDelta::minutes(5));
    assert!(open.is_open());
    assert_eq!(open.elapsed(now), Some(TimeDelta::minutes(5)));
    assert_eq!(open.with_duration("7s").elapsed(now), Some(TimeDelta::seconds(7)));
}

/// Applications keep messages in other formats, too. CBOR reports `null` to serde in another way than JSON.
#[test]
fn messages_are_read_from_cbor_as_from_json() {
    let nulls = json!({ "incidents": [{
        "id": "a",
        "severity": null,
        "status": 17,
        "state": "INCIDENT_STATE_TRIGGERED",
        "events": [{ "snoozeIndicator": { "durationMinutes": null } }, { "snoozeIndicator": { "durationMinutes": 5 } }],
    }] });
    for value in [documented(), nulls] {
        let mut cbor = Vec::new();
        ciborium::into_writer(&value, &mut cbor).unwrap();
        let read: UnassignIncidentsResponse = ciborium::from_reader(cbor.as_slice()).unwrap();
        assert_eq!(read, serde_json::from_value(value).unwrap());
    }
}
