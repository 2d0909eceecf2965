//! Reads messages from JSON by the rules of protobuf's Go library, which gateways use: both spellings of a member's name,
//! no member twice, enums by name or number, integers also as text, `null` for an absent member, unknown members ignored.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

use super::{
    schema::{Cardinality, Described, Field, Kind, Message},
    timestamp::is_timestamp,
};

/// JSON as it was received, with the members of each object in their order, also those that stand twice.
#[derive(Debug)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads the first JSON value of a text. Text after it is ignored, and an empty text is an empty message, as gateways
    /// have it.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        match serde_json::Deserializer::from_slice(text).into_iter().next() {
            None => Ok(Self::Object(Vec::new())),
            Some(value) => value.map_err(|problem| problem.to_string()),
        }
    }

    /// The texts of a list that is a member of this message, in either spelling.
    pub(crate) fn texts(&self, names: [&str; 2]) -> Vec<String> {
        let Self::Object(members) = self else { return Vec::new() };
        let lists = members.iter().filter(|(key, _)| names.contains(&key.as_str()));
        let items = lists.filter_map(|(_, value)| if let Self::List(items) = value { Some(items) } else { None });
        let texts = items.flatten().filter_map(|item| if let Self::String(text) = item { Some(text) } else { None });
        texts.cloned().collect()
    }
}

/// Reads a message.
pub(crate) fn read<T: DeserializeOwned + Described>(json: &Json) -> Result<T, String> {
    serde_json::from_value(read_message(T::MESSAGE, json)?).map_err(|problem| problem.to_string())
}

fn read_message(message: &Message, json: &Json) -> Result<Value, String> {
    let Json::Object(members) = json else { return Err(format!("{}: a JSON object is expected", message.name)) };
    let mut seen = Vec::new();
    let mut out = Map::new();
    for (key, value) in members {
        let Some((position, field)) = message.field(key) else { continue };
        if seen.contains(&position) {
            return Err(format!("duplicate member {key:?}"));
        }
        seen.push(position);
        if matches!(value, Json::Null) {
            continue;
        }
        if let Some(oneof) = field.oneof
            && let Some(other) =
                message.fields.iter().find(|other| other.oneof == Some(oneof) && out.contains_key(other.name))
        {
            return Err(format!("{key:?} and {:?} exclude each other", other.name));
        }
        out.insert(field.name.to_owned(), read_field(field, value)?);
    }
    Ok(Value::Object(out))
}

fn read_field(field: &Field, json: &Json) -> Result<Value, String> {
    match (field.cardinality, json) {
        (Cardinality::Single, value) => read_value(field, value),
        (Cardinality::List, Json::List(items)) => items.iter().map(|item| read_value(field, item)).collect(),
        (Cardinality::List, _) => Err(format!("member {}: a list is expected", field.name)),
        (Cardinality::Map, Json::Object(members)) => {
            let mut out = Map::new();
            for (key, value) in members {
                if out.insert(key.clone(), read_value(field, value)?).is_some() {
                    return Err(format!("member {}: duplicate key {key:?}", field.name));
                }
            }
            Ok(Value::Object(out))
        }
        (Cardinality::Map, _) => Err(format!("member {}: an object is expected", field.name)),
    }
}

fn read_value(field: &Field, json: &Json) -> Result<Value, String> {
    let invalid = |expected: &str| Err(format!("member {}: {expected} is expected", field.name));
    match (field.kind, json) {
        (Kind::Message(message), value) => read_message(message, value),
        (Kind::String | Kind::Duration, Json::String(text)) => Ok(Value::String(text.clone())),
        (Kind::String, _) => invalid("a text"),
        (Kind::Duration, _) => invalid("a duration such as \"3.5s\""),
        (Kind::Bool, Json::Bool(value)) => Ok(Value::Bool(*value)),
        (Kind::Bool, _) => invalid("true or false"),
        (Kind::Timestamp, Json::String(text)) if is_timestamp(text) => Ok(Value::String(text.clone())),
        (Kind::Timestamp, _) => invalid("a time such as \"2026-03-14T08:12:30Z\""),
        (Kind::Integer, Json::Number(number)) => {
            whole(number).map_or_else(|| invalid("an integer"), |number| Ok(number.into()))
        }
        (Kind::Integer, Json::String(text)) => {
            let number = serde_json::from_str(text).ok().filter(|_| text.trim() == text);
            number.as_ref().and_then(whole).map_or_else(|| invalid("an integer"), |number| Ok(number.into()))
        }
        (Kind::Integer, _) => invalid("an integer"),
        (Kind::Enum(names), Json::String(text)) if names.contains(&text.as_str()) => Ok(Value::String(text.clone())),
        (Kind::Enum(_), Json::String(text)) => Err(format!("invalid value for enum member {}: {text:?}", field.name)),
        (Kind::Enum(names), Json::Number(number)) => {
            match whole(number).and_then(|number| i32::try_from(number).ok()) {
                Some(number) => {
                    let name = usize::try_from(number).ok().and_then(|number| names.get(number));
                    Ok(name.map_or(Value::from(number), |name| Value::from(*name)))
                }
                None => invalid("a 32-bit number of an enum value"),
            }
        }
        (Kind::Enum(_), _) => invalid("the name or number of an enum value"),
        (Kind::Any, _) => invalid("nothing that a request can have"),
    }
}

/// The integer that a number is: `7.0` and `0.7e1` are 7.
fn whole(number: &Number) -> Option<i64> {
    // Beyond this, a float may stand for several integers.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    number.as_i64().or_else(|| {
        let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= EXACT)?;
        format!("{float}").parse().ok()
    })
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Json::Object(object))
    }
}
