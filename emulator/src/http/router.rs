//! The routes, derived from the SDK's table of operations, so that an operation that is added to the document appears here or
//! is reported as missing. They know which handler serves which operation, not what it does.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Method, Response, header},
    routing::{MethodFilter, MethodRouter, get, on},
};
use coralogix_incidents::{ApiGeneration, Client, Operation};

use crate::{
    emulator::StartError,
    http::handler,
    http::operations::{Handler, handler},
    service::Service,
};

/// The path of the base URL, as the service has it.
pub(crate) const BASE_PATH: &str = "/mgmt/openapi";

/// The document that the emulator implements.
const DOCUMENT: &str = include_str!("../../openapi.yaml");

/// An operation in one generation.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) operation: &'static Operation,
    pub(crate) generation: ApiGeneration,
    pub(crate) method: Method,
    /// Below the base path, with parameters in braces.
    pub(crate) path: &'static str,
    pub(crate) handler: Handler,
}

/// Every operation in every generation that has it.
pub(crate) fn table() -> Result<Vec<Route>, StartError> {
    let mut routes = Vec::new();
    for operation in Client::operations() {
        let handler = handler(operation.id()).ok_or(StartError::operation(operation.id(), "it has no handler"))?;
        for generation in [ApiGeneration::V1, ApiGeneration::V5] {
            let Some(binding) = operation.binding(generation) else { continue };
            let method = binding.method().parse();
            let method = method.map_err(|_| StartError::operation(operation.id(), "its method is not known"))?;
            routes.push(Route { operation, generation, method, path: binding.path(), handler });
        }
    }
    Ok(routes)
}

pub(crate) fn router(service: &Arc<Service>) -> Result<Router, StartError> {
    let mut router = Router::new().route("/openapi.yaml", get(document));
    for (number, route) in service.routes.iter().enumerate() {
        let filter = MethodFilter::try_from(route.method.clone())
            .map_err(|_| StartError::operation(route.operation.id(), "its method is not known"))?;
        let endpoint: MethodRouter = {
            let service = Arc::clone(service);
            on(filter, move |request: Request| {
                let service = Arc::clone(&service);
                async move { handler::serve(&service, service.routes.get(number), request).await }
            })
        };
        router = router.route(&format!("{BASE_PATH}{}", route.path), endpoint);
    }
    let unknown = {
        let service = Arc::clone(service);
        move |request: Request| {
            let service = Arc::clone(&service);
            async move { handler::serve(&service, None, request).await }
        }
    };
    Ok(router.fallback(unknown.clone()).method_not_allowed_fallback(unknown))
}

/// Needs no key: it is public.
async fn document() -> Response<Body> {
    let mut response = Response::new(Body::from(DOCUMENT));
    response.headers_mut().insert(header::CONTENT_TYPE, axum::http::HeaderValue::from_static("application/yaml"));
    response
}
