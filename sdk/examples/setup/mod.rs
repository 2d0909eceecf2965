//! Where an example's client comes from: the environment, or an emulator of its own with `--emulator`.

use coralogix_incidents::Client;
use coralogix_incidents_emulator::Emulator;

/// A client, and the emulator behind it if there is one; it stops when it is dropped.
pub(crate) async fn client() -> Result<(Client, Option<Emulator>), Box<dyn std::error::Error>> {
    if std::env::args().any(|argument| argument == "--emulator") {
        let emulator = Emulator::start().await?;
        return Ok((emulator.client()?, Some(emulator)));
    }
    Ok((Client::from_env()?, None))
}

/// The arguments that are not flags.
#[allow(dead_code, reason = "not every example takes arguments")]
pub(crate) fn arguments() -> Vec<String> {
    std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect()
}
