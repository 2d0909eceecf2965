//! The rules of the service: incidents, events, filters, pages and counts. It knows nothing of HTTP.

pub(crate) mod aggregate;
pub(crate) mod clock;
pub(crate) mod error;
pub(crate) mod events;
pub(crate) mod ids;
pub(crate) mod operations;
pub(crate) mod paging;
pub(crate) mod query;
pub(crate) mod state;
