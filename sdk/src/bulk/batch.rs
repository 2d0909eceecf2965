//! Decides how many ids a request has: by their number, and by the length of its URL if they are sent in it.

use crate::{Client, Operation, transport::MAX_URL};

/// The ids of the next request.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) max_ids: usize,
    ids: Vec<String>,
    /// The length of the ids in the URL.
    length: usize,
    /// An id that did not fit into the URL. It becomes the first id of the next request.
    overflow: Option<String>,
}

/// How much of its URL the ids of a request may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct UrlLimit {
    /// What each id takes in addition to its encoded text: `?name=` or `&name=`.
    per_id: usize,
    total: usize,
}

impl UrlLimit {
    /// The limit for an operation; `None` if ids are sent in the body. Before the API generation is known, a request must fit all of
    /// them.
    pub(super) fn of(client: &Client, operation: &Operation) -> Option<Self> {
        let generation = client.api_generation();
        let bindings = operation.bindings.iter().filter(|binding| generation.is_none_or(|it| it == binding.generation));
        let limits = bindings.filter_map(|binding| {
            let rest = client.base_url().len() + binding.path.len();
            Some(Self { per_id: binding.query_list()?.len() + 2, total: MAX_URL.saturating_sub(rest) })
        });
        limits.min_by_key(|limit| limit.total)
    }

    /// The length of an id in the query, where most characters other than letters and digits take three bytes.
    fn cost(self, id: &str) -> usize {
        self.per_id + url::form_urlencoded::byte_serialize(id.as_bytes()).map(str::len).sum::<usize>()
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
        let cost = limit.map_or(0, |limit| limit.cost(&id));
        if limit.is_some_and(|limit| self.length + cost > limit.total) && !self.ids.is_empty() {
            self.overflow = Some(id);
        } else {
            self.length += cost;
            self.ids.push(id);
        }
    }

    /// The ids of the request. The id that did not fit is kept for the next one.
    pub(super) fn take(&mut self, limit: Option<UrlLimit>) -> Vec<String> {
        let ids = std::mem::take(&mut self.ids);
        self.length = 0;
        if let Some(id) = self.overflow.take() {
            self.add(id, limit);
        }
        ids
    }

    /// All ids, with the one that did not fit.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = String> + use<> {
        self.length = 0;
        std::mem::take(&mut self.ids).into_iter().chain(self.overflow.take())
    }
}

/// Splits ids into requests within the limit.
pub(super) fn split(ids: &[String], limit: Option<UrlLimit>) -> impl Iterator<Item = &[String]> {
    let mut rest = ids;
    std::iter::from_fn(move || {
        let mut length = 0;
        let fits = rest.iter().take_while(|id| {
            length += limit.map_or(0, |limit| limit.cost(id));
            limit.is_none_or(|limit| length <= limit.total)
        });
        // An id that is longer than the limit is sent alone and refused.
        let (next, remaining) = rest.split_at(fits.count().max(1).min(rest.len()));
        rest = remaining;
        (!next.is_empty()).then_some(next)
    })
}
