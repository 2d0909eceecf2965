//! The API key. This is the only module that reads the key's text, and it never prints it.

use std::fmt;

use http::HeaderValue;
use zeroize::Zeroizing;

use crate::{ConfigErrorKind, Error};

/// A Coralogix API key. It never appears in `Debug` output, errors, logs or traces, and its memory is erased when it is
/// dropped.
///
/// Assigning, unassigning and acknowledging incidents require a personal key; the service refuses team keys for them.
///
/// ```
/// use coralogix_incidents::ApiKey;
///
/// let key = ApiKey::new("cxup_secret")?;
/// assert_eq!(format!("{key:?}"), "ApiKey([redacted])");
/// # Ok::<(), coralogix_incidents::Error>(())
/// ```
#[derive(Clone)]
pub struct ApiKey(Zeroizing<String>);

impl ApiKey {
    /// Creates a key from the text shown on the Coralogix settings page.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::InvalidApiKey`] if the key is empty or contains a space, a line break (files often end in one), a
    /// control character, or a character outside ASCII. The message names the character and its position, but never the key.
    pub fn new(key: impl Into<String>) -> Result<Self, Error> {
        let key = Zeroizing::new(key.into());
        let text = key.as_str();
        if text.is_empty() {
            return Err(Error::config(ConfigErrorKind::InvalidApiKey, "the API key is empty"));
        }
        if let Some((index, character)) = text.chars().enumerate().find(|(_, character)| !character.is_ascii_graphic())
        {
            let what = match character {
                '\n' | '\r' => "a line break",
                ' ' | '\t' => "white space",
                _ if character.is_control() => "a control character",
                _ => "a character outside ASCII",
            };
            let position = index + 1;
            let count = text.chars().count();
            let message = format!("the API key has {what} at position {position} of {count}: copy the key alone");
            return Err(Error::config(ConfigErrorKind::InvalidApiKey, message));
        }
        Ok(Self(key))
    }

    /// The value of the `Authorization` header, marked sensitive.
    pub(crate) fn authorization(&self) -> Result<HeaderValue, Error> {
        let value = HeaderValue::try_from(format!("Bearer {}", self.0.as_str()));
        let mut value = value.map_err(|_| {
            Error::config(ConfigErrorKind::InvalidApiKey, "the API key cannot be sent in an HTTP header")
        })?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Replaces the key in `text`. A proxy's error page may quote the request's headers, as they are or with JSON escapes such
    /// as `\/` for `/`.
    pub(crate) fn redact(&self, text: String) -> String {
        const REDACTED: &str = "[redacted]";
        /// Shorter prefixes, such as `cxup_`, are not secret.
        const MIN_PREFIX: usize = 6;
        let key = self.0.as_str();
        let mut text = if text.contains(key) { text.replace(key, REDACTED) } else { text };
        // A truncated body may end within the key.
        if let Some(begun) = (MIN_PREFIX..key.len()).rev().find(|length| text.ends_with(&key[..*length])) {
            text.truncate(text.len() - begun);
            text.push_str(REDACTED);
        }
        if !text.contains('\\') {
            return text;
        }
        let mut clean = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(next) = rest.chars().next() {
            if let Some(after) = key.chars().try_fold(rest, after) {
                clean.push_str(REDACTED);
                rest = after;
            } else {
                clean.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
        clean
    }
}

/// The rest of `text` after `character`, if it begins with it, as it is or as a JSON escape.
fn after(text: &str, character: char) -> Option<&str> {
    let Some(escaped) = text.strip_prefix('\\') else { return text.strip_prefix(character) };
    let unchanged = escaped.strip_prefix(character).filter(|_| ['/', '"', '\\'].contains(&character));
    unchanged.or_else(|| {
        let (code, rest) = escaped.strip_prefix('u')?.split_at_checked(4)?;
        (u32::from_str_radix(code, 16).ok()? == u32::from(character)).then_some(rest)
    })
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey([redacted])")
    }
}
