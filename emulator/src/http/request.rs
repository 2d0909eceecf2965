//! The parts of a request that operations decode. It knows nothing of what is done with them.

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::response::HttpError;
use crate::proto_json::{
    json_reader::{self, Json},
    query_reader::{self, Query},
    schema::{Described, proto_name},
};

/// The parts of a request, before an operation decodes them.
#[derive(Debug)]
pub(crate) struct RequestParts {
    /// The value of the path's parameter, decoded.
    pub(crate) path_parameter: Option<String>,
    message: Message,
}

/// Where the request message is.
#[derive(Debug)]
enum Message {
    Body(Result<Json, String>),
    Query(Result<Query, String>),
}

impl RequestParts {
    /// A request whose message is its JSON body.
    pub(crate) fn with_body(path_parameter: Option<String>, body: &Bytes) -> Self {
        Self { path_parameter, message: Message::Body(Json::parse(body)) }
    }

    /// A request whose message is its query.
    pub(crate) fn with_query(path_parameter: Option<String>, query: &str) -> Self {
        Self { path_parameter, message: Message::Query(Query::parse(query)) }
    }

    /// Decodes the request message.
    pub(crate) fn message<T: DeserializeOwned + Described>(&self) -> Result<T, HttpError> {
        match &self.message {
            Message::Body(body) => body
                .as_ref()
                .map_err(Clone::clone)
                .and_then(json_reader::read)
                .map_err(|problem| HttpError::bad_request(format!("invalid request body: {problem}"))),
            Message::Query(query) => {
                query.as_ref().map_err(Clone::clone).and_then(query_reader::read).map_err(HttpError::bad_request)
            }
        }
    }

    /// The texts of a list that is a member of the request message, also where the message as a whole is refused.
    pub(crate) fn texts(&self, member: &str) -> Vec<String> {
        let names = [member, &proto_name(member)];
        match &self.message {
            Message::Body(Ok(body)) => body.texts(names),
            Message::Query(Ok(query)) => query.texts(names),
            Message::Body(Err(_)) | Message::Query(Err(_)) => Vec::new(),
        }
    }
}
