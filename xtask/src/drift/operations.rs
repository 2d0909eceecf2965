//! Matches operations by method and path, and compares their servers, authentication, bodies and responses. Schemas are compared
//! by [`super::schemas`].

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    rc::Rc,
};

use anyhow::{Result, bail};
use serde_json::Value;

use super::{
    Class, Difference, Direction,
    api::{Api, LATEST, Operation, Route},
    deviation::Trail,
    generation,
    keywords::{self, Kind},
    parameters,
    schemas::{Finding, Walk, json_schema},
    security::Security,
    shape::is_true,
};
use crate::{json_pointer::join, openapi::text};

/// Compares two files operation by operation.
pub(super) fn compare<'d>(ours: &Api<'d>, published: &Api<'d>) -> Result<Vec<Difference>> {
    let mut comparison = Comparison { ours, published, matches: Matches::new(), found: Vec::new() };
    if let Some(frozen) = generation::frozen(published) {
        let message = format!(
            "this is generation {} of the API, published {}, which is frozen: the SDK does not use it, and it is not compared",
            frozen.number, frozen.published
        );
        comparison.add(overall(Class::Cosmetic, "generation", "generation", message), Vec::new());
        return Ok(comparison.found);
    }
    comparison.matches = matches(ours, published);
    if comparison.matches.is_empty() {
        let path = published.document.path().display();
        bail!(
            "{path}: it has none of our {} operations: is this the OpenAPI file of the Coralogix API?",
            ours.operations.len()
        );
    }
    comparison.absent();
    comparison.overall();
    for index in 0..ours.operations.len() {
        if let Some(&(other, moved)) = comparison.matches.get(&index) {
            comparison.operation(&ours.operations[index], &published.operations[other], moved)?;
        }
    }
    comparison.additional();
    Ok(comparison.found)
}

/// For each of our operations, the index of the published one and whether its generation has changed.
type Matches = BTreeMap<usize, (usize, bool)>;

fn matches(ours: &Api<'_>, published: &Api<'_>) -> Matches {
    let mut by_path: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
    for (index, operation) in published.operations.iter().enumerate() {
        for route in &operation.routes {
            let candidates = by_path.entry((operation.method, &route.path)).or_default();
            if candidates.last() != Some(&index) {
                candidates.push(index);
            }
        }
    }
    let mut matches = Matches::new();
    let mut taken = BTreeSet::new();
    // First by the whole path, then by the path without the generation: a file may not state the generation, and the vendor
    // increments it from time to time.
    for exact in [true, false] {
        for (index, operation) in ours.operations.iter().enumerate() {
            if matches.contains_key(&index) {
                continue;
            }
            let candidates = operation.routes.iter().filter_map(|route| by_path.get(&(operation.method, &route.path)));
            let mut found = candidates.flatten().filter(|other| !taken.contains(*other)).filter(|other| {
                let candidate: &Operation<'_> = &published.operations[**other];
                !exact || !operation.routes.is_disjoint(&candidate.routes)
            });
            if let Some(&other) = found.next() {
                let states_another =
                    |route: &Route| route.generation.as_ref().is_some_and(|generation| generation != LATEST);
                let moved = !exact && published.operations[other].routes.iter().all(states_another);
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
    /// Records a difference that is not within a matched operation.
    fn add(&mut self, finding: Finding<'_>, operations: Vec<String>) {
        let own = finding.ours.first().copied().unwrap_or_default();
        self.found.push(finding.located((self.ours, self.published), &Trail::root(own), operations));
    }

    /// Checks the parts of the file that do not belong to an operation.
    fn overall(&mut self) {
        let document = self.published.document;
        let servers = document.root().get("servers").and_then(Value::as_array).into_iter().flatten().enumerate();
        let mut nodes = vec![(Kind::Document, String::new(), document.root())];
        for (index, server) in servers {
            let pointer = join("/servers", index);
            let variables = join(&pointer, "variables");
            for (name, variable) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
                nodes.push((Kind::ServerVariable, join(&variables, name), variable));
            }
            nodes.push((Kind::Server, pointer, server));
        }
        for (kind, pointer, node) in nodes {
            for (keyword, message) in keywords::unreadable(kind, node) {
                let place = if kind == Kind::Document { "document" } else { "servers" };
                let (subject, at) = (format!("keyword: {keyword}"), join(&pointer, keyword));
                let finding = Finding { published: &at, ..overall(Class::New, &subject, place, message) };
                self.add(finding, Vec::new());
            }
        }
    }

    /// Reports our operations that the published file does not have.
    fn absent(&mut self) {
        let (ours, published) = (self.ours, self.published);
        let taken: BTreeSet<usize> = self.matches.values().map(|(other, _)| *other).collect();
        let unversioned = |operation: &Operation<'_>| -> Vec<(&'static str, String)> {
            let path = |route: &Route| route.unversioned().collect::<Vec<_>>().join("/");
            operation.routes.iter().map(|route| (operation.method, path(route))).collect()
        };
        let others = published.operations.iter().enumerate().filter(|(index, _)| !taken.contains(index));
        let elsewhere: HashSet<_> = others.flat_map(|(_, operation)| unversioned(operation)).collect();
        // If the file has any operation of a generation, even under another version, the missing ones were removed. Otherwise
        // the file is about another generation.
        let is_there = |(index, operation): (usize, &Operation<'_>)| {
            self.matches.contains_key(&index) || unversioned(operation).iter().any(|route| elsewhere.contains(route))
        };
        let operations = || ours.operations.iter().enumerate();
        let compared: BTreeSet<&str> =
            operations().filter(|entry| is_there(*entry)).map(|(_, operation)| generation::of(operation)).collect();
        let mut left_out: BTreeMap<&str, Vec<&Operation<'_>>> = BTreeMap::new();
        let absent: Vec<_> = operations().filter(|(index, _)| !self.matches.contains_key(index)).collect();
        for (_, operation) in absent {
            let generation = generation::of(operation);
            if !compared.contains(generation) {
                left_out.entry(generation).or_default().push(operation);
                continue;
            }
            // The deviation `absent` of an operation holds only if its other binding is published.
            let other_binding = self.matches.keys().any(|index| is_binding(&ours.operations[*index], operation));
            let subject = if other_binding { "absent" } else { "operation" };
            let message = format!("{} is not published", operation.title());
            let finding = overall(Class::BreaksCallers, subject, "operation", message);
            self.add(Finding { ours: &[&operation.pointer], ..finding }, vec![operation.id.clone()]);
        }
        for (generation, operations) in left_out {
            let message = format!(
                "not compared: the file has none of the {} operations of generation {generation}",
                operations.len()
            );
            let ids = operations.iter().map(|operation| operation.id.clone()).collect();
            let finding = overall(Class::Cosmetic, "generation", "generation", message);
            self.add(Finding { ours: &[&operations[0].pointer], ..finding }, ids);
        }
    }

    /// Reports published operations that we lack: those about incidents, and those that share a tag with one of ours.
    fn additional(&mut self) {
        let published = self.published;
        let taken: BTreeSet<usize> = self.matches.values().map(|(other, _)| *other).collect();
        let tags: BTreeSet<&str> = taken.iter().flat_map(|index| published.operations[*index].tags()).collect();
        for (index, operation) in published.operations.iter().enumerate() {
            let related =
                operation.routes.iter().any(Route::is_of_incidents) || operation.tags().any(|tag| tags.contains(tag));
            if related && !taken.contains(&index) {
                let message = format!("we lack {}", operation.title());
                let subject = format!("operation: {}", operation.title());
                let finding = overall(Class::New, &subject, "operation", message);
                self.add(Finding { published: &operation.pointer, ..finding }, vec![operation.id.clone()]);
            }
        }
    }

    fn operation(&mut self, ours: &'a Operation<'d>, published: &'a Operation<'d>, moved: bool) -> Result<()> {
        let mut pair = OperationPair {
            walk: Walk::new(self.ours, self.published, &ours.id, &mut self.found),
            files: (self.ours, self.published),
            trail: Trail::root(&ours.pointer),
            ours,
            published,
        };
        if moved {
            let message = format!("{} is published as {}", ours.title(), published.title());
            pair.add(Class::BreaksCallers, "operation", "operation", message);
        }
        if is_true(published.node, "deprecated") && !is_true(ours.node, "deprecated") {
            pair.add(Class::New, "deprecated", "operation", "is deprecated".to_owned());
        }
        pair.unreadable(Kind::Operation, "operation", &ours.pointer, &published.pointer);
        pair.unreadable(Kind::PathItem, "path", &ours.item, &published.item);
        pair.hosts();
        pair.security()?;
        pair.permission();
        parameters::compare(&mut pair)?;
        pair.body()?;
        pair.responses()
    }
}

/// A finding about the files as a whole. The caller may set more exact locations.
fn overall<'f>(class: Class, subject: &str, place: &'f str, message: String) -> Finding<'f> {
    Finding { class, subject: subject.to_owned(), place, name: "", message, ours: &["/paths"], published: "/paths" }
}

fn is_binding(one: &Operation<'_>, other: &Operation<'_>) -> bool {
    text(one.node, "x-binding-of") == other.id || text(other.node, "x-binding-of") == one.id
}

/// One operation in both files.
pub(super) struct OperationPair<'a, 'd> {
    pub(super) walk: Walk<'a, 'd>,
    pub(super) files: (&'a Api<'d>, &'a Api<'d>),
    pub(super) trail: Rc<Trail>,
    pub(super) ours: &'a Operation<'d>,
    pub(super) published: &'a Operation<'d>,
}

impl<'d> OperationPair<'_, 'd> {
    /// Records a difference between the two operations as a whole.
    fn add(&mut self, class: Class, subject: impl Into<String>, place: &str, message: String) {
        let (ours, published) = (self.ours.pointer.clone(), self.published.pointer.clone());
        self.add_at(class, subject, place, message, &ours, &published);
    }

    fn add_at(
        &mut self,
        class: Class,
        subject: impl Into<String>,
        place: &str,
        message: String,
        ours: &str,
        published: &str,
    ) {
        let subject = subject.into();
        self.walk.add(&self.trail, Finding { class, subject, place, name: "", message, ours: &[ours], published });
    }

    fn unreadable(&mut self, kind: Kind, place: &str, ours: &str, published: &str) {
        if let Some(node) = self.files.1.document.get(published) {
            self.walk.unreadable(&self.trail, kind, place, ours, (published, node));
        }
    }

    /// Compares hosts. A file lists only some of the regions. If it lists none of ours, the service has moved.
    fn hosts(&mut self) {
        let (ours, published) = (Rc::clone(&self.ours.hosts), Rc::clone(&self.published.hosts));
        if ours.is_empty() || published.is_empty() {
            return;
        }
        let moved = ours.is_disjoint(&published);
        for host in published.difference(&ours) {
            let class = if moved { Class::BreaksCallers } else { Class::New };
            let hint = if moved { " and at no known host" } else { "" };
            let message = format!("is served at the unknown host `{host}`{hint}");
            self.add_at(class, format!("server: {host}"), "servers", message, "/servers/0", "/servers");
        }
    }

    fn security(&mut self) -> Result<()> {
        let ours = Security::read(self.files.0, self.ours)?;
        let published = Security::read(self.files.1, self.published)?;
        for (class, subject, message) in ours.differences(&published) {
            self.add_at(class, subject, "security", message, &ours.pointer, &published.pointer);
        }
        for (name, pointer) in &published.schemes {
            self.unreadable(Kind::SecurityScheme, &format!("security scheme {name}"), &ours.pointer, pointer);
        }
        Ok(())
    }

    /// Compares the permission that a key needs, if the published file states it.
    fn permission(&mut self) {
        let ours = text(self.ours.node, "x-permission");
        let Some(published) = self.published.node.get("x-coralogixPermissions").and_then(Value::as_array) else {
            return;
        };
        let published: Vec<&str> = published.iter().filter_map(Value::as_str).collect();
        if published != [ours] {
            let published = published.join(", ");
            let message = format!("requires the permission `{ours}`, published as `{published}`");
            self.add(Class::New, format!("permission: {published}"), "operation", message);
        }
    }

    fn body(&mut self) -> Result<()> {
        let place = "request body";
        match (body(self.files.0, self.ours)?, body(self.files.1, self.published)?) {
            (None, None) => {}
            (None, Some((pointer, node))) => {
                let required = is_true(node, "required");
                let class = if required { Class::BreaksCallers } else { Class::New };
                let message =
                    format!("is published{}, but the SDK sends none", if required { " as required" } else { "" });
                let own = self.ours.pointer.clone();
                self.add_at(class, "body", place, message, &own, &pointer);
            }
            (Some((pointer, _)), None) => {
                let published = self.published.pointer.clone();
                let message = "is not published, so that it would be ignored".to_owned();
                self.add_at(Class::BreaksCallers, "absent", place, message, &pointer, &published);
            }
            (Some((pointer, node)), Some((other, published))) => {
                self.unreadable(Kind::RequestBody, place, &pointer, &other);
                self.content(Direction::Request, place, (&pointer, node), (&other, published))?;
            }
        }
        Ok(())
    }

    /// Compares the JSON schemas of two bodies.
    fn content(
        &mut self,
        direction: Direction,
        place: &str,
        (pointer, node): (&str, &Value),
        (other, published): (&str, &Value),
    ) -> Result<()> {
        let Some((one, _)) = json_schema(&node["content"], &join(pointer, "content")) else { return Ok(()) };
        let found = published.get("content").and_then(|content| json_schema(content, &join(other, "content")));
        let Some((schema, media)) = found else {
            let message = "is published without a schema for `application/json`".to_owned();
            self.add_at(direction.refused(), "body", place, message, pointer, other);
            return Ok(());
        };
        self.unreadable(Kind::MediaType, place, pointer, &media);
        let trail = self.trail.to(pointer);
        self.walk.schemas(direction, &one, &schema, place, &trail)
    }

    fn responses(&mut self) -> Result<()> {
        let ours = statuses(self.files.0, self.ours)?;
        let published = statuses(self.files.1, self.published)?;
        if let Some((pointer, node)) = ours.get("200") {
            // `2XX` includes 200, and so does `default` if no successful status is listed.
            let stated = published.get("200").or_else(|| published.get("2XX"));
            let any_success = published.keys().any(|status| status.starts_with('2'));
            let place = "response 200";
            match stated.or_else(|| published.get("default").filter(|_| !any_success)) {
                None => {
                    let others: Vec<&str> = published.keys().map(String::as_str).collect();
                    let message = format!("is not published, which has {}", others.join(", "));
                    let at = join(&self.published.pointer, "responses");
                    self.add_at(Class::BreaksDecoding, "absent", place, message, pointer, &at);
                }
                Some((other, published)) => {
                    self.unreadable(Kind::Response, place, pointer, other);
                    self.content(Direction::Response, place, (pointer, node), (other, published))?;
                }
            }
        }
        for (status, (pointer, _)) in &published {
            let covered = ["200", "2XX", "default"].contains(&status.as_str()) || status.starts_with(['4', '5']);
            if !covered && !ours.contains_key(status) {
                let own = join(&self.ours.pointer, "responses");
                let message = format!("we lack the status {status}");
                self.add_at(Class::New, format!("status: {status}"), "responses", message, &own, pointer);
            }
        }
        self.errors(&ours, &published);
        Ok(())
    }

    /// Reports error statuses that only one of the files lists. A range such as `4XX` covers each status within it.
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
            let (subject, message) = (format!("status: {more}"), format!("we do not list the errors {more}"));
            self.add_at(Class::Cosmetic, subject, "responses", message, &at.0, &at.1);
        }
        if !fewer.is_empty() && !default {
            let message = format!("does not list our errors {fewer}");
            self.add_at(Class::Cosmetic, "absent", "responses", message, &at.0, &at.1);
        }
    }
}

/// The responses by status (`2XX` in capitals), with the pointers at the end of their references.
type Statuses<'d> = BTreeMap<String, (String, &'d Value)>;

fn statuses<'d>(api: &Api<'d>, operation: &Operation<'d>) -> Result<Statuses<'d>> {
    let pointer = join(&operation.pointer, "responses");
    let mut statuses = Statuses::new();
    let stated = operation.node.get("responses").and_then(Value::as_object).into_iter().flat_map(serde_json::Map::keys);
    for status in stated.filter(|status| !status.starts_with("x-")) {
        let name = if status == "default" { status.clone() } else { status.to_ascii_uppercase() };
        statuses.insert(name, api.resolve(&join(&pointer, status))?);
    }
    Ok(statuses)
}

fn body<'d>(api: &Api<'d>, operation: &Operation<'d>) -> Result<Option<(String, &'d Value)>> {
    let Some(_) = operation.node.get("requestBody") else { return Ok(None) };
    api.resolve(&join(&operation.pointer, "requestBody")).map(Some)
}
