//! The terminal or pipe that the program runs in: streams, signals, prompts and progress. It knows nothing of incidents.

pub(crate) mod interrupts;
mod output;
pub(crate) mod progress;
pub(crate) mod prompt;
mod sanitize;
mod streams;
pub(crate) mod tracing;

pub(crate) use interrupts::{Interrupted, unless_interrupted};
pub(crate) use output::{Format, Listing, Output, wants_color};
pub(crate) use sanitize::{escape_json_controls, sanitize_line};
pub(crate) use streams::{Stdin, Stream, write_all, write_stderr_line};
