//! Constructors of the generated [`Client`], what its clones share, and options of single calls.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use url::Url;

use crate::{
    ApiGeneration, ApiKey, Client, Operation, RetryBudget, RetryPolicy, generated::operations, generation::Generations,
    telemetry::Drift,
};

// The headers by which the vendor's own clients identify themselves.
const SDK_VERSION: HeaderName = HeaderName::from_static("x-cx-sdk-version");
const SDK_LANGUAGE: HeaderName = HeaderName::from_static("x-cx-sdk-language");

/// What a client holds in addition to its base URL and its connection pool.
#[derive(Debug, Clone)]
pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    /// The options of this clone. Their headers are all those that every request carries.
    pub(crate) options: Arc<CallOptions>,
}

impl Inner {
    pub(crate) fn new(shared: Arc<Shared>, mut options: CallOptions) -> Self {
        let headers = &mut options.headers;
        // Room for the headers that are added to a single request.
        headers.reserve(12);
        headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, shared.user_agent.clone());
        headers.insert(SDK_VERSION, HeaderValue::from_static(env!("CARGO_PKG_VERSION")));
        headers.insert(SDK_LANGUAGE, HeaderValue::from_static("rust"));
        headers.insert(header::AUTHORIZATION, shared.authorization.clone());
        Self { shared, options: Arc::new(options) }
    }
}

/// What all clones of a client share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The parsed base URL.
    pub(crate) base: Url,
    /// The host, and the port unless it is the scheme's default.
    pub(crate) authority: Arc<str>,
    pub(crate) api_key: ApiKey,
    pub(crate) authorization: HeaderValue,
    pub(crate) user_agent: HeaderValue,
    pub(crate) base_url: Arc<str>,
    /// Whether the base URL ends in the generation that the paths of generation 5 begin with.
    pub(crate) generation_in_base: bool,
    pub(crate) generations: Generations,
    pub(crate) timeout: Duration,
    pub(crate) attempt_timeout: Duration,
    pub(crate) read_timeout: Duration,
    pub(crate) max_response_bytes: usize,
    /// Whether the HTTP client was given by the application. It may follow redirects and retry by itself.
    pub(crate) own_http_client: bool,
    pub(crate) missing_roots: Option<String>,
    pub(crate) retry_policy: RetryPolicy,
    pub(crate) retry_budget: RetryBudget,
    pub(crate) drift: Drift,
}

impl Client {
    /// Iterates over all operations of the API, in the order of the OpenAPI document.
    pub fn operations() -> impl Iterator<Item = &'static Operation> {
        operations::ALL.iter().copied()
    }

    /// Returns a client that makes its calls with these options. They replace the options that this client has; everything
    /// else, such as connections and the retry budget, is shared.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = coralogix_incidents_emulator::Emulator::start().await?;
    /// # let client = emulator.client()?;
    /// use std::time::Duration;
    ///
    /// use coralogix_incidents::{CallOptions, RetryPolicy};
    ///
    /// let quick = CallOptions::default()
    ///     .with_timeout(Duration::from_secs(2))
    ///     .with_retry_policy(RetryPolicy::off());
    /// let incident = client.with_options(quick).get_incident("incident_id_1").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_options(&self, options: CallOptions) -> Self {
        let inner = Inner::new(Arc::clone(&self.inner.shared), options);
        Self { baseurl: self.baseurl.clone(), client: self.client.clone(), inner }
    }

    /// The same client with its timeout lowered to `time`.
    pub(crate) fn within(&self, time: Duration) -> Self {
        let options = CallOptions::clone(&self.inner.options);
        let time = time.min(options.timeout.unwrap_or(self.inner.shared.timeout));
        self.with_options(options.with_timeout(time))
    }

    /// The URL of a path. The parameters in `path` must be escaped.
    pub(crate) fn url(&self, path: &str) -> Url {
        let shared = &self.inner.shared;
        let mut url = shared.base.clone();
        let base = url.path().trim_end_matches('/');
        let path = if shared.generation_in_base { path.strip_prefix("/5").unwrap_or(path) } else { path };
        let path = [base, path].concat();
        url.set_path(&path);
        url
    }

    /// The base URL, to which the paths of operations are appended.
    pub fn base_url(&self) -> &str {
        &self.baseurl
    }

    /// The API generation of calls: the one set by [`ClientBuilder::api_generation`](crate::ClientBuilder::api_generation), or
    /// the one that the client has found. `None` if it is not known yet, because no call has been answered.
    pub fn api_generation(&self) -> Option<ApiGeneration> {
        self.inner.shared.generations.current()
    }

    /// The budget that this client and its clones take their retries from.
    pub fn retry_budget(&self) -> &RetryBudget {
        &self.inner.shared.retry_budget
    }
}

/// Options for single calls, which override those of the client; see [`Client::with_options`]. An option that is not set
/// leaves the client's setting in force.
#[derive(Debug, Clone, Default)]
pub struct CallOptions {
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry_policy: Option<RetryPolicy>,
    pub(crate) headers: HeaderMap,
}

impl CallOptions {
    /// Sets the total timeout of a call, including its retries and the waits between them.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets how the call is retried.
    #[must_use]
    pub fn with_retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.retry_policy = Some(policy);
        self
    }

    /// Adds a header to each request. The headers that the client sets itself (`authorization`, `user-agent`, `x-cx-...`)
    /// cannot be changed.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}
