//! TCP connections and the server that accepts them. It knows nothing of what is served.

pub(crate) mod connection;
pub(crate) mod server;
