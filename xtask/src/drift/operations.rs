//! Matches the operations of two files by method and path. What two of them have in common is compared by [`super::pair`].

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anyhow::{Result, bail};

use super::{
    Class, Difference,
    api::{Api, LATEST, Operation, Route},
    found::{Found, Place},
    generation, pair,
};
use crate::{
    json_pointer::join,
    keywords::Kind,
    openapi::{items, members, text},
};

/// Compares two files operation by operation.
pub(super) fn compare<'d>(ours: &Api<'d>, published: &Api<'d>) -> Result<Vec<Difference>> {
    let mut found = Found::new(ours, published);
    if let Some(frozen) = generation::frozen(published) {
        let message = format!(
            "this is generation {} of the API, published {}, which is frozen: the SDK does not use it, and it is not compared",
            frozen.number, frozen.published
        );
        found.add(Place::new("generation", "/paths", "/paths"), Class::Cosmetic, "generation", message);
        return Ok(found.differences);
    }
    let matches = Matches::new(ours, published);
    if matches.pairs.iter().all(|(_, published)| published.is_none()) {
        let path = published.document.path().display();
        let count = ours.operations.len();
        bail!("{path}: it has none of our {count} operations: is this the OpenAPI file of the Coralogix API?");
    }
    matches.absent(&mut found);
    found.operations.clear();
    whole_file(&mut found);
    for (ours, published) in &matches.pairs {
        if let Some((published, moved)) = published {
            found.operations = vec![ours.id.clone()];
            pair::compare(&mut found, ours, published, *moved)?;
        }
    }
    matches.additional(&mut found);
    Ok(found.differences)
}

/// Checks the parts of the file that do not belong to an operation.
fn whole_file(found: &mut Found<'_, '_>) {
    found.unreadable(Kind::Document, "document", "/paths", "");
    for (index, server) in items(&found.published.document.root()["servers"]).iter().enumerate() {
        let pointer = join("/servers", index);
        found.unreadable(Kind::Server, "servers", "/paths", &pointer);
        for (name, _) in members(&server["variables"]) {
            let variable = join(&join(&pointer, "variables"), name);
            found.unreadable(Kind::ServerVariable, "servers", "/paths", &variable);
        }
    }
}

struct Matches<'a, 'd> {
    /// Each of our operations, with the published one and whether its generation has changed.
    pairs: Vec<(&'a Operation<'d>, Option<(&'a Operation<'d>, bool)>)>,
    /// The other published operations.
    others: Vec<&'a Operation<'d>>,
}

impl<'a, 'd> Matches<'a, 'd> {
    fn new(ours: &'a Api<'d>, published: &'a Api<'d>) -> Self {
        let mut by_path: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
        for (index, operation) in published.operations.iter().enumerate() {
            for route in &operation.routes {
                let candidates = by_path.entry((operation.method, &route.path)).or_default();
                if candidates.last() != Some(&index) {
                    candidates.push(index);
                }
            }
        }
        let mut pairs: Vec<_> = ours.operations.iter().map(|operation| (operation, None)).collect();
        let mut taken = HashSet::new();
        // First by the whole path, then by the path without the generation: a file may not state the generation, and the vendor
        // increments it from time to time.
        for exact in [true, false] {
            for (operation, found) in pairs.iter_mut().filter(|(_, found)| found.is_none()) {
                let candidates =
                    operation.routes.iter().filter_map(|route| by_path.get(&(operation.method, &route.path)));
                let is_match = |index: &&usize| {
                    let routes = &published.operations[**index].routes;
                    !taken.contains(*index) && (!exact || !operation.routes.is_disjoint(routes))
                };
                if let Some(&index) = candidates.flatten().find(is_match) {
                    let other = &published.operations[index];
                    let states_another = |route: &Route| route.generation.as_ref().is_some_and(|it| it != LATEST);
                    taken.insert(index);
                    *found = Some((other, !exact && other.routes.iter().all(states_another)));
                }
            }
        }
        let others = published.operations.iter().enumerate().filter(|(index, _)| !taken.contains(index));
        let others = others.map(|(_, operation)| operation).collect();
        Self { pairs, others }
    }

    /// Reports our operations that the published file does not have.
    fn absent(&self, found: &mut Found<'_, '_>) {
        let unversioned = |operation: &Operation<'_>| -> Vec<(&'static str, String)> {
            let path = |route: &Route| route.unversioned().collect::<Vec<_>>().join("/");
            operation.routes.iter().map(|route| (operation.method, path(route))).collect()
        };
        let elsewhere: HashSet<_> = self.others.iter().flat_map(|operation| unversioned(operation)).collect();
        // If the file has any operation of a generation, even under another version, the missing ones were removed. Otherwise
        // the file is about another generation.
        let is_there = |(operation, published): &&(&Operation<'_>, Option<_>)| {
            published.is_some() || unversioned(operation).iter().any(|route| elsewhere.contains(route))
        };
        let compared: BTreeSet<&str> =
            self.pairs.iter().filter(is_there).map(|(operation, _)| generation::of(operation)).collect();
        let mut left_out: BTreeMap<&str, Vec<&Operation<'_>>> = BTreeMap::new();
        for (operation, _) in self.pairs.iter().filter(|(_, published)| published.is_none()) {
            let generation = generation::of(operation);
            if !compared.contains(generation) {
                left_out.entry(generation).or_default().push(operation);
                continue;
            }
            // The deviation `absent` of an operation holds only if its other binding is published.
            let mut others = self.pairs.iter().filter(|(_, published)| published.is_some());
            let other_binding = others.any(|(other, _)| is_binding(other, operation));
            let subject = if other_binding { "absent" } else { "operation" };
            let message = format!("{} is not published", operation.title());
            found.operations = vec![operation.id.clone()];
            found.add(Place::new("operation", &operation.pointer, "/paths"), Class::BreaksCallers, subject, message);
        }
        for (generation, operations) in left_out {
            let count = operations.len();
            let message =
                format!("not compared: the file has none of the {count} operations of generation {generation}");
            found.operations = operations.iter().map(|operation| operation.id.clone()).collect();
            let place = Place::new("generation", &operations[0].pointer, "/paths");
            found.add(place, Class::Cosmetic, "generation", message);
        }
    }

    /// Reports published operations that we lack: those about incidents, and those that share a tag with one of ours.
    fn additional(&self, found: &mut Found<'_, '_>) {
        let matched = self.pairs.iter().filter_map(|(_, published)| *published);
        let tags: BTreeSet<&str> = matched.flat_map(|(operation, _)| operation.tags()).collect();
        for operation in &self.others {
            if operation.routes.iter().any(Route::is_of_incidents) || operation.tags().any(|tag| tags.contains(tag)) {
                let title = operation.title();
                found.operations = vec![operation.id.clone()];
                let place = Place::new("operation", "/paths", &operation.pointer);
                found.add(place, Class::New, format!("operation: {title}"), format!("we lack {title}"));
            }
        }
    }
}

fn is_binding(one: &Operation<'_>, other: &Operation<'_>) -> bool {
    text(one.node, "x-binding-of") == other.id || text(other.node, "x-binding-of") == one.id
}
