//! Records names in a response that this version of the SDK does not know, while it is decoded.
//!
//! Decoding is synchronous, so they are kept in a thread-local set during a call of [`collect`]. Outside of such a call nothing is
//! recorded.

use std::{cell::RefCell, collections::BTreeSet, fmt};

use serde::{
    Deserializer,
    de::{DeserializeOwned, DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// A name that this version of the SDK does not know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unknown {
    /// A value of an enum: the enum's name and the value's.
    EnumValue(&'static str, String),
    /// A member of a message: its own name.
    Field(String),
}

/// A response with more unknown names than this is that of another API.
const MAX_NAMES: usize = 64;

thread_local! {
    static NAMES: RefCell<Option<BTreeSet<Unknown>>> = const { RefCell::new(None) };
}

/// Runs `decode` and returns its result and the names that were recorded.
pub(crate) fn collect<T>(decode: impl FnOnce() -> T) -> (T, BTreeSet<Unknown>) {
    NAMES.with_borrow_mut(|names| *names = Some(BTreeSet::new()));
    let value = decode();
    let names = NAMES.with_borrow_mut(Option::take);
    (value, names.unwrap_or_default())
}

pub(crate) fn record_value(of: &'static str, name: &str) {
    record(|| Unknown::EnumValue(of, name.to_owned()));
}

/// The names of a message's members.
pub(crate) struct Message(pub(crate) &'static [(&'static str, Member)]);

/// What a member contains: names of messages are looked for in it.
#[derive(Clone, Copy)]
pub(crate) enum Member {
    /// Values without names, or with names that may be any.
    Value,
    /// A message, or a list of messages.
    Message(&'static Message),
    /// A map of messages.
    Map(&'static Message),
}

/// A message that the service responds with.
pub(crate) trait Response: DeserializeOwned + Default + PartialEq + Send + 'static {
    const MESSAGE: &'static Message;
}

/// Records the members of a message in JSON that the document does not state.
///
/// They are found in a pass of their own, by a table. `serde_ignored` would find them while decoding, but would make the compiler
/// write the decoding of every type a second time.
pub(crate) fn record_members(message: &'static Message, json: &[u8]) {
    let mut json = serde_json::Deserializer::from_slice(json);
    // An error of the JSON was reported when the message was decoded.
    let _ = Member::Message(message).deserialize(&mut json);
}

impl<'de> DeserializeSeed<'de> for Member {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self {
            Self::Value => deserializer.deserialize_ignored_any(IgnoredAny).map(drop),
            Self::Message(_) | Self::Map(_) => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Member {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while elements.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(member) = members.next_key_seed(Key(self))? {
            members.next_value_seed(member)?;
        }
        Ok(())
    }
}

/// Reads a key of the object that this member contains, and returns what its value contains.
struct Key(Member);

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Member;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Member, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Member;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Member, E> {
        let members = match self.0 {
            Member::Value => return Ok(Member::Value),
            Member::Map(of) => return Ok(Member::Message(of)),
            Member::Message(Message(members)) => members,
        };
        let member = members.iter().find(|(known, _)| *known == name);
        Ok(member.map_or_else(
            || {
                record(|| Unknown::Field(name.to_owned()));
                Member::Value
            },
            |(_, member)| *member,
        ))
    }
}

fn record(unknown: impl FnOnce() -> Unknown) {
    NAMES.with_borrow_mut(|names| {
        if let Some(names) = names.as_mut().filter(|names| names.len() < MAX_NAMES) {
            names.insert(unknown());
        }
    });
}
