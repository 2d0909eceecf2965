//! Writes to standard output and standard error, and reads standard input. The only module that writes there.
//!
//! A slow program at the other end is not an error, even if the stream is non-blocking: the program waits for it.

use std::{fmt::Display, io};

/// One of the two streams that the program writes to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// Writes all bytes, waiting for the reader as long as it takes.
///
/// # Errors
///
/// [`io::ErrorKind::BrokenPipe`] if nobody reads the stream any more; [`io::ErrorKind::Interrupted`] if the user interrupted
/// the program twice while the reader did not read; any other error of the operating system, such as a full disk.
pub(crate) fn write_all(stream: Stream, bytes: &[u8]) -> io::Result<()> {
    #[cfg(unix)]
    return match stream {
        Stream::Stdout => unix::write_all(&io::stdout(), bytes),
        Stream::Stderr => unix::write_all(&io::stderr(), bytes),
    };
    #[cfg(not(unix))]
    {
        use std::io::Write;

        match stream {
            Stream::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(bytes).and_then(|()| stdout.flush())
            }
            Stream::Stderr => io::stderr().lock().write_all(bytes),
        }
    }
}

/// Writes a line to standard error. An error is dropped: there is no other place to report it.
pub(crate) fn write_stderr_line(text: impl Display) {
    let _ = write_all(Stream::Stderr, format!("{text}\n").as_bytes());
}

/// Standard input. A read waits until there is something to read.
#[derive(Debug)]
pub(crate) struct Stdin;

impl io::Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut stdin = io::stdin();
        loop {
            match stdin.read(buffer) {
                #[cfg(unix)]
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => unix::wait_for_input(&stdin)?,
                result => return result,
            }
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::{io, os::fd::AsFd, thread, time::Duration};

    use rustix::{
        event::{PollFd, PollFlags, Timespec, poll},
        io::Errno,
        pipe::PIPE_BUF,
    };

    use crate::terminal::interrupts;

    /// How often a blocked write looks whether the user has given up.
    const INTERRUPT_CHECK_INTERVAL: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

    /// The pause before a write is repeated that failed although the stream was said to be ready.
    const RETRY_PAUSE: Duration = Duration::from_millis(10);

    pub(super) fn wait_for_input(stream: &impl AsFd) -> io::Result<()> {
        poll(&mut [PollFd::new(stream, PollFlags::IN)], None)?;
        Ok(())
    }

    pub(super) fn write_all(stream: &impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let mut streams = [PollFd::new(stream, PollFlags::OUT)];
            match poll(&mut streams, Some(&INTERRUPT_CHECK_INTERVAL)) {
                Ok(0) | Err(Errno::INTR) if interrupts::count() >= 2 => return Err(io::ErrorKind::Interrupted.into()),
                Ok(0) | Err(Errno::INTR) => continue,
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
            // A pipe that is ready takes this much without blocking.
            let part = &bytes[..bytes.len().min(PIPE_BUF)];
            match rustix::io::write(stream, part) {
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::AGAIN) => thread::sleep(RETRY_PAUSE),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
