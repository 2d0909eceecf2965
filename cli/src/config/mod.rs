//! The configuration in effect, and where each value comes from: an argument, the environment, a profile of the vendor's
//! command line, or the default, in this order. Only the client holds the API key.

mod key;
mod options;
mod profile;

pub(crate) use options::GlobalOptions;
pub(crate) use profile::variable;

use std::time::Duration;

use clap::ValueEnum;
use coralogix_incidents::{ApiGeneration, ApiKey, Client, ClientBuilder, Region};
use coralogix_incidents_emulator::Emulator;
use serde::Serialize;
use url::{Host, Url};

use crate::{
    config::{
        key::Key,
        options::{GenerationChoice, parse_generation},
        profile::{Credential, Located, Profile, VendorConfig},
    },
    report::{Failure, time},
    terminal::write_stderr_line,
};

const KEY_VARIABLES: [&str; 2] = ["CORALOGIX_API_KEY", "CX_API_KEY"];
const REGION_VARIABLE: &str = "CX_REGION";
const PROFILE_VARIABLE: &str = "CX_PROFILE";
const READ_ONLY_VARIABLE: &str = "CX_READ_ONLY";
const GENERATION_VARIABLE: &str = "CX_INCIDENTS_API_GENERATION";
pub(crate) const DEFAULT: &str = "default";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// A client, and the emulator that it uses if there is one.
pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) settings: Vec<Setting>,
    /// What forbids changes of incidents, if anything does.
    pub(crate) read_only: Option<String>,
    /// Why the API key does not look like one, if so; it may be one all the same. Or why there is none.
    pub(crate) key: Result<Option<&'static str>, String>,
    /// Stops when it is dropped.
    pub(crate) emulator: Option<Emulator>,
}

impl Connection {
    /// Where the value of a setting comes from.
    pub(crate) fn source(&self, name: &str) -> &str {
        self.settings.iter().find(|setting| setting.name == name).map_or("", |setting| &setting.from)
    }

    /// Whether the service is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        let url = Url::parse(self.client.base_url());
        url.is_ok_and(|url| match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        })
    }
}

/// A value of the configuration, as `cx-incidents config` shows it.
#[derive(Debug, Serialize)]
pub(crate) struct Setting {
    #[serde(rename = "setting")]
    pub(crate) name: &'static str,
    pub(crate) value: String,
    /// Where the value comes from.
    pub(crate) from: String,
}

impl Setting {
    pub(crate) fn new(name: &'static str, value: impl Into<String>, from: impl Into<String>) -> Self {
        Self { name, value: value.into(), from: from.into() }
    }
}

/// A client for the configuration in effect. Nothing is sent.
pub(crate) async fn connect(options: &GlobalOptions) -> Result<Connection, Failure> {
    let connection = inspect(options).await?;
    if let Err(reason) = &connection.key {
        let next =
            "set CORALOGIX_API_KEY (a personal key, to assign and acknowledge), or add --emulator, which needs none";
        return Err(Failure::usage(reason).next(next));
    }
    Ok(connection)
}

/// The configuration in effect, even if there is no API key.
pub(crate) async fn inspect(options: &GlobalOptions) -> Result<Connection, Failure> {
    let vendor = VendorConfig::load()?;
    let read_only = read_only(&vendor)?;
    let (emulator, account) = if options.emulator {
        let started = Emulator::start().await;
        let emulator = started.map_err(|error| Failure::usage(format!("the emulator can't start: {error}")))?;
        let account = Account {
            builder: Client::builder().base_url(emulator.url()),
            endpoint_from: "--emulator".to_owned(),
            key: Ok(Key::new(emulator.api_key().to_owned())?),
            key_from: "--emulator".to_owned(),
            profile: None,
        };
        (Some(emulator), account)
    } else {
        (None, resolve(options, &vendor).await?)
    };
    let (generation, generation_from) = generation(options)?;
    let timeout = options.timeout.unwrap_or(DEFAULT_TIMEOUT);
    let (key_shown, key, problem) = match account.key {
        Ok(Key { value, problem }) => ("[redacted]", value, Ok(problem)),
        // No call is made with this one; everything else can be checked.
        Err(reason) => ("not set", ApiKey::new("none")?, Err(reason)),
    };
    let mut builder = account.builder.api_key(key).timeout(timeout);
    if let Some(generation) = generation {
        builder = builder.api_generation(generation);
    }
    let client = builder.user_agent_suffix(concat!("cx-incidents/", env!("CARGO_PKG_VERSION"))).build()?;
    let generation_from = match (generation, client.api_generation()) {
        (None, Some(_)) => "the base url",
        _ => generation_from,
    };
    let option = |name: &'static str, value: String, is_given: bool| {
        Setting::new(name, value, if is_given { format!("--{name}") } else { DEFAULT.to_owned() })
    };
    let timeout = chrono::TimeDelta::from_std(timeout).map(time::duration).unwrap_or_default();
    let format = options.output.unwrap_or_default().to_possible_value();
    let format = format.map(|value| value.get_name().to_owned()).unwrap_or_default();
    let is_read_only = if read_only.is_some() { "yes" } else { "no" };
    let mut settings: Vec<Setting> =
        account.profile.into_iter().map(|(name, from)| Setting::new("profile", name, from)).collect();
    settings.extend([
        Setting::new("api key", key_shown, account.key_from),
        Setting::new("base url", client.base_url(), account.endpoint_from),
        Setting::new("api generation", client.api_generation().map_or("auto", ApiGeneration::as_str), generation_from),
        Setting::new("read only", is_read_only, read_only.as_deref().unwrap_or(DEFAULT)),
        option("timeout", timeout, options.timeout.is_some()),
        option("concurrency", options.concurrency().to_string(), options.concurrency.is_some()),
        option("output", format, options.output.is_some()),
    ]);
    Ok(Connection { client, settings, read_only, key: problem, emulator })
}

/// Where the service is and with which key, and where both come from.
struct Account {
    builder: ClientBuilder,
    endpoint_from: String,
    /// The key, or why there is none.
    key: Result<Key, String>,
    key_from: String,
    /// The profile in use, and where its name comes from.
    profile: Option<(String, String)>,
}

async fn resolve(options: &GlobalOptions, vendor: &VendorConfig) -> Result<Account, Failure> {
    let endpoint = endpoint(options)?;
    let key = KEY_VARIABLES.into_iter().find_map(|name| Some((variable(name)?, name)));
    let chosen = options.profile.clone().map(|name| (name, "--profile".to_owned()));
    let chosen = chosen.or_else(|| Some((variable(PROFILE_VARIABLE)?, PROFILE_VARIABLE.to_owned())));
    let is_chosen = chosen.is_some();
    // The default profile is read only where something is missing: its faults are no concern of other configurations.
    let is_complete = endpoint.is_some() && key.is_some();
    let selection = chosen.or_else(|| vendor.default_profile().filter(|_| !is_complete));
    let profile = selection.as_ref().map(|(name, source)| vendor.profile(name, source)).transpose()?;
    if let Some(warning) = profile.as_ref().and_then(Profile::permission_warning) {
        write_stderr_line(warning);
    }
    if let Some(Profile { name, credential, region, .. }) = profile.as_ref().filter(|_| is_chosen) {
        let warn =
            |by: &str, what: &str| write_stderr_line(format!("warning: {by} overrides the {what} of profile `{name}`"));
        if let (Some((_, by)), false) = (&key, matches!(credential, Credential::None)) {
            warn(by, "API key");
        }
        if let (Some((_, by)), Some(_)) = (endpoint.as_ref().filter(|(_, by)| !by.starts_with("--")), region) {
            warn(by, "region");
        }
    }
    let region = profile.as_ref().and_then(|profile| profile.region.as_ref());
    let (builder, endpoint_from) = match (endpoint, region) {
        (Some((builder, from)), _) => (builder, from.to_owned()),
        (None, Some(Located { value, at })) => (region_or_url(value, at)?, at.clone()),
        (None, None) => (Client::builder(), DEFAULT.to_owned()),
    };
    let (key, key_from) = match (key, profile) {
        (Some((key, from)), _) => (Ok(Key::new(key)?), from.to_owned()),
        (None, Some(profile)) => {
            let from = profile.key_source();
            (profile_key(profile).await, from)
        }
        (None, None) => (Err("there is no API key".to_owned()), KEY_VARIABLES[0].to_owned()),
    };
    Ok(Account { builder, endpoint_from, key, key_from, profile: selection })
}

/// The key of a profile, or why there is none.
async fn profile_key(profile: Profile) -> Result<Key, String> {
    let Profile { name, credential, .. } = profile;
    let problem = match credential {
        Credential::Key(key) => return Ok(*key),
        Credential::Keyring => {
            let profile = name.clone();
            // The keyring may ask the user, so the answer may take any time.
            match tokio::task::spawn_blocking(move || key::from_keyring(&profile)).await {
                Ok(Ok(key)) => return Ok(key),
                Ok(Err(problem)) => problem,
                Err(error) => error.to_string(),
            }
        }
        Credential::OAuth => "it signs in by OAuth, which only the vendor's command line can do".to_owned(),
        Credential::None => "it has no `api_key`".to_owned(),
    };
    Err(format!("there is no API key in the profile `{}`: {problem}", name.escape_debug()))
}

/// Where the service is by argument or environment, and which of them says so.
fn endpoint(options: &GlobalOptions) -> Result<Option<(ClientBuilder, &'static str)>, Failure> {
    match (&options.region, &options.domain, &options.url) {
        (Some(region), _, _) => return Ok(Some((Client::builder().region(*region), "--region"))),
        (_, Some(domain), _) => return Ok(Some((Client::builder().domain(domain), "--domain"))),
        (_, _, Some(url)) => return Ok(Some((Client::builder().base_url(url), "--url"))),
        (None, None, None) => {}
    }
    let builder = ClientBuilder::from_env()?;
    if let Some(name) = builder.endpoint_variable() {
        return Ok(Some((builder, name)));
    }
    match variable(REGION_VARIABLE) {
        Some(value) => Ok(Some((region_or_url(&value, REGION_VARIABLE)?, REGION_VARIABLE))),
        None => Ok(None),
    }
}

/// The vendor's command line takes a region, or the URL of a host.
fn region_or_url(value: &str, source: &str) -> Result<ClientBuilder, Failure> {
    let value = value.trim();
    if let Some((_, rest)) = value.split_once("://") {
        let has_path = rest.trim_end_matches('/').contains('/');
        let path = if has_path { "" } else { "/mgmt/openapi" };
        return Ok(Client::builder().base_url(format!("{}{path}", value.trim_end_matches('/'))));
    }
    match value.parse::<Region>() {
        Ok(region) => Ok(Client::builder().region(region)),
        Err(error) => {
            Err(Failure::usage(format!("{source}: {}", error.summary())).next("correct it; nothing was sent"))
        }
    }
}

fn generation(options: &GlobalOptions) -> Result<(GenerationChoice, &'static str), Failure> {
    if let Some(choice) = options.api_generation {
        return Ok((choice, "--api-generation"));
    }
    let Some(value) = variable(GENERATION_VARIABLE) else { return Ok((None, DEFAULT)) };
    match parse_generation(&value) {
        Ok(choice) => Ok((choice, GENERATION_VARIABLE)),
        Err(problem) => {
            let summary = format!("{GENERATION_VARIABLE} is `{}`: {problem}", value.escape_debug());
            Err(Failure::usage(summary).next("correct it, or unset it; nothing was sent"))
        }
    }
}

/// What forbids changes: the environment or `config.toml` of the vendor's command line, either of them.
fn read_only(vendor: &VendorConfig) -> Result<Option<String>, Failure> {
    let value = variable(READ_ONLY_VARIABLE).unwrap_or_default();
    match value.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => return Ok(Some(READ_ONLY_VARIABLE.to_owned())),
        "" | "0" | "false" | "no" | "off" => {}
        _ => {
            return Err(Failure::usage(format!("{READ_ONLY_VARIABLE} is `{}`", value.escape_debug()))
                .next("set it to `1` or `0`, or unset it; nothing was sent"));
        }
    }
    Ok(vendor.read_only.then(|| format!("read_only of {}", vendor.path().display())))
}
