//! Times in RFC 3339, read by chrono. The form that protobuf JSON writes is read here, in a tenth of the time that a general
//! parser takes.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{
    Deserializer,
    de::{Error, Visitor},
};

/// Reads an optional time.
pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    struct Reader;

    impl<'de> Visitor<'de> for Reader {
        type Value = Option<DateTime<Utc>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an RFC 3339 time")
        }

        fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
            deserializer.deserialize_str(self)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            match in_utc(text.as_bytes()) {
                Some(time) => Ok(Some(time)),
                None => text.parse().map(Some).map_err(E::custom),
            }
        }
    }

    deserializer.deserialize_option(Reader)
}

/// A time such as `2024-01-01T00:00:00.123Z`, with 0 to 9 fractional digits. `None` for any other form, such as a time with an
/// offset or a leap second.
fn in_utc(text: &[u8]) -> Option<DateTime<Utc>> {
    let (seconds, fraction) = text.strip_suffix(b"Z")?.split_first_chunk::<19>()?;
    let [y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T', h1, h2, b':', mi1, mi2, b':', s1, s2] = *seconds else {
        return None;
    };
    let nanos = match fraction {
        [] => 0,
        [b'.', digits @ ..] => {
            let missing = 9_usize.checked_sub(digits.len()).filter(|missing| *missing < 9)?;
            decimal(digits)? * 10_u32.pow(u32::try_from(missing).ok()?)
        }
        _ => return None,
    };
    let year = i32::try_from(decimal(&[y1, y2, y3, y4])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, decimal(&[mo1, mo2])?, decimal(&[d1, d2])?)?;
    let time = NaiveTime::from_hms_nano_opt(decimal(&[h1, h2])?, decimal(&[mi1, mi2])?, decimal(&[s1, s2])?, nanos)?;
    Some(date.and_time(time).and_utc())
}

/// The value of at most nine digits.
fn decimal(digits: &[u8]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0, |number: u32, digit| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')))
}
