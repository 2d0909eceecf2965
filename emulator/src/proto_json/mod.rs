//! Protobuf JSON as gRPC gateways read and write it. It knows nothing of HTTP.

pub(crate) mod json_reader;
pub(crate) mod json_writer;
#[rustfmt::skip]
mod messages;
pub(crate) mod query_reader;
pub(crate) mod schema;
mod timestamp;
