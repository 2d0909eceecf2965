//! Where time comes from. It knows nothing of incidents or HTTP.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

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
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    Fixed(DateTime<Utc>),
    Function(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>),
}

impl Clock {
    /// The machine's clock, to the millisecond. The default.
    pub fn system() -> Self {
        Self::from_fn(|| {
            let now = Utc::now();
            DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now)
        })
    }

    /// A clock that stands still: with it and a seed, the emulator's responses are the same byte for byte.
    pub fn fixed(time: DateTime<Utc>) -> Self {
        Self(Source::Fixed(time))
    }

    /// A clock of your own.
    pub fn from_fn(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Source::Function(Arc::new(now)))
    }

    /// The time.
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

/// A clock that can be replaced while the emulator runs.
#[derive(Debug)]
pub(crate) struct ReplaceableClock {
    initial: Clock,
    current: RwLock<Clock>,
}

impl ReplaceableClock {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { initial: clock.clone(), current: RwLock::new(clock) }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).now()
    }

    pub(crate) fn is_fixed(&self) -> bool {
        matches!(self.current.read().unwrap_or_else(PoisonError::into_inner).0, Source::Fixed(_))
    }

    pub(crate) fn set(&self, clock: Clock) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = clock;
    }

    /// Goes back to the clock that the emulator was started with.
    pub(crate) fn reset(&self) {
        self.set(self.initial.clone());
    }
}
