//! Two schemas walked together, without recursion: messages contain each other. The classes are in the documentation of
//! [`super`].

use std::{
    collections::{BTreeSet, VecDeque},
    rc::Rc,
};

use anyhow::Result;
use heck::ToSnakeCase;
use serde_json::Value;

use super::{
    Class, Difference, Direction,
    api::{Api, Operation},
    deviation::{self, Subject, Trail},
    shape::{LIMITS, Shape},
};
use crate::json_pointer::join;

/// A node of ours and the published one in the same place.
struct Pair {
    ours: String,
    published: String,
    place: String,
    /// The member's name; empty for a body, a list's items and a map's values.
    name: String,
    /// Whether it is a list's item or a map's value; the list or map is at the end of the trail.
    element: bool,
    trail: Rc<Trail>,
}

/// The comparison of one operation.
pub(super) struct Walk<'a, 'd> {
    ours: &'a Api<'d>,
    published: &'a Api<'d>,
    operation: &'a str,
    found: &'a mut Vec<Difference>,
}

/// What is known about a difference where it is found.
pub(super) struct Finding<'a> {
    pub(super) class: Class,
    pub(super) subject: Subject<'a>,
    pub(super) place: &'a str,
    pub(super) name: &'a str,
    pub(super) message: String,
    /// The node in our document and the schema that it refers to, and the node in the published one.
    pub(super) ours: &'a [&'a str],
    pub(super) published: &'a str,
}

impl<'a, 'd> Walk<'a, 'd> {
    pub(super) fn new(
        ours: &'a Api<'d>,
        published: &'a Api<'d>,
        operation: &'a Operation<'d>,
        found: &'a mut Vec<Difference>,
    ) -> Self {
        Self { ours, published, operation: &operation.id, found }
    }

    pub(super) fn add(&mut self, trail: &Trail, finding: Finding<'_>) {
        let Finding { class, subject, place, name, message, ours, published } = finding;
        let reason = deviation::reason(self.ours.document, trail, ours, name, subject);
        self.found.push(Difference {
            class: if reason.is_some() { Class::KnownDeviation } else { class },
            place: place.to_owned(),
            message,
            operations: vec![self.operation.to_owned()],
            ours: self.ours.document.location(ours.first().copied().unwrap_or_default()),
            published: self.published.document.location(published),
            reason,
        });
    }

    /// Compares the schemas at two pointers and everything below them.
    pub(super) fn schemas(
        &mut self,
        direction: Direction,
        ours: &str,
        published: &str,
        place: &str,
        trail: &Rc<Trail>,
    ) -> Result<()> {
        let first = Pair {
            ours: ours.to_owned(),
            published: published.to_owned(),
            place: place.to_owned(),
            name: String::new(),
            element: false,
            trail: Rc::clone(trail),
        };
        let mut queue = VecDeque::from([first]);
        let mut seen = BTreeSet::new();
        while let Some(pair) = queue.pop_front() {
            let ours = Shape::read(self.ours, &pair.ours)?;
            let published = Shape::read(self.published, &pair.published)?;
            self.deprecated(&pair, &ours, &published);
            if !self.types(direction, &pair, &ours, &published) {
                continue;
            }
            if seen.insert((ours.pointer.clone(), published.pointer.clone())) {
                self.format(direction, &pair, &ours, &published);
                self.values(direction, &pair, &ours, &published);
                if direction == Direction::Request {
                    self.limits(&pair, &ours, &published);
                }
                self.members(direction, &pair, &ours, &published, &mut queue);
                self.elements(direction, &pair, &ours, &published, &mut queue)?;
            }
        }
        Ok(())
    }

    /// Records a difference between the two nodes of a pair.
    fn at(
        &mut self,
        pair: &Pair,
        ours: &Shape<'_>,
        published: &Shape<'_>,
        class: Class,
        subject: Subject<'_>,
        message: String,
    ) {
        let place = place(&ours.pointer, &pair.place);
        let own = [pair.ours.as_str(), ours.pointer.as_str()];
        // An enum's values are found where they are written, not where they are referred to.
        let (place, published, own) = match subject {
            Subject::Extra(_) | Subject::Lost => (&place, published.pointer.as_str(), [own[1], own[0]]),
            _ => (&pair.place, pair.published.as_str(), own),
        };
        let mut own = own.to_vec();
        if pair.element {
            // An element has no name that a reason could speak of, so that its list speaks for it.
            own.extend(pair.trail.ancestors().take(2));
        }
        self.add(&pair.trail, Finding { class, subject, place, name: &pair.name, message, ours: &own, published });
    }

    fn deprecated(&mut self, pair: &Pair, ours: &Shape<'_>, published: &Shape<'_>) {
        if published.deprecated && !ours.deprecated && !pair.name.is_empty() {
            self.at(pair, ours, published, Class::New, Subject::Other, "is deprecated".to_owned());
        }
    }

    /// Compares JSON types. Answers whether what is below is worth comparing.
    fn types(&mut self, direction: Direction, pair: &Pair, ours: &Shape<'_>, published: &Shape<'_>) -> bool {
        if ours.types.is_empty() {
            return false;
        }
        if published.types.is_empty() {
            let message = format!("is {}, published without a type", ours.types_text());
            self.at(pair, ours, published, Class::Cosmetic, Subject::Type("any"), message);
            return false;
        }
        let other_kind = ours.types.contains("object")
            && published.types.contains("object")
            && (ours.is_map() && !published.members.is_empty() || published.is_map() && !ours.members.is_empty());
        if ours.types == published.types && !other_kind {
            return true;
        }
        let (sent, read) = match direction {
            Direction::Request => (ours, published),
            Direction::Response => (published, ours),
        };
        let taken = |kind: &&str| read.types.contains(kind) || *kind == "integer" && read.types.contains("number");
        let text =
            |shape: &Shape<'_>| if other_kind && !shape.is_map() { "message".to_owned() } else { described(shape) };
        let message = format!("is {}, published as {}", text(ours), text(published));
        let class = if is_integer(ours) && is_integer(published) {
            // Text or number is all the same; what it may hold is not.
            format_class(direction, "integer", ours.format, published.format)
        } else if sent.types.iter().all(taken) && !other_kind {
            Class::Cosmetic
        } else {
            direction.refused()
        };
        self.at(pair, ours, published, class, Subject::Type(&published.types_text()), message);
        class == Class::Cosmetic && ours.types.iter().any(|kind| published.types.contains(kind))
    }

    fn format(&mut self, direction: Direction, pair: &Pair, ours: &Shape<'_>, published: &Shape<'_>) {
        if ours.format == published.format || ours.values.is_some() {
            return;
        }
        let kind = ours.types.first().copied().unwrap_or_default();
        let class = format_class(direction, kind, ours.format, published.format);
        let text =
            |format: Option<&str>| format.map_or_else(|| "no format".to_owned(), |format| format!("format `{format}`"));
        let message = format!("has {}, published with {}", text(ours.format), text(published.format));
        self.at(pair, ours, published, class, Subject::Format(published.format), message);
    }

    fn values(&mut self, direction: Direction, pair: &Pair, ours: &Shape<'_>, published: &Shape<'_>) {
        match (&ours.values, &published.values) {
            (None, None) => {}
            (Some(_), None) => {
                let message = "is an enum, published without its values".to_owned();
                self.at(pair, ours, published, Class::Cosmetic, Subject::Lost, message);
            }
            (None, Some(values)) => {
                let class = direction.choose(Class::BreaksCallers, Class::Cosmetic);
                let message = format!("may be any text, published as one of {}", values.all().join(", "));
                self.at(pair, ours, published, class, Subject::Type("enum"), message);
            }
            (Some(ours_values), Some(published_values)) => {
                for value in published_values.beyond(ours_values) {
                    let message = format!("has a value that we lack: `{value}`");
                    self.at(pair, ours, published, Class::New, Subject::Extra(value), message);
                }
                for value in ours_values.beyond(published_values) {
                    let class = direction.choose(Class::BreaksCallers, Class::Cosmetic);
                    let outcome = direction_text(direction, "sending it is refused", "it no longer arrives");
                    let message = format!("has lost the value `{value}`: {outcome}");
                    self.at(pair, ours, published, class, Subject::Lost, message);
                }
            }
        }
    }

    /// What narrows a request. Limits that only our document states are our own affair.
    fn limits(&mut self, pair: &Pair, ours: &Shape<'_>, published: &Shape<'_>) {
        for limit in LIMITS {
            let Some(new) = published.limits.get(limit) else { continue };
            let (class, message) = match ours.limits.get(limit) {
                Some(old) if old == new => continue,
                None if limit.starts_with("min") && new.as_f64() == Some(0.0) => continue,
                None => (Class::New, format!("is limited by `{limit}: {new}`")),
                Some(old) => {
                    let tighter = match (old.as_f64(), new.as_f64()) {
                        (Some(old), Some(new)) if limit.starts_with("min") => Some(new > old),
                        (Some(old), Some(new)) => Some(new < old),
                        // Of two patterns nobody can say which is tighter.
                        _ => None,
                    };
                    let class = match tighter {
                        Some(true) => Class::BreaksCallers,
                        Some(false) => Class::Cosmetic,
                        None => Class::New,
                    };
                    (class, format!("has `{limit}: {old}`, published as `{limit}: {new}`"))
                }
            };
            self.at(pair, ours, published, class, Subject::Limit(&format!("{limit}: {new}")), message);
        }
    }

    fn members(
        &mut self,
        direction: Direction,
        pair: &Pair,
        ours: &Shape<'_>,
        published: &Shape<'_>,
        queue: &mut VecDeque<Pair>,
    ) {
        if ours.is_map() || published.is_map() || !ours.types.contains("object") {
            return;
        }
        let message_place = place(&ours.pointer, &pair.place);
        let trail = pair.trail.to(&pair.ours).to(&ours.pointer);
        for (name, nodes) in &ours.members {
            let member_place = format!("{message_place}.{name}");
            let Some(node) = nodes.first() else { continue };
            let target = self.ours.resolve(node).map_or_else(|_| node.clone(), |(target, _)| target);
            let own = [node.as_str(), target.as_str()];
            let finding = |class, subject, message, published| Finding {
                class,
                subject,
                place: &member_place,
                name,
                message,
                ours: &own,
                published,
            };
            match (ours.required.contains(name), published.required.contains(name)) {
                (false, true) => {
                    let class = direction.choose(Class::BreaksCallers, Class::Cosmetic);
                    let at = published.members.get(name).and_then(|nodes| nodes.first()).unwrap_or(&published.pointer);
                    self.add(
                        &trail,
                        finding(class, Subject::Requiredness, "is optional, published as required".to_owned(), at),
                    );
                }
                (true, false) if published.members.contains_key(name) => {
                    let message = "is required, published as optional".to_owned();
                    self.add(
                        &trail,
                        finding(Class::Cosmetic, Subject::Requiredness, message, &published.members[name][0]),
                    );
                }
                _ => {}
            }
            let Some(others) = published.members.get(name) else {
                let class = direction.choose(Class::BreaksCallers, Class::New);
                let outcome = direction_text(direction, "it would be ignored", "it reads as its default");
                let message =
                    format!("is not published: {outcome}{}", similar(name, published.members.keys().copied()));
                self.add(&trail, finding(class, Subject::Absence, message, &published.pointer));
                continue;
            };
            queue.extend(others.iter().map(|other| Pair {
                ours: node.clone(),
                published: other.clone(),
                place: member_place.clone(),
                name: (*name).to_owned(),
                element: false,
                trail: Rc::clone(&trail),
            }));
        }
        let names: BTreeSet<&str> = published.members.keys().chain(&published.required).copied().collect();
        for name in names.into_iter().filter(|name| !ours.members.contains_key(name)) {
            let required = published.required.contains(name);
            let nodes = published.members.get(name);
            let (class, subject, message) = match nodes {
                None if ours.required.contains(name) => continue,
                None => {
                    let class = direction.choose(Class::BreaksCallers, Class::Cosmetic);
                    (class, Subject::Required(name), format!("requires `{name}`, which is no member of it"))
                }
                Some(_) if required && direction == Direction::Request => {
                    let message = format!("has a required member that we lack: `{name}`");
                    (Class::BreaksCallers, Subject::Extra(name), message)
                }
                Some(_) => (Class::New, Subject::Extra(name), format!("has a member that we lack: `{name}`")),
            };
            let at = nodes.and_then(|nodes| nodes.first()).unwrap_or(&published.pointer);
            let own = [ours.pointer.as_str(), pair.ours.as_str()];
            let finding = Finding { class, subject, place: &message_place, name, message, ours: &own, published: at };
            self.add(&pair.trail, finding);
        }
    }

    /// A list's items and a map's values.
    fn elements(
        &mut self,
        direction: Direction,
        pair: &Pair,
        ours: &Shape<'_>,
        published: &Shape<'_>,
        queue: &mut VecDeque<Pair>,
    ) -> Result<()> {
        let trail = pair.trail.to(&pair.ours).to(&ours.pointer);
        for (kind, mark, ours, others) in
            [("array", "[]", &ours.items, &published.items), ("object", "{}", &ours.map_values, &published.map_values)]
        {
            let Some(node) = ours.first() else { continue };
            let element = |other: &String| Pair {
                ours: node.clone(),
                published: other.clone(),
                place: format!("{}{mark}", pair.place),
                name: String::new(),
                element: true,
                trail: Rc::clone(&trail),
            };
            queue.extend(others.iter().map(element));
            if others.is_empty() && published.types.contains(kind) {
                // No schema says no more than one without a type.
                let ours = Shape::read(self.ours, node)?;
                self.types(direction, &element(&published.pointer), &ours, &Shape::default());
            }
        }
        Ok(())
    }
}

/// A component schema goes by its own name, whatever refers to it.
fn place(pointer: &str, otherwise: &str) -> String {
    match pointer.strip_prefix("/components/schemas/") {
        Some(name) if !name.contains('/') => name.to_owned(),
        _ => otherwise.to_owned(),
    }
}

fn direction_text(direction: Direction, request: &'static str, response: &'static str) -> &'static str {
    match direction {
        Direction::Request => request,
        Direction::Response => response,
    }
}

/// A hint at the same name in another spelling.
pub(super) fn similar<'n>(name: &str, mut others: impl Iterator<Item = &'n str>) -> String {
    others
        .find(|other| *other != name && other.to_snake_case() == name.to_snake_case())
        .map_or_else(String::new, |other| format!(" (there is `{other}`)"))
}

fn described(shape: &Shape<'_>) -> String {
    match shape.format {
        Some(format) if is_integer(shape) => format!("{} ({format})", shape.types_text()),
        _ => shape.types_text(),
    }
}

/// Whether it is an integer, as a number or as 64-bit text: protobuf JSON reads both, and so does the SDK.
fn is_integer(shape: &Shape<'_>) -> bool {
    let one = shape.types.len() == 1;
    one && (shape.types.contains("integer")
        || shape.types.contains("string") && matches!(shape.format, Some("int64" | "uint64")))
}

fn format_class(direction: Direction, kind: &str, ours: Option<&str>, published: Option<&str>) -> Class {
    if let (Some(ours), Some(published)) = (ours.and_then(range), published.and_then(range)) {
        let ((low, high), (read_low, read_high)) = match direction {
            Direction::Request => (ours, published),
            Direction::Response => (published, ours),
        };
        return if read_low <= low && high <= read_high { Class::Cosmetic } else { direction.refused() };
    }
    if kind != "string" {
        return Class::Cosmetic;
    }
    match (direction, ours, published) {
        // The SDK parses these; it takes any other text as it is.
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

/// The schema of a JSON body below `content`, whatever parameters its media type has. Of several the one that names JSON
/// most plainly, for that is what we ask for; of equals the first.
pub(super) fn json_schema(content: &Value, pointer: &str) -> Option<String> {
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
    content[name].get("schema").map(|_| join(&join(pointer, name), "schema"))
}
