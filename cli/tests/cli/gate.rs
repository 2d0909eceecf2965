//! A proxy before an emulator that holds back replies until a test releases them: what the program does while it waits for a
//! reply is tested without waiting for a time.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
};

use coralogix_incidents_emulator::Emulator;

/// How many more replies may pass.
type Allowance = Arc<(Mutex<usize>, Condvar)>;

pub(crate) struct Gate {
    url: String,
    allowance: Allowance,
}

impl Gate {
    /// Lets so many replies of the emulator pass, and holds back the rest.
    pub(crate) fn new(emulator: &Emulator, replies: usize) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = emulator.url().replace(&emulator.address().to_string(), &listener.local_addr().unwrap().to_string());
        let allowance: Allowance = Arc::new((Mutex::new(replies), Condvar::new()));
        let (address, shared) = (emulator.address(), Arc::clone(&allowance));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(address) else { return };
                let (mut requests, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || std::io::copy(&mut requests, &mut to_server));
                let allowance = Arc::clone(&shared);
                thread::spawn(move || {
                    forward_replies(&server, &client, &allowance);
                    // The end of a connection is passed on, too.
                    client.shutdown(Shutdown::Both)
                });
            }
        });
        Self { url, allowance }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its host and port.
    pub(crate) fn authority(&self) -> &str {
        self.url.split('/').nth(2).unwrap()
    }

    /// Lets all replies pass.
    pub(crate) fn open(&self) {
        self.allow(usize::MAX);
    }

    /// Holds back all replies.
    pub(crate) fn close(&self) {
        self.allow(0);
    }

    fn allow(&self, replies: usize) {
        *self.allowance.0.lock().unwrap() = replies;
        self.allowance.1.notify_all();
    }
}

fn forward_replies(mut server: &TcpStream, mut client: &TcpStream, allowance: &Allowance) -> Option<()> {
    let mut pending = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let length = server.read(&mut buffer).ok().filter(|length| *length > 0)?;
        pending.extend_from_slice(&buffer[..length]);
        while let Some(end) = reply_end(&pending) {
            let (count, changed) = &**allowance;
            let mut count = changed.wait_while(count.lock().unwrap(), |count| *count == 0).unwrap();
            *count -= 1;
            drop(count);
            client.write_all(&pending[..end]).ok()?;
            pending.drain(..end);
        }
    }
}

/// Where the first reply ends, if all of it is there.
fn reply_end(bytes: &[u8]) -> Option<usize> {
    let find =
        |text: &[u8]| bytes.windows(text.len()).position(|window| window == text).map(|start| start + text.len());
    let head = find(b"\r\n\r\n")?;
    let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
    match text.lines().find_map(|line| line.strip_prefix("content-length:")) {
        Some(length) => Some(head + length.trim().parse::<usize>().unwrap()).filter(|end| *end <= bytes.len()),
        // JSON has no such line break in it.
        None => find(b"\r\n0\r\n\r\n"),
    }
}
