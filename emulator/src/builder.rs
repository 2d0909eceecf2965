//! The configuration of an emulator. It knows nothing of how requests are served.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::RwLock,
    time::Duration,
};

use coralogix_incidents::{ApiGeneration, types};

use crate::{
    data::{
        samples::USERS,
        seed::{Content, Seed},
        storage::{self, Saved},
    },
    domain::{clock::Clock, ids::Ids, state::Stored},
    emulator::Emulator,
    error::StartError,
    faults::{model::Fault, schedule::FaultSchedule},
    http::{auth::Key, quirk::Quirk, response::GatewayStyle, service::Service},
    log::Log,
    proto_json::json_writer::{Format, JsonStyle},
};

/// The key that an emulator accepts if it is given no personal key with all permissions.
const DEFAULT_KEY: &str = "cxup_emulator";

/// The default number of incidents.
const DEFAULT_COUNT: usize = 50;

/// How many requests are kept for [`Emulator::requests`]: the newest ones.
const LOG_LIMIT: usize = 100_000;

/// Configures an [`Emulator`]. Everything has a default.
///
/// ```
/// use std::time::Duration;
///
/// use coralogix_incidents_emulator::{Emulator, Fault, JsonStyle, Key, Sample};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let reader = Key::personal("cxup_reader", "mei.tanaka@example.com");
/// let emulator = Emulator::builder()
///     .incidents([Sample::new("a").assigned_to("dana.levi@example.com")])
///     .incidents([Sample::new("b")])
///     .key(reader.with_permissions(["incidents:read"]))
///     .fault(Fault::status(503).on("unassignIncidents").nth(1))
///     .json_style(JsonStyle::NullsPopulated)
///     .latency(Duration::from_millis(5))
///     .start()
///     .await?;
/// assert_eq!(emulator.incidents().len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct EmulatorBuilder {
    address: SocketAddr,
    sources: Vec<Source>,
    keys: Vec<Key>,
    faults: Vec<Fault>,
    format: Format,
    gateway: GatewayStyle,
    quirks: Vec<Quirk>,
    generations: Vec<ApiGeneration>,
    administration: bool,
    latency: Duration,
    clock: Clock,
    seed: u64,
    max_body_bytes: usize,
}

/// Where the first incidents come from.
#[derive(Debug, Clone)]
enum Source {
    Content(Content),
    File(PathBuf),
}

impl Default for EmulatorBuilder {
    fn default() -> Self {
        Self {
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            sources: Vec::new(),
            keys: Vec::new(),
            faults: Vec::new(),
            format: Format::default(),
            gateway: GatewayStyle::default(),
            quirks: Vec::new(),
            generations: ApiGeneration::ALL.to_vec(),
            administration: true,
            latency: Duration::ZERO,
            clock: Clock::default(),
            seed: 0,
            max_body_bytes: 4 * 1024 * 1024,
        }
    }
}

impl Emulator {
    /// Starts an emulator that holds 50 realistic incidents, the documented `incident_id_1` and `incident_id_2` among them, and
    /// accepts one key.
    ///
    /// # Errors
    ///
    /// [`StartError`] if no port can be bound.
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// Configures an emulator before it is started.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::default()
    }
}

impl EmulatorBuilder {
    /// Sets the address to listen on. The default is a port of the system's choice on 127.0.0.1. The emulator is not secured:
    /// do not expose it to a network.
    #[must_use]
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Adds incidents to start with. May be called several times, and together with [`seeded`](Self::seeded) and
    /// [`incidents_json`](Self::incidents_json); if several incidents have one id, the last is kept. Without any of these calls,
    /// the emulator starts with 50 realistic incidents.
    #[must_use]
    pub fn incidents<I: Into<types::Incident>>(mut self, incidents: impl IntoIterator<Item = I>) -> Self {
        let incidents = incidents.into_iter().map(|incident| Stored::new(incident.into())).collect();
        self.sources.push(Source::Content(Content::Given(incidents)));
        self
    }

    /// Adds the incidents of a JSON file to start with. The file holds a list of incidents, a message with a member `incidents`
    /// such as a saved response, or the saved state of an emulator.
    #[must_use]
    pub fn incidents_json(mut self, path: impl AsRef<Path>) -> Self {
        self.sources.push(Source::File(path.as_ref().to_owned()));
        self
    }

    /// Adds this many realistic incidents of the last two weeks to start with. The first two are the documented `incident_id_1`
    /// and `incident_id_2`, assigned to a user; the others have UUIDs.
    #[must_use]
    pub fn seeded(mut self, count: usize, seed: u64) -> Self {
        self.sources.push(Source::Content(Content::Seeded(count, seed)));
        self
    }

    /// Accepts an API key. May be called several times. If no key is personal and has all permissions, the emulator adds one
    /// of its own: see [`Emulator::api_key`].
    #[must_use]
    pub fn key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// Injects a fault. May be called several times.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Sets which members responses show.
    #[must_use]
    pub fn json_style(mut self, style: JsonStyle) -> Self {
        self.format.style = style;
        self
    }

    /// Sets how unknown paths and wrong methods are answered.
    #[must_use]
    pub fn gateway(mut self, gateway: GatewayStyle) -> Self {
        self.gateway = gateway;
        self
    }

    /// Adds a known deviation from the documented behavior. May be called several times.
    #[must_use]
    pub fn quirk(mut self, quirk: Quirk) -> Self {
        self.quirks.push(quirk);
        self
    }

    /// Sets the API generations to serve. A path of another generation is an unknown route. The default is all of them.
    ///
    /// ```
    /// use coralogix_incidents::ApiGeneration;
    /// use coralogix_incidents_emulator::Emulator;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let emulator = Emulator::builder().generations([ApiGeneration::V5]).start().await?;
    /// # drop(emulator);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn generations(mut self, generations: impl IntoIterator<Item = ApiGeneration>) -> Self {
        self.generations = generations.into_iter().collect();
        self
    }

    /// Leaves out the administration API under `/_emulator` and the page at `/`.
    #[must_use]
    pub fn without_administration(mut self) -> Self {
        self.administration = false;
        self
    }

    /// Delays every response. The request takes effect at once, even if the client gives up in the meantime. The default is no
    /// delay.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Sets the clock that dates everything.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the seed of event ids and of faults with a probability. With the same seed and clock, the same requests get the same
    /// responses. The default is 0.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the maximum size of a request body in bytes. A larger one gets 413. The default is 4 MiB.
    #[must_use]
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    /// Adds to responses what a newer service might send: unknown enum names, integers for enums, unknown members. The incidents
    /// themselves stay as they are. The default is `false`.
    #[must_use]
    pub fn unknown_values(mut self, unknown_values: bool) -> Self {
        self.format.unknown_values = unknown_values;
        self
    }

    /// Starts the emulator.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the address cannot be bound, a file of incidents cannot be read, or a fault names an operation that does
    /// not exist.
    pub async fn start(mut self) -> Result<Emulator, StartError> {
        if let Some(problem) = self.faults.iter().find_map(Fault::problem) {
            return Err(StartError::new(problem));
        }
        let unrestricted = self.keys.iter().find(|key| key.has_all_permissions());
        let api_key = if let Some(key) = unrestricted {
            key.secret.clone()
        } else {
            self.keys.push(Key::personal(DEFAULT_KEY, USERS[1]));
            DEFAULT_KEY.to_owned()
        };
        let seed = self.initial()?;
        let service = Service {
            state: RwLock::new(seed.state()),
            seed,
            generations: self.generations,
            keys: self.keys.into_iter().map(|key| (key.secret.clone(), key)).collect(),
            faults: FaultSchedule::new(self.faults, self.seed),
            log: Log::new(LOG_LIMIT),
            clock: RwLock::new(self.clock),
            format: self.format,
            gateway: self.gateway,
            quirks: self.quirks,
            latency: self.latency,
            max_body_bytes: self.max_body_bytes,
        };
        Emulator::launch(service, self.administration, self.address, api_key).await
    }

    fn initial(&mut self) -> Result<Seed, StartError> {
        let mut contents = Vec::new();
        let mut issued = 0;
        for source in std::mem::take(&mut self.sources) {
            contents.push(match source {
                Source::Content(content) => content,
                Source::File(path) => {
                    let Saved { incidents, ids_issued } = storage::load(&path)?;
                    issued = issued.max(ids_issued);
                    Content::Given(incidents)
                }
            });
        }
        if contents.is_empty() {
            contents.push(Content::Seeded(DEFAULT_COUNT, self.seed));
        }
        Ok(Seed { contents, started: self.clock.now(), clock: self.clock.clone(), ids: Ids::new(self.seed, issued) })
    }
}
