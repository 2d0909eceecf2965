//! Compares two schemas and everything below them. It uses a queue instead of recursion, since messages may contain each other.
//! The documentation of [`super`] lists the classes.

mod values;

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    rc::Rc,
};

use anyhow::{Result, bail};
use heck::ToSnakeCase;
use serde_json::Value;

use super::{
    Class, Direction,
    found::{Found, Place},
    shape::Shape,
};
use crate::{json_pointer::join, openapi::members};

/// The maximum number of pairs of schemas that are compared for one body. Recursive alternatives may form very many.
const MAX_PAIRS: usize = 50_000;

/// Our schema and the published one for the same value. Each may be the union of several nodes.
struct Pair {
    ours: Vec<String>,
    published: Vec<String>,
    label: String,
    /// The name of the member. Empty for a body, the items of a list and the values of a map.
    name: String,
    /// The pointers of the message, list or map that contains it. Empty for a body.
    container: Vec<String>,
}

/// A pair with its parsed schemas.
struct Both<'d> {
    pair: Pair,
    ours: Rc<Shape<'d>>,
    published: Rc<Shape<'d>>,
}

impl Both<'_> {
    /// The pointers in our document: that of the use, and that of the schema to which it refers.
    fn pointers(&self) -> [&str; 2] {
        [first(&self.pair.ours), &self.ours.pointer]
    }

    /// The same as the pointers of what contains the members or elements of this schema.
    fn as_container(&self) -> Vec<String> {
        self.pointers().map(str::to_owned).into_iter().rev().collect()
    }

    /// The name of a component schema, or else the place where the schema is used.
    fn schema_label(&self) -> &str {
        let name = self.ours.pointer.strip_prefix("/components/schemas/").filter(|name| !name.contains('/'));
        name.unwrap_or(&self.pair.label)
    }
}

/// The comparison of two schemas and everything below them.
struct Walk<'f, 'a, 'd> {
    found: &'f mut Found<'a, 'd>,
    direction: Direction,
    queue: VecDeque<Pair>,
}

/// Compares the schemas at two pointers and everything below them.
pub(super) fn compare(
    found: &mut Found<'_, '_>,
    direction: Direction,
    ours: String,
    published: String,
    label: &str,
) -> Result<()> {
    let first_pair = Pair {
        ours: vec![ours],
        published: vec![published],
        label: label.to_owned(),
        name: String::new(),
        container: Vec::new(),
    };
    let mut walk = Walk { found, direction, queue: VecDeque::from([first_pair]) };
    let mut seen = HashSet::new();
    while let Some(pair) = walk.queue.pop_front() {
        let (ours, published) = (walk.found.ours.shape(&pair.ours)?, walk.found.published.shape(&pair.published)?);
        let both = Both { pair, ours, published };
        walk.deprecated(&both);
        walk.nullable(&both);
        walk.default(&both);
        let comparable = walk.types(&both);
        if !seen.insert((Rc::as_ptr(&both.ours), Rc::as_ptr(&both.published), comparable)) {
            continue;
        }
        if seen.len() > MAX_PAIRS {
            let location = walk.found.published.document.location(first(&both.pair.published));
            bail!("{location}: more than {MAX_PAIRS} pairs of schemas in one body: the file is too large to compare");
        }
        walk.keywords(&both);
        if comparable {
            walk.format(&both);
            walk.values(&both);
            walk.limits(&both);
            walk.choices(&both);
            walk.members(&both)?;
            walk.elements(&both)?;
        }
    }
    Ok(())
}

impl<'d> Walk<'_, '_, 'd> {
    /// Records a difference at the place where the schemas are used.
    fn at(&mut self, both: &Both<'d>, class: Class, subject: impl Into<String>, message: impl Into<String>) {
        let Pair { published, label, name, container, .. } = &both.pair;
        let published = first(published);
        self.found.add(
            Place { label, ours: both.pointers(), container, member: name, published },
            class,
            subject,
            message,
        );
    }

    /// Records a difference at the schemas to which the nodes refer.
    fn at_schema(&mut self, both: &Both<'d>, class: Class, subject: impl Into<String>, message: impl Into<String>) {
        self.at_keyword(both, &both.published.pointer, class, subject, message);
    }

    /// Records a difference at our schema and a published node.
    fn at_keyword(
        &mut self,
        both: &Both<'d>,
        published: &str,
        class: Class,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) {
        let [usage, schema] = both.pointers();
        let Pair { name: member, container, .. } = &both.pair;
        let place = Place { label: both.schema_label(), ours: [schema, usage], container, member, published };
        self.found.add(place, class, subject, message);
    }

    fn members(&mut self, both: &Both<'d>) -> Result<()> {
        let (Both { ours, published, .. }, direction) = (both, self.direction);
        if ours.is_map() || published.is_map() || !ours.types.contains("object") {
            return Ok(());
        }
        let container = both.as_container();
        let if_required = direction.choose(Class::BreaksCallers, Class::Cosmetic);
        let if_gone = direction.choose(Class::BreaksCallers, Class::New);
        let outcome = direction.choose("it would be ignored", "it is read as its default");
        for (&name, nodes) in &ours.members {
            let member = self.found.ours.shape(nodes)?;
            if member.is_hidden(direction) {
                continue;
            }
            let label = format!("{}.{name}", both.schema_label());
            let others = published.members.get(name);
            let place = Place {
                label: &label,
                ours: [first(nodes), &member.pointer],
                container: &container,
                member: name,
                published: others.map_or(&published.pointer, |others| first(others)),
            };
            let (required, required_there) = (ours.required.contains(name), published.required.contains(name));
            let Some(others) = others else {
                if required_there && !required {
                    self.found.add(place, if_required, "required", "is required, but not a published member");
                }
                let similar = similar(name, published.members.keys().copied());
                self.found.add(place, if_gone, "absent", format!("is not published, so that {outcome}{similar}"));
                continue;
            };
            if self.found.published.shape(others)?.is_hidden(direction) {
                let keyword = direction.choose("readOnly", "writeOnly");
                self.found.add(place, if_gone, keyword, format!("is published as `{keyword}`, so that {outcome}"));
                continue;
            }
            self.found.required(place, required, required_there, if_required);
            self.queue.push_back(Pair {
                ours: nodes.clone(),
                published: others.clone(),
                label,
                name: name.to_owned(),
                container: container.clone(),
            });
        }
        self.additional_members(both)
    }

    /// Reports members that only the published message has or requires.
    fn additional_members(&mut self, both: &Both<'d>) -> Result<()> {
        let (Both { ours, published, .. }, direction) = (both, self.direction);
        let names: BTreeSet<&str> = published.members.keys().chain(&published.required).copied().collect();
        for name in names.into_iter().filter(|name| !ours.members.contains_key(name)) {
            let nodes = published.members.get(name);
            let (class, subject, message) = if let Some(nodes) = nodes {
                if self.found.published.shape(nodes)?.is_hidden(direction) {
                    continue;
                }
                let breaks = published.required.contains(name) && direction == Direction::Request;
                let (class, kind) = if breaks { (Class::BreaksCallers, "required ") } else { (Class::New, "") };
                (class, format!("member: {name}"), format!("we lack the {kind}member `{name}`"))
            } else if ours.required.contains(name) {
                continue;
            } else {
                let class = direction.choose(Class::BreaksCallers, Class::Cosmetic);
                (class, format!("requires: {name}"), format!("requires `{name}`, which is not a member"))
            };
            let at = nodes.map_or(published.pointer.as_str(), |nodes| first(nodes));
            let [usage, schema] = both.pointers();
            let place = Place { ours: [schema, usage], ..Place::new(both.schema_label(), schema, at) };
            self.found.add(place, class, subject, message);
        }
        Ok(())
    }

    /// Compares the items of lists and the values of maps.
    fn elements(&mut self, both: &Both<'d>) -> Result<()> {
        let Both { pair, ours, published } = both;
        for (kind, mark, ours, others) in
            [("array", "[]", &ours.items, &published.items), ("object", "{}", &ours.map_values, &published.map_values)]
        {
            if ours.is_empty() {
                continue;
            }
            let element = |published: Vec<String>| Pair {
                ours: ours.clone(),
                published,
                label: format!("{}{mark}", pair.label),
                name: String::new(),
                container: both.as_container(),
            };
            if !others.is_empty() {
                self.queue.push_back(element(others.clone()));
            } else if published.types.contains(kind) && !published.is_message() {
                // A missing schema is equivalent to one without a type.
                let pair = element(vec![published.pointer.clone()]);
                let ours = self.found.ours.shape(ours)?;
                self.types(&Both { pair, ours, published: Rc::default() });
            }
        }
        Ok(())
    }
}

fn first(pointers: &[String]) -> &str {
    pointers.first().map_or("", String::as_str)
}

/// A hint if there is a name with another spelling.
pub(super) fn similar<'n>(name: &str, mut others: impl Iterator<Item = &'n str>) -> String {
    others
        .find(|other| *other != name && other.to_snake_case() == name.to_snake_case())
        .map_or_else(String::new, |other| format!(" (there is `{other}`)"))
}

/// The pointers of the JSON schema of a body or parameter and of its media type. Of several JSON types the most specific one is
/// chosen, since the SDK requests `application/json`.
pub(super) fn json_schema(node: &Value, pointer: &str) -> Option<(String, String)> {
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
    let ranked = members(&node["content"]).filter_map(|(name, media)| Some((rank(name)?, name, media)));
    let (_, name, media) = ranked.min_by_key(|(rank, ..)| *rank)?;
    let pointer = join(&join(pointer, "content"), name);
    media.get("schema").map(|_| (join(&pointer, "schema"), pointer))
}
