//! The endpoint of the service: a region, a domain or a base URL, set by a method or by the environment. This module must not
//! know API keys and sends nothing.

use std::env;

use url::{Host, Url};

use crate::{ConfigErrorKind, Error, Region};

const PATH: &str = "/mgmt/openapi";

/// The endpoint, as it was configured.
#[derive(Debug, Clone)]
pub(crate) enum Endpoint {
    Region(Region),
    Domain(String),
    Url(String),
}

impl Default for Endpoint {
    fn default() -> Self {
        Self::Region(Region::default())
    }
}

impl Endpoint {
    /// The endpoint that environment variables set, and the name of the variable that it is from.
    pub(crate) fn from_env() -> Result<Option<(Self, &'static str)>, Error> {
        let mut decided: Option<(Self, &'static str, Url)> = None;
        for name in ["CORALOGIX_URL", "CORALOGIX_DOMAIN", "CORALOGIX_REGION", "CORALOGIX_ENV"] {
            let Some(text) = variable(name)? else { continue };
            let endpoint = match name {
                "CORALOGIX_URL" => Self::Url(text),
                "CORALOGIX_DOMAIN" => Self::Domain(text),
                _ => Self::Region(text.parse().map_err(|error: Error| {
                    // One line is enough: it lists the known regions.
                    Error::config(ConfigErrorKind::UnknownRegion, format!("{name} is not valid: {error}"))
                })?),
            };
            let url = endpoint.base_url()?;
            match &decided {
                Some((_, first, of)) if host(of) != host(&url) => {
                    let message = format!(
                        "{first} and {name} disagree: one selects {}, the other {}; unset one of them",
                        host(of),
                        host(&url)
                    );
                    return Err(Error::config(ConfigErrorKind::ConflictingVariables, message));
                }
                Some(_) => {}
                None => decided = Some((endpoint, name, url)),
            }
        }
        Ok(decided.map(|(endpoint, name, _)| (endpoint, name)))
    }

    /// The URL that paths are appended to.
    pub(crate) fn base_url(&self) -> Result<Url, Error> {
        let text = match self {
            Self::Region(region) => format!("https://{}{PATH}", region.host()),
            Self::Domain(domain) => format!("https://{}{PATH}", domain_host(domain)?),
            Self::Url(url) => url.trim().to_owned(),
        };
        let invalid = |message: &str| Error::config(ConfigErrorKind::InvalidBaseUrl, format!("the base URL {message}"));
        let fail = |message: &str| Err(invalid(message));
        let url = Url::parse(&text).map_err(|error| invalid("is not a URL").with_cause(error))?;
        if !url.username().is_empty() || url.password().is_some() {
            return fail("contains a user name or a password: the API key is the only credential");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return fail("has a query or a fragment: it must end with its path, such as `/mgmt/openapi`");
        }
        if url.host().is_none() {
            return fail("has no host");
        }
        match last_segment(&url) {
            "3" => fail("ends in API generation 3, which this SDK does not support: remove `/3`, or use `/5` instead"),
            "v1" | "1" => {
                fail("ends in the version of the paths: remove it, paths such as `/v1/incidents` are appended")
            }
            _ => Ok(url),
        }
    }
}

/// The host of an account with a domain of its own.
fn domain_host(given: &str) -> Result<String, Error> {
    let domain = given.trim().to_ascii_lowercase();
    let domain = domain.strip_prefix("https://").unwrap_or(&domain);
    let domain = domain.strip_suffix('/').unwrap_or(domain);
    let host = if domain.starts_with("api.") { domain.to_owned() } else { format!("api.{domain}") };
    // Only a name is accepted: a path or a user name in it could send the key to another host.
    let is_label = |label: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(is_allowed) && !label.starts_with('-') && !label.ends_with('-')
    };
    if !host.split('.').all(is_label) || Host::parse(&host).is_err() {
        let message = format!("`{}` is not a domain: give a name such as `example.com`", given.escape_debug());
        return Err(Error::config(ConfigErrorKind::InvalidDomain, message));
    }
    Ok(host)
}

/// The host of a URL, with its port unless it is the default one of the scheme. The old name of the host of EU1 is replaced by
/// its current one.
fn host(url: &Url) -> String {
    let host = match url.host_str().unwrap_or_default() {
        "api.coralogix.com" => Region::Eu1.host(),
        host => host,
    };
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether a base URL ends in a segment that the vendor's clients use for generation 5.
pub(crate) fn ends_in_generation_5(url: &Url) -> bool {
    ["5", "4", "latest"].contains(&last_segment(url))
}

fn last_segment(url: &Url) -> &str {
    url.path().trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// The value of an environment variable; an empty value counts as unset.
pub(crate) fn variable(name: &str) -> Result<Option<String>, Error> {
    match env::var(name) {
        Ok(value) if value.is_empty() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => {
            Err(Error::config(ConfigErrorKind::InvalidVariable, format!("{name} is not UTF-8")))
        }
    }
}
