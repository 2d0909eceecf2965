//! Durations of protobuf JSON. Any text can be decoded; it is checked when it is converted.

use std::fmt;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// A span of time as it is on the wire: decimal seconds followed by `s`, with up to nine fractional digits, possibly negative.
///
/// Decoding never fails: the received text is kept, and [`to_time_delta`](Self::to_time_delta) converts it. The documented
/// sample has the placeholder `<string>` here. Two values are equal if their texts are equal: `"1s"` and `"1.000s"` are not.
///
/// Durations reach ±315,576,000,000.999999999 s (about 10,000 years), which neither [`std::time::Duration`] (it has no
/// sign) nor nanoseconds in an `i64` (292 years) can hold. [Source: the protobuf definition of `Duration`.](https://protobuf.dev/reference/protobuf/google.protobuf/#duration)
///
/// ```
/// use chrono::TimeDelta;
/// use coralogix_incidents::wire::Duration;
///
/// assert_eq!(Duration::new("-1.5s").to_time_delta()?, TimeDelta::milliseconds(-1500));
/// assert_eq!(Duration::from_time_delta(TimeDelta::hours(1))?.as_str(), "3600s");
/// assert!(Duration::new("<string>").to_time_delta().is_err());
/// # Ok::<(), coralogix_incidents::wire::DurationError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Duration(String);

/// The largest number of whole seconds, of either sign.
const MAX_SECONDS: i64 = 315_576_000_000;

impl Duration {
    /// Creates a duration from a text, which is not checked.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The duration of a [`TimeDelta`], with 0, 3, 6 or 9 fractional digits.
    ///
    /// # Errors
    ///
    /// [`DurationError`] if it is outside of ±315,576,000,000.999999999 s.
    pub fn from_time_delta(delta: TimeDelta) -> Result<Self, DurationError> {
        let (seconds, nanos) = (delta.num_seconds(), delta.subsec_nanos());
        let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
        let (seconds, nanos) = (seconds.unsigned_abs(), nanos.unsigned_abs());
        if seconds > MAX_SECONDS.unsigned_abs() {
            return Err(DurationError { text: format!("{sign}{seconds}s"), problem: OUT_OF_RANGE });
        }
        Ok(Self(match nanos {
            0 => format!("{sign}{seconds}s"),
            _ if nanos % 1_000_000 == 0 => format!("{sign}{seconds}.{:03}s", nanos / 1_000_000),
            _ if nanos % 1_000 == 0 => format!("{sign}{seconds}.{:06}s", nanos / 1_000),
            _ => format!("{sign}{seconds}.{nanos:09}s"),
        }))
    }

    /// The text as it was received.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The span of time, exact to the nanosecond.
    ///
    /// # Errors
    ///
    /// [`DurationError`] if the text is not decimal seconds with an `s`, has more than nine fractional digits, or is outside of
    /// ±315,576,000,000.999999999 s.
    pub fn to_time_delta(&self) -> Result<TimeDelta, DurationError> {
        let fail = |problem| DurationError { text: self.0.chars().take(64).collect(), problem };
        let number = self.0.strip_suffix('s').ok_or_else(|| fail("it must end in `s`"))?;
        let (negative, digits) = match number.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, number),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let decimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !decimal(whole) || !decimal(fraction) || digits.ends_with('.') {
            return Err(fail("it must be decimal seconds, such as `1.5s`"));
        }
        if fraction.len() > 9 {
            return Err(fail("it has more than nine fractional digits"));
        }
        let seconds: i64 = whole.parse().map_err(|_| fail(OUT_OF_RANGE))?;
        if seconds > MAX_SECONDS {
            return Err(fail(OUT_OF_RANGE));
        }
        let nanos: i64 = format!("{fraction:0<9}").parse().unwrap_or(0);
        let delta = TimeDelta::seconds(seconds) + TimeDelta::nanoseconds(nanos);
        Ok(if negative { -delta } else { delta })
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Duration {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

const OUT_OF_RANGE: &str = "it is outside of ±315576000000.999999999 s";

/// The error of a text that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurationError {
    text: String,
    problem: &'static str,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a duration: {}", self.text.escape_debug(), self.problem)
    }
}

impl std::error::Error for DurationError {}
