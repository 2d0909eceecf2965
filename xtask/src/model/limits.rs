//! The limits of one binding: how many ids a request may have, and how large a page may be. It knows nothing of the code that
//! is generated from them.

use serde_json::Value;

use super::{Generation, Operation, reference_name, snake};
use crate::{
    document::{Document, Problem},
    json_pointer::join,
};

const MAX_IDS: &str = "x-max-incident-ids";
const MAX_PAGE_SIZE: &str = "x-max-page-size";

/// What the extensions of a binding state.
#[derive(Clone, Copy)]
pub(super) struct Stated {
    ids: Option<u64>,
    page_size: Option<u64>,
}

pub(super) fn read(what: &str, pointer: &str, node: &Value, problems: &mut Vec<Problem>) -> Stated {
    let mut number = |key: &str| {
        let stated = node.get(key)?;
        let number = stated.as_u64().filter(|number| *number > 0);
        if number.is_none() {
            let message = format!("{what}: `{key}` is `{stated}`: it must be a positive integer");
            problems.push(Problem::new(join(pointer, key), message));
        }
        number
    };
    Stated { ids: number(MAX_IDS), page_size: number(MAX_PAGE_SIZE) }
}

/// The most ids of incidents in one request of a binding of the operation `of`. `None` if there is no limit, or if the
/// operation is not given a list of ids.
pub(crate) fn max_incident_ids(binding: &Operation, of: &Operation) -> Option<u64> {
    let ids = of.incident_ids.as_ref()?;
    let parameter = binding.parameters.iter().find(|parameter| match &parameter.body_member {
        Some(member) => member == ids,
        None => snake(&parameter.name) == snake(ids),
    });
    match parameter {
        Some(parameter) => parameter.schema.get("maxItems").and_then(Value::as_u64),
        None => binding.stated_limits.ids,
    }
}

/// The limit on the ids in the request body of a binding, with the member that holds them.
pub(crate) fn max_ids_in_body<'o>(binding: &Operation, of: &'o Operation) -> Option<(&'o str, u64)> {
    Some((of.incident_ids.as_deref()?, binding.body.as_ref().and(binding.stated_limits.ids)?))
}

/// The largest page of a binding of the operation `of`: what the binding states, or what the message of its pages does, whose
/// limits are those of generation 5.
pub(crate) fn max_page_size(document: &Document, binding: &Operation, of: &Operation) -> Option<u64> {
    if of.paging.is_none() || binding.generation != Generation::V5 {
        return None;
    }
    binding.stated_limits.page_size.or_else(|| maximum(document, of))
}

fn maximum(document: &Document, of: &Operation) -> Option<u64> {
    let schemas = &document.root()["components"]["schemas"];
    let pagination = reference_name(&schemas[of.message.as_ref()?]["properties"]["pagination"])?;
    schemas[&pagination]["properties"]["pageSize"]["maximum"].as_u64()
}

/// Adds a problem for each limit that has no effect.
pub(super) fn check(document: &Document, binding: &Operation, of: &Operation) -> Vec<Problem> {
    let Stated { ids, page_size } = binding.stated_limits;
    let mut problems = Vec::new();
    let mut problem = |key: &str, message: &str| {
        let message = format!("operation `{}`: `{key}` {message}", binding.id);
        problems.push(Problem::new(join(&binding.pointer, key), message));
    };
    if ids.is_some() && max_ids_in_body(binding, of).is_none() {
        let place = "a binding that has the ids of `x-incident-ids` in its request body";
        problem(MAX_IDS, &format!("belongs to {place}; elsewhere, state `maxItems`"));
    }
    if page_size.is_some() && max_page_size(document, binding, of).is_none() {
        problem(MAX_PAGE_SIZE, "belongs to a binding in generation 5 of an operation with `x-paging`");
    }
    if let (Some(stated), Some(maximum)) = (page_size, maximum(document, of))
        && stated >= maximum
    {
        let reason = format!("the message's own limit of {maximum} is not larger, so leave it out");
        problem(MAX_PAGE_SIZE, &format!("is {stated}: {reason}"));
    }
    problems
}
