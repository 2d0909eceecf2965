//! How a client is configured, and the checks of what it is configured with.

use std::{env, sync::Arc, time::Duration};

use http::HeaderValue;
use url::{Host, Url};

use crate::{
    ApiGeneration, ApiKey, CallOptions, Client, ConfigErrorKind, Error, Region, RetryBudget, RetryPolicy,
    client::{Inner, Shared},
    http_client::{http_client, is_loopback},
    telemetry::Drift,
};

const PATH: &str = "/mgmt/openapi";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
const DEFAULT_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_READ_TIMEOUT: Duration = Duration::from_secs(15);
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const DEFAULT_MAX_RESPONSE_BYTES: usize = 64 * 1024 * 1024;

/// Where the service is.
#[derive(Debug, Clone)]
enum Place {
    Region(Region),
    Domain(String),
    Url(String),
}

/// Builds a [`Client`]. Only the API key has no default.
#[derive(Debug, Clone)]
pub struct ClientBuilder {
    api_key: Option<ApiKey>,
    place: Place,
    generation: ApiGeneration,
    plain_http: bool,
    http_client: Option<reqwest::Client>,
    user_agent: String,
    timeout: Duration,
    attempt_timeout: Duration,
    read_timeout: Duration,
    connect_timeout: Duration,
    max_response_bytes: usize,
    retry_policy: RetryPolicy,
    retry_budget: RetryBudget,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            api_key: None,
            place: Place::Region(Region::default()),
            generation: ApiGeneration::default(),
            plain_http: false,
            http_client: None,
            user_agent: concat!("coralogix-incidents-rust/", env!("CARGO_PKG_VERSION")).to_owned(),
            timeout: DEFAULT_TIMEOUT,
            attempt_timeout: DEFAULT_ATTEMPT_TIMEOUT,
            read_timeout: DEFAULT_READ_TIMEOUT,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            max_response_bytes: DEFAULT_MAX_RESPONSE_BYTES,
            retry_policy: RetryPolicy::default(),
            retry_budget: RetryBudget::default(),
        }
    }
}

impl ClientBuilder {
    /// Begins with what the environment says, by the names that the vendor's own tools use:
    ///
    /// | variable | what it holds |
    /// | --- | --- |
    /// | `CORALOGIX_API_KEY` | the API key |
    /// | `CORALOGIX_REGION` | a region, `EU1` to `AP3`, in any case |
    /// | `CORALOGIX_DOMAIN` | or a domain of your own |
    /// | `CORALOGIX_URL` | or a whole base URL |
    ///
    /// A variable that is empty counts as not set. A key that is not set is an error of [`build`](Self::build), so that it
    /// can still be given by [`api_key`](Self::api_key).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the key or the region is not valid, or more than one of the last
    /// three is set.
    pub fn from_env() -> Result<Self, Error> {
        let mut builder = Self::default();
        if let Some(key) = variable("CORALOGIX_API_KEY")? {
            builder = builder.api_key(ApiKey::new(key)?);
        }
        let names = ["CORALOGIX_REGION", "CORALOGIX_DOMAIN", "CORALOGIX_URL"];
        let [region, domain, url] = names.map(variable);
        let (region, domain, url) = (region?, domain?, url?);
        let set = [&region, &domain, &url].into_iter().flatten().count();
        if set > 1 {
            let message = format!("only one of {} may be set, but {set} are", names.join(", "));
            return Err(Error::config(ConfigErrorKind::ConflictingVariables, message));
        }
        if let Some(region) = region {
            let region = region.parse().map_err(|error: Error| {
                // One line has to do: it names the regions that there are.
                Error::config(ConfigErrorKind::UnknownRegion, format!("CORALOGIX_REGION is not valid: {error}"))
            });
            builder = builder.region(region?);
        }
        if let Some(domain) = domain {
            builder = builder.domain(domain);
        }
        if let Some(url) = url {
            builder = builder.base_url(url);
        }
        Ok(builder)
    }

    /// The key that calls are made with. Assigning, unassigning and acknowledging need a personal one.
    #[must_use]
    pub fn api_key(mut self, key: ApiKey) -> Self {
        self.api_key = Some(key);
        self
    }

    /// The region of your account. Default: [`Region::Eu1`]. The last of `region`, `domain` and `base_url` counts.
    #[must_use]
    pub fn region(mut self, region: Region) -> Self {
        self.place = Place::Region(region);
        self
    }

    /// A domain of your own: `example.com` and `api.example.com` both mean the host `api.example.com`.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.place = Place::Domain(domain.into());
        self
    }

    /// A whole base URL, such as that of a proxy or of the emulator; paths such as `/v1/incidents` are appended to it.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.place = Place::Url(url.into());
        self
    }

    /// Which of the service's paths to speak. Default: [`ApiGeneration::V1`].
    #[must_use]
    pub fn api_generation(mut self, generation: ApiGeneration) -> Self {
        self.generation = generation;
        self
    }

    /// Allows `http://` to hosts other than this machine. The key then travels in the clear: anyone on the way can read it.
    #[must_use]
    pub fn danger_allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Your own HTTP client, with its own pool, proxies, TLS and connect timeout. Give it
    /// `redirect(reqwest::redirect::Policy::none())` and `retry(reqwest::retry::never())`: this SDK never follows redirects and
    /// counts every request, but can't see to it in a client of yours. What answers after a redirect is an
    /// error of kind [`RedirectFollowed`](crate::ErrorKind::RedirectFollowed) that says where it went; and since a failure to connect may be about the redirect's target, it is
    /// [`Effect::Unknown`](crate::Effect::Unknown) here, not `None`. What a client of yours retries by itself stays hidden.
    ///
    /// An application in which nothing else chooses reqwest's TLS gets it from this crate's features, and the default one
    /// sets no rustls provider for the whole process. There, building any other reqwest client panics unless the application
    /// has called `rustls::crypto::ring::default_provider().install_default()`, or has reqwest's feature `rustls` or
    /// `native-tls` on.
    #[must_use]
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.http_client = Some(client);
        self
    }

    /// Added to the `User-Agent`, after a space: the name and version of your service.
    #[must_use]
    pub fn user_agent_suffix(mut self, suffix: impl AsRef<str>) -> Self {
        self.user_agent.push(' ');
        self.user_agent.push_str(suffix.as_ref());
        self
    }

    /// The longest that a call may take, retries and the waits between them included. Default: 60 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The longest that one attempt of a call may take, from connecting to the last byte. Default: 30 s.
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// The longest silence while a response is awaited or read. Default: 15 s. It runs from the start of an attempt, connecting
    /// included: one that is shorter than the connect timeout may end an attempt of which it is not known whether it was sent.
    #[must_use]
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }

    /// The longest that connecting may take, TLS included. Default: 5 s. Not for a client of your own.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// The largest response body, in bytes. Default: 64 MiB (about 50,000 incidents). Decoded, incidents take about a third
    /// more; a hostile body, a list of empty events, a hundred times as much, so set it lower where that could come.
    #[must_use]
    pub fn max_response_bytes(mut self, limit: usize) -> Self {
        self.max_response_bytes = limit;
        self
    }

    /// How calls are retried. Default: [`RetryPolicy::default`].
    #[must_use]
    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.retry_policy = policy;
        self
    }

    /// What retries are paid from; give several clients clones of one to let them share it. Default: one of its own.
    #[must_use]
    pub fn retry_budget(mut self, budget: RetryBudget) -> Self {
        self.retry_budget = budget;
        self
    }

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if there is no key, the URL or the user agent is not valid, the URL is
    /// `http://` to another machine, or TLS cannot be set up.
    pub fn build(self) -> Result<Client, Error> {
        let base = self.base()?;
        let baseurl = base.as_str().trim_end_matches('/').to_owned();
        let host = base.host_str().unwrap_or_default();
        let authority = base.port().map_or_else(|| host.into(), |port| format!("{host}:{port}").into());
        let Some(api_key) = self.api_key else {
            let message = "there is no API key: call `api_key`, or set CORALOGIX_API_KEY";
            return Err(Error::config(ConfigErrorKind::MissingApiKey, message));
        };
        let user_agent = HeaderValue::from_str(&self.user_agent).map_err(|error| {
            let message = "the user agent suffix cannot be sent in an HTTP header";
            Error::config(ConfigErrorKind::InvalidUserAgent, message).with_cause(error)
        })?;
        let own_http_client = self.http_client.is_some();
        let client = match self.http_client {
            Some(client) => client,
            None => http_client(&base, self.connect_timeout)?,
        };
        let shared = Shared {
            base,
            authority,
            authorization: api_key.authorization()?,
            api_key,
            user_agent,
            generation: self.generation,
            timeout: self.timeout,
            attempt_timeout: self.attempt_timeout,
            read_timeout: self.read_timeout,
            max_response_bytes: self.max_response_bytes,
            own_http_client,
            retry_policy: self.retry_policy,
            retry_budget: self.retry_budget,
            drift: Drift::default(),
        };
        let inner = Inner::new(Arc::new(shared), CallOptions::default());
        Ok(Client { baseurl, client, inner })
    }

    /// The checked base URL.
    fn base(&self) -> Result<Url, Error> {
        let text = match &self.place {
            Place::Region(region) => format!("https://{}{PATH}", region.host()),
            Place::Domain(domain) => {
                let domain = domain.trim().to_ascii_lowercase();
                let host = if domain.starts_with("api.") { domain.clone() } else { format!("api.{domain}") };
                // A domain is a name and nothing else: a path or a user in it would send the key elsewhere.
                let is_label = |label: &str| {
                    let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
                    !label.is_empty() && label.bytes().all(fine) && !label.starts_with('-') && !label.ends_with('-')
                };
                if !host.split('.').all(is_label) || Host::parse(&host).is_err() {
                    let message =
                        format!("`{}` is no domain: give a name such as `example.com`", domain.escape_debug());
                    return Err(Error::config(ConfigErrorKind::InvalidDomain, message));
                }
                format!("https://{host}{PATH}")
            }
            Place::Url(url) => url.trim().to_owned(),
        };
        let invalid = |message: &str| Error::config(ConfigErrorKind::InvalidBaseUrl, format!("the base URL {message}"));
        let fail = |message: &str| Err(invalid(message));
        let url = Url::parse(&text).map_err(|error| invalid("is not a URL").with_cause(error))?;
        if !url.username().is_empty() || url.password().is_some() {
            return fail("has a user or a password in it: the API key is the only credential");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return fail("has a query or a fragment: it must end in its path, such as `/mgmt/openapi`");
        }
        if url.host().is_none() {
            return fail("names no host");
        }
        match url.scheme() {
            "https" if cfg!(any(feature = "rustls", feature = "native-tls")) || self.http_client.is_some() => {}
            "https" => {
                let message =
                    "the base URL is https, but this build has no TLS: enable the feature `rustls` or `native-tls`";
                return Err(Error::config(ConfigErrorKind::Tls, message));
            }
            "http" if is_loopback(&url) || self.plain_http => {}
            "http" => {
                let message = "the base URL is http to another machine: anyone on the way could read the API key. Use \
                               https, or call `danger_allow_plain_http`";
                return Err(Error::config(ConfigErrorKind::PlainHttp, message));
            }
            _ => return fail("is neither https nor http"),
        }
        let base = url.as_str().trim_end_matches('/');
        if base.ends_with("/5") || base.ends_with("/v1") {
            return fail("ends in an API generation: leave that off, and choose it by `api_generation`");
        }
        Ok(url)
    }
}

/// The value of an environment variable; an empty one counts as not set.
fn variable(name: &str) -> Result<Option<String>, Error> {
    match env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => {
            Err(Error::config(ConfigErrorKind::InvalidVariable, format!("{name} is not UTF-8")))
        }
    }
}
