//! The routes, built from the SDK's table of operations: an operation that is added to the document appears here, or the start
//! fails with its name. It knows which handler serves which operation, not what the handler does.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    extract::{RawPathParams, Request},
    http::{Method, header},
    response::IntoResponse,
    routing::{any, get},
};
use coralogix_incidents::{ApiGeneration, Client, Idempotency};

use super::{
    handler::{self, Route},
    operations::handler,
    quirk::Quirk,
    service::Service,
};
use crate::error::StartError;

/// The path of the base URL, as the service has it.
pub(crate) const BASE_PATH: &str = "/mgmt/openapi";

/// The document that the emulator implements.
const DOCUMENT: &str = include_str!("../../openapi.yaml");

/// Builds the routes of every operation in every generation that has it.
pub(crate) fn router(service: &Arc<Service>) -> Result<Router, StartError> {
    let mut paths: BTreeMap<&str, Vec<Route>> = BTreeMap::new();
    for operation in Client::operations() {
        let handler = handler(operation.id()).ok_or(StartError::operation(operation.id(), "it has no handler"))?;
        for &generation in &service.generations {
            let Some(binding) = operation.binding(generation) else { continue };
            let method = binding.method().parse();
            let method: Method = method.map_err(|_| StartError::operation(operation.id(), "its method is unknown"))?;
            let ignores_body = generation == ApiGeneration::V1
                && operation.idempotency() != Idempotency::Safe
                && (service.has(Quirk::IgnoredBodies) || service.has(Quirk::RefusedBodies));
            let has_body = method == Method::POST && binding.query().is_empty() && !ignores_body;
            paths.entry(binding.path()).or_default().push(Route { operation, binding, method, has_body, handler });
        }
    }
    let mut app = Router::new().route("/openapi.yaml", get(document));
    for (path, routes) in paths {
        let (for_path, routes) = (Arc::clone(service), Arc::<[Route]>::from(routes));
        // `any` instead of axum's routing by method, which answers HEAD as GET, and a wrong method with `Allow`. Gateways do neither.
        let methods = any(move |parameters: RawPathParams, request: Request| async move {
            // No path of the document has more than one parameter.
            let parameter = parameters.iter().next().map(|(_, value)| value.to_owned());
            handler::serve_path(&for_path, &routes, parameter, request).await
        });
        // A gateway's parameter also matches an empty segment; axum's does not.
        if let Some((before, (_, after))) =
            path.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        {
            app = app.route(&format!("{BASE_PATH}{before}{after}"), methods.clone());
        }
        app = app.route(&format!("{BASE_PATH}{path}"), methods);
    }
    if service.generations.contains(&ApiGeneration::V5) {
        // Where the vendor serves the file of generation 5.
        app = app.route(&format!("{BASE_PATH}/5/openapi.yaml"), get(document));
    }
    let service = Arc::clone(service);
    Ok(app.fallback(move |request: Request| async move { handler::serve_unknown_path(&service, request).await }))
}

/// Needs no key.
async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/yaml")], DOCUMENT)
}
