//! Where time comes from. It knows nothing of incidents or HTTP.

use std::{fmt, sync::Arc};

use chrono::{DateTime, Utc};

/// The emulator's clock: everything it dates, it dates by this.
///
/// Latencies, delays and rate limits run by the machine's own clock all the same, so that a fixed clock stops no test.
///
/// ```
/// use coralogix_incidents_emulator::Clock;
///
/// let noon = "2026-03-14T12:00:00Z".parse()?;
/// assert_eq!(Clock::fixed(noon).now(), noon);
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

impl Clock {
    /// The machine's clock, to the millisecond. The default.
    pub fn system() -> Self {
        Self::from_fn(|| {
            let now = Utc::now();
            DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now)
        })
    }

    /// A clock that stands still: with it and a seed, the emulator's replies are the same byte for byte.
    pub fn fixed(time: DateTime<Utc>) -> Self {
        Self::from_fn(move || time)
    }

    /// A clock of your own.
    pub fn from_fn(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time.
    pub fn now(&self) -> DateTime<Utc> {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}
