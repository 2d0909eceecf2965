//! Protobuf JSON as gateways write it, in both styles. It knows serde and the shape of generated types, not their names.
//!
//! The types' own `Serialize` leaves out what has presence and is not set, by `skip_field`, and writes everything else. That is
//! all this needs: a skipped member is one that the second style writes as `null`, and a member that is written without
//! being an `Option` has no presence, so the first style leaves it out when it is the default.

use serde::{
    Serialize, Serializer,
    ser::{self, Impossible, SerializeMap, SerializeSeq, SerializeStruct},
};
use serde_json::{Map, Value};

/// Which members a reply shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum JsonStyle {
    /// Only what is set: empty lists, maps and ids and the zero values of enums are left out, as protobuf JSON does unless it
    /// is told otherwise. What has presence stays, also when it is `""`, `0`, `false` or `{}`. A reply with nothing in it is
    /// `{}`.
    #[default]
    DefaultsOmitted,
    /// Every member of every message: what is not set is `null`. Gateways that are told to write unset members leave out the
    /// members of a protobuf oneof all the same; here these are `null` too, for a reader has to cope with either.
    NullsPopulated,
}

/// How to write a reply.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Format {
    pub(crate) style: JsonStyle,
    /// Sprinkles in what a newer service might send.
    pub(crate) unknown_values: bool,
}

/// The JSON of a message.
///
/// # Errors
///
/// If the type is none that the generator emits.
pub(crate) fn encode<T: Serialize + ?Sized>(message: &T, format: Format) -> Result<Vec<u8>, serde_json::Error> {
    let value = message.serialize(Writer(format))?.value;
    serde_json::to_vec(&value)
}

/// A member that a newer service might have.
const UNKNOWN_FIELD: &str = "emulatorNewField";

/// What the names of enum values begin with. A test holds this against the document.
const ENUM_PREFIXES: [&str; 6] = [
    "INCIDENT_",
    "INCIDENTS_FIELDS_",
    "UPSERT_INCIDENT_STATE_TYPE_",
    "ORIGINATOR_TYPE_",
    "FILTER_OPERATOR_",
    "ORDER_BY_",
];

/// The shared prefix and the rest, if the text is the name of an enum value.
fn is_enum_name(text: &str) -> bool {
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte == b'_' || byte.is_ascii_digit();
    ENUM_PREFIXES.iter().any(|prefix| text.starts_with(prefix)) && text.bytes().all(upper)
}

#[derive(Clone, Copy)]
struct Writer(Format);

/// A value, and whether it said of itself that it has presence.
struct Written {
    value: Value,
    presence: bool,
}

impl Written {
    fn is_default(&self) -> bool {
        !self.presence
            && match &self.value {
                Value::Null | Value::Bool(false) => true,
                Value::String(text) => text.is_empty() || is_enum_name(text) && text.ends_with("_UNSPECIFIED"),
                Value::Array(items) => items.is_empty(),
                Value::Object(members) => members.is_empty(),
                Value::Number(number) => number.as_f64() == Some(0.0),
                Value::Bool(true) => false,
            }
    }
}

impl From<Value> for Written {
    fn from(value: Value) -> Self {
        Self { value, presence: false }
    }
}

type Error = serde_json::Error;

fn unsupported(what: &str) -> Error {
    ser::Error::custom(format!("generated messages have no {what}"))
}

macro_rules! numbers {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, number: $type) -> Result<Written, Error> {
            Ok(Value::from(number).into())
        })*
    };
}

impl Serializer for Writer {
    type Ok = Written;
    type Error = Error;
    type SerializeSeq = ListWriter;
    type SerializeMap = ObjectWriter;
    type SerializeStruct = ObjectWriter;
    type SerializeTuple = Impossible<Written, Error>;
    type SerializeTupleStruct = Impossible<Written, Error>;
    type SerializeTupleVariant = Impossible<Written, Error>;
    type SerializeStructVariant = Impossible<Written, Error>;

    numbers!(
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32, serialize_f64: f64
    );

    fn serialize_str(self, text: &str) -> Result<Written, Error> {
        Ok(Value::from(text).into())
    }

    fn serialize_char(self, character: char) -> Result<Written, Error> {
        Ok(Value::from(character.to_string()).into())
    }

    fn serialize_none(self) -> Result<Written, Error> {
        Ok(Value::Null.into())
    }

    fn serialize_unit(self) -> Result<Written, Error> {
        Ok(Value::Null.into())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Written, Error> {
        Ok(Written { presence: true, ..value.serialize(self)? })
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<Written, Error> {
        value.serialize(self)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<ListWriter, Error> {
        Ok(ListWriter { items: Vec::with_capacity(length.unwrap_or(0)), format: self.0 })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<ObjectWriter, Error> {
        Ok(ObjectWriter { members: Map::new(), key: String::new(), format: self.0 })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<ObjectWriter, Error> {
        self.serialize_map(None)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Written, Error> {
        Err(unsupported("bytes"))
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Written, Error> {
        Ok(Value::Object(Map::new()).into())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<Written, Error> {
        self.serialize_str(name)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Written, Error> {
        Err(unsupported("variants with data"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Error> {
        Err(unsupported("tuples"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Error> {
        Err(unsupported("tuples"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(unsupported("variants with data"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(unsupported("variants with data"))
    }
}

struct ListWriter {
    items: Vec<Value>,
    format: Format,
}

impl SerializeSeq for ListWriter {
    type Ok = Written;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Error> {
        self.items.push(item.serialize(Writer(self.format))?.value);
        Ok(())
    }

    fn end(self) -> Result<Written, Error> {
        Ok(Value::Array(self.items).into())
    }
}

/// Writes a message or a map: a message's members follow the style, a map's are all kept.
struct ObjectWriter {
    members: Map<String, Value>,
    key: String,
    format: Format,
}

impl SerializeMap for ObjectWriter {
    type Ok = Written;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        match key.serialize(Writer(self.format))?.value {
            Value::String(key) => self.key = key,
            _ => return Err(unsupported("keys other than text")),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let value = value.serialize(Writer(self.format))?.value;
        self.members.insert(std::mem::take(&mut self.key), value);
        Ok(())
    }

    fn end(self) -> Result<Written, Error> {
        Ok(Value::Object(self.members).into())
    }
}

impl SerializeStruct for ObjectWriter {
    type Ok = Written;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        let mut written = value.serialize(Writer(self.format))?;
        if self.format.unknown_values {
            make_newer(&mut written.value);
        }
        if self.format.style == JsonStyle::NullsPopulated || !written.is_default() {
            self.members.insert(key.to_owned(), written.value);
        }
        Ok(())
    }

    fn skip_field(&mut self, key: &'static str) -> Result<(), Error> {
        if self.format.style == JsonStyle::NullsPopulated {
            self.members.insert(key.to_owned(), Value::Null);
        }
        Ok(())
    }

    fn end(mut self) -> Result<Written, Error> {
        if self.format.unknown_values {
            let newer = serde_json::json!({ "since": "2027-01-01T00:00:00Z", "values": [1, null] });
            self.members.insert(UNKNOWN_FIELD.to_owned(), newer);
        }
        Ok(Value::Object(self.members).into())
    }
}

/// Turns an enum value into one that no document lists: a third of the names into other names, a third into integers. Which
/// is a matter of the name's length, so that it is the same every time.
fn make_newer(value: &mut Value) {
    if let Value::String(name) = value
        && is_enum_name(name)
    {
        match name.len() % 3 {
            0 => name.push_str("_OF_A_NEWER_SERVICE"),
            1 => *value = Value::from(4711),
            _ => {}
        }
    }
}
