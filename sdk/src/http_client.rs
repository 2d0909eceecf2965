//! The default HTTP client: no redirects, no retries, TLS by rustls.

use std::time::Duration;

use url::{Host, Url};

use crate::{ConfigErrorKind, Error};

/// The error of a call over https on a system without root certificates.
pub(crate) fn missing_roots(cause: &str) -> Error {
    let message = "this system has no root certificates, so https is not possible: install them (the package \
                   `ca-certificates` of most Linux distributions), or set SSL_CERT_FILE to a file of them";
    Error::config(ConfigErrorKind::RootCertificates, message).with_cause(cause)
}

/// Builds an HTTP client for the host of `base`. Also returns why certificates cannot be verified, if they cannot: calls then
/// fail with [`missing_roots`].
pub(crate) fn http_client(base: &Url, connect_timeout: Duration) -> Result<(reqwest::Client, Option<String>), Error> {
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(connect_timeout)
        // The attempt loop is the only place that retries.
        .retry(reqwest::retry::never())
        // Another crate may enable these features of reqwest, and the size limit applies to the bytes received.
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd();
    // A proxy on another machine would receive the key unencrypted, and could not reach this machine.
    if is_loopback(base) {
        builder = builder.no_proxy();
    }
    #[cfg(feature = "rustls")]
    let (builder, missing_roots) = {
        let (config, missing_roots) = tls::config(base)?;
        (builder.tls_backend_preconfigured(config), missing_roots)
    };
    #[cfg(not(feature = "rustls"))]
    let missing_roots = None;
    let client = builder.build().map_err(|error| {
        Error::config(ConfigErrorKind::HttpClient, "the HTTP client cannot be built").with_cause(error)
    })?;
    Ok((client, missing_roots))
}

/// rustls with ring and the platform's trusted roots. The configuration is passed to reqwest, because installing a provider for
/// the whole process is up to the application.
#[cfg(feature = "rustls")]
mod tls {
    use std::sync::Arc;

    use rustls::{ClientConfig, RootCertStore, crypto::ring};
    use rustls_platform_verifier::BuilderVerifierExt;
    use url::Url;

    use super::needs_root_certificates;
    use crate::{ConfigErrorKind, Error};

    /// The configuration for the host of `base`. Only calls over https need root certificates, so that a client can be built
    /// without them.
    pub(super) fn config(base: &Url) -> Result<(ClientConfig, Option<String>), Error> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::config(ConfigErrorKind::Tls, "TLS cannot be set up").with_cause(error))?;
        let platform = needs_root_certificates(base).then(|| builder.clone().with_platform_verifier());
        let (builder, missing_roots) = match platform {
            Some(Ok(builder)) => (builder, None),
            other => {
                let missing = other.and_then(Result::err).filter(|_| base.scheme() == "https");
                let missing = missing.map(|error| error.to_string());
                (builder.with_root_certificates(RootCertStore::empty()), missing)
            }
        };
        let mut config = builder.with_no_client_auth();
        config.alpn_protocols = if cfg!(feature = "http2") {
            vec![b"h2".to_vec(), b"http/1.1".to_vec()]
        } else {
            vec![b"http/1.1".to_vec()]
        };
        Ok((config, missing_roots))
    }
}

/// Whether a call to this URL may verify certificates. Another machine may be reached by a proxy over https.
#[cfg(feature = "rustls")]
fn needs_root_certificates(base: &Url) -> bool {
    base.scheme() == "https" || !is_loopback(base)
}

/// Whether the host of a URL is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(all(test, feature = "rustls"))]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_to_this_machine_needs_no_root_certificates() {
        for (base, expected) in [
            ("https://api.eu1.coralogix.com", true),
            ("https://127.0.0.1:8443", true),
            ("http://gateway.example", true),
            ("http://127.0.0.1:8080", false),
            ("http://[::1]:8080", false),
            ("http://localhost:8080", false),
        ] {
            assert_eq!(needs_root_certificates(&base.parse().unwrap()), expected, "{base}");
        }
    }
}
