//! How many ids go into one request: by number, and by the length of the URL where they travel there.

use crate::{Client, Operation, transport::MAX_URL};

/// The ids of the next request.
#[derive(Debug)]
pub(super) struct Batch {
    max_ids: usize,
    ids: Vec<String>,
    /// What the ids need of the URL.
    length: usize,
    /// An id that the URL had no more room for: the first of the request after this.
    overflow: Option<String>,
}

/// What the ids of a request may need of its URL.
#[derive(Debug, Clone, Copy)]
pub(super) struct UrlLimit {
    /// What an id needs beside its own encoded text: `?name=` or `&name=`.
    each: usize,
    all: usize,
}

impl UrlLimit {
    /// The limit for an operation; `None` where ids travel in the body. Where the generation is yet to be found, a request has
    /// to fit any.
    pub(super) fn of(client: &Client, operation: &Operation) -> Option<Self> {
        let generation = client.api_generation();
        let bindings = operation.bindings.iter().filter(|binding| generation.is_none_or(|it| it == binding.generation));
        let limits = bindings.filter_map(|binding| {
            let rest = client.base_url().len() + binding.path.len();
            Some(Self { each: binding.query_list()?.len() + 2, all: MAX_URL.saturating_sub(rest) })
        });
        limits.min_by_key(|limit| limit.all)
    }
}

impl Batch {
    pub(super) fn new(max_ids: usize) -> Self {
        Self { max_ids, ids: Vec::new(), length: 0, overflow: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.ids.len() >= self.max_ids || self.overflow.is_some()
    }

    /// Adds an id to a batch that is not full.
    pub(super) fn add(&mut self, id: String, limit: Option<UrlLimit>) {
        let cost = limit.map_or(0, |limit| limit.each + encoded_len(&id));
        if limit.is_some_and(|limit| self.length + cost > limit.all) && !self.ids.is_empty() {
            self.overflow = Some(id);
        } else {
            self.length += cost;
            self.ids.push(id);
        }
    }

    /// The ids of the request. What had no room is the beginning of the next.
    pub(super) fn take(&mut self, limit: Option<UrlLimit>) -> Vec<String> {
        let ids = std::mem::take(&mut self.ids);
        self.length = 0;
        if let Some(id) = self.overflow.take() {
            self.add(id, limit);
        }
        ids
    }

    /// All ids, also the one that had no room.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = String> + use<> {
        self.length = 0;
        std::mem::take(&mut self.ids).into_iter().chain(self.overflow.take())
    }
}

/// Splits ids into requests of which none breaks the limit.
pub(super) fn split(ids: &[String], limit: Option<UrlLimit>) -> impl Iterator<Item = &[String]> {
    let mut rest = ids;
    std::iter::from_fn(move || {
        let mut length = 0;
        let fits = rest.iter().take_while(|id| {
            length += limit.map_or(0, |limit| limit.each + encoded_len(id));
            limit.is_none_or(|limit| length <= limit.all)
        });
        // One that is longer than the limit goes alone, to be refused.
        let (now, later) = rest.split_at(fits.count().max(1).min(rest.len()));
        rest = later;
        (!now.is_empty()).then_some(now)
    })
}

/// The length of an id in a query, where most characters but letters and digits take three.
fn encoded_len(id: &str) -> usize {
    url::form_urlencoded::byte_serialize(id.as_bytes()).map(str::len).sum()
}
