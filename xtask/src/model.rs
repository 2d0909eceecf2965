//! What the document means: its operations and schemas, checked for everything the generator relies on.
//! It must not know how Rust code looks, but for the names that can stand in it.

mod bindings;
pub(crate) mod enums;
mod keys;
pub(crate) mod limits;
pub(crate) mod names;
pub(crate) mod oneofs;
pub(crate) mod query;
mod required;
mod schemas;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use anyhow::Result;
use serde_json::Value;

pub(crate) use crate::openapi::text;
use crate::{
    document::{Document, Problem},
    json_pointer::{join, walk},
    openapi::{METHODS, is_true, items, members, version},
    references::{self, Resolved},
};

/// What an operation may say, besides extensions.
const OPERATION: &[&str] = &[
    "tags",
    "summary",
    "description",
    "externalDocs",
    "operationId",
    "parameters",
    "requestBody",
    "responses",
    "deprecated",
    "security",
];

/// What a list may say.
const LIST: &[&str] = &["type", "description", "items", "minItems", "maxItems", "example", "deprecated"];

/// The operations of the document, in its order.
pub(crate) struct Model<'a> {
    pub(crate) document: &'a Document,
    pub(crate) operations: Vec<Operation>,
}

/// One method of one path: an operation of the API, or a further binding of one.
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) pointer: String,
    pub(crate) summary: String,
    pub(crate) generation: Generation,
    pub(crate) idempotency: String,
    pub(crate) permission: String,
    /// The operation that this is another binding of.
    pub(crate) binding_of: Option<String>,
    /// Whether only a personal key may call it.
    pub(crate) personal_key: bool,
    /// The parameter, or the member of the request message, that holds ids of incidents.
    pub(crate) incident_ids: Option<String>,
    /// `x-max-incident-ids` and `x-max-page-size`.
    stated_limits: limits::Stated,
    /// The response member that holds the items of a page.
    pub(crate) paging: Option<String>,
    pub(crate) parameters: Vec<Parameter>,
    /// The schema of the JSON request body.
    pub(crate) body: Option<String>,
    /// The schema of the request message: that of the body, or the one whose members are the query parameters.
    pub(crate) message: Option<String>,
    /// The schema of the 200 response.
    pub(crate) response: String,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Generation {
    V1,
    V5,
}

pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) in_path: bool,
    pub(crate) description: String,
    pub(crate) schema: Value,
    pub(crate) pointer: String,
    /// Filled from this member of the request message.
    pub(crate) body_member: Option<String>,
}

/// An operation of the API with all its bindings, the one that names it first.
pub(crate) struct Method<'m> {
    pub(crate) operation: &'m Operation,
    pub(crate) bindings: Vec<&'m Operation>,
}

impl<'a> Model<'a> {
    /// Reads the document and reports, all at once and with their lines, the things progenitor or our passes can't take.
    pub(crate) fn new(document: &'a Document) -> Result<Self> {
        let mut reader = Reader { document, problems: Vec::new() };
        reader.version();
        reader.references();
        keys::check("", document.root(), &mut reader.problems);
        keys::values(document.root(), &mut reader.problems);
        document.fail_on(&reader.problems)?;
        let operations = reader.operations();
        reader.schemas();
        reader.bindings(&operations);
        document.fail_on(&reader.problems)?;
        Ok(Self { document, operations })
    }

    pub(crate) fn schemas(&self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        members(&self.document.root()["components"]["schemas"])
    }

    pub(crate) fn schema(&self, name: &str) -> Option<&'a Value> {
        self.document.get(&join("/components/schemas", name))
    }

    /// The operations that become methods, each with all its bindings.
    pub(crate) fn methods(&self) -> impl Iterator<Item = Method<'_>> {
        self.operations.iter().filter(|operation| operation.binding_of.is_none()).map(|operation| {
            let others = self.operations.iter().filter(|other| other.binding_of.as_deref() == Some(&operation.id));
            Method { operation, bindings: std::iter::once(operation).chain(others).collect() }
        })
    }

    /// Names of the schemas reachable from `roots`, `roots` included.
    pub(crate) fn reachable(&self, roots: impl IntoIterator<Item = String>) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut queue: Vec<String> = roots.into_iter().collect();
        while let Some(name) = queue.pop() {
            let Some(schema) = self.schema(&name) else { continue };
            if seen.insert(name) {
                walk(schema, "", &mut |_, node| queue.extend(reference_name(node)));
            }
        }
        seen
    }
}

/// `X` where `value` is `{$ref: '#/components/schemas/X'}`.
pub(crate) fn reference_name(value: &Value) -> Option<String> {
    value.get("$ref")?.as_str()?.strip_prefix("#/components/schemas/").map(str::to_owned)
}

/// A schema without the remark on how it differs from the published one, so that two bindings with the same limits are equal.
fn without_deviation(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(keywords) = schema.as_object_mut() {
        keywords.shift_remove("x-deviation");
    }
    schema
}

struct Reader<'a> {
    document: &'a Document,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn problem(&mut self, pointer: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(pointer, message));
    }

    /// Adds a problem of an operation.
    fn refuse(&mut self, id: &str, pointer: &str, message: impl fmt::Display) {
        self.problem(pointer, format!("operation `{id}`: {message}"));
    }

    fn version(&mut self) {
        let version = version(self.document.root());
        if !version.starts_with("3.0.") {
            let found =
                if version.is_empty() { "no `openapi` version".to_owned() } else { format!("OpenAPI {version}") };
            self.problem("/openapi", format!("{found}: progenitor reads 3.0 documents only; write `openapi: 3.0.3`"));
        }
    }

    fn references(&mut self) {
        let document = self.document;
        walk(document.root(), "", &mut |pointer, node| {
            let is_reference = node.get("$ref").is_some_and(Value::is_string);
            let Some(problem) = references::resolve(document, pointer).err().filter(|_| is_reference) else { return };
            // One that is further on is reported there.
            if problem.pointer == join(pointer, "$ref") {
                let message = format!("{}{}", self.operation_at(pointer), problem.message);
                self.problem(&problem.pointer, message);
            }
        });
    }

    /// ``operation `id`: `` for a pointer within an operation.
    fn operation_at(&self, pointer: &str) -> String {
        let end = pointer.match_indices('/').nth(3).map_or(pointer.len(), |(end, _)| end);
        let id = self.document.get(&pointer[..end]).map(|operation| text(operation, "operationId")).unwrap_or_default();
        if pointer.starts_with("/paths/") && !id.is_empty() { format!("operation `{id}`: ") } else { String::new() }
    }

    /// Follows references, which were checked before.
    fn resolve(&self, pointer: &str) -> Option<Resolved<'a>> {
        references::resolve(self.document, pointer).ok()
    }

    fn operations(&mut self) -> Vec<Operation> {
        let mut operations: Vec<Operation> = Vec::new();
        if self.document.get("/paths").is_none() {
            self.problem("/paths", "the document has no `paths`");
        }
        for (path, item) in members(&self.document.root()["paths"]) {
            let pointer = join("/paths", path);
            if !path.starts_with('/') {
                self.problem(&pointer, format!("the path `{path}` must begin with `/`"));
            }
            if item.get("$ref").is_some() {
                self.problem(&pointer, format!("path `{path}` is a `$ref`: write its operations here"));
                continue;
            }
            for method in METHODS {
                let Some(node) = item.get(method) else { continue };
                operations.extend(self.operation(path, method, &join(&pointer, method), node, item));
            }
        }
        self.problems.extend(names::operations(self.document, &operations));
        operations
    }

    fn operation(&mut self, path: &str, method: &str, pointer: &str, node: &Value, item: &Value) -> Option<Operation> {
        let id = text(node, "operationId");
        if id.is_empty() {
            self.problem(pointer, format!("`{} {path}` has no `operationId`", method.to_uppercase()));
            return None;
        }
        let generation = match text(node, "x-api-generation") {
            "v1" => Generation::V1,
            "v5" => Generation::V5,
            other => {
                self.refuse(id, pointer, format!("`x-api-generation` is `{other}`: it must be `v1` or `v5`"));
                Generation::V1
            }
        };
        let idempotency = text(node, "x-idempotency");
        if !["safe", "idempotent", "non-idempotent"].contains(&idempotency) {
            let rule = "it must be `safe`, `idempotent` or `non-idempotent`; it decides what is retried";
            self.refuse(id, pointer, format!("`x-idempotency` is `{idempotency}`: {rule}"));
        }
        let permission = text(node, "x-permission");
        if permission.is_empty() {
            self.problem(pointer, format!("operation `{id}` has no `x-permission`"));
        }
        let what = format!("operation `{id}`");
        self.keywords(&what, pointer, node, OPERATION);
        let paging = node.get("x-paging").map(|paging| text(paging, "items"));
        if paging == Some("") {
            let message = "`x-paging` must be a map whose `items` names the list in the response";
            self.refuse(id, &join(pointer, "x-paging"), message);
        }
        let parameters = self.parameters(id, path, pointer, node, item);
        let body = self.body(id, pointer, node);
        let message = self.message(id, pointer, node, body.as_ref());
        let personal_key = node.get("x-personal-key").unwrap_or(&Value::Bool(false));
        if !personal_key.is_boolean() {
            let message = format!("`x-personal-key` is `{personal_key}`: it must be `true` or `false`");
            self.refuse(id, &join(pointer, "x-personal-key"), message);
        }
        let response = self.responses(id, pointer, node);
        Some(Operation {
            id: id.to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            pointer: pointer.to_owned(),
            summary: text(node, "summary").to_owned(),
            generation,
            idempotency: idempotency.to_owned(),
            permission: permission.to_owned(),
            binding_of: node.get("x-binding-of").and_then(Value::as_str).map(str::to_owned),
            personal_key: is_true(node, "x-personal-key"),
            incident_ids: node.get("x-incident-ids").and_then(Value::as_str).map(str::to_owned),
            stated_limits: limits::read(&what, pointer, node, &mut self.problems),
            paging: paging.map(str::to_owned),
            parameters,
            body,
            message,
            response: response?,
        })
    }

    fn parameters(&mut self, id: &str, path: &str, pointer: &str, node: &Value, item: &Value) -> Vec<Parameter> {
        let mut parameters = Vec::new();
        if item.get("parameters").is_some() {
            self.problem(pointer, format!("path `{path}`: write `parameters` at each operation, not at the path"));
        }
        for index in 0..items(&node["parameters"]).len() {
            let Some((pointer, node)) = self.resolve(&join(&join(pointer, "parameters"), index)) else { continue };
            let (name, place) = (text(node, "name"), text(node, "in"));
            let body_member = node["x-body-member"].as_str().map(str::to_owned);
            // A parameter that is filled from the request message is sent where that member is set.
            if !is_true(node, "required") && body_member.is_none() {
                self.refuse(id, &pointer, format!("parameter `{name}` must be `required: true`"));
            }
            match place {
                "path" if !path.contains(&format!("{{{name}}}")) => {
                    self.refuse(id, &pointer, format!("the path has no `{{{name}}}`"));
                }
                "path" => {}
                "query" => self.query_parameter(id, &pointer, node),
                other => self.refuse(id, &pointer, format!("parameters in `{other}` are not supported")),
            }
            let Some(schema) = node.get("schema") else {
                self.refuse(id, &pointer, format!("parameter `{name}` has no `schema`"));
                continue;
            };
            let what = format!("parameter `{name}` of `{id}`");
            let at = join(&pointer, "schema");
            let is_message = body_member.is_some() && reference_name(&schema["items"]).is_some();
            if text(schema, "type") == "array" && place == "query" && !is_message {
                self.keywords(&what, &at, schema, LIST);
                self.plain_text(&what, &join(&at, "items"), &schema["items"], "a list of plain strings");
            } else if place == "path" {
                self.plain_text(&what, &at, schema, "a plain string");
            }
            if place == "path" && !["", "simple"].contains(&text(node, "style")) {
                self.problem(&join(&pointer, "style"), format!("{what}: in a path only `style: simple` is supported"));
            }
            parameters.push(Parameter {
                name: name.to_owned(),
                in_path: place == "path",
                description: text(node, "description").to_owned(),
                schema: without_deviation(schema),
                pointer: pointer.clone(),
                body_member,
            });
        }
        let named = parameters.iter().map(|parameter| (parameter.name.as_str(), parameter.pointer.clone()));
        self.problems.extend(names::members(&format!("operation `{id}`"), &["body"], false, named));
        for name in path.split('{').skip(1).filter_map(|part| part.split('}').next()) {
            if !parameters.iter().any(|parameter| parameter.in_path && parameter.name == name) {
                self.refuse(id, pointer, format!("`{{{name}}}` of the path is not among its `parameters`"));
            }
        }
        parameters
    }

    /// Checks a query parameter: a list of strings, or a message.
    fn query_parameter(&mut self, id: &str, pointer: &str, node: &Value) {
        let name = text(node, "name");
        if let Some(message) = reference_name(&node["schema"]) {
            if node["x-body-member"].as_str().is_none() {
                let advice = "name the member of the request message that fills it, with `x-body-member`";
                self.refuse(id, pointer, format!("the query parameter `{name}` is the message `{message}`: {advice}"));
            }
        } else if text(&node["schema"], "type") != "array" {
            self.refuse(id, pointer, format!("the query parameter `{name}` must be a list of strings"));
        } else if text(node, "style") != "form" || !is_true(node, "explode") {
            let reason = format!("the gateway reads `{name}=a&{name}=b` and nothing else");
            self.refuse(id, pointer, format!("the list `{name}` must be `style: form`, `explode: true`: {reason}"));
        }
    }

    /// The schema of a JSON body at `pointer`, which must be a reference: inline schemas get names nobody chose.
    fn json_schema(&mut self, what: &str, pointer: &str) -> Option<String> {
        let (pointer, node) = self.resolve(pointer)?;
        let types: Vec<&str> = members(&node["content"]).map(|(name, _)| name.as_str()).collect();
        if types != ["application/json"] {
            let found = if types.is_empty() { "no content".to_owned() } else { format!("`{}`", types.join("`, `")) };
            self.problem(&pointer, format!("{what} has {found}: the generator supports only `application/json`"));
            return None;
        }
        let name = reference_name(&node["content"]["application/json"]["schema"]);
        if name.is_none() {
            self.problem(&pointer, format!("{what}: its schema must be a `$ref` to one of `components/schemas`"));
        }
        name
    }

    fn body(&mut self, id: &str, pointer: &str, node: &Value) -> Option<String> {
        node.get("requestBody")?;
        let pointer = join(pointer, "requestBody");
        if !is_true(self.resolve(&pointer)?.1, "required") {
            self.refuse(id, &pointer, "its request body must be `required: true`");
        }
        self.json_schema(&format!("the request body of `{id}`"), &pointer)
    }

    /// The schema of the request message: of the body, or, if its members are sent in the query, of `x-request-message`.
    fn message(&mut self, id: &str, pointer: &str, node: &Value, body: Option<&String>) -> Option<String> {
        let Some(stated) = node.get("x-request-message") else { return body.cloned() };
        let at = join(pointer, "x-request-message");
        let name = stated.as_str().unwrap_or_default();
        if body.is_some() {
            self.problem(&at, format!("operation `{id}` has a request body, which is its request message"));
        } else if self.document.get(&join("/components/schemas", name)).is_none() {
            self.refuse(id, &at, format!("`x-request-message: {name}` names no schema"));
        }
        Some(name.to_owned())
    }

    fn responses(&mut self, id: &str, pointer: &str, node: &Value) -> Option<String> {
        let pointer = join(pointer, "responses");
        let mut success = None;
        let mut errors: BTreeMap<String, &str> = BTreeMap::new();
        for (status, _) in members(&node["responses"]) {
            let at = join(&pointer, status);
            match status.as_str() {
                "default" => {
                    let advice = "state the errors as `4XX` and `5XX`";
                    let message = format!("progenitor can't take a `default` response beside others; {advice}");
                    self.refuse(id, &at, message);
                }
                "200" => success = self.json_schema(&format!("the 200 response of `{id}`"), &at),
                _ if status.starts_with('4') || status.starts_with('5') => {
                    if let Some(schema) = self.json_schema(&format!("the {status} response of `{id}`"), &at) {
                        errors.entry(schema).or_insert(status);
                    }
                }
                other => self.refuse(id, &at, format!("a response `{other}` is not supported beside 200")),
            }
        }
        if errors.len() > 1 {
            let found: Vec<String> = errors.iter().map(|(schema, status)| format!("{status} is `{schema}`")).collect();
            let found = found.join(" and ");
            self.refuse(id, &pointer, format!("progenitor takes one schema for all error responses, but {found}"));
        }
        if node["responses"].get("200").is_none() {
            self.problem(&pointer, format!("operation `{id}` has no 200 response"));
        }
        success
    }
}

/// The Rust name of a parameter, a property or an operation.
pub(crate) fn snake(name: &str) -> String {
    heck::ToSnakeCase::to_snake_case(name)
}
