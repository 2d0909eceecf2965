//! What is in effect: where the service is, how it is spoken to, and where each of these comes from. Only the client holds
//! the API key.

pub(crate) mod options;

use std::{env, time::Duration};

use coralogix_incidents::{ApiGeneration, ApiKey, Client, ClientBuilder, Error};
use coralogix_incidents_emulator::Emulator;

use crate::{
    config::options::GlobalOptions,
    report::{errors::Failure, time},
};

const KEY: &str = "CORALOGIX_API_KEY";
const GENERATION: &str = "CX_INCIDENTS_API_GENERATION";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// A client, and the emulator that it speaks to if there is one.
pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) settings: Vec<Setting>,
    has_key: bool,
    /// Stops when it is dropped.
    _emulator: Option<Emulator>,
}

/// One line of `cx-incidents config`.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) from: &'static str,
}

impl Setting {
    fn new(name: &'static str, value: impl Into<String>, from: &'static str) -> Self {
        Self { name, value: value.into(), from }
    }
}

/// Connects as the arguments and the environment say. Nothing is sent.
pub(crate) async fn connect(options: &GlobalOptions) -> Result<Connection, Failure> {
    let connection = resolve(options).await?;
    if connection.has_key {
        return Ok(connection);
    }
    let next = format!("set {KEY} (a personal key, to assign and acknowledge), or add --emulator, which needs none");
    Err(Failure::usage("there is no API key").next(next))
}

/// What is in effect, whether or not there is a key.
pub(crate) async fn inspect(options: &GlobalOptions) -> Result<Vec<Setting>, Failure> {
    Ok(resolve(options).await?.settings)
}

async fn resolve(options: &GlobalOptions) -> Result<Connection, Failure> {
    let emulator = if options.emulator { Some(start_emulator().await?) } else { None };
    let (builder, has_key) = match &emulator {
        Some(emulator) => {
            let key = ApiKey::new(emulator.api_key()).map_err(|error| Failure::sdk(&error))?;
            (Client::builder().base_url(emulator.url()).api_key(key), true)
        }
        None => configured(options).map_err(|error| Failure::sdk(&error))?,
    };
    let (generation, generation_from) = generation(options)?;
    let timeout = options.timeout.unwrap_or(DEFAULT_TIMEOUT);
    let suffix = concat!("cx-incidents/", env!("CARGO_PKG_VERSION"));
    let builder = generation.into_iter().fold(builder, ClientBuilder::api_generation);
    let builder = builder.timeout(timeout).user_agent_suffix(suffix);
    let client = builder.build().map_err(|error| Failure::sdk(&error))?;
    let settings = settings(options, &client, timeout, has_key, generation_from);
    Ok(Connection { client, settings, has_key, _emulator: emulator })
}

async fn start_emulator() -> Result<Emulator, Failure> {
    Emulator::start().await.map_err(|error| Failure::usage(format!("the emulator can't start: {error}")))
}

/// The place by argument, or else by environment; the key by environment alone. Without a key, a placeholder lets
/// everything else be checked; no call is made with it.
fn configured(options: &GlobalOptions) -> Result<(ClientBuilder, bool), Error> {
    let key = variable(KEY);
    let has_key = key.is_some();
    let builder = match (&options.region, &options.domain, &options.url) {
        (Some(region), _, _) => Client::builder().region(*region),
        (_, Some(domain), _) => Client::builder().domain(domain),
        (_, _, Some(url)) => Client::builder().base_url(url),
        (None, None, None) => ClientBuilder::from_env()?,
    };
    let key = key.map_or_else(|| "none".to_owned(), |key| key.to_string_lossy().into_owned());
    Ok((builder.api_key(ApiKey::new(key)?), has_key))
}

fn generation(options: &GlobalOptions) -> Result<(Option<ApiGeneration>, &'static str), Failure> {
    if let Some(generation) = options.api_generation {
        return Ok((Some(generation), "--api-generation"));
    }
    let Some(value) = variable(GENERATION) else { return Ok((None, "default")) };
    match value.to_string_lossy().parse::<ApiGeneration>() {
        Ok(generation) => Ok((Some(generation), GENERATION)),
        Err(error) => Err(Failure::usage(format!("{GENERATION}: {error}")).next("correct it, or unset it for v1")),
    }
}

fn settings(
    options: &GlobalOptions,
    client: &Client,
    timeout: Duration,
    has_key: bool,
    generation_from: &'static str,
) -> Vec<Setting> {
    let flags = [
        (options.region.is_some(), "--region"),
        (options.domain.is_some(), "--domain"),
        (options.url.is_some(), "--url"),
        (options.emulator, "--emulator"),
    ];
    let by_flag = flags.into_iter().find(|(given, _)| *given).map(|(_, name)| name);
    let names = ["CORALOGIX_REGION", "CORALOGIX_DOMAIN", "CORALOGIX_URL"];
    let place = by_flag.or_else(|| names.into_iter().find(|name| variable(name).is_some())).unwrap_or("default");
    let key = if has_key { "[redacted]" } else { "not set" };
    let key_from = if options.emulator { "--emulator" } else { KEY };
    let given = |given: bool, name: &'static str| if given { name } else { "default" };
    let timeout_text = chrono::TimeDelta::from_std(timeout).map(time::duration).unwrap_or_default();
    let concurrency = options.concurrency().to_string();
    let output = options.output.unwrap_or_default().as_str();
    vec![
        Setting::new("api key", key, key_from),
        Setting::new("base url", client.base_url(), place),
        Setting::new("api generation", client.api_generation().map_or("auto", ApiGeneration::as_str), generation_from),
        Setting::new("timeout", timeout_text, given(options.timeout.is_some(), "--timeout")),
        Setting::new("concurrency", concurrency, given(options.concurrency.is_some(), "--concurrency")),
        Setting::new("output", output, given(options.output.is_some(), "--output")),
    ]
}

/// The value of an environment variable; an empty one counts as not set.
fn variable(name: &str) -> Option<std::ffi::OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}
