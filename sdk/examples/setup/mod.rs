//! Where an example's client comes from: the environment, or an emulator of its own with `--emulator`.
#![allow(dead_code, reason = "each example uses a part")]

use std::error::Error;

use coralogix_incidents::{ApiKey, Client, ClientBuilder};
use coralogix_incidents_emulator::Emulator;

/// A client, and the emulator behind it if there is one; it stops when it is dropped.
pub(crate) async fn client() -> Result<(Client, Option<Emulator>), Box<dyn Error>> {
    client_with(Ok).await
}

/// The same, with settings of the example's own.
pub(crate) async fn client_with(
    set: impl FnOnce(ClientBuilder) -> Result<ClientBuilder, Box<dyn Error>>,
) -> Result<(Client, Option<Emulator>), Box<dyn Error>> {
    if !has_flag("--emulator") {
        return Ok((set(ClientBuilder::from_env()?)?.build()?, None));
    }
    let emulator = Emulator::start().await?;
    let builder = Client::builder().base_url(emulator.url()).api_key(ApiKey::new(emulator.api_key())?);
    Ok((set(builder)?.build()?, Some(emulator)))
}

/// Whether a flag was given.
pub(crate) fn has_flag(name: &str) -> bool {
    std::env::args().any(|argument| argument == name)
}

/// The arguments that are not flags.
pub(crate) fn arguments() -> Vec<String> {
    std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect()
}
