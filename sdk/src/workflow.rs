//! The few things that every caller of this API would write: a user's open incidents, a hand-over, waiting for a status.
//! They call the client's own methods and nothing else.

use std::{collections::HashMap, error::Error as StdError, fmt, future::ready, sync::Arc, time::Duration};

use futures::{Stream, StreamExt, TryStreamExt};
use tokio::time::{Instant, sleep_until};

use crate::{
    Client, Error,
    bulk::{Fate, Outcome, Verb},
    generated::operations,
    transport::saturating_deadline,
    types::{Incident, IncidentQueryFilter, IncidentStatus, ListIncidentsRequest},
};

/// What a hand-over did; see [`Client::hand_over`].
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct HandOver {
    /// Incidents that were read back and are now assigned to the new user, and no longer to the old one.
    pub moved: Vec<Incident>,
    /// Incidents that were not moved, or of which that is not known. An id stands in one of the two lists.
    pub not_moved: Vec<Outcome>,
}

impl HandOver {
    /// Whether every incident was moved.
    pub fn is_complete(&self) -> bool {
        self.not_moved.is_empty()
    }
}

impl Client {
    /// The open incidents that are assigned to a user, as a stream, page by page.
    ///
    /// Open is what is neither resolved nor closed. The service is asked for triggered and acknowledged ones, so incidents of
    /// a status that this version does not know are not among them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = coralogix_incidents_emulator::Emulator::start().await?;
    /// # let client = emulator.client()?;
    /// use futures::TryStreamExt;
    ///
    /// let user = "dana.levi@example.com";
    /// let incidents: Vec<_> = client.open_incidents_of(user).try_collect().await?;
    /// assert!(incidents.iter().all(|incident| incident.is_assigned_to(user)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn open_incidents_of(&self, user_id: &str) -> impl Stream<Item = Result<Incident, Error>> + Send + use<> {
        let user_id = user_id.to_owned();
        let filter = IncidentQueryFilter::default()
            .with_assignee([user_id.as_str()])
            .with_status([IncidentStatus::Triggered, IncidentStatus::Acknowledged]);
        let incidents = self.list_incidents_stream(ListIncidentsRequest::default().with_filter(filter));
        // A filter that a service passes over must not hand anybody else's incidents to the caller.
        incidents.try_filter(move |incident| ready(incident.is_open() && incident.is_assigned_to(&user_id)))
    }

    /// Assigns a user's open incidents to another: lists them, assigns them, and reads them back.
    ///
    /// # Errors
    ///
    /// The error of the list, if it fails; then nothing was changed. What fails later is in [`HandOver::not_moved`]; where
    /// that is the reading, as [`Fate::Unknown`], for the incident may have been assigned.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = coralogix_incidents_emulator::Emulator::start().await?;
    /// # let client = emulator.client()?;
    /// let report = client.hand_over("dana.levi@example.com", "mei.tanaka@example.com").await?;
    /// println!("{} incidents are in other hands", report.moved.len());
    /// for outcome in &report.not_moved {
    ///     println!("{} was not handed over: {:?}", outcome.id, outcome.fate);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn hand_over(&self, from: &str, to: &str) -> Result<HandOver, Error> {
        let mut report = HandOver::default();
        if from == to {
            return Ok(report);
        }
        let ids: Vec<String> = self.open_incidents_of(from).map_ok(|incident| incident.id).try_collect().await?;
        let verb = Verb::assign_to(to);
        let mut to_read = Vec::new();
        // What the assigning left open, by id.
        let mut open = HashMap::new();
        let mut run = self.bulk().assign(ids, to);
        while let Some(Outcome { id, fate }) = run.next().await {
            match fate {
                // What was listed just now exists.
                Fate::Updated(_) | Fate::NotFound => to_read.push(id),
                Fate::Unknown(error) => {
                    open.insert(id.clone(), error);
                    to_read.push(id);
                }
                fate => report.not_moved.push(Outcome { id, fate }),
            }
        }
        let mut read = self.bulk().reconcile(verb, to_read);
        let mut unread = None;
        while let Some(Outcome { id, fate }) = read.next().await {
            let fate = match fate {
                Fate::Updated(incident) if !incident.is_assigned_to(from) => {
                    report.moved.push(*incident);
                    continue;
                }
                Fate::Updated(incident) => Fate::NotApplied(incident),
                // Its assigning was answered, so that nothing of it is under way.
                Fate::NotYetApplied(incident) if !open.contains_key(&id) => Fate::NotApplied(incident),
                Fate::Unknown(error) => {
                    let error = unread.insert(error);
                    Fate::Unknown(open.remove(&id).unwrap_or_else(|| Arc::clone(error)))
                }
                // The reading was given up: that says nothing of the assigning, which was sent.
                Fate::NotSent => match open.remove(&id).or_else(|| unread.clone()) {
                    Some(error) => Fate::Unknown(error),
                    None => Fate::Abandoned,
                },
                fate => fate,
            };
            report.not_moved.push(Outcome { id, fate });
        }
        Ok(report)
    }

    /// Waits until an incident has a status: asks at once, and then every `interval` (at least 10 ms), until `limit` has passed.
    /// A failure that may pass does not end the wait, and the service is not asked again before its `Retry-After` is over, but
    /// for the last look, at the limit itself, which may take a second more.
    ///
    /// # Errors
    ///
    /// [`WaitError::Elapsed`] with the incident as it was last seen; [`WaitError::Call`] if the incident can't be read, now or
    /// at the end of the wait.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = coralogix_incidents_emulator::Emulator::start().await?;
    /// # let client = emulator.client()?;
    /// use std::time::Duration;
    ///
    /// use coralogix_incidents::types::IncidentStatus;
    ///
    /// let (interval, limit) = (Duration::from_secs(10), Duration::from_secs(600));
    /// # let request = coralogix_incidents::types::ResolveIncidentsRequest::new(["incident_id_1"]);
    /// # client.resolve_incidents(&request).await?;
    /// let status = IncidentStatus::Resolved;
    /// let incident =
    ///     client.wait_for_status("incident_id_1", &status, interval, limit).await?;
    /// assert!(!incident.is_open());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn wait_for_status(
        &self,
        id: &str,
        status: &IncidentStatus,
        interval: Duration,
        limit: Duration,
    ) -> Result<Incident, WaitError> {
        /// What the last look has, however little time is left.
        const LAST_LOOK: Duration = Duration::from_secs(1);
        let end = saturating_deadline(Instant::now(), limit);
        // Asking without a pause helps nobody.
        let interval = interval.max(Duration::from_millis(10));
        loop {
            let asked = Instant::now();
            let client = self.within((end - asked).max(LAST_LOOK));
            let mut pause = interval;
            let failed = match client.get_incident(id).await {
                Ok(mut response) => {
                    let Some(mut incident) = response.incident.take() else {
                        let what = "there is no incident in it".to_owned();
                        return Err(WaitError::Call(self.incomplete_response(
                            &operations::GET_INCIDENT,
                            &response,
                            what,
                        )));
                    };
                    if incident.status == *status {
                        return Ok(incident);
                    }
                    if incident.id.is_empty() {
                        id.clone_into(&mut incident.id);
                    }
                    WaitError::Elapsed { last: Box::new(incident), limit }
                }
                Err(error) if !error.is_retryable() => return Err(WaitError::Call(error)),
                Err(error) => {
                    pause = interval.max(error.retry_after().unwrap_or_default());
                    WaitError::Call(error)
                }
            };
            if Instant::now() >= end {
                return Err(failed);
            }
            // The last look is at the limit itself.
            sleep_until(saturating_deadline(asked, pause).min(end)).await;
        }
    }
}

/// Why [`Client::wait_for_status`] gave up.
#[derive(Debug)]
#[non_exhaustive]
pub enum WaitError {
    /// The incident did not reach the status in time.
    #[non_exhaustive]
    Elapsed {
        /// The incident as it was last seen.
        last: Box<Incident>,
        /// How long was waited.
        limit: Duration,
    },
    /// The incident can't be read.
    Call(Error),
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elapsed { last, limit } => write!(f, "incident {} is still {} after {limit:?}", last.id, last.status),
            Self::Call(_) => f.write_str("the incident can't be read"),
        }
    }
}

impl StdError for WaitError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Elapsed { .. } => None,
            Self::Call(error) => Some(error),
        }
    }
}
