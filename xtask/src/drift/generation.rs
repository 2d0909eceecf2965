//! Determines which generation of the API a published file describes, by its servers or else by its paths.

use std::collections::BTreeSet;

use super::api::{Api, LATEST, Operation};
use crate::openapi::text;

/// A generation that the vendor no longer changes, and that the SDK does not use.
pub(super) struct Frozen {
    /// Its number, which is part of the server address.
    pub(super) number: &'static str,
    pub(super) published: &'static str,
    /// Paths that only this generation has.
    paths: &'static [&'static str],
}

const FROZEN: [Frozen; 2] = [
    Frozen {
        number: "3",
        published: "from October 2025 to April 2026, as the latest one",
        paths: &["incidents/incidents/v1/by-user", "incidents/incidents/v1/acknowledge"],
    },
    // Its paths are those of generation 5.
    Frozen { number: "4", published: "in April 2026", paths: &[] },
];

/// The frozen generation that a file describes, if any.
pub(super) fn frozen(published: &Api<'_>) -> Option<&'static Frozen> {
    let mut generations = BTreeSet::new();
    let mut paths = BTreeSet::new();
    for operation in &published.operations {
        for route in operation.routes.iter().filter(|route| route.is_of_incidents()) {
            generations.insert(route.generation.as_deref());
            paths.insert(route.path.as_str());
        }
    }
    let has_its_paths = |frozen: &Frozen| frozen.paths.iter().any(|path| paths.contains(path));
    match generations.into_iter().collect::<Vec<_>>()[..] {
        [None | Some(LATEST)] => FROZEN.iter().find(|frozen| has_its_paths(frozen)),
        [Some(number)] => FROZEN.iter().find(|frozen| frozen.number == number),
        _ => None,
    }
}

/// The generation that our document states for an operation, or else the number before its path.
pub(super) fn of<'o>(operation: &'o Operation<'_>) -> &'o str {
    let stated = text(operation.node, "x-api-generation");
    let number = || operation.routes.first().and_then(|route| route.generation.as_deref());
    if stated.is_empty() { number().unwrap_or("v1") } else { stated }
}
