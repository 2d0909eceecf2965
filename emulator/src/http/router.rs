//! The routes, built from the SDK's table of operations: an operation that is added to the document appears here, or the start
//! fails with its name. It knows which handler serves which operation, not what the handler does.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{RawPathParams, Request},
    http::{HeaderValue, Response, header},
    routing::{MethodFilter, any, get},
};
use coralogix_incidents::{ApiGeneration, Client};

use super::{
    handler::{self, Route},
    operations::handler,
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
        let (handler, incident_ids) =
            handler(operation.id()).ok_or(StartError::operation(operation.id(), "it has no handler"))?;
        for generation in [ApiGeneration::V1, ApiGeneration::V5] {
            let Some(binding) = operation.binding(generation) else { continue };
            let method = binding.method().parse();
            let method = method.map_err(|_| StartError::operation(operation.id(), "its method is unknown"))?;
            let path = binding.path();
            paths.entry(path).or_default().push(Route { operation, generation, method, path, handler, incident_ids });
        }
    }
    let mut router = Router::new().route("/openapi.yaml", get(document));
    for (path, routes) in paths {
        let routes: Arc<[Route]> = routes.into();
        // `any` and not axum's own answer to a wrong method: that would come with `Allow`, which gateways do not send.
        let mut methods = {
            let (service, routes) = (Arc::clone(service), Arc::clone(&routes));
            any(move |parameters: RawPathParams, request: Request| async move {
                handler::serve_wrong_method(&service, &routes, first(&parameters), request).await
            })
        };
        for (number, route) in routes.iter().enumerate() {
            let filter = MethodFilter::try_from(route.method.clone())
                .map_err(|_| StartError::operation(route.operation.id(), "its method is unknown"))?;
            let (service, routes) = (Arc::clone(service), Arc::clone(&routes));
            methods = methods.on(filter, move |parameters: RawPathParams, request: Request| async move {
                match routes.get(number) {
                    // axum routes HEAD to the handler of GET; gateways do not.
                    Some(route) if *request.method() == route.method => {
                        handler::serve(&service, route, first(&parameters), request).await
                    }
                    _ => handler::serve_wrong_method(&service, &routes, first(&parameters), request).await,
                }
            });
        }
        router = router.route(&format!("{BASE_PATH}{path}"), methods);
    }
    let service = Arc::clone(service);
    Ok(router.fallback(move |request: Request| async move { handler::serve_unknown_path(&service, request).await }))
}

/// The value of a path's parameter. No path of the document has more than one.
fn first(parameters: &RawPathParams) -> Option<String> {
    parameters.iter().next().map(|(_, value)| value.to_owned())
}

/// Needs no key.
async fn document() -> Response<Body> {
    let mut response = Response::new(Body::from(DOCUMENT));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/yaml"));
    response
}
