//! The configuration in effect, and where each value comes from: an argument, the environment, a profile of the vendor's
//! command line, or the default, in this order. Only the client holds the API key.

mod key;
pub(crate) mod options;
pub(crate) mod profile;

use std::time::Duration;

use coralogix_incidents::{ApiKey, Client, ClientBuilder, Region};
use coralogix_incidents_emulator::Emulator;
use url::{Host, Url};

use crate::{
    config::{
        key::Key,
        options::{GenerationChoice, GlobalOptions},
        profile::{Credential, Located, Profile, VendorConfig, variable},
    },
    report::{errors::Failure, time},
    terminal::streams::write_stderr_line,
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
    /// Why there is no API key, if there is none.
    missing_key: Option<String>,
    /// Why the API key does not look like one. It may be one all the same.
    pub(crate) key_problem: Option<&'static str>,
    /// Stops when it is dropped.
    _emulator: Option<Emulator>,
}

impl Connection {
    pub(crate) fn missing_key(&self) -> Option<&str> {
        self.missing_key.as_deref()
    }

    pub(crate) fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.name == name)
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
#[derive(Debug)]
pub(crate) struct Setting {
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
    match &connection.missing_key {
        None => Ok(connection),
        Some(reason) => {
            let next = "set CORALOGIX_API_KEY (a personal key, to assign and acknowledge), or add --emulator, which needs none";
            Err(Failure::usage(reason).next(next))
        }
    }
}

/// The configuration in effect, even if there is no API key.
pub(crate) async fn inspect(options: &GlobalOptions) -> Result<Connection, Failure> {
    let vendor = VendorConfig::load()?;
    let read_only = read_only(&vendor)?;
    let emulator = if options.emulator { Some(start_emulator().await?) } else { None };
    let Resolved { builder, endpoint_from, key_from, missing_key, key_problem, profile } = match &emulator {
        Some(emulator) => {
            let key = ApiKey::new(emulator.api_key()).map_err(|error| Failure::sdk(&error))?;
            let builder = Client::builder().base_url(emulator.url()).api_key(key);
            Resolved::new(builder, "--emulator", "--emulator")
        }
        None => resolve(options, &vendor).await?,
    };
    let (generation, generation_from) = generation(options)?;
    let timeout = options.timeout.unwrap_or(DEFAULT_TIMEOUT);
    let suffix = concat!("cx-incidents/", env!("CARGO_PKG_VERSION"));
    let builder = match generation {
        GenerationChoice::Auto => builder,
        GenerationChoice::Fixed(generation) => builder.api_generation(generation),
    };
    let builder = builder.timeout(timeout).user_agent_suffix(suffix);
    let client = builder.build().map_err(|error| Failure::sdk(&error))?;
    let key = if missing_key.is_none() { "[redacted]" } else { "not set" };
    let timeout_text = chrono::TimeDelta::from_std(timeout).map(time::duration).unwrap_or_default();
    let given = |given: bool, name: &'static str| if given { name } else { DEFAULT };
    let mut settings = Vec::new();
    if let Some((name, from)) = profile {
        settings.push(Setting::new("profile", name, from));
    }
    settings.extend([
        Setting::new("api key", key, key_from),
        Setting::new("base url", client.base_url(), endpoint_from),
        match (generation, client.api_generation()) {
            // The URL ends in a generation.
            (GenerationChoice::Auto, Some(fixed)) => Setting::new("api generation", fixed.as_str(), "the base url"),
            (GenerationChoice::Auto, None) => Setting::new("api generation", "auto", generation_from),
            (GenerationChoice::Fixed(fixed), _) => Setting::new("api generation", fixed.as_str(), generation_from),
        },
        Setting::new(
            "read only",
            if read_only.is_some() { "yes" } else { "no" },
            read_only.clone().unwrap_or_else(|| DEFAULT.to_owned()),
        ),
        Setting::new("timeout", timeout_text, given(options.timeout.is_some(), "--timeout")),
        Setting::new(
            "concurrency",
            options.concurrency().to_string(),
            given(options.concurrency.is_some(), "--concurrency"),
        ),
        Setting::new(
            "output",
            options.output.unwrap_or_default().as_str(),
            given(options.output.is_some(), "--output"),
        ),
    ]);
    Ok(Connection { client, settings, read_only, missing_key, key_problem, _emulator: emulator })
}

async fn start_emulator() -> Result<Emulator, Failure> {
    Emulator::start().await.map_err(|error| Failure::usage(format!("the emulator can't start: {error}")))
}

/// Where the service is and with which key, and where both come from.
struct Resolved {
    builder: ClientBuilder,
    endpoint_from: String,
    key_from: String,
    missing_key: Option<String>,
    key_problem: Option<&'static str>,
    /// The profile in use, and where its name comes from.
    profile: Option<(String, String)>,
}

impl Resolved {
    fn new(builder: ClientBuilder, endpoint_from: impl Into<String>, key_from: impl Into<String>) -> Self {
        Self {
            builder,
            endpoint_from: endpoint_from.into(),
            key_from: key_from.into(),
            missing_key: None,
            key_problem: None,
            profile: None,
        }
    }
}

async fn resolve(options: &GlobalOptions, vendor: &VendorConfig) -> Result<Resolved, Failure> {
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
    let mut resolved = Resolved::new(builder, endpoint_from, KEY_VARIABLES[0]);
    resolved.profile = selection;
    let key = match (key, profile) {
        (Some((key, from)), _) => {
            resolved.key_from = from.to_owned();
            Ok(Key::new(key).map_err(|error| Failure::sdk(&error))?)
        }
        (None, Some(profile)) => {
            resolved.key_from = profile.key_source();
            profile_key(profile).await
        }
        (None, None) => Err("there is no API key".to_owned()),
    };
    let key = match key {
        Ok(Key { value, problem }) => {
            resolved.key_problem = problem;
            value
        }
        Err(problem) => {
            resolved.missing_key = Some(problem);
            Key::placeholder().map_err(|error| Failure::sdk(&error))?
        }
    };
    resolved.builder = resolved.builder.api_key(key);
    Ok(resolved)
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
    let builder = ClientBuilder::from_env().map_err(|error| Failure::sdk(&error))?;
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
    let Some(value) = variable(GENERATION_VARIABLE) else { return Ok((GenerationChoice::Auto, DEFAULT)) };
    match value.parse() {
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
