//! The processor time of processes, as Linux reports it.
#![allow(dead_code, reason = "each benchmark measures one of them")]

use std::time::Duration;

/// The processor time of a process, by its id or `self`. `None` if the system does not report it.
pub(crate) fn time_of_process(process: &str) -> Option<Duration> {
    let [user, system, ..] = times(process)?;
    Some(user + system)
}

/// The processor time of all processes that this one has started and waited for.
pub(crate) fn time_of_children() -> Option<Duration> {
    let [_, _, user, system] = times("self")?;
    Some(user + system)
}

/// The times of a process: its own in user and kernel mode, then those of its children.
fn times(process: &str) -> Option<[Duration; 4]> {
    /// The unit of these times, which is the same on every Linux.
    const TICK: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program, in parentheses, may contain spaces.
    let fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let times: Vec<Duration> = fields.take(4).map(|ticks| Some(TICK * ticks.parse().ok()?)).collect::<Option<_>>()?;
    times.try_into().ok()
}
