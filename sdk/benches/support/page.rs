//! A page of incidents as JSON.

use coralogix_incidents::types::ListIncidentsResponse;
use coralogix_incidents_emulator::Emulator;
use tokio::runtime::Runtime;

pub(crate) const INCIDENTS: usize = 10_000;

/// The same incidents in each run: those that an emulator begins with.
pub(crate) fn page() -> Vec<u8> {
    let runtime = Runtime::new().expect("a runtime");
    let emulator = runtime.block_on(Emulator::builder().seeded(INCIDENTS, 1).start()).expect("starts");
    let incidents = emulator.incidents();
    assert_eq!(incidents.len(), INCIDENTS);
    serde_json::to_vec(&ListIncidentsResponse::default().with_incidents(incidents)).expect("encodes")
}

#[expect(clippy::cast_precision_loss, reason = "printed with one digit")]
pub(crate) fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
