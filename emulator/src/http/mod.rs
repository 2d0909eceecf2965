//! Requests and responses as a gRPC gateway handles them. It knows nothing of sockets.

pub(crate) mod admin;
pub(crate) mod auth;
pub(crate) mod handler;
pub(crate) mod head;
pub(crate) mod operations;
pub(crate) mod quirk;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod router;
pub(crate) mod service;
