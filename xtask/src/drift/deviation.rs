//! Which of our document's `x-deviation` reasons covers a difference. The rule is in the documentation of [`super`].

use std::rc::Rc;

use crate::{document::Document, openapi::text};

/// What a difference is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject<'a> {
    /// The published file lacks the node.
    Absence,
    Requiredness,
    /// The published JSON type.
    Type(&'a str),
    /// The published format, if any.
    Format(Option<&'a str>),
    /// The published limit, as `maxItems: 100`: another one is another difference.
    Limit(&'a str),
    /// The published file has this value or member, and we don't.
    Extra(&'a str),
    /// The published file requires this name, and has no such member either.
    Required(&'a str),
    /// The published file no longer has a value of an enum.
    Lost,
    Other,
}

/// The nodes of our document from the operation to the one in question.
pub(super) struct Trail {
    pointer: String,
    parent: Option<Rc<Trail>>,
}

impl Trail {
    pub(super) fn root(pointer: &str) -> Rc<Self> {
        Rc::new(Self { pointer: pointer.to_owned(), parent: None })
    }

    pub(super) fn to(self: &Rc<Self>, pointer: &str) -> Rc<Self> {
        Rc::new(Self { pointer: pointer.to_owned(), parent: Some(Rc::clone(self)) })
    }

    /// The nodes from the innermost outwards.
    pub(super) fn ancestors(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self), |trail| trail.parent.as_deref()).map(|trail| trail.pointer.as_str())
    }
}

/// The reason that covers a difference. `own` are the pointers of the node itself: a member, and the schema it refers to;
/// of a list's element, those of the list as well. `name` is the member's name, by which a reason further up may speak of it.
pub(super) fn reason(
    document: &Document,
    trail: &Trail,
    own: &[&str],
    name: &str,
    subject: Subject<'_>,
) -> Option<String> {
    let stated =
        |pointer: &str| document.get(pointer).map(|node| text(node, "x-deviation")).filter(|reason| !reason.is_empty());
    let covering = own.iter().filter_map(|pointer| stated(pointer)).find(|reason| covers(reason, subject));
    let speaks = |reason: &&str| match subject {
        Subject::Extra(_) | Subject::Required(_) => covers(reason, subject),
        _ => !name.is_empty() && names(reason, name),
    };
    let above = || trail.ancestors().filter_map(stated).find(speaks);
    covering.or_else(above).map(|reason| reason.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn covers(reason: &str, subject: Subject<'_>) -> bool {
    let says = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    match subject {
        Subject::Absence => says(&["leaves", "lacks", "omits", "missing"]),
        Subject::Requiredness => says(&["requir"]),
        Subject::Type(published) | Subject::Format(Some(published)) | Subject::Limit(published) => {
            names(reason, published)
        }
        Subject::Format(None) => says(&["type", "format"]),
        // A reason for a required name that never exists says nothing of a member that does.
        Subject::Extra(name) => names(reason, name) && !says(&["requir"]),
        Subject::Required(name) => names(reason, name) && says(&["requir"]),
        Subject::Lost | Subject::Other => false,
    }
}

fn names(reason: &str, name: &str) -> bool {
    reason.contains(&format!("`{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_covers_what_it_speaks_of_and_nothing_else() {
        let required = "The vendor's document calls this member required.";
        assert!(covers(required, Subject::Requiredness));
        assert!(!covers(required, Subject::Format(None)) && !covers(required, Subject::Absence));
        let kind = "Its type is given as plain text; some gateways make it a `number`.";
        assert!(covers(kind, Subject::Format(None)) && covers(kind, Subject::Type("number")));
        assert!(!covers(kind, Subject::Format(Some("uuid"))) && !covers(kind, Subject::Type("integer")));
        let limit = "Generation 5 publishes `maxItems: 10000`; v1 leaves it open.";
        assert!(covers(limit, Subject::Limit("maxItems: 10000")) && !covers(limit, Subject::Limit("maxItems: 100")));
        let values = "In December 2025 `STATE_NO_DATA` was published for two days.";
        assert!(covers(values, Subject::Extra("STATE_NO_DATA")));
        assert!(!covers(values, Subject::Extra("STATE_NO")) && !covers(values, Subject::Other));
        let phantom = "The vendor's document also requires `originator`, which never exists in JSON.";
        assert!(covers(phantom, Subject::Required("originator")) && !covers(phantom, Subject::Extra("originator")));
    }
}
