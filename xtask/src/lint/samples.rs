//! Samples and inline examples: named by the rule, referred to by the document, and valid against their schemas.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Linter, schema};
use crate::{
    json_pointer::{join, walk},
    model::{Operation, snake},
    openapi::members,
};

/// Where samples are, from the document's own folder.
pub(super) const FOLDER: &str = "samples";

/// A file of the samples' folder.
pub(super) struct Sample {
    file: String,
    value: Result<Value, String>,
}

impl Sample {
    pub(super) fn parse(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), value: serde_json::from_str(text).map_err(|error| error.to_string()) }
    }

    /// What its name says: the operation in `snake_case`, and whether it is a request or a response.
    fn parts(&self) -> Option<(&str, &'static str)> {
        let (stem, kind) = match (self.file.strip_suffix(".request.json"), self.file.strip_suffix(".response.json")) {
            (Some(stem), _) => (stem, "request"),
            (_, Some(stem)) => (stem, "response"),
            _ => return None,
        };
        let (operation, case) = stem.split_once("__").unwrap_or((stem, "case"));
        let word = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        (word(operation) && word(case)).then_some((operation, kind))
    }
}

pub(super) fn read(folder: &Path) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry.with_context(|| format!("cannot list {}", folder.display()))?.path();
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        samples.push(Sample::parse(&path.file_name().unwrap_or_default().to_string_lossy(), &text));
    }
    samples.sort_by(|one, other| one.file.cmp(&other.file));
    Ok(samples)
}

/// An `externalValue`: the file, the pointer of the example, and the schema that it must meet.
struct Reference<'m> {
    file: String,
    pointer: String,
    schema: &'m Value,
}

impl<'m> Linter<'m> {
    pub(super) fn samples(&mut self, samples: &[Sample]) -> Result<()> {
        let references = self.examples()?;
        self.files(samples, &references)?;
        self.coverage(samples);
        self.schema_examples()
    }

    /// Each node that has a schema and examples beside it: a body, a parameter or a header.
    fn media(&self) -> Vec<(String, &'m Value)> {
        let mut found = Vec::new();
        for pointer in ["/paths", "/components"] {
            let Some(node) = self.document.get(pointer) else { continue };
            walk(node, pointer, &mut |pointer, node| {
                if node.get("schema").is_some() && (node.get("example").is_some() || node.get("examples").is_some()) {
                    found.push((pointer.to_owned(), node));
                }
            });
        }
        found
    }

    /// Checks the examples beside a schema, and returns the references to samples among them.
    fn examples(&mut self) -> Result<Vec<Reference<'m>>> {
        let mut references = Vec::new();
        for (pointer, node) in self.media() {
            let schema = &node["schema"];
            if let Some(example) = node.get("example") {
                self.valid(&join(&pointer, "example"), "the example", schema, example)?;
            }
            let examples = join(&pointer, "examples");
            for (name, example) in members(&node["examples"]) {
                let pointer = join(&examples, name);
                if let Some(value) = example.get("value") {
                    self.valid(&pointer, &format!("the example `{name}`"), schema, value)?;
                }
                let Some(file) = example["externalValue"].as_str() else { continue };
                match file.strip_prefix("samples/") {
                    Some(file) => references.push(Reference { file: file.to_owned(), pointer, schema }),
                    None => self.problem(&pointer, format!("`externalValue: {file}` is not in `{FOLDER}/`")),
                }
            }
        }
        Ok(references)
    }

    fn files(&mut self, samples: &[Sample], references: &[Reference<'m>]) -> Result<()> {
        let by_name: BTreeMap<&str, &Sample> = samples.iter().map(|sample| (sample.file.as_str(), sample)).collect();
        for reference in references {
            match by_name.get(reference.file.as_str()) {
                None => {
                    let message = format!("`{FOLDER}/{}` does not exist", reference.file);
                    self.problem(&reference.pointer, message);
                }
                Some(sample) => self.belongs(sample, &reference.pointer),
            }
        }
        for sample in samples {
            let file = &sample.file;
            let Some((name, kind)) = sample.parts() else {
                let message = format!(
                    "{FOLDER}/{file}: a sample's name is `<operation_in_snake_case>[__case].request.json` or `.response.json`"
                );
                self.problem("", message);
                continue;
            };
            let Some(operation) = self.operation(name) else {
                self.problem("", format!("{FOLDER}/{file}: there is no v1 operation `{name}`"));
                continue;
            };
            let places: Vec<&Reference<'m>> = references.iter().filter(|reference| reference.file == *file).collect();
            let Some(first) = places.first() else {
                let message =
                    format!("{FOLDER}/{file}: the document does not refer to it: give its {kind} an `externalValue`");
                self.problem(&operation.pointer, message);
                continue;
            };
            match &sample.value {
                Err(error) => self.problem(&first.pointer, format!("{FOLDER}/{file} is not JSON: {error}")),
                Ok(value) => {
                    // A binding of generation 5 refers to the same sample: one complaint for each schema.
                    let mut schemas: Vec<&Value> = Vec::new();
                    for place in places {
                        if !schemas.contains(&place.schema) {
                            schemas.push(place.schema);
                            self.valid(&place.pointer, &format!("{FOLDER}/{file}"), place.schema, value)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// A sample stands where its name says: at its operation or a binding of it, as a request or as a response.
    fn belongs(&mut self, sample: &Sample, pointer: &str) {
        let Some((name, kind)) = sample.parts() else { return };
        let within =
            |operation: &&Operation| pointer.strip_prefix(&operation.pointer).is_some_and(|rest| rest.starts_with('/'));
        let Some(operation) = self.model.operations.iter().find(within) else { return };
        let id = operation.binding_of.as_ref().unwrap_or(&operation.id);
        let place =
            if pointer[operation.pointer.len()..].starts_with("/requestBody/") { "request" } else { "response" };
        if snake(id) != name || kind != place {
            let message = format!("`{FOLDER}/{}` is not a {place} of `{id}`, as its name says", sample.file);
            self.problem(pointer, message);
        }
    }

    fn operation(&self, name: &str) -> Option<&'m Operation> {
        self.model.operations.iter().find(|operation| operation.binding_of.is_none() && snake(&operation.id) == name)
    }

    fn coverage(&mut self, samples: &[Sample]) {
        for operation in self.model.operations.iter().filter(|operation| operation.binding_of.is_none()) {
            let name = snake(&operation.id);
            let kinds = operation.body.is_some().then_some("request").into_iter().chain(["response"]);
            for kind in kinds.filter(|kind| !samples.iter().any(|sample| sample.parts() == Some((&name, kind)))) {
                let message =
                    format!("operation `{}` has no {kind} sample: write `{FOLDER}/{name}.{kind}.json`", operation.id);
                self.problem(&operation.pointer, message);
            }
        }
    }

    /// The `example` of each schema, and of each schema within it.
    fn schema_examples(&mut self) -> Result<()> {
        let schemas = self.model.schemas().map(|(name, schema)| (join("/components/schemas", name), schema));
        let mut queue: Vec<(String, &Value)> = schemas.collect();
        while let Some((pointer, schema)) = queue.pop() {
            if let Some(example) = schema.get("example") {
                self.valid(&join(&pointer, "example"), "the example", schema, example)?;
            }
            for key in ["items", "additionalProperties"] {
                queue.extend(schema.get(key).map(|schema| (join(&pointer, key), schema)));
            }
            let properties = join(&pointer, "properties");
            queue.extend(members(&schema["properties"]).map(|(name, schema)| (join(&properties, name), schema)));
        }
        Ok(())
    }

    fn valid(&mut self, pointer: &str, what: &str, schema: &Value, value: &Value) -> Result<()> {
        let validator = schema::validator(self.model, schema).with_context(|| self.document.location(pointer))?;
        for error in validator.iter_errors(value) {
            let at = error.instance_path().to_string();
            let at = if at.is_empty() { "/" } else { &at };
            let instance = error.instance();
            // A whole message in the middle of a sentence helps nobody: the pointer says where it is.
            let is_long = instance.is_object() || instance.is_array();
            let message = if is_long { error.masked().to_string() } else { error.to_string() };
            self.problem(pointer, format!("{what} at {at}: {message}"));
        }
        Ok(())
    }
}
