//! One read of one incident, to see who answers and how. `config --check` and `doctor` ask so.

use chrono::{DateTime, TimeDelta, Utc};
use coralogix_incidents::{
    ApiGeneration, Client, Error,
    types::{ListIncidentsRequest, PaginationRequest},
};

/// What an answer shows.
pub(crate) struct Probe {
    pub(crate) generation: ApiGeneration,
    /// By how much this machine's clock is ahead of the service's; `None` if the answer does not say when it was made.
    pub(crate) clock_skew: Option<TimeDelta>,
}

/// Lists at most one incident. It changes nothing, and needs the permission to read.
pub(crate) async fn probe(client: &Client) -> Result<Probe, Error> {
    let request = ListIncidentsRequest::default().with_pagination(PaginationRequest::default().with_page_size(1_u32));
    let sent = Utc::now();
    let response = client.list_incidents(&request).await?;
    let received = Utc::now();
    let date = response.headers().get("date").and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    // The answer was made somewhere between; HTTP dates have whole seconds.
    let clock_skew = date.map(|date| {
        let date = date.to_utc();
        if date < sent - TimeDelta::seconds(1) {
            sent - date
        } else if date > received {
            received - date
        } else {
            TimeDelta::zero()
        }
    });
    Ok(Probe { generation: response.api_generation(), clock_skew })
}
