//! An OpenAPI file as data: parsed once into JSON, each node with its line, so that any later complaint can say where.
//! It knows YAML and JSON pointers; it must not know what an operation or a schema is.

use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Number, Value};

/// Deeper documents than this are refused: nobody writes one, and recursion over them would end the process.
const MAX_DEPTH: usize = 128;
/// The most nodes a document may have once its aliases are expanded.
const MAX_NODES: usize = 2_000_000;

/// A parsed document and where each of its nodes stands.
pub(crate) struct Document {
    path: PathBuf,
    root: Value,
    lines: HashMap<String, usize>,
}

/// One complaint about a document, with the JSON pointer of the node it is about.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) pointer: String,
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

impl Document {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(path, &text)
    }

    /// Parses YAML 1.2, of which JSON is a part.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self> {
        let mut loader = Loader::default();
        for event in Parser::new_from_str(text) {
            let (event, span) = match event {
                Ok(event) => event,
                Err(error) => bail!("{}:{}: not valid YAML: {}", path.display(), error.marker().line(), error.info()),
            };
            let line = span.start.line();
            if let Err(message) = loader.accept(event, line) {
                bail!("{}:{line}: {message}", path.display());
            }
        }
        let Some(root) = loader.root else {
            bail!("{}: the file holds no document", path.display());
        };
        Ok(Self { path: path.to_owned(), root, lines: loader.lines })
    }

    pub(crate) fn root(&self) -> &Value {
        &self.root
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The node at a JSON pointer.
    pub(crate) fn get(&self, pointer: &str) -> Option<&Value> {
        self.root.pointer(pointer)
    }

    /// The line of a node; of its nearest known ancestor where it has no line of its own.
    pub(crate) fn line(&self, pointer: &str) -> Option<usize> {
        let mut pointer = pointer;
        loop {
            match self.lines.get(pointer) {
                Some(line) => return Some(*line),
                None => pointer = &pointer[..pointer.rfind('/')?],
            }
        }
    }

    /// `file:line` of a node, as [`Self::line`] finds it.
    pub(crate) fn location(&self, pointer: &str) -> String {
        match self.line(pointer) {
            Some(line) => format!("{}:{line}", self.path.display()),
            None => self.path.display().to_string(),
        }
    }

    /// Turns complaints into one error, a line each, in the order of the file.
    pub(crate) fn fail_on(&self, problems: &[Problem]) -> Result<()> {
        if problems.is_empty() {
            return Ok(());
        }
        let mut lines: Vec<(usize, String)> = problems
            .iter()
            .map(|problem| {
                let line = self.line(&problem.pointer).unwrap_or(0);
                (line, format!("{}: {}", self.location(&problem.pointer), problem.message))
            })
            .collect();
        lines.sort();
        lines.dedup();
        let text: Vec<String> = lines.into_iter().map(|(_, text)| text).collect();
        bail!("{}", text.join("\n"))
    }
}

/// One more step on a JSON pointer, escaped.
pub(crate) fn join(pointer: &str, key: impl fmt::Display) -> String {
    format!("{pointer}/{}", key.to_string().replace('~', "~0").replace('/', "~1"))
}

/// Calls `visit` for each node of `value`, parents first, with its JSON pointer.
pub(crate) fn walk<'a>(value: &'a Value, pointer: &str, visit: &mut impl FnMut(&str, &'a Value)) {
    visit(pointer, value);
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                walk(member, &join(pointer, key), visit);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &join(pointer, index), visit);
            }
        }
        _ => {}
    }
}

/// Builds the tree from the parser's events, without recursion.
#[derive(Default)]
struct Loader {
    root: Option<Value>,
    open: Vec<Open>,
    anchors: HashMap<usize, Option<Value>>,
    lines: HashMap<String, usize>,
    nodes: usize,
}

enum Container {
    Sequence(Vec<Value>),
    Mapping(Map<String, Value>, Option<String>),
}

struct Open {
    container: Container,
    pointer: String,
    anchor: usize,
}

impl Loader {
    fn accept(&mut self, event: Event<'_>, line: usize) -> Result<(), String> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => Err("more than one YAML document in the file".to_owned()),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(Some(value)) => {
                    let value = value.clone();
                    self.nodes += count(&value);
                    self.add(value, line)
                }
                _ => Err("an alias refers to the node that holds it: the document never ends".to_owned()),
            },
            Event::Scalar(text, style, anchor, tag) => {
                let value = match &tag {
                    Some(tag) if !tag.is_yaml_core_schema() => return Err(format!("the tag {tag} is not understood")),
                    Some(tag) if tag.suffix == "str" => Value::String(text.into_owned()),
                    _ if style == ScalarStyle::Plain => plain_scalar(&text),
                    _ => Value::String(text.into_owned()),
                };
                if anchor != 0 {
                    self.anchors.insert(anchor, Some(value.clone()));
                }
                self.add(value, line)
            }
            Event::SequenceStart(anchor, _) => self.open(Container::Sequence(Vec::new()), anchor, line),
            Event::MappingStart(anchor, _) => self.open(Container::Mapping(Map::new(), None), anchor, line),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let value = match open.container {
                    Container::Sequence(items) => Value::Array(items),
                    Container::Mapping(members, _) => Value::Object(members),
                };
                if open.anchor != 0 {
                    self.anchors.insert(open.anchor, Some(value.clone()));
                }
                self.place(value)
            }
        }
    }

    fn open(&mut self, container: Container, anchor: usize, line: usize) -> Result<(), String> {
        if self.open.len() >= MAX_DEPTH {
            return Err(format!("nested more than {MAX_DEPTH} levels deep"));
        }
        if let Some(Open { container: Container::Mapping(_, None), .. }) = self.open.last() {
            return Err("a mapping key must be a scalar".to_owned());
        }
        if anchor != 0 {
            self.anchors.insert(anchor, None);
        }
        let pointer = self.next_pointer();
        self.note(&pointer, line)?;
        self.open.push(Open { container, pointer, anchor });
        Ok(())
    }

    /// Takes a finished scalar or alias: as a key where one is due, else as a value.
    fn add(&mut self, value: Value, line: usize) -> Result<(), String> {
        if let Some(Open { container: Container::Mapping(members, key @ None), pointer, .. }) = self.open.last_mut() {
            let name = match value {
                Value::String(name) => name,
                Value::Null => "null".to_owned(),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                Value::Array(_) | Value::Object(_) => return Err("a mapping key must be a scalar".to_owned()),
            };
            if name == "<<" {
                return Err("merge keys (`<<`) are not part of YAML 1.2: write the members out".to_owned());
            }
            if members.contains_key(&name) {
                return Err(format!("the key `{name}` stands twice in this mapping"));
            }
            let pointer = join(pointer, &name);
            *key = Some(name);
            self.lines.insert(pointer, line);
            return Ok(());
        }
        let pointer = self.next_pointer();
        self.note(&pointer, line)?;
        self.place(value)
    }

    fn next_pointer(&self) -> String {
        match self.open.last() {
            None => String::new(),
            Some(Open { container: Container::Sequence(items), pointer, .. }) => join(pointer, items.len()),
            Some(Open { container: Container::Mapping(_, key), pointer, .. }) => {
                join(pointer, key.as_deref().unwrap_or_default())
            }
        }
    }

    /// Remembers the line of a node. A member's line is that of its key.
    fn note(&mut self, pointer: &str, line: usize) -> Result<(), String> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(format!("more than {MAX_NODES} nodes once aliases are expanded"));
        }
        self.lines.entry(pointer.to_owned()).or_insert(line);
        Ok(())
    }

    fn place(&mut self, value: Value) -> Result<(), String> {
        if self.nodes > MAX_NODES {
            return Err(format!("more than {MAX_NODES} nodes once aliases are expanded"));
        }
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some(Open { container: Container::Sequence(items), .. }) => items.push(value),
            Some(Open { container: Container::Mapping(members, key), .. }) => {
                members.insert(key.take().unwrap_or_default(), value);
            }
        }
        Ok(())
    }
}

fn count(value: &Value) -> usize {
    let mut nodes = 0;
    walk(value, "", &mut |_, _| nodes += 1);
    nodes
}

/// YAML 1.2's core schema, as far as JSON can hold it.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Document> {
        Document::parse(Path::new("doc.yaml"), text)
    }

    #[track_caller]
    fn error(text: &str) -> String {
        match parse(text) {
            Ok(_) => panic!("expected an error"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_node_knows_its_line() {
        let document = parse("a: 1\nb:\n  - x\n  - c: {d: 2}\n").unwrap();
        assert_eq!(document.root(), &serde_json::json!({"a": 1, "b": ["x", {"c": {"d": 2}}]}));
        assert_eq!(document.location("/b/1/c/d"), "doc.yaml:4");
        assert_eq!(document.location("/b/0"), "doc.yaml:3");
        assert_eq!(document.location("/b/7/nowhere"), "doc.yaml:2");
    }

    #[test]
    fn scalars_follow_the_core_schema() {
        let document = parse("[1, -2, 3.5, true, no, null, '4', 1.2.3, 200-299, 2024-01-01]").unwrap();
        let expected = serde_json::json!([1, -2, 3.5, true, "no", null, "4", "1.2.3", "200-299", "2024-01-01"]);
        assert_eq!(document.root(), &expected);
    }

    #[test]
    fn mistakes_are_reported_with_their_line() {
        assert!(error("a: 1\nb: [1, 2\n").starts_with("doc.yaml:"), "{}", error("a: 1\nb: [1, 2\n"));
        assert_eq!(error("a: 1\na: 2\n"), "doc.yaml:2: the key `a` stands twice in this mapping");
        assert!(error("a: &x\n  b: *x\n").contains("never ends"));
        assert!(error("a: {b: 1}\nc:\n  <<: {b: 2}\n").starts_with("doc.yaml:3: merge keys"));
        assert!(error(&"[".repeat(200)).contains("levels deep"));
        // The parser has a limit of its own for lists within lists in brackets.
        assert!(error(&"[".repeat(1000)).contains("recursion limit"));
        assert_eq!(error(""), "doc.yaml: the file holds no document");
    }

    #[test]
    fn aliases_are_expanded_up_to_a_limit() {
        let document = parse("a: &x {b: 1}\nc: *x\n").unwrap();
        assert_eq!(document.get("/c/b"), Some(&Value::from(1)));
        let bomb: String = (1..30).fold("a0: &a0 [1,1]\n".to_owned(), |text, n| {
            format!("{text}a{n}: &a{n} [*a{}, *a{}, *a{}]\n", n - 1, n - 1, n - 1)
        });
        assert!(error(&bomb).contains("nodes once aliases are expanded"));
    }
}
