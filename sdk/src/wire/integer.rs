//! Integers: protobuf JSON writes those of 64 bits as strings and the others as numbers, and reads either.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserializer,
    de::{Error, Visitor},
};

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
    struct Reader<T>(PhantomData<T>);

    fn convert<T: TryFrom<i128>, E: Error>(number: i128) -> Result<Option<T>, E> {
        T::try_from(number).map(Some).map_err(|_| E::custom(format!("the integer {number} is out of range")))
    }

    impl<T: TryFrom<i128>> Visitor<'_> for Reader<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an integer, as a number or as a string")
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
            convert(number.into())
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
            convert(number.into())
        }

        fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
            // Protobuf JSON allows `1.0` and `1e3`; beyond 2^53 a float is no longer exact.
            if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 {
                #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
                convert(number as i128)
            } else {
                Err(E::custom(format!("{number} is not an integer")))
            }
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            match text.parse() {
                Ok(number) => convert(number),
                Err(_) => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
            }
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }

    deserializer.deserialize_any(Reader(PhantomData))
}
