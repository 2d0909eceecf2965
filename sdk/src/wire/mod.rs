//! How protobuf JSON is read and written: open enums, `null` as the default, lists, maps of strings, times, durations, 64-bit
//! integers.
// This module must not know of HTTP.

mod duration;
pub(crate) mod integer;
pub(crate) mod open_enum;
pub mod string_map;
pub(crate) mod time;
pub(crate) mod unknown;

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, SeqAccess, Visitor},
};
use serde_json::Value;

pub(crate) use self::open_enum::{OpenEnum, open_enum};
pub use self::{
    duration::{Duration, DurationError},
    open_enum::UnrecognizedValue,
    string_map::StringMap,
};

/// Reads a member for which `null` means the default value, as `#[serde(default)]` does for a member that is absent.
pub(crate) fn null_as_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Decodes a message from JSON, as the client does with responses of the service.
///
/// The result is the same as that of `serde_json::from_slice`, in four fifths of the time: that the bytes are UTF-8 is checked
/// once for all of them instead of for each string.
///
/// ```
/// use coralogix_incidents::{types::IncidentEvent, wire};
///
/// let event: IncidentEvent = wire::from_slice(br#"{ "id": "c15f", "unassign": {} }"#)?;
/// assert!(event.unassign.is_some());
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
///
/// The error of [`serde_json`] if the bytes are not JSON or not this message.
pub fn from_slice<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    match std::str::from_utf8(json) {
        Ok(json) => serde_json::from_str(json),
        Err(_) => serde_json::from_str(&escape_invalid_utf8(json)).map_err(|error| {
            match serde_json::from_slice::<Value>(json) {
                Err(invalid) if error.is_syntax() => invalid,
                _ => error,
            }
        }),
    }
}

/// Replaces bytes that are not UTF-8 by an escape that `serde_json` treats like them: an error in text that is read, and ignored in
/// members that are skipped. Decoding such bytes with `serde_json::from_slice` would make the compiler write the decoding of
/// each type a second time.
fn escape_invalid_utf8(json: &[u8]) -> String {
    /// Half of a surrogate pair. The space separates it from a backslash or the other half.
    const INVALID: &str = " \\udc00";
    let parts =
        json.utf8_chunks().flat_map(|chunk| [chunk.valid(), if chunk.invalid().is_empty() { "" } else { INVALID }]);
    parts.collect()
}

/// Reads a list for which `null` means that it is empty.
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
            collect(|| members.next_element())
        }
    }

    deserializer.deserialize_option(Reader(PhantomData))
}

/// Collects what `next` returns in as little memory as possible. An incident has many short lists: those are allocated once, with
/// the exact capacity. Longer ones grow by half, so that they never take twice the memory of their elements.
fn collect<T, E>(mut next: impl FnMut() -> Result<Option<T>, E>) -> Result<Vec<T>, E> {
    let Some(first) = next()? else { return Ok(Vec::new()) };
    let Some(second) = next()? else { return Ok(vec![first]) };
    let Some(third) = next()? else { return Ok(vec![first, second]) };
    let mut all = vec![first, second, third];
    while let Some(one) = next()? {
        if all.len() == all.capacity() {
            all.reserve_exact((all.len() / 2).max(4));
        }
        all.push(one);
    }
    all.shrink_to_fit();
    Ok(all)
}
