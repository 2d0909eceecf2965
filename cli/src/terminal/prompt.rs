//! Questions to the person at the terminal.

use std::io::{self, BufRead, IsTerminal};

use crate::terminal::{
    interrupts::unless_interrupted,
    streams::{Stdin, Stream, write_all, write_stderr_line},
};

/// Whether there is somebody to ask: standard error is a terminal, and there is a keyboard.
pub(crate) fn is_possible() -> bool {
    io::stderr().is_terminal() && keyboard().is_some()
}

/// Asks a question and reads the answer from the keyboard, even where standard input carries ids. Only `y` and `yes` agree, and
/// Ctrl-C does not.
pub(crate) async fn confirm(question: String) -> bool {
    // On a thread, because a read of the keyboard can't be cancelled.
    let (sender, answer) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || sender.send(ask(&question)));
    let answer = unless_interrupted(answer).await;
    if answer.is_err() {
        write_stderr_line("");
    }
    matches!(answer, Ok(Ok(true)))
}

fn ask(question: &str) -> bool {
    let _ = write_all(Stream::Stderr, format!("{question} [y/N] ").as_bytes());
    let mut answer = String::new();
    let read = keyboard().map(|mut keyboard| keyboard.read_line(&mut answer));
    matches!(read, Some(Ok(_))) && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

/// Standard input, or the terminal itself where standard input is a pipe.
fn keyboard() -> Option<Box<dyn BufRead>> {
    if io::stdin().is_terminal() {
        return Some(Box::new(io::BufReader::new(Stdin)));
    }
    let terminal = std::fs::File::open(if cfg!(windows) { "CONIN$" } else { "/dev/tty" }).ok()?;
    Some(Box::new(io::BufReader::new(terminal)))
}
