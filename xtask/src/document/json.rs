//! Parses JSON with the line of each node. `serde_json` parses the values. This module finds their lines and rejects repeated
//! keys.

use std::{
    cell::Cell,
    collections::{HashMap, hash_map::Entry},
    fmt,
    io::{self, Read},
    rc::Rc,
};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{Lines, SyntaxError};

pub(super) fn parse(text: &str) -> Result<(Value, Lines), SyntaxError> {
    let value = serde_json::from_str(text).map_err(|error| syntax_error(&error))?;
    let line = Rc::new(Cell::new(1));
    let mut reader = serde_json::Deserializer::from_reader(Counter { rest: text.as_bytes(), line: Rc::clone(&line) });
    let lines = Node { line: &line, of_key: None }.deserialize(&mut reader);
    let lines = lines.map_err(|error| syntax_error(&error))?;
    Ok((value, lines))
}

fn syntax_error(error: &serde_json::Error) -> SyntaxError {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = text.strip_suffix(&place).unwrap_or(&text);
    let message = if error.is_data() { message.to_owned() } else { format!("not valid JSON: {message}") };
    SyntaxError { line: error.line(), message }
}

/// Counts the lines that were read so far. `serde_json` reads single bytes, and at most the first byte of a value ahead.
struct Counter<'t> {
    rest: &'t [u8],
    line: Rc<Cell<usize>>,
}

impl Read for Counter<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.rest.read(buffer)?;
        for _ in buffer[..count].iter().filter(|byte| **byte == b'\n') {
            self.line.set(self.line.get() + 1);
        }
        Ok(count)
    }
}

/// Reads one value and keeps only its lines. The line of a member is that of its key.
struct Node<'l> {
    line: &'l Cell<usize>,
    of_key: Option<usize>,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Lines;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Lines, D::Error> {
        let line = self.of_key.unwrap_or_else(|| self.line.get());
        let mut lines = deserializer.deserialize_any(Below(self.line))?;
        lines.line = line;
        Ok(lines)
    }
}

struct Below<'l>(&'l Cell<usize>);

impl<'de> Visitor<'de> for Below<'_> {
    type Value = Lines;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Lines, E> {
        Ok(Lines::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Lines, E> {
        Ok(Lines::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Lines, E> {
        Ok(Lines::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Lines, E> {
        Ok(Lines::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Lines, E> {
        Ok(Lines::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Lines, E> {
        Ok(Lines::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Lines, A::Error> {
        let mut lines = Vec::new();
        while let Some(item) = items.next_element_seed(Node { line: self.0, of_key: None })? {
            lines.push(item);
        }
        Ok(Lines::of_items(0, lines))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Lines, A::Error> {
        let mut lines = HashMap::new();
        while let Some(key) = members.next_key::<String>()? {
            let line = self.0.get();
            match lines.entry(key) {
                Entry::Occupied(entry) => {
                    return Err(A::Error::custom(super::repeated(entry.key())));
                }
                Entry::Vacant(entry) => {
                    entry.insert(members.next_value_seed(Node { line: self.0, of_key: Some(line) })?);
                }
            }
        }
        Ok(Lines::of_members(0, lines))
    }
}
