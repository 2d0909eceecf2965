//! Connections: accepts them, speaks HTTP/1.1 on them, and ends them. It knows nothing of what is served.

use std::time::Duration;

use axum::{Router, body::Body, extract::Request};
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

use crate::net::connection::{Line, Socket};

/// How the server is to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Running,
    /// Take no new requests, finish those that were begun.
    Draining,
    /// Drop everything.
    Stopped,
}

/// How long requests that were begun may take to finish.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves until it is told to stop. When it returns, all connections are closed.
pub(crate) async fn serve(listener: TcpListener, router: Router, mut phase: watch::Receiver<Phase>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, router.clone(), phase.clone()));
                }
                // Out of file descriptors, as a rule: some may be free again soon.
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
            _ = timeout(DRAIN, drained) => {}
            _ = phase.wait_for(|phase| *phase == Phase::Stopped) => {}
        }
    }
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, router: Router, mut phase: watch::Receiver<Phase>) {
    // Without it, the last part of a chunked body waits for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    let line = Line::default();
    let service = {
        let line = line.clone();
        let router = TowerToHyperService::new(router);
        service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(line.clone());
            let request: Request = request.map(Body::new);
            hyper::service::Service::call(&router, request)
        })
    };
    let io = TokioIo::new(Socket::new(stream, line));
    let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(io, service);
    tokio::pin!(connection);
    let ending = async {
        // An error says that the emulator is gone.
        let _ = phase.wait_for(|phase| *phase != Phase::Running).await;
    };
    // Whatever ends a connection ends it: there is nobody to tell.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = ending => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
