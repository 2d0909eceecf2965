//! Injected faults: what they are, how they are written, and which requests they hit.

pub(crate) mod body;
pub(crate) mod model;
pub(crate) mod parse;
pub(crate) mod schedule;
