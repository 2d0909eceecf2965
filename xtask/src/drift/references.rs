//! Follows `$ref`s within a file. It knows pointers, and nothing of what they lead to.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::{document::Document, json_pointer::join};

/// Follows references that have no other keyword beside them. In OpenAPI 3.1 a reference may have some.
pub(super) fn end(document: &Document, place: &str) -> Result<String> {
    let mut place = place.to_owned();
    let mut seen = BTreeSet::new();
    while let Some(node) = document.get(&place).filter(|node| node.as_object().is_some_and(|node| node.len() == 1)) {
        let Some(target) = target(document, &place, node)? else { break };
        if !seen.insert(place) {
            bail!("{}: this `$ref` refers to itself", document.location(&join(&target, "$ref")));
        }
        place = target;
    }
    Ok(place)
}

/// Follows references from a pointer. Returns the pointer at their end, and the node there.
pub(super) fn resolve<'d>(document: &'d Document, pointer: &str) -> Result<(String, &'d Value)> {
    let mut pointer = pointer.to_owned();
    let mut seen = BTreeSet::new();
    loop {
        let Some(node) = document.get(&pointer) else {
            bail!("{}: there is no `{pointer}`", document.location(&pointer));
        };
        let Some(target) = target(document, &pointer, node)? else { return Ok((pointer, node)) };
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
    let target = if document.get(target).is_some() { target.to_owned() } else { percent_decoded(target) };
    if document.get(&target).is_none() {
        bail!("{location}: `$ref: {reference}` refers to a node that does not exist");
    }
    Ok(Some(target))
}

pub(super) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
