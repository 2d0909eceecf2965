//! Exit codes, and failures in three lines: what happened, to which ids, what to do next. The API key is in none of them.

use std::{error::Error as _, fmt::Write as _, io};

use coralogix_incidents::{ConfigErrorKind, Effect, Error, ErrorKind, Idempotency};

/// How the process ends; documented in `--help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    Partial = 3,
    Interrupted = 130,
}

/// Why a command ends before its time.
#[derive(Debug)]
pub(crate) enum Stop {
    Failure(Box<Failure>),
    /// Ctrl-C, or the question before a change was answered with no.
    Interrupted,
    /// Whoever read standard output is gone, as with `| head`.
    ClosedPipe,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(Box::new(failure))
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::ClosedPipe;
        }
        let failure = Failure { exit: Exit::Failed, ..Failure::usage(format!("the output can't be written: {error}")) };
        failure.into()
    }
}

/// A failure as it is told.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    what: String,
    which: Option<String>,
    next: Option<String>,
    /// For `-v`: attempts, correlation ids, causes.
    details: Vec<String>,
}

impl Failure {
    /// A mistake in how the command was called or configured.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, what: what.into(), which: None, next: None, details: Vec::new() }
    }

    /// What the client says of its configuration or of a call.
    pub(crate) fn sdk(error: &Error) -> Self {
        let exit = match error.kind() {
            ErrorKind::Config(_) | ErrorKind::InvalidRequest => Exit::Usage,
            _ => Exit::Failed,
        };
        let details = details(error).into_iter().collect();
        Self { exit, what: what(error), which: None, next: Some(next(error)), details }
    }

    pub(crate) fn of(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, ..Self::usage(what) }
    }

    pub(crate) fn which(mut self, ids: &[String], became: &str) -> Self {
        self.which = Some(format!("{became}: {}", some(ids)));
        self
    }

    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// Of the same failure met again, in another request.
    pub(crate) fn again(&mut self, error: &Error) {
        self.details.extend(details(error).filter(|detail| !self.details.contains(detail)));
    }

    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// Three lines at the most, and with `verbose` its details.
    pub(crate) fn text(&self, verbose: bool) -> String {
        let mut text = format!("error: {}", self.what);
        if let Some(which) = &self.which {
            let _ = write!(text, "\n  {which}");
        }
        if let Some(next) = &self.next {
            let _ = write!(text, "\n  next: {next}");
        }
        if verbose {
            for detail in &self.details {
                let _ = write!(text, "\n  {detail}");
            }
        }
        text
    }
}

/// How many ids a line names.
const NAMED: usize = 3;

/// `1 incident`, `2 incidents`
pub(crate) fn counted(count: usize) -> String {
    format!("{count} incident{}", if count == 1 { "" } else { "s" })
}

/// The first few of some ids, and how many more there are.
pub(crate) fn some(ids: &[String]) -> String {
    let named: Vec<String> = ids.iter().take(NAMED).map(|id| plain(id)).collect();
    let mut text = named.join(", ");
    if ids.len() > NAMED {
        let _ = write!(text, " and {} more", ids.len() - NAMED);
    }
    text
}

/// What happened, on one line, without attempts and correlation ids.
pub(crate) fn what(error: &Error) -> String {
    if let (Some(operation), ErrorKind::Status(status)) = (error.operation(), error.kind()) {
        let message = error.message().map(|message| format!(": {}", plain(message))).unwrap_or_default();
        let maybe = if error.effect() == Effect::Unknown { "; it may have taken effect" } else { "" };
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
    plain(&text)
}

/// What the user can do about it.
fn next(error: &Error) -> String {
    let Some(operation) = error.operation() else {
        return match error.kind() {
            ErrorKind::Config(_) => {
                "correct it; `cx-incidents --help` says what can be set. Nothing was sent".to_owned()
            }
            _ => "nothing was sent".to_owned(),
        };
    };
    let permission = operation.permission();
    let repeat = match operation.idempotency() {
        Idempotency::Safe | Idempotency::Idempotent => "it is safe to repeat",
        _ => "check what took effect before you repeat it",
    };
    if error.is_unauthorized() {
        "check CORALOGIX_API_KEY, and that the key belongs to this region (`cx-incidents config` shows it)".to_owned()
    } else if error.is_permission_denied() {
        let personal = if permission == "incidents:assign" || permission == "incidents:acknowledge" {
            ", and make sure that it is a personal key, not a team's"
        } else {
            ""
        };
        format!("give the key the permission {permission}{personal}")
    } else if error.is_unknown_route() {
        "check --region, --domain or --url; if that is right, try the other --api-generation (v1 or v5)".to_owned()
    } else if error.is_not_found() {
        "check the id: `cx-incidents list` shows those of this account and region".to_owned()
    } else if error.is_rate_limited() {
        let wait = error.retry_after().map(|wait| format!(" in {} s", wait.as_secs_f64().ceil())).unwrap_or_default();
        format!("try again{wait}, with a lower --concurrency; {repeat}")
    } else if error.effect() == Effect::Applied {
        "the service reported success: look with `cx-incidents get` before you do anything again".to_owned()
    } else if error.effect() == Effect::Unknown && operation.idempotency() != Idempotency::Safe {
        format!("look with `cx-incidents get` what took effect; {repeat}")
    } else if matches!(error.kind(), ErrorKind::Transport(_)) {
        "try again; `cx-incidents config` shows where this goes, and --timeout gives it longer".to_owned()
    } else if error.is_retryable() {
        format!("try again later; {repeat}")
    } else {
        "with -v there is more to tell Coralogix support".to_owned()
    }
}

/// Attempts and correlation id.
fn call(error: &Error) -> Option<String> {
    let (attempts, correlation_id) = (error.attempts(), error.correlation_id()?);
    let plural = if attempts == 1 { "" } else { "s" };
    Some(format!("{attempts} attempt{plural}, correlation id {correlation_id}"))
}

fn details(error: &Error) -> Option<String> {
    let mut text = call(error)?;
    let mut cause = error.source();
    while let Some(source) = cause {
        let _ = write!(text, "; {}", plain(&source.to_string()));
        cause = source.source();
    }
    Some(text)
}

/// The longest text of the service's that is shown on one line, in characters.
const LONGEST: usize = 300;

/// Whether a terminal may do something else with a character than show it.
pub(crate) fn steers(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text of somebody else's on one line, without what would steer a terminal.
pub(crate) fn plain(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split(|character: char| character.is_whitespace() || steers(character)) {
        if !word.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    if let Some((end, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_cannot_steer_a_terminal() {
        assert_eq!(plain("a\x1b[31mb\r\nc\u{202e}d\te"), "a [31mb c d e");
        assert_eq!(plain(&"x".repeat(400)).chars().count(), 301);
    }

    #[test]
    fn a_failure_names_three_ids_and_counts_the_rest() {
        let ids: Vec<String> = (1..=7).map(|number| format!("id{number}")).collect();
        let failure = Failure::usage("what").which(&ids, "not changed").next("do this");
        assert_eq!(failure.text(false), "error: what\n  not changed: id1, id2, id3 and 4 more\n  next: do this");
    }
}
