//! Reads `x-deviation`, which states the intended differences between our document and the vendor's. This module knows the syntax
//! of the extension and which nodes cover a difference, and must not know how differences are found.
//!
//! ```yaml
//! x-deviation:
//!   - covers: [required, format: none, maxLength: 256]
//!     reason: Why the difference is intended.
//!   - of: incident          # a member that is a `$ref`, which cannot have keywords of its own
//!     covers: [required]
//!     reason: Why the difference is intended.
//! ```
//!
//! A single deviation may be written without the list.

use serde_json::Value;

use super::report;
use crate::{
    document::{Document, Problem},
    json_pointer::join,
    keywords::{self, Kind, Rule},
    openapi::{items, text},
};

/// The name of the extension.
const EXTENSION: &str = "x-deviation";

/// The reason of the deviation that covers a difference. `own` are the pointers of the node itself. Deviations of its container
/// must name the member with `of`.
pub(super) fn reason(
    document: &Document,
    own: [&str; 2],
    (container, member): (&[String], &str),
    difference: &str,
) -> Option<String> {
    let stated = |pointer: &str, of: &str| {
        let mut entries = entries(document.get(pointer)?.get(EXTENSION)?);
        let found = entries.find(|deviation| {
            text(deviation, "of") == of && covers(deviation).flatten().any(|covered| covered == difference)
        });
        found.map(|deviation| text(deviation, "reason"))
    };
    let of_container = || container.iter().find_map(|pointer| stated(pointer, member));
    let reason = own.iter().find_map(|pointer| stated(pointer, "")).or_else(of_container)?;
    Some(reason.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Checks the deviations of `holder`. `pointer` is that of the extension.
pub fn check(pointer: &str, holder: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    let deviations = &holder[EXTENSION];
    let form = "must be a mapping with `covers` (a list of subjects of `cargo xtask drift`) and `reason`";
    for (index, deviation) in entries(deviations).enumerate() {
        let at = if deviations.is_array() { join(pointer, index) } else { pointer.to_owned() };
        let mut complain = |at: &str, message: String| problems.push(Problem::new(at, message));
        let Some(keys) = deviation.as_object() else {
            complain(&at, format!("`{EXTENSION}` {form}"));
            continue;
        };
        for key in keys.keys().filter(|key| !["of", "covers", "reason"].contains(&key.as_str())) {
            let message = format!("`{key}` is not a member of `{EXTENSION}`: write one of `of`, `covers`, `reason`");
            complain(&join(&at, key), message);
        }
        let is_member = |of: &Value| of.as_str().is_some_and(|of| holder["properties"].get(of).is_some());
        if let Some(of) = deviation.get("of").filter(|of| !is_member(of)) {
            complain(
                &join(&at, "of"),
                format!("`of` in `{EXTENSION}` must be the name of a member, but there is no member {of}"),
            );
        }
        if text(deviation, "reason").trim().is_empty() {
            complain(&at, format!("`{EXTENSION}` has no `reason`"));
        }
        if items(&deviation["covers"]).is_empty() {
            complain(&at, format!("`{EXTENSION}` {form}"));
        }
        for (index, covered) in covers(deviation).enumerate() {
            let subject = covered.as_deref().unwrap_or_default().split(':').next().unwrap_or_default();
            let narrows = matches!(keywords::rule(Kind::Schema, subject), Some(Rule::Narrows(_) | Rule::AsWritten));
            if !narrows && !report::SUBJECTS.iter().any(|(name, _)| *name == subject) {
                let covered = covered.as_deref().unwrap_or("a value that is not text");
                let message =
                    format!("`{EXTENSION}` covers `{covered}`, which is not a subject of `cargo xtask drift`");
                complain(&join(&join(&at, "covers"), index), message);
            }
        }
    }
    problems
}

/// One deviation, or a list of them.
fn entries(deviations: &Value) -> impl Iterator<Item = &Value> {
    match deviations {
        Value::Array(several) => several.as_slice(),
        one => std::slice::from_ref(one),
    }
    .iter()
}

/// The subjects that a deviation covers. `maxItems: 100` may be written without quotes, which is a mapping in YAML.
fn covers(deviation: &Value) -> impl Iterator<Item = Option<String>> {
    let plain = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null => Some("null".to_owned()),
        Value::Array(_) | Value::Object(_) => None,
    };
    items(&deviation["covers"]).iter().map(move |covered| match covered.as_object() {
        Some(pair) if pair.len() == 1 => {
            pair.iter().find_map(|(name, value)| Some(format!("{name}: {}", plain(value)?)))
        }
        _ => covered.as_str().map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn document(deviation: &str) -> Document {
        Document::parse(Path::new("doc.yaml"), &format!("a:\n  x-deviation:\n{deviation}\n  b: {{c: 1}}\n")).unwrap()
    }

    #[test]
    fn a_deviation_covers_what_it_lists_and_nothing_else() {
        let document =
            document("    covers: [required, format: none, 'value: X', maxItems: 10]\n    reason: So\n      it is.");
        let reason = |difference: &str| reason(&document, ["/a"; 2], (&[], ""), difference);
        for covered in ["required", "format: none", "value: X", "maxItems: 10"] {
            assert_eq!(reason(covered).as_deref(), Some("So it is."), "{covered}");
        }
        for other in ["require", "format: uuid", "format", "value: XY", "maxItems: 100", "minItems: 10", "absent"] {
            assert_eq!(reason(other), None, "{other}");
        }
    }

    #[test]
    fn a_deviation_of_the_message_must_name_the_member() {
        let document =
            document("    - {of: c, covers: [required], reason: Of c.}\n    - {covers: [absent], reason: Of a.}");
        let message = ["/b".to_owned(), "/a".to_owned()];
        let reason = |own, member, difference| reason(&document, [own, own], (&message, member), difference);
        assert_eq!(reason("/a/b/c", "c", "required").as_deref(), Some("Of c."));
        assert_eq!(reason("/a/b/c", "c", "absent"), None);
        assert_eq!(reason("/a/b/d", "d", "required"), None);
        assert_eq!(reason("/a", "", "absent").as_deref(), Some("Of a."));
        assert_eq!(reason("/a", "", "required"), None);
    }

    #[test]
    fn an_invalid_deviation_is_reported_with_its_line() {
        for (text, line, complaint) in [
            ("    Because.", 2, "must be a mapping with `covers`"),
            ("    covers: [required]", 2, "has no `reason`"),
            ("    reason: x", 2, "must be a mapping with `covers`"),
            ("    reason: x\n    covers: []", 2, "must be a mapping with `covers`"),
            ("    reason: x\n    covers:\n      - required\n      - requird", 6, "covers `requird`"),
            ("    reason: x\n    covers:\n      - maxItms: 3", 5, "covers `maxItms: 3`"),
            ("    reason: x\n    covers:\n      - [required]", 5, "covers `a value that is not text`"),
            ("    reason: x\n    covers: [required]\n    because: y", 5, "`because` is not a member"),
            ("    - reason: x\n      covers: [required]\n      of: 3", 5, "there is no member 3"),
            ("    - reason: x\n      covers: [required]\n      of: c", 5, "there is no member \"c\""),
        ] {
            let document = document(text);
            let problems = check("/a/x-deviation", document.get("/a").unwrap());
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            assert!(problems[0].message.contains(complaint), "{text}: {problems:?}");
            assert_eq!(document.line(&problems[0].pointer), line, "{text}");
        }
        let document =
            document("    reason: x\n    covers: [uniqueItems: true, not: '{}', if: '{}', 'requires: field']");
        assert!(check("/a/x-deviation", document.get("/a").unwrap()).is_empty());
    }
}
