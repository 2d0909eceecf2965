//! Decodes requests by the rules of a gRPC gateway. It knows nothing of what is done with them.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::response::HttpError;
use crate::proto_json::enums::Enums;

/// The parts of a request, before an operation decodes them.
#[derive(Debug)]
pub(crate) struct RequestParts {
    /// The value of the path's parameter, decoded.
    pub(crate) path_parameter: Option<String>,
    query: Result<Vec<(String, String)>, String>,
    body: Result<Value, String>,
}

impl RequestParts {
    pub(crate) fn new(path_parameter: Option<String>, raw_query: &str, body: &Bytes) -> Self {
        Self { path_parameter, query: query(raw_query), body: json(body) }
    }

    /// The values of a repeated parameter. `ids=a,b` is one value. `ids[a]=b` is how gateways write a map, so that it adds both
    /// the `a` and the `b`.
    pub(crate) fn query_values(&self, name: &str) -> Result<Vec<String>, HttpError> {
        let pairs = self.query.as_ref().map_err(HttpError::bad_request)?;
        Ok(query_values(pairs, name))
    }

    /// The body as this message.
    pub(crate) fn body<T: DeserializeOwned + Serialize + Enums>(&self) -> Result<T, HttpError> {
        let body = self.body.as_ref().map_err(HttpError::bad_request)?;
        let message = T::deserialize(body)
            .map_err(|problem| HttpError::bad_request(format!("invalid request body: {problem}")))?;
        // The types also read a message from a list of its members, which is serde's way and nobody's JSON.
        let written = serde_json::to_value(&message).unwrap_or_default();
        if let Some(member) = list_for_message(body, &written) {
            return Err(HttpError::bad_request(format!(
                "invalid request body: a list where a message is expected{member}"
            )));
        }
        match message.unknown_name() {
            Some((field, name)) => {
                Err(HttpError::bad_request(format!("invalid value for enum field {field}: {name:?}")))
            }
            None => Ok(message),
        }
    }

    /// The texts of a list that a request has as a member of its body, or as a repeated query parameter.
    pub(crate) fn texts(&self, member: &str, parameter: &str) -> Vec<String> {
        let mut texts = self.query.as_ref().map(|pairs| query_values(pairs, parameter)).unwrap_or_default();
        if let Ok(Value::Object(body)) = &self.body
            && let Some(Value::Array(items)) = body.get(member)
        {
            texts.extend(items.iter().filter_map(Value::as_str).map(str::to_owned));
        }
        texts
    }
}

/// Like Go's parser, which gateways use: a bare `;` and a broken escape are errors.
fn query(query: &str) -> Result<Vec<(String, String)>, String> {
    if query.contains(';') {
        return Err("invalid semicolon separator in query".to_owned());
    }
    let mut rest = query;
    while let Some(at) = rest.find('%') {
        rest = &rest[at + 1..];
        if rest.len() < 2 || !rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!("invalid URL escape {:?}", format!("%{}", rest.chars().take(2).collect::<String>())));
        }
    }
    Ok(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
}

fn query_values(pairs: &[(String, String)], name: &str) -> Vec<String> {
    let mut values = Vec::new();
    for (key, value) in pairs {
        let Some(rest) = key.strip_prefix(name) else { continue };
        if let Some(inner) = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            values.push(inner.to_owned());
        } else if !rest.is_empty() {
            continue;
        }
        values.push(value.clone());
    }
    values
}

/// The first JSON value of the body: what follows it is ignored, and no body at all is an empty message.
fn json(body: &Bytes) -> Result<Value, String> {
    match serde_json::Deserializer::from_slice(body).into_iter().next() {
        None => Ok(Value::Object(Map::new())),
        Some(Ok(value)) => Ok(value),
        Some(Err(problem)) => Err(format!("invalid request body: {problem}")),
    }
}

/// Where a list was read as a message.
fn list_for_message(given: &Value, written: &Value) -> Option<String> {
    match (given, written) {
        (Value::Array(_), Value::Object(_)) => Some(String::new()),
        (Value::Array(given), Value::Array(written)) => {
            given.iter().zip(written).find_map(|(given, written)| list_for_message(given, written))
        }
        (Value::Object(given), Value::Object(written)) => written.iter().find_map(|(member, written)| {
            let inside = list_for_message(given.get(member)?, written)?;
            Some(if inside.is_empty() { format!(" in {member}") } else { inside })
        }),
        _ => None,
    }
}
