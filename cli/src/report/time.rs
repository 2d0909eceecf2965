//! Times and durations as people read them.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// RFC 3339 in UTC, to the second.
pub(crate) fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A duration in its two largest units: `2d 3h`, `1m 30s`, `250ms`.
pub(crate) fn duration(span: TimeDelta) -> String {
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

/// A duration in its largest unit: `5d`, `40m`.
pub(crate) fn largest_unit(span: TimeDelta) -> String {
    let text = duration(span);
    text.split(' ').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_shown_by_their_largest_units() {
        let shown = |seconds| duration(TimeDelta::seconds(seconds));
        assert_eq!(shown(0), "0ms");
        assert_eq!(shown(59), "59s");
        assert_eq!(shown(90), "1m 30s");
        assert_eq!(shown(3600), "1h");
        assert_eq!(shown(3601), "1h");
        assert_eq!(shown(187_200), "2d 4h");
        assert_eq!(shown(-90), "-1m 30s");
        assert_eq!(largest_unit(TimeDelta::seconds(187_200)), "2d");
    }
}
