//! Follows `$ref`s within a file. It knows pointers, and nothing of what they lead to.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{document::Document, json_pointer::join};

/// Follows references from a pointer. Returns the pointer at their end, and the node there.
pub(super) fn resolve<'d>(document: &'d Document, pointer: &str) -> Result<(String, &'d Value)> {
    follow(document, pointer, |_| true)
}

/// As [`resolve`], but ends at a reference that has other keywords beside it, as it may in OpenAPI 3.1.
pub(super) fn resolve_bare<'d>(document: &'d Document, pointer: &str) -> Result<(String, &'d Value)> {
    follow(document, pointer, |node| node.as_object().is_some_and(|node| node.len() == 1))
}

fn follow<'d>(document: &'d Document, pointer: &str, follows: fn(&Value) -> bool) -> Result<(String, &'d Value)> {
    let mut pointer = pointer.to_owned();
    let mut seen = BTreeSet::new();
    loop {
        let Some(node) = document.get(&pointer) else {
            bail!("{}: there is no `{pointer}`", document.location(&pointer));
        };
        let target = if follows(node) { target(document, &pointer, node)? } else { None };
        let Some(target) = target else { return Ok((pointer, node)) };
        if !seen.insert(pointer.clone()) {
            bail!("{}: this `$ref` refers to itself", document.location(&join(&pointer, "$ref")));
        }
        pointer = target;
    }
}

/// The pointer to which the `$ref` of a node refers, if it has one.
pub(super) fn target(document: &Document, pointer: &str, node: &Value) -> Result<Option<String>> {
    let Some(reference) = node.get("$ref") else { return Ok(None) };
    let location = document.location(&join(pointer, "$ref"));
    let Some(reference) = reference.as_str() else { bail!("{location}: a `$ref` must be text") };
    let Some(target) = reference.strip_prefix('#') else {
        bail!("{location}: `$ref: {reference}` refers to another file: bundle the files into one first");
    };
    // A pointer in a URI may be percent-encoded, as the braces of a path often are.
    let decoded = || percent_decode_str(target).decode_utf8_lossy().into_owned();
    let target = if document.get(target).is_some() { target.to_owned() } else { decoded() };
    if document.get(&target).is_none() {
        bail!("{location}: `$ref: {reference}` refers to a node that does not exist");
    }
    Ok(Some(target))
}
