//! HTTP/1.1 by hand, on a blocking socket: what is sent is what the test says, and what comes back is kept as it came. Every
//! JSON reply is held against the document.

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use coralogix_incidents_emulator::Emulator;
use serde_json::{Value, json};

use crate::schema::Document;

/// How long anything may take before a test fails. It bounds hanging only, so it is far longer than anything takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) const UNASSIGN: &str = "/v1/incidents:unassign";

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Reply {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|problem| panic!("{problem}: {}", self.body))
    }

    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.json()
    }
}

pub(crate) struct Request<'a> {
    emulator: &'a Emulator,
    method: &'a str,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    newer: bool,
    populated: bool,
}

/// A request with the emulator's key; the path is below the base URL.
pub(crate) fn request<'a>(emulator: &'a Emulator, method: &'a str, path: &str) -> Request<'a> {
    let authorization = ("Authorization".to_owned(), format!("Bearer {}", emulator.api_key()));
    let path = format!("/mgmt/openapi{path}");
    Request { emulator, method, path, headers: vec![authorization], body: Vec::new(), newer: false, populated: true }
}

/// A POST of JSON.
#[track_caller]
pub(crate) fn post(emulator: &Emulator, path: &str, body: &Value) -> Reply {
    request(emulator, "POST", path).json(body.to_string()).send()
}

/// A request to unassign one incident.
pub(crate) fn unassign<'a>(emulator: &'a Emulator, id: &str) -> Request<'a> {
    request(emulator, "POST", UNASSIGN).json(json!({ "incidentIds": [id] }).to_string())
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

impl Request<'_> {
    pub(crate) fn key(mut self, key: Option<&str>) -> Self {
        self.headers.retain(|(name, _)| name != "Authorization");
        if let Some(key) = key {
            self = self.header("Authorization", &format!("Bearer {key}"));
        }
        self
    }

    /// Another path than one below the base URL.
    pub(crate) fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self.newer()
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn json(self, body: impl Into<Vec<u8>>) -> Self {
        self.header("Content-Type", "application/json").body(body)
    }

    /// The reply is of a newer service, which the document does not describe.
    pub(crate) fn newer(mut self) -> Self {
        self.newer = true;
        self
    }

    /// The emulator writes JSON in another style than its default.
    pub(crate) fn other_style(mut self) -> Self {
        self.populated = false;
        self
    }

    #[track_caller]
    pub(crate) fn send(self) -> Reply {
        let reply = self.try_send().unwrap();
        if !self.newer && reply.headers.get("content-type").is_some_and(|one| one == "application/json") {
            Document::get().judge(self.method, &self.path, &reply, self.populated);
        }
        reply
    }

    /// What was received, as far as it came.
    pub(crate) fn open(&self) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.emulator.address())?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "{} {} HTTP/1.1\r\nHost: emulator\r\n", self.method, self.path)?;
        for (name, value) in &self.headers {
            write!(stream, "{name}: {value}\r\n")?;
        }
        write!(stream, "Content-Length: {}\r\n\r\n", self.body.len())?;
        stream.write_all(&self.body)?;
        Ok(stream)
    }

    pub(crate) fn try_send(&self) -> io::Result<Reply> {
        let mut stream = self.open()?;
        let mut bytes = Vec::new();
        let mut buffer = [0; 16 * 1024];
        loop {
            if let Some(reply) = parse(&bytes) {
                return Ok(reply);
            }
            match stream.read(&mut buffer)? {
                0 => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, String::from_utf8_lossy(&bytes))),
                read => bytes.extend_from_slice(&buffer[..read]),
            }
        }
    }
}

/// The reply, if it is whole.
fn parse(bytes: &[u8]) -> Option<Reply> {
    let text = String::from_utf8_lossy(bytes);
    let (head, rest) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let body = if status == 204 {
        String::new()
    } else if headers.get("transfer-encoding").is_some_and(|value| value == "chunked") {
        dechunk(rest)?
    } else {
        let length: usize = headers.get("content-length").map_or(Some(0), |length| length.parse().ok())?;
        rest.get(..length)?.to_owned()
    };
    Some(Reply { status, headers, body })
}

fn dechunk(mut rest: &str) -> Option<String> {
    let mut body = String::new();
    loop {
        let (size, after) = rest.split_once("\r\n")?;
        let size = usize::from_str_radix(size, 16).ok()?;
        body += after.get(..size)?;
        rest = after.get(size..)?.strip_prefix("\r\n")?;
        if size == 0 {
            return Some(body);
        }
    }
}
