//! Constructors of the generated [`Client`], what its clones share, and options of single calls.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use url::Url;

use crate::{
    ApiGeneration, ApiKey, Client, Operation, RetryBudget, RetryPolicy, generated::operations, generation::Generations,
    telemetry::Drift,
};

/// What the vendor's own clients say of themselves.
const SDK_VERSION: HeaderName = HeaderName::from_static("x-cx-sdk-version");
const SDK_LANGUAGE: HeaderName = HeaderName::from_static("x-cx-sdk-language");

/// What a client holds beside its base URL and its connections.
#[derive(Debug, Clone)]
pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    /// Their headers are all that every request has.
    pub(crate) options: Arc<CallOptions>,
}

impl Inner {
    pub(crate) fn new(shared: Arc<Shared>, mut options: CallOptions) -> Self {
        let headers = &mut options.headers;
        // And room for those of a single request.
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
    /// The base URL, so that no call parses it again.
    pub(crate) base: Url,
    /// Host, and port where it is not the scheme's own.
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
    /// Whether the HTTP client is the user's, of whose redirects and retries nothing is known.
    pub(crate) own_http_client: bool,
    pub(crate) missing_roots: Option<String>,
    pub(crate) retry_policy: RetryPolicy,
    pub(crate) retry_budget: RetryBudget,
    pub(crate) drift: Drift,
}

impl Client {
    /// Every operation, in the document's order.
    pub fn operations() -> impl Iterator<Item = &'static Operation> {
        operations::ALL.iter().copied()
    }

    /// The same client with these options, in place of any that it had, for the calls made through it. Both share everything
    /// else.
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

    /// With no more time for a call than this.
    pub(crate) fn within(&self, time: Duration) -> Self {
        let options = CallOptions::clone(&self.inner.options);
        let time = time.min(options.timeout.unwrap_or(self.inner.shared.timeout));
        self.with_options(options.with_timeout(time))
    }

    /// The URL of a path, whose parameters are escaped.
    pub(crate) fn url(&self, path: &str) -> Url {
        let shared = &self.inner.shared;
        let mut url = shared.base.clone();
        let base = url.path().trim_end_matches('/');
        let path = if shared.generation_in_base { path.strip_prefix("/5").unwrap_or(path) } else { path };
        let path = [base, path].concat();
        url.set_path(&path);
        url
    }

    /// The URL that paths are appended to.
    pub fn base_url(&self) -> &str {
        &self.baseurl
    }

    /// The API generation that calls are sent in: the one that the client was fixed to, or the last that answered this client
    /// or one of its clones. `None` as long as none has answered.
    pub fn api_generation(&self) -> Option<ApiGeneration> {
        self.inner.shared.generations.current()
    }

    /// The budget that this client's retries come from.
    pub fn retry_budget(&self) -> &RetryBudget {
        &self.inner.shared.retry_budget
    }
}

/// Options of single calls; see [`Client::with_options`]. The default changes nothing.
#[derive(Debug, Clone, Default)]
pub struct CallOptions {
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry_policy: Option<RetryPolicy>,
    pub(crate) headers: HeaderMap,
}

impl CallOptions {
    /// The longest that a call may take, retries and the waits between them included.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How the call is retried.
    #[must_use]
    pub fn with_retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.retry_policy = Some(policy);
        self
    }

    /// One more header. The client's own (`authorization`, `user-agent`, `x-cx-...`) stay as they are.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}
