//! Names of the document that would clash in generated code, with each other or with what stands there already.

use std::collections::BTreeMap;

use super::{Operation, snake};
use crate::{
    document::{Document, Problem},
    json_pointer::join,
};

/// What generated types use by its bare name.
#[rustfmt::skip]
pub(crate) const TYPES: &[&str] = &[
    "BTreeMap", "Box", "Clone", "DateTime", "Debug", "Default", "Deserialize", "Eq", "Err", "From", "Hash", "Into",
    "IntoIterator", "None", "Ok", "Option", "PartialEq", "Result", "Self", "Serialize", "Some", "String", "Utc", "Vec",
];

/// Methods that `Client` has by hand or derived, and `all`, whose constant lists the operations.
#[rustfmt::skip]
pub(crate) const CLIENT_METHODS: &[&str] = &[
    "all", "answered", "api_generation", "apply_headers", "ask_again", "attempt", "attempts", "base_url", "builder",
    "bulk", "call", "call_in_span", "clone", "decode", "error", "exec", "first_binding", "from_env",
    "hand_over", "incomplete_response", "is_route_unknown", "new_call", "open_incidents_of", "operations",
    "other_binding", "read", "request", "retry_budget", "url", "wait_for_retry", "wait_for_status", "with_options",
    "with_read_timeout", "within",
];

/// Operations whose methods would have the name of another method.
pub(super) fn operations(document: &Document, operations: &[Operation]) -> Vec<Problem> {
    let by_hand = CLIENT_METHODS.iter().map(|name| ((*name).to_owned(), "the SDK by hand".to_owned()));
    let paged = operations.iter().filter(|operation| operation.paging.is_some());
    let streams = paged.map(|operation| {
        (format!("{}_stream", snake(&operation.id)), format!("the stream of operation `{}`", operation.id))
    });
    let named = operations.iter().map(|operation| {
        let what = format!("operation `{}`", operation.id);
        let at = join(&operation.pointer, "operationId");
        let owner = format!("{what} at {}", document.location(&at));
        (what, operation.id.as_str(), at, owner)
    });
    clashes(by_hand.chain(streams).collect(), false, named)
}

/// Members, each with the place where it stands, whose Rust names are equal, or equal to one that is `taken`,
/// or impossible. A property may be a keyword: typify knows how to write it.
pub(super) fn members<'n>(
    what: &str,
    taken: &[&str],
    keywords: bool,
    members: impl IntoIterator<Item = (&'n str, String)>,
) -> Vec<Problem> {
    let taken = taken.iter().map(|name| ((*name).to_owned(), "the generator's own".to_owned())).collect();
    let named = members.into_iter().map(|(name, at)| (what.to_owned(), name, at, format!("`{name}`")));
    clashes(taken, keywords, named)
}

/// Problems of names, each given with what has it, where it stands, and what to call its owner.
fn clashes<'n>(
    mut taken: BTreeMap<String, String>,
    keywords: bool,
    named: impl Iterator<Item = (String, &'n str, String, String)>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (what, name, at, owner) in named {
        let rust = snake(name);
        if !is_rust(&rust, keywords) {
            problems.push(Problem::new(at, format!("{what}: `{name}` can't be a name in Rust: rename it")));
        } else if let Some(other) = taken.get(&rust) {
            let message = format!("{what}: `{name}` is `{rust}` in Rust, which is taken by {other}: rename one");
            problems.push(Problem::new(at, message));
        } else {
            taken.insert(rust, owner);
        }
    }
    problems
}

/// Whether generated code can have the name: `self`, `super`, `crate` and what is no word can't be escaped as keywords can.
pub(super) fn is_rust(name: &str, keywords: bool) -> bool {
    let is_word = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
    is_word && !["self", "super", "crate"].contains(&name) && (keywords || !KEYWORDS.contains(&name))
}

/// Of Rust 2024, those that are reserved included.
#[rustfmt::skip]
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];
