//! Timestamps as protobuf JSON has them: RFC 3339 with an upper-case `T`, up to nine fractional digits, `Z` or an offset, and
//! a year from 1 to 9999 in UTC.

use chrono::{DateTime, Datelike};

/// Whether a text is such a timestamp.
pub(super) fn is_timestamp(text: &str) -> bool {
    // chrono also reads other separators, leap seconds and years outside of the range.
    let bytes = text.as_bytes();
    let fits = |pattern: &[u8], at: usize| {
        bytes.get(at..at + pattern.len()).is_some_and(|part| {
            part.iter().zip(pattern).all(|(byte, wanted)| match wanted {
                b'0' => byte.is_ascii_digit(),
                _ => byte == wanted,
            })
        })
    };
    if !fits(b"0000-00-00T00:00:00", 0) || bytes[17] >= b'6' {
        return false;
    }
    let mut zone = 19;
    if bytes.get(zone) == Some(&b'.') {
        let digits = bytes[zone + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&digits) {
            return false;
        }
        zone += 1 + digits;
    }
    let has_zone = &bytes[zone..] == b"Z"
        || bytes.len() == zone + 6 && matches!(bytes[zone], b'+' | b'-') && fits(b"00:00", zone + 1);
    has_zone && DateTime::parse_from_rfc3339(text).is_ok_and(|time| (1..=9999).contains(&time.to_utc().year()))
}

#[cfg(test)]
mod tests {
    use super::is_timestamp;

    #[test]
    fn timestamps_are_those_that_protojson_reads() {
        for good in [
            "2026-03-14T08:12:30Z",
            "2026-03-14T08:12:30.5Z",
            "2026-03-14T08:12:30.123456789+05:30",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999999Z",
            "2024-02-29T00:00:00-00:00",
        ] {
            assert!(is_timestamp(good), "{good}");
        }
        for bad in [
            "",
            "yesterday",
            "2026-03-14",
            "2026-03-14 08:12:30Z",
            "2026-03-14t08:12:30Z",
            "2026-03-14T08:12:30z",
            "2026-03-14T08:12:30",
            "2026-03-14T08:12Z",
            "2026-03-14T08:12:60Z",
            "2026-03-14T08:60:00Z",
            "2026-03-14T24:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-03-14T08:12:30.Z",
            "2026-03-14T08:12:30.1234567890Z",
            "2026-03-14T08:12:30+0530",
            "2026-03-14T08:12:30+05",
            " 2026-03-14T08:12:30Z",
            "2026-03-14T08:12:30Z ",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "10000-01-01T00:00:00Z",
            "+2026-03-14T08:12:30Z",
            "2026-03-14T08:12:30\u{661}",
        ] {
            assert!(!is_timestamp(bad), "{bad}");
        }
    }
}
