//! Records names in a response that this version of the SDK does not know, while it is decoded.
//!
//! Decoding is synchronous, so they are kept in a thread-local set during a call of [`collect`]. Outside of such a call nothing is
//! recorded.

use std::{cell::RefCell, collections::BTreeSet};

/// A name that this version of the SDK does not know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unknown {
    /// A value of an enum: the enum's name and the value's.
    EnumValue(&'static str, String),
    /// A member of a message: its own name.
    Field(String),
}

/// A response with more unknown names than this is that of another API.
const MAX_NAMES: usize = 64;

thread_local! {
    static NAMES: RefCell<Option<BTreeSet<Unknown>>> = const { RefCell::new(None) };
}

/// Runs `decode` and returns its result and the names that were recorded.
pub(crate) fn collect<T>(decode: impl FnOnce() -> T) -> (T, BTreeSet<Unknown>) {
    NAMES.with_borrow_mut(|names| *names = Some(BTreeSet::new()));
    let value = decode();
    let names = NAMES.with_borrow_mut(Option::take);
    (value, names.unwrap_or_default())
}

pub(crate) fn record_value(of: &'static str, name: &str) {
    record(|| Unknown::EnumValue(of, name.to_owned()));
}

pub(crate) fn record_field(name: &str) {
    record(|| Unknown::Field(name.to_owned()));
}

fn record(unknown: impl FnOnce() -> Unknown) {
    NAMES.with_borrow_mut(|names| {
        if let Some(names) = names.as_mut().filter(|names| names.len() < MAX_NAMES) {
            names.insert(unknown());
        }
    });
}
