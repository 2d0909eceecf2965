//! Parses YAML 1.2 with the line of each node. Aliases are expanded up to a limit. What JSON cannot express is rejected.

use std::{collections::HashMap, fmt::Write};

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

use super::{Lines, SyntaxError};
use crate::json_pointer::join;

/// The maximum depth, which is the same as that of `serde_json`. It protects recursive code from a stack overflow.
const MAX_DEPTH: usize = 128;
/// The maximum size of the nodes that aliases add to a document, in bytes of memory (estimated).
const MAX_EXPANSION: usize = 32 * 1024 * 1024;
/// The estimated size of a node without its text.
const NODE: usize = 64;

pub(super) fn parse(text: &str) -> Result<(Value, Lines), SyntaxError> {
    load(text).or_else(|error| match join_surrogates(text) {
        // JSON within YAML may escape a character as a surrogate pair, which YAML does not support.
        Some(joined) => load(&joined).map_err(|_| error),
        None => Err(error),
    })
}

fn load(text: &str) -> Result<(Value, Lines), SyntaxError> {
    let mut loader = Loader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| SyntaxError {
            line: error.marker().line(),
            message: format!("not valid YAML: {}", error.info()),
        })?;
        let line = span.start.line();
        loader.accept(event, line).map_err(|message| SyntaxError { line, message })?;
    }
    let root = loader.root.ok_or_else(|| SyntaxError { line: 0, message: "the file is empty".to_owned() })?;
    Ok((root, loader.lines))
}

#[derive(Clone)]
struct Node {
    value: Value,
    /// The estimated size of a copy.
    size: usize,
    /// The number of levels of lists and mappings in it.
    height: usize,
}

/// A list or mapping that is being read.
struct Open {
    node: Node,
    pointer: String,
    anchor: usize,
    /// The key whose value comes next, and its line.
    key: Option<(String, usize)>,
}

/// Builds the tree from the parser's events, without recursion.
#[derive(Default)]
struct Loader {
    root: Option<Value>,
    lines: Lines,
    open: Vec<Open>,
    /// The nodes to which aliases refer. `None` while the node is being read.
    anchors: HashMap<usize, Option<Node>>,
    expanded: usize,
}

impl Loader {
    fn accept(&mut self, event: Event<'_>, line: usize) -> Result<(), String> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => Err("more than one YAML document in the file".to_owned()),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
            Event::Alias(anchor) => {
                let Some(Some(node)) = self.anchors.get(&anchor) else {
                    return Err("an alias refers to a node that contains it".to_owned());
                };
                if self.open.len() + node.height > MAX_DEPTH {
                    return Err(format!("nested more than {MAX_DEPTH} levels deep once aliases are expanded"));
                }
                self.expanded += node.size;
                if self.expanded > MAX_EXPANSION {
                    return Err(format!("aliases expand to more than {} MiB", MAX_EXPANSION >> 20));
                }
                let node = node.clone();
                self.locate(line);
                self.place(node, line)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let size = NODE + text.len();
                let value = match &tag {
                    Some(tag) if !tag.is_yaml_core_schema() => return Err(format!("the tag {tag} is not supported")),
                    Some(tag) if tag.suffix == "str" => Value::String(text.into_owned()),
                    _ if style == ScalarStyle::Plain => plain_scalar(&text),
                    _ => Value::String(text.into_owned()),
                };
                self.locate(line);
                self.finish(anchor, Node { value, size, height: 0 }, line)
            }
            Event::SequenceStart(anchor, _) => self.open(Value::Array(Vec::new()), anchor, line),
            Event::MappingStart(anchor, _) => self.open(Value::Object(Map::new()), anchor, line),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { mut node, anchor, .. }) = self.open.pop() else { return Ok(()) };
                node.height += 1;
                self.finish(anchor, node, line)
            }
        }
    }

    /// Records the line of the next node and returns its pointer, or `None` if it is a key.
    fn locate(&mut self, line: usize) -> Option<String> {
        let (pointer, line) = match self.open.last() {
            None => (String::new(), line),
            Some(Open { node: Node { value: Value::Array(items), .. }, pointer, .. }) => {
                (join(pointer, items.len()), line)
            }
            // The line of a member is that of its key.
            Some(Open { pointer, key: Some((key, line)), .. }) => (join(pointer, key), *line),
            Some(_) => return None,
        };
        self.lines.insert(pointer.clone(), line);
        Some(pointer)
    }

    fn open(&mut self, value: Value, anchor: usize, line: usize) -> Result<(), String> {
        if self.open.len() >= MAX_DEPTH {
            return Err(format!("nested more than {MAX_DEPTH} levels deep"));
        }
        let pointer = self.locate(line).ok_or("a mapping key must be a scalar")?;
        if anchor != 0 {
            self.anchors.insert(anchor, None);
        }
        self.open.push(Open { node: Node { value, size: NODE, height: 0 }, pointer, anchor, key: None });
        Ok(())
    }

    /// Adds a node that was read completely. If it has an anchor, a copy is kept for the aliases.
    fn finish(&mut self, anchor: usize, node: Node, line: usize) -> Result<(), String> {
        if anchor != 0 {
            self.expanded += node.size;
            self.anchors.insert(anchor, Some(node.clone()));
        }
        self.place(node, line)
    }

    /// Adds a node to the innermost open container, as a key or as a value.
    fn place(&mut self, node: Node, line: usize) -> Result<(), String> {
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node.value);
            return Ok(());
        };
        parent.node.size += node.size;
        parent.node.height = parent.node.height.max(node.height);
        match (&mut parent.node.value, parent.key.take()) {
            (Value::Object(members), Some((key, _))) => drop(members.insert(key, node.value)),
            (Value::Object(members), None) => parent.key = Some((key_text(node.value, members)?, line)),
            (Value::Array(items), _) => items.push(node.value),
            _ => {}
        }
        Ok(())
    }
}

fn key_text(key: Value, members: &Map<String, Value>) -> Result<String, String> {
    let key = match key {
        Value::String(key) => key,
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => key.to_string(),
        Value::Array(_) | Value::Object(_) => return Err("a mapping key must be a scalar".to_owned()),
    };
    if key == "<<" {
        return Err("merge keys (`<<`) are not part of YAML 1.2: repeat the members instead".to_owned());
    }
    if members.contains_key(&key) {
        return Err(format!("the key `{key}` is repeated in this mapping"));
    }
    Ok(key)
}

/// Resolves a plain scalar by the core schema of YAML 1.2, as far as JSON can express it.
fn plain_scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.starts_with(|first: char| first.is_ascii_digit()) {
        if let Ok(integer) = text.parse::<i64>() {
            return Value::Number(integer.into());
        }
        if let Ok(integer) = text.parse::<u64>() {
            return Value::Number(integer.into());
        }
        if let Some(number) = text.parse::<f64>().ok().and_then(Number::from_f64) {
            return Value::Number(number);
        }
    }
    Value::String(text.to_owned())
}

/// Replaces each surrogate pair of escapes, such as `\ud83d\ude00`, by the single escape that YAML has for the character.
/// Returns `None` if there is no such pair.
fn join_surrogates(text: &str) -> Option<String> {
    let mut joined = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('\\') {
        let (before, escape) = rest.split_at(start);
        joined.push_str(before);
        let unit = |text: &str| u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok();
        let pair = unit(escape).zip(escape.get(6..).and_then(unit));
        let character = pair.and_then(|(high, low)| char::decode_utf16([high, low]).next()?.ok());
        let length = if let Some(character) = character.filter(|character| *character > '\u{ffff}') {
            // Writing to a string can't fail.
            let _ = write!(joined, "\\U{:08x}", u32::from(character));
            12
        } else {
            // The escaped character, which may be a backslash, does not start another escape.
            let length = escape.chars().take(2).map(char::len_utf8).sum();
            joined.push_str(&escape[..length]);
            length
        };
        rest = &escape[length..];
    }
    joined.push_str(rest);
    (joined != text).then_some(joined)
}
