//! Finds messages that require themselves, of which no finite value exists. This module knows schemas, and nothing of the
//! generated code.

use std::collections::BTreeSet;

use super::reference_name;
use crate::{
    document::{Document, Problem},
    json_pointer::join,
    openapi::{items, members},
};

/// A member that a message requires and that is a message itself.
struct Step<'d> {
    /// The index of the member's name under `required`.
    index: usize,
    member: &'d str,
    message: String,
}

/// Adds a problem for each cycle of messages that require each other.
pub(super) fn check(document: &Document, problems: &mut Vec<Problem>) {
    let mut known = BTreeSet::new();
    for (name, _) in members(&document.root()["components"]["schemas"]) {
        if known.contains(name) {
            continue;
        }
        let Some(cycle) = way(document, name, name, &mut BTreeSet::new()) else { continue };
        let members: Vec<String> = cycle.iter().map(|step| format!("`{}`", step.member)).collect();
        let members = members.join(", then ");
        let message = format!(
            "schema `{name}` requires itself, by its member {members}: no finite value of it exists; remove one of them \
             from `required`"
        );
        let index = cycle.first().map_or(0, |step| step.index);
        problems.push(Problem::new(join(&join(&join("/components/schemas", name), "required"), index), message));
        known.extend(cycle.into_iter().map(|step| step.message));
    }
}

/// The way from one message to another by members that are required.
fn way<'d>(document: &'d Document, from: &str, to: &str, seen: &mut BTreeSet<String>) -> Option<Vec<Step<'d>>> {
    let schema = &document.root()["components"]["schemas"][from];
    for (index, member) in items(&schema["required"]).iter().enumerate() {
        let Some(member) = member.as_str() else { continue };
        let Some(message) = reference_name(&schema["properties"][member]) else { continue };
        let rest = if message == to {
            Some(Vec::new())
        } else if seen.insert(message.clone()) {
            way(document, &message, to, seen)
        } else {
            None
        };
        if let Some(rest) = rest {
            return Some(std::iter::once(Step { index, member, message }).chain(rest).collect());
        }
    }
    None
}
