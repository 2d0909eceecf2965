//! A server that answers each request with the next of its steps, which are bytes: HTTP servers would not send all of them. When
//! the steps are used up, it answers with a good reply.

use std::{
    collections::VecDeque,
    fmt, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use coralogix_incidents::{
    ApiGeneration, ApiKey, CallOptions, Client, ClientBuilder, Error, ResponseValue, RetryPolicy,
    types::{UnassignIncidentsRequest, UnassignIncidentsResponse},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub(crate) const KEY: &str = "cxup_0123456789abcdefSECRET";

/// What the server does with a request that it has read.
#[derive(Clone)]
pub(crate) enum Step {
    /// Writes these bytes and keeps the connection.
    Reply(Vec<u8>),
    /// Writes these bytes and closes.
    Close(Vec<u8>),
    /// Writes these bytes and resets the connection.
    Reset(Vec<u8>),
    /// Writes these bytes and says no more.
    Stall(Vec<u8>),
    /// Writes a head and then a body of this many bytes, or as many as are taken.
    Endless(u64),
}

/// In tests that fail, bytes are read as text.
impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, bytes) = match self {
            Self::Reply(bytes) => ("Reply", bytes),
            Self::Close(bytes) => ("Close", bytes),
            Self::Reset(bytes) => ("Reset", bytes),
            Self::Stall(bytes) => ("Stall", bytes),
            Self::Endless(length) => return write!(f, "Endless({length})"),
        };
        write!(f, "{name}({})", bytes.escape_ascii())
    }
}

/// A whole response with a length.
pub(crate) fn response(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}").into_bytes()
}

pub(crate) fn json(status: &str, body: &str) -> Step {
    Step::Reply(response(status, "content-type: application/json\r\n", body))
}

/// A response without a body.
pub(crate) fn empty(status: &str) -> Step {
    Step::Reply(response(status, "", ""))
}

pub(crate) const GOOD: &str = r#"{"incidents":[{"id":"incident_id_1"}]}"#;

/// Any free port of this machine.
pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

pub(crate) struct ScriptedServer {
    pub(crate) address: SocketAddr,
    steps: Arc<Mutex<VecDeque<Step>>>,
    requests: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl ScriptedServer {
    pub(crate) fn start(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::answering(LOOPBACK, steps, || json("200 OK", GOOD))
    }

    /// The same step for each request.
    pub(crate) fn repeating(step: Step) -> Self {
        Self::answering(LOOPBACK, [], move || step.clone())
    }

    /// With `answer` once the steps are used up.
    pub(crate) fn answering(
        address: SocketAddr,
        steps: impl IntoIterator<Item = Step>,
        answer: impl Fn() -> Step + Send + Sync + 'static,
    ) -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(address).unwrap();
        let listener: TcpListener = socket.listen(1024).unwrap();
        let address = listener.local_addr().unwrap();
        let steps = Arc::new(Mutex::new(steps.into_iter().collect::<VecDeque<Step>>()));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let shared = (Arc::clone(&steps), Arc::clone(&requests));
        let answer = Arc::new(answer);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (steps, requests) = shared.clone();
                let answer = Arc::clone(&answer);
                connections.spawn(async move {
                    // A client that goes away is what many of these tests are about.
                    let _ = serve(stream, &steps, &requests, &*answer).await;
                });
            }
        });
        Self { address, steps, requests, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mgmt/openapi", self.address)
    }

    /// Heads and bodies of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn steps_left(&self) -> usize {
        self.steps.lock().unwrap().len()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder().api_key(ApiKey::new(KEY).unwrap()).base_url(self.url())
    }

    /// A client that is fixed to V1, so that each request takes the next step.
    pub(crate) fn client(&self) -> Client {
        self.builder().api_generation(ApiGeneration::V1).build().unwrap()
    }
}

pub(crate) async fn unassign(client: &Client) -> Result<ResponseValue<UnassignIncidentsResponse>, Error> {
    client.unassign_incidents(&UnassignIncidentsRequest::new(["incident_id_1"])).await
}

/// The error of a call that is answered like this.
pub(crate) async fn error_of(step: Step) -> Error {
    unassign(&ScriptedServer::start([step]).client()).await.unwrap_err()
}

/// One attempt.
pub(crate) fn once() -> CallOptions {
    CallOptions::default().with_retry_policy(RetryPolicy::off())
}

async fn serve(
    mut stream: TcpStream,
    steps: &Mutex<VecDeque<Step>>,
    requests: &Mutex<Vec<String>>,
    answer: &impl Fn() -> Step,
) -> io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer).await? {
        requests.lock().unwrap().push(request);
        let step = steps.lock().unwrap().pop_front().unwrap_or_else(answer);
        if let Step::Reply(bytes) | Step::Close(bytes) | Step::Reset(bytes) | Step::Stall(bytes) = &step {
            stream.write_all(bytes).await?;
        }
        match step {
            Step::Reply(_) => {}
            Step::Close(_) => return stream.shutdown().await,
            Step::Reset(_) => return stream.set_zero_linger(),
            // Until the client gives up.
            Step::Stall(_) => return stream.read(&mut [0]).await.map(drop),
            Step::Endless(length) => {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
                stream.write_all(head.as_bytes()).await?;
                let chunk = [format!("{:x}\r\n", 1 << 16).as_bytes(), &vec![b' '; 1 << 16], b"\r\n"].concat();
                for _ in 0..length >> 16 {
                    stream.write_all(&chunk).await?;
                }
                stream.write_all(b"0\r\n\r\n").await?;
            }
        }
    }
    Ok(())
}

/// One request with a `content-length`; `None` where the client closed.
async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<String>> {
    loop {
        if let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&buffer[..head]).to_lowercase();
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))
                .map_or(0, |length| length.trim().parse().unwrap());
            if buffer.len() >= head + 4 + length {
                let request = buffer.drain(..head + 4 + length).collect();
                return Ok(Some(String::from_utf8(request).unwrap()));
            }
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}
