//! Integers by the rules of protobuf JSON: integers of 64 bits are written as strings and others as numbers. Both forms are read
//! for both, and a fraction or an exponent is allowed if the value is whole.

use std::fmt;

use serde::{
    Deserializer,
    de::{Error, MapAccess, Unexpected, Visitor},
};

/// The name that asks `serde_json` for the text of a value. Without it, numbers with a fraction or an exponent are converted to
/// floats, which have 53 bits. Other formats ignore the name.
const RAW_VALUE: &str = "$serde_json::private::RawValue";
/// The name under which `serde_json` passes the text of a number if its feature `arbitrary_precision` is enabled, which any crate
/// of an application can do.
const NUMBER: &str = "$serde_json::private::Number";

/// An optional integer, written as a number.
pub(crate) mod optional {
    use serde::{Serialize, Serializer};

    pub(crate) use super::deserialize;

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub(crate) fn serialize<S: Serializer, T: Serialize>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }
}

/// Integers written as strings.
pub(crate) mod as_string {
    /// An optional integer, written as a string.
    pub(crate) mod optional {
        use serde::Serializer;

        pub(crate) use super::super::deserialize;

        #[expect(clippy::ref_option, reason = "serde's signature")]
        pub(crate) fn serialize<S: Serializer, T: ToString>(
            value: &Option<T>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => serializer.serialize_str(&value.to_string()),
                None => serializer.serialize_none(),
            }
        }
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: TryFrom<i128>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let Some(number) = deserializer.deserialize_newtype_struct(RAW_VALUE, Reader)? else { return Ok(None) };
    T::try_from(number).map(Some).map_err(|_| D::Error::custom(format!("the integer {number} is out of range")))
}

/// Reads an integer of any size. It is not generic, so that it is compiled once and not for each type of integers.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Option<i128>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer, as a number or as a string")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(number.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        from_decimal(&number.to_string()).map(Some)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        from_decimal(text).map(Some)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let Some(json) = json_text(map)? else { return Err(A::Error::invalid_type(Unexpected::Map, &self)) };
        let unexpected = match json.as_bytes().first() {
            Some(b'n') => return Ok(None),
            Some(b'"') => {
                let text: String = serde_json::from_str(&json).map_err(A::Error::custom)?;
                return self.visit_str(&text);
            }
            Some(b'{') => Unexpected::Map,
            Some(b'[') => Unexpected::Seq,
            Some(b't') => Unexpected::Bool(true),
            Some(b'f') => Unexpected::Bool(false),
            _ => return self.visit_str(&json),
        };
        Err(A::Error::invalid_type(unexpected, &self))
    }
}

/// The JSON text of a value that `serde_json` passes as the only entry of a map; `None` if it is any other map.
pub(super) fn json_text<'de, A: MapAccess<'de>>(mut map: A) -> Result<Option<String>, A::Error> {
    match map.next_key::<String>()? {
        Some(name) if name == RAW_VALUE || name == NUMBER => map.next_value().map(Some),
        _ => Ok(None),
    }
}

/// The exact integer value of a JSON number. `1e3` is an integer and `1.5` is not; `+1`, `01` and ` 1` are not JSON numbers.
pub(super) fn from_decimal<E: Error>(text: &str) -> Result<i128, E> {
    let beginning = || text.chars().take(40).collect::<String>();
    let invalid = || E::custom(format!("`{}` is not an integer", beginning().escape_debug()));
    let out_of_range = || E::custom(format!("the integer {} is out of range", beginning()));

    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, text),
    };
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_digits = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    if !is_digits(whole)
        || (whole.len() > 1 && whole.starts_with('0'))
        || !fraction.is_none_or(is_digits)
        || !exponent_digits.is_none_or(is_digits)
    {
        return Err(invalid());
    }

    // The value is `digits` times ten to the power of `scale`.
    let fraction = fraction.unwrap_or_default();
    let all = [whole, fraction].concat();
    let digits = all.trim_end_matches('0');
    if digits.is_empty() {
        return Ok(0);
    }
    let exponent = match exponent.map(str::parse::<i64>) {
        None => 0,
        Some(Ok(exponent)) => exponent,
        Some(Err(_)) if unsigned.contains('-') => return Err(invalid()),
        Some(Err(_)) => return Err(out_of_range()),
    };
    let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
    let scale = exponent.saturating_add(length(&all) - length(digits)).saturating_sub(length(fraction));
    if scale < 0 {
        return Err(invalid());
    }
    let power = u32::try_from(scale).ok().and_then(|scale| 10_i128.checked_pow(scale)).ok_or_else(out_of_range)?;
    let number = digits.parse().ok().and_then(|digits: i128| digits.checked_mul(power)).ok_or_else(out_of_range)?;
    Ok(if negative { -number } else { number })
}
