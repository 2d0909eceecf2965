//! Compares how calls are authenticated. This module must not know what a key looks like.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::Value;

use super::{
    Class,
    api::{Api, Operation},
};
use crate::{
    json_pointer::join,
    openapi::{items, members, text, texts},
};

/// Credentials that a call needs together, each described in words.
type Requirement = BTreeSet<String>;

/// The alternative sets of credentials that an operation accepts.
pub(super) struct Security {
    requirements: Vec<Requirement>,
    pub(super) pointer: String,
    /// The names and the pointers of the security schemes that they refer to.
    pub(super) schemes: Vec<(String, String)>,
}

impl Security {
    /// Reads the requirements of an operation, or else those of the whole document.
    pub(super) fn read(api: &Api<'_>, operation: &Operation<'_>) -> Result<Self> {
        let owner = if operation.node.get("security").is_some() { operation.pointer.as_str() } else { "" };
        let pointer = join(owner, "security");
        let stated = api.document.get(&pointer).map_or(&[][..], items);
        let mut security = Self { requirements: Vec::new(), pointer, schemes: Vec::new() };
        for stated in stated {
            let mut requirement = Requirement::new();
            for (name, scopes) in members(stated) {
                let scheme = join("/components/securitySchemes", name);
                if api.document.get(&scheme).is_some() {
                    let (at, node) = api.resolve(&scheme)?;
                    requirement.insert(credential(node));
                    security.schemes.push((name.clone(), at));
                } else {
                    requirement.insert(format!("the scheme `{name}`, which the file does not define"));
                }
                requirement.extend(texts(scopes).map(|scope| format!("the scope `{scope}`")));
            }
            security.requirements.push(requirement);
        }
        if security.requirements.is_empty() {
            security.requirements.push(Requirement::new());
        }
        Ok(security)
    }

    /// The differences between two sets of requirements: class, subject and message.
    pub(super) fn differences(&self, published: &Self) -> Vec<(Class, String, String)> {
        let enough = |requirement: &Requirement| self.requirements.iter().any(|ours| requirement.is_subset(ours));
        if !published.requirements.iter().any(enough) {
            let [sent, required] = [self, published]
                .map(|security| security.requirements.iter().map(requirement_text).collect::<Vec<_>>().join(", or "));
            let message = format!("is sent with {sent}, published as requiring {required}");
            return vec![(Class::BreaksCallers, required, message)];
        }
        let new = published.requirements.iter().filter(|requirement| !self.requirements.contains(requirement));
        let difference = |text: String| (Class::New, text.clone(), format!("also accepts {text}"));
        new.map(requirement_text).map(difference).collect()
    }
}

/// Describes the credential of a scheme. An API key in the header `Authorization` and a bearer token are the same.
fn credential(scheme: &Value) -> String {
    match (text(scheme, "type"), text(scheme, "in"), text(scheme, "scheme").to_ascii_lowercase().as_str()) {
        ("http", _, "bearer") => header("Authorization"),
        ("http", _, scheme) => format!("HTTP `{scheme}` authentication"),
        ("apiKey", "header", _) => header(text(scheme, "name")),
        ("apiKey", "query", _) => format!("the query parameter `{}`", text(scheme, "name")),
        ("apiKey", place, _) => format!("the {place} `{}`", text(scheme, "name")),
        ("oauth2", ..) => "an OAuth 2 token".to_owned(),
        ("openIdConnect", ..) => "an OpenID Connect token".to_owned(),
        ("mutualTLS", ..) => "a client certificate".to_owned(),
        (kind, ..) => format!("a scheme of the type `{kind}`"),
    }
}

fn header(name: &str) -> String {
    format!("the header `{}`", name.to_ascii_lowercase())
}

fn requirement_text(requirement: &Requirement) -> String {
    if requirement.is_empty() {
        "no credentials".to_owned()
    } else {
        requirement.iter().cloned().collect::<Vec<_>>().join(" and ")
    }
}
