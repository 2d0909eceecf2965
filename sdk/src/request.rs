//! What generated methods build requests from: the limits that the document states, and the encoding of ids in URLs.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use crate::Error;

/// What a text must be.
#[derive(Clone, Copy)]
pub(crate) enum Text {
    /// Something other than white space.
    NotBlank,
    /// What can stand in a path: no white space, no `/` (which no gateway unescapes there), no `:` (which older gateways
    /// take for the beginning of a verb).
    PathSegment,
}

pub(crate) fn count(name: &str, count: usize, least: usize, most: Option<usize>) -> Result<(), Error> {
    if count < least {
        let message = if count == 0 {
            format!("`{name}` is empty: give at least {least}")
        } else {
            format!("`{name}` has {count} entries: give at least {least}")
        };
        return Err(Error::invalid_request(message));
    }
    match most {
        Some(most) if count > most => {
            let message =
                format!("`{name}` has {count} entries, and the service takes {most} in one call: use `Client::bulk`");
            Err(Error::invalid_request(message))
        }
        _ => Ok(()),
    }
}

pub(crate) fn each(name: &str, values: &[String], rule: Text) -> Result<(), Error> {
    values.iter().enumerate().try_for_each(|(index, value)| check(value, rule, || format!("`{name}[{index}]`")))
}

pub(crate) fn text(name: &str, value: &str, rule: Text) -> Result<(), Error> {
    check(value, rule, || format!("`{name}`"))
}

fn check(value: &str, rule: Text, what: impl Fn() -> String) -> Result<(), Error> {
    let problem = match rule {
        _ if value.trim().is_empty() => "is blank",
        Text::PathSegment if value.contains('/') => {
            "has a `/`, which can't travel in a path (batchGetIncident takes any id)"
        }
        Text::PathSegment if value.contains(':') => {
            "has a `:`, which older gateways take for a verb (batchGetIncident takes any id)"
        }
        Text::PathSegment if value == "." || value == ".." => "is not a name: it means a folder",
        Text::PathSegment if value.contains(char::is_whitespace) => "has white space in it",
        Text::NotBlank | Text::PathSegment => return Ok(()),
    };
    Err(Error::invalid_request(format!("{} {problem}", what())))
}

/// A repeated query parameter: `name=a&name=b`, the one form that gateways read as a list.
pub(crate) fn query_list<'a>(name: &'a str, values: &'a [String]) -> Vec<(&'a str, &'a str)> {
    values.iter().map(|value| (name, value.as_str())).collect()
}

/// One segment of a path, escaped but for the characters that RFC 3986 calls unreserved.
pub(crate) fn encode_path(segment: &str) -> PercentEncode<'_> {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(segment, ESCAPED)
}
