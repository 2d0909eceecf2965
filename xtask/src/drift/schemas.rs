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
    Class, Difference, Direction,
    api::Api,
    deviation::{self, Ancestors},
    shape::Shape,
};
use crate::{
    json_pointer::join,
    keywords::{self, Kind},
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
