//! What is in effect: where the service is, how it is spoken to, and where each of these comes from. Only the client holds
//! the API key.

use std::{env, time::Duration};

use coralogix_incidents::{ApiGeneration, ApiKey, Client, ClientBuilder, Error};
use coralogix_incidents_emulator::Emulator;

use crate::{args::Global, failure::Failure, time};

const KEY: &str = "CORALOGIX_API_KEY";
const GENERATION: &str = "CX_INCIDENTS_API_GENERATION";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// A client, and the emulator that it speaks to if there is one.
pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) settings: Vec<Setting>,
    /// Stops when it is dropped.
    _emulator: Option<Emulator>,
}

/// One line of `cx-incidents config`.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) from: String,
}

impl Setting {
    fn new(name: &'static str, value: impl Into<String>, from: impl Into<String>) -> Self {
        Self { name, value: value.into(), from: from.into() }
    }
}

/// Connects as the arguments and the environment say. Nothing is sent.
pub(crate) async fn connect(global: &Global) -> Result<Connection, Failure> {
    let emulator = if global.emulator { Some(start_emulator().await?) } else { None };
    let (builder, key_is_set) = match &emulator {
        Some(emulator) => {
            let key = ApiKey::new(emulator.api_key()).map_err(|error| Failure::sdk(&error))?;
            (Client::builder().base_url(emulator.url()).api_key(key), true)
        }
        None => configured(global).map_err(|error| Failure::sdk(&error))?,
    };
    if !key_is_set {
        return Err(no_key());
    }
    let (generation, generation_from) = generation(global)?;
    let timeout = global.timeout.unwrap_or(DEFAULT_TIMEOUT);
    let suffix = concat!("cx-incidents/", env!("CARGO_PKG_VERSION"));
    let builder = builder.api_generation(generation).timeout(timeout).user_agent_suffix(suffix);
    let client = builder.build().map_err(|error| Failure::sdk(&error))?;
    let mut settings = settings(global, &client, timeout, true);
    settings[2].from = generation_from;
    Ok(Connection { client, settings, _emulator: emulator })
}

/// What would be in effect, for `config`: it shows a missing key instead of failing on it.
pub(crate) async fn inspect(global: &Global) -> Result<Vec<Setting>, Failure> {
    match connect(global).await {
        Ok(connection) => Ok(connection.settings),
        Err(failure) if variable(KEY).is_some() || global.emulator || failure.what() != no_key().what() => Err(failure),
        Err(_) => {
            let placeholder = ApiKey::new("none").map_err(|error| Failure::sdk(&error))?;
            let (builder, _) = configured(global).map_err(|error| Failure::sdk(&error))?;
            let (generation, generation_from) = generation(global)?;
            let client = builder.api_key(placeholder).api_generation(generation).build();
            let client = client.map_err(|error| Failure::sdk(&error))?;
            let mut settings = settings(global, &client, global.timeout.unwrap_or(DEFAULT_TIMEOUT), false);
            settings[2].from = generation_from;
            Ok(settings)
        }
    }
}

fn no_key() -> Failure {
    Failure::usage("there is no API key").next(format!(
        "set {KEY} (a personal key, to assign and acknowledge), or try it with --emulator, which needs none"
    ))
}

async fn start_emulator() -> Result<Emulator, Failure> {
    Emulator::start().await.map_err(|error| Failure::usage(format!("the emulator can't start: {error}")))
}

/// The place by argument, or else by environment; the key by environment alone.
fn configured(global: &Global) -> Result<(ClientBuilder, bool), Error> {
    let key = variable(KEY);
    let is_set = key.is_some();
    let builder = match (&global.region, &global.domain, &global.url) {
        (Some(region), _, _) => Client::builder().region(*region),
        (_, Some(domain), _) => Client::builder().domain(domain),
        (_, _, Some(url)) => Client::builder().base_url(url),
        (None, None, None) => return Ok((ClientBuilder::from_env()?, is_set)),
    };
    match key {
        Some(key) => Ok((builder.api_key(ApiKey::new(key.to_string_lossy())?), true)),
        None => Ok((builder, false)),
    }
}

fn generation(global: &Global) -> Result<(ApiGeneration, String), Failure> {
    if let Some(generation) = global.api_generation {
        return Ok((generation, "--api-generation".to_owned()));
    }
    match variable(GENERATION) {
        None => Ok((ApiGeneration::default(), "default".to_owned())),
        Some(value) => match value.to_string_lossy().parse() {
            Ok(generation) => Ok((generation, GENERATION.to_owned())),
            Err(error) => {
                let error: Error = error;
                Err(Failure::usage(format!("{GENERATION}: {error}")).next("correct it, or unset it for v1"))
            }
        },
    }
}

fn settings(global: &Global, client: &Client, timeout: Duration, key_is_set: bool) -> Vec<Setting> {
    let flags = [
        (global.region.is_some(), "--region"),
        (global.domain.is_some(), "--domain"),
        (global.url.is_some(), "--url"),
        (global.emulator, "--emulator"),
    ];
    let by_flag = flags.into_iter().find(|(given, _)| *given).map(|(_, name)| name);
    let names = ["CORALOGIX_REGION", "CORALOGIX_DOMAIN", "CORALOGIX_URL"];
    let place = by_flag.or_else(|| names.into_iter().find(|name| variable(name).is_some())).unwrap_or("default");
    let (key, key_from) = match (global.emulator, key_is_set) {
        (true, _) => ("[redacted]", "--emulator"),
        (false, true) => ("[redacted]", KEY),
        (false, false) => ("not set", KEY),
    };
    let given = |given: bool, name: &'static str| if given { name } else { "default" };
    let timeout_text = chrono::TimeDelta::from_std(timeout).map(time::human).unwrap_or_default();
    let concurrency = global.concurrency.to_string();
    vec![
        Setting::new("api key", key, key_from),
        Setting::new("base url", client.base_url(), place),
        Setting::new("api generation", client.api_generation().to_string(), "default"),
        Setting::new("timeout", timeout_text, given(global.timeout.is_some(), "--timeout")),
        Setting::new("concurrency", concurrency, given(global.concurrency != 8, "--concurrency")),
        Setting::new("output", global.output.as_str(), given(global.output != crate::args::Format::Table, "--output")),
    ]
}

/// The value of an environment variable; an empty one counts as not set.
fn variable(name: &str) -> Option<std::ffi::OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}
