//! A proxy before an emulator that holds back replies until a test lets them pass: what the program does while it waits for a
//! reply is tested without waiting for a time.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
};

use coralogix_incidents_emulator::Emulator;

pub(crate) struct Gate {
    url: String,
    is_open: Arc<(Mutex<bool>, Condvar)>,
}

impl Gate {
    /// Holds back all replies of the emulator.
    pub(crate) fn new(emulator: &Emulator) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = emulator.url().replace(&emulator.address().to_string(), &listener.local_addr().unwrap().to_string());
        let is_open = Arc::new((Mutex::new(false), Condvar::new()));
        let (address, shared) = (emulator.address(), Arc::clone(&is_open));
        thread::spawn(move || {
            for mut client in listener.incoming().map_while(Result::ok) {
                let Ok(mut server) = TcpStream::connect(address) else { return };
                let (mut requests, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || io::copy(&mut requests, &mut to_server));
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let mut buffer = [0; 16 * 1024];
                    while let Ok(length @ 1..) = server.read(&mut buffer) {
                        let (is_open, changed) = &*shared;
                        drop(changed.wait_while(is_open.lock().unwrap(), |is_open| !*is_open).unwrap());
                        if client.write_all(&buffer[..length]).is_err() {
                            break;
                        }
                    }
                    // The end of a connection is passed on, too.
                    client.shutdown(Shutdown::Both)
                });
            }
        });
        Self { url, is_open }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its host and port.
    pub(crate) fn authority(&self) -> &str {
        self.url.split('/').nth(2).unwrap()
    }

    /// Lets all replies pass from here on, or holds them back.
    pub(crate) fn set_open(&self, is_open: bool) {
        *self.is_open.0.lock().unwrap() = is_open;
        self.is_open.1.notify_all();
    }
}
