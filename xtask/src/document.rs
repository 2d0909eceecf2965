//! A JSON or YAML file as a JSON value in which each node knows its line, so that messages can name it. This module must not know
//! what an operation or a schema is.

mod yaml;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

/// A parsed document, with the line of each node.
pub struct Document {
    path: PathBuf,
    root: Value,
    lines: Lines,
}

/// The line of each node, by its pointer.
type Lines = HashMap<String, usize>;

/// Why a text cannot be parsed, and in which line. The line is 0 if the message is about the whole file.
struct SyntaxError {
    line: usize,
    message: String,
}

/// Parses JSON. `serde_json` parses the values. Their lines come from the parser of YAML, which JSON is a subset of and which also
/// rejects repeated keys.
fn parse_json(text: &str) -> Result<(Value, Lines), SyntaxError> {
    let value = serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let message = format!("not valid JSON: {}", message.strip_suffix(&place).unwrap_or(&message));
        SyntaxError { line: error.line(), message }
    })?;
    // In JSON a tab is white space, which YAML does not allow everywhere.
    let (_, lines) = yaml::parse(&text.replace('\t', " "))?;
    Ok((value, lines))
}

/// A problem with a document, and the JSON pointer of the node that has it.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The JSON pointer of the node.
    pub pointer: String,
    /// What is wrong, and what to do about it.
    pub message: String,
}

impl Problem {
    /// A problem with the node at a pointer.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

/// Reads the text of a file, which must be UTF-8.
pub fn read(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = valid.split(|byte| *byte == b'\n').count();
        anyhow!("{}:{line}: not UTF-8: save the file as UTF-8", path.display())
    })
}

impl Document {
    /// Reads and parses a file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = read(path)?;
        Self::parse(path, &text)
    }

    /// Parses JSON if the text begins with a brace or the file is called `.json`, and YAML 1.2 otherwise.
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        let parsed = if is_json {
            parse_json(text)
        } else if text.trim_start().starts_with('{') {
            // A YAML document may begin with a brace, too. If it is neither, the error about the JSON is reported.
            parse_json(text).or_else(|error| yaml::parse(text).map_err(|_| error))
        } else {
            yaml::parse(text)
        };
        match parsed {
            Ok((root, lines)) => Ok(Self { path: path.to_owned(), root, lines }),
            Err(SyntaxError { line: 0, message }) => bail!("{}: {message}", path.display()),
            Err(SyntaxError { line, message }) => bail!("{}:{line}: {message}", path.display()),
        }
    }

    /// The whole document.
    pub fn root(&self) -> &Value {
        &self.root
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The node at a JSON pointer.
    pub fn get(&self, pointer: &str) -> Option<&Value> {
        self.root.pointer(pointer)
    }

    /// The line of a node. If there is no such node, or if it was expanded from an alias, the line of its nearest ancestor.
    pub fn line(&self, pointer: &str) -> usize {
        let parents = std::iter::successors(Some(pointer), |pointer| Some(pointer.rsplit_once('/')?.0));
        parents.into_iter().find_map(|pointer| self.lines.get(pointer)).copied().unwrap_or_default()
    }

    /// The path and the line of a node as `file:line`. See [`Self::line`].
    pub fn location(&self, pointer: &str) -> String {
        format!("{}:{}", self.path.display(), self.line(pointer))
    }

    /// The error that a problem is.
    pub fn error(&self, Problem { pointer, message }: &Problem) -> anyhow::Error {
        anyhow!("{}: {message}", self.location(pointer))
    }

    /// Fails if there are problems, with one line of text for each, in the order of the file.
    pub fn fail_on(&self, problems: &[Problem]) -> Result<()> {
        if problems.is_empty() {
            return Ok(());
        }
        let line = |problem: &Problem| (self.line(&problem.pointer), self.error(problem).to_string());
        let mut lines: Vec<(usize, String)> = problems.iter().map(line).collect();
        lines.sort();
        lines.dedup();
        let text: Vec<String> = lines.into_iter().map(|(_, text)| text).collect();
        bail!("{}", text.join("\n"))
    }
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
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for (text, start) in [
            ("a: 1\nb: [1, 2\n", "doc.yaml:"),
            ("a: 1\na: 2\n", "doc.yaml:2: the key `a` is repeated in this mapping"),
            ("a: &x\n  b: *x\n", "doc.yaml:2: an alias refers to a node that contains it"),
            ("a: {b: 1}\nc:\n  <<: {b: 2}\n", "doc.yaml:3: merge keys"),
            ("a: \"\\ud83d\"\n", "doc.yaml:1: not valid YAML"),
            ("", "doc.yaml: the file is empty"),
            (&deep, "doc.yaml:1: nested more than 128 levels deep"),
            ("{\n\"a\": 1,\n\"a\": 2}", "doc.yaml:3: the key `a` is repeated in this mapping"),
            ("{\"b\":\n {\"a\": 1,\n\"\\u0061\": 2}}", "doc.yaml:3: the key `a` is repeated in this mapping"),
            ("{\n\"a\": \"\\ud83d\"\n}", "doc.yaml:2: not valid JSON: "),
            (&format!("{{\"a\": {deep}}}"), "doc.yaml:1: not valid JSON: recursion limit"),
        ] {
            let error = error(text);
            assert!(error.starts_with(start), "{text}: {error}");
        }
        // The parser has its own limit for nested brackets.
        assert!(error(&"[".repeat(1000)).contains("recursion limit"));
        let trailing = Document::parse(Path::new("doc.json"), "{\"a\": 1,}").err().map(|error| error.to_string());
        assert!(trailing.is_some_and(|error| error.starts_with("doc.json:1: not valid JSON: ")));
        // YAML may begin with a brace, too.
        assert_eq!(parse("{a: 1, b: [x]}").unwrap().root(), &serde_json::json!({"a": 1, "b": ["x"]}));
    }

    #[test]
    fn json_is_parsed_as_json_with_its_lines() {
        let text = "\u{feff}{\n  \"a\": 1,\n  \"b\": [\n    \"\\ud83d\\ude00\",\n    {\n      \"c/d\":\n        {\"e\": -1.5e3}\n    },\n\n    null\n  ]\n}\n";
        let expected = serde_json::json!({"a": 1, "b": ["\u{1f600}", {"c/d": {"e": -1500.0}}, null]});
        for name in ["doc.json", "doc.yaml"] {
            let document = Document::parse(Path::new(name), text).unwrap();
            assert_eq!(document.root(), &expected);
            let lines =
                [("/a", 2), ("/b", 3), ("/b/0", 4), ("/b/1", 5), ("/b/1/c~1d", 6), ("/b/1/c~1d/e", 7), ("/b/2", 10)];
            for (pointer, line) in lines {
                assert_eq!(document.location(pointer), format!("{name}:{line}"), "{pointer}");
            }
        }
    }

    #[test]
    fn json_may_be_written_in_any_way() {
        let text = "{\r\n\t\"a\"\t:\t1,\r\n\t\"b\" :[ ]\t,\"\\/\u{7f}\\u0041\":\n\t\t\"\\\"\\t\u{2028}\"\n}\n";
        let document = Document::parse(Path::new("doc.json"), text).unwrap();
        assert_eq!(document.root(), &serde_json::json!({"a": 1, "b": [], "/\u{7f}A": "\"\t\u{2028}"}));
        assert_eq!([document.line("/a"), document.line("/b"), document.line("/~1\u{7f}A")], [2, 3, 3]);
    }

    #[test]
    fn json_within_yaml_may_contain_surrogate_pairs() {
        let document = parse("a: {\"b\": \"\\ud83d\\ude00\\u00e4\\\\ud83d\\n\"}\n").unwrap();
        assert_eq!(document.get("/a/b"), Some(&Value::from("\u{1f600}\u{e4}\\ud83d\n")));
    }

    #[test]
    fn aliases_are_expanded_up_to_a_limit() {
        let document = parse("a: &x {b: 1}\nc: *x\n").unwrap();
        assert_eq!(document.get("/c/b"), Some(&Value::from(1)));
        assert_eq!(document.location("/c/b"), "doc.yaml:2");
        let chain = |first: &str, next: &dyn Fn(usize) -> String| {
            let lines = (1..2000).map(|number| format!("a{number}: &a{number} {}\n", next(number - 1)));
            format!("a0: &a0 {first}\n{}", lines.collect::<String>())
        };
        let three = chain("[1, 1]", &|last| format!("[*a{last}, *a{last}, *a{last}]"));
        assert_eq!(error(&three), "doc.yaml:12: aliases expand to more than 32 MiB");
        let one = chain("[1]", &|last| format!("[*a{last}]"));
        assert_eq!(error(&one), "doc.yaml:128: nested more than 128 levels deep once aliases are expanded");
        let text = "x".repeat(1 << 20);
        let copies = (1..100).map(|number| format!("a{number}: *text\n")).collect::<Vec<_>>().concat();
        assert_eq!(error(&format!("a0: &text {text}\n{copies}")), "doc.yaml:32: aliases expand to more than 32 MiB");
    }
}
