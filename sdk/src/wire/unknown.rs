//! What a response had that this version of the SDK does not know, noted while it is decoded.
//!
//! Decoding is synchronous, so a list that belongs to the thread for the time of one call of [`collect`] is enough. Outside
//! of it nothing is noted, and nothing is paid.

use std::{cell::RefCell, collections::BTreeSet};

/// A name that this version does not know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unknown {
    /// A value of an enum: the enum's name and the value's.
    EnumValue(&'static str, String),
    /// A member of a message: its own name.
    Field(String),
}

/// More in one response are not drift but another API.
const MAX_NAMES: usize = 64;

thread_local! {
    static NAMES: RefCell<Option<BTreeSet<Unknown>>> = const { RefCell::new(None) };
}

/// Runs `decode` and returns, beside its result, the names that were noted.
pub(crate) fn collect<T>(decode: impl FnOnce() -> T) -> (T, BTreeSet<Unknown>) {
    NAMES.with_borrow_mut(|names| *names = Some(BTreeSet::new()));
    let value = decode();
    let names = NAMES.with_borrow_mut(Option::take);
    (value, names.unwrap_or_default())
}

pub(crate) fn note_value(of: &'static str, name: &str) {
    note(|| Unknown::EnumValue(of, name.to_owned()));
}

pub(crate) fn note_field(name: &str) {
    note(|| Unknown::Field(name.to_owned()));
}

fn note(unknown: impl FnOnce() -> Unknown) {
    NAMES.with_borrow_mut(|names| {
        if let Some(names) = names.as_mut().filter(|names| names.len() < MAX_NAMES) {
            names.insert(unknown());
        }
    });
}
