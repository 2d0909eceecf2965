//! `cargo xtask lint`: what the generator and the house need of the document, beyond what [`Model`] demands: prose for
//! readers, nothing unused, and samples and examples that are what their schemas say.

mod samples;
mod schema;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Result;
use heck::ToLowerCamelCase;
use serde_json::Value;

use xtask::DOCUMENT;

use crate::{
    document::{Document, Problem},
    generate,
    json_pointer::{join, walk},
    model::{Model, text},
    openapi::{items, members},
};
use samples::Sample;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The document to check; its samples are in the folder `samples` beside it.
    #[arg(long, default_value = DOCUMENT)]
    document: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    crate::enter_workspace()?;
    let document = Document::read(&arguments.document)?;
    let model = Model::new(&document)?;
    let folder = arguments.document.parent().unwrap_or(Path::new("")).join(samples::FOLDER);
    let samples = samples::read(&folder)?;
    document.fail_on(&lint(&model, &samples)?)?;
    let (operations, schemas) = (model.operations.len(), model.schemas().count());
    println!(
        "{}: {operations} operations, {schemas} schemas, {} samples, nothing to report",
        document.path().display(),
        samples.len()
    );
    Ok(ExitCode::SUCCESS)
}

/// Every complaint about a document that the model accepts.
fn lint(model: &Model<'_>, samples: &[Sample]) -> Result<Vec<Problem>> {
    let mut linter = Linter { model, document: model.document, problems: Vec::new() };
    linter.operations();
    linter.tags();
    linter.responses();
    linter.schemas();
    linter.unused();
    linter.samples(samples)?;
    if linter.problems.is_empty() {
        // What the generator refuses beyond that is found here, and not when the code is next generated.
        generate::generate(model.document)?;
    }
    Ok(linter.problems)
}

struct Linter<'m> {
    model: &'m Model<'m>,
    document: &'m Document,
    problems: Vec<Problem>,
}

impl Linter<'_> {
    fn problem(&mut self, pointer: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(pointer, message));
    }

    fn described(&mut self, what: &str, pointer: &str, node: &Value) {
        if text(node, "description").trim().is_empty() {
            self.problem(pointer, format!("{what} has no `description`"));
        }
    }

    fn operations(&mut self) {
        for operation in &self.model.operations {
            let id = &operation.id;
            let pointer = &operation.pointer;
            let what = format!("operation `{id}`");
            let camel = id.to_lower_camel_case();
            if *id != camel {
                self.problem(&join(pointer, "operationId"), format!("{what}: an operationId is camelCase: `{camel}`"));
            }
            if let Some(complaint) = summary_complaint(&operation.summary) {
                let at = join(pointer, "summary");
                self.problem(&at, format!("{what}: its summary {complaint}: `{}`", operation.summary));
            }
            let Some(node) = self.document.get(pointer) else { continue };
            self.described(&what, pointer, node);
            if operation.binding_of.is_none() && text(&node["x-codeSamples"][0], "source").trim().is_empty() {
                let at = join(pointer, "x-codeSamples");
                self.problem(&at, format!("{what}: its first `x-codeSamples` has no `source`: show a call in Rust"));
            }
            if let Some(body) = node.get("requestBody").filter(|body| body.get("$ref").is_none()) {
                self.described(&format!("the request body of `{id}`"), &join(pointer, "requestBody"), body);
            }
            for parameter in &operation.parameters {
                if parameter.description.trim().is_empty() {
                    let message = format!("{what}: parameter `{}` has no `description`", parameter.name);
                    self.problem(&parameter.pointer, message);
                }
            }
        }
    }

    fn tags(&mut self) {
        let mut declared = BTreeSet::new();
        for (index, tag) in items(&self.document.root()["tags"]).iter().enumerate() {
            let pointer = join("/tags", index);
            self.described(&format!("tag `{}`", text(tag, "name")), &pointer, tag);
            declared.insert((text(tag, "name"), pointer));
        }
        let mut used = BTreeSet::new();
        for operation in &self.model.operations {
            let pointer = join(&operation.pointer, "tags");
            let tags = self.document.get(&pointer).map_or(&[][..], items);
            if tags.is_empty() {
                self.problem(&operation.pointer, format!("operation `{}` has no tag", operation.id));
            }
            for (index, tag) in tags.iter().enumerate() {
                let tag = tag.as_str().unwrap_or_default();
                used.insert(tag);
                if !declared.iter().any(|(name, _)| *name == tag) {
                    let message =
                        format!("operation `{}`: tag `{tag}` is not among the document's `tags`", operation.id);
                    self.problem(&join(&pointer, index), message);
                }
            }
        }
        for (name, pointer) in declared.iter().filter(|(name, _)| !used.contains(name)) {
            self.problem(pointer, format!("tag `{name}` is used by no operation"));
        }
    }

    /// Responses, where they are written: at an operation or among the components.
    fn responses(&mut self) {
        let document = self.document;
        for operation in &self.model.operations {
            let pointer = join(&operation.pointer, "responses");
            for (status, response) in document.get(&pointer).into_iter().flat_map(members) {
                if response.get("$ref").is_none() {
                    let what = format!("the {status} response of `{}`", operation.id);
                    self.described(&what, &join(&pointer, status), response);
                }
            }
        }
        for (name, response) in members(&document.root()["components"]["responses"]) {
            self.described(&format!("response `{name}`"), &join("/components/responses", name), response);
        }
    }

    fn schemas(&mut self) {
        for (name, schema) in self.model.schemas() {
            let pointer = join("/components/schemas", name);
            self.described(&format!("schema `{name}`"), &pointer, schema);
            for (property, schema) in members(&schema["properties"]) {
                if schema.get("$ref").is_some() {
                    // OpenAPI 3.0 allows no siblings: the schema that it refers to is described.
                    continue;
                }
                let pointer = join(&join(&pointer, "properties"), property);
                let what = format!("property `{name}.{property}`");
                self.described(&what, &pointer, schema);
                let scalar = ["string", "integer", "number", "boolean"].contains(&text(schema, "type"));
                if scalar && schema.get("example").is_none() {
                    self.problem(&pointer, format!("{what} has no `example`"));
                }
            }
        }
    }

    /// A component that no operation reaches is documentation of nothing.
    fn unused(&mut self) {
        let mut used: BTreeSet<String> = BTreeSet::new();
        let mut queue: Vec<&Value> = self.document.get("/paths").into_iter().collect();
        while let Some(node) = queue.pop() {
            walk(node, "", &mut |_, node| {
                let referred = node.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
                // A message whose members are query parameters is named, not referred to.
                let named = node.get("x-request-message").and_then(Value::as_str);
                let named = named.map(|name| join("/components/schemas", name));
                for target in referred.map(str::to_owned).into_iter().chain(named) {
                    if used.insert(target.clone()) {
                        queue.extend(self.document.get(&target));
                    }
                }
            });
        }
        let operations = self.model.operations.iter().map(|operation| join(&operation.pointer, "security"));
        for pointer in operations.chain(["/security".to_owned()]) {
            let requirements = self.document.get(&pointer).map_or(&[][..], items);
            let names = requirements.iter().flat_map(members);
            used.extend(names.map(|(name, _)| join("/components/securitySchemes", name)));
        }
        for (section, components) in members(&self.document.root()["components"]) {
            for (name, _) in members(components) {
                let pointer = join(&join("/components", section), name);
                let within = format!("{pointer}/");
                if !used.iter().any(|target| *target == pointer || target.starts_with(&within)) {
                    self.problem(&pointer, format!("`{name}` of `components/{section}` is used by no operation"));
                }
            }
        }
    }
}

/// What is wrong with a summary. Whether its first word is an imperative can only be guessed from how it ends.
fn summary_complaint(summary: &str) -> Option<&'static str> {
    const IMPERATIVES: [&str; 4] = ["Bring", "Ping", "Focus", "Canvas"];
    let first = summary.split_whitespace().next().unwrap_or_default();
    if first.is_empty() {
        Some("is missing")
    } else if summary.trim() != summary || summary.contains('\n') {
        Some("must be one line")
    } else if summary.ends_with('.') {
        Some("must not end with a dot")
    } else if !first.starts_with(|letter: char| letter.is_ascii_uppercase()) {
        Some("must begin with a capital letter")
    } else if !IMPERATIVES.contains(&first)
        && (first.ends_with("ing") || first.ends_with('s') && !first.ends_with("ss"))
    {
        Some("must begin with an imperative, such as `List`, not `Lists` or `Listing`")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest document that has something of everything, without a complaint.
    const CLEAN: &str = r"
openapi: 3.0.3
info: {title: Test, version: 1.0.0}
security: [{ApiKey: []}]
tags:
  - name: Incidents
    description: Find incidents.
paths:
  /v1/incidents/{id}:
    post:
      operationId: findIncident
      tags: [Incidents]
      summary: Find an incident
      description: Returns one incident.
      x-api-generation: v1
      x-idempotency: safe
      x-permission: incidents:read
      x-codeSamples: [{lang: Rust, source: 'client.find_incident(id).await?;'}]
      parameters:
        - name: id
          in: path
          required: true
          description: Id of the incident.
          schema: {type: string}
          example: i-1
      requestBody:
        description: What to find.
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Query'}
            examples: {documented: {externalValue: samples/find_incident.request.json}}
      responses:
        '200':
          description: The incident.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Incident'}
              examples: {documented: {externalValue: samples/find_incident.response.json}}
        '4XX': {$ref: '#/components/responses/Failure'}
components:
  securitySchemes:
    ApiKey: {type: http, scheme: bearer}
  responses:
    Failure:
      description: It failed.
      content:
        application/json:
          schema: {$ref: '#/components/schemas/Status'}
          example: {message: no}
  schemas:
    Status:
      type: object
      description: What failed.
      properties:
        message: {type: string, description: Why., example: not found}
    Query:
      type: object
      description: A query.
      properties:
        text: {type: string, description: The text., example: above}
    Incident:
      type: object
      description: An incident.
      required: [id, state]
      properties:
        id: {type: string, description: Its id., example: i-1}
        state: {$ref: '#/components/schemas/State'}
        duration: {type: string, format: google-duration, description: How long it lasted., example: 1.5s}
        count: {type: integer, format: int32, description: How often., example: 3}
        related: {type: array, description: Others like it., items: {$ref: '#/components/schemas/Incident'}}
    State:
      type: string
      description: A state.
      enum: [STATE_UNSPECIFIED, STATE_ON]
      example: STATE_ON
";
    const REQUEST: (&str, &str) = ("find_incident.request.json", r#"{"text": "x"}"#);
    const RESPONSE: (&str, &str) = (
        "find_incident.response.json",
        r#"{"id": "i", "state": "STATE_ON", "related": [{"id": "j", "state": "STATE_ON"}]}"#,
    );

    fn complaints(document: &str, files: &[(&str, &str)]) -> Vec<String> {
        let document = Document::parse(Path::new("openapi/doc.yaml"), document).unwrap();
        let model = Model::new(&document).unwrap();
        let samples: Vec<Sample> = files.iter().map(|(name, text)| Sample::parse(name, text)).collect();
        let problems = lint(&model, &samples).unwrap();
        problems.iter().map(|problem| format!("{}: {}", document.location(&problem.pointer), problem.message)).collect()
    }

    /// The complaints about the clean document with one change.
    #[track_caller]
    fn changed(old: &str, new: &str) -> Vec<String> {
        assert_eq!(CLEAN.matches(old).count(), 1, "`{old}` must stand once in the clean document");
        complaints(&CLEAN.replace(old, new), &[REQUEST, RESPONSE])
    }

    /// Plants one fault in the clean document and expects the one complaint about it, which must end so.
    #[track_caller]
    fn planted(old: &str, new: &str, complaint: &str) {
        let found = changed(old, new);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].ends_with(complaint), "{found:#?}");
        let location = found[0].strip_prefix("openapi/doc.yaml:").and_then(|rest| rest.split(':').next());
        assert!(location.is_some_and(|line| line.parse::<usize>().is_ok_and(|line| line > 1)), "{found:#?}");
    }

    /// Lints the clean document with other samples.
    #[track_caller]
    fn sampled(files: &[(&str, &str)], expected: &[&str]) {
        let found = complaints(CLEAN, files);
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{found:#?}");
        }
    }

    #[test]
    fn what_the_generator_refuses_is_found() {
        let text = CLEAN.replace("schema: {type: string}\n", "schema: {type: string, pattern: 'i-'}\n");
        let document = Document::parse(Path::new("openapi/doc.yaml"), &text).unwrap();
        let samples = [REQUEST, RESPONSE].map(|(name, text)| Sample::parse(name, text));
        let error = format!("{:#}", lint(&Model::new(&document).unwrap(), &samples).unwrap_err());
        assert!(error.starts_with("openapi/doc.yaml:") && error.contains("the pattern `i-`"), "{error}");
    }

    #[test]
    fn a_clean_document_has_nothing_to_report() {
        assert_eq!(complaints(CLEAN, &[REQUEST, RESPONSE]), Vec::<String>::new());
    }

    #[test]
    fn prose_that_is_missing_is_named() {
        planted("      description: Returns one incident.\n", "", "operation `findIncident` has no `description`");
        planted("    description: Find incidents.\n", "", "tag `Incidents` has no `description`");
        planted("          description: Id of the incident.\n", "", "parameter `id` has no `description`");
        planted("        description: What to find.\n", "", "the request body of `findIncident` has no `description`");
        planted(
            "          description: The incident.\n",
            "",
            "the 200 response of `findIncident` has no `description`",
        );
        planted("      description: It failed.\n", "", "response `Failure` has no `description`");
        planted("      description: A query.\n", "", "schema `Query` has no `description`");
        planted(" description: Its id.,", "", "property `Incident.id` has no `description`");
        planted(", example: not found", "", "property `Status.message` has no `example`");
    }

    #[test]
    fn a_v1_operation_has_a_code_sample() {
        let complaint = "operation `findIncident`: its first `x-codeSamples` has no `source`: show a call in Rust";
        let sample = "      x-codeSamples: [{lang: Rust, source: 'client.find_incident(id).await?;'}]\n";
        for other in ["", "      x-codeSamples: [{lang: Rust, source: ''}]\n", "      x-codeSamples: []\n"] {
            planted(sample, other, complaint);
        }
    }

    #[test]
    fn an_operation_id_is_camel_case() {
        let found = changed("operationId: findIncident", "operationId: FindIncident");
        let expected = "openapi/doc.yaml:11: operation `FindIncident`: an operationId is camelCase: `findIncident`";
        assert_eq!(found, [expected]);
    }

    #[test]
    fn a_summary_is_an_imperative_without_a_dot() {
        for (summary, complaint) in [
            ("''", "is missing"),
            ("Find it.", "must not end with a dot"),
            ("find it", "capital letter"),
            ("Finds it", "imperative"),
            ("Finding it", "imperative"),
        ] {
            let found = changed("summary: Find an incident", &format!("summary: {summary}"));
            assert!(found.len() == 1 && found[0].contains(complaint), "{found:?}");
        }
        assert_eq!(summary_complaint("Dismiss an incident"), None);
    }

    #[test]
    fn tags_are_declared_and_used() {
        planted("tags: [Incidents]", "tags: [Incidents, Other]", "tag `Other` is not among the document's `tags`");
        let two = "tags:\n  - name: Other\n    description: Others.\n  - name: Incidents\n";
        planted("tags:\n  - name: Incidents\n", two, "tag `Other` is used by no operation");
        let found = changed("      tags: [Incidents]\n", "");
        assert!(found.iter().any(|found| found.ends_with("operation `findIncident` has no tag")), "{found:#?}");
    }

    #[test]
    fn a_component_that_no_operation_reaches_is_named() {
        let unused = "    Query:\n      type: object\n";
        let lonely = format!("    Lonely:\n      type: object\n      description: Nobody's.\n{unused}");
        planted(unused, &lonely, "`Lonely` of `components/schemas` is used by no operation");
        planted("security: [{ApiKey: []}]\n", "", "`ApiKey` of `components/securitySchemes` is used by no operation");
        let found = changed("        '4XX': {$ref: '#/components/responses/Failure'}\n", "");
        let first = "`Failure` of `components/responses` is used by no operation";
        assert!(found.len() == 2 && found[0].ends_with(first), "{found:#?}");
    }

    #[test]
    fn an_inline_example_must_be_what_its_schema_says() {
        planted("example: not found", "example: 3", "not of type \"string\"");
        planted("example: 3}", "example: 3000000000}", "2147483647");
        planted("example: {message: no}", "example: {mesage: no}", "('mesage' was unexpected)");
        planted(
            "      example: STATE_ON\n",
            "      example: STATE_OFF\n",
            "not one of \"STATE_UNSPECIFIED\" or \"STATE_ON\"",
        );
        planted("example: 1.5s", "example: 1.5 s", "\"google-duration\"");
        planted(
            "          example: i-1\n      requestBody",
            "          example: [i-1]\n      requestBody",
            "\"string\"",
        );
    }

    #[test]
    fn a_sample_must_be_what_its_schema_says() {
        let broken = r#"{"id": "i", "state": "STATE_ON", "related": [{"id": 7, "state": "STATE_ON"}]}"#;
        sampled(
            &[REQUEST, (RESPONSE.0, broken)],
            &["samples/find_incident.response.json at /related/0/id: 7 is not of type"],
        );
        sampled(&[REQUEST, (RESPONSE.0, r#"{"state": "STATE_ON"}"#)], &["at /: \"id\" is a required property"]);
        sampled(
            &[REQUEST, (RESPONSE.0, r#"{"id": "i", "state": "STATE_ON", "extra": 1}"#)],
            &["'extra' was unexpected"],
        );
        sampled(&[REQUEST, (RESPONSE.0, "{")], &["samples/find_incident.response.json is not JSON"]);
    }

    #[test]
    fn samples_and_the_document_refer_to_each_other() {
        sampled(&[REQUEST], &["find_incident.response.json` does not exist", "`findIncident` has no response sample"]);
        sampled(&[RESPONSE], &["find_incident.request.json` does not exist", "`findIncident` has no request sample"]);
        let more = [REQUEST, RESPONSE, ("find_incident__twice.request.json", "{}")];
        sampled(&more, &["samples/find_incident__twice.request.json: the document does not refer to it"]);
        sampled(&[REQUEST, RESPONSE, ("FindIncident.json", "{}")], &["samples/FindIncident.json: a sample's name is"]);
        sampled(
            &[REQUEST, RESPONSE, ("find_incidents.request.json", "{}")],
            &["samples/find_incidents.request.json: there is no v1 operation `find_incidents`"],
        );
    }

    #[test]
    fn a_sample_of_another_operation_is_refused() {
        let found = changed("samples/find_incident.request.json", "samples/find_incident.response.json");
        assert!(found.iter().any(|found| found.contains("is not a request of `findIncident`")), "{found:#?}");
    }
}
