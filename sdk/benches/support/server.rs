//! The same program again as a server, in a process of its own, so that both sides of a comparison have the rest to themselves.
#![allow(dead_code, reason = "not every benchmark measures the server")]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::cpu;

/// What a process is started for, in its environment. Without it, it is the one that the user has started.
pub(crate) const ROLE: &str = "BENCH_ROLE";

/// A server process, which ends when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    /// Starts this program in the role `server`.
    pub(crate) fn start() -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut child = Command::new(program)
            .env(ROLE, "server")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut url = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut url).expect("its URL");
        Self { child, url: url.trim().to_owned() }
    }

    /// The processor time that the server has used, if the system reports it.
    pub(crate) fn cpu_time(&self) -> Option<Duration> {
        cpu::time_of_process(&self.child.id().to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Runs a server until standard input ends. `start` returns its URL and what it ends with.
pub(crate) fn serve<T>(start: impl Future<Output = (String, T)>) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (url, _server) = runtime.block_on(start);
    println!("{url}");
    let _ = std::io::stdin().read_line(&mut String::new());
}
