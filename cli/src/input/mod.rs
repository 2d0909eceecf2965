//! What commands are given: ids, names and times, checked before anything is sent.

pub(crate) mod ids;
pub(crate) mod names;
pub(crate) mod time;

pub(crate) use ids::{IdArgs, Ids, ReadState, known_ids};
