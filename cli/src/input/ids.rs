//! Where the ids of a command come from: its arguments, a file, standard input. It does not know what is done to them.

use std::{
    collections::HashSet,
    fs,
    io::{self, BufRead, BufReader, Read as _},
    path::Path,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio::{
    sync::mpsc,
    task::{spawn_blocking, unconstrained},
};

use crate::{
    commands::args::IdArgs,
    report::errors::{Exit, Failure, steers},
};

/// Ids, as they come.
pub(crate) struct Ids {
    pub(crate) stream: BoxStream<'static, String>,
    /// How many there are, repetitions included; `None` while standard input has not ended.
    pub(crate) total: Option<usize>,
    pub(crate) reading: Reading,
}

/// How far standard input was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Read {
    /// To its end; or there was nothing to read.
    #[default]
    Whole,
    /// Not to its end: the stream of ids was dropped before.
    Part,
    /// To a line that is no id.
    Broken(String),
}

/// Says how far standard input was read, while and after the stream is used.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading(Arc<Mutex<Read>>);

impl Reading {
    pub(crate) fn get(&self) -> Read {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, read: Read) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = read;
    }
}

impl Ids {
    pub(crate) fn known(ids: Vec<String>) -> Self {
        Self { total: Some(ids.len()), stream: stream::iter(ids).boxed(), reading: Reading::default() }
    }

    /// All of them, each once, where they are needed at once.
    pub(crate) async fn collect(mut self) -> Result<Vec<String>, Failure> {
        let mut seen = HashSet::new();
        let mut all = Vec::new();
        while let Some(id) = self.stream.next().await {
            if seen.insert(id.clone()) {
                all.push(id);
            }
        }
        match self.reading.get() {
            Read::Broken(problem) => Err(Failure::usage(format!("standard input: {problem}")).next("nothing was sent")),
            Read::Whole | Read::Part => Ok(all),
        }
    }
}

/// Arguments and files are read whole, so that a mistake in them is told before anything is sent. Standard input is read as
/// it comes, and always last.
pub(crate) async fn open(args: IdArgs) -> Result<Ids, Failure> {
    let mut ids = Vec::with_capacity(args.ids.len());
    let mut standard_input = false;
    for id in args.ids {
        if id == "-" {
            standard_input = true;
        } else {
            ids.push(
                check(&id).map_err(|problem| Failure::usage(format!("the id `{}` {problem}", id.escape_debug())))?,
            );
        }
    }
    match args.from_file {
        Some(path) if path.as_os_str() == "-" => standard_input = true,
        // A thread reads, for the file may be a pipe that nobody writes to.
        Some(path) => match spawn_blocking(move || read_file(&path)).await {
            Ok(read) => ids.extend(read?),
            Err(error) => return Err(Failure::of(Exit::Failed, format!("the file was not read: {error}"))),
        },
        None => {}
    }
    if !standard_input {
        return Ok(Ids::known(ids));
    }
    let reading = Reading::default();
    reading.set(Read::Part);
    let rest = read_standard_input(reading.clone())?;
    Ok(Ids { stream: stream::iter(ids).chain(rest).boxed(), total: None, reading })
}

fn read_file(path: &Path) -> Result<Vec<String>, Failure> {
    let fail = |problem: String| {
        Failure::usage(format!("{} can't be used: {problem}", path.display()))
            .next("nothing was sent; correct the file")
    };
    let file = fs::File::open(path).map_err(|error| fail(error.to_string()))?;
    Lines::new(file).map(|id| id.map_err(&fail)).collect()
}

/// A thread of its own reads, for a read of standard input can't be broken off; it dies with the process.
fn read_standard_input(reading: Reading) -> Result<BoxStream<'static, String>, Failure> {
    let (sender, mut receiver) = mpsc::channel(1024);
    let read = move || {
        for id in Lines::new(io::stdin()) {
            if sender.blocking_send(id).is_err() {
                break;
            }
        }
    };
    let thread = thread::Builder::new().name("standard input".to_owned()).spawn(read);
    thread.map_err(|error| Failure::usage(format!("standard input can't be read: {error}")))?;
    let ids = stream::poll_fn(move |cx| {
        // Unconstrained: tokio would have the receiver seem empty now and then, and a stopped run takes what is at hand.
        let next = pin!(unconstrained(receiver.recv())).poll(cx);
        next.map(|next| match next {
            Some(Ok(id)) => Some(id),
            Some(Err(problem)) => {
                reading.set(Read::Broken(problem));
                None
            }
            None => {
                reading.set(Read::Whole);
                None
            }
        })
    });
    Ok(ids.fuse().boxed())
}

/// The ids in lines of text: blank lines and comments are passed over, and either line ending will do.
struct Lines<R> {
    reader: BufReader<R>,
    number: usize,
    ended: bool,
}

/// No id is as long; a file without line breaks must not fill the memory.
const LONGEST_LINE: u64 = 64 * 1024;

impl<R: io::Read> Lines<R> {
    fn new(reader: R) -> Self {
        Self { reader: BufReader::new(reader), number: 0, ended: false }
    }

    fn line(&mut self) -> Result<Option<String>, String> {
        self.number += 1;
        let mut line = Vec::new();
        let fail = |problem: &str| Err(format!("line {} {problem}", self.number));
        match self.reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) => return Ok(None),
            Ok(length) if length as u64 == LONGEST_LINE => return fail("is too long for an id"),
            Ok(_) => {}
            Err(error) => return fail(&format!("can't be read: {error}")),
        }
        let line = if self.number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line) } else { &line };
        match std::str::from_utf8(line) {
            Ok(line) => Ok(Some(line.trim().to_owned())),
            Err(_) => fail("is not UTF-8"),
        }
    }
}

impl<R: io::Read> Iterator for Lines<R> {
    type Item = Result<String, String>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let line = self.line().transpose();
            self.ended = !matches!(line, Some(Ok(_)));
            match line? {
                Ok(line) if line.is_empty() || line.starts_with('#') => {}
                Ok(line) => {
                    let id = check(&line).map_err(|problem| format!("line {} {problem}", self.number));
                    self.ended = id.is_err();
                    return Some(id);
                }
                Err(problem) => return Some(Err(problem)),
            }
        }
        None
    }
}

/// A table given where ids are expected would otherwise be sent as ids, row by row.
fn check(id: &str) -> Result<String, String> {
    if id.trim().is_empty() {
        return Err("is blank".to_owned());
    }
    match id.chars().find(|character| character.is_whitespace() || steers(*character)) {
        None => Ok(id.to_owned()),
        Some(character) if character.is_whitespace() => {
            Err("has white space in it: give one id on each line, as `list --output ids` does".to_owned())
        }
        Some(character) => Err(format!("has the invisible character U+{:04X} in it", u32::from(character))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<Result<String, String>> {
        Lines::new(text).collect()
    }

    #[test]
    fn blank_lines_comments_and_either_line_ending_are_tolerated() {
        let ids: Result<Vec<_>, _> = read(b"\xef\xbb\xbfone\r\n\n  # a comment\n\ttwo \nthree").into_iter().collect();
        assert_eq!(ids.unwrap(), ["one", "two", "three"]);
        assert!(read(b"").is_empty());
    }

    #[test]
    fn a_line_that_is_no_id_ends_the_ids_and_names_its_number() {
        assert_eq!(
            read(b"one\n\nID  STATUS\ntwo\n").last().unwrap().as_ref().unwrap_err().split(':').next(),
            Some("line 3 has white space in it")
        );
        assert_eq!(read(b"one\n\xff\xfe\ntwo\n"), [Ok("one".to_owned()), Err("line 2 is not UTF-8".to_owned())]);
        let long = vec![b'x'; 70_000];
        assert_eq!(read(&long), [Err("line 1 is too long for an id".to_owned())]);
    }
}
