//! The set of ids that a run has taken, in few bytes for each id.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

/// The ids taken so far, each as 96 bits of a hash with random keys. An entry takes 12 bytes and one of bookkeeping, in hash tables
/// that are at least 7/16 full. There are many tables, so that only a small part is copied when one of them grows.
pub(super) struct SeenIds {
    tables: Vec<HashSet<[u8; 12]>>,
    keys: [RandomState; 2],
}

const TABLES: usize = 64;

impl Default for SeenIds {
    fn default() -> Self {
        Self { tables: vec![HashSet::new(); TABLES], keys: [RandomState::new(), RandomState::new()] }
    }
}

impl SeenIds {
    /// Adds an id. Returns whether it is new.
    pub(super) fn add(&mut self, id: &str) -> bool {
        let [first, second] = self.keys.each_ref().map(|key| key.hash_one(id).to_le_bytes());
        let mut entry = [0; 12];
        entry[..8].copy_from_slice(&first);
        entry[8..].copy_from_slice(&second[..4]);
        self.tables[usize::from(second[7]) % TABLES].insert(entry)
    }
}
