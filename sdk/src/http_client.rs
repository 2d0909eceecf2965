//! The HTTP client that is used unless the application gives one of its own: no redirects, no retries, TLS by rustls.

#[cfg(feature = "rustls")]
use std::sync::Arc;
use std::time::Duration;

use url::{Host, Url};

use crate::{ConfigErrorKind, Error};

/// A client that connects to the host of `base`.
pub(crate) fn http_client(base: &Url, connect_timeout: Duration) -> Result<reqwest::Client, Error> {
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(connect_timeout)
        // The attempt loop is the only place that retries.
        .retry(reqwest::retry::never())
        // Another crate may have these features of reqwest on, and the size limit is for what comes over the wire.
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd();
    // The environment's proxy is another machine: it would get the key in the clear, and can't reach this one.
    if is_loopback(base) {
        builder = builder.no_proxy();
    }
    #[cfg(feature = "rustls")]
    let builder = builder.tls_backend_preconfigured(tls()?);
    builder.build().map_err(|error| {
        Error::config(ConfigErrorKind::HttpClient, "the HTTP client cannot be built").with_cause(error)
    })
}

/// rustls with ring, trusting what the platform trusts. Given to reqwest as it is: a provider installed for the whole
/// process would be the application's business.
#[cfg(feature = "rustls")]
fn tls() -> Result<rustls::ClientConfig, Error> {
    use rustls_platform_verifier::BuilderVerifierExt;

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier);
    let mut config = config
        .map_err(|error| Error::config(ConfigErrorKind::Tls, "TLS cannot be set up").with_cause(error))?
        .with_no_client_auth();
    config.alpn_protocols =
        if cfg!(feature = "http2") { vec![b"h2".to_vec(), b"http/1.1".to_vec()] } else { vec![b"http/1.1".to_vec()] };
    Ok(config)
}

/// Whether a URL leads to this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
