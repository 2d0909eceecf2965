//! An API key as it was found, and whether it looks like one. Nothing here shows a key.

use coralogix_incidents::{ApiKey, Error};

/// An API key, and why it does not look like one, if so. It may be one all the same.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) value: ApiKey,
    pub(crate) problem: Option<&'static str>,
}

impl Key {
    pub(crate) fn new(text: String) -> Result<Self, Error> {
        let problem = problem(&text);
        Ok(Self { value: ApiKey::new(text)?, problem })
    }
}

/// What is wrong with the form of a key, as far as that can be seen.
fn problem(key: &str) -> Option<&'static str> {
    if key.contains(['"', '\'', '`']) {
        Some("has quotation marks in it")
    } else if key.contains(['<', '>', '{', '}', '$', '*']) {
        Some("looks like a placeholder")
    } else if key.len() < 10 {
        Some("is shorter than any key")
    } else {
        None
    }
}

/// The service under which the vendor's command line keeps its secrets in the keyring; the account is the profile's name.
pub(crate) const KEYRING_SERVICE: &str = "cx-cli";

/// The API key of a profile, from the keyring of the system.
///
/// # Errors
///
/// Why there is none.
#[cfg(feature = "keyring")]
pub(crate) fn from_keyring(profile: &str) -> Result<Key, String> {
    use keyring::v1::{Entry, Error};

    match Entry::new(KEYRING_SERVICE, profile).and_then(|entry| entry.get_password()) {
        // What is no key, such as a record of an OAuth sign-in, must not be sent as one.
        Ok(secret) if secret.contains(|character: char| character.is_whitespace() || "{}\"".contains(character)) => {
            Err("its secret in the keyring is not an API key".to_owned())
        }
        Ok(secret) => Key::new(secret).map_err(|error| error.summary()),
        Err(Error::NoEntry) => Err("the keyring has no entry for it".to_owned()),
        Err(Error::Ambiguous(_)) => Err("the keyring has several entries for it".to_owned()),
        // Without their details: some of these errors have the secret in them.
        Err(Error::BadEncoding(_) | Error::BadDataFormat(..)) => {
            Err("its secret in the keyring is not an API key".to_owned())
        }
        Err(_) => Err("the keyring is locked, or there is none in this session".to_owned()),
    }
}

#[cfg(not(feature = "keyring"))]
pub(crate) fn from_keyring(_profile: &str) -> Result<Key, String> {
    Err("its key is in the keyring of the system, which this build can't read: it was built without the feature `keyring`"
        .to_owned())
}
