//! The builder of a client and the validation of its configuration.

use std::{sync::Arc, time::Duration};

use http::HeaderValue;
use url::Url;

use crate::{
    ApiGeneration, ApiKey, CallOptions, Client, ConfigErrorKind, Error, Region, RetryBudget, RetryPolicy,
    client::{Inner, Shared},
    endpoint::{self, Endpoint},
    generation::Generations,
    http_client::{http_client, is_loopback},
    telemetry::Drift,
};

/// Builds a [`Client`]. Only the API key is required; everything else has a default.
#[derive(Debug, Clone)]
pub struct ClientBuilder {
    api_key: Option<ApiKey>,
    endpoint: Endpoint,
    /// The environment variable that the endpoint was read from.
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
            timeout: Duration::from_secs(60),
            attempt_timeout: Duration::from_secs(30),
            read_timeout: Duration::from_secs(15),
            connect_timeout: Duration::from_secs(5),
            max_response_bytes: 64 * 1024 * 1024,
            retry_policy: RetryPolicy::default(),
            retry_budget: RetryBudget::default(),
        }
    }
}

impl Client {
    /// Returns a builder with the default configuration.
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

    /// Builds a client from the environment variables of the vendor's own tools; see [`ClientBuilder::from_env`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if `CORALOGIX_API_KEY` is not set, or a variable has an invalid value.
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
    /// Returns a builder that is configured by the environment variables of the vendor's own tools:
    ///
    /// | variable | value |
    /// | --- | --- |
    /// | `CORALOGIX_API_KEY` | the API key |
    /// | `CORALOGIX_URL` | the endpoint as a base URL, with or without a generation such as `/5` at its end |
    /// | `CORALOGIX_DOMAIN` | the endpoint as a domain; a leading `https://` and a trailing slash are ignored |
    /// | `CORALOGIX_REGION`, `CORALOGIX_ENV` | the endpoint as a region: `EU1` to `AP3`, or its older name such as `EUROPE1`, in upper or lower case |
    ///
    /// A variable with an empty value is treated as not set. If several variables set the endpoint, they must all mean the
    /// same host, and the first in the table is used. A missing key is not an error here, so that it can be set by
    /// [`api_key`](Self::api_key); [`build`](Self::build) checks it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if the key, the region, the domain or the URL is not valid, or if two
    /// variables mean different hosts.
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

    /// The environment variable that [`from_env`](Self::from_env) read the endpoint from. `None` if no variable is set or the
    /// endpoint was set by a method.
    pub fn endpoint_variable(&self) -> Option<&'static str> {
        self.endpoint_variable
    }

    /// Sets the API key. Assigning, unassigning and acknowledging incidents require a personal key.
    #[must_use]
    pub fn api_key(mut self, key: ApiKey) -> Self {
        self.api_key = Some(key);
        self
    }

    /// Sets the region of your account. Default: [`Region::Eu1`].
    ///
    /// `region`, [`domain`](Self::domain) and [`base_url`](Self::base_url) all set the endpoint; the last call wins.
    #[must_use]
    pub fn region(mut self, region: Region) -> Self {
        self.endpoint = Endpoint::Region(region);
        self.endpoint_variable = None;
        self
    }

    /// Sets the endpoint to the API of a domain: `example.com`, `api.example.com` and `https://example.com/` all mean the host
    /// `api.example.com`.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.endpoint = Endpoint::Domain(domain.into());
        self.endpoint_variable = None;
        self
    }

    /// Sets the endpoint to a base URL, such as the URL of a gateway or of the emulator. Paths such as `/v1/incidents` are
    /// appended to it. A base URL that ends in `/5`, `/4` or `/latest`, as those of the vendor's own clients do, sets the API
    /// generation to 5.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Endpoint::Url(url.into());
        self.endpoint_variable = None;
        self
    }

    /// Sets the API generation. By default the client finds it: it sends the first call in V1, the documented contract. If the
    /// host answers that it does not know the route, which proves that nothing was changed, the client sends the same call in
    /// generation 5. The client and its clones remember which generation answered. Changing the generation is not a retry and
    /// takes nothing from the retry budget.
    ///
    /// If the generation is set, a call of an operation that it does not have fails with
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest), and nothing is sent.
    #[must_use]
    pub fn api_generation(mut self, generation: ApiGeneration) -> Self {
        self.generation = Some(generation);
        self
    }

    /// Allows `http://` to other machines. The API key is then sent unencrypted, and anyone on the network path can read it.
    #[must_use]
    pub fn danger_allow_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Sets the HTTP client, with its own connection pool, proxies, TLS and connect timeout.
    ///
    /// Build it with `redirect(reqwest::redirect::Policy::none())` and `retry(reqwest::retry::never())`. This SDK follows no
    /// redirects and counts each request that it sends, but it cannot prevent your client from doing otherwise:
    ///
    /// * A response that was received after a redirect is an error of the kind
    ///   [`RedirectFollowed`](crate::ErrorKind::RedirectFollowed), which names the URL that answered.
    /// * A failure to connect has [`Effect::Unknown`](crate::Effect::Unknown) instead of `None`, because it may have happened
    ///   while connecting to the target of a redirect.
    /// * Retries made by your HTTP client are not counted.
    ///
    /// This crate's default feature `rustls` enables TLS in reqwest without a rustls provider for the process. If no other
    /// crate enables one of reqwest's TLS features, building another reqwest client in the same application panics, unless the
    /// application calls `rustls::crypto::ring::default_provider().install_default()` first or enables reqwest's feature
    /// `rustls` or `native-tls`.
    #[must_use]
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.http_client = Some(client);
        self
    }

    /// Appends a space and this text to the `User-Agent` header, for example `my-service/1.2`.
    #[must_use]
    pub fn user_agent_suffix(mut self, suffix: impl AsRef<str>) -> Self {
        self.user_agent.push(' ');
        self.user_agent.push_str(suffix.as_ref());
        self
    }

    /// Sets the total timeout of a call, including its retries and the waits between them. Default: 60 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the timeout of each attempt of a call, from connecting to the last byte of the response. Default: 30 s.
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// Sets the longest time without receiving anything. Default: 15 s. It starts with each attempt and again with each piece
    /// of the response.
    ///
    /// Connecting counts too. If this timeout is shorter than the connect timeout, it may end an attempt before the connection
    /// is made, and then the error's effect is [`Effect::Unknown`](crate::Effect::Unknown), because it is not known whether
    /// the request was sent.
    #[must_use]
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.read_timeout = timeout;
        self
    }

    /// Sets the timeout for connecting, including the TLS handshake. Default: 5 s. It has no effect if
    /// [`http_client`](Self::http_client) is set.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the largest response body that is read, in bytes. Default: 64 MiB, about 38,000 incidents.
    ///
    /// Decoded incidents take about as much memory as their JSON. A hostile body, such as a list of empty events, can take up
    /// to 64 times as much: set a lower limit if the service is not trusted.
    #[must_use]
    pub fn max_response_bytes(mut self, limit: usize) -> Self {
        self.max_response_bytes = limit;
        self
    }

    /// Sets how calls are retried. Default: [`RetryPolicy::default`].
    #[must_use]
    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.retry_policy = policy;
        self
    }

    /// Sets the budget that retries are taken from. Clones of a budget share their tokens, so that several clients can share
    /// one budget. Default: a new budget for each client that is built.
    #[must_use]
    pub fn retry_budget(mut self, budget: RetryBudget) -> Self {
        self.retry_budget = budget;
        self
    }

    /// Builds the client, without sending anything.
    ///
    /// A system without root certificates is not an error here. Calls over https need them, and without them fail with
    /// [`ConfigErrorKind::RootCertificates`].
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
        let Some(api_key) = self.api_key else {
            let message = "there is no API key: call `api_key`, or set CORALOGIX_API_KEY";
            return Err(Error::config(ConfigErrorKind::MissingApiKey, message));
        };
        let user_agent = HeaderValue::from_str(&self.user_agent).map_err(|error| {
            let message = "the user agent suffix cannot be sent in an HTTP header";
            Error::config(ConfigErrorKind::InvalidUserAgent, message).with_cause(error)
        })?;
        let own_http_client = self.http_client.is_some();
        let (client, missing_roots) = match self.http_client {
            Some(client) => (client, None),
            None => http_client(&base, self.connect_timeout)?,
        };
        let shared = Shared {
            authority: base.authority().into(),
            base,
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

    /// Returns the validated base URL.
    fn base(&self) -> Result<Url, Error> {
        let url = self.endpoint.base_url()?;
        let has_tls = cfg!(any(feature = "rustls", feature = "native-tls")) || self.http_client.is_some();
        let (kind, message) = match url.scheme() {
            "https" if has_tls => return Ok(url),
            "http" if is_loopback(&url) || self.plain_http => return Ok(url),
            "https" => (
                ConfigErrorKind::Tls,
                "the base URL is https, but this build has no TLS: enable the feature `rustls` or `native-tls`",
            ),
            "http" => (
                ConfigErrorKind::PlainHttp,
                "the base URL is http to another machine: anyone on the way could read the API key. Use https, or call \
                 `danger_allow_plain_http`",
            ),
            _ => (ConfigErrorKind::InvalidBaseUrl, "the base URL is neither https nor http"),
        };
        Err(Error::config(kind, message))
    }
}
