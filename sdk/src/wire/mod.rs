//! How protobuf JSON is read and written: open enums, `null` as default, durations, 64-bit strings.
//! It knows serde and nothing of HTTP.

mod duration;
pub(crate) mod integer;
pub(crate) mod open_enum;
pub(crate) mod unknown;

use serde::{Deserialize, Deserializer};

pub(crate) use self::open_enum::OpenEnum;
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
