//! The terminal or pipe that the program runs in: streams, signals, prompts and progress. It knows nothing of incidents.

pub(crate) mod interrupts;
pub(crate) mod output;
pub(crate) mod progress;
pub(crate) mod prompt;
pub(crate) mod sanitize;
pub(crate) mod streams;
pub(crate) mod tracing;
