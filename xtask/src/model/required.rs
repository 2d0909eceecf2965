//! Finds messages that require themselves, of which no finite value exists. This module knows schemas, and nothing of the
//! generated code.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::reference_name;
use crate::{
    document::{Document, Problem},
    json_pointer::join,
};

/// A member that a message requires and that is a message itself.
struct Step {
    /// The index of the member's name under `required`.
    index: usize,
    member: String,
    message: String,
}

/// Adds a problem for each cycle of messages that require each other.
pub(super) fn check(document: &Document, problems: &mut Vec<Problem>) {
    const SCHEMAS: &str = "/components/schemas";
    let schemas = document.get(SCHEMAS).and_then(Value::as_object);
    let mut known = BTreeSet::new();
    for (name, _) in schemas.into_iter().flatten() {
        let Some(cycle) = (!known.contains(name)).then(|| cycle(document, name)).flatten() else { continue };
        let members: Vec<String> = cycle.iter().map(|step| format!("`{}`", step.member)).collect();
        let members = members.join(", then ");
        let message = format!(
            "schema `{name}` requires itself, by its member {members}: no finite value of it exists; remove one of them \
             from `required`"
        );
        let index = cycle.first().map_or(0, |step| step.index);
        problems.push(Problem::new(join(&join(&join(SCHEMAS, name), "required"), index), message));
        known.extend(cycle.into_iter().map(|step| step.message));
    }
}

/// The shortest way from a message to itself by members that are required.
fn cycle(document: &Document, start: &str) -> Option<Vec<Step>> {
    let mut came_from: BTreeMap<String, (String, Step)> = BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([start.to_owned()]);
    while let Some(name) = queue.pop_front() {
        for step in required_messages(document, &name) {
            let next = step.message.clone();
            if !came_from.contains_key(&next) {
                came_from.insert(next.clone(), (name.clone(), step));
                queue.push_back(next);
            }
        }
    }
    let mut cycle = Vec::new();
    let mut at = start.to_owned();
    loop {
        let (from, step) = came_from.remove(&at)?;
        cycle.insert(0, step);
        at = from;
        if at == start {
            return Some(cycle);
        }
    }
}

fn required_messages(document: &Document, name: &str) -> Vec<Step> {
    let Some(schema) = document.get(&join("/components/schemas", name)) else { return Vec::new() };
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().enumerate();
    let step = |(index, member): (usize, &Value)| {
        let member = member.as_str()?;
        let message = reference_name(schema.get("properties")?.get(member)?)?;
        Some(Step { index, member: member.to_owned(), message })
    };
    required.filter_map(step).collect()
}
