//! Reads header values by the rules of RFC 9110: lists over several lines, media types, `Retry-After`. This module must not
//! know of requests, nor what a value means for a call.

use std::{
    borrow::Cow,
    time::{Duration, SystemTime},
};

use http::{HeaderMap, HeaderName, header};

/// The content codings of a body, without `identity`; `None` if there are none. They are a list over all lines of the header, in
/// which elements may be empty ([section 5.6.1](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.1)).
pub(crate) fn content_coding(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(header::CONTENT_ENCODING).into_iter();
    let list = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect::<Vec<_>>().join(",");
    let elements = list.split(',').map(str::trim).filter(|element| !element.is_empty());
    let codings: Vec<_> = elements.filter(|element| !element.eq_ignore_ascii_case("identity")).collect();
    (!codings.is_empty()).then(|| codings.join(", "))
}

/// Whether the media type of a body is JSON: `application/json`, or one with the suffix `+json`.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    all_types(headers, |subtype| subtype == "json" || subtype.ends_with("+json"))
}

/// Whether the media type of a body is HTML.
pub(crate) fn is_html(headers: &HeaderMap) -> bool {
    all_types(headers, |subtype| subtype == "html" || subtype == "xhtml+xml")
}

/// Whether there is a media type and the subtype of each one is of this kind; a proxy may have added a header line.
/// Parameters are ignored, even malformed ones, so that a stray semicolon does not turn JSON into something else.
fn all_types(headers: &HeaderMap, is_kind: impl Fn(&str) -> bool) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).into_iter().map(|value| {
        let value = String::from_utf8_lossy(value.as_bytes());
        let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        essence.split_once('/').is_some_and(|(kind, subtype)| !kind.is_empty() && is_kind(subtype))
    });
    let first = types.next();
    first.is_some_and(|first| first && types.all(|other| other))
}

/// The delay that `Retry-After` asks for, given in seconds or as a date
/// ([section 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)). A date is compared with the `Date` of the same
/// response, so that a difference between the clocks of client and server does not matter. If there is no `Date`, it is
/// compared with `now`.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = text(headers, header::RETRY_AFTER)?;
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::from(u32::MAX))));
    }
    let date = |text: &str| httpdate::parse_http_date(text).ok();
    let sent = text(headers, header::DATE).and_then(|value| date(&value)).unwrap_or(now);
    Some(date(&value)?.duration_since(sent).unwrap_or_default())
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<Cow<'_, str>> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes().trim_ascii()))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use http::HeaderValue;

    use super::*;

    fn lines(name: &HeaderName, values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn codings_are_read_from_all_lines() {
        for (values, expected) in [
            (&[][..], None),
            (&[""], None),
            (&["Identity"], None),
            (&["identity, ,", " IDENTITY "], None),
            (&["gzip"], Some("gzip")),
            (&["identity", "gzip"], Some("gzip")),
            (&["GZIP,br", "", "identity,zstd"], Some("GZIP, br, zstd")),
        ] {
            assert_eq!(content_coding(&lines(&header::CONTENT_ENCODING, values)).as_deref(), expected, "{values:?}");
        }
    }

    #[test]
    fn media_types_are_recognized_by_subtype_and_suffix() {
        for (values, json, html) in [
            (&[][..], false, false),
            (&["application/json"], true, false),
            (&["Application/JSON; charset=utf-8"], true, false),
            (&["application/json;"], true, false),
            (&[" application/json ;charset"], true, false),
            (&["text/json"], true, false),
            (&["application/problem+json"], true, false),
            (&["application/vnd.api+JSON; q=1"], true, false),
            (&["application/jsonp"], false, false),
            (&["application/json5"], false, false),
            (&["application/x-json-seq"], false, false),
            (&["json"], false, false),
            (&["/json"], false, false),
            (&["text/plain; type=application/json"], false, false),
            (&["application/json", "application/json"], true, false),
            (&["application/json", "text/html"], false, false),
            (&["TEXT/HTML;charset=iso-8859-1"], false, true),
            (&["application/xhtml+xml"], false, true),
            (&["text/htmlx"], false, false),
        ] {
            let headers = lines(&header::CONTENT_TYPE, values);
            assert_eq!((is_json(&headers), is_html(&headers)), (json, html), "{values:?}");
        }
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_777 - 30);
        let read = |text: &str| retry_after(&lines(&header::RETRY_AFTER, &[text]), now);
        assert_eq!(read("120"), Some(Duration::from_secs(120)));
        assert_eq!(read(" 0 "), Some(Duration::ZERO));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(read("Tue, 06 Nov 1984 08:49:37 GMT"), Some(Duration::ZERO), "a time that has passed");
        assert_eq!(read("soon"), None);
        assert_eq!(read("-1"), None);
        assert_eq!(read(""), None);
        assert_eq!(read("99999999999999999999999"), Some(Duration::from_secs(u32::MAX.into())));
    }

    #[test]
    fn a_retry_after_date_is_compared_with_the_date_of_the_response() {
        let read = |date: &str| {
            let mut headers = lines(&header::RETRY_AFTER, &["Sun, 06 Nov 1994 08:49:37 GMT"]);
            headers.insert(header::DATE, HeaderValue::from_str(date).unwrap());
            retry_after(&headers, UNIX_EPOCH + Duration::from_secs(784_111_777 - 30))
        };
        assert_eq!(read("Sun, 06 Nov 1994 08:49:17 GMT"), Some(Duration::from_secs(20)));
        assert_eq!(read("Sun, 06 Nov 1994 09:49:17 GMT"), Some(Duration::ZERO));
        assert_eq!(read("yesterday"), Some(Duration::from_secs(30)), "the clock of the client is used");
    }
}
