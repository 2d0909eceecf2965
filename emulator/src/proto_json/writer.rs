//! Protobuf JSON as gateways write it, in both styles. It knows serde and the shape of generated types, not their names.
//!
//! The types' own `Serialize` leaves out what has presence and is not set, by `skip_field`, and writes everything else. That is
//! all this needs: a skipped member is one that the second style writes as `null`, and a member that is written without
//! being an `Option` has no presence, so the first style leaves it out when it is the default.

use serde::{
    Serialize, Serializer,
    ser::{self, Impossible, SerializeMap, SerializeSeq, SerializeStruct},
};

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

/// The JSON of a message, its members in the document's order.
///
/// # Errors
///
/// If the type is none that the generator emits.
pub(crate) fn encode<T: Serialize + ?Sized>(message: &T, format: Format) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = Vec::new();
    message.serialize(Writer { out: &mut out, format })?;
    Ok(out)
}

/// A member that a newer service might have.
const NEWER_MEMBER: &[u8] = br#""emulatorNewField":{"since":"2027-01-01T00:00:00Z","values":[1,null]}"#;

/// What the names of enum values begin with. A test holds this against the document.
const ENUM_PREFIXES: [&str; 6] = [
    "INCIDENT_",
    "INCIDENTS_FIELDS_",
    "UPSERT_INCIDENT_STATE_TYPE_",
    "ORIGINATOR_TYPE_",
    "FILTER_OPERATOR_",
    "ORDER_BY_",
];

/// The name of an enum value, if the JSON is one.
fn enum_name(json: &[u8]) -> Option<&[u8]> {
    let name = json.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let is_upper = |byte: &u8| byte.is_ascii_uppercase() || *byte == b'_' || byte.is_ascii_digit();
    let is_name = ENUM_PREFIXES.iter().any(|prefix| name.starts_with(prefix.as_bytes())) && name.iter().all(is_upper);
    is_name.then_some(name)
}

/// Whether the JSON is the default of some type of protobuf.
fn is_default(json: &[u8]) -> bool {
    matches!(json, b"null" | b"false" | b"0" | b"0.0" | b"-0.0" | b"\"\"" | b"[]" | b"{}")
        || enum_name(json).is_some_and(|name| name.ends_with(b"_UNSPECIFIED"))
}

/// Turns an enum value at the end of the JSON into one that no document lists: a third of the names into other names, a third
/// into integers. Which is a matter of the name's length, so that it is the same every time.
fn make_newer(out: &mut Vec<u8>, value: usize) {
    match enum_name(&out[value..]).map(|name| name.len() % 3) {
        Some(0) => {
            out.pop();
            out.extend_from_slice(b"_OF_A_NEWER_SERVICE\"");
        }
        Some(1) => {
            out.truncate(value);
            out.extend_from_slice(b"4711");
        }
        _ => {}
    }
}

/// Whether a value says of itself that it has presence, and so is no default.
type Presence = bool;

type Error = serde_json::Error;

fn unsupported(what: &str) -> Error {
    ser::Error::custom(format!("generated messages have no {what}"))
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    format: Format,
}

impl<'a> Writer<'a> {
    /// Writes what is the same in both styles.
    fn plain<T: Serialize + ?Sized>(self, value: &T) -> Result<Presence, Error> {
        serde_json::to_writer(self.out, value)?;
        Ok(false)
    }

    fn open(self, open: u8, close: u8) -> Nested<'a> {
        self.out.push(open);
        Nested { out: self.out, format: self.format, close }
    }
}

macro_rules! plain {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, value: $type) -> Result<Presence, Error> {
            self.plain(&value)
        })*
    };
}

impl<'a> Serializer for Writer<'a> {
    type Ok = Presence;
    type Error = Error;
    type SerializeSeq = Nested<'a>;
    type SerializeMap = Nested<'a>;
    type SerializeStruct = Nested<'a>;
    type SerializeTuple = Impossible<Presence, Error>;
    type SerializeTupleStruct = Impossible<Presence, Error>;
    type SerializeTupleVariant = Impossible<Presence, Error>;
    type SerializeStructVariant = Impossible<Presence, Error>;

    plain!(
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32, serialize_f64: f64,
        serialize_char: char, serialize_str: &str
    );

    fn serialize_none(self) -> Result<Presence, Error> {
        self.plain(&())
    }

    fn serialize_unit(self) -> Result<Presence, Error> {
        self.plain(&())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Presence, Error> {
        value.serialize(self)?;
        Ok(true)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<Presence, Error> {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Nested<'a>, Error> {
        Ok(self.open(b'[', b']'))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Nested<'a>, Error> {
        Ok(self.open(b'{', b'}'))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Nested<'a>, Error> {
        Ok(self.open(b'{', b'}'))
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Presence, Error> {
        SerializeMap::end(self.open(b'{', b'}'))
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<Presence, Error> {
        self.serialize_str(name)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Presence, Error> {
        Err(unsupported("bytes"))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Presence, Error> {
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

/// A list, a message or a map that is being written: a message's members follow the style, a map's are all kept.
struct Nested<'a> {
    out: &'a mut Vec<u8>,
    format: Format,
    close: u8,
}

impl Nested<'_> {
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<Presence, Error> {
        value.serialize(Writer { out: self.out, format: self.format })
    }

    /// What is before an element or a member. No value ends in an opening bracket.
    fn separate(&mut self) {
        if !matches!(self.out.last(), Some(b'[' | b'{')) {
            self.out.push(b',');
        }
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.separate();
        let start = self.out.len();
        serde_json::to_writer(&mut *self.out, key)?;
        if self.out.get(start) != Some(&b'"') {
            return Err(unsupported("keys other than text"));
        }
        self.out.push(b':');
        Ok(())
    }

    fn close(self) -> Presence {
        self.out.push(self.close);
        false
    }
}

impl SerializeSeq for Nested<'_> {
    type Ok = Presence;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Error> {
        self.separate();
        self.value(item).map(drop)
    }

    fn end(self) -> Result<Presence, Error> {
        Ok(self.close())
    }
}

impl SerializeMap for Nested<'_> {
    type Ok = Presence;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value).map(drop)
    }

    fn end(self) -> Result<Presence, Error> {
        Ok(self.close())
    }
}

impl SerializeStruct for Nested<'_> {
    type Ok = Presence;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        let before = self.out.len();
        self.key(key)?;
        let start = self.out.len();
        let presence = self.value(value)?;
        if self.format.unknown_values {
            make_newer(self.out, start);
        }
        if self.format.style == JsonStyle::DefaultsOmitted && !presence && is_default(&self.out[start..]) {
            self.out.truncate(before);
        }
        Ok(())
    }

    fn skip_field(&mut self, key: &'static str) -> Result<(), Error> {
        if self.format.style == JsonStyle::NullsPopulated {
            self.key(key)?;
            self.value(&())?;
        }
        Ok(())
    }

    fn end(mut self) -> Result<Presence, Error> {
        if self.format.unknown_values {
            self.separate();
            self.out.extend_from_slice(NEWER_MEMBER);
        }
        Ok(self.close())
    }
}
