//! Operations matched by method and path, with their parameters, bodies and responses. What is below a schema is for
//! [`super::schemas`].

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use anyhow::{Result, bail};
use serde_json::Value;

use super::{
    Class, Difference, Direction,
    api::{Api, Operation, Route},
    deviation::{Subject, Trail},
    schemas::{Finding, Walk, json_schema, similar},
};
use crate::{json_pointer::join, openapi::text};

/// Every difference between two files, operation by operation.
pub(super) fn compare(ours: &Api<'_>, published: &Api<'_>) -> Result<Vec<Difference>> {
    let matches = matches(ours, published);
    if matches.is_empty() {
        let path = published.document.path().display();
        bail!("{path}: it has none of our {} operations: is it the vendor's file?", ours.operations.len());
    }
    let mut comparison = Comparison { ours, published, matches, found: Vec::new() };
    comparison.absent();
    for index in 0..ours.operations.len() {
        if let Some(&(other, moved)) = comparison.matches.get(&index) {
            comparison.operation(&ours.operations[index], &published.operations[other], moved)?;
        }
    }
    comparison.additional();
    Ok(comparison.found)
}

/// The published operation of each of ours, and whether its generation has changed.
type Matches = BTreeMap<usize, (usize, bool)>;

fn matches(ours: &Api<'_>, published: &Api<'_>) -> Matches {
    let mut matches = Matches::new();
    let mut taken = BTreeSet::new();
    // First by the whole path, then by what follows the generation's number: a file need not state the number, and the
    // vendor has counted it up before.
    for exact in [true, false] {
        for (index, operation) in ours.operations.iter().enumerate() {
            if matches.contains_key(&index) {
                continue;
            }
            let same = |one: &Route, other: &Route| one == other || !exact && one.path == other.path;
            let found = published.operations.iter().enumerate().find(|(other, candidate)| {
                let same_route =
                    || operation.routes.iter().any(|one| candidate.routes.iter().any(|other| same(one, other)));
                candidate.method == operation.method && !taken.contains(other) && same_route()
            });
            if let Some((other, candidate)) = found {
                let moved = !exact && candidate.routes.iter().all(|route| route.generation.is_some());
                taken.insert(other);
                matches.insert(index, (other, moved));
            }
        }
    }
    matches
}

struct Comparison<'a, 'd> {
    ours: &'a Api<'d>,
    published: &'a Api<'d>,
    matches: Matches,
    found: Vec<Difference>,
}

impl<'a, 'd> Comparison<'a, 'd> {
    /// Our operations that the published file lacks.
    fn absent(&mut self) {
        let (ours, published) = (self.ours, self.published);
        let mut elsewhere: BTreeMap<&str, Vec<&Operation<'_>>> = BTreeMap::new();
        for (index, operation) in ours.operations.iter().enumerate() {
            if self.matches.contains_key(&index) {
                continue;
            }
            let generation = generation(operation);
            let mut of_it =
                ours.operations.iter().enumerate().filter(|(_, other)| self::generation(other) == generation);
            // What is published under another version only is not left out: a caller's path is gone.
            let covered = of_it.any(|(index, other)| self.matches.contains_key(&index) || self.is_elsewhere(other));
            if !covered {
                elsewhere.entry(generation).or_default().push(operation);
                continue;
            }
            // The reason of an operation says that the published file shows another binding of it, so it must do that.
            let other_binding = self.matches.keys().any(|index| is_binding(&ours.operations[*index], operation));
            let reason = text(operation.node, "x-deviation").split_whitespace().collect::<Vec<_>>().join(" ");
            let reason = (other_binding && !reason.is_empty()).then_some(reason);
            self.found.push(Difference {
                class: if reason.is_some() { Class::KnownDeviation } else { Class::BreaksCallers },
                place: "operation".to_owned(),
                message: format!("{} is not published", operation.title()),
                operations: vec![operation.id.clone()],
                ours: ours.document.location(&operation.pointer),
                published: published.document.location("/paths"),
                reason,
            });
        }
        for (generation, operations) in elsewhere {
            self.found.push(Difference {
                class: Class::Cosmetic,
                place: "operations".to_owned(),
                message: format!(
                    "not compared: the file has none of the {} of generation {generation}",
                    operations.len()
                ),
                operations: operations.iter().map(|operation| operation.id.clone()).collect(),
                ours: ours.document.location(&operations[0].pointer),
                published: published.document.location("/paths"),
                reason: None,
            });
        }
    }

    /// Whether a published operation that is none of ours differs from this one by the path's version alone.
    fn is_elsewhere(&self, operation: &Operation<'_>) -> bool {
        let same = |one: &Route, other: &Route| one.unversioned().eq(other.unversioned());
        self.published.operations.iter().enumerate().any(|(index, candidate)| {
            candidate.method == operation.method
                && !self.matches.values().any(|(other, _)| *other == index)
                && operation.routes.iter().any(|one| candidate.routes.iter().any(|other| same(one, other)))
        })
    }

    /// Published operations that we lack: those about incidents, and those under a tag of one that we have.
    fn additional(&mut self) {
        let published = self.published;
        let taken: BTreeSet<usize> = self.matches.values().map(|(other, _)| *other).collect();
        let tags: BTreeSet<&str> = taken.iter().flat_map(|index| published.operations[*index].tags()).collect();
        for (index, operation) in published.operations.iter().enumerate() {
            let related =
                operation.routes.iter().any(Route::is_of_incidents) || operation.tags().any(|tag| tags.contains(tag));
            if !related || taken.contains(&index) {
                continue;
            }
            self.found.push(Difference {
                class: Class::New,
                place: "operation".to_owned(),
                message: format!("{} is one that we lack", operation.title()),
                operations: vec![operation.id.clone()],
                ours: self.ours.document.location("/paths"),
                published: published.document.location(&operation.pointer),
                reason: None,
            });
        }
    }

    fn operation(&mut self, ours: &'a Operation<'d>, published: &'a Operation<'d>, moved: bool) -> Result<()> {
        let mut pair = OperationPair {
            walk: Walk::new(self.ours, self.published, ours, &mut self.found),
            files: (self.ours, self.published),
            trail: Trail::root(&ours.pointer),
            ours,
            published,
        };
        if moved {
            let message = format!("{} is published as {}", ours.title(), published.title());
            pair.add(Class::BreaksCallers, "operation", message);
        }
        if is_true(published.node, "deprecated") && !is_true(ours.node, "deprecated") {
            pair.add(Class::New, "operation", "is deprecated".to_owned());
        }
        pair.parameters()?;
        pair.body()?;
        pair.responses()
    }
}

/// What our document calls the generation, else the number before the path.
fn generation<'o>(operation: &'o Operation<'_>) -> &'o str {
    let stated = text(operation.node, "x-api-generation");
    let number = || operation.routes.first().and_then(|route| route.generation.as_deref());
    if stated.is_empty() { number().unwrap_or("v1") } else { stated }
}

fn is_binding(one: &Operation<'_>, other: &Operation<'_>) -> bool {
    text(one.node, "x-binding-of") == other.id || text(other.node, "x-binding-of") == one.id
}

fn is_true(node: &Value, key: &str) -> bool {
    node.get(key) == Some(&Value::Bool(true))
}

/// A parameter, and where it stands once references are followed.
struct Parameter<'d> {
    node: &'d Value,
    pointer: String,
}

/// Parameters by place (`path`, `query`, ...) and name; those in the path by their position, for names there are not sent.
type Parameters<'d> = BTreeMap<(&'d str, String), Parameter<'d>>;

/// One operation in both files.
struct OperationPair<'a, 'd> {
    walk: Walk<'a, 'd>,
    files: (&'a Api<'d>, &'a Api<'d>),
    trail: Rc<Trail>,
    ours: &'a Operation<'d>,
    published: &'a Operation<'d>,
}

impl<'d> OperationPair<'_, 'd> {
    /// Records a difference between the two operations as a whole.
    fn add(&mut self, class: Class, place: &str, message: String) {
        let (ours, published) = (self.ours.pointer.clone(), self.published.pointer.clone());
        self.add_at(class, place, message, &ours, &published);
    }

    fn add_at(&mut self, class: Class, place: &str, message: String, ours: &str, published: &str) {
        let subject = Subject::Other;
        self.walk.add(&self.trail, Finding { class, subject, place, name: "", message, ours: &[ours], published });
    }

    fn parameters(&mut self) -> Result<()> {
        let ours = read_parameters(self.files.0, self.ours)?;
        let published = read_parameters(self.files.1, self.published)?;
        for (key, parameter) in &ours {
            let name = text(parameter.node, "name");
            let label = format!("{} parameter {name}", key.0);
            let Some(other) = published.get(key) else {
                let names = published.keys().filter(|(place, _)| *place == key.0).map(|(_, name)| name.as_str());
                let message = format!("is not published: it would be ignored{}", similar(name, names));
                let finding = Finding {
                    class: Class::BreaksCallers,
                    subject: Subject::Absence,
                    place: &label,
                    name,
                    message,
                    ours: &[&parameter.pointer],
                    published: &self.published.pointer,
                };
                self.walk.add(&self.trail, finding);
                continue;
            };
            self.parameter(&label, key.0, parameter, other)?;
        }
        for (key, parameter) in published.iter().filter(|(key, _)| !ours.contains_key(*key)) {
            let required = is_true(parameter.node, "required");
            let class = if required { Class::BreaksCallers } else { Class::New };
            let name = text(parameter.node, "name");
            let message =
                format!("has a{} {} parameter that we lack: `{name}`", if required { " required" } else { "" }, key.0);
            let own = self.ours.pointer.clone();
            let finding = Finding {
                class,
                subject: Subject::Extra(name),
                place: "operation",
                name,
                message,
                ours: &[&own],
                published: &parameter.pointer,
            };
            self.walk.add(&self.trail, finding);
        }
        Ok(())
    }

    fn parameter(&mut self, label: &str, place: &str, ours: &Parameter<'_>, published: &Parameter<'_>) -> Result<()> {
        let name = text(ours.node, "name");
        let mut add = |class, subject, message: String| {
            let finding = Finding {
                class,
                subject,
                place: label,
                name,
                message,
                ours: &[&ours.pointer],
                published: &published.pointer,
            };
            self.walk.add(&self.trail, finding);
        };
        match (is_true(ours.node, "required"), is_true(published.node, "required")) {
            (false, true) => {
                add(Class::BreaksCallers, Subject::Requiredness, "is optional, published as required".to_owned());
            }
            (true, false) => {
                add(Class::Cosmetic, Subject::Requiredness, "is required, published as optional".to_owned());
            }
            _ => {}
        }
        let other = text(published.node, "name");
        if name != other {
            add(Class::Cosmetic, Subject::Other, format!("is published as `{other}`"));
        }
        if is_true(published.node, "deprecated") && !is_true(ours.node, "deprecated") {
            add(Class::New, Subject::Other, "is deprecated".to_owned());
        }
        if place == "query" && exploded(ours.node) && !exploded(published.node) {
            let message = format!("is sent as `{name}=a&{name}=b`, published as one value with separators");
            add(Class::BreaksCallers, Subject::Other, message);
        }
        let schemas = (parameter_schema(ours), parameter_schema(published));
        if let (Some(one), Some(other)) = schemas {
            let trail = self.trail.to(&ours.pointer);
            self.walk.schemas(Direction::Request, &one, &other, label, &trail)?;
        }
        Ok(())
    }

    fn body(&mut self) -> Result<()> {
        let place = "request body";
        let bodies = (body(self.files.0, self.ours)?, body(self.files.1, self.published)?);
        match bodies {
            (None, None) => {}
            (None, Some((pointer, node))) => {
                let required = is_true(node, "required");
                let class = if required { Class::BreaksCallers } else { Class::New };
                let message = format!("is published{}, and we send none", if required { " as required" } else { "" });
                let own = self.ours.pointer.clone();
                self.add_at(class, place, message, &own, &pointer);
            }
            (Some((pointer, _)), None) => {
                let published = self.published.pointer.clone();
                let message = "is not published: it would be ignored".to_owned();
                self.add_at(Class::BreaksCallers, place, message, &pointer, &published);
            }
            (Some((pointer, node)), Some((other, published))) => {
                let content = (join(&pointer, "content"), join(&other, "content"));
                let one = json_schema(&node["content"], &content.0);
                let Some(one) = one else { return Ok(()) };
                let Some(other) = published.get("content").and_then(|node| json_schema(node, &content.1)) else {
                    let message = "is published without a schema for `application/json`".to_owned();
                    self.add_at(Class::BreaksCallers, place, message, &pointer, &other);
                    return Ok(());
                };
                let trail = self.trail.to(&pointer);
                self.walk.schemas(Direction::Request, &one, &other, place, &trail)?;
            }
        }
        Ok(())
    }

    fn responses(&mut self) -> Result<()> {
        let ours = statuses(self.files.0, self.ours)?;
        let published = statuses(self.files.1, self.published)?;
        if let Some((pointer, node)) = ours.get("200") {
            // `2XX` covers 200, and so does `default` where no success is stated at all.
            let stated = published.get("200").or_else(|| published.get("2XX"));
            let any_success = published.keys().any(|status| status.starts_with('2'));
            match stated.or_else(|| published.get("default").filter(|_| !any_success)) {
                None => {
                    let others: Vec<&str> = published.keys().map(String::as_str).collect();
                    let message = format!("is not published; there is {}", others.join(", "));
                    let at = join(&self.published.pointer, "responses");
                    self.add_at(Class::BreaksDecoding, "response 200", message, pointer, &at);
                }
                Some((other, published)) => self.success((pointer, node), (other, published))?,
            }
        }
        for (status, (pointer, _)) in &published {
            let success = status.starts_with('2') && status != "200" && status != "2XX";
            if success && !ours.contains_key(status) {
                let own = join(&self.ours.pointer, "responses");
                self.add_at(Class::New, "responses", format!("has a success that we lack: {status}"), &own, pointer);
            }
        }
        self.errors(&ours, &published);
        Ok(())
    }

    fn success(&mut self, ours: (&str, &Value), published: (&str, &Value)) -> Result<()> {
        let place = "response 200";
        let one = json_schema(&ours.1["content"], &join(ours.0, "content"));
        let Some(one) = one else { return Ok(()) };
        let other = published.1.get("content").and_then(|content| json_schema(content, &join(published.0, "content")));
        let Some(other) = other else {
            let message = "is published without a schema for `application/json`".to_owned();
            self.add_at(Class::BreaksDecoding, place, message, ours.0, published.0);
            return Ok(());
        };
        let trail = self.trail.to(ours.0);
        self.walk.schemas(Direction::Response, &one, &other, place, &trail)
    }

    /// Statuses that only one of the files names, a range counting for each status within it.
    fn errors(&mut self, ours: &Statuses<'d>, published: &Statuses<'d>) {
        let failures = |statuses: &Statuses<'d>| -> Vec<String> {
            statuses.keys().filter(|status| status.starts_with(['4', '5'])).cloned().collect()
        };
        let default = published.contains_key("default");
        let (ours, published) = (failures(ours), failures(published));
        let covered = |status: &String, by: &[String]| {
            let digit = &status[..1];
            by.iter().any(|other| other == status || other[1..].eq_ignore_ascii_case("XX") && other.starts_with(digit))
                || status[1..].eq_ignore_ascii_case("XX") && by.iter().any(|other| other.starts_with(digit))
        };
        let only = |some: &[String], others: &[String]| -> String {
            some.iter().filter(|status| !covered(status, others)).cloned().collect::<Vec<_>>().join(", ")
        };
        let (more, fewer) = (only(&published, &ours), only(&ours, &published));
        let at = (join(&self.ours.pointer, "responses"), join(&self.published.pointer, "responses"));
        if !more.is_empty() {
            self.add_at(Class::Cosmetic, "responses", format!("has errors that we don't list: {more}"), &at.0, &at.1);
        }
        if !fewer.is_empty() && !default {
            self.add_at(Class::Cosmetic, "responses", format!("doesn't list our errors {fewer}"), &at.0, &at.1);
        }
    }
}

/// Responses by status, in capitals, and where they stand once references are followed.
type Statuses<'d> = BTreeMap<String, (String, &'d Value)>;

fn statuses<'d>(api: &Api<'d>, operation: &Operation<'d>) -> Result<Statuses<'d>> {
    let pointer = join(&operation.pointer, "responses");
    let mut statuses = Statuses::new();
    for status in operation.node.get("responses").and_then(Value::as_object).into_iter().flat_map(serde_json::Map::keys)
    {
        let name = if status == "default" { status.clone() } else { status.to_ascii_uppercase() };
        statuses.insert(name, api.resolve(&join(&pointer, status))?);
    }
    Ok(statuses)
}

fn body<'d>(api: &Api<'d>, operation: &Operation<'d>) -> Result<Option<(String, &'d Value)>> {
    let Some(_) = operation.node.get("requestBody") else { return Ok(None) };
    api.resolve(&join(&operation.pointer, "requestBody")).map(Some)
}

/// The path's parameters, and the operation's own in their stead where both have one.
fn read_parameters<'d>(api: &Api<'d>, operation: &Operation<'d>) -> Result<Parameters<'d>> {
    let in_path: Vec<&str> = operation.path.split('{').skip(1).filter_map(|part| part.split('}').next()).collect();
    let mut parameters = Parameters::new();
    for owner in [&operation.item, &operation.pointer] {
        let list = join(owner, "parameters");
        for index in 0..api.document.get(&list).and_then(Value::as_array).map_or(0, Vec::len) {
            let (pointer, node) = api.resolve(&join(&list, index))?;
            let (name, place) = (text(node, "name"), text(node, "in"));
            // OpenAPI itself ignores these: they are the business of the body and of the security scheme.
            if place == "header"
                && ["accept", "content-type", "authorization"].contains(&name.to_ascii_lowercase().as_str())
            {
                continue;
            }
            let position = in_path.iter().position(|other| *other == name).map(|position| position.to_string());
            let key = if place == "path" { position.unwrap_or_else(|| name.to_owned()) } else { name.to_owned() };
            parameters.insert((place, key), Parameter { node, pointer });
        }
    }
    Ok(parameters)
}

/// Whether a list in the query is repeated, which is the default.
fn exploded(node: &Value) -> bool {
    let style = text(node, "style");
    (style.is_empty() || style == "form") && node.get("explode") != Some(&Value::Bool(false))
}

fn parameter_schema(parameter: &Parameter<'_>) -> Option<String> {
    if parameter.node.get("schema").is_some() {
        return Some(join(&parameter.pointer, "schema"));
    }
    let content = parameter.node.get("content")?;
    json_schema(content, &join(&parameter.pointer, "content"))
}
