//! Common tasks: listing the open incidents of a user, handing them over, and waiting for a status. They only call public methods
//! of the client.

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

/// The result of [`Client::hand_over`].
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct HandOver {
    /// Incidents that are now assigned to the new user, and no longer to the old one.
    pub moved: Vec<Incident>,
    /// The outcomes of the other incidents: they were not moved, or it is not known whether they were.
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
    /// Open incidents are neither resolved nor closed. The request filters by the statuses triggered and acknowledged, so incidents
    /// with a status that this version does not know are not included. Incidents that the service returns with another spelling
    /// of the user's id are included; see [`Incident::is_assigned_to`].
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
        // If a service ignores the filter, the incidents of other users must not be returned.
        incidents.try_filter(move |incident| ready(incident.is_open() && incident.is_assigned_to(&user_id)))
    }

    /// Assigns the open incidents of a user to another user: lists them, and changes them with [`Verb::reassign`]. If a response
    /// was lost, its incidents are read to find out whether they were changed.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if a user is blank or both are the same, or the error of the list. In these cases nothing was changed. Later
    /// failures are in [`HandOver::not_moved`].
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
                // If the read failed, the outcome is still unknown.
                (Fate::Unknown(_) | Fate::NotSent | Fate::Abandoned, Some(fate)) | (fate, _) => {
                    report.not_moved.push(Outcome { id, fate });
                }
            }
        }
        Ok(report)
    }

    /// Waits until an incident has a status. Polls immediately, and then every `interval` (at least 10 ms) until `limit` has passed.
    ///
    /// A transient failure does not end the wait. The next poll is not made before a `Retry-After` is over, except for the final
    /// poll at the limit, which may take one more second.
    ///
    /// # Errors
    ///
    /// [`WaitError::Elapsed`] with the incident as it was read last; [`WaitError::Call`] if a read fails for a reason that is not
    /// transient, or if the last one fails.
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
        /// The minimum timeout of a poll, even if less time is left.
        const MIN_POLL_TIMEOUT: Duration = Duration::from_secs(1);
        let end = saturating_deadline(Instant::now(), limit);
        // Polling without a pause would only cause load.
        let interval = interval.max(Duration::from_millis(10));
        loop {
            let asked = Instant::now();
            let client = self.within((end - asked).max(MIN_POLL_TIMEOUT));
            let mut pause = interval;
            let failed = match client.get_incident(id).await {
                Ok(mut response) => {
                    let Some(mut incident) = response.incident.take() else {
                        let what = "there is no incident in it".to_owned();
                        let error = self.incomplete_response(&operations::GET_INCIDENT, &response, what);
                        return Err(WaitError::Call(error));
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
            // The final poll is at the limit.
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
        /// The incident as it was read last.
        last: Box<Incident>,
        /// The limit of the wait.
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
