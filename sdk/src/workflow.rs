//! The few things that every caller of this API would write: a user's open incidents, a hand-over, waiting for a status.
//! They call the client's own methods and nothing else.

use std::{collections::HashMap, error::Error as StdError, fmt, future::ready, time::Duration};

use futures_core::Stream;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::{Instant, sleep_until};

use crate::{
    Client, Error,
    bulk::{Fate, Outcome, Verb},
    generated::operations,
    request,
    transport::saturating_deadline,
    types::{Incident, IncidentQueryFilter, IncidentStatus, ListIncidentsRequest},
};

/// What a hand-over did; see [`Client::hand_over`].
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct HandOver {
    /// Incidents that are now assigned to the new user, and no longer to the old one.
    pub moved: Vec<Incident>,
    /// Incidents that were not moved, or of which that is not known. Each incident of the list is in one of the two lists.
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
    /// a status that this version does not know are not among them. Incidents that the service returns for another spelling of
    /// the user's id are among them; see [`Incident::is_assigned_to`].
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

    /// Assigns a user's open incidents to another: lists them, and changes them with [`Verb::reassign`]. Incidents whose reply
    /// was lost are read to find out what became of them.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if a user is blank, or both are the same; else the error of the list, if it fails. Then nothing was
    /// changed. What fails later is in [`HandOver::not_moved`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = coralogix_incidents_emulator::Emulator::start().await?;
    /// # let client = emulator.client()?;
    /// let report = client.hand_over("dana.levi@example.com", "mei.tanaka@example.com").await?;
    /// println!("{} incidents were handed over", report.moved.len());
    /// for outcome in &report.not_moved {
    ///     println!("{} was not handed over: {}", outcome.id, outcome.fate);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn hand_over(&self, from: &str, to: &str) -> Result<HandOver, Error> {
        request::check_text("from", from, request::NOT_BLANK)?;
        request::check_text("to", to, request::NOT_BLANK)?;
        if from == to {
            return Err(Error::invalid_request("`from` and `to` are the same user".to_owned()));
        }
        let ids: Vec<String> = self.open_incidents_of(from).map_ok(|incident| incident.id).try_collect().await?;
        let verb = Verb::reassign(from, to);
        let mut report = HandOver::default();
        let mut unknown = HashMap::new();
        let mut run = self.bulk().run(verb.clone(), stream::iter(ids));
        while let Some(Outcome { id, fate }) = run.next().await {
            match fate {
                Fate::Updated(incident) => report.moved.push(*incident),
                Fate::Unknown(_) => {
                    unknown.insert(id, fate);
                }
                fate => report.not_moved.push(Outcome { id, fate }),
            }
        }
        let ids: Vec<String> = unknown.keys().cloned().collect();
        let mut read = self.bulk().reconcile(verb, ids);
        while let Some(Outcome { id, fate }) = read.next().await {
            match (fate, unknown.remove(&id)) {
                (Fate::Updated(incident), _) => report.moved.push(*incident),
                // A read that failed settles nothing.
                (Fate::Unknown(_) | Fate::NotSent | Fate::Abandoned, Some(fate)) | (fate, _) => {
                    report.not_moved.push(Outcome { id, fate });
                }
            }
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
