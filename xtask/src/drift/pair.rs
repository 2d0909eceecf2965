//! One operation in both files: its hosts, authentication, bodies and responses are compared here. Parameters are compared by
//! [`super::parameters`], and schemas by [`super::schemas`].

use std::collections::BTreeMap;

use anyhow::Result;

use super::{
    Class, Direction,
    api::{Api, Operation},
    found::{Found, Place},
    parameters,
    schemas::{self, json_schema},
    security::Security,
};
use crate::{
    json_pointer::join,
    keywords::Kind,
    openapi::{is_true, members, text, texts},
    references::Resolved,
};

/// Compares an operation of ours with a published one. `moved` says whether its generation has changed.
pub(super) fn compare<'d>(
    found: &mut Found<'_, 'd>,
    ours: &Operation<'d>,
    published: &Operation<'d>,
    moved: bool,
) -> Result<()> {
    let place = Place::new("operation", &ours.pointer, &published.pointer);
    if moved {
        let message = format!("{} is published as {}", ours.title(), published.title());
        found.add(place, Class::BreaksCallers, "operation", message);
    }
    if is_true(published.node, "deprecated") && !is_true(ours.node, "deprecated") {
        found.add(place, Class::New, "deprecated", "is deprecated");
    }
    found.unreadable(Kind::Operation, "operation", &ours.pointer, &published.pointer);
    found.unreadable(Kind::PathItem, "path", &ours.item, &published.item);
    hosts(found, ours, published);
    security(found, ours, published)?;
    // The permission that a key needs, if the published file states it.
    let permission = text(ours.node, "x-permission");
    let stated = &published.node["x-coralogixPermissions"];
    if stated.is_array() && !texts(stated).eq([permission]) {
        let stated = texts(stated).collect::<Vec<_>>().join(", ");
        let message = format!("requires the permission `{permission}`, published as `{stated}`");
        found.add(place, Class::New, format!("permission: {stated}"), message);
    }
    parameters::compare(found, ours, published)?;
    body(found, ours, published)?;
    responses(found, ours, published)
}

/// Compares hosts. A file lists only some of the regions. If it lists none of ours, the service has moved.
fn hosts(found: &mut Found<'_, '_>, ours: &Operation<'_>, published: &Operation<'_>) {
    if ours.hosts.is_empty() {
        return;
    }
    let moved = ours.hosts.is_disjoint(&published.hosts);
    let (class, hint) = if moved { (Class::BreaksCallers, " and at no known host") } else { (Class::New, "") };
    for host in published.hosts.difference(&ours.hosts) {
        let message = format!("is served at the unknown host `{host}`{hint}");
        let place = Place::new("servers", "/servers/0", "/servers");
        found.add(place, class, format!("server: {host}"), message);
    }
}

fn security(found: &mut Found<'_, '_>, ours: &Operation<'_>, published: &Operation<'_>) -> Result<()> {
    let (ours, published) = (Security::read(found.ours, ours)?, Security::read(found.published, published)?);
    for (class, subject, message) in ours.differences(&published) {
        let place = Place::new("security", &ours.pointer, &published.pointer);
        found.add(place, class, format!("security: {subject}"), message);
    }
    for (name, pointer) in &published.schemes {
        found.unreadable(Kind::SecurityScheme, &format!("security scheme {name}"), &ours.pointer, pointer);
    }
    Ok(())
}

fn body<'d>(found: &mut Found<'_, 'd>, ours: &Operation<'d>, published: &Operation<'d>) -> Result<()> {
    let read = |api: &Api<'d>, operation: &Operation<'d>| -> Result<Option<Resolved<'d>>> {
        let stated = operation.node.get("requestBody");
        stated.map(|_| api.resolve(&join(&operation.pointer, "requestBody"))).transpose()
    };
    let label = "request body";
    match (read(found.ours, ours)?, read(found.published, published)?) {
        (None, None) => {}
        (None, Some((pointer, node))) => {
            let (class, kind) =
                if is_true(node, "required") { (Class::BreaksCallers, " as required") } else { (Class::New, "") };
            let message = format!("is published{kind}, but the SDK sends none");
            found.add(Place::new(label, &ours.pointer, &pointer), class, "body", message);
        }
        (Some((pointer, _)), None) => {
            let place = Place::new(label, &pointer, &published.pointer);
            found.add(place, Class::BreaksCallers, "absent", "is not published, so that it would be ignored");
        }
        (Some(ours), Some(published)) => {
            found.unreadable(Kind::RequestBody, label, &ours.0, &published.0);
            content(found, Direction::Request, label, &ours, &published)?;
        }
    }
    Ok(())
}

/// Compares the JSON schemas of two bodies.
fn content(
    found: &mut Found<'_, '_>,
    direction: Direction,
    label: &str,
    (pointer, ours): &Resolved<'_>,
    (other, published): &Resolved<'_>,
) -> Result<()> {
    let Some((ours, _)) = json_schema(ours, pointer) else { return Ok(()) };
    let Some((published, media)) = json_schema(published, other) else {
        let message = "is published without a schema for `application/json`";
        found.add(Place::new(label, pointer, other), direction.refused(), "body", message);
        return Ok(());
    };
    found.unreadable(Kind::MediaType, label, pointer, &media);
    schemas::compare(found, direction, ours, published, label)
}

/// The responses by status (`2XX` in capitals).
type Statuses<'d> = BTreeMap<String, Resolved<'d>>;

fn responses<'d>(found: &mut Found<'_, 'd>, ours: &Operation<'d>, published: &Operation<'d>) -> Result<()> {
    let at = [ours, published].map(|operation| join(&operation.pointer, "responses"));
    let read = |api: &Api<'d>, operation: &Operation<'d>, pointer: &str| -> Result<Statuses<'d>> {
        let stated = members(&operation.node["responses"]).filter(|(status, _)| !status.starts_with("x-"));
        let resolved = stated.map(|(status, _)| {
            let name = if status == "default" { status.clone() } else { status.to_ascii_uppercase() };
            Ok((name, api.resolve(&join(pointer, status))?))
        });
        resolved.collect()
    };
    let (ours, published) = (read(found.ours, ours, &at[0])?, read(found.published, published, &at[1])?);
    if let Some(success) = ours.get("200") {
        // `2XX` includes 200, and so does `default` if no successful status is listed.
        let stated = published.get("200").or_else(|| published.get("2XX"));
        let any_success = published.keys().any(|status| status.starts_with('2'));
        let label = "response 200";
        if let Some(other) = stated.or_else(|| published.get("default").filter(|_| !any_success)) {
            found.unreadable(Kind::Response, label, &success.0, &other.0);
            content(found, Direction::Response, label, success, other)?;
        } else {
            let others: Vec<&str> = published.keys().map(String::as_str).collect();
            let message = format!("is not published, which has {}", others.join(", "));
            found.add(Place::new(label, &success.0, &at[1]), Class::BreaksDecoding, "absent", message);
        }
    }
    for (status, (pointer, _)) in &published {
        let covered = ["200", "2XX", "default"].contains(&status.as_str()) || is_error(status);
        if !covered && !ours.contains_key(status) {
            let place = Place::new("responses", &at[0], pointer);
            found.add(place, Class::New, format!("status: {status}"), format!("we lack the status {status}"));
        }
    }
    let place = Place::new("responses", &at[0], &at[1]);
    let more = errors_only_in(&published, &ours);
    if !more.is_empty() {
        let message = format!("we do not list the errors {more}");
        found.add(place, Class::Cosmetic, format!("status: {more}"), message);
    }
    let fewer = errors_only_in(&ours, &published);
    if !fewer.is_empty() && !published.contains_key("default") {
        found.add(place, Class::Cosmetic, "absent", format!("does not list our errors {fewer}"));
    }
    Ok(())
}

fn is_error(status: &str) -> bool {
    status.starts_with(['4', '5'])
}

/// The error statuses that only the first operation lists. A range such as `4XX` is the same as each status within it.
fn errors_only_in(statuses: &Statuses<'_>, others: &Statuses<'_>) -> String {
    let is_same = |one: &str, other: &str| {
        one == other || one[..1] == other[..1] && (one.ends_with("XX") || other.ends_with("XX"))
    };
    let errors = |statuses: &Statuses<'_>| -> Vec<String> {
        statuses.keys().filter(|status| is_error(status)).cloned().collect()
    };
    let others = errors(others);
    let only = errors(statuses).into_iter().filter(|status| !others.iter().any(|other| is_same(status, other)));
    only.collect::<Vec<_>>().join(", ")
}
