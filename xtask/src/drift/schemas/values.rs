//! Compares which values two schemas allow, apart from the members and elements of these values.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Both, Walk};
use crate::{
    drift::{
        Class, Direction,
        shape::{Shape, plain},
    },
    keywords::{self, Kind, Narrows, Rule},
};

impl<'d> Walk<'_, '_, 'd> {
    pub(super) fn deprecated(&mut self, both: &Both<'d>) {
        if both.published.deprecated && !both.ours.deprecated && !both.pair.name.is_empty() {
            self.at(both, Class::New, "deprecated", "is deprecated");
        }
    }

    /// Checks for new `null` values. A member may be `null`, which is read as absent and never sent. A body, an item of a list and
    /// a value of a map may not, except for enums, which read it as their default.
    pub(super) fn nullable(&mut self, both: &Both<'d>) {
        let refused = both.pair.name.is_empty() && both.ours.values.is_none() && !both.ours.nullable;
        if self.direction == Direction::Response && both.published.nullable && refused {
            self.at(both, Class::BreaksDecoding, "nullable", "may be `null`, which the SDK cannot read here");
        }
    }

    /// Compares what an absent value means. The SDK reads it as the default of the type, as protobuf does.
    pub(super) fn default(&mut self, both: &Both<'d>) {
        let Both { ours, published, .. } = both;
        let is_zero = |value: &Value| {
            let zero_values = [ours, published].map(|shape| shape.values.as_ref()?.first());
            match value {
                Value::Null | Value::Bool(false) => true,
                Value::Number(number) => number.as_f64() == Some(0.0),
                Value::String(text) => text.is_empty() || zero_values.contains(&Some(text)),
                Value::Array(items) => items.is_empty(),
                Value::Object(members) => members.is_empty(),
                Value::Bool(true) => false,
            }
        };
        let stated = |shape: &Shape<'d>| shape.default.filter(|value| !is_zero(value));
        let (old, new) = (stated(ours), stated(published));
        if old != new {
            let text = |value: Option<&Value>| {
                value.map_or_else(|| "no default".to_owned(), |value| format!("the default `{}`", plain(value)))
            };
            let message = format!("has {}, published with {}", text(old), text(new));
            let subject = format!("default: {}", new.map_or_else(|| "none".to_owned(), plain));
            self.at(both, Class::New, subject, message);
        }
    }

    /// Compares JSON types. Returns whether the contents can be compared.
    pub(super) fn types(&mut self, both: &Both<'d>) -> bool {
        let (Both { ours, published, .. }, direction) = (both, self.direction);
        if published.never && !ours.never {
            let outcome = direction.choose("the service rejects it", "it is read as its default");
            let message = format!("is published as never set, so that {outcome}");
            self.at(both, direction.choose(Class::BreaksCallers, Class::New), "type: never", message);
            return false;
        }
        if ours.types.is_empty() {
            return false;
        }
        if published.types.is_empty() {
            let message = format!("is {}, published without a type", ours.types_text());
            self.at(both, Class::Cosmetic, "type: any", message);
            return false;
        }
        let other_kind = ours.types.contains("object")
            && published.types.contains("object")
            && (ours.is_map() && published.is_message() || published.is_map() && ours.is_message());
        if ours.types == published.types && !other_kind {
            return true;
        }
        let (sent, read) = direction.choose((ours, published), (published, ours));
        let taken = |kind: &&str| read.types.contains(kind) || *kind == "integer" && read.types.contains("number");
        let text =
            |shape: &Shape<'_>| if other_kind && !shape.is_map() { "message".to_owned() } else { described(shape) };
        let message = format!("is {}, published as {}", text(ours), text(published));
        // A message without members can be read as an empty map.
        let fits = sent.types.iter().all(taken) && (!other_kind || sent.is_message() && sent.members.is_empty());
        let class = if is_integer(ours) && is_integer(published) {
            // Whether it is text or a number does not matter, but its range does.
            format_class(direction, "integer", ours.format, published.format)
        } else if fits {
            Class::Cosmetic
        } else {
            direction.refused()
        };
        self.at(both, class, format!("type: {}", text(published)), message);
        class == Class::Cosmetic && ours.types.iter().any(|kind| published.types.contains(kind))
    }

    /// Reports keywords that cannot be evaluated, and compares those that are not interpreted.
    pub(super) fn keywords(&mut self, both: &Both<'d>) {
        for (pointer, keyword, message) in &both.published.unreadable {
            self.at_keyword(both, pointer, Class::New, format!("keyword: {keyword}"), message);
        }
        let (ours, published) = (&both.ours.as_written, &both.published.as_written);
        let names: BTreeSet<&str> = ours.keys().chain(published.keys()).copied().collect();
        for name in names.into_iter().filter(|name| ours.get(name) != published.get(name)) {
            let text = |value: Option<&&Value>| value.map_or_else(|| "nothing".to_owned(), |value| plain(value));
            let new = text(published.get(name));
            let message = format!("has `{name}: {}`, published as `{name}: {new}`", text(ours.get(name)));
            self.at_schema(both, Class::New, format!("{name}: {new}"), message);
        }
    }

    pub(super) fn format(&mut self, both: &Both<'d>) {
        let Both { ours, published, .. } = both;
        if ours.format == published.format || ours.values.is_some() {
            return;
        }
        let kind = ours.types.first().copied().unwrap_or_default();
        let class = format_class(self.direction, kind, ours.format, published.format);
        let text =
            |format: Option<&str>| format.map_or_else(|| "no format".to_owned(), |format| format!("format `{format}`"));
        let message = format!("has {}, published with {}", text(ours.format), text(published.format));
        self.at(both, class, format!("format: {}", published.format.unwrap_or("none")), message);
    }

    pub(super) fn values(&mut self, both: &Both<'d>) {
        let if_fewer = self.direction.choose(Class::BreaksCallers, Class::Cosmetic);
        match (&both.ours.values, &both.published.values) {
            (None, None) => {}
            (Some(_), None) => {
                self.at_schema(both, Class::Cosmetic, "enum: none", "is an enum, published without its values");
            }
            (None, Some(values)) => {
                let values = values.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
                let allowed =
                    if values.is_empty() { "an enum without values".to_owned() } else { format!("one of {values}") };
                let message = format!("may be any text, published as {allowed}");
                self.at(both, if_fewer, format!("enum: {values}"), message);
            }
            (Some(ours), Some(published)) => {
                for value in published.difference(ours) {
                    let message = format!("we lack the value `{value}`");
                    self.at_schema(both, Class::New, format!("value: {value}"), message);
                }
                let outcome = self.direction.choose("the service rejects it", "it is no longer sent");
                for value in ours.difference(published) {
                    let message = format!("no longer has the value `{value}`: {outcome}");
                    self.at_schema(both, if_fewer, format!("lost: {value}"), message);
                }
            }
        }
    }

    /// Compares the restrictions of a request. Restrictions that only our document states are not reported.
    pub(super) fn limits(&mut self, both: &Both<'d>) {
        if self.direction == Direction::Response {
            return;
        }
        for (limit, new) in &both.published.limits {
            let new_text = plain(new);
            let (class, message) = match both.ours.limits.get(limit) {
                Some(old) if old == new => continue,
                None => (Class::New, format!("is limited by `{limit}: {new_text}`")),
                Some(old) => {
                    let class = match tighter(limit, old, new) {
                        Some(true) => Class::BreaksCallers,
                        Some(false) => Class::Cosmetic,
                        None => Class::New,
                    };
                    (class, format!("has `{limit}: {}`, published as `{limit}: {new_text}`", plain(old)))
                }
            };
            self.at(both, class, format!("{limit}: {new_text}"), message);
        }
    }

    /// Compares the groups of members of which a request may or must set one.
    pub(super) fn choices(&mut self, both: &Both<'d>) {
        if self.direction == Direction::Response {
            return;
        }
        for choice in &both.published.choices {
            let mut ours = both.ours.choices.iter().filter(|ours| ours.alternatives == choice.alternatives);
            if ours.any(|ours| ours.required >= choice.required && ours.exclusive >= choice.exclusive) {
                continue;
            }
            let list = |quote: &str| {
                let together = |names: &BTreeSet<&str>| {
                    names.iter().map(|name| format!("{quote}{name}{quote}")).collect::<Vec<_>>().join(" and ")
                };
                choice.alternatives.iter().map(together).collect::<Vec<_>>().join(", ")
            };
            let verb = if choice.required { "requires one of" } else { "takes at most one of" };
            let (subject, message) = (format!("oneOf: {}", list("")), format!("{verb} {}", list("`")));
            self.at_schema(both, Class::New, subject, message);
        }
    }
}

/// Whether the new value of a restriction is stricter than the old one. `None` if that cannot be determined.
fn tighter(limit: &str, old: &Value, new: &Value) -> Option<bool> {
    let numbers = || Some((old.as_f64()?, new.as_f64()?));
    match keywords::rule(Kind::Schema, limit)? {
        Rule::Narrows(Narrows::BySmaller) => numbers().map(|(old, new)| new < old),
        Rule::Narrows(Narrows::ByLarger) => numbers().map(|(old, new)| new > old),
        Rule::Narrows(Narrows::ByTrue) => Some(new == &Value::Bool(true)),
        Rule::Narrows(Narrows::ByMultiple) => {
            let divides = |small: f64, large: f64| small > 0.0 && (large / small).fract() == 0.0;
            let (old, new) = numbers()?;
            Some(!divides(new, old))
        }
        _ => None,
    }
}

fn described(shape: &Shape<'_>) -> String {
    match shape.format {
        Some(format) if is_integer(shape) => format!("{} ({format})", shape.types_text()),
        _ => shape.types_text(),
    }
}

/// Whether it is an integer, as a number or as 64-bit text. The SDK reads both, as protobuf JSON requires.
fn is_integer(shape: &Shape<'_>) -> bool {
    let one = shape.types.len() == 1;
    one && (shape.types.contains("integer")
        || shape.types.contains("string") && matches!(shape.format, Some("int64" | "uint64")))
}

fn format_class(direction: Direction, kind: &str, ours: Option<&str>, published: Option<&str>) -> Class {
    if let (Some(ours), Some(published)) = (ours.and_then(range), published.and_then(range)) {
        let ((low, high), (read_low, read_high)) = direction.choose((ours, published), (published, ours));
        return if read_low <= low && high <= read_high { Class::Cosmetic } else { direction.refused() };
    }
    if kind != "string" {
        return Class::Cosmetic;
    }
    match (direction, ours, published) {
        // The SDK parses these formats, and keeps any other text as it is.
        (Direction::Response, Some("date-time" | "int64" | "uint64"), _) => Class::BreaksDecoding,
        (Direction::Response, ..) | (Direction::Request, _, None) => Class::Cosmetic,
        (Direction::Request, None, Some(_)) => Class::New,
        (Direction::Request, Some(_), Some(_)) => Class::BreaksCallers,
    }
}

fn range(format: &str) -> Option<(i128, i128)> {
    match format {
        "int32" => Some((i32::MIN.into(), i32::MAX.into())),
        "uint32" => Some((0, u32::MAX.into())),
        "int64" => Some((i64::MIN.into(), i64::MAX.into())),
        "uint64" => Some((0, u64::MAX.into())),
        _ => None,
    }
}
