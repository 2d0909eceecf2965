//! Raw JSON against the document: shared types would hide shared mistakes.

use std::collections::BTreeSet;

use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Map, Value, json};

use crate::document::{DOCUMENT, SAMPLES, Sample, TYPES, Type, comparable, problems, snapshots};

#[test]
fn every_sample_is_valid_and_survives_decoding_and_encoding_and_is_decoded_as_reviewed() {
    let _settings = snapshots();
    assert!(SAMPLES.len() >= 25, "the samples are here");
    for sample in SAMPLES.iter() {
        let ty = Type::named(&sample.schema);
        assert_eq!(problems(ty.name, &sample.value()), [""; 0], "{}", sample.file);
        let encoded = (ty.round_trip)(&sample.value()).unwrap();
        assert_eq!(comparable(encoded), comparable(sample.value()), "{}", sample.file);
        insta::assert_snapshot!(sample.snapshot("decoded"), (ty.debug)(&sample.text));
    }
}

/// That every sample is the same after decoding and encoding is asserted above; this is how the documented one looks.
#[test]
fn the_documented_sample_is_encoded_as_reviewed() {
    let _settings = snapshots();
    for kind in ["request", "response"] {
        let sample = Sample::named(&format!("unassign_incidents.{kind}.json"));
        let encoded = (Type::named(&sample.schema).round_trip)(&sample.value()).unwrap();
        insta::assert_snapshot!(sample.snapshot("encoded"), serde_json::to_string_pretty(&encoded).unwrap());
    }
}

/// The others are held against the document below, member by member; this is how one looks.
#[test]
fn the_json_schema_of_a_message_with_members_of_every_kind_is_as_reviewed() {
    let _settings = snapshots();
    let mut schema = (Type::named("IncidentEventExtendedMetadata").json_schema)();
    schema["$defs"].as_object_mut().unwrap().retain(|name, _| name == "IncidentSeverity");
    insta::assert_snapshot!("types__json_schema", serde_json::to_string_pretty(&schema).unwrap());
}

#[test]
fn the_json_schema_of_a_type_is_that_of_the_document_member_by_member() {
    for ty in TYPES {
        let schemas = [&(ty.json_schema)(), &DOCUMENT["components"]["schemas"][ty.name]];
        let properties = schemas.map(|schema| schema["properties"].as_object());
        let members: BTreeSet<&String> = properties.into_iter().flatten().flat_map(Map::keys).collect();
        for member in members {
            let [derived, documented] = schemas.map(|schema| kind(schema, &schema["properties"][member]));
            assert_eq!(derived, documented, "{}.{member}, derived and documented", ty.name);
        }
    }
    let incident = &(Type::named("Incident").json_schema)();
    for (member, expected) in [
        ("id", "string"),
        ("isMuted", "boolean"),
        ("state", "IncidentState"),
        ("createdAt", "time"),
        ("metaLabels", "list of MetaLabel"),
        ("contextualLabels", "map of string"),
        ("absent", "nothing"),
    ] {
        assert_eq!(kind(incident, &incident["properties"][member]), expected, "{member}");
    }
}

/// What a member is, in words that both dialects share; `null`, which may always stand, left out.
fn kind(root: &Value, schema: &Value) -> String {
    if let Some(either) = schema["anyOf"].as_array() {
        return kind(root, either.iter().find(|schema| schema["type"] != "null").unwrap());
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        let is_documented = DOCUMENT["components"]["schemas"].get(name).is_some();
        return if is_documented { name.to_owned() } else { kind(root, &root["$defs"][name]) };
    }
    let types = schema["type"].as_array().map_or(std::slice::from_ref(&schema["type"]), Vec::as_slice);
    match types.iter().filter_map(Value::as_str).find(|name| *name != "null") {
        None => "nothing".to_owned(),
        Some("array") => format!("list of {}", kind(root, &schema["items"])),
        Some("object") => format!("map of {}", kind(root, &schema["additionalProperties"])),
        Some("string") if schema["format"] == "date-time" => "time".to_owned(),
        Some(name) => name.to_owned(),
    }
}

#[test]
fn what_the_document_accepts_is_accepted_by_the_types_and_by_their_json_schemas() {
    for ty in TYPES {
        let validator = jsonschema::validator_for(&(ty.json_schema)()).unwrap();
        let schema = json!({ "$ref": format!("#/components/schemas/{}", ty.name) });
        let mut runner =
            TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) });
        let outcome = runner.run(&instances(&schema, 0), |value| {
            prop_assert_eq!(problems(ty.name, &value), [""; 0], "the generator is at fault");
            let refused: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
            prop_assert_eq!(refused, [""; 0], "the type's JSON Schema");
            let encoded = (ty.round_trip)(&value).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(comparable(encoded.clone()), comparable(value), "decoded and encoded");
            prop_assert_eq!(problems(ty.name, &encoded), [""; 0], "what was encoded");
            Ok(())
        });
        if let Err(error) = outcome {
            panic!("{}: {error}", ty.name);
        }
    }
}

/// Values that a schema of the document accepts, in the form in which they are written: empty optional lists left out.
fn instances(schema: &Value, depth: u32) -> BoxedStrategy<Value> {
    if let Some(reference) = schema["$ref"].as_str() {
        let schema = DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap();
        return instances(schema, depth + 1);
    }
    match (schema["type"].as_str().unwrap(), schema["format"].as_str().unwrap_or_default()) {
        ("string", _) if schema["enum"].is_array() => {
            proptest::sample::select(schema["enum"].as_array().unwrap().clone()).boxed()
        }
        ("string", "date-time") => (-62_135_596_800_i64..253_402_300_800, 0_u32..1_000_000_000)
            .prop_map(|(seconds, nanos)| {
                let time = chrono::DateTime::from_timestamp(seconds, nanos).unwrap();
                json!(time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
            })
            .boxed(),
        ("string", "google-duration") => "-?[0-9]{1,12}(\\.[0-9]{1,9})?s".prop_map(Value::from).boxed(),
        ("string", "uint64") => any::<u64>().prop_map(|number| json!(number.to_string())).boxed(),
        ("string", _) if schema["pattern"].is_string() => "[ -~]{0,3}[!-~][ -~]{0,3}".prop_map(Value::from).boxed(),
        ("string", _) if schema["minLength"].is_u64() => ".{1,8}".prop_map(Value::from).boxed(),
        ("string", _) => ".{0,8}".prop_map(Value::from).boxed(),
        ("integer", format) => {
            let (least, most) =
                if format == "int32" { (i32::MIN.into(), i32::MAX.into()) } else { (i64::MIN, i64::MAX) };
            let least = schema["minimum"].as_i64().unwrap_or(least);
            let most = schema["maximum"].as_i64().unwrap_or(most);
            (least..=most).prop_map(Value::from).boxed()
        }
        ("boolean", _) => any::<bool>().prop_map(Value::from).boxed(),
        ("array", _) => {
            let least = usize::try_from(schema["minItems"].as_u64().unwrap_or(0)).unwrap();
            proptest::collection::vec(instances(&schema["items"], depth), least..least + 2)
                .prop_map(Value::from)
                .boxed()
        }
        ("object", _) if schema["additionalProperties"].is_object() => {
            let value = instances(&schema["additionalProperties"], depth);
            proptest::collection::btree_map("[a-z]{1,6}", value, 0..2)
                .prop_map(|members| Value::Object(members.into_iter().collect()))
                .boxed()
        }
        ("object", _) => message(schema, depth),
        (other, format) => panic!("no values for {other} {format}"),
    }
}

fn message(schema: &Value, depth: u32) -> BoxedStrategy<Value> {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut members = Just(Map::new()).boxed();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let optional = !required.contains(&name.as_str());
        // Messages nest four deep in this API; optional ones stop at six.
        if optional && depth > 6 {
            continue;
        }
        let name = name.clone();
        let value = instances(property, depth);
        members = (members, value, any::<bool>())
            .prop_map(move |(mut members, value, present)| {
                let empty = value.as_array().is_some_and(Vec::is_empty)
                    || (value == json!({}) && name.to_lowercase().ends_with("labels"));
                if !optional || (present && !empty) {
                    members.insert(name.clone(), value);
                }
                members
            })
            .boxed();
    }
    if schema["additionalProperties"] == json!(true) {
        members = (members, any::<u8>())
            .prop_map(|(mut members, number)| {
                members.insert("other".to_owned(), json!({ "nested": number }));
                members
            })
            .boxed();
    }
    members.prop_map(Value::Object).boxed()
}
