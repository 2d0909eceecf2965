//! Descriptions of messages, as far as their JSON depends on them. It knows nothing of reading or writing.

/// A message that has a description.
pub(crate) trait Described {
    const MESSAGE: &'static Message;
}

/// A message: its name and its members, in the document's order.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) name: &'static str,
    pub(crate) fields: &'static [Field],
}

/// A member of a message.
#[derive(Debug)]
pub(crate) struct Field {
    /// The name in JSON, such as `incidentIds`.
    pub(crate) name: &'static str,
    /// The name in protobuf, such as `incident_ids`. Readers accept both.
    pub(crate) proto_name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) cardinality: Cardinality,
    /// Which of the message's oneofs the member belongs to.
    pub(crate) oneof: Option<usize>,
}

/// How many values a member has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cardinality {
    Single,
    List,
    /// Values by text keys.
    Map,
}

/// The type of a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    String,
    Bool,
    Integer,
    Timestamp,
    Duration,
    /// The names of the values, by their numbers. The first one is the default.
    Enum(&'static [&'static str]),
    Message(&'static Message),
    /// Any JSON object.
    Any,
}

impl Message {
    /// The field with this name, in either spelling, and its position.
    pub(crate) fn field(&self, name: &str) -> Option<(usize, &'static Field)> {
        self.fields.iter().enumerate().find(|(_, field)| field.name == name || field.proto_name == name)
    }
}

impl Field {
    pub(crate) const fn single(name: &'static str, proto_name: &'static str, kind: Kind) -> Self {
        Self { name, proto_name, kind, cardinality: Cardinality::Single, oneof: None }
    }

    pub(crate) const fn list(name: &'static str, proto_name: &'static str, kind: Kind) -> Self {
        Self { name, proto_name, kind, cardinality: Cardinality::List, oneof: None }
    }

    pub(crate) const fn map(name: &'static str, proto_name: &'static str, kind: Kind) -> Self {
        Self { name, proto_name, kind, cardinality: Cardinality::Map, oneof: None }
    }

    pub(crate) const fn in_oneof(mut self, oneof: usize) -> Self {
        self.oneof = Some(oneof);
        self
    }
}

/// The protobuf spelling of a member's name: `incidentIds` as `incident_ids`.
pub(crate) fn proto_name(name: &str) -> String {
    let mut out = String::new();
    for character in name.chars() {
        if character.is_uppercase() {
            out.push('_');
        }
        out.extend(character.to_lowercase());
    }
    out
}
