//! Requests to end the program: Ctrl-C, SIGTERM, SIGHUP. They are counted; what to do about them is the command's decision.

use std::{io, sync::LazyLock};

use tokio::sync::watch;

/// How often the program was asked to end. Signals belong to the process, so there is one count.
static COUNT: LazyLock<watch::Sender<u32>> = LazyLock::new(|| watch::Sender::new(0));

/// A command was interrupted before it was finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interrupted;

/// Counts interrupts from here on; to be called once, inside the runtime and before any work begins.
///
/// A signal that was ignored when the program started, as `nohup` does with SIGHUP, stays ignored.
pub(crate) fn listen() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};

        // A file that may not grow any more is an error of the write, which is reported. Without a handler the signal ends the
        // process. The handler stays when the stream is dropped.
        drop(signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?);
        let ignored = ignored_signals();
        for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
            if ignored & (1 << (kind.as_raw_value() - 1)) != 0 {
                continue;
            }
            let mut signals = signal(kind)?;
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    COUNT.send_modify(|count| *count += 1);
                }
            });
        }
    }
    #[cfg(not(unix))]
    tokio::spawn(async {
        while tokio::signal::ctrl_c().await.is_ok() {
            COUNT.send_modify(|count| *count += 1);
        }
    });
    Ok(())
}

/// How often the program was asked to end so far.
pub(crate) fn count() -> u32 {
    *COUNT.borrow()
}

/// Completes once the program was asked to end this many times since it started.
pub(crate) async fn reached(count: u32) {
    // The sender is static, so the channel is never closed.
    let _ = COUNT.subscribe().wait_for(|reached| *reached >= count).await;
}

/// The result of `work`, unless the program is asked to end first.
pub(crate) async fn unless_interrupted<T>(work: impl Future<Output = T>) -> Result<T, Interrupted> {
    tokio::select! {
        biased;
        () = reached(1) => Err(Interrupted),
        result = work => Ok(result),
    }
}

/// The signals that the process ignores, one bit for each, the lowest for signal 1. None if the system does not say.
#[cfg(unix)]
fn ignored_signals() -> u64 {
    let mask = if cfg!(any(target_os = "linux", target_os = "android")) {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map(|mask| mask.trim().to_owned())
    } else {
        // BSD and macOS have no file for it, and a handler must not be installed to find out.
        let process = std::process::id().to_string();
        let output = std::process::Command::new("ps").args(["-o", "sigignore=", "-p", &process]).output();
        output.ok().and_then(|output| String::from_utf8(output.stdout).ok()).map(|mask| mask.trim().to_owned())
    };
    mask.and_then(|mask| u64::from_str_radix(&mask, 16).ok()).unwrap_or_default()
}
