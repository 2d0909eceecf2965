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
    runtime,
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
        router::{BASE_PATH, router},
        service::Service,
        uri::decode_path,
    },
    log::LoggedRequest,
    net::server::{self, Phase},
};

/// An Incidents service on a port of its own, until it is dropped.
///
/// It runs on threads of its own, so that it also answers a test that blocks. Many can run at once. Dropping it closes its port
/// and all its connections before `drop` returns; [`stop`](Self::stop) lets requests finish first.
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
/// let request = UnassignIncidentsRequest::default().with_incident_ids(["incident_id_1"]);
/// client.unassign_incidents(&request).await?;
///
/// assert!(emulator.incident("incident_id_1").is_some_and(|incident| incident.assignments.is_empty()));
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
    done: Option<oneshot::Receiver<()>>,
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
        let (finished, done) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("incidents-emulator".to_owned())
            .spawn(move || {
                run(listener, router, phases, ready);
                // Nobody waits for it unless somebody called `stop`.
                let _ = finished.send(());
            })
            .map_err(|source| StartError::socket("serve on", address, source))?;
        let started = readiness.await.unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
        started.map_err(|source| StartError::socket("serve on", address, source))?;
        let origin = format!("http://{}", callable(address));
        let url = format!("{origin}{BASE_PATH}");
        Ok(Self { service, address, origin, url, api_key, phase, done: Some(done), thread: Some(thread) })
    }

    /// The base URL for clients, such as `http://127.0.0.1:40123/mgmt/openapi`. If the emulator listens on all interfaces, the
    /// URL has the loopback address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The start of all of the emulator's URLs, such as `http://127.0.0.1:40123`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The address that the emulator listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A personal key with all permissions: the first such key that was given, else the emulator's own.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// A client of this emulator, with the SDK's defaults. For one with other settings, give
    /// [`url`](Self::url) and [`api_key`](Self::api_key) to a [`ClientBuilder`](coralogix_incidents::ClientBuilder).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](coralogix_incidents::ErrorKind::Config) if the key is one that no header can hold.
    pub fn client(&self) -> Result<Client, Error> {
        Client::builder().base_url(self.url()).api_key(ApiKey::new(self.api_key())?).build()
    }

    /// What was received so far, the oldest first. Of very many requests the newest 100,000.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.service.log.newest(usize::MAX)
    }

    /// Forgets what was received so far.
    pub fn clear_requests(&self) {
        self.service.log.clear();
    }

    /// An incident as it is now.
    pub fn incident(&self, id: &str) -> Option<types::Incident> {
        self.read(|state| state.get(id).map(|stored| stored.incident.clone()))
    }

    /// All incidents as they are now, in the order in which they were given.
    pub fn incidents(&self) -> Vec<types::Incident> {
        self.read(|state| state.all().iter().map(|stored| stored.incident.clone()).collect())
    }

    /// How many incidents there are.
    pub fn len(&self) -> usize {
        self.read(|state| state.all().len())
    }

    /// Whether there are no incidents.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lets one more thing go wrong from now on. Its counting of requests begins now.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the fault is for an operation that the document does not have, or could never happen.
    pub fn inject(&self, fault: Fault) -> Result<(), StartError> {
        if let Some(problem) = fault.problem() {
            return Err(StartError::new(problem));
        }
        self.service.faults.add(fault);
        Ok(())
    }

    /// Lets nothing go wrong any more.
    pub fn clear_faults(&self) {
        self.service.faults.clear();
    }

    /// Stops taking requests, lets those that were begun finish (for up to five seconds) and closes the port.
    pub async fn stop(self) {
        drop(self.drain().await);
    }

    /// As [`stop`](Self::stop), and what was answered and what came of it can still be looked at.
    pub async fn drain(mut self) -> Self {
        self.phase.send_replace(Phase::Draining);
        if let Some(done) = self.done.take() {
            // An error says that the thread is gone, which is what was asked for.
            let _ = done.await;
        }
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
        self.service.clock.set(clock);
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
            // An error is a panic of that thread, which said so already.
            let _ = thread.join();
        }
    }
}

/// The address to call a listener at: nobody can call the unspecified address of one that listens on all interfaces.
fn callable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn run(listener: TcpListener, router: Router, phases: watch::Receiver<Phase>, ready: oneshot::Sender<io::Result<()>>) {
    let runtime = match runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("incidents-emulator")
        .enable_io()
        .enable_time()
        .build()
    {
        Ok(runtime) => runtime,
        Err(problem) => {
            let _ = ready.send(Err(problem));
            return;
        }
    };
    runtime.block_on(async {
        let listener = match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(problem) => {
                let _ = ready.send(Err(problem));
                return;
            }
        };
        // Whoever started it may have given up waiting; the phase tells.
        let _ = ready.send(Ok(()));
        server::serve(listener, router, decode_path, phases).await;
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
}
