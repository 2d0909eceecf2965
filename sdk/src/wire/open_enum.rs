//! Enums that keep unknown values. The generated code lists the values of each enum; everything else is here.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserializer, Serializer,
    de::{Error, MapAccess, Unexpected, Visitor},
};

use super::{integer, unknown};

/// An enum value that this version of the SDK does not know, as it was received.
///
/// Values are sent as their names, or as integers if the gateway of the service does not know them itself. Both are written
/// as they were received.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UnrecognizedValue(Box<Received>);

/// Boxed so that the enums stay small, because an incident has many of them.
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

    /// The number, if the value was received as one.
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

/// What the functions of this module need of an enum that [`open_enum!`] defines.
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

/// Defines an enum from its variants and their names on the wire. The first variant is the default; a further variant,
/// `Unrecognized`, keeps the values that are not listed.
macro_rules! open_enum {
    (
        $(#[$attribute:meta])*
        pub enum $name:ident {
            $default:ident = $default_wire:literal,
            $($variant:ident = $wire:literal,)*
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
        #[non_exhaustive]
        pub enum $name {
            #[doc = concat!("`", $default_wire, "`, the default.")]
            #[default]
            $default,
            $(
                #[doc = concat!("`", $wire, "`")]
                $variant,
            )*
            /// A value that this version of the SDK does not know, as it was received.
            Unrecognized($crate::wire::UnrecognizedValue),
        }

        impl $name {
            /// The values that this version of the SDK knows, in the document's order. The first is the default.
            pub const KNOWN: &[Self] = &[Self::$default, $(Self::$variant),*];

            /// The value's name on the wire. For an unknown value, the text that was received.
            pub fn as_str(&self) -> &str {
                match self {
                    Self::$default => $default_wire,
                    $(Self::$variant => $wire,)*
                    Self::Unrecognized(value) => value.as_str(),
                }
            }

            /// Whether this version of the SDK does not know the value.
            pub fn is_unrecognized(&self) -> bool {
                matches!(self, Self::Unrecognized(_))
            }
        }

        impl $crate::wire::OpenEnum for $name {
            const NAME: &'static str = stringify!($name);
            const WIRE_NAMES: &'static [&'static str] = &[$default_wire, $($wire),*];

            fn from_wire_name(name: &str) -> Option<Self> {
                match name {
                    $default_wire => Some(Self::$default),
                    $($wire => Some(Self::$variant),)*
                    _ => None,
                }
            }

            fn from_unrecognized(value: $crate::wire::UnrecognizedValue) -> Self {
                Self::Unrecognized(value)
            }

            fn unrecognized(&self) -> Option<&$crate::wire::UnrecognizedValue> {
                match self {
                    Self::Unrecognized(value) => Some(value),
                    _ => None,
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = ::std::convert::Infallible;

            /// Never fails: a name that this version of the SDK does not know becomes [`Self::Unrecognized`].
            fn from_str(name: &str) -> Result<Self, Self::Err> {
                Ok($crate::wire::open_enum::from_str(name))
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::wire::open_enum::serialize(self.as_str(), $crate::wire::OpenEnum::unrecognized(self), serializer)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::wire::open_enum::deserialize(deserializer)
            }
        }

        #[cfg(feature = "schemars")]
        impl ::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                <Self as $crate::wire::OpenEnum>::NAME.into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                $crate::wire::open_enum::json_schema::<Self>()
            }
        }
    };
}
pub(crate) use open_enum;

/// Reads a known name, a number, or an unknown name.
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
            unknown::record_value(T::NAME, text);
            T::from_unrecognized(UnrecognizedValue::new(text, number))
        }

        fn number<E: Error>(number: i128) -> Result<T, E> {
            match i64::try_from(number) {
                Ok(number) => Ok(Self::keep(&number.to_string(), true)),
                Err(_) => Err(E::custom(format!("{number} is not an enum value: it does not fit into 64 bits"))),
            }
        }
    }

    impl<'de, T: OpenEnum> Visitor<'de> for Reader<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "the name or the number of a value of {}", T::NAME)
        }

        fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
            Ok(T::from_wire_name(name).unwrap_or_else(|| Self::keep(name, false)))
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
            Self::number(number.into())
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
            Self::number(number.into())
        }

        fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
            Self::number(integer::from_decimal(&number.to_string())?)
        }

        fn visit_unit<E: Error>(self) -> Result<T, E> {
            Ok(T::default())
        }

        fn visit_none<E: Error>(self) -> Result<T, E> {
            Ok(T::default())
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
            deserializer.deserialize_any(self)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            match integer::json_text(map)? {
                Some(number) => Self::number(integer::from_decimal(&number)?),
                None => Err(A::Error::invalid_type(Unexpected::Map, &self)),
            }
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
