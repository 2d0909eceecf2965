//! The set of ids that a run has taken, in few bytes for each id.

use std::{
    collections::HashSet,
    hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState},
};

/// The ids taken so far, each as 96 bits of a hash with random keys. An entry takes 12 bytes and one of bookkeeping, in hash tables
/// that are at least 7/16 full. There are many tables, so that only a small part is copied when one of them grows.
pub(super) struct SeenIds {
    tables: Vec<HashSet<[u32; 3], BuildHasherDefault<FoldHasher>>>,
    keys: [RandomState; 2],
}

const TABLES: usize = 64;

impl Default for SeenIds {
    fn default() -> Self {
        Self {
            tables: std::iter::repeat_with(HashSet::default).take(TABLES).collect(),
            keys: [RandomState::new(), RandomState::new()],
        }
    }
}

impl SeenIds {
    /// Adds an id. Returns whether it is new.
    pub(super) fn add(&mut self, id: &str) -> bool {
        let [low, high] = [self.keys[0].hash_one(id), self.keys[1].hash_one(id)];
        let table = usize::try_from(high >> 58).unwrap_or(0) % TABLES;
        let (a, b) = halves(low);
        self.tables[table].insert([a, b, halves(high).1])
    }
}

#[expect(clippy::cast_possible_truncation, reason = "splits the number")]
fn halves(number: u64) -> (u32, u32) {
    ((number >> 32) as u32, number as u32)
}

/// Hashes entries by folding their bytes, because they are hashes already.
#[derive(Default)]
struct FoldHasher(u64);

impl Hasher for FoldHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(word);
        }
    }
}
