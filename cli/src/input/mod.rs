//! What commands are given: ids, names and times, checked before anything is sent.

pub(crate) mod ids;
pub(crate) mod names;
pub(crate) mod time;
