//! Reads times and durations as people write them.

use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Timelike, Utc};

/// Reads a duration such as `90s`, `1h30m` or `2d`.
pub(crate) fn parse_span(text: &str) -> Result<TimeDelta, String> {
    let span = humantime::parse_duration(text).ok().and_then(|duration| TimeDelta::from_std(duration).ok());
    span.ok_or_else(|| "write a time such as `30s`, `1h30m` or `2d`".to_owned())
}

pub(crate) fn parse_timeout(text: &str) -> Result<Duration, String> {
    match parse_span(text)?.to_std() {
        Ok(timeout) if timeout > Duration::ZERO => Ok(timeout),
        _ => Err("a timeout is longer than 0".to_owned()),
    }
}

/// A point in time: RFC 3339, a date (its first second in UTC), or a duration before now.
///
/// # Errors
///
/// If the text is none of these, the year is not in 1 to 9999 in UTC, or the second is 60: the service's timestamps have
/// neither.
pub(crate) fn parse_moment(text: &str) -> Result<DateTime<Utc>, String> {
    let time = if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        time.to_utc()
    } else if let Ok(date) = text.parse::<NaiveDate>() {
        date.and_time(chrono::NaiveTime::MIN).and_utc()
    } else {
        let duration =
            parse_span(text).map_err(|_| "write `2h` (ago), `2026-03-14` or `2026-03-14T08:00:00Z`".to_owned())?;
        Utc::now().checked_sub_signed(duration).ok_or_else(|| OUT_OF_RANGE.to_owned())?
    };
    if !(1..=9999).contains(&time.year()) {
        return Err(OUT_OF_RANGE.to_owned());
    }
    // chrono keeps a leap second as a fraction of a whole second or more.
    if time.nanosecond() >= 1_000_000_000 {
        return Err("second 60 can't be sent: the service has no leap seconds; write second 59".to_owned());
    }
    Ok(time)
}

const OUT_OF_RANGE: &str = "the time is not in the years 1 to 9999, in UTC";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let millis = |text| parse_span(text).map(|span| span.num_milliseconds());
        assert_eq!(millis("90s"), Ok(90_000));
        assert_eq!(millis("1h30m"), Ok(5_400_000));
        assert_eq!(millis("1.5h"), Ok(5_400_000));
        assert_eq!(millis("2d"), Ok(172_800_000));
        assert_eq!(millis("250ms"), Ok(250));
        for wrong in ["", "5", "h", "-5s", "1,5h", "5x", "99999999999999999999s", "9223372036854775807w"] {
            assert!(parse_span(wrong).is_err(), "{wrong}");
        }
        assert!(parse_timeout("0s").is_err());
    }

    #[test]
    fn moments_are_read_in_utc() {
        let read = |text| parse_moment(text).map(|time| time.to_rfc3339());
        assert_eq!(read("2026-03-14"), Ok("2026-03-14T00:00:00+00:00".to_owned()));
        assert_eq!(read("2026-03-14T09:00:00.25+01:00"), Ok("2026-03-14T08:00:00.250+00:00".to_owned()));
        let before = parse_moment("2h").unwrap();
        assert_eq!((Utc::now() - before).num_minutes(), 120);
        assert!(parse_moment("yesterday").is_err());
    }

    #[test]
    fn moments_that_a_timestamp_cannot_hold_are_refused() {
        for fine in ["0001-01-01", "9999-12-31T23:59:59.999999999Z", "2016-12-31T23:59:59Z"] {
            assert!(parse_moment(fine).is_ok(), "{fine}");
        }
        for (text, word) in [
            ("0000-12-31", "years 1 to 9999"),
            ("+10000-01-01", "years 1 to 9999"),
            ("-0044-03-15", "years 1 to 9999"),
            ("9999-12-31T23:59:59-01:00", "years 1 to 9999"),
            ("0001-01-01T00:00:00+00:01", "years 1 to 9999"),
            ("500000w", "years 1 to 9999"),
            ("99999999w", "years 1 to 9999"),
            ("2016-12-31T23:59:60Z", "second 60"),
            ("2016-12-31T23:59:60.5+01:00", "second 60"),
        ] {
            let problem = parse_moment(text).unwrap_err();
            assert!(problem.contains(word), "{text}: {problem}");
        }
    }
}
