//! Injected faults: what they are, how they are written, and when they strike.

pub(crate) mod model;
pub(crate) mod parse;
