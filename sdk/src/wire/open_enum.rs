//! Enums that keep what they don't know: the generated enums are thin layers over this.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserializer, Serializer,
    de::{Error, Visitor},
};

use super::unknown;

/// An enum value that this version of the SDK does not know, as it was received.
///
/// Values travel as their names; one that the service's gateway itself does not know travels as an integer. Either is
/// written back as it came.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UnrecognizedValue(Box<Received>);

/// Behind one pointer, so that the enums, of which an incident has many, stay small.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Received {
    text: Box<str>,
    number: bool,
}

impl UnrecognizedValue {
    fn new(text: &str, number: bool) -> Self {
        Self(Box::new(Received { text: text.into(), number }))
    }

    /// The name that was received, or the decimal digits of the number.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The number, where the value was received as one.
    pub fn as_number(&self) -> Option<i64> {
        if self.0.number { self.0.text.parse().ok() } else { None }
    }
}

impl fmt::Display for UnrecognizedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for UnrecognizedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnrecognizedValue({:?})", self.as_str())
    }
}

/// What a generated enum says of itself.
pub(crate) trait OpenEnum: Default {
    /// The schema's name.
    const NAME: &'static str;
    /// The known values' names on the wire.
    #[cfg_attr(not(feature = "schemars"), expect(dead_code, reason = "JSON Schemas list the known names"))]
    const WIRE_NAMES: &'static [&'static str];
    fn from_wire_name(name: &str) -> Option<Self>;
    fn from_unrecognized(value: UnrecognizedValue) -> Self;
    fn unrecognized(&self) -> Option<&UnrecognizedValue>;
}

/// A known name, else a number, else an unknown name.
pub(crate) fn from_str<T: OpenEnum>(text: &str) -> T {
    T::from_wire_name(text).unwrap_or_else(|| {
        let number = text.parse::<i64>().is_ok_and(|number| number.to_string() == text);
        T::from_unrecognized(UnrecognizedValue::new(text, number))
    })
}

pub(crate) fn serialize<S: Serializer>(
    text: &str,
    unrecognized: Option<&UnrecognizedValue>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match unrecognized.and_then(UnrecognizedValue::as_number) {
        Some(number) => serializer.serialize_i64(number),
        None => serializer.serialize_str(text),
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: OpenEnum>(deserializer: D) -> Result<T, D::Error> {
    struct Reader<T>(PhantomData<T>);

    impl<T: OpenEnum> Reader<T> {
        #[cold]
        fn keep(text: &str, number: bool) -> T {
            unknown::note_value(T::NAME, text);
            T::from_unrecognized(UnrecognizedValue::new(text, number))
        }
    }

    impl<T: OpenEnum> Visitor<'_> for Reader<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "the name or the number of a value of {}", T::NAME)
        }

        fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
            Ok(T::from_wire_name(name).unwrap_or_else(|| Self::keep(name, false)))
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
            Ok(Self::keep(&number.to_string(), true))
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
            match i64::try_from(number) {
                Ok(number) => self.visit_i64(number),
                Err(_) => Err(E::custom(format!("{number} is no enum value: those have 32 bits"))),
            }
        }

        fn visit_unit<E: Error>(self) -> Result<T, E> {
            Ok(T::default())
        }
    }

    deserializer.deserialize_any(Reader(PhantomData))
}

#[cfg(feature = "schemars")]
pub(crate) fn json_schema<T: OpenEnum>() -> schemars::Schema {
    schemars::json_schema!({
        "description": "One of the known names, or what a newer service sends: another name, or an integer.",
        "anyOf": [{ "type": "string", "enum": T::WIRE_NAMES }, { "type": "string" }, { "type": "integer" }],
    })
}
