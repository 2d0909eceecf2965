//! Collects differences: finds the deviation and the lines of each, and merges those that several operations share. This module
//! must not know what is compared.

use std::collections::HashMap;

use super::{Class, Difference, api::Api, deviation};
use crate::{
    json_pointer::join,
    keywords::{self, Kind},
};

/// A node of our document and its published counterpart.
#[derive(Clone, Copy, Default)]
pub(super) struct Place<'p> {
    /// What the report calls it.
    pub(super) label: &'p str,
    /// The pointers in our document whose deviations cover it: of a schema, that of its use and its own. The report shows the line of
    /// the first.
    pub(super) ours: [&'p str; 2],
    /// The pointers of the message, list or map that contains it. Deviations of a list or map cover its elements, too, and those of
    /// a message cover the member that they name with `of`.
    pub(super) container: &'p [String],
    /// The name of a member. Empty for anything else.
    pub(super) member: &'p str,
    pub(super) published: &'p str,
}

impl<'p> Place<'p> {
    pub(super) fn new(label: &'p str, ours: &'p str, published: &'p str) -> Self {
        Self { label, ours: [ours, ours], published, ..Self::default() }
    }
}

/// The differences between two files.
pub(super) struct Found<'a, 'd> {
    pub(super) ours: &'a Api<'d>,
    pub(super) published: &'a Api<'d>,
    /// The operations that the next differences affect.
    pub(super) operations: Vec<String>,
    pub(super) differences: Vec<Difference>,
    indices: HashMap<(Class, String, String, Option<String>), usize>,
}

impl<'a, 'd> Found<'a, 'd> {
    pub(super) fn new(ours: &'a Api<'d>, published: &'a Api<'d>) -> Self {
        Self { ours, published, operations: Vec::new(), differences: Vec::new(), indices: HashMap::new() }
    }

    /// Records a difference with this class, or as a known deviation if our document states one.
    pub(super) fn add(
        &mut self,
        place: Place<'_>,
        class: Class,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) {
        let (subject, message) = (subject.into(), message.into());
        let reason = deviation::reason(self.ours.document, place.ours, (place.container, place.member), &subject);
        let class = if reason.is_some() { Class::KnownDeviation } else { class };
        // The same message is used by many operations, and often copied for each of them in the published file.
        let key = (class, place.label.to_owned(), message.clone(), reason.clone());
        let index = *self.indices.entry(key).or_insert(self.differences.len());
        if let Some(known) = self.differences.get_mut(index) {
            for operation in &self.operations {
                if !known.operations.contains(operation) {
                    known.operations.push(operation.clone());
                }
            }
            return;
        }
        self.differences.push(Difference {
            class,
            place: place.label.to_owned(),
            message,
            subject,
            operations: self.operations.clone(),
            ours: self.ours.document.location(place.ours[0]),
            published: self.published.document.location(place.published),
            reason,
        });
    }

    /// Records whether a parameter or member is required in only one of the files.
    pub(super) fn required(&mut self, place: Place<'_>, ours: bool, published: bool, if_published: Class) {
        if published && !ours {
            self.add(place, if_published, "required", "is optional, published as required");
        } else if ours && !published {
            self.add(place, Class::Cosmetic, "optional", "is required, published as optional");
        }
    }

    /// Records the keywords of a published object that cannot be evaluated.
    pub(super) fn unreadable(&mut self, kind: Kind, label: &str, ours: &str, published: &str) {
        let Some(node) = self.published.document.get(published) else { return };
        for (keyword, message) in keywords::unreadable(kind, node) {
            let at = join(published, keyword);
            self.add(Place::new(label, ours, &at), Class::New, format!("keyword: {keyword}"), message);
        }
    }
}
