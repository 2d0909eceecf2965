//! Times and spans as people write and read them.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta, Utc};

const UNITS: [(&str, i64); 6] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];

/// A span such as `90s`, `1h30m` or `2d`.
pub(crate) fn parse_span(text: &str) -> Result<TimeDelta, String> {
    let fail = || "write a time such as `30s`, `1h30m` or `2d`".to_owned();
    let mut rest = text.trim();
    let mut millis: i64 = 0;
    if rest.is_empty() {
        return Err(fail());
    }
    while !rest.is_empty() {
        let end = rest.find(|character: char| !character.is_ascii_digit()).ok_or_else(fail)?;
        let number: i64 = rest[..end].parse().map_err(|_| fail())?;
        rest = &rest[end..];
        let end = rest.find(|character: char| character.is_ascii_digit()).unwrap_or(rest.len());
        let (_, unit) = UNITS.into_iter().find(|(name, _)| *name == &rest[..end]).ok_or_else(fail)?;
        millis = number.checked_mul(unit).and_then(|part| millis.checked_add(part)).ok_or_else(fail)?;
        rest = &rest[end..];
    }
    TimeDelta::try_milliseconds(millis).ok_or_else(fail)
}

pub(crate) fn parse_timeout(text: &str) -> Result<Duration, String> {
    match parse_span(text)?.to_std() {
        Ok(timeout) if timeout > Duration::ZERO => Ok(timeout),
        _ => Err("a timeout is longer than 0".to_owned()),
    }
}

/// A moment: RFC 3339, a date (its first second in UTC), or a span before now.
pub(crate) fn parse_moment(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Ok(date.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    let fail = || "write `2h` (ago), `2026-03-14` or `2026-03-14T08:00:00Z`".to_owned();
    let span = parse_span(text).map_err(|_| fail())?;
    Utc::now().checked_sub_signed(span).ok_or_else(fail)
}

/// RFC 3339 in UTC, to the second.
pub(crate) fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A span by its two largest units: `2d 3h`, `1m 30s`, `250ms`.
pub(crate) fn human(span: TimeDelta) -> String {
    let sign = if span < TimeDelta::zero() { "-" } else { "" };
    let millis = span.num_milliseconds().unsigned_abs();
    if millis < 1_000 {
        return format!("{sign}{millis}ms");
    }
    let seconds = millis / 1_000;
    let parts = [("d", seconds / 86_400), ("h", seconds / 3_600 % 24), ("m", seconds / 60 % 60), ("s", seconds % 60)];
    let shown = parts.into_iter().skip_while(|(_, number)| *number == 0).take(2).filter(|(_, number)| *number > 0);
    sign.to_owned() + &shown.map(|(unit, number)| format!("{number}{unit}")).collect::<Vec<_>>().join(" ")
}

/// A span by its largest unit alone: `5d`, `40m`.
pub(crate) fn short(span: TimeDelta) -> String {
    let text = human(span);
    text.split(' ').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        let millis = |text| parse_span(text).map(|span| span.num_milliseconds());
        assert_eq!(millis("90s"), Ok(90_000));
        assert_eq!(millis("1h30m"), Ok(5_400_000));
        assert_eq!(millis("2d"), Ok(172_800_000));
        assert_eq!(millis("250ms"), Ok(250));
        for wrong in ["", "5", "h", "5 h", "-5s", "1.5h", "5y", "99999999999999999999s", "9223372036854775807w"] {
            assert!(parse_span(wrong).is_err(), "{wrong}");
        }
        assert!(parse_timeout("0s").is_err());
    }

    #[test]
    fn moments_are_read_in_utc() {
        let stamped = |text| parse_moment(text).map(stamp);
        assert_eq!(stamped("2026-03-14"), Ok("2026-03-14T00:00:00Z".to_owned()));
        assert_eq!(stamped("2026-03-14T09:00:00.25+01:00"), Ok("2026-03-14T08:00:00Z".to_owned()));
        let before = parse_moment("2h").unwrap();
        assert_eq!((Utc::now() - before).num_minutes(), 120);
        assert!(parse_moment("yesterday").is_err());
        assert!(parse_moment("99999999w").is_err());
    }

    #[test]
    fn spans_are_shown_by_their_largest_units() {
        let shown = |seconds| human(TimeDelta::seconds(seconds));
        assert_eq!(shown(0), "0ms");
        assert_eq!(shown(59), "59s");
        assert_eq!(shown(90), "1m 30s");
        assert_eq!(shown(3600), "1h");
        assert_eq!(shown(3601), "1h");
        assert_eq!(shown(187_200), "2d 4h");
        assert_eq!(shown(-90), "-1m 30s");
        assert_eq!(short(TimeDelta::seconds(187_200)), "2d");
    }
}
