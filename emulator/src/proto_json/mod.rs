//! Protobuf JSON as gateways read and write it. It knows nothing of HTTP.

pub(crate) mod enums;
pub(crate) mod writer;
