//! `cargo xtask drift`: compares our document with an OpenAPI file that the vendor publishes, and classifies each difference by
//! its effect on the SDK.
//!
//! Operations are matched by method and path. Schemas are matched by where they are used, never by name: the comparison starts
//! at the parameters, the request body and the 200 response of each operation. Requests and responses are classified
//! differently:
//!
//! | difference | in a request | in a response |
//! | --- | --- | --- |
//! | operation gone, or moved to another generation's path | breaks callers | |
//! | operation, parameter or body that we lack | new; breaks callers if required | |
//! | parameter, body or member gone | breaks callers: it would be ignored | new: it reads as its default |
//! | member became `readOnly`, or `writeOnly` | breaks callers: it would be ignored | new: it reads as its default |
//! | member that we lack | new; breaks callers if required | new: it is passed over |
//! | member became required | breaks callers | cosmetic: reading tolerates absence |
//! | member is no longer required | cosmetic | cosmetic: absent reads as the default |
//! | name required that is no member | breaks callers | cosmetic |
//! | type that the other side doesn't take | breaks callers | breaks decoding |
//! | value that is never set (`false`, or `null` alone) | breaks callers | new: it reads as its default |
//! | value, or a list's or map's elements, without a type | cosmetic | cosmetic |
//! | `null` allowed for a body, an item or a map's value | not compared: it is not sent | breaks decoding |
//! | 64-bit integer as text or as number | cosmetic: both are read | cosmetic: both are read |
//! | integer's range: what is sent doesn't fit | breaks callers | breaks decoding |
//! | text loses the format that we parse (`date-time`, `uint64`) | cosmetic | breaks decoding |
//! | text gets another format than ours | breaks callers | breaks decoding if we parse ours, else cosmetic |
//! | text gets a format, and we state none | new: a limit | cosmetic |
//! | enum value that we lack | new | new: enums are open |
//! | enum value gone | breaks callers: it is answered with 400 | cosmetic |
//! | plain text became an enum | breaks callers | cosmetic |
//! | limit (`maxItems`, ...) tighter than ours | breaks callers | not compared |
//! | limit that we don't state, or that can't be ordered (`pattern`, `not`) | new | not compared |
//! | one of some members required, or at most one of them allowed | new | not compared |
//! | default other than that of the type | new | new |
//! | keyword that is compared as it is written (`if`, `prefixItems`, ...) | new | new |
//! | keyword that is unknown, or whose value is no OpenAPI | new | new |
//! | parameter that is serialized in another way | breaks callers | |
//! | key that is sent in another way, or further credentials with it | breaks callers | |
//! | other credentials accepted, or none needed | new | |
//! | other permission | new | |
//! | host that we lack; breaks callers if none is ours | new | |
//! | operation or member deprecated | new | new |
//! | 200 response gone or without JSON | | breaks decoding |
//! | further status that is no error | | new |
//! | error statuses | | cosmetic: errors are read by status, whatever the body |
//!
//! [`crate::keywords`] lists every keyword of OpenAPI 3.0 and 3.1, with the reason for those that are irrelevant.
//!
//! A `new` difference should be added to our document, although nothing fails until then. A `cosmetic` difference needs no action.
//!
//! A difference is a `known deviation` if our document states it, with the reason, in `x-deviation`. A deviation covers exactly the
//! subjects that it lists, with their values, so that it does not hide the next change. `deviation.rs` describes the syntax. The
//! deviation of a list or map also covers its elements. The deviation `absent` of an operation holds while the published file has
//! the other binding of the operation.
//!
//! If the published file has no operation of a generation, not even under another version, that generation is not compared. A
//! file of a frozen generation is not compared at all. The report says so.

mod api;
pub mod deviation;
mod found;
mod generation;
mod operations;
mod pair;
mod parameters;
pub mod report;
mod schemas;
mod security;
mod shape;

#[cfg(test)]
mod tests;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};

use crate::{
    DOCUMENT,
    document::{self, Document},
};

/// The arguments of `cargo xtask drift`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The published file: OpenAPI 3.0 or 3.1, as YAML or JSON.
    published: PathBuf,
    /// Print a JSON array instead of a table.
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print Markdown for the body of an issue instead of a table.
    #[arg(long)]
    markdown: bool,
}

/// Prints the differences. The exit status is 1 if one of them needs action.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let path = &arguments.published;
    // Read before the folder changes: the path is relative to the current folder of the caller.
    let text = document::read(path)?;
    crate::enter_workspace()?;
    let ours = Document::read(Path::new(DOCUMENT))?;
    let published = Document::parse(path, &text)?;
    let differences = compare(&ours, &published)?;
    let report = if arguments.json {
        report::json(&differences)? + "\n"
    } else if arguments.markdown {
        let name = path.file_name().unwrap_or(path.as_os_str());
        report::markdown(&name.to_string_lossy(), &differences)
    } else {
        report::table(&differences)
    };
    let mut stdout = io::stdout().lock();
    match stdout.write_all(report.as_bytes()).and_then(|()| stdout.flush()) {
        // Whoever reads it has seen enough, as `head` has; the status tells the rest.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        outcome => outcome.context("cannot write the report")?,
    }
    let needs_action = differences.iter().any(|difference| difference.class.needs_action());
    Ok(if needs_action { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The effect of a difference on the SDK, starting with the most severe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A call that used to work is rejected, or part of it is ignored.
    BreaksCallers,
    /// A response cannot be decoded.
    BreaksDecoding,
    /// It should be added to our document. Nothing fails until then.
    New,
    /// It needs no action.
    Cosmetic,
    /// It is intended, and our document states the reason.
    KnownDeviation,
}

impl Class {
    const ALL: [Self; 5] = [Self::BreaksCallers, Self::BreaksDecoding, Self::New, Self::Cosmetic, Self::KnownDeviation];

    fn as_str(self) -> &'static str {
        match self {
            Self::BreaksCallers => "breaks callers",
            Self::BreaksDecoding => "breaks decoding",
            Self::New => "new",
            Self::Cosmetic => "cosmetic",
            Self::KnownDeviation => "known deviation",
        }
    }

    /// Whether the SDK fails once the vendor's change takes effect.
    pub fn breaks(self) -> bool {
        matches!(self, Self::BreaksCallers | Self::BreaksDecoding)
    }

    /// Whether our document has to change.
    pub fn needs_action(self) -> bool {
        self.breaks() || self == Self::New
    }
}

/// Who writes the value: the client in a request, the service in a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Direction {
    Request,
    Response,
}

impl Direction {
    /// The class of a value that the other side refuses.
    fn refused(self) -> Class {
        match self {
            Self::Request => Class::BreaksCallers,
            Self::Response => Class::BreaksDecoding,
        }
    }

    /// One answer for requests, another for responses.
    fn choose<T>(self, request: T, response: T) -> T {
        match self {
            Self::Request => request,
            Self::Response => response,
        }
    }
}

/// A difference, with all operations that it affects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its effect on the SDK.
    pub class: Class,
    /// What differs: `Incident.name`, `query parameter ids`, `response 200`.
    place: String,
    message: String,
    /// The name of the difference, as an `x-deviation` lists it.
    subject: String,
    operations: Vec<String>,
    /// `file:line` in our document and in the published file.
    ours: String,
    published: String,
    /// Our document's `x-deviation`.
    reason: Option<String>,
}

/// All differences without duplicates, starting with the most severe.
pub fn compare(ours: &Document, published: &Document) -> Result<Vec<Difference>> {
    let (ours, published) = (api::Api::read(ours)?, api::Api::read(published)?);
    let mut differences = operations::compare(&ours, &published)?;
    differences.sort_by_key(|difference| difference.class);
    Ok(differences)
}
