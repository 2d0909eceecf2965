//! What generated methods need to build requests: checks of the limits that the document states, and the encoding of URLs.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use serde::Serialize;
use serde_json::Value;

use crate::{Binding, Error};

/// A rule for a string in a request.
#[derive(Clone, Copy)]
pub(crate) struct TextRule {
    path_segment: bool,
    max_length: Option<usize>,
}

/// A string that has a character other than white space.
pub(crate) const NOT_BLANK: TextRule = TextRule { path_segment: false, max_length: None };
/// A string that can be a segment of a path: no white space, no `/` (which gateways do not unescape there), no `:` (which older
/// gateways read as the beginning of a verb).
pub(crate) const PATH_SEGMENT: TextRule = TextRule { path_segment: true, max_length: None };

impl TextRule {
    /// The same rule with a maximum number of characters.
    pub(crate) const fn at_most(mut self, characters: usize) -> Self {
        self.max_length = Some(characters);
        self
    }
}

pub(crate) fn check_count(name: &str, count: usize, least: usize, most: Option<usize>) -> Result<(), Error> {
    let problem = match most {
        _ if count < least && count == 0 => format!("is empty: give at least {least}"),
        _ if count < least => format!("has {count} entries: give at least {least}"),
        Some(most) if count > most => {
            format!("has {count} entries, and the service takes {most} in one call: use `Client::bulk`")
        }
        _ => return Ok(()),
    };
    Err(Error::invalid_request(format!("`{name}` {problem}")))
}

pub(crate) fn check_each(name: &str, values: &[String], rule: TextRule) -> Result<(), Error> {
    values.iter().enumerate().try_for_each(|(index, value)| check(value, rule, || format!("`{name}[{index}]`")))
}

pub(crate) fn check_text(name: &str, value: &str, rule: TextRule) -> Result<(), Error> {
    check(value, rule, || format!("`{name}`"))
}

fn check(value: &str, rule: TextRule, what: impl Fn() -> String) -> Result<(), Error> {
    let is_segment = rule.path_segment;
    let problem = match rule.max_length {
        _ if value.trim().is_empty() => "is blank".to_owned(),
        Some(most) if value.chars().count() > most => format!("is longer than {most} characters"),
        _ if is_segment && value.contains('/') => "contains `/`, which cannot be sent in a path".to_owned(),
        _ if is_segment && value.contains(':') => {
            "contains `:`, which older gateways read as the beginning of a verb".to_owned()
        }
        _ if is_segment && matches!(value, "." | "..") => "is a relative path segment".to_owned(),
        _ if is_segment && value.contains(char::is_whitespace) => "contains white space".to_owned(),
        _ => return Ok(()),
    };
    Err(Error::invalid_request(format!("{} {problem}", what())))
}

/// The query of a binding that sends the request message in it: each scalar member that is set, by its dotted path, and each
/// element of a list as a parameter of its own. The query of a message without a set member is empty.
///
/// # Errors
///
/// `InvalidRequest` if a member is set that cannot be sent in a query.
pub(crate) fn query(binding: &Binding, message: &impl Serialize) -> Result<Vec<(&'static str, String)>, Error> {
    let message = serde_json::to_value(message)
        .map_err(|error| Error::invalid_request(format!("the request cannot be written as JSON: {error}")))?;
    let member = |path: &str| path.split('.').try_fold(&message, |value, key| value.get(key));
    // An empty list or map is not serialized, and nor is a member that is not set.
    if let Some(path) = binding.excluded.iter().find(|path| member(path).is_some()) {
        let message = format!(
            "`{path}` cannot be sent in the query that API generation {} uses: leave it out, or use a generation that takes \
             a request body",
            binding.generation
        );
        return Err(Error::invalid_request(message));
    }
    let mut query = Vec::new();
    for parameter in binding.query {
        match member(parameter.member) {
            Some(Value::Array(elements)) => {
                query.extend(elements.iter().map(|element| (parameter.name, scalar(element))));
            }
            Some(value) => query.push((parameter.name, scalar(value))),
            None => {}
        }
    }
    Ok(query)
}

/// A scalar as it is written in a query: strings have no quotes.
fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A repeated query parameter, `name=a&name=b`: the only form that gateways read as a list.
pub(crate) fn query_list<'a>(name: &'a str, values: &'a [String]) -> Vec<(&'a str, &'a str)> {
    values.iter().map(|value| (name, value.as_str())).collect()
}

/// A segment of a path, with all characters escaped except those that RFC 3986 calls unreserved.
pub(crate) fn encode_path(segment: &str) -> PercentEncode<'_> {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(segment, ESCAPED)
}
