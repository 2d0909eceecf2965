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
type Way = BTreeSet<String>;

/// The alternative sets of credentials that an operation accepts.
pub(super) struct Security {
    ways: Vec<Way>,
    pub(super) pointer: String,
    /// The names and the pointers of the security schemes that they refer to.
    pub(super) schemes: Vec<(String, String)>,
}

impl Security {
    /// Reads the requirements of an operation, or else those of the whole document.
    pub(super) fn read(api: &Api<'_>, operation: &Operation<'_>) -> Result<Self> {
        let own = join(&operation.pointer, "security");
        let pointer = if operation.node.get("security").is_some() { own } else { "/security".to_owned() };
        let mut security = Self { ways: Vec::new(), pointer: pointer.clone(), schemes: Vec::new() };
        for requirement in api.document.get(&pointer).and_then(Value::as_array).into_iter().flatten() {
            let mut way = Way::new();
            for (name, scopes) in requirement.as_object().into_iter().flatten() {
                let scheme = join("/components/securitySchemes", name);
                if api.document.get(&scheme).is_some() {
                    let (at, node) = api.resolve(&scheme)?;
                    way.insert(credential(node));
                    security.schemes.push((name.clone(), at));
                } else {
                    way.insert(format!("the scheme `{name}`, which the file does not define"));
                }
                let scopes = scopes.as_array().into_iter().flatten().filter_map(Value::as_str);
                way.extend(scopes.map(|scope| format!("the scope `{scope}`")));
            }
            security.ways.push(way);
        }
        if security.ways.is_empty() {
            security.ways.push(Way::new());
        }
        Ok(security)
    }

    /// The differences between two sets of requirements: class, subject and message.
    pub(super) fn differences(&self, published: &Self) -> Vec<(Class, String, String)> {
        let enough = |way: &Way| self.ways.iter().any(|ours| way.is_subset(ours));
        let difference = |class, way: String, message: String| (class, format!("security: {way}"), message);
        if !published.ways.iter().any(enough) {
            let message = format!("is sent with {}, published as requiring {}", all(&self.ways), all(&published.ways));
            return vec![difference(Class::BreaksCallers, all(&published.ways), message)];
        }
        let new = published.ways.iter().filter(|way| !self.ways.contains(way));
        new.map(|way| difference(Class::New, together(way), format!("also accepts {}", together(way)))).collect()
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

fn together(way: &Way) -> String {
    if way.is_empty() { "no credentials".to_owned() } else { way.iter().cloned().collect::<Vec<_>>().join(" and ") }
}

fn all(ways: &[Way]) -> String {
    ways.iter().map(together).collect::<Vec<_>>().join(", or ")
}
