//! What a command is given: ids and times.

pub(crate) mod ids;
pub(crate) mod time;
