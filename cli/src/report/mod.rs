//! How results and errors are shown.

mod errors;
mod outcomes;
pub(crate) mod table;
pub(crate) mod time;

pub(crate) use errors::{Exit, Failure, Stop, abbreviate, counted, is_not_found};
pub(crate) use outcomes::{NOT_FOUND_HINT, Report};
