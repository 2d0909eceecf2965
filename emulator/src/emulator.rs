//! A running emulator: inspecting it, changing it, stopping it. It knows nothing of HTTP.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use axum::Router;
use coralogix_incidents::{ApiKey, Client, Error, types};
use tokio::{
    runtime::{self, Runtime},
    sync::{oneshot, watch},
};

use crate::{
    data::storage,
    domain::{
        clock::Clock,
        state::{State, Stored},
    },
    error::StartError,
    faults::model::Fault,
    http::{
        admin,
        head::prepare,
        router::{BASE_PATH, router},
        service::Service,
    },
    log::LoggedRequest,
    net::server::{self, Phase},
};

/// A running emulator of the Incidents API, on a port of its own.
///
/// It runs on threads of its own, so that a test that blocks still gets its responses. Many emulators can run at once. Dropping
/// one closes its port and all its connections before `drop` returns; [`stop`](Self::stop) lets requests finish first.
///
/// ```
/// use coralogix_incidents::types::UnassignIncidentsRequest;
/// use coralogix_incidents_emulator::Emulator;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let emulator = Emulator::start().await?;
/// let client = emulator.client()?;
///
/// let request = UnassignIncidentsRequest::new(["incident_id_1"]);
/// client.unassign_incidents(&request).await?;
///
/// let incident = emulator.incident("incident_id_1").unwrap_or_default();
/// assert!(incident.assignments.is_empty());
/// assert_eq!(emulator.requests()[0].changed, ["incident_id_1"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Emulator {
    service: Arc<Service>,
    address: SocketAddr,
    origin: String,
    url: String,
    api_key: String,
    phase: watch::Sender<Phase>,
    thread: Option<JoinHandle<()>>,
}

impl Emulator {
    pub(crate) async fn launch(
        service: Service,
        administration: bool,
        address: SocketAddr,
        api_key: String,
    ) -> Result<Self, StartError> {
        let service = Arc::new(service);
        let mut router = router(&service)?;
        if administration {
            router = router.merge(admin::router(&service));
        }
        let listener = TcpListener::bind(address).map_err(|source| StartError::socket("bind", address, source))?;
        let address = listener.local_addr().map_err(|source| StartError::socket("bind", address, source))?;
        listener.set_nonblocking(true).map_err(|source| StartError::socket("listen on", address, source))?;
        let (phase, phases) = watch::channel(Phase::Running);
        let (ready, readiness) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("incidents-emulator".to_owned())
            .spawn(move || run(listener, router, phases, ready))
            .map_err(|source| StartError::socket("serve on", address, source))?;
        let started = readiness.await.unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
        started.map_err(|source| StartError::socket("serve on", address, source))?;
        let origin = format!("http://{}", callable(address));
        let url = format!("{origin}{BASE_PATH}");
        Ok(Self { service, address, origin, url, api_key, phase, thread: Some(thread) })
    }

    /// Returns the base URL for clients, such as `http://127.0.0.1:40123/mgmt/openapi`. If the emulator listens on all interfaces, the
    /// URL has the loopback address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the start of all of the emulator's URLs, such as `http://127.0.0.1:40123`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns the address that the emulator listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns a personal API key with all permissions: the first such key that was configured, or the emulator's own.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Creates a client of this emulator with the SDK's defaults. For other settings, pass [`url`](Self::url) and
    /// [`api_key`](Self::api_key) to a [`ClientBuilder`](coralogix_incidents::ClientBuilder).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](coralogix_incidents::ErrorKind::Config) if the key cannot be sent in an HTTP header.
    pub fn client(&self) -> Result<Client, Error> {
        Client::builder().base_url(self.url()).api_key(ApiKey::new(self.api_key())?).build()
    }

    /// Returns the requests received so far, the oldest first. Of more than 100,000 requests, the newest are kept.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.service.log.newest(usize::MAX)
    }

    /// Clears the list of received requests.
    pub fn clear_requests(&self) {
        self.service.log.clear();
    }

    /// Returns an incident as it is now.
    pub fn incident(&self, id: &str) -> Option<types::Incident> {
        self.read(|state| state.get(id).map(|stored| stored.incident.clone()))
    }

    /// Returns all incidents as they are now, in the order in which they were added.
    pub fn incidents(&self) -> Vec<types::Incident> {
        self.read(|state| state.all().iter().map(|stored| stored.incident.clone()).collect())
    }

    /// Returns the number of incidents.
    pub fn len(&self) -> usize {
        self.read(|state| state.all().len())
    }

    /// Returns whether there are no incidents.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Injects a fault. It counts requests from now on.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the fault names an operation that does not exist, or can never happen.
    pub fn inject(&self, fault: Fault) -> Result<(), StartError> {
        if let Some(problem) = fault.problem() {
            return Err(StartError::new(problem));
        }
        self.service.faults.add(fault);
        Ok(())
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.service.faults.clear();
    }

    /// Stops the emulator: accepts no new requests, lets those that have begun finish for up to five seconds, and closes the
    /// port.
    pub async fn stop(self) {
        drop(self.drain().await);
    }

    /// Stops the emulator as [`stop`](Self::stop) does, and returns it for inspection.
    pub async fn drain(self) -> Self {
        self.phase.send_replace(Phase::Draining);
        // The server and its connections have the receivers.
        self.phase.closed().await;
        self
    }

    /// Goes back to the incidents that the emulator was started with.
    pub fn reset(&self) {
        self.service.reset();
    }

    /// Replaces all incidents. If several of them have one id, the last is kept.
    pub fn set_incidents<I: Into<types::Incident>>(&self, incidents: impl IntoIterator<Item = I>) {
        let incidents: Vec<_> = incidents.into_iter().map(|incident| Stored::new(incident.into())).collect();
        self.service.write_state().replace(incidents);
    }

    /// Replaces the clock.
    pub fn set_clock(&self, clock: Clock) {
        self.service.set_clock(clock);
    }

    /// Writes all incidents to a file that [`EmulatorBuilder::incidents_json`](crate::EmulatorBuilder::incidents_json) reads.
    /// The file is replaced as a whole or not at all.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.read(|state| storage::write(state, path.as_ref()))
    }

    fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.service.read_state())
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.phase.send_replace(Phase::Stopped);
        if let Some(thread) = self.thread.take() {
            // An error is a panic of that thread, which was reported already.
            let _ = thread.join();
        }
    }
}

/// The address at which a listener can be called. One that listens on all interfaces has an unspecified address.
fn callable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn run(listener: TcpListener, router: Router, phases: watch::Receiver<Phase>, ready: oneshot::Sender<io::Result<()>>) {
    // The caller may have stopped waiting. Then the phase ends the server.
    match listen(listener) {
        Ok((runtime, listener)) => {
            let _ = ready.send(Ok(()));
            runtime.block_on(server::serve(listener, router, prepare, phases));
            runtime.shutdown_timeout(Duration::from_secs(1));
        }
        Err(problem) => drop(ready.send(Err(problem))),
    }
}

fn listen(listener: TcpListener) -> io::Result<(Runtime, tokio::net::TcpListener)> {
    let mut builder = runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).thread_name("incidents-emulator").enable_io().enable_time().build()?;
    let listener = runtime.block_on(async { tokio::net::TcpListener::from_std(listener) })?;
    Ok((runtime, listener))
}
