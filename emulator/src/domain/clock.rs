//! The emulator's clock. It knows nothing of incidents or HTTP.

use std::{fmt, sync::Arc};

use chrono::{DateTime, Utc};

/// The clock that dates events, changes and requests.
///
/// Latencies, delays and rate limits follow the machine's clock, so that a test with a fixed clock does not hang.
///
/// ```
/// use coralogix_incidents_emulator::Clock;
///
/// let noon = "2026-03-14T12:00:00Z".parse()?;
/// assert_eq!(Clock::fixed(noon).now(), noon);
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    Fixed(DateTime<Utc>),
    Function(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>),
}

impl Clock {
    /// Creates a clock that follows the machine's, in milliseconds. This is the default.
    pub fn system() -> Self {
        Self::from_fn(|| {
            let now = Utc::now();
            DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now)
        })
    }

    /// Creates a clock that stands still. With it and a seed, the emulator's responses are the same byte for byte.
    pub fn fixed(time: DateTime<Utc>) -> Self {
        Self(Source::Fixed(time))
    }

    /// Creates a clock from a function.
    pub fn from_fn(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Source::Function(Arc::new(now)))
    }

    pub(crate) fn is_fixed(&self) -> bool {
        matches!(self.0, Source::Fixed(_))
    }

    /// Returns the time.
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Source::Fixed(time) => *time,
            Source::Function(now) => now(),
        }
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
