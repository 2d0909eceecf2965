//! Reads the operations of an OpenAPI 3 file. This module must not know that two files are compared.

use std::{
    cell::RefCell,
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

use anyhow::{Result, bail};
use serde_json::Value;

use super::shape::Shape;
use crate::{
    document::Document,
    json_pointer::join,
    openapi::{METHODS, items, members, text, texts, version},
    references::{self, Resolved},
};

/// The maximum number of addresses that are expanded from the variables of one server.
const MAX_ADDRESSES: usize = 1_000;
/// The base path of all generations.
const BASE: &str = "/mgmt/openapi";
/// The path segment that stands for the newest generation instead of a number.
pub(super) const LATEST: &str = "latest";

pub(super) struct Api<'d> {
    pub(super) document: &'d Document,
    pub(super) operations: Vec<Operation<'d>>,
    /// A cache of the schemas that were read, by their pointers.
    shapes: RefCell<HashMap<Vec<String>, Rc<Shape<'d>>>>,
}

/// One method of one path.
pub(super) struct Operation<'d> {
    /// The `operationId`, or method and path where there is none.
    pub(super) id: String,
    pub(super) method: &'static str,
    pub(super) path: &'d str,
    pub(super) routes: BTreeSet<Route>,
    /// The hosts of its servers. Empty if the addresses are relative.
    pub(super) hosts: BTreeSet<String>,
    pub(super) pointer: String,
    pub(super) item: String,
    pub(super) node: &'d Value,
}

/// A path below the base URL, without the names of its parameters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Route {
    /// The segment before the path that names the generation: `5` in `/5/incidents`, or `latest`.
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
        if first == LATEST || !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self { generation: Some(first.to_owned()), path: rest.to_owned() };
        }
        Self { generation: None, path: plain }
    }

    /// The segments of the path without versions (`v2` or `2`). They stay the same when the vendor increments a version.
    pub(super) fn unversioned(&self) -> impl Iterator<Item = &str> {
        let version = |segment: &str| segment.strip_prefix('v').unwrap_or(segment).parse::<u32>().is_ok();
        self.path.split('/').filter(move |segment| !version(segment))
    }

    /// Whether the path belongs to the incidents service: its first segment after the version starts with `incidents`.
    pub(super) fn is_of_incidents(&self) -> bool {
        self.unversioned().next().is_some_and(|segment| segment.starts_with("incidents"))
    }
}

impl Operation<'_> {
    pub(super) fn tags(&self) -> impl Iterator<Item = &str> {
        texts(&self.node["tags"])
    }

    pub(super) fn title(&self) -> String {
        format!("{} {}", self.method.to_uppercase(), self.path)
    }
}

impl<'d> Api<'d> {
    pub(super) fn read(document: &'d Document) -> Result<Self> {
        let mut api = Self { document, operations: Vec::new(), shapes: RefCell::default() };
        api.version()?;
        let Some(paths) = document.get("/paths").and_then(Value::as_object) else {
            bail!("{}: the file has no `paths`", document.path().display());
        };
        for (path, path_item) in paths {
            // A file may describe the vendor's whole API. Mistakes in other parts of it are ignored.
            let is_of_incidents = Route::new("", path).is_of_incidents();
            let (item, node) = match api.resolve(&join("/paths", path)) {
                Err(_) if !is_of_incidents => continue,
                resolved => resolved?,
            };
            let is_ref = path_item.get("$ref").is_some();
            if is_of_incidents && is_ref && METHODS.iter().any(|method| path_item.get(*method).is_some()) {
                let location = document.location(&join(&join("/paths", path), "$ref"));
                bail!(
                    "{location}: this path has a `$ref` and operations of its own: move them into the node to which it refers"
                );
            }
            for method in METHODS {
                let Some(operation) = node.get(method) else { continue };
                let pointer = join(&item, method);
                if !operation.is_object() {
                    if !is_of_incidents {
                        continue;
                    }
                    bail!("{}: an operation must be a mapping", document.location(&pointer));
                }
                let (prefixes, hosts) = servers([operation, node, document.root()]);
                let routes = prefixes.iter().map(|prefix| Route::new(prefix, path)).collect();
                let mut operation = Operation {
                    id: String::new(),
                    method,
                    path,
                    routes,
                    hosts,
                    pointer,
                    item: item.clone(),
                    node: operation,
                };
                let id = text(operation.node, "operationId");
                operation.id = if id.is_empty() { operation.title() } else { id.to_owned() };
                api.operations.push(operation);
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
            let advice = "convert it to OpenAPI 3.0 first, with `npx swagger2openapi` for instance";
            bail!("{location}: this is Swagger {swagger}: {advice}");
        }
        let found = if version.is_empty() { "no `openapi: 3...`".to_owned() } else { format!("OpenAPI {version}") };
        bail!("{}: {found}: drift reads OpenAPI 3.0 and 3.1", self.document.location("/openapi"))
    }

    /// The schemas at some pointers, merged into one.
    pub(super) fn shape(&self, places: &[String]) -> Result<Rc<Shape<'d>>> {
        let resolved = places.iter().map(|place| Ok(references::resolve_bare(self.document, place)?.0));
        let resolved = resolved.collect::<Result<Vec<String>, _>>().map_err(|problem| self.document.error(&problem))?;
        if let Some(known) = self.shapes.borrow().get(&resolved) {
            return Ok(Rc::clone(known));
        }
        let shape = Rc::new(Shape::read(self.document, &resolved)?);
        self.shapes.borrow_mut().insert(resolved, Rc::clone(&shape));
        Ok(shape)
    }

    /// Follows references from a pointer.
    pub(super) fn resolve(&self, pointer: &str) -> Result<Resolved<'d>> {
        references::resolve(self.document, pointer).map_err(|problem| self.document.error(&problem))
    }
}

/// The base paths and the hosts of the servers of the innermost node that states any.
fn servers(nodes: [&Value; 3]) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut prefixes, mut hosts) = (BTreeSet::new(), BTreeSet::new());
    let stated = nodes.into_iter().map(|node| items(&node["servers"])).find(|servers| !servers.is_empty());
    for url in stated.into_iter().flatten().flat_map(addresses) {
        if let Some((_, rest)) = url.split_once("://") {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            hosts.insert(host.to_ascii_lowercase());
            prefixes.insert(path.to_owned());
        } else {
            prefixes.insert(url);
        }
    }
    if prefixes.is_empty() {
        prefixes.insert(String::new());
    }
    (prefixes, hosts)
}

/// The addresses of a server, one for each combination of the values that its variables list.
fn addresses(server: &Value) -> Vec<String> {
    let mut urls = vec![text(server, "url").to_owned()];
    for (name, variable) in members(&server["variables"]) {
        let values: BTreeSet<&str> = texts(&variable["enum"]).chain([text(variable, "default")]).collect();
        let name = format!("{{{name}}}");
        // Several variables with many values each would multiply.
        if urls.len() * values.len() <= MAX_ADDRESSES {
            urls = urls.iter().flat_map(|url| values.iter().map(|value| url.replace(&name, value))).collect();
        } else {
            urls = urls.iter().map(|url| url.replace(&name, text(variable, "default"))).collect();
        }
    }
    urls
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
    fn server_variables_take_each_of_their_values() {
        let root = serde_json::json!({ "servers": [
            { "url": "https://{host}/mgmt/openapi/{version}", "variables": {
                "version": { "default": "5" }, "host": { "default": "a.example.com", "enum": ["B.example.com"] },
            } },
            { "url": "https://api.example.com" },
            { "url": "/base" },
        ]});
        let (prefixes, hosts) = servers([&Value::Null, &serde_json::json!({ "servers": [] }), &root]);
        assert_eq!(prefixes.iter().collect::<Vec<_>>(), ["", "/base", "/mgmt/openapi/5"]);
        assert_eq!(hosts.iter().collect::<Vec<_>>(), ["a.example.com", "api.example.com", "b.example.com"]);
        assert_eq!(servers([&Value::Null; 3]).0.iter().collect::<Vec<_>>(), [""]);
    }
}
