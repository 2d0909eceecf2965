//! The emulator of the soak: in a process of its own, with every kind of fault, and its log on request.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use coralogix_incidents_emulator::{Answer, Emulator, EmulatorBuilder, Fault, LoggedRequest, Sample};

use crate::judge::{Log, read_log};

/// So many that the events, of which each change adds one, stay few for each: replies that grow would look like a leak.
pub(crate) const INCIDENTS: usize = 10_000;
/// Set for the process that is the emulator.
const ROLE: &str = "SOAK_ROLE";

/// Every kind of fault, each with the probability that it hits a request.
const FAULTS: &[&str] = &[
    "*:delay=20ms:p=0.05",
    "*:rate=5:p=0.01",
    "*:lost:p=0.01",
    "*:reset:p=0.01",
    "*:reset=40:p=0.01",
    "*:truncate=40:p=0.01",
    "*:truncate-chunked=40:p=0.01",
    "*:stall:p=0.004",
    "*:stall=40:p=0.004",
    "*:408:p=0.005",
    "*:425:p=0.005",
    "*:429:p=0.01:retry-after=1s",
    "*:429:p=0.005:retry-after-date=1s",
    "*:429:p=0.002:retry-after=60s",
    "*:500:p=0.01:body=error",
    "*:500:p=0.005:after-effect:body=error-message",
    "*:502:p=0.01:body=html",
    "*:503:p=0.01:body=empty",
    "*:503:p=0.005:after-effect:body=text",
    "*:504:p=0.01:body=detail",
    "*:401:p=0.002",
    "*:404:p=0.002",
    "*:501:p=0.002:body=html",
];

/// The emulator's process. It ends when this is dropped.
pub(crate) struct EmulatorProcess {
    pub(crate) url: String,
    child: Child,
    ask: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl EmulatorProcess {
    /// This program again, as the emulator.
    pub(crate) fn start() -> Self {
        let program = std::env::current_exe().expect("this program");
        let child = Command::new(program).env(ROLE, "emulator").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("starts");
        let ask = child.stdin.take();
        let mut answers = BufReader::new(child.stdout.take().expect("piped"));
        let mut url = String::new();
        answers.read_line(&mut url).expect("its URL");
        Self { url: url.trim().to_owned(), child, ask, answers }
    }

    /// What it logged since it was last asked. No call may be under way.
    pub(crate) fn take_log(&mut self) -> Log {
        let mut ask = self.ask.as_ref().expect("open until it is dropped");
        writeln!(ask, "take").expect("the emulator listens");
        read_log((&mut self.answers).lines().map(|line| line.expect("a line")).take_while(|line| !line.is_empty()))
    }
}

impl Drop for EmulatorProcess {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.ask.take());
        let _ = self.child.wait();
    }
}

/// Whether this process is to be the emulator.
pub(crate) fn is_server() -> bool {
    std::env::var_os(ROLE).is_some()
}

/// Runs the emulator; for each line that comes in, what it has logged since goes out.
pub(crate) fn serve() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let emulator = runtime.block_on(with_faults(&[]).start()).expect("starts");
    println!("{}", emulator.url());
    while std::io::stdin().read_line(&mut String::new()).is_ok_and(|read| read > 0) {
        let lines = log_lines(&emulator);
        // Before the answer: after it, calls begin again.
        emulator.clear_requests();
        for line in lines {
            println!("{line}");
        }
        println!();
    }
}

/// An emulator with every kind of fault, and these.
pub(crate) fn with_faults(more: &[&str]) -> EmulatorBuilder {
    let incidents = (0..INCIDENTS).map(|number| Sample::new(id(number)).assigned_to("alice"));
    let builder = Emulator::builder().incidents(incidents).seed(fastrand::u64(..));
    FAULTS.iter().chain(more).fold(builder, |builder, fault| builder.fault(fault.parse::<Fault>().expect("a fault")))
}

/// The log, a request on each line. What a call was answered stands in it before the answer is sent.
pub(crate) fn log_lines(emulator: &Emulator) -> Vec<String> {
    emulator.requests().iter().map(line).collect()
}

fn line(request: &LoggedRequest) -> String {
    let (whole, status) = match request.answer {
        Answer::Status(status) => (true, status),
        answer => (false, answer.status().unwrap_or(0)),
    };
    let correlation_id = request.correlation_id.as_deref().unwrap_or_default();
    format!("{correlation_id} {status} {whole} {}", !request.changed.is_empty())
}

pub(crate) fn id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}
