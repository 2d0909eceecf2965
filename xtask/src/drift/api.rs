//! An OpenAPI 3 file as its operations, however it is written. It must not know that there are two files to compare.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::{
    document::Document,
    json_pointer::join,
    openapi::{METHODS, text, version},
};

/// What stands before the paths of all generations.
const BASE: &str = "/mgmt/openapi";

pub(super) struct Api<'d> {
    pub(super) document: &'d Document,
    pub(super) operations: Vec<Operation<'d>>,
}

/// One method of one path.
pub(super) struct Operation<'d> {
    /// The `operationId`, or method and path where there is none.
    pub(super) id: String,
    pub(super) method: &'static str,
    pub(super) path: &'d str,
    pub(super) routes: BTreeSet<Route>,
    pub(super) pointer: String,
    pub(super) item: String,
    pub(super) node: &'d Value,
}

/// A path below the base URL, without the names of its parameters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Route {
    /// The number before the path, `5` in `/5/incidents`.
    pub(super) generation: Option<String>,
    pub(super) path: String,
}

impl Route {
    fn new(server: &str, path: &str) -> Self {
        let whole = format!("{}{path}", server.trim_end_matches('/'));
        let whole = whole.split_once(BASE).map_or(whole.as_str(), |(_, rest)| rest);
        let mut plain = String::new();
        for (index, part) in whole.trim_matches('/').split('{').enumerate() {
            match part.split_once('}') {
                Some((_, rest)) if index > 0 => plain.extend(["{}", rest]),
                _ => plain.push_str(part),
            }
        }
        let (first, rest) = plain.split_once('/').unwrap_or((&plain, ""));
        if !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self { generation: Some(first.to_owned()), path: rest.to_owned() };
        }
        Self { generation: None, path: plain }
    }

    /// The segments of the path that are no version, neither `v2` nor `2`: they stay when the vendor counts one up.
    pub(super) fn unversioned(&self) -> impl Iterator<Item = &str> {
        let version = |segment: &str| segment.strip_prefix('v').unwrap_or(segment).parse::<u32>().is_ok();
        self.path.split('/').filter(move |segment| !version(segment))
    }

    /// Whether the path is about incidents: its first segment that is no version begins so.
    pub(super) fn is_of_incidents(&self) -> bool {
        self.unversioned().next().is_some_and(|segment| segment.starts_with("incidents"))
    }
}

impl Operation<'_> {
    pub(super) fn tags(&self) -> impl Iterator<Item = &str> {
        self.node.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    pub(super) fn title(&self) -> String {
        format!("{} {}", self.method.to_uppercase(), self.path)
    }
}

impl<'d> Api<'d> {
    pub(super) fn read(document: &'d Document) -> Result<Self> {
        let mut api = Self { document, operations: Vec::new() };
        api.version()?;
        let Some(paths) = document.get("/paths").and_then(Value::as_object) else {
            bail!("{}: the file has no `paths`", document.path().display());
        };
        for path in paths.keys() {
            // What is broken elsewhere in a file of the vendor's whole API is none of our business.
            let is_of_incidents = Route::new("", path).is_of_incidents();
            let (item, node) = match api.resolve(&join("/paths", path)) {
                Err(_) if !is_of_incidents => continue,
                resolved => resolved?,
            };
            for method in METHODS {
                let Some(operation) = node.get(method) else { continue };
                let pointer = join(&item, method);
                if !operation.is_object() {
                    if !is_of_incidents {
                        continue;
                    }
                    bail!("{}: an operation must be a mapping", document.location(&pointer));
                }
                let mut routes = BTreeSet::new();
                for server in servers([operation, node, document.root()]) {
                    routes.insert(Route::new(&server, path));
                }
                let id = text(operation, "operationId");
                let id = if id.is_empty() { format!("{} {path}", method.to_uppercase()) } else { id.to_owned() };
                api.operations.push(Operation {
                    id,
                    method,
                    path,
                    routes,
                    pointer,
                    item: item.clone(),
                    node: operation,
                });
            }
        }
        Ok(api)
    }

    fn version(&self) -> Result<()> {
        let root = self.document.root();
        let version = version(root);
        if version.split('.').take(2).eq(["3", "0"]) || version.split('.').take(2).eq(["3", "1"]) {
            return Ok(());
        }
        if let Some(swagger) = root.get("swagger") {
            let location = self.document.location("/swagger");
            bail!(
                "{location}: this is Swagger {swagger}: convert it to OpenAPI 3.0 first, with `npx swagger2openapi` for instance"
            );
        }
        let found = if version.is_empty() { "no `openapi: 3...`".to_owned() } else { format!("OpenAPI {version}") };
        bail!("{}: {found}: drift reads OpenAPI 3.0 and 3.1", self.document.location("/openapi"))
    }

    /// The node at a pointer once references are followed, and its own pointer.
    pub(super) fn resolve(&self, pointer: &str) -> Result<(String, &'d Value)> {
        let mut pointer = pointer.to_owned();
        let mut seen = BTreeSet::new();
        loop {
            let Some(node) = self.document.get(&pointer) else {
                bail!("{}: there is no `{pointer}`", self.document.location(&pointer));
            };
            let Some(target) = self.target(&pointer, node)? else { return Ok((pointer, node)) };
            if !seen.insert(pointer.clone()) {
                bail!("{}: this `$ref` leads back to itself", self.document.location(&join(&pointer, "$ref")));
            }
            pointer = target;
        }
    }

    /// What the `$ref` of a node refers to, if it has one.
    pub(super) fn target(&self, pointer: &str, node: &Value) -> Result<Option<String>> {
        let Some(reference) = node.get("$ref") else { return Ok(None) };
        let location = self.document.location(&join(pointer, "$ref"));
        let Some(reference) = reference.as_str() else { bail!("{location}: a `$ref` must be text") };
        let Some(target) = reference.strip_prefix('#') else {
            bail!("{location}: `$ref: {reference}` leaves this file: bundle it into one file first");
        };
        // A pointer in a URI may be percent-encoded, as the braces of a path often are.
        let target = if self.document.get(target).is_some() { target.to_owned() } else { percent_decoded(target) };
        if self.document.get(&target).is_none() {
            bail!("{location}: `$ref: {reference}` refers to nothing in this file");
        }
        Ok(Some(target))
    }
}

/// The servers' addresses with their variables' defaults, of the innermost node that states any.
fn servers(nodes: [&Value; 3]) -> Vec<String> {
    let stated =
        nodes.into_iter().find_map(|node| node.get("servers")?.as_array().filter(|servers| !servers.is_empty()));
    let Some(stated) = stated else { return vec![String::new()] };
    let address = |server: &Value| {
        let mut url = text(server, "url").to_owned();
        for (name, variable) in server.get("variables").and_then(Value::as_object).into_iter().flatten() {
            url = url.replace(&format!("{{{name}}}"), text(variable, "default"));
        }
        // Only the path matters, and `https://` would be in the way of finding it.
        match url.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or_else(String::new, |start| rest[start..].to_owned()),
            None => url,
        }
    };
    stated.iter().map(address).collect()
}

fn percent_decoded(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_the_same_however_base_and_generation_are_written() {
        let route = Route { generation: Some("5".to_owned()), path: "incidents/incidents/v1/{}/events".to_owned() };
        for (server, path) in [
            ("/mgmt/openapi/5", "/incidents/incidents/v1/{incident_id}/events"),
            ("/mgmt/openapi/5/", "/incidents/incidents/v1/{id}/events/"),
            ("/mgmt/openapi", "/5/incidents/incidents/v1/{id}/events"),
            ("", "/mgmt/openapi/5/incidents/incidents/v1/{id}/events"),
            ("/", "/5/incidents/incidents/v1/{id}/events"),
        ] {
            assert_eq!(Route::new(server, path), route, "{server} {path}");
        }
        assert_eq!(Route::new("", "/v1/incidents:unassign").path, "v1/incidents:unassign");
        assert!(Route::new("", "/v1/incidents:unassign").is_of_incidents());
        assert!(Route::new("", "/5/incidents/filter-values/v1").is_of_incidents());
        assert!(!Route::new("", "/v1/alerts/incidents").is_of_incidents());
    }

    #[test]
    fn server_variables_take_their_defaults() {
        let root = serde_json::json!({ "servers": [
            { "url": "https://{host}/mgmt/openapi/{version}", "variables": { "version": { "default": "5" } } },
            { "url": "https://api.example.com" },
        ]});
        assert_eq!(servers([&Value::Null, &Value::Null, &root]), ["/mgmt/openapi/5", ""]);
    }

    #[test]
    fn percent_encoding_is_undone_and_nonsense_is_kept() {
        assert_eq!(percent_decoded("/a%7Bid%7d/%zz%"), "/a{id}/%zz%");
        assert_eq!(percent_decoded("%é%4"), "%é%4");
    }
}
