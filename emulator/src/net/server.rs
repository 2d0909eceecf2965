//! Accepts connections, serves HTTP/1.1 on them, and ends them. It knows nothing of what is served.

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::connection::{ConnectionControl, ControlledStream};

/// What the server is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Running,
    /// Accept no new requests, and finish those that have begun.
    Draining,
    /// Drop all connections.
    Stopped,
}

/// How long requests that have begun may take to finish.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Changes a request before it is routed. Returns `None` if the request is malformed.
pub(crate) type Prepare = fn(Request) -> Option<Request>;

/// Serves until it is told to stop. When it returns, all connections are closed. Handlers find the
/// [`ConnectionControl`] of their connection among the extensions of a request.
pub(crate) async fn serve(listener: TcpListener, router: Router, prepare: Prepare, mut phase: watch::Receiver<Phase>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, router.clone(), prepare, phase.clone()));
                }
                // Usually out of file descriptors, of which some may be free again soon.
                Err(_) => sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
            _ = phase.changed() => break,
        }
    }
    drop(listener);
    if *phase.borrow() == Phase::Draining {
        let drained = async { while connections.join_next().await.is_some() {} };
        tokio::select! {
            _ = timeout(DRAIN_TIMEOUT, drained) => {}
            _ = phase.wait_for(|phase| *phase == Phase::Stopped) => {}
        }
    }
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, router: Router, prepare: Prepare, mut phase: watch::Receiver<Phase>) {
    // Without it, the last part of a chunked body waits for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    let control = ConnectionControl::default();
    let service = {
        let control = control.clone();
        let router = TowerToHyperService::new(router);
        service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(control.clone());
            let request: Request = request.map(Body::new);
            let response = prepare(request).map(|request| hyper::service::Service::call(&router, request));
            async {
                match response {
                    Some(response) => response.await,
                    None => Ok(malformed()),
                }
            }
        })
    };
    let io = TokioIo::new(ControlledStream::new(stream, control));
    let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(io, service);
    tokio::pin!(connection);
    let ending = async {
        // An error means that the emulator is gone.
        let _ = phase.wait_for(|phase| *phase != Phase::Running).await;
    };
    // An error of a connection is the client's: nobody here needs to hear of it.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = ending => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// The answer of Go's HTTP server, which is in front of every gateway.
fn malformed() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CONNECTION, "close")];
    (StatusCode::BAD_REQUEST, headers, "400 Bad Request").into_response()
}
