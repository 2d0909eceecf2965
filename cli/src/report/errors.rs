//! Exit codes and errors. An error is shown on three lines: what happened, to which ids, and what to do next.

use std::{error::Error as _, fmt::Write as _, io};

use coralogix_incidents::{ConfigErrorKind, Effect, Error, ErrorKind, Idempotency};

use crate::terminal::{Interrupted, sanitize_line, write_stderr_line};

/// The exit code of the process; documented in `--help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    Partial = 3,
    Interrupted = 130,
}

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    Failure(Box<Failure>),
    /// Ctrl-C, or the question before a change was answered with no.
    Interrupted,
    /// Nobody reads standard output any more, as with `| head`.
    ClosedPipe,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(Box::new(failure))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Failure::from(error).into()
    }
}

impl From<Interrupted> for Stop {
    fn from(_: Interrupted) -> Self {
        Self::Interrupted
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            // The user did not want to wait for a reader that does not read.
            io::ErrorKind::Interrupted => Self::Interrupted,
            _ => Failure::with_exit(Exit::Failed, format!("standard output can't be written: {error}")).into(),
        }
    }
}

/// A failure as it is shown.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) summary: String,
    /// The ids that the failure is about, and what it means for them.
    pub(crate) ids: Vec<String>,
    pub(crate) label: &'static str,
    /// What to do next.
    pub(crate) next: Option<String>,
    /// For `-v`: attempts, correlation ids, causes.
    details: Vec<String>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::sdk(&error)
    }
}

impl Failure {
    pub(crate) fn with_exit(exit: Exit, summary: impl Into<String>) -> Self {
        Self { exit, summary: summary.into(), ids: Vec::new(), label: "", next: None, details: Vec::new() }
    }

    /// A mistake in how the command was called or configured.
    pub(crate) fn usage(summary: impl Into<String>) -> Self {
        Self::with_exit(Exit::Usage, summary)
    }

    /// An error of the client: of its configuration or of a call.
    pub(crate) fn sdk(error: &Error) -> Self {
        let exit = match error.kind() {
            ErrorKind::Config(_) | ErrorKind::InvalidRequest => Exit::Usage,
            _ => Exit::Failed,
        };
        let details = details(error).into_iter().collect();
        Self { details, ..Self::with_exit(exit, summarize(error)).next(suggest(error)) }
    }

    pub(crate) fn ids(self, ids: Vec<String>, label: &'static str) -> Self {
        Self { ids, label, ..self }
    }

    pub(crate) fn next(self, next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..self }
    }

    /// Adds the failure to others. Those that differ in nothing but ids and details become one.
    pub(crate) fn add_to(self, failures: &mut Vec<Self>) {
        let is_same = |known: &&mut Self| known.summary == self.summary && known.label == self.label;
        let Some(known) = failures.iter_mut().find(is_same) else { return failures.push(self) };
        known.ids.extend(self.ids);
        for detail in self.details {
            // From the end: the failures of a request come one after the other.
            if !known.details.iter().rev().any(|known| *known == detail) {
                known.details.push(detail);
            }
        }
    }

    /// Writes the failure to standard error.
    pub(crate) fn show(&self, verbose: bool) {
        write_stderr_line(self.text(verbose));
    }

    /// Up to three lines, and with `verbose` the details.
    fn text(&self, verbose: bool) -> String {
        let ids = (!self.ids.is_empty()).then(|| format!("{}: {}", self.label, abbreviate(&self.ids)));
        let next = self.next.as_ref().map(|next| format!("next: {next}"));
        let details = self.details.iter().filter(|_| verbose).cloned();
        let lines = ids.into_iter().chain(next).chain(details);
        lines.fold(format!("error: {}", self.summary), |text, line| text + "\n  " + &line)
    }
}

/// How many ids a message names.
const MAX_NAMED_IDS: usize = 3;

/// `1 incident`, `2 incidents`
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The first few ids, and how many more there are.
pub(crate) fn abbreviate(ids: &[String]) -> String {
    let named: Vec<String> = ids.iter().take(MAX_NAMED_IDS).map(|id| sanitize_line(id)).collect();
    let mut text = named.join(", ");
    if ids.len() > MAX_NAMED_IDS {
        let _ = write!(text, " and {} more", ids.len() - MAX_NAMED_IDS);
    }
    text
}

/// What happened, on one line, without attempts and correlation ids.
pub(crate) fn summarize(error: &Error) -> String {
    if let (Some(operation), ErrorKind::Status(status)) = (error.operation(), error.kind()) {
        let message = error.message().map(|message| format!(": {}", sanitize_line(message))).unwrap_or_default();
        let maybe =
            if error.effect() == Effect::Unknown { "; it may have taken effect, or still take effect" } else { "" };
        return format!("{}: {status}{message}{maybe}", operation.id());
    }
    // The message of the SDK names a way out that only a program has.
    if error.kind() == ErrorKind::Config(ConfigErrorKind::PlainHttp) {
        return "the base URL is http to another machine: anyone on the way could read the API key. Use https"
            .to_owned();
    }
    let mut text = error.summary();
    // The cause says what is wrong, as in "invalid port number".
    if let (ErrorKind::Config(_), Some(cause)) = (error.kind(), error.source()) {
        let _ = write!(text, ": {cause}");
    }
    sanitize_line(&text)
}

/// What the user can do about it.
fn suggest(error: &Error) -> String {
    let Some(operation) = error.operation() else {
        let next = match error.kind() {
            ErrorKind::Config(_) => "correct it; `cx-incidents --help` says what can be set. Nothing was sent",
            _ => "correct it; this request was not sent",
        };
        return next.to_owned();
    };
    let repeat = match operation.idempotency() {
        Idempotency::Safe | Idempotency::Idempotent => "it is safe to repeat",
        _ => "check what took effect before you repeat it",
    };
    let status = error.status().map(|status| status.as_u16());
    let next = if error.is_unauthorized() {
        "check the API key, and that it belongs to this region: `cx-incidents config` shows where both come from"
    } else if status == Some(403) {
        let personal = if operation.requires_personal_key() {
            ", and make sure that it is a personal key, not a team's"
        } else {
            ""
        };
        let grant = format!("give the key the permission {}{personal}", operation.permission());
        // A refusal without a message may be from anybody.
        if error.is_permission_denied() && error.message().is_some() {
            return grant;
        }
        return format!(
            "a proxy or a firewall may have refused this, since the service reports errors otherwise; or {grant}"
        );
    } else if error.is_unknown_route() {
        "check --region, --domain or --url, and --api-generation if you set it: `cx-incidents doctor` looks at each"
    } else if is_not_found(error) {
        "check the id: `cx-incidents list` shows those of this account and region"
    } else if status == Some(404) {
        "check the id, and --region, --domain or --url: the service reports a missing incident otherwise"
    } else if matches!(status, Some(300..400 | 407)) {
        "a proxy or a login page answers in place of the service: `cx-incidents doctor` checks the endpoint and the proxy"
    } else if error.is_rate_limited() {
        let wait = error.retry_after().filter(|wait| !wait.is_zero());
        let wait = wait.map(|wait| format!(" in {} s", wait.as_secs_f64().ceil())).unwrap_or_default();
        return format!("try again{wait}, with a lower --concurrency; {repeat}");
    } else if error.effect() == Effect::Applied {
        "the service reported success: look with `cx-incidents get` before you do anything again"
    } else if error.effect() == Effect::Unknown && operation.idempotency() != Idempotency::Safe {
        return format!("look with `cx-incidents get` what took effect; {repeat}");
    } else if error.kind() == ErrorKind::UndecodableResponse {
        "a proxy or a login page may have answered: `cx-incidents doctor` checks the endpoint and the proxy, and -v says \
         what is wrong with the body"
    } else if matches!(error.kind(), ErrorKind::Transport(_)) {
        "try again; `cx-incidents config` shows where this goes, and --timeout gives it longer"
    } else if error.is_retryable() {
        return format!("try again later; {repeat}");
    } else {
        "run it again with -v, and give Coralogix support the correlation id"
    };
    next.to_owned()
}

/// Whether the service says that an incident does not exist. A 404 without a message may be from anybody.
pub(crate) fn is_not_found(error: &Error) -> bool {
    error.is_not_found() && error.message().is_some()
}

/// Attempts, correlation id and causes.
fn details(error: &Error) -> Option<String> {
    let attempts = counted(error.attempts() as usize, "attempt");
    let mut text = format!("{attempts}, correlation id {}", error.correlation_id()?);
    let mut cause = error.source();
    while let Some(source) = cause {
        let _ = write!(text, "; {}", sanitize_line(&source.to_string()));
        cause = source.source();
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_three_ids_and_counts_the_rest() {
        let ids: Vec<String> = (1..=7).map(|number| format!("id{number}")).collect();
        let failure = Failure::usage("what").ids(ids, "not changed").next("do this");
        assert_eq!(failure.text(false), "error: what\n  not changed: id1, id2, id3 and 4 more\n  next: do this");
    }
}
