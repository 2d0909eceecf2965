//! Follows `$ref`s within a file. It knows pointers, and nothing of what they lead to.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{
    document::{Document, Problem},
    json_pointer::join,
};

/// A node and its pointer, at the end of its references.
pub type Resolved<'d> = (String, &'d Value);

/// Follows references from a pointer.
pub fn resolve<'d>(document: &'d Document, pointer: &str) -> Result<Resolved<'d>, Problem> {
    follow(document, pointer, |_| true)
}

/// As [`resolve`], but ends at a reference that has other keywords beside it, as it may in OpenAPI 3.1.
pub fn resolve_bare<'d>(document: &'d Document, pointer: &str) -> Result<Resolved<'d>, Problem> {
    follow(document, pointer, |node| node.as_object().is_some_and(|node| node.len() == 1))
}

fn follow<'d>(document: &'d Document, pointer: &str, follows: fn(&Value) -> bool) -> Result<Resolved<'d>, Problem> {
    let mut pointer = pointer.to_owned();
    let mut seen = BTreeSet::new();
    loop {
        let Some(node) = document.get(&pointer) else {
            let message = format!("there is no `{pointer}`");
            return Err(Problem::new(pointer, message));
        };
        let target = if follows(node) { target(document, &pointer, node)? } else { None };
        let Some(target) = target else { return Ok((pointer, node)) };
        if !seen.insert(pointer.clone()) {
            return Err(Problem::new(join(&pointer, "$ref"), "this `$ref` refers to itself"));
        }
        pointer = target;
    }
}

/// The pointer to which the `$ref` of a node refers, if it has one.
pub fn target(document: &Document, pointer: &str, node: &Value) -> Result<Option<String>, Problem> {
    let Some(reference) = node.get("$ref") else { return Ok(None) };
    let problem = |message: String| Err(Problem::new(join(pointer, "$ref"), message));
    let Some(reference) = reference.as_str() else { return problem("a `$ref` must be text".to_owned()) };
    let Some(target) = reference.strip_prefix('#') else {
        return problem(format!("`$ref: {reference}` refers to another file: bundle the files into one first"));
    };
    // A pointer in a URI may be percent-encoded, as the braces of a path often are.
    let decoded = || percent_decode_str(target).decode_utf8_lossy().into_owned();
    let target = if document.get(target).is_some() { target.to_owned() } else { decoded() };
    if document.get(&target).is_none() {
        return problem(format!("`$ref: {reference}` refers to a node that does not exist"));
    }
    Ok(Some(target))
}
