//! Matches the operations of two files by method and path. What two of them have in common is compared by [`super::pair`].

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anyhow::{Result, bail};
use serde_json::Value;

use super::{
    Class, Difference,
    api::{Api, LATEST, Operation, Route},
    deviation::Ancestors,
    generation,
    pair::OperationPair,
    parameters,
    schemas::{Finding, Walk},
    shape::is_true,
};
use crate::{
    json_pointer::join,
    keywords::{self, Kind},
    openapi::text,
};

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
        self.found.push(finding.located((self.ours, self.published), &Ancestors::root(own), operations));
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
            ancestors: Ancestors::root(&ours.pointer),
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
