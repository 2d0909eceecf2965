//! Reads messages from a query string by the rules of grpc-gateway 2: each scalar member by its dotted path, in either
//! spelling; lists by repetition; unknown names ignored. Maps of messages and lists of messages cannot travel so.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    schema::{Cardinality, Described, Field, Kind, Message},
    timestamp::is_timestamp,
};

/// A decoded query: names and values, in their order.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, Vec<String>)>);

impl Query {
    /// Decodes a query string as Go does: a bare `;` and an incomplete escape are errors.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.contains(';') {
            return Err("invalid semicolon separator in query".to_owned());
        }
        if let Some(escape) = invalid_escape(text) {
            return Err(format!("invalid URL escape {escape:?}"));
        }
        let mut query = Self::default();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            match query.0.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => values.push(value.into_owned()),
                None => query.0.push((name.into_owned(), vec![value.into_owned()])),
            }
        }
        Ok(query)
    }

    /// The values of a repeated parameter, in either spelling.
    pub(crate) fn texts(&self, names: [&str; 2]) -> Vec<String> {
        let parameters = self.parameters().filter(|(path, _)| names.contains(path));
        parameters.flat_map(|(_, values)| values).map(str::to_owned).collect()
    }

    /// The paths with their values. `name[key]=value` is how a gateway writes the entry of a map: it counts as the values `key`
    /// and `value` of `name`, whatever `name` is.
    fn parameters(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.0.iter().map(|(name, values)| {
            let values = values.iter().map(String::as_str);
            match name.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) {
                Some((path, key)) => (path, [key].into_iter().chain(values).collect()),
                None => (name.as_str(), values.collect()),
            }
        })
    }
}

/// The first escape of a URL that is not `%` and two hexadecimal digits.
pub(crate) fn invalid_escape(text: &str) -> Option<String> {
    let mut escapes = text.match_indices('%').map(|(at, _)| text[at..].chars().take(3).collect::<String>());
    escapes.find(|escape| escape.len() < 3 || !escape[1..].bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Reads a message.
pub(crate) fn read<T: DeserializeOwned + Described>(query: &Query) -> Result<T, String> {
    let mut out = Map::new();
    for (path, values) in query.parameters() {
        set(T::MESSAGE, &mut out, path, &values).map_err(|problem| format!("query parameter {path:?}: {problem}"))?;
    }
    serde_json::from_value(Value::Object(out)).map_err(|problem| problem.to_string())
}

fn set(message: &Message, out: &mut Map<String, Value>, path: &str, values: &[&str]) -> Result<(), String> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let Some((_, field)) = message.field(name) else { return Ok(()) };
    if let Some(oneof) = field.oneof {
        let mut others = message.fields.iter().filter(|other| other.oneof == Some(oneof) && other.name != field.name);
        if let Some(other) = others.find(|other| out.contains_key(other.name)) {
            return Err(format!("excludes {:?}", other.name));
        }
    }
    if let Some(rest) = rest {
        let (Cardinality::Single, Kind::Message(inner)) = (field.cardinality, field.kind) else {
            return Err(format!("{name:?} is not a message"));
        };
        let value = out.entry(field.name).or_insert_with(|| Value::Object(Map::new()));
        return value.as_object_mut().map_or(Ok(()), |out| set(inner, out, rest, values));
    }
    match field.cardinality {
        Cardinality::Map => return Err("maps of messages cannot be sent in a query".to_owned()),
        Cardinality::Single => {
            let [value] = values else { return Err(format!("{} values; allowed is one", values.len())) };
            out.insert(field.name.to_owned(), read_value(field, value)?);
        }
        Cardinality::List => {
            let list = out.entry(field.name).or_insert_with(|| Value::Array(Vec::new()));
            let items: Result<Vec<_>, _> = values.iter().map(|value| read_value(field, value)).collect();
            if let Value::Array(list) = list {
                list.extend(items?);
            }
        }
    }
    Ok(())
}

fn read_value(field: &Field, text: &str) -> Result<Value, String> {
    let invalid = || Err(format!("{text:?} is not a valid value"));
    match field.kind {
        Kind::String | Kind::Duration => Ok(text.into()),
        Kind::Timestamp if is_timestamp(text) => Ok(text.into()),
        Kind::Timestamp => invalid(),
        // What Go's `strconv.ParseBool` reads.
        Kind::Bool => match text {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true.into()),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false.into()),
            _ => invalid(),
        },
        Kind::Integer => text.parse::<i64>().map_or_else(|_| invalid(), |number| Ok(number.into())),
        Kind::Enum(names) => {
            let by_number = || names.get(text.parse::<usize>().ok()?);
            let name = names.iter().find(|name| **name == text).or_else(by_number);
            name.map_or_else(invalid, |name| Ok((*name).into()))
        }
        Kind::Message(_) | Kind::Any => Err("a message cannot be sent in a query".to_owned()),
    }
}
