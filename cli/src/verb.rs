//! The words for what can be done to incidents.

use coralogix_incidents::bulk::Verb;

/// The name of the command, such as `unassign`.
pub(crate) fn name(verb: &Verb) -> &'static str {
    let operation = verb.operation().id();
    operation.strip_suffix("Incidents").unwrap_or(operation)
}

/// What an incident is afterwards, such as `unassigned`.
pub(crate) fn participle(verb: &Verb) -> String {
    let name = name(verb);
    format!("{}ed", name.strip_suffix('e').unwrap_or(name))
}
