//! One operation in both files: its hosts, authentication, bodies and responses are compared here. Schemas are compared by
//! [`super::schemas`].

use std::{collections::BTreeMap, rc::Rc};

use anyhow::Result;
use serde_json::Value;

use super::{
    Class, Direction,
    api::{Api, Operation},
    deviation::Ancestors,
    schemas::{Finding, Walk, json_schema},
    security::Security,
    shape::is_true,
};
use crate::{json_pointer::join, keywords::Kind, openapi::text};

/// One operation in both files.
pub(super) struct OperationPair<'a, 'd> {
    pub(super) walk: Walk<'a, 'd>,
    pub(super) files: (&'a Api<'d>, &'a Api<'d>),
    pub(super) ancestors: Rc<Ancestors>,
    pub(super) ours: &'a Operation<'d>,
    pub(super) published: &'a Operation<'d>,
}

impl<'d> OperationPair<'_, 'd> {
    /// Records a difference between the two operations as a whole.
    pub(super) fn add(&mut self, class: Class, subject: impl Into<String>, place: &str, message: String) {
        let (ours, published) = (self.ours.pointer.clone(), self.published.pointer.clone());
        self.add_at(class, subject, place, message, &ours, &published);
    }

    fn add_at(
        &mut self,
        class: Class,
        subject: impl Into<String>,
        place: &str,
        message: String,
        ours: &str,
        published: &str,
    ) {
        let subject = subject.into();
        self.walk.add(&self.ancestors, Finding { class, subject, place, name: "", message, ours: &[ours], published });
    }

    pub(super) fn unreadable(&mut self, kind: Kind, place: &str, ours: &str, published: &str) {
        if let Some(node) = self.files.1.document.get(published) {
            self.walk.unreadable(&self.ancestors, kind, place, ours, (published, node));
        }
    }

    /// Compares hosts. A file lists only some of the regions. If it lists none of ours, the service has moved.
    pub(super) fn hosts(&mut self) {
        let (ours, published) = (Rc::clone(&self.ours.hosts), Rc::clone(&self.published.hosts));
        if ours.is_empty() || published.is_empty() {
            return;
        }
        let moved = ours.is_disjoint(&published);
        for host in published.difference(&ours) {
            let class = if moved { Class::BreaksCallers } else { Class::New };
            let hint = if moved { " and at no known host" } else { "" };
            let message = format!("is served at the unknown host `{host}`{hint}");
            self.add_at(class, format!("server: {host}"), "servers", message, "/servers/0", "/servers");
        }
    }

    pub(super) fn security(&mut self) -> Result<()> {
        let ours = Security::read(self.files.0, self.ours)?;
        let published = Security::read(self.files.1, self.published)?;
        for (class, subject, message) in ours.differences(&published) {
            self.add_at(class, subject, "security", message, &ours.pointer, &published.pointer);
        }
        for (name, pointer) in &published.schemes {
            self.unreadable(Kind::SecurityScheme, &format!("security scheme {name}"), &ours.pointer, pointer);
        }
        Ok(())
    }

    /// Compares the permission that a key needs, if the published file states it.
    pub(super) fn permission(&mut self) {
        let ours = text(self.ours.node, "x-permission");
        let Some(published) = self.published.node.get("x-coralogixPermissions").and_then(Value::as_array) else {
            return;
        };
        let published: Vec<&str> = published.iter().filter_map(Value::as_str).collect();
        if published != [ours] {
            let published = published.join(", ");
            let message = format!("requires the permission `{ours}`, published as `{published}`");
            self.add(Class::New, format!("permission: {published}"), "operation", message);
        }
    }

    pub(super) fn body(&mut self) -> Result<()> {
        let place = "request body";
        match (body(self.files.0, self.ours)?, body(self.files.1, self.published)?) {
            (None, None) => {}
            (None, Some((pointer, node))) => {
                let required = is_true(node, "required");
                let class = if required { Class::BreaksCallers } else { Class::New };
                let message =
                    format!("is published{}, but the SDK sends none", if required { " as required" } else { "" });
                let own = self.ours.pointer.clone();
                self.add_at(class, "body", place, message, &own, &pointer);
            }
            (Some((pointer, _)), None) => {
                let published = self.published.pointer.clone();
                let message = "is not published, so that it would be ignored".to_owned();
                self.add_at(Class::BreaksCallers, "absent", place, message, &pointer, &published);
            }
            (Some((pointer, node)), Some((other, published))) => {
                self.unreadable(Kind::RequestBody, place, &pointer, &other);
                self.content(Direction::Request, place, (&pointer, node), (&other, published))?;
            }
        }
        Ok(())
    }

    /// Compares the JSON schemas of two bodies.
    fn content(
        &mut self,
        direction: Direction,
        place: &str,
        (pointer, node): (&str, &Value),
        (other, published): (&str, &Value),
    ) -> Result<()> {
        let Some((one, _)) = json_schema(&node["content"], &join(pointer, "content")) else { return Ok(()) };
        let found = published.get("content").and_then(|content| json_schema(content, &join(other, "content")));
        let Some((schema, media)) = found else {
            let message = "is published without a schema for `application/json`".to_owned();
            self.add_at(direction.refused(), "body", place, message, pointer, other);
            return Ok(());
        };
        self.unreadable(Kind::MediaType, place, pointer, &media);
        let ancestors = self.ancestors.child(pointer);
        self.walk.schemas(direction, &one, &schema, place, &ancestors)
    }

    pub(super) fn responses(&mut self) -> Result<()> {
        let ours = statuses(self.files.0, self.ours)?;
        let published = statuses(self.files.1, self.published)?;
        if let Some((pointer, node)) = ours.get("200") {
            // `2XX` includes 200, and so does `default` if no successful status is listed.
            let stated = published.get("200").or_else(|| published.get("2XX"));
            let any_success = published.keys().any(|status| status.starts_with('2'));
            let place = "response 200";
            match stated.or_else(|| published.get("default").filter(|_| !any_success)) {
                None => {
                    let others: Vec<&str> = published.keys().map(String::as_str).collect();
                    let message = format!("is not published, which has {}", others.join(", "));
                    let at = join(&self.published.pointer, "responses");
                    self.add_at(Class::BreaksDecoding, "absent", place, message, pointer, &at);
                }
                Some((other, published)) => {
                    self.unreadable(Kind::Response, place, pointer, other);
                    self.content(Direction::Response, place, (pointer, node), (other, published))?;
                }
            }
        }
        for (status, (pointer, _)) in &published {
            let covered = ["200", "2XX", "default"].contains(&status.as_str()) || status.starts_with(['4', '5']);
            if !covered && !ours.contains_key(status) {
                let own = join(&self.ours.pointer, "responses");
                let message = format!("we lack the status {status}");
                self.add_at(Class::New, format!("status: {status}"), "responses", message, &own, pointer);
            }
        }
        self.errors(&ours, &published);
        Ok(())
    }

    /// Reports error statuses that only one of the files lists. A range such as `4XX` covers each status within it.
    fn errors(&mut self, ours: &Statuses<'d>, published: &Statuses<'d>) {
        let failures = |statuses: &Statuses<'d>| -> Vec<String> {
            statuses.keys().filter(|status| status.starts_with(['4', '5'])).cloned().collect()
        };
        let default = published.contains_key("default");
        let (ours, published) = (failures(ours), failures(published));
        let covered = |status: &String, by: &[String]| {
            let digit = &status[..1];
            by.iter().any(|other| other == status || other[1..].eq_ignore_ascii_case("XX") && other.starts_with(digit))
                || status[1..].eq_ignore_ascii_case("XX") && by.iter().any(|other| other.starts_with(digit))
        };
        let only = |some: &[String], others: &[String]| -> String {
            some.iter().filter(|status| !covered(status, others)).cloned().collect::<Vec<_>>().join(", ")
        };
        let (more, fewer) = (only(&published, &ours), only(&ours, &published));
        let at = (join(&self.ours.pointer, "responses"), join(&self.published.pointer, "responses"));
        if !more.is_empty() {
            let (subject, message) = (format!("status: {more}"), format!("we do not list the errors {more}"));
            self.add_at(Class::Cosmetic, subject, "responses", message, &at.0, &at.1);
        }
        if !fewer.is_empty() && !default {
            let message = format!("does not list our errors {fewer}");
            self.add_at(Class::Cosmetic, "absent", "responses", message, &at.0, &at.1);
        }
    }
}

/// The responses by status (`2XX` in capitals), with the pointers at the end of their references.
type Statuses<'d> = BTreeMap<String, (String, &'d Value)>;

fn statuses<'d>(api: &Api<'d>, operation: &Operation<'d>) -> Result<Statuses<'d>> {
    let pointer = join(&operation.pointer, "responses");
    let mut statuses = Statuses::new();
    let stated = operation.node.get("responses").and_then(Value::as_object).into_iter().flat_map(serde_json::Map::keys);
    for status in stated.filter(|status| !status.starts_with("x-")) {
        let name = if status == "default" { status.clone() } else { status.to_ascii_uppercase() };
        statuses.insert(name, api.resolve(&join(&pointer, status))?);
    }
    Ok(statuses)
}

fn body<'d>(api: &Api<'d>, operation: &Operation<'d>) -> Result<Option<(String, &'d Value)>> {
    let Some(_) = operation.node.get("requestBody") else { return Ok(None) };
    api.resolve(&join(&operation.pointer, "requestBody")).map(Some)
}
