//! Compares how calls are authenticated. This module must not know what a key looks like.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::Value;

use super::{
    Class,
    api::{Api, Operation},
};
use crate::{json_pointer::join, openapi::text};

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
        let own = join(&operation.pointer, "security");
        let pointer = if operation.node.get("security").is_some() { own } else { "/security".to_owned() };
        let mut security = Self { requirements: Vec::new(), pointer: pointer.clone(), schemes: Vec::new() };
        for stated in api.document.get(&pointer).and_then(Value::as_array).into_iter().flatten() {
            let mut requirement = Requirement::new();
            for (name, scopes) in stated.as_object().into_iter().flatten() {
                let scheme = join("/components/securitySchemes", name);
                if api.document.get(&scheme).is_some() {
                    let (at, node) = api.resolve(&scheme)?;
                    requirement.insert(credential(node));
                    security.schemes.push((name.clone(), at));
                } else {
                    requirement.insert(format!("the scheme `{name}`, which the file does not define"));
                }
                let scopes = scopes.as_array().into_iter().flatten().filter_map(Value::as_str);
                requirement.extend(scopes.map(|scope| format!("the scope `{scope}`")));
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
        let difference =
            |class, requirement: String, message: String| (class, format!("security: {requirement}"), message);
        if !published.requirements.iter().any(enough) {
            let message = format!(
                "is sent with {}, published as requiring {}",
                alternatives_text(&self.requirements),
                alternatives_text(&published.requirements)
            );
            return vec![difference(Class::BreaksCallers, alternatives_text(&published.requirements), message)];
        }
        let new = published.requirements.iter().filter(|requirement| !self.requirements.contains(requirement));
        new.map(|requirement| {
            difference(
                Class::New,
                requirement_text(requirement),
                format!("also accepts {}", requirement_text(requirement)),
            )
        })
        .collect()
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

fn alternatives_text(requirements: &[Requirement]) -> String {
    requirements.iter().map(requirement_text).collect::<Vec<_>>().join(", or ")
}
