//! Compares two schemas and everything below them. It uses a queue instead of recursion, since messages may contain each other.
//! The documentation of [`super`] lists the classes.

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    rc::Rc,
};

use anyhow::{Result, bail};
use heck::ToSnakeCase;
use serde_json::Value;

use super::{
    Class, Difference, Direction,
    api::Api,
    deviation::{self, Ancestors},
    shape::Shape,
};
use crate::{
    json_pointer::join,
    keywords::{self, Kind, Narrows, Rule},
};

/// The maximum number of pairs of schemas that are compared for one body. Recursive alternatives may form very many.
const MAX_PAIRS: usize = 50_000;

/// Our schema and the published one for the same value. Each may be the union of several nodes.
struct Pair {
    ours: Vec<String>,
    published: Vec<String>,
    place: String,
    /// The name of the member. Empty for a body, the items of a list and the values of a map.
    name: String,
    /// Whether it is an item of a list or a value of a map. The list or map is at the end of the ancestors.
    element: bool,
    ancestors: Rc<Ancestors>,
}

/// A pair with its parsed schemas.
struct Both<'p, 'd> {
    direction: Direction,
    pair: &'p Pair,
    ours: Rc<Shape<'d>>,
    published: Rc<Shape<'d>>,
}

/// The comparison of one operation.
pub(super) struct Walk<'a, 'd> {
    ours: &'a Api<'d>,
    published: &'a Api<'d>,
    operation: &'a str,
    found: &'a mut Vec<Difference>,
}

/// A difference before its deviation is looked up.
pub(super) struct Finding<'a> {
    pub(super) class: Class,
    /// The name of the difference, as an `x-deviation` lists it.
    pub(super) subject: String,
    pub(super) place: &'a str,
    /// The name of the member.
    pub(super) name: &'a str,
    pub(super) message: String,
    /// The pointers of the node in our document and of the schema to which it refers. Then the published node.
    pub(super) ours: &'a [&'a str],
    pub(super) published: &'a str,
}

impl Finding<'_> {
    /// Looks up the deviation that covers it, and the lines of both nodes.
    pub(super) fn located(
        self,
        (ours, published): (&Api<'_>, &Api<'_>),
        ancestors: &Ancestors,
        operations: Vec<String>,
    ) -> Difference {
        let reason = deviation::reason(ours.document, ancestors, self.ours, self.name, &self.subject);
        Difference {
            class: if reason.is_some() { Class::KnownDeviation } else { self.class },
            place: self.place.to_owned(),
            message: self.message,
            subject: self.subject,
            operations,
            ours: ours.document.location(self.ours.first().copied().unwrap_or_default()),
            published: published.document.location(self.published),
            reason,
        }
    }
}

impl<'a, 'd> Walk<'a, 'd> {
    pub(super) fn new(
        ours: &'a Api<'d>,
        published: &'a Api<'d>,
        operation: &'a str,
        found: &'a mut Vec<Difference>,
    ) -> Self {
        Self { ours, published, operation, found }
    }

    pub(super) fn add(&mut self, ancestors: &Ancestors, finding: Finding<'_>) {
        let operations = vec![self.operation.to_owned()];
        self.found.push(finding.located((self.ours, self.published), ancestors, operations));
    }

    /// Records the keywords of a published object that cannot be evaluated.
    pub(super) fn unreadable(
        &mut self,
        ancestors: &Ancestors,
        kind: Kind,
        place: &str,
        ours: &str,
        published: (&str, &Value),
    ) {
        let (pointer, node) = published;
        for (keyword, message) in keywords::unreadable(kind, node) {
            let at = join(pointer, keyword);
            let subject = format!("keyword: {keyword}");
            let ours = &[ours];
            self.add(ancestors, Finding { class: Class::New, subject, place, name: "", message, ours, published: &at });
        }
    }

    /// Compares the schemas at two pointers and everything below them.
    pub(super) fn schemas(
        &mut self,
        direction: Direction,
        ours: &str,
        published: &str,
        place: &str,
        ancestors: &Rc<Ancestors>,
    ) -> Result<()> {
        let first = Pair {
            ours: vec![ours.to_owned()],
            published: vec![published.to_owned()],
            place: place.to_owned(),
            name: String::new(),
            element: false,
            ancestors: Rc::clone(ancestors),
        };
        let mut queue = VecDeque::from([first]);
        let mut seen = HashSet::new();
        while let Some(pair) = queue.pop_front() {
            let (ours, published) = (self.ours.shape(&pair.ours)?, self.published.shape(&pair.published)?);
            let both = Both { direction, pair: &pair, ours, published };
            self.deprecated(&both);
            self.nullable(&both);
            self.default(&both);
            let comparable = self.types(&both);
            if !seen.insert((Rc::as_ptr(&both.ours), Rc::as_ptr(&both.published), comparable)) {
                continue;
            }
            if seen.len() > MAX_PAIRS {
                let location = self.published.document.location(published_at(&pair));
                bail!(
                    "{location}: more than {MAX_PAIRS} pairs of schemas in one body: the file is too large to compare"
                );
            }
            self.keywords(&both);
            if comparable {
                self.format(&both);
                self.values(&both);
                self.limits(&both);
                self.choices(&both);
                self.members(&both, &mut queue)?;
                self.elements(&both, &mut queue)?;
            }
        }
        Ok(())
    }

    /// Records a difference at the place where the schemas are used.
    fn at(&mut self, both: &Both<'_, 'd>, class: Class, subject: impl Into<String>, message: String) {
        let own = [ours_at(both.pair), both.ours.pointer.as_str()];
        let published = published_at(both.pair);
        self.record(both, class, subject.into(), &both.pair.place, message, &own, published);
    }

    /// Records a difference at the schemas to which the nodes refer.
    fn at_schema(&mut self, both: &Both<'_, 'd>, class: Class, subject: impl Into<String>, message: String) {
        let place = schema_place(&both.ours.pointer, &both.pair.place);
        let own = [both.ours.pointer.as_str(), ours_at(both.pair)];
        self.record(both, class, subject.into(), &place, message, &own, &both.published.pointer);
    }

    #[expect(clippy::too_many_arguments, reason = "what a finding is made of")]
    fn record(
        &mut self,
        both: &Both<'_, 'd>,
        class: Class,
        subject: String,
        place: &str,
        message: String,
        own: &[&str],
        published: &str,
    ) {
        let Both { pair, .. } = both;
        let mut own = own.to_vec();
        if pair.element {
            // A deviation of a list or map covers its elements, too.
            own.extend(pair.ancestors.iter().take(2));
        }
        let finding = Finding { class, subject, place, name: &pair.name, message, ours: &own, published };
        self.add(&pair.ancestors, finding);
    }

    fn deprecated(&mut self, both: &Both<'_, 'd>) {
        if both.published.deprecated && !both.ours.deprecated && !both.pair.name.is_empty() {
            self.at(both, Class::New, "deprecated", "is deprecated".to_owned());
        }
    }

    /// Checks for new `null` values. A member may be `null`, which is read as absent and never sent. A body, an item of a list and
    /// a value of a map may not, except for enums, which read it as their default.
    fn nullable(&mut self, both: &Both<'_, 'd>) {
        let refused = both.pair.name.is_empty() && both.ours.values.is_none() && !both.ours.nullable;
        if both.direction == Direction::Response && both.published.nullable && refused {
            let message = "may be `null`, which the SDK cannot read here".to_owned();
            self.at(both, Class::BreaksDecoding, "nullable", message);
        }
    }

    /// Compares what an absent value means. The SDK reads it as the default of the type, as protobuf does.
    fn default(&mut self, both: &Both<'_, 'd>) {
        let Both { ours, published, .. } = both;
        let is_zero = |value: &Value| {
            let name = |shape: &Shape<'_>| shape.values.as_ref().and_then(|values| values.all().first().cloned());
            match value {
                Value::Null | Value::Bool(false) => true,
                Value::Number(number) => number.as_f64() == Some(0.0),
                Value::String(text) => {
                    text.is_empty() || [name(ours), name(published)].iter().flatten().any(|n| n == text)
                }
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
    fn types(&mut self, both: &Both<'_, 'd>) -> bool {
        let Both { direction, ours, published, .. } = both;
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
            format_class(*direction, "integer", ours.format, published.format)
        } else if fits {
            Class::Cosmetic
        } else {
            direction.refused()
        };
        self.at(both, class, format!("type: {}", text(published)), message);
        class == Class::Cosmetic && ours.types.iter().any(|kind| published.types.contains(kind))
    }

    /// Reports keywords that cannot be evaluated, and compares those that are not interpreted.
    fn keywords(&mut self, both: &Both<'_, 'd>) {
        for (pointer, keyword, message) in &both.published.unreadable {
            let own = [ours_at(both.pair), both.ours.pointer.as_str()];
            let (subject, place) = (format!("keyword: {keyword}"), schema_place(&both.ours.pointer, &both.pair.place));
            self.record(both, Class::New, subject, &place, message.clone(), &own, pointer);
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

    fn format(&mut self, both: &Both<'_, 'd>) {
        let Both { direction, ours, published, .. } = both;
        if ours.format == published.format || ours.values.is_some() {
            return;
        }
        let kind = ours.types.first().copied().unwrap_or_default();
        let class = format_class(*direction, kind, ours.format, published.format);
        let text =
            |format: Option<&str>| format.map_or_else(|| "no format".to_owned(), |format| format!("format `{format}`"));
        let message = format!("has {}, published with {}", text(ours.format), text(published.format));
        self.at(both, class, format!("format: {}", published.format.unwrap_or("none")), message);
    }

    fn values(&mut self, both: &Both<'_, 'd>) {
        let Both { direction, ours, published, .. } = both;
        match (&ours.values, &published.values) {
            (None, None) => {}
            (Some(_), None) => {
                let message = "is an enum, published without its values".to_owned();
                self.at_schema(both, Class::Cosmetic, "enum: none", message);
            }
            (None, Some(values)) => {
                let class = direction.choose(Class::BreaksCallers, Class::Cosmetic);
                let values = values.all().join(", ");
                let allowed =
                    if values.is_empty() { "an enum without values".to_owned() } else { format!("one of {values}") };
                let message = format!("may be any text, published as {allowed}");
                self.at(both, class, format!("enum: {values}"), message);
            }
            (Some(ours), Some(published)) => {
                for value in published.missing_from(ours) {
                    let message = format!("we lack the value `{value}`");
                    self.at_schema(both, Class::New, format!("value: {value}"), message);
                }
                for value in ours.missing_from(published) {
                    let class = direction.choose(Class::BreaksCallers, Class::Cosmetic);
                    let outcome = direction.choose("the service rejects it", "it is no longer sent");
                    let message = format!("no longer has the value `{value}`: {outcome}");
                    self.at_schema(both, class, format!("lost: {value}"), message);
                }
            }
        }
    }

    /// Compares the restrictions of a request. Restrictions that only our document states are not reported.
    fn limits(&mut self, both: &Both<'_, 'd>) {
        if both.direction == Direction::Response {
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
    fn choices(&mut self, both: &Both<'_, 'd>) {
        if both.direction == Direction::Response {
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

    fn members(&mut self, both: &Both<'_, 'd>, queue: &mut VecDeque<Pair>) -> Result<()> {
        let Both { direction, pair, ours, published } = both;
        if ours.is_map() || published.is_map() || !ours.types.contains("object") {
            return Ok(());
        }
        let message_place = schema_place(&ours.pointer, &pair.place);
        let ancestors = pair.ancestors.child(ours_at(pair)).child(&ours.pointer);
        for (name, nodes) in &ours.members {
            let member = self.ours.shape(nodes)?;
            if member.is_hidden(*direction) {
                continue;
            }
            let others = published.members.get(name);
            let hidden = others.map_or(Ok(false), |others| {
                Ok::<_, anyhow::Error>(self.published.shape(others)?.is_hidden(*direction))
            })?;
            let member_place = format!("{message_place}.{name}");
            let own = [nodes.first().map_or("", String::as_str), member.pointer.as_str()];
            let mut add = |class, subject: &str, message: String, published: &str| {
                let subject = subject.to_owned();
                let finding = Finding { class, subject, place: &member_place, name, message, ours: &own, published };
                self.add(&ancestors, finding);
            };
            let Some(others) = others else {
                if published.required.contains(name) && !ours.required.contains(name) {
                    let class = direction.choose(Class::BreaksCallers, Class::Cosmetic);
                    add(class, "required", "is required, but not a published member".to_owned(), &published.pointer);
                }
                let class = direction.choose(Class::BreaksCallers, Class::New);
                let outcome = direction.choose("it would be ignored", "it is read as its default");
                let similar = similar(name, published.members.keys().copied());
                add(class, "absent", format!("is not published, so that {outcome}{similar}"), &published.pointer);
                continue;
            };
            let at = others.first().map_or("", String::as_str);
            if hidden {
                let (class, subject) = direction.choose((Class::BreaksCallers, "readOnly"), (Class::New, "writeOnly"));
                let outcome = direction.choose("it would be ignored", "it is read as its default");
                add(class, subject, format!("is published as `{subject}`, so that {outcome}"), at);
                continue;
            }
            match (ours.required.contains(name), published.required.contains(name)) {
                (false, true) => {
                    let class = direction.choose(Class::BreaksCallers, Class::Cosmetic);
                    add(class, "required", "is optional, published as required".to_owned(), at);
                }
                (true, false) => {
                    add(Class::Cosmetic, "optional", "is required, published as optional".to_owned(), at);
                }
                _ => {}
            }
            queue.push_back(Pair {
                ours: nodes.clone(),
                published: others.clone(),
                place: member_place,
                name: (*name).to_owned(),
                element: false,
                ancestors: Rc::clone(&ancestors),
            });
        }
        self.additional_members(both, &message_place)
    }

    /// Reports members that only the published message has or requires.
    fn additional_members(&mut self, both: &Both<'_, 'd>, place: &str) -> Result<()> {
        let Both { direction, pair, ours, published } = both;
        let names: BTreeSet<&str> = published.members.keys().chain(&published.required).copied().collect();
        for name in names.into_iter().filter(|name| !ours.members.contains_key(name)) {
            let required = published.required.contains(name);
            let nodes = published.members.get(name);
            let (class, subject, message) = match nodes {
                None if ours.required.contains(name) => continue,
                None => {
                    let class = direction.choose(Class::BreaksCallers, Class::Cosmetic);
                    (class, format!("requires: {name}"), format!("requires `{name}`, which is not a member"))
                }
                Some(nodes) if self.published.shape(nodes)?.is_hidden(*direction) => continue,
                Some(_) => {
                    let breaks = required && *direction == Direction::Request;
                    let class = if breaks { Class::BreaksCallers } else { Class::New };
                    let kind = if breaks { "required member" } else { "member" };
                    (class, format!("member: {name}"), format!("we lack the {kind} `{name}`"))
                }
            };
            let at = nodes.and_then(|nodes| nodes.first()).unwrap_or(&published.pointer);
            let own = [ours.pointer.as_str(), ours_at(pair)];
            self.add(&pair.ancestors, Finding { class, subject, place, name, message, ours: &own, published: at });
        }
        Ok(())
    }

    /// Compares the items of lists and the values of maps.
    fn elements(&mut self, both: &Both<'_, 'd>, queue: &mut VecDeque<Pair>) -> Result<()> {
        let Both { direction, pair, ours, published } = both;
        let ancestors = pair.ancestors.child(ours_at(pair)).child(&ours.pointer);
        for (kind, mark, ours, others) in
            [("array", "[]", &ours.items, &published.items), ("object", "{}", &ours.map_values, &published.map_values)]
        {
            if ours.is_empty() {
                continue;
            }
            let element = |published: Vec<String>| Pair {
                ours: ours.clone(),
                published,
                place: format!("{}{mark}", pair.place),
                name: String::new(),
                element: true,
                ancestors: Rc::clone(&ancestors),
            };
            if !others.is_empty() {
                queue.push_back(element(others.clone()));
            } else if published.types.contains(kind) && !published.is_message() {
                // A missing schema is equivalent to one without a type.
                let pair = element(vec![published.pointer.clone()]);
                let ours = self.ours.shape(ours)?;
                self.types(&Both { direction: *direction, pair: &pair, ours, published: Rc::default() });
            }
        }
        Ok(())
    }
}

fn ours_at(pair: &Pair) -> &str {
    pair.ours.first().map_or("", String::as_str)
}

fn published_at(pair: &Pair) -> &str {
    pair.published.first().map_or("", String::as_str)
}

/// The name of a component schema, or else the place where the schema is used.
fn schema_place(pointer: &str, otherwise: &str) -> String {
    match pointer.strip_prefix("/components/schemas/") {
        Some(name) if !name.contains('/') => name.to_owned(),
        _ => otherwise.to_owned(),
    }
}

/// A value as it is written in YAML: strings without quotes.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A hint if there is a name with another spelling.
pub(super) fn similar<'n>(name: &str, mut others: impl Iterator<Item = &'n str>) -> String {
    others
        .find(|other| *other != name && other.to_snake_case() == name.to_snake_case())
        .map_or_else(String::new, |other| format!(" (there is `{other}`)"))
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

/// The pointers of the JSON schema below `content` and of its media type. Of several JSON types the most specific one is chosen,
/// since the SDK requests `application/json`.
pub(super) fn json_schema(content: &Value, pointer: &str) -> Option<(String, String)> {
    let names = content.as_object()?.keys();
    let rank = |name: &String| {
        let name = name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match name.as_str() {
            "application/json" => Some(0),
            name if name.ends_with("+json") => Some(1),
            "application/*" => Some(2),
            "*/*" => Some(3),
            _ => None,
        }
    };
    let (_, name) = names.filter_map(|name| Some((rank(name)?, name))).min_by_key(|(rank, _)| *rank)?;
    let media = join(pointer, name);
    content[name].get("schema").map(|_| (join(&media, "schema"), media))
}
