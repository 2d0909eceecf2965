//! Everything that the requests of one emulator share. It knows nothing of HTTP.

use std::{collections::HashMap, sync::RwLock, time::Duration};

use crate::{
    domain::clock::Clock, domain::state::State, faults::model::Faults, http::auth::Key, http::response::GatewayStyle,
    http::router::Route, log::Log, proto_json::writer::Format,
};

#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) routes: Vec<Route>,
    pub(crate) state: RwLock<State>,
    pub(crate) keys: HashMap<String, Key>,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
    pub(crate) clock: Clock,
    pub(crate) format: Format,
    pub(crate) gateway: GatewayStyle,
    pub(crate) latency: Duration,
    pub(crate) max_body_bytes: usize,
}
