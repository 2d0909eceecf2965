//! Faults as text, for the program's `--fault` and the administration API. It knows how faults are written, not what they do.

use std::{error, fmt, str::FromStr, time::Duration};

use humantime::{format_duration, parse_duration};

use super::model::{Effect, Fault, FaultAction, FaultBody, FaultKind, RetryAfter};
use crate::net::connection::Disconnect;

/// The grammar of faults, for people: what [`Fault`]'s `FromStr` reads.
pub const FAULT_GRAMMAR: &str = "\
OPERATION:FAULT[:MODIFIER...], such as unassignIncidents:503:p=0.1
  OPERATION  an operationId, or * for all
  FAULT      a status from 200 to 599 | delay=200ms | rate=50 (a second) | lost | reset | reset=BYTES |
             truncate=BYTES | truncate-chunked=BYTES | stall | stall=BYTES
  MODIFIER   p=0.1 (probability) | nth=3 | times=2 | retry-after=2s | retry-after-date=2s | after-effect | before-effect |
             body=json|error|error-message|detail|html|empty|text
             Each at most once; retry-after and body are for a status";

/// The longest time that a fault waits.
const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a text is not a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseFaultError(String);

impl fmt::Display for ParseFaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for ParseFaultError {}

fn fail<T>(problem: impl Into<String>) -> Result<T, ParseFaultError> {
    Err(ParseFaultError(problem.into()))
}

/// Reads `OPERATION:FAULT[:MODIFIER...]`, as the program's `--fault` has it.
///
/// ```
/// use coralogix_incidents_emulator::Fault;
///
/// let written: Fault = "unassignIncidents:503:p=0.1".parse()?;
/// assert_eq!(written, Fault::status(503).on("unassignIncidents").probability(0.1));
/// # Ok::<(), coralogix_incidents_emulator::ParseFaultError>(())
/// ```
impl FromStr for Fault {
    type Err = ParseFaultError;

    fn from_str(text: &str) -> Result<Self, ParseFaultError> {
        let mut parts = text.split(':');
        let operation = parts.next().unwrap_or_default().trim();
        let Some(kind) = parts.next() else {
            return fail(format!("`{text}` is not a fault; a fault is\n{FAULT_GRAMMAR}"));
        };
        let mut fault = parse_kind(kind.trim())?;
        if operation.is_empty() {
            return fail("the operation is missing; write an operationId, or `*` for all operations");
        }
        if operation != "*" {
            fault = fault.on(operation);
        }
        let mut given = Vec::new();
        for part in parts.map(str::trim) {
            let topic = match part.split('=').next().unwrap_or_default() {
                "retry-after-date" => "retry-after",
                "before-effect" => "after-effect",
                name => name,
            };
            if given.contains(&topic) {
                return fail(format!("`{part}` repeats or contradicts an earlier modifier"));
            }
            if ["body", "retry-after"].contains(&topic) && !fault.is_status() {
                return fail(format!("`{part}` is only allowed for a status, such as 503"));
            }
            given.push(topic);
            fault = parse_modifier(fault, part)?;
        }
        match fault.problem() {
            Some(problem) => fail(problem),
            None => Ok(fault),
        }
    }
}

/// Writes a fault as `FromStr` reads it. A text of your own in [`FaultBody::Text`] is not written.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.operation.as_deref().unwrap_or("*"))?;
        match &self.kind {
            FaultKind::Delay(delay) => write!(f, "delay={}", format_duration(*delay))?,
            FaultKind::RateLimit(rate) => write!(f, "rate={rate}")?,
            FaultKind::Action(FaultAction::Status { status, .. }) => write!(f, "{status}")?,
            FaultKind::Action(FaultAction::Cut { after, chunked, ending }) => {
                f.write_str(match (chunked, ending, after) {
                    (true, ..) => "truncate-chunked",
                    (_, None, _) => "stall",
                    (_, Some(Disconnect::Reset), _) => "reset",
                    (_, Some(Disconnect::Close), None) => "lost",
                    (_, Some(Disconnect::Close), Some(_)) => "truncate",
                })?;
                if let Some(bytes) = after {
                    write!(f, "={bytes}")?;
                }
            }
        }
        if let Some(nth) = self.nth {
            write!(f, ":nth={nth}")?;
        }
        if let Some(times) = self.times {
            write!(f, ":times={times}")?;
        }
        if let Some(probability) = self.probability {
            write!(f, ":p={probability}")?;
        }
        if let FaultKind::Action(FaultAction::Status { body, retry_after, .. }) = &self.kind {
            if *body != FaultBody::Documented {
                let name = BODIES.iter().find(|(_, known)| known == body).map_or("text", |(name, _)| name);
                write!(f, ":body={name}")?;
            }
            match retry_after {
                None => {}
                Some(RetryAfter::Seconds(seconds)) => write!(f, ":retry-after={seconds}s")?,
                Some(RetryAfter::Date(wait)) => write!(f, ":retry-after-date={}", format_duration(*wait))?,
            }
        }
        match self.effect {
            effect if effect == self.kind.default_effect() => Ok(()),
            Effect::Applied => f.write_str(":after-effect"),
            Effect::NotApplied => f.write_str(":before-effect"),
        }
    }
}

/// The names of bodies. A text of one's own is `text`.
static BODIES: [(&str, FaultBody); 6] = [
    ("json", FaultBody::Documented),
    ("error", FaultBody::Error),
    ("error-message", FaultBody::ErrorMessage),
    ("detail", FaultBody::Detail),
    ("html", FaultBody::Html),
    ("empty", FaultBody::Empty),
];

fn parse_body(name: &str) -> Result<FaultBody, ParseFaultError> {
    match BODIES.iter().find(|(known, _)| *known == name) {
        Some((_, body)) => Ok(body.clone()),
        None if name == "text" => Ok(FaultBody::Text("upstream connect error or disconnect before headers".to_owned())),
        None => {
            let names = BODIES.each_ref().map(|(name, _)| *name).join(", ");
            fail(format!("`{name}` is not a body; the bodies are {names} and text"))
        }
    }
}

fn parse_kind(text: &str) -> Result<Fault, ParseFaultError> {
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    Ok(match (name, value) {
        ("delay", Some(value)) => Fault::delay(duration(value)?),
        ("rate", Some(value)) => Fault::rate_limit(number(value)?),
        ("lost", None) => Fault::lost_reply(),
        ("reset", None) => Fault::reset(),
        ("reset", Some(value)) => Fault::reset_after(number(value)?),
        ("truncate", Some(value)) => Fault::truncate(number(value)?),
        ("truncate-chunked", Some(value)) => Fault::truncate_chunked(number(value)?),
        ("stall", None) => Fault::stall_headers(),
        ("stall", Some(value)) => Fault::stall_body(number(value)?),
        (status, None) if status.parse::<u16>().is_ok() => Fault::status(number(status)?),
        _ => return fail(format!("`{text}` is not a fault; a fault is\n{FAULT_GRAMMAR}")),
    })
}

fn parse_modifier(fault: Fault, text: &str) -> Result<Fault, ParseFaultError> {
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    Ok(match (name, value) {
        ("p", Some(value)) => fault.probability(number(value)?),
        ("nth", Some(value)) => fault.nth(number(value)?),
        ("times", Some(value)) => fault.times(number(value)?),
        ("retry-after", Some(value)) => fault.with_retry_after(duration(value)?),
        ("retry-after-date", Some(value)) => fault.with_retry_after_date(duration(value)?),
        ("after-effect", None) => fault.after_effect(),
        ("before-effect", None) => fault.before_effect(),
        ("body", Some(value)) => fault.with_body(parse_body(value)?),
        _ => return fail(format!("`{text}` is not a modifier; a fault is\n{FAULT_GRAMMAR}")),
    })
}

fn number<T: FromStr>(text: &str) -> Result<T, ParseFaultError> {
    text.parse().or_else(|_| fail(format!("`{text}` is not a number in the allowed range")))
}

fn duration(text: &str) -> Result<Duration, ParseFaultError> {
    match parse_duration(text) {
        Ok(duration) if duration <= MAX_DURATION => Ok(duration),
        _ => fail(format!("`{text}` is not a duration of up to a day, such as `20ms`, `1.5s` or `2m`")),
    }
}
