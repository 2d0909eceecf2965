//! How protobuf JSON is read and written: open enums, `null` as default, lists, durations, 64-bit strings.
//! It knows serde and nothing of HTTP.

mod duration;
pub(crate) mod integer;
pub(crate) mod open_enum;
pub(crate) mod unknown;

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};

pub(crate) use self::open_enum::{OpenEnum, open_enum};
pub use self::{
    duration::{Duration, DurationError},
    open_enum::UnrecognizedValue,
};

/// Reads a member whose `null` means its default. Beside `#[serde(default)]`, which does the same for an absent one.
pub(crate) fn null_as_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads a list whose `null` means that it is empty. An incident has many lists, and short ones: there is room for one member
/// until a second comes. `Vec` begins with room for four, which was 42 % of the documented sample's memory (`benches/decode.rs`).
pub(crate) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct Reader<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_none<E>(self) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }

        fn visit_unit<E>(self) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
            deserializer.deserialize_seq(self)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Vec<T>, A::Error> {
            let mut list = Vec::new();
            while let Some(member) = members.next_element()? {
                if list.is_empty() {
                    list.reserve_exact(1);
                }
                list.push(member);
            }
            Ok(list)
        }
    }

    deserializer.deserialize_option(Reader(PhantomData))
}
