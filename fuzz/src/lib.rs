//! What must hold of any input, a function for each fuzz target. A violation is a panic.
//!
//! The targets in `fuzz_targets/` hand them what libFuzzer makes up, and `tests/seeds.rs` the committed seeds.

use std::{
    fmt::Debug,
    path::Path,
    sync::LazyLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use coralogix_incidents::{
    ApiKey, Client, fuzzing,
    types::{self, ListIncidentsRequest, PaginationRequest},
    wire,
};
use coralogix_incidents_emulator::{Emulator, Sample};
use futures::StreamExt;
use serde::{Serialize, de::DeserializeOwned};
use xtask::{
    DOCUMENT,
    document::Document,
    drift::{compare, report},
};

include!(concat!(env!("OUT_DIR"), "/messages.rs"));

/// JSON of any kind read as each request and response: what decodes is written and read again unchanged.
pub fn responses(data: &[u8]) {
    every_message(data);
}

/// What [`responses`] asks of each message.
pub fn stable<T: DeserializeOwned + Serialize + PartialEq + Debug>(data: &[u8]) {
    let Ok(value) = serde_json::from_slice::<T>(data) else { return };
    let written = serde_json::to_string(&value).expect("what was decoded can be encoded");
    let again: T = serde_json::from_str(&written).unwrap_or_else(|error| panic!("{error} in {written}"));
    assert_eq!(again, value, "decoded again from {written}");
    assert_eq!(serde_json::to_string(&again).expect("encodes"), written);
}

/// The key that no error may show.
const KEY: &str = "cxup_k/y";

/// An error response: status and content type on the first line, then the body.
pub fn errors(data: &[u8]) {
    let split = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (first, body) = (&data[..split], data.get(split + 1..).unwrap_or_default());
    let (status, content_type) = first.split_at(first.len().min(3));
    let status = std::str::from_utf8(status).ok().and_then(|digits| digits.parse().ok()).unwrap_or(500);
    let key = ApiKey::new(KEY).expect("a key");
    let Some(error) = fuzzing::api_error(&key, status, content_type.trim_ascii(), body) else { return };

    let shown = error.to_string();
    assert!(!shown.contains(char::is_control), "more than a line: {shown:?}");
    assert!(shown.len() < 2_000, "{} bytes are no message", shown.len());
    assert!(error.body().is_some_and(|body| body.len() <= 8 * 1024));
    assert!(error.message().is_none_or(|message| !message.trim().is_empty() && message.len() <= 9 * 1024));
    assert_eq!(error.status().map(|status| status.as_u16()), Some(status));
    assert!(!(error.is_not_found() && error.is_unknown_route()), "{error:?}");
    let everything = format!("{shown} {error:?} {:?} {:?} {:?}", error.body(), error.message(), error.details());
    assert!(!everything.contains(KEY), "the key is in {everything}");
}

/// A value of `Retry-After`: a number of seconds is taken as such, and nothing waits into the past.
pub fn retry_after(data: &[u8]) {
    let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    for now in [UNIX_EPOCH, now, SystemTime::now()] {
        let wait = fuzzing::retry_after(data, now);
        let digits =
            std::str::from_utf8(data).ok().map(|text| text.trim_matches([' ', '\t'])).filter(|text| !text.is_empty());
        if let Some(seconds) = digits.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit())) {
            let seconds = seconds.parse().unwrap_or(u64::from(u32::MAX));
            assert_eq!(wait, Some(Duration::from_secs(seconds)));
        } else if let Some(wait) = wait {
            // A date: HTTP's end in the year 9999.
            assert!(now.checked_add(wait).is_some_and(|at| at < UNIX_EPOCH + Duration::from_secs(253_402_300_800)));
        }
    }
}

/// Any text is a [`wire::Duration`], kept as it is; if it converts, it is within range and converts back.
pub fn durations(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let duration = wire::Duration::new(text);
    assert_eq!(duration.as_str(), text);
    let json = serde_json::to_string(&duration).expect("a text");
    assert_eq!(serde_json::from_str::<wire::Duration>(&json).expect("any text decodes"), duration);
    match duration.to_time_delta() {
        Ok(delta) => {
            assert!(delta.num_seconds().abs() <= 315_576_000_000, "{delta}");
            let normal = wire::Duration::from_time_delta(delta).expect("what was read is in range");
            assert_eq!(normal.to_time_delta().expect("what was written is read"), delta);
            assert_eq!(wire::Duration::from_time_delta(delta).expect("again"), normal);
            assert_eq!(normal.as_str().starts_with('-'), delta < chrono::TimeDelta::zero(), "{normal}");
        }
        Err(error) => assert!(!error.to_string().contains(char::is_control), "{error}"),
    }
}

/// A page token of the caller's making, sent over HTTP: the list is answered or refused, and it ends. Text that begins with
/// `[` takes the place of the sort keys in a token that the emulator made for this query; anything else is the whole token.
pub fn page_tokens(data: &[u8]) {
    static SERVICE: LazyLock<Service> = LazyLock::new(Service::start);
    let Ok(text) = std::str::from_utf8(data) else { return };
    SERVICE.list(text);
}

const PAGE: i64 = 2;
const INCIDENTS: usize = 5;

struct Service {
    runtime: tokio::runtime::Runtime,
    emulator: Emulator,
    client: Client,
    /// The token of the second page, before its sort keys.
    token: String,
}

impl Service {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let incidents = (0..INCIDENTS).map(|number| Sample::new(format!("incident-{number}")));
        let emulator = runtime.block_on(Emulator::builder().incidents(incidents).start()).expect("a port");
        let client = emulator.client().expect("a client");
        let first = runtime.block_on(client.list_incidents(&Self::request(None))).expect("a page");
        let token = first.pagination.as_ref().and_then(|pagination| pagination.next_page_token.clone());
        let token = token.expect("there is a second page");
        let digits = token.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("hexadecimal"));
        let json: String = digits.map(|pair| char::from(u8::from_str_radix(pair, 16).expect("two digits"))).collect();
        let end = json.find('[').expect("sort keys");
        Self { runtime, emulator, client, token: json[..end].to_owned() }
    }

    fn request(token: Option<String>) -> ListIncidentsRequest {
        let mut pagination = PaginationRequest::default().with_page_size(PAGE);
        pagination.page_token = token;
        ListIncidentsRequest::default().with_pagination(pagination)
    }

    fn list(&self, text: &str) {
        let token = if text.starts_with('[') {
            format!("{}{text}}}", self.token).bytes().map(|byte| format!("{byte:02x}")).collect()
        } else {
            text.to_owned()
        };
        let stream = self.client.list_incidents_stream(Self::request(Some(token)));
        let items: Vec<_> = self.runtime.block_on(stream.take(INCIDENTS + 1).collect());
        assert!(items.len() <= INCIDENTS, "the list does not end");
        for item in items {
            if let Err(error) = item {
                assert_eq!(error.status().map(|status| status.as_u16()), Some(400), "{error}");
            }
        }
        self.emulator.clear_requests();
    }
}

/// A published file of any kind: it is read, or refused by a complaint that fills whole lines, and does not break with itself.
pub fn drift(data: &[u8]) {
    static OURS: LazyLock<Document> = LazyLock::new(|| {
        Document::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(DOCUMENT)).expect("our document")
    });
    let Ok(text) = std::str::from_utf8(data) else { return };
    let published = match Document::parse(Path::new("published.yaml"), text) {
        Ok(published) => published,
        Err(error) => return assert!(format!("{error:#}").starts_with("published.yaml:"), "{error:#}"),
    };
    match compare(&OURS, &published) {
        Ok(differences) => {
            report::table(&differences);
            assert!(report::json(&differences).is_ok());
        }
        Err(error) => assert!(format!("{error:#}").starts_with("published.yaml"), "{error:#}"),
    }
    if let Ok(differences) = compare(&published, &published) {
        let breaks = differences.iter().any(|difference| difference.class.breaks());
        assert!(!breaks, "{}", report::table(&differences));
    }
}
