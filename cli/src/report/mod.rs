//! How results and errors are shown.

pub(crate) mod errors;
pub(crate) mod outcomes;
pub(crate) mod table;
pub(crate) mod time;
