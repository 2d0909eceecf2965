//! The ids of a command, from its arguments, a file or standard input. It does not know what is done to them.

use std::{
    collections::HashSet,
    fs,
    future::ready,
    io::{self, BufRead, BufReader, Read as _},
    iter,
    path::{Path, PathBuf},
    thread,
};

use clap::{Args, ValueHint};
use clap_complete::{ArgValueCandidates, CompletionCandidate};
use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use tokio::{
    sync::{mpsc, watch},
    task::{spawn_blocking, unconstrained},
};

use crate::{
    input::names,
    last_list,
    report::{Exit, Failure, Stop},
    terminal::{Stdin, sanitize_line, unless_interrupted},
};

/// The arguments of every command that takes ids.
#[derive(Debug, Args)]
#[group(id = "source", required = true, multiple = true)]
pub(crate) struct IdArgs {
    /// Ids of incidents; `-` reads them from standard input, one per line
    #[arg(value_name = "ID", add = ArgValueCandidates::new(known_ids))]
    pub(crate) ids: Vec<String>,
    /// Read ids from a file, one per line; blank lines and lines that begin with `#` are ignored
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) from_file: Option<PathBuf>,
}

/// The ids that a shell completes: those of the last list.
pub(crate) fn known_ids() -> Vec<CompletionCandidate> {
    let candidate = |(id, name): (String, String)| CompletionCandidate::new(id).help(Some(name.into()));
    last_list::load().into_iter().map(candidate).collect()
}

/// Ids, as they arrive.
pub(crate) struct Ids {
    pub(crate) stream: BoxStream<'static, String>,
    /// How many there are, repetitions included; `None` while standard input has not ended.
    pub(crate) total: Option<usize>,
    /// How far standard input was read so far.
    pub(crate) state: watch::Receiver<ReadState>,
}

/// How far standard input was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReadState {
    /// To its end, or there was nothing to read.
    Complete,
    /// Not to its end, because the stream of ids was dropped earlier.
    Incomplete,
    /// Up to a line that is not an id, or that can't be read.
    Failed(String),
}

impl Ids {
    pub(crate) fn known(ids: Vec<String>) -> Self {
        Self { total: Some(ids.len()), stream: stream::iter(ids).boxed(), state: watch::channel(ReadState::Complete).1 }
    }

    /// All ids, without repetitions.
    pub(crate) async fn collect(self) -> Result<Vec<String>, Failure> {
        let mut seen = HashSet::new();
        let ids: Vec<String> = self.stream.filter(|id| ready(seen.insert(id.clone()))).collect().await;
        match &*self.state.borrow() {
            ReadState::Failed(problem) => {
                Err(Failure::usage(format!("standard input: {problem}")).next("nothing was sent"))
            }
            ReadState::Complete | ReadState::Incomplete => Ok(ids),
        }
    }
}

/// Opens the sources of ids. Arguments and files are read completely, so that a mistake in them is found before anything is
/// sent. Standard input is read last, as it arrives.
pub(crate) async fn open(args: IdArgs) -> Result<Ids, Failure> {
    let mut ids = Vec::with_capacity(args.ids.len());
    let mut standard_input = false;
    for id in args.ids {
        if id == "-" {
            standard_input = true;
        } else {
            ids.push(names::id(&id).map_err(|problem| {
                Failure::usage(format!("the id `{}` {problem}", sanitize_line(&id))).next("nothing was sent")
            })?);
        }
    }
    match args.from_file {
        Some(path) if path.as_os_str() == "-" => standard_input = true,
        // A thread reads, for the file may be a pipe that nobody writes to.
        Some(path) => match spawn_blocking(move || read_file(&path)).await {
            Ok(read) => ids.extend(read?),
            Err(error) => return Err(Failure::with_exit(Exit::Failed, format!("the file was not read: {error}"))),
        },
        None => {}
    }
    if !standard_input {
        return Ok(Ids::known(ids));
    }
    let (read, state) = watch::channel(ReadState::Incomplete);
    let rest = read_standard_input(read)?;
    Ok(Ids { stream: stream::iter(ids).chain(rest).boxed(), total: None, state })
}

/// All ids of a command that needs them at once.
pub(crate) async fn read_all(args: IdArgs) -> Result<Vec<String>, Stop> {
    let ids = unless_interrupted(async { open(args).await?.collect().await }).await?;
    Ok(ids?)
}

fn read_file(path: &Path) -> Result<Vec<String>, Failure> {
    let fail = |problem: String| {
        Failure::usage(format!("{} can't be used: {problem}", path.display()))
            .next("nothing was sent; correct the file")
    };
    let file = fs::File::open(path).map_err(|error| fail(error.to_string()))?;
    lines(file).map(|id| id.map_err(&fail)).collect()
}

/// Reads on a thread of its own, because a read of standard input can't be cancelled. The thread ends with the process.
fn read_standard_input(state: watch::Sender<ReadState>) -> Result<impl Stream<Item = String>, Failure> {
    let (sender, receiver) = mpsc::channel(1024);
    let read = move || lines(Stdin).try_for_each(|id| sender.blocking_send(id));
    let thread = thread::Builder::new().name("standard input".to_owned()).spawn(read);
    thread.map_err(|error| Failure::usage(format!("standard input can't be read: {error}")))?;
    Ok(stream::unfold((receiver, state), |(mut receiver, state)| async move {
        // Unconstrained, because tokio's budget would make the receiver seem empty at times, and a stopped run takes only what
        // is available.
        let end = match unconstrained(receiver.recv()).await {
            Some(Ok(id)) => return Some((id, (receiver, state))),
            Some(Err(problem)) => ReadState::Failed(problem),
            None => ReadState::Complete,
        };
        state.send_replace(end);
        None
    }))
}

/// The longest line, in bytes: a file without line breaks must not fill the memory.
const MAX_LINE_BYTES: u64 = 64 * 1024;

/// The ids in lines of text, up to a line that is not one. Blank lines, comments and byte order marks at the beginning of a line
/// are ignored.
fn lines(reader: impl io::Read) -> impl Iterator<Item = Result<String, String>> {
    let mut reader = BufReader::new(reader);
    let (mut number, mut failed) = (0, false);
    iter::from_fn(move || {
        while !failed {
            number += 1;
            let id = match line(&mut reader).transpose()? {
                Ok(line) if line.is_empty() || line.starts_with('#') => continue,
                line => line.and_then(|line| names::id(&line)),
            };
            failed = id.is_err();
            return Some(id.map_err(|problem| format!("line {number} {problem}")));
        }
        None
    })
}

/// The next line, without white space around it.
fn line(reader: &mut impl BufRead) -> Result<Option<String>, String> {
    let mut line = Vec::new();
    match reader.take(MAX_LINE_BYTES).read_until(b'\n', &mut line) {
        Ok(0) => return Ok(None),
        Ok(length) if length as u64 == MAX_LINE_BYTES => return Err("is too long for an id".to_owned()),
        Ok(_) => {}
        Err(error) => return Err(format!("can't be read: {error}")),
    }
    let line = std::str::from_utf8(&line).map_err(|_| "is not UTF-8")?;
    // Concatenated files have such marks in the middle.
    Ok(Some(line.trim_start_matches('\u{feff}').trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<Result<String, String>> {
        lines(text).collect()
    }

    #[test]
    fn blank_lines_comments_marks_and_either_line_ending_are_ignored() {
        let text =
            "\u{feff}one\r\n\n  # a comment\n\ttwo \n\u{feff}# of the next file\n\u{feff}\u{feff}three\n\u{feff}";
        let ids: Result<Vec<_>, _> = read(text.as_bytes()).into_iter().collect();
        assert_eq!(ids.unwrap(), ["one", "two", "three"]);
        assert!(read(b"").is_empty());
    }

    #[test]
    fn a_line_that_is_not_an_id_ends_the_input_and_is_named_by_its_number() {
        assert_eq!(
            read(b"one\n\nID  STATUS\ntwo\n").last().unwrap().as_ref().unwrap_err().split(':').next(),
            Some("line 3 contains white space")
        );
        assert_eq!(read(b"one\n\xff\xfe\ntwo\n"), [Ok("one".to_owned()), Err("line 2 is not UTF-8".to_owned())]);
        let long = vec![b'x'; 70_000];
        assert_eq!(read(&long), [Err("line 1 is too long for an id".to_owned())]);
    }
}
