//! Writes messages as JSON, as gateways do, in several styles. It knows serde and the descriptions of messages.
//!
//! The types' own `Serialize` calls `skip_field` for a member that is not set, and writes everything else. The descriptions
//! say what an unset member looks like, which members form a oneof, and which values are enums.

use serde::{
    Serialize, Serializer,
    ser::{self, Impossible, SerializeMap, SerializeSeq, SerializeStruct},
};

use super::schema::{Cardinality, Described, Field, Kind, Message};

/// Which members a response shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum JsonStyle {
    /// Every member, as grpc-gateway 2 writes messages by default (protojson's `EmitUnpopulated`). An unset member is `[]` for
    /// a list, `{}` for a map, the zero name for an enum, and `null` for anything that has presence. An unset member of a
    /// oneof is left out.
    #[default]
    EmitUnpopulated,
    /// Only members that are set. Empty lists, maps and ids and the zero values of enums are left out. A member that has
    /// presence is kept, even if it is `""`, `0`, `false` or `{}`. A response with nothing in it is `{}`.
    DefaultsOmitted,
    /// Every member of every message, also the members of a oneof: an unset member is `null`. No gateway is known to write
    /// this, but a reader should cope with it.
    NullsPopulated,
}

/// How to write a response.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Format {
    pub(crate) style: JsonStyle,
    /// Whether to add what a newer service might send.
    pub(crate) unknown_values: bool,
}

/// The JSON of a message, its members in the document's order.
///
/// # Errors
///
/// If the type is not one that the generator emits.
pub(crate) fn write<T: Serialize + Described>(message: &T, format: Format) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = Vec::new();
    message.serialize(Writer { out: &mut out, format, kind: Kind::Message(T::MESSAGE) })?;
    Ok(out)
}

/// A member that a newer service might have.
const UNKNOWN_MEMBER: &[u8] = br#""emulatorNewField":{"since":"2027-01-01T00:00:00Z","values":[1,null]}"#;

/// Writes a value that the document does not list in place of an enum value: for a third of the names another name, for
/// a third an integer. The length of the name decides, so that the result is the same every time.
fn inject_unknown_enum(name: &str) -> Option<String> {
    match name.len() % 3 {
        0 => Some(format!("\"{name}_OF_A_NEWER_SERVICE\"")),
        1 => Some("4711".to_owned()),
        _ => None,
    }
}

/// Whether a written value is the default of its type, and has no presence.
type IsDefault = bool;

type Error = serde_json::Error;

fn unsupported(what: &str) -> Error {
    ser::Error::custom(format!("generated messages have no {what}"))
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    format: Format,
    /// The type of the value, or of the items of a list or map.
    kind: Kind,
}

impl<'a> Writer<'a> {
    /// Writes a scalar.
    fn scalar<T: Serialize + PartialEq + Default>(self, value: &T) -> Result<IsDefault, Error> {
        serde_json::to_writer(self.out, value)?;
        Ok(*value == T::default())
    }

    fn open(self, open: u8, close: u8, message: Option<&'static Message>) -> Nested<'a> {
        self.out.push(open);
        let start = self.out.len();
        Nested { out: self.out, format: self.format, kind: self.kind, message, position: 0, start, close }
    }
}

macro_rules! scalars {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, value: $type) -> Result<IsDefault, Error> {
            self.scalar(&value)
        })*
    };
}

/// Methods for values that generated messages do not have.
macro_rules! unsupported {
    ($($method:ident($($argument:ty),*) -> $ok:ident;)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<Self::$ok, Error> {
            Err(unsupported(stringify!($method)))
        })*
    };
}

impl<'a> Serializer for Writer<'a> {
    type Ok = IsDefault;
    type Error = Error;
    type SerializeSeq = Nested<'a>;
    type SerializeMap = Nested<'a>;
    type SerializeStruct = Nested<'a>;
    type SerializeTuple = Impossible<IsDefault, Error>;
    type SerializeTupleStruct = Impossible<IsDefault, Error>;
    type SerializeTupleVariant = Impossible<IsDefault, Error>;
    type SerializeStructVariant = Impossible<IsDefault, Error>;

    scalars!(
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32, serialize_f64: f64,
        serialize_char: char
    );

    fn serialize_str(self, text: &str) -> Result<IsDefault, Error> {
        let Kind::Enum(names) = self.kind else { return self.scalar(&text) };
        match inject_unknown_enum(text).filter(|_| self.format.unknown_values) {
            Some(unknown) => self.out.extend_from_slice(unknown.as_bytes()),
            None => serde_json::to_writer(self.out, text)?,
        }
        Ok(names.first() == Some(&text))
    }

    fn serialize_none(self) -> Result<IsDefault, Error> {
        self.scalar(&())
    }

    fn serialize_unit(self) -> Result<IsDefault, Error> {
        self.scalar(&())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<IsDefault, Error> {
        value.serialize(self)?;
        Ok(false)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<IsDefault, Error> {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Nested<'a>, Error> {
        Ok(self.open(b'[', b']', None))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Nested<'a>, Error> {
        Ok(self.open(b'{', b'}', None))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Nested<'a>, Error> {
        match self.kind {
            Kind::Message(message) if message.name == name => Ok(self.open(b'{', b'}', Some(message))),
            _ => Err(unsupported(name)),
        }
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<IsDefault, Error> {
        self.serialize_struct(name, 0).and_then(SerializeStruct::end)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<IsDefault, Error> {
        self.serialize_str(name)
    }

    unsupported!(
        serialize_bytes(&[u8]) -> Ok;
        serialize_tuple(usize) -> SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> SerializeTupleVariant;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> SerializeStructVariant;
    );

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: &T,
    ) -> Result<IsDefault, Error> {
        Err(unsupported(name))
    }
}

/// A list, a map or a message that is being written.
struct Nested<'a> {
    out: &'a mut Vec<u8>,
    format: Format,
    /// The type of the items of a list or map.
    kind: Kind,
    message: Option<&'static Message>,
    /// The position of the next field: serde passes the fields in the order of the description.
    position: usize,
    /// The length of `out` after the opening bracket.
    start: usize,
    close: u8,
}

impl Nested<'_> {
    fn value<T: Serialize + ?Sized>(&mut self, value: &T, kind: Kind) -> Result<IsDefault, Error> {
        value.serialize(Writer { out: self.out, format: self.format, kind })
    }

    fn separate(&mut self) {
        if self.out.len() > self.start {
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

    fn field(&mut self, name: &'static str) -> Result<&'static Field, Error> {
        let fields = self.message.map_or(&[] as &[Field], |message| message.fields);
        let ahead = fields.iter().skip(self.position).position(|field| field.name == name);
        self.position += ahead.ok_or_else(|| unsupported(name))? + 1;
        fields.get(self.position - 1).ok_or_else(|| unsupported(name))
    }

    fn end(self) -> IsDefault {
        let is_empty = self.out.len() == self.start;
        self.out.push(self.close);
        is_empty
    }
}

impl SerializeSeq for Nested<'_> {
    type Ok = IsDefault;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Error> {
        self.separate();
        self.value(item, self.kind).map(drop)
    }

    fn end(self) -> Result<IsDefault, Error> {
        Ok(Nested::end(self))
    }
}

impl SerializeMap for Nested<'_> {
    type Ok = IsDefault;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value, self.kind).map(drop)
    }

    fn end(self) -> Result<IsDefault, Error> {
        Ok(Nested::end(self))
    }
}

impl SerializeStruct for Nested<'_> {
    type Ok = IsDefault;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        let field = self.field(name)?;
        let before = self.out.len();
        self.key(name)?;
        let is_default = self.value(value, field.kind)?;
        if self.format.style == JsonStyle::DefaultsOmitted && is_default {
            self.out.truncate(before);
        }
        Ok(())
    }

    fn skip_field(&mut self, name: &'static str) -> Result<(), Error> {
        let field = self.field(name)?;
        let unset = match (self.format.style, field.cardinality, field.kind) {
            (JsonStyle::DefaultsOmitted, ..) => return Ok(()),
            (JsonStyle::EmitUnpopulated, ..) if field.oneof.is_some() => return Ok(()),
            (JsonStyle::EmitUnpopulated, Cardinality::List, _) => "[]",
            (JsonStyle::EmitUnpopulated, Cardinality::Map, _) => "{}",
            (JsonStyle::EmitUnpopulated, Cardinality::Single, Kind::Enum(names)) => {
                self.key(name)?;
                return self.value(names.first().unwrap_or(&""), field.kind).map(drop);
            }
            (JsonStyle::NullsPopulated, ..) | (JsonStyle::EmitUnpopulated, Cardinality::Single, _) => "null",
        };
        self.key(name)?;
        self.out.extend_from_slice(unset.as_bytes());
        Ok(())
    }

    fn end(self) -> Result<IsDefault, Error> {
        if self.format.unknown_values {
            let mut nested = self;
            nested.separate();
            nested.out.extend_from_slice(UNKNOWN_MEMBER);
            return Ok(Nested::end(nested));
        }
        Ok(Nested::end(self))
    }
}
