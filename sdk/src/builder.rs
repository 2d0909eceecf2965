//! How a client is configured, and the checks of what it is configured with.

use std::{sync::Arc, time::Duration};

use http::HeaderValue;
use url::Url;

use crate::{
    ApiGeneration, ApiKey, CallOptions, Client, ConfigErrorKind, Error, Region, RetryBudget, RetryPolicy,
    client::{Inner, Shared},
    endpoint::{self, Endpoint},
    generation::Generations,
    http_client::{HttpClient, http_client, is_loopback},
    telemetry::Drift,
};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
const DEFAULT_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_READ_TIMEOUT: Duration = Duration::from_secs(15);
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const DEFAULT_MAX_RESPONSE_BYTES: usize = 64 * 1024 * 1024;

/// Builds a [`Client`]. Only the API key has no default.
#[derive(Debug, Clone)]
pub struct ClientBuilder {
    api_key: Option<ApiKey>,
    endpoint: Endpoint,
    /// The environment variable that the endpoint is from.
    endpoint_variable: Option<&'static str>,
    generation: Option<ApiGeneration>,
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
            endpoint: Endpoint::default(),
            endpoint_variable: None,
            generation: None,
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

impl Client {
    /// Begins a client.
    ///
    /// ```
    /// use coralogix_incidents::{ApiKey, Client, Region};
    ///
    /// let client = Client::builder()
    ///     .api_key(ApiKey::new("cxup_...")?)
    ///     .region(Region::Eu2)
    ///     .build()?;
    /// assert_eq!(client.base_url(), "https://api.eu2.coralogix.com/mgmt/openapi");
    /// # Ok::<(), coralogix_incidents::Error>(())
    /// ```
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client configured by the environment variables of the vendor's own tools; see [`ClientBuilder::from_env`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if `CORALOGIX_API_KEY` is not set, or what is set is not valid.
    ///
    /// ```no_run
    /// let client = coralogix_incidents::Client::from_env()?;
    /// # Ok::<(), coralogix_incidents::Error>(())
    /// ```
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.build()
    }
}

impl ClientBuilder {
    /// Begins with what the environment says, by the names that the vendor's own tools use:
    ///
    /// | variable | what it holds |
    /// | --- | --- |
    /// | `CORALOGIX_API_KEY` | the API key |
    /// | `CORALOGIX_URL` | a whole base URL, with or without the generation that it ends in |
    /// | `CORALOGIX_DOMAIN` | or a domain of your own; `https://` and a last slash are dropped |
    /// | `CORALOGIX_REGION`, `CORALOGIX_ENV` | or a region, `EU1` to `AP3` or its older name such as `EUROPE1`, in any case |
    ///
    /// A variable that is empty counts as not set. Several may be set as long as they lead to one host; the first of the table
    /// counts. A key that is not set is an error of [`build`](Self::build), so that it can still be given by
    /// [`api_key`](Self::api_key).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the key, the region, the domain or the URL is not valid, or two
    /// variables lead to different hosts.
    pub fn from_env() -> Result<Self, Error> {
        let mut builder = Self::default();
        if let Some(key) = endpoint::variable("CORALOGIX_API_KEY")? {
            builder = builder.api_key(ApiKey::new(key)?);
        }
        if let Some((endpoint, variable)) = Endpoint::from_env()? {
            builder.endpoint = endpoint;
            builder.endpoint_variable = Some(variable);
        }
        Ok(builder)
    }

    /// The environment variable that [`from_env`](Self::from_env) took the endpoint from. `None` where it is the default, or
    /// was set by a method.
    pub fn endpoint_variable(&self) -> Option<&'static str> {
        self.endpoint_variable
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
        self.endpoint = Endpoint::Region(region);
        self.endpoint_variable = None;
        self
    }

    /// A domain of your own: `example.com`, `api.example.com` and `https://example.com/` all mean the host `api.example.com`.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.endpoint = Endpoint::Domain(domain.into());
        self.endpoint_variable = None;
        self
    }

    /// A whole base URL, such as that of a proxy or of the emulator; paths such as `/v1/incidents` are appended
    /// to it. One that ends in `/5`, `/4` or `/latest`, as those of the vendor's own clients do, fixes generation 5.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Endpoint::Url(url.into());
        self.endpoint_variable = None;
        self
    }

    /// Fixes the API generation. By default the client finds it: V1, the documented contract, is tried first; where the host
    /// answers that it does not know the route, which proves that nothing was done, the same call is sent in generation 5, and
    /// the client and its clones remember which of them answered. That is no retry: it takes nothing from the retry budget.
    ///
    /// With a fixed generation, an operation that it does not have is refused before anything is sent.
    #[must_use]
    pub fn api_generation(mut self, generation: ApiGeneration) -> Self {
        self.generation = Some(generation);
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
    /// It can be built on a system without root certificates, too. Only a call over https needs them: it returns an error of
    /// the kind [`RootCertificates`](ConfigErrorKind::RootCertificates).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if there is no key, the URL or the user agent is not valid, the URL is
    /// `http://` to another machine, or TLS cannot be set up.
    pub fn build(self) -> Result<Client, Error> {
        let base = self.base()?;
        let generation_in_base = endpoint::ends_in_generation_5(&base);
        if generation_in_base && self.generation == Some(ApiGeneration::V1) {
            let message = "the base URL ends in API generation 5, but the client is fixed to v1: leave one of them off";
            return Err(Error::config(ConfigErrorKind::InvalidBaseUrl, message));
        }
        let generation = self.generation.or(generation_in_base.then_some(ApiGeneration::V5));
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
        let HttpClient { client, missing_roots } = match self.http_client {
            Some(client) => HttpClient { client, missing_roots: None },
            None => http_client(&base, self.connect_timeout)?,
        };
        let shared = Shared {
            base,
            authority,
            authorization: api_key.authorization()?,
            api_key,
            user_agent,
            base_url: baseurl.as_str().into(),
            generation_in_base,
            generations: Generations::new(generation),
            timeout: self.timeout,
            attempt_timeout: self.attempt_timeout,
            read_timeout: self.read_timeout,
            max_response_bytes: self.max_response_bytes,
            own_http_client,
            missing_roots,
            retry_policy: self.retry_policy,
            retry_budget: self.retry_budget,
            drift: Drift::default(),
        };
        let inner = Inner::new(Arc::new(shared), CallOptions::default());
        Ok(Client { baseurl, client, inner })
    }

    /// The checked base URL.
    fn base(&self) -> Result<Url, Error> {
        let url = self.endpoint.base_url()?;
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
            _ => {
                let message = "the base URL is neither https nor http";
                return Err(Error::config(ConfigErrorKind::InvalidBaseUrl, message));
            }
        }
        Ok(url)
    }
}
