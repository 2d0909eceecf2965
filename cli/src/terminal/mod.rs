//! The terminal or the pipe that the program runs in. It knows nothing of incidents.

pub(crate) mod output;
pub(crate) mod tracing;
